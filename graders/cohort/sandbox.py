"""Runs a learner's code where it can reach nothing: the transport of authoritative grading.

A process of ours has one sandbox, begun at first use, in which a process that has imported torch begins another, shut
off, for each learner (`worker/warm.py`). The judge knows that one by a descriptor, behind which no other process can
come to stand, and ends with it everything that it left.
"""

import atexit
import contextlib
import functools
import os
import select
import signal
import socket
import struct
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from graders.cohort.bubblewrap import INSTALL, Bubble, SandboxError, obstacle
from graders.cohort.cgroup import ControlGroup
from graders.engine.forked import MAX_STACK, seconds_computed
from graders.engine.transport import START_SECONDS, Worker
from graders.engine.worker.channel import Channel, pair
from graders.engine.worker.codec import encode
from graders.engine.worker.isolation import ALIVE, EXERCISES, MEMORY, N_PROCESSES, STARTED
from graders.engine.worker.loading import Source
from graders.engine.worker.messages import Request
from graders.engine.worker.warm import READY

PROGRAM = "from worker.warm import main; main({descriptor})"
CREDENTIALS = struct.Struct("3i")  # process, user, group
REACH = Path(__file__).with_name("reach.py")
LOOK_SECONDS = 10.0
GROUPS = "run it as root, or as  systemd-run --user --scope -p Delegate=yes ...,  for a bound on all together"
REPORT = "report it, with the versions of Linux and bubblewrap; nothing is graded in such a sandbox unless you say so"
END_SECONDS = 60.0  # for the system to end all of a learner's processes


class Sandbox:
    """One sandbox, with its warm process in it."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.lock = threading.Lock()
        self.bubble = Bubble(PROGRAM)
        self.group = ControlGroup()
        try:
            self.bubble.control.settimeout(START_SECONDS)
            _byte, pid = _receive(self.bubble.control, 1, socket.MSG_PEEK)
            if Channel(self.bubble.control).receive(len(READY), time.monotonic() + START_SECONDS) != READY:
                raise EOFError
            self.group.add(pid)
        except (OSError, EOFError, ValueError) as error:
            self.bubble.process.kill()
            self.bubble.process.wait()
            reason = self.bubble.last_words()
            self.close()
            raise SandboxError(f"the sandbox did not start: {reason}") from error

    def begin(self, source: Source) -> "Shut":
        """A process for one learner's files."""
        with contextlib.ExitStack() as opened:
            channel, theirs = pair()
            status, tells = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            status.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            stack = os.memfd_create("stack")
            opened.callback(os.close, stack)
            opened.callback(channel.close)
            opened.enter_context(status)
            with self.lock, contextlib.closing(theirs), tells:
                socket.send_fds(self.bubble.control, [b"\0"], [theirs.end.fileno(), stack, tells.fileno()])
            with contextlib.suppress(ConnectionError):  # then the status says why
                channel.send(encode({"files": dict(source.texts), "stubs": dict(source.stubs)}), START_SECONDS)
            shut = Shut(source, channel, status, stack)
            opened.pop_all()
            return shut

    def close(self) -> None:
        """End everything in it."""
        self.bubble.close()
        self.group.close()


class Shut:
    """A learner's process, shut off in the sandbox, and the first process of its namespace, which looks after it."""

    def __init__(self, source: Source, channel: Channel, status: socket.socket, stack: int):
        self.source = replace(source, folder=EXERCISES)
        self.channel, self.status, self.memory = channel, status, stack
        status.settimeout(START_SECONDS)
        self.first = os.pidfd_open(_sender(status, STARTED))  # it is there: it waits for the other
        try:
            self.pid = _sender(status, ALIVE)
            self.learner = os.pidfd_open(self.pid)
        except (OSError, SandboxError):
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.first, signal.SIGKILL)
            os.close(self.first)
            raise

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


@dataclass(frozen=True)
class Probe:
    """How far a learner's code can be kept apart on this machine, and why no further."""

    level: str  # "sandbox" or "process"
    reason: str
    mend: str = ""  # what to do for more


@functools.cache
def probe() -> Probe:
    """Start a sandbox and look from inside at what can be reached."""
    reason, mend = obstacle()
    if reason:
        return Probe("process", reason, mend)
    look = Sandboxed(Source(texts={REACH.stem: REACH.read_text(encoding="utf-8")}))
    try:
        reply = look.ask(Request(REACH.stem, "reached", (os.getpid(),), seconds=LOOK_SECONDS))
        holds = _sandbox().group.holds
    except SandboxError as error:
        return Probe("process", str(error), INSTALL)
    finally:
        look.close()
    if reply.failure or reply.value != []:
        found = reply.failure.message if reply.failure else ", ".join(map(str, reply.value))
        return Probe("process", f"the sandbox was made, but from inside it could be reached: {found}", REPORT)
    return Probe("sandbox", f"bubblewrap; {_bounds(holds)}", "" if "memory" in holds else GROUPS)


def _bounds(holds: list[str]) -> str:
    """What bounds the memory of a learner's processes, in words."""
    if "memory" in holds:
        return f"control groups bound the {' and '.join(sorted(holds))} of a whole sandbox"
    return f"{MEMORY // 2**30} GB for each of {N_PROCESSES} processes, and no bound for all together"


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


def _sender(status: socket.socket, word: bytes) -> int:
    """The number of the process that says a word. Raises `SandboxError` when it says another, and `OSError`."""
    said, pid = _receive(status, 1000)
    if said != word:
        raise SandboxError(f"a process could not be shut off: {said.decode(errors='replace')}")
    return pid


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
