"""A process that performs requests, begun on this machine as it is: forked from this one where that is safe."""

import multiprocessing
import os
import signal
import sys
import tempfile
import time
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from graders.engine.worker.channel import pair
from graders.engine.worker.loading import Source
from graders.engine.worker.serve import serve

FORK: Any = multiprocessing.get_context("fork") if sys.platform != "win32" else None
SPAWN: Any = multiprocessing.get_context("spawn")
MAX_STACK = 2**16  # bytes of what a process wrote down, which may be anything


class _Memory:
    """A file that a fork writes to, in memory: a judge that is killed leaves none behind."""

    def __init__(self) -> None:
        self.name = os.memfd_create("stack")

    def text(self) -> str:
        return os.pread(self.name, MAX_STACK, 0).decode(errors="replace")

    def close(self) -> None:
        os.close(self.name)


class _File:
    """A file that a spawned process writes to, which finds it by its name."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="headstart-")
        self.name = str(Path(self.folder.name) / "stack.txt")

    def text(self) -> str:
        return Path(self.name).read_text(errors="replace") if Path(self.name).exists() else ""

    def close(self) -> None:
        self.folder.cleanup()


class Forked:
    """A fork of this process need not import torch again; where there is no fork, one is spawned."""

    def __init__(self, source: Source):
        self.source, self.began = source, time.monotonic()
        # macOS has fork, but its libraries do not survive one
        context = FORK if sys.platform == "linux" else SPAWN
        self.written = _Memory() if sys.platform == "linux" else _File()
        self.channel, theirs = pair()
        if context is SPAWN:
            source = replace(source, stubs=dict(source.stubs))  # plain data: there is nothing else of ours there
        arguments = (theirs, context is FORK, source, self.written.name)
        self.process: BaseProcess = context.Process(target=serve, args=arguments, daemon=True)
        self.process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """Its number."""
        return self.process.pid or 0

    def computed(self) -> float:
        """Seconds that it has computed; 0 when it is gone. Where the system does not tell, those since it began."""
        return seconds_computed(self.pid) if sys.platform == "linux" else time.monotonic() - self.began

    def ask_where_it_is(self) -> None:
        """Have it write down its stack; even inside a call into C it does."""
        if hasattr(signal, "SIGUSR1"):
            os.kill(self.pid, signal.SIGUSR1)

    def stack(self) -> str:
        """What it has written down."""
        return self.written.text()

    def end(self, patience: float) -> tuple[int | None, str]:
        """End it, after `patience` seconds in which it may end by itself; its exit code, and the stack it left."""
        until = time.monotonic() + patience
        # Not `join`: it waits for ever once a learner's code has closed all descriptors
        while self.process.exitcode is None and time.monotonic() < until:
            time.sleep(0.002)
        self.process.kill()
        self.process.join()
        self.channel.close()
        stack = self.stack()
        self.written.close()
        return self.process.exitcode, stack


def seconds_computed(pid: int) -> float:
    """Seconds that a process has computed, on Linux; 0 when it is gone."""
    try:
        # What clock_getcpuclockid(3) makes of a process, which Python does not offer
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0.0
