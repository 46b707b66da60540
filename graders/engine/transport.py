"""Where a subject's code runs: in a process of its own, or in this one. One `ask(request) -> reply` for both."""

import re
import secrets
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from graders.engine.forked import Forked
from graders.engine.worker.channel import Channel, TooLarge
from graders.engine.worker.codec import CodecError, decode, encode
from graders.engine.worker.failure import Failure
from graders.engine.worker.loading import Source
from graders.engine.worker.messages import Reply, Request, reply_from, to_data
from graders.engine.worker.perform import Performer
from graders.engine.worker.serve import NUMBER

MAX_REPLY = 16 * 2**20  # bytes, or twice as many as the request has, when that is more
# How many times longer than it computes a call may take, on a busy machine, before that is held against it
PATIENCE = 4
LOOKS_EVERY = 0.01  # seconds, at least, at how much has been computed: what is left would be halved for ever
GRACE = 1.0  # seconds, at most, in which a late worker writes down where it is
MAX_HEADER = 2 * 2**20  # of them: what is parsed, and takes many times as much memory as it has bytes
READY = 8  # bytes, more than a process says when it is ready
START_SECONDS = 60.0  # for a spawned worker to import torch
FRAME = re.compile(r'File "([^"\n]{1,500})", line (\d{1,7}) in ([\w.<>]{1,200})')  # of faulthandler


class Quit(BaseException):
    """Someone leaves the debugger. Not an `Exception`, which would be taken for the law's own."""


class Transport(Protocol):
    """Something that performs requests on one subject.

    `meanwhile` is what else will be wanted: done here while another process is at the request, if there is one.
    """

    @property
    def isolation(self) -> str: ...

    @property
    def source(self) -> Source: ...

    def start(self) -> None: ...

    def ask(self, request: Request, meanwhile: Callable[[], object] | None = None) -> Reply: ...

    def computed(self) -> float:
        """Seconds that the process which performs requests has computed so far."""

    def replace(self, name: str, text: str) -> None:
        """Put another text in the place of one of the subject's files."""

    def close(self) -> None: ...


class InProcess:
    """Performs requests here: for subjects that are ours, and for a learner's own debugger."""

    isolation = "none"

    def __init__(self, source: Source):
        self.source = source
        # Ctrl-C, and `q` in the debugger, end the run
        self.performer = Performer(source, lets_through=(KeyboardInterrupt, pytest.exit.Exception))

    def start(self) -> None:
        """Nothing to start."""

    def ask(self, request: Request, meanwhile: Callable[[], object] | None = None) -> Reply:
        try:
            return self.performer.perform(request)
        except pytest.exit.Exception as error:
            raise Quit(str(error)) from error

    def computed(self) -> float:
        return time.process_time()

    def replace(self, name: str, text: str) -> None:
        self.close()
        self.source = self.performer.source = replace(self.source, texts={**self.source.texts, name: text})

    def close(self) -> None:
        self.performer.close()


class Process(Protocol):
    """A process that performs requests on one subject, wherever it runs. Made, it is on its way: it says "ready"."""

    channel: Channel
    source: Source  # as the process has it: the names of its files are in the stack

    @property
    def pid(self) -> int: ...

    def computed(self) -> float: ...

    def ask_where_it_is(self) -> None: ...

    def stack(self) -> str: ...

    def end(self, patience: float) -> tuple[int | None, str]: ...


class Worker:
    """Performs requests in a process that is killed when it is late; the next request starts another."""

    isolation = "process"

    def __init__(self, source: Source):
        self.source = source
        self.process: Process | None = None
        self.computed_before = 0.0  # by processes that were ended

    def begin(self) -> Process:
        """A fresh process."""
        return Forked(self.source)

    def start(self) -> None:
        """Start the process, if none is running, and wait until it is ready."""
        if self.process is not None:
            return
        self.process = self.begin()
        try:
            self.process.channel.receive(READY, until=time.monotonic() + START_SECONDS)
        except (EOFError, ConnectionError, TimeoutError, TooLarge) as error:
            self.stop()
            raise RuntimeError(
                "the process that runs the exercises did not start; `headstart doctor` looks for the reason"
            ) from error

    def ask(self, request: Request, meanwhile: Callable[[], object] | None = None) -> Reply:
        self.start()
        assert self.process is not None
        channel, number = self.process.channel, secrets.randbits(63)
        began = self.process.computed()
        try:
            message = encode({NUMBER: number, "request": to_data(request)})
            channel.send(message, request.seconds)
            if meanwhile:
                meanwhile()
            self._wait(request.seconds, began)
            answer = channel.receive(max(MAX_REPLY, 2 * len(message)), time.monotonic() + request.seconds)
            return _answer_to(number, decode(answer, MAX_HEADER))
        except TimeoutError:
            self._ask_where_it_is()
            _code, lines = self._end()
            return Reply(failure=Failure("timeout", message=f"{request.seconds:.0f}", lines=lines))
        except (EOFError, ConnectionError):  # the process is gone
            code, lines = self._end()
            return Reply(failure=Failure("crash", message=_how_it_ended(code), lines=lines))
        except TooLarge:
            self.stop()
            return Reply(failure=Failure("large"))
        except (CodecError, KeyError, TypeError) as error:
            self.stop()
            return Reply(failure=Failure("crash", message=f"its answer could not be read: {error}"))
        except BaseException:
            self.stop()  # its answer, unread, would be taken for that to the next request
            raise

    def _wait(self, seconds: float, began: float) -> None:
        """Wait for an answer. Raises `TimeoutError` when there is none after `seconds` of computing, of which it had
        computed `began` before; or when it mostly waits for something else than its turn on a busy machine. That is
        after `PATIENCE` times `seconds` at the latest, whatever the process does.
        """
        assert self.process is not None
        asked, rest = time.monotonic(), seconds
        while not self.process.channel.has_begun(until=time.monotonic() + rest):
            used = self.process.computed() - began
            if used >= seconds or used * PATIENCE < time.monotonic() - asked:
                raise TimeoutError
            rest = max(seconds - used, LOOKS_EVERY)

    def computed(self) -> float:
        return self.computed_before + (self.process.computed() if self.process else 0.0)

    def stop(self) -> None:
        """End the process; the next request starts another, which knows nothing of this one."""
        self._end(patience=0)

    def replace(self, name: str, text: str) -> None:
        self.stop()
        self.source = replace(self.source, texts={**self.source.texts, name: text})

    def close(self) -> None:
        self.stop()

    def _end(self, patience: float = 0.05) -> tuple[int | None, list[list]]:
        """End the process, which has `patience` seconds to end by itself; its exit code, and the lines it was at."""
        if self.process is None:
            return None, []
        self.computed_before = self.computed()
        process, self.process = self.process, None
        code, stack = process.end(patience)
        return code, self._lines_of(stack, process.source)

    def _ask_where_it_is(self) -> None:
        assert self.process is not None
        self.process.ask_where_it_is()
        until = time.monotonic() + GRACE
        while time.monotonic() < until and not self.process.stack().endswith("\n"):
            time.sleep(0.01)

    def _lines_of(self, stack: str, there: Source) -> list[list]:
        """The lines of the subject's own files that a call was at, innermost last, from the stack it left behind.

        Whoever runs the call can write there what it likes: the text of a line is that of the source.
        """
        found = []
        for file, line, function in reversed(FRAME.findall(stack)):
            name = Path(file).stem.strip("<")
            if file == there.path(name):
                found.append([f"{name}.py", int(line), function, self.source.line(name, int(line))])
        return found


def _answer_to(number: int, data: Any) -> Reply:
    """The reply in an answer. Raises `CodecError` when it is none to the request of that number, and `TypeError`."""
    if type(data) is not dict or type(data.get(NUMBER)) is not int or data[NUMBER] != number:
        raise CodecError("it is not the answer to what was asked")
    return reply_from(data["reply"])


def _how_it_ended(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:  # a real-time signal has no name
        return f"signal {-code}"
