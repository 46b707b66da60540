"""What a learner's code could reach that it should not. Runs in a sandbox, in the place of a learner's file."""

import os
import resource
import socket
from collections.abc import Callable
from pathlib import Path

OUTSIDE = ("/home", "/root", "/etc", "/usr", "/sys", "/var", "/packages/graders", "/packages/transformers")
ADDRESSES = (("127.0.0.1", 22), ("192.0.2.1", 80))  # this machine, and one that is for documentation
UNLIMITED = resource.RLIM_INFINITY


def reached(judge: int) -> list[str]:
    """What can be reached, a few words each; nothing, where all is well. `judge` is the number of its process."""
    found = {
        "the network": len(socket.if_nameindex()) > 1 or any(_works(_connect, address) for address in ADDRESSES),
        "files outside": any(Path(path).exists() for path in OUTSIDE),
        "other processes": any(Path("/proc").iterdir()) or _works(os.kill, judge, 0) or os.getppid() != 1,
        "the rights of root": os.getuid() == 0 or _works(os.setuid, 0) or _works(os.chroot, "/tmp"),
        "a folder to write to, beside its own": any(os.access(folder, os.W_OK) for folder in _folders()),
        "memory without a limit": resource.getrlimit(resource.RLIMIT_AS)[1] == UNLIMITED,
        "processes without a limit": resource.getrlimit(resource.RLIMIT_NPROC)[1] == UNLIMITED,
        "the judge's environment": "PATH" in os.environ or "HOME" in os.environ,
    }
    return [what for what, is_reached in found.items() if is_reached]


def _folders() -> list[str]:
    own = ("/tmp", "/dev/shm")
    return ["/", *(str(path) for path in Path("/").glob("*") if path.is_dir() and str(path) not in own)]


def _connect(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=1.0):
        pass


def _works(call: Callable[..., object], *args: object) -> bool:
    """Whether something can be done."""
    try:
        call(*args)
    except OSError:
        return False
    return True
