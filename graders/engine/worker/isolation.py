"""Shuts a learner's process off from everything: namespaces, a root of its own, no privilege, limits. Linux only.

Used inside a sandbox whose own root is an allow-list already; what is done here keeps learners from one another and
from the process that serves them one after another. Standard library alone, and no torch: a look at whether a machine
allows it must not take seconds. Calls that Python 3.11 does not offer go through the C library.
"""

import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

if sys.platform != "win32":
    import resource

Prepared = tuple[Mapping[str, str], Callable[[], None]]  # a learner's files, by name without `.py`; what serves them

NOBODY = 65534  # the user and group of whoever runs a learner's code
ROOT = "/learner"  # an empty folder of the sandbox, which becomes the root
EXERCISES = "/exercises"  # the learner's files
STARTED, ALIVE = b"started", b"alive"

# <linux/sched.h>, <linux/mount.h>, <linux/prctl.h>, <linux/capability.h>
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = (
    0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = (
    1, 2, 4, 8, 32, 4096, 16384, 1 << 18,
)  # fmt: skip
PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 4, 24, 38, 47, 4
CAPABILITY_VERSION = 0x20080522
N_CAPABILITIES = 64

MEMORY = 2 * 2**30  # bytes of addresses that a process may map beyond those it has from the start
FILES = 64 * 2**20  # bytes of one file
DISK = 128 * 2**20  # bytes of all files
N_FILES = 4096
N_PROCESSES = 32
N_DESCRIPTORS = 256


def become_nobody() -> None:
    """Give up being root, and every capability with it."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        _call("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0)  # or its maps of users, below, would be root's to write


def begin(status: socket.socket, prepare: Callable[[], Prepared], kept: tuple[int, ...]) -> None:
    """Run what `prepare` returns in a fork that is shut off, with the files beside it.

    `prepare` is called in a fork as well: what it reads of one learner is never in the memory that the next one's has
    a copy of. Over `status` come: the word that it has started, or why it could not be; then, from the fork itself,
    another; at the end how that ended. The first two carry their senders' true numbers. `kept` are the descriptors
    that are the fork's alone. Returns in the caller; the fork and what looks after it are no children of its own.
    """
    middle = os.fork()
    if middle:
        os.waitpid(middle, 0)
        return
    try:
        prepared = prepare()
        _unshare()
        if os.fork():
            os._exit(0)
        _be_the_first_process(status, prepared, kept)
    except BaseException as error:  # noqa: BLE001 (whatever it is: the judge is to know)
        status.send(f"{type(error).__name__}: {error}".encode()[:1000])
    finally:
        os._exit(1)


def _unshare() -> None:
    """Leave the namespaces of the sandbox; the next fork is the first process of its own."""
    user, group = os.geteuid(), os.getegid()
    _call("unshare", CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWNET)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _be_the_first_process(status: socket.socket, prepared: Prepared, kept: tuple[int, ...]) -> None:
    """Make what all processes of the learner are to live in; then look after them. When this ends, all end."""
    files, serve = prepared
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no signal reaches the first process that it does not ask for
    _set_limits()
    _change_root(files)
    _drop_privileges()
    status.send(STARTED)
    learner = os.fork()
    if learner == 0:
        os.setsid()
        status.send(ALIVE)
        status.close()
        serve()
        os._exit(0)
    for descriptor in kept:
        os.close(descriptor)
    ended = -1
    while ended != learner:
        ended, how = os.wait()
    status.send(str(os.waitstatus_to_exitcode(how)).encode())
    os._exit(0)


def _set_limits() -> None:
    """What one process may take, and how many there may be."""
    Path("/proc/self/oom_score_adj").write_text("1000")  # the first to go when memory runs out
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limits = {
        resource.RLIMIT_AS: pages * resource.getpagesize() + MEMORY,
        resource.RLIMIT_NPROC: N_PROCESSES,
        resource.RLIMIT_FSIZE: FILES,
        resource.RLIMIT_NOFILE: N_DESCRIPTORS,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    for limit, value in limits.items():
        _soft, hard = resource.getrlimit(limit)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


def _change_root(files: Mapping[str, str]) -> None:
    """A root with folders of its own to write to, the learner's files, and no /proc.

    In a root that is not that of its mount namespace a process can make no user namespace, and so nothing to be
    privileged in.
    """
    _mount("none", "/", "", MS_REC | MS_PRIVATE)
    _mount("/", ROOT, "", MS_BIND | MS_REC)
    for folder in ("/tmp", "/dev/shm"):
        _mount("tmpfs", ROOT + folder, "tmpfs", MS_NOSUID | MS_NODEV, f"size={DISK // 2},nr_inodes={N_FILES},mode=1777")
    _mount("tmpfs", ROOT + EXERCISES, "tmpfs", MS_NOSUID | MS_NODEV, f"size={FILES},nr_inodes={N_FILES},mode=755")
    for name, text in files.items():
        Path(f"{ROOT}{EXERCISES}/{name}.py").write_text(text, encoding="utf-8", newline="")
    _mount("none", ROOT + EXERCISES, "", MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV)
    _mount("tmpfs", ROOT + "/proc", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,nr_inodes=1")
    os.chroot(ROOT)
    os.chdir("/tmp")


def _drop_privileges() -> None:
    """No capability, none to be had by running a file, and no look at this process from those it starts."""
    _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in range(N_CAPABILITIES):
        _LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for those that this kernel does not have
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())
    _call("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    _call("mount", source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())


def _call(name: str, *args: object) -> None:
    """Call a function of the C library. Raises `OSError` when it fails."""
    if getattr(_LIBC, name)(*args) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}", *args[1:2])


_LIBC: Any = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def look(descriptor: int) -> None:
    """Try all of it, with nothing to serve; says over a socket that it started, or why not."""
    become_nobody()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    begin(theirs, lambda: ({}, lambda: None), ())
    theirs.close()
    socket.socket(fileno=descriptor).send(ours.recv(1000))
