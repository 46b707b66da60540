"""A control group for one sandbox: how much memory and how many processes all of it may have, where that can be said.

Version 2 needs a group that is this process's to divide, which a service manager gives; version 1 needs root.
"""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

MOUNTED = Path("/sys/fs/cgroup")
MEMORY = 3 * 2**30  # bytes for all that runs in a sandbox
PROCESSES = 128
PREFIX = "headstart-"
V2 = {"memory.max": MEMORY, "memory.swap.max": 0, "pids.max": PROCESSES}
V1 = {
    "memory": {"memory.limit_in_bytes": MEMORY, "memory.memsw.limit_in_bytes": MEMORY},
    "pids": {"pids.max": PROCESSES},
}
OPTIONAL = ("memory.swap.max", "memory.memsw.limit_in_bytes")  # are there where swapping is counted
SECONDS = 2.0  # for a group to be empty once its processes were killed


class ControlGroup:
    """The groups of one sandbox; `holds` says what they limit: "memory", "pids"."""

    def __init__(self) -> None:
        self.folders: list[Path] = []
        self.holds: list[str] = []

    def add(self, pid: int) -> None:
        """Bound a process, and all that it starts from now on."""
        for parent, limits in _parents():
            missing = {name.partition(".")[0] for name in limits} - set(self.holds)
            if missing and self._make(parent / f"{PREFIX}{os.getpid()}-{pid}", limits, pid):
                self.holds += sorted(missing)

    def _make(self, folder: Path, limits: dict[str, int], pid: int) -> bool:
        """Make a group with these limits and put a process into it; whether that could be done."""
        try:
            _sweep(folder.parent)
            folder.mkdir()
            self.folders.append(folder)
            for name, value in limits.items():
                with contextlib.suppress(*([OSError] if name in OPTIONAL else [])):
                    _write(folder / name, value)
            _write(folder / "cgroup.procs", pid)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Remove the groups, whose processes were killed."""
        until = time.monotonic() + SECONDS
        for folder in self.folders:
            while folder.is_dir() and time.monotonic() < until:
                try:
                    folder.rmdir()
                except OSError:  # the last process is not quite gone
                    time.sleep(0.005)


def _parents() -> Iterator[tuple[Path, dict[str, int]]]:
    """Where a group might be made, and what is written to it there."""
    lines = Path("/proc/self/cgroup").read_text().splitlines() if Path("/proc/self/cgroup").exists() else []
    for line in lines:
        _number, controllers, path = line.split(":", 2)
        if controllers == "":
            for root in (MOUNTED, MOUNTED / "unified"):
                own = root / path.lstrip("/")
                yield from ((folder, V2) for folder in (own, own.parent) if folder.is_relative_to(root))
        for name in controllers.split(","):
            if name in V1:
                yield MOUNTED / name / path.lstrip("/"), V1[name]


def _sweep(parent: Path) -> None:
    """Remove what a judge left that was killed."""
    for folder in parent.glob(f"{PREFIX}*"):
        pid = re.fullmatch(rf"{PREFIX}(\d+)-\d+", folder.name)
        if pid and not Path(f"/proc/{pid[1]}").exists():
            with contextlib.suppress(OSError):
                folder.rmdir()


def _write(file: Path, value: int) -> None:
    """Raises `OSError`, also where there is no such file: a group has those of its controllers only."""
    descriptor = os.open(file, os.O_WRONLY)
    try:
        os.write(descriptor, str(value).encode())
    finally:
        os.close(descriptor)
