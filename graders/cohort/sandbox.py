"""Runs a learner's code where it can reach nothing: the transport of authoritative grading, and whether it works here.

A process of ours has one sandbox, begun at first use, in which a process that has imported torch begins
another, shut off, for each learner (`worker/warm.py`). The judge knows each by a descriptor, which no other process can come to
stand behind, and keeps the descriptors of everything that it says; nothing of a learner's outlives its own.
"""

import atexit
import contextlib
import os
import select
import signal
import socket
import struct
import threading
import time
from dataclasses import replace

from graders.cohort.bubblewrap import Bubble, SandboxError
from graders.cohort.cgroup import ControlGroup
from graders.engine.forked import seconds_computed
from graders.engine.transport import START_SECONDS, Worker
from graders.engine.worker.channel import Channel, pair
from graders.engine.worker.codec import encode
from graders.engine.worker.isolation import EXERCISES, STARTED
from graders.engine.worker.loading import Source
from graders.engine.worker.warm import READY

PROGRAM = "from worker.warm import main; main({descriptor})"
CREDENTIALS = struct.Struct("3i")  # process, user, group
MAX_STACK = 2**16  # bytes of what a process wrote down, which may be anything
END_SECONDS = 10.0  # for the system to end all of a learner's processes


class Sandbox:
    """One sandbox, with its warm process in it."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.lock = threading.Lock()
        self.bubble = Bubble(PROGRAM)
        self.group: ControlGroup | None = None
        try:
            self.bubble.control.settimeout(START_SECONDS)
            _byte, pid = _receive(self.bubble.control, 1, socket.MSG_PEEK)
            if Channel(self.bubble.control).receive(len(READY), time.monotonic() + START_SECONDS) != READY:
                raise EOFError
            self.group = ControlGroup(pid)
        except (OSError, EOFError, ValueError) as error:
            self.bubble.process.kill()
            self.bubble.process.wait()
            reason = self.bubble.last_words()
            self.close()
            raise SandboxError(f"the sandbox did not start: {reason}") from error

    def begin(self, source: Source) -> "Shut":
        """A process for one learner's files."""
        channel, theirs = pair()
        status, tells = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        status.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        stack = os.memfd_create("stack")
        try:
            with self.lock, contextlib.closing(theirs), tells:
                control = self.bubble.control
                control.settimeout(START_SECONDS)
                socket.send_fds(control, [b"\0"], [theirs.end.fileno(), stack, tells.fileno()])
                Channel(control).send(encode({"files": dict(source.texts), "stubs": dict(source.stubs)}), START_SECONDS)
            return Shut(source, channel, status, stack)
        except BaseException:
            channel.close()
            status.close()
            os.close(stack)
            raise

    def close(self) -> None:
        """End everything in it."""
        self.bubble.close()
        if self.group is not None:
            self.group.close()


class Shut:
    """A learner's process, shut off in the sandbox, and the first process of its namespace, which looks after it."""

    def __init__(self, source: Source, channel: Channel, status: socket.socket, stack: int):
        self.source = replace(source, folder=EXERCISES)
        self.channel, self.status, self.memory = channel, status, stack
        status.settimeout(START_SECONDS)
        said, first = _receive(status, 1000)
        if said != STARTED:
            raise SandboxError(f"a process could not be shut off: {said.decode(errors='replace') or 'no reason given'}")
        self.first = os.pidfd_open(first)
        _byte, self.pid = _receive(status, 1)
        self.learner = os.pidfd_open(self.pid)

    def computed(self) -> float:
        """Seconds that it has computed; 0 when it is gone."""
        return 0.0 if _has_ended(self.learner, 0) else seconds_computed(self.pid)

    def ask_where_it_is(self) -> None:
        """Have it write down its stack; even inside a call into C it does."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.learner, signal.SIGUSR1)

    def stack(self) -> str:
        """What it has written down, or what the learner's code wrote in its place."""
        return os.pread(self.memory, MAX_STACK, 0).decode(errors="replace")

    def end(self, patience: float) -> tuple[int | None, str]:
        """End all of the learner's processes, after `patience` seconds; the exit code, and the stack it left."""
        _has_ended(self.first, patience)
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.first, signal.SIGKILL)
        if not _has_ended(self.first, END_SECONDS):
            raise SandboxError("the system did not end a learner's processes")
        self.status.setblocking(False)
        try:
            code = int(self.status.recv(1000) or -signal.SIGKILL)
        except BlockingIOError:
            code = -signal.SIGKILL
        stack = self.stack()
        self.channel.close()
        self.status.close()
        for descriptor in (self.first, self.learner, self.memory):
            os.close(descriptor)
        return code, stack


class Sandboxed(Worker):
    """Performs requests on a learner's `source`, whose files are texts, in a sandbox."""

    isolation = "sandbox"

    def begin(self) -> Shut:
        """A fresh process, which knows nothing of the one before. Raises `SandboxError`."""
        if self.source.folder is not None:
            raise ValueError("a sandbox takes the texts of files, not a folder")
        for name in self.source.texts:
            if not name.isidentifier():
                raise ValueError(f"{name!r} is no name of an exercise")
        try:
            return _sandbox().begin(self.source)
        except (OSError, EOFError):  # it was killed: by the system, when memory ran out
            close_sandbox()
            return _sandbox().begin(self.source)


_running: list[Sandbox] = []
_starting = threading.Lock()


def _sandbox() -> Sandbox:
    """The sandbox of this process."""
    with _starting:
        if _running and _running[0].owner != os.getpid():  # of the process that this one was forked from
            _running.clear()
        if not _running:
            _running.append(Sandbox())
            atexit.register(close_sandbox)
        return _running[0]


def close_sandbox() -> None:
    """End the sandbox of this process, if it has one."""
    with _starting:
        atexit.unregister(close_sandbox)
        for sandbox in _running:
            if sandbox.owner == os.getpid():
                sandbox.close()
        _running.clear()


def _receive(end: socket.socket, limit: int, flags: int = 0) -> tuple[bytes, int]:
    """What comes over a socket, and the number of the process that sent it. Raises `OSError` when nothing does."""
    said, ancillary, _flags, _address = end.recvmsg(limit, socket.CMSG_SPACE(CREDENTIALS.size), flags)
    if not said or not ancillary:
        raise ConnectionError("it is closed")
    return said, CREDENTIALS.unpack(ancillary[0][2])[0]


def _has_ended(process: int, seconds: float) -> bool:
    """Whether a process, given by its descriptor, ends within so many seconds."""
    waiting = select.poll()  # not `select`, which knows descriptors below 1024 only
    waiting.register(process, select.POLLIN)
    return bool(waiting.poll(1000 * seconds))
