"""Where a subject's code runs: in a process of its own, or in this one. One `ask(request) -> reply` for both."""

import linecache
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

import pytest

from graders.engine.worker.channel import TooLarge, pair
from graders.engine.worker.codec import CodecError, decode, encode
from graders.engine.worker.loading import Source
from graders.engine.worker.perform import Failure, Performer, Reply, Request, reply_from, to_data
from graders.engine.worker.serve import serve

MAX_REPLY = 256 * 2**20  # bytes, or twice as many as the request has, when that is more
GRACE = 0.3  # seconds in which a late worker writes down where it is
FORK: Any = multiprocessing.get_context("fork") if sys.platform != "win32" else None
SPAWN: Any = multiprocessing.get_context("spawn")
START_SECONDS = 60.0  # for a spawned worker to import torch


class Quit(BaseException):
    """Someone leaves the debugger. Not an `Exception`, which Hypothesis would take for an example to shrink."""


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

    def close(self) -> None:
        self.performer.close()


class Worker:
    """Performs requests in a process that is killed when it is late; the next request starts another.

    The process is forked from this one where that is safe, so that it need not import torch again.
    """

    isolation = "process"

    def __init__(self, source: Source):
        self.source = source
        self.folder: tempfile.TemporaryDirectory[str] | None = None  # made at the first start
        self.stack_file = ""
        self.process: BaseProcess | None = None
        self.computed_before = 0.0  # by processes that were ended

    def start(self) -> None:
        """Start the process, if none is running, and wait until it is ready."""
        if self.process is not None:
            return
        if self.folder is None:
            self.folder = tempfile.TemporaryDirectory(prefix="headstart-")
            self.stack_file = str(Path(self.folder.name) / "stack.txt")
        # macOS has fork, but its libraries do not survive one
        context = FORK if sys.platform == "linux" else SPAWN
        self.channel, theirs = pair()
        arguments = (theirs, context is FORK, self.source, self.stack_file)
        self.process = context.Process(target=serve, args=arguments, daemon=True)
        self.process.start()
        theirs.close()
        try:
            self.channel.receive(until=time.monotonic() + START_SECONDS)
        except (EOFError, ConnectionError, TimeoutError) as error:
            self.stop()
            raise RuntimeError(
                "the process that runs the exercises did not start; `headstart doctor` looks for the reason"
            ) from error

    def ask(self, request: Request, meanwhile: Callable[[], object] | None = None) -> Reply:
        self.start()
        try:
            message = encode(to_data(request))
            self.channel.send(message, request.seconds)
            if meanwhile:
                meanwhile()
            answer = self.channel.receive(max(MAX_REPLY, 2 * len(message)), time.monotonic() + request.seconds)
            return reply_from(decode(answer))
        except TimeoutError:
            self._ask_where_it_is()
            self.stop()
            return Reply(failure=Failure("timeout", message=f"{request.seconds:.0f}", lines=self._last_lines()))
        except (EOFError, ConnectionError):  # the process is gone
            how = _how_it_ended(self.stop())
            return Reply(failure=Failure("crash", message=how, lines=self._last_lines()))
        except TooLarge:
            self.stop()
            return Reply(failure=Failure("large"))
        except (CodecError, KeyError, TypeError) as error:
            self.stop()
            return Reply(failure=Failure("crash", message=f"its answer could not be read: {error}"))
        except BaseException:
            self.stop()  # its answer, unread, would be taken for that to the next request
            raise

    def computed(self) -> float:
        if sys.platform != "linux":  # where the system does not tell, what passes counts
            return time.monotonic()
        if self.process is None or self.process.pid is None:
            return self.computed_before
        try:
            # What clock_getcpuclockid(3) makes of a process, which Python does not offer
            return self.computed_before + time.clock_gettime(~self.process.pid << 3 | 2)
        except OSError:  # it is gone
            return self.computed_before

    def stop(self, patience: float = 0.05) -> int | None:
        """End the process, which has `patience` seconds to end by itself; returns its exit code."""
        if self.process is None:
            return None
        self.computed_before = self.computed()
        until = time.monotonic() + patience
        # Not `join`: it waits for ever once a learner's code has closed all descriptors
        while self.process.exitcode is None and time.monotonic() < until:
            time.sleep(0.002)
        self.process.kill()
        self.process.join()
        self.channel.close()
        code, self.process = self.process.exitcode, None
        return code

    def close(self) -> None:
        self.stop(patience=0)
        if self.folder is not None:
            self.folder.cleanup()

    def _ask_where_it_is(self) -> None:
        """Have a late process write down its stack; even inside a call into C it does."""
        if self.process is None or self.process.pid is None or not hasattr(signal, "SIGUSR1"):
            return
        os.kill(self.process.pid, signal.SIGUSR1)
        until = time.monotonic() + GRACE
        while time.monotonic() < until and not Path(self.stack_file).read_text(errors="replace").endswith("\n"):
            time.sleep(0.01)

    def _last_lines(self) -> list[list]:
        """Where a call was that was killed or crashed, from the stack it left behind: innermost line last."""
        frames = re.findall(r'File "(.*)", line (\d+) in (\S+)', Path(self.stack_file).read_text(errors="replace"))
        names = [(Path(file).name, file, int(line), function) for file, line, function in reversed(frames)]
        own = [name for name in names if name[1] == self.source.path(name[0].removesuffix(".py"))]
        return [[n, line, f, linecache.getline(file, line).strip()] for n, file, line, f in own]


def _how_it_ended(code: int | None) -> str:
    return signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
