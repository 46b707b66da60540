"""The folder of a request's files, and what happens to files: they are cut short, forged, or lost with the power."""

import os
import sys
from array import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import BuiltinFunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor

REMOVED = "the last one was taken away before another was in its place"


class Folder:
    """A folder of files, which a law looks at and damages."""

    def __init__(self, path: Path):
        self.path = path
        self.seen: dict[str, bytes] = {}

    def names(self) -> list[str]:
        """What is there."""
        return sorted(file.name for file in self.path.iterdir())

    def changes(self) -> list[str]:
        """What is new, gone or another since this was last asked."""
        now = {file.name: file.read_bytes() if file.is_file() else b"" for file in self.path.iterdir()}
        before, self.seen = self.seen, now
        return sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))

    def is_plain(self, name: str) -> bool:
        """Whether `torch.load` reads a file without running code that is in it."""
        try:
            torch.load(self.path / name, weights_only=True)
        except Exception:  # noqa: BLE001
            return False
        return True

    def found(self, name: str, sought: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Which of these values a file holds, wherever in it and in whatever order: `held`, and their `numbers`, or 0.

        Of a tensor all numbers must stand in a row.
        """
        held, numbers = {}, {}
        whole = _bytes(torch.load(self.path / name, weights_only=True))
        for key, value in sought.items():
            part = _bytes(value)
            held[key] = _is_within(part, whole)
            numbers[key] = torch.frombuffer(bytearray(part if held[key] else len(part)), dtype=torch.float64)
        return {"held": held, "numbers": numbers}

    def cut(self, name: str, share: float) -> None:
        """Leave only this share of a file, its beginning."""
        whole = (self.path / name).read_bytes()
        (self.path / name).write_bytes(whole[: int(share * len(whole))])

    def write(self, name: str, text: str) -> None:
        """A file that holds this text."""
        (self.path / name).write_text(text, encoding="utf-8")

    def content(self, name: str) -> Tensor:
        """The bytes of a file, for a process that has nothing else."""
        return torch.frombuffer(bytearray((self.path / name).read_bytes()), dtype=torch.uint8)

    def put(self, name: str, content: Tensor) -> None:
        """A file of these bytes."""
        (self.path / name).write_bytes(content.numpy().tobytes())

    def forge(self, name: str, trace: str) -> None:
        """A file that runs code when it is unpickled: it makes a folder called `trace`."""
        torch.save({"model": _Made(str(self.path / trace))}, self.path / name)

    def power_cut(self, call: Callable[..., Any], *args: Any) -> list[str]:
        """Make a call, and then lose what of new files was not on the disk in time; says which files, and why.

        In time is: when a file is renamed, and for one that is not, when the call is over. What comes by a rename from
        elsewhere is not: from another disk it comes as a copy. What was there may be replaced, and not taken away.
        """
        before, there = {_state(file) for file in self.path.iterdir()}, set(self.names())
        lost = []
        synced: dict[int, int] = {}  # how much of which file
        renamed: dict[int, tuple[int, bool]] = {}  # how much of it was on the disk then, and whether it was here
        originals = {
            name: getattr(os, name)
            for name in ("fsync", "fdatasync", "rename", "replace", "unlink", "remove")
            if hasattr(os, name)
        }

        def takes_away(path: Any) -> None:
            file = Path(os.fsdecode(path)).absolute()
            if file.parent == self.path.absolute() and file.name in there:
                lost.append(f"{file.name}: {REMOVED}")

        def syncs(file: Any) -> None:
            number = file if isinstance(file, int) else file.fileno()
            synced[os.fstat(number).st_ino] = os.fstat(number).st_size

        def renames(name: str) -> Callable[..., None]:
            def rename(source: Any, *args: Any, **kwargs: Any) -> None:
                takes_away(source)
                file = Path(os.fsdecode(source)).resolve()
                if file.is_file():
                    number, is_here = file.stat().st_ino, file.is_relative_to(self.path.resolve())
                    renamed[number] = synced.get(number, 0), is_here
                originals[name](source, *args, **kwargs)

            return rename

        def removes(name: str) -> Callable[..., None]:
            def remove(path: Any, *args: Any, **kwargs: Any) -> None:
                takes_away(path)
                originals[name](path, *args, **kwargs)

            return remove

        watchers = {"rename": renames, "replace": renames, "unlink": removes, "remove": removes}
        watching = {name: watchers[name](name) if name in watchers else syncs for name in originals}
        with _in_the_place_of({originals[name]: watching[name] for name in originals}):
            call(*args)
        for file in [file for file in self.path.iterdir() if _state(file) not in before]:
            data, number = file.read_bytes(), file.stat().st_ino
            in_time, was_here = renamed.get(number, (synced.get(number, 0), True))
            if not was_here:
                lost.append(f"{file.name}: it was written in another folder, and moved here")
            elif in_time < len(data):
                late = (
                    "sent to the disk after it was renamed"
                    if synced.get(number) == len(data)
                    else "not sent to the disk"
                )
                lost.append(f"{file.name}: it was {late}")
            file.write_bytes(data[: in_time if was_here else 0])
        return lost


@contextmanager
def _in_the_place_of(watched: dict[Any, Callable[..., Any]]) -> Iterator[None]:
    """Other functions in the places of these, in every module that has them: `from os import fsync` has one, too."""
    found = [
        (vars(module), name, value)
        for module in list(sys.modules.values())
        if isinstance(module, ModuleType)
        for name, value in list(vars(module).items())
        if type(value) is BuiltinFunctionType and value in watched
    ]
    try:
        for names, name, value in found:
            names[name] = watched[value]
        yield
    finally:
        for names, name, value in found:
            names[name] = value


def _bytes(value: Any) -> bytes:
    """All numbers in a value, in their order, as bytes of float64."""
    if isinstance(value, torch.Tensor):
        return value.detach().double().numpy().tobytes()
    if isinstance(value, Mapping):
        return _bytes(list(value.values()))
    if isinstance(value, (list, tuple, set, bytes, bytearray)):
        return b"".join(_bytes(item) for item in value)
    return array("d", [value]).tobytes() if isinstance(value, (int, float)) else b""


def _is_within(part: bytes, whole: bytes) -> bool:
    """Whether these numbers stand in a row among those."""
    at = whole.find(part)
    while at > 0 and at % array("d").itemsize:
        at = whole.find(part, at + 1)
    return at >= 0


class _Made:
    """Pickled, it makes a folder when it is read."""

    def __init__(self, path: str):
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (self.path,)


def _state(file: Path) -> tuple[int, int, int]:
    seen = file.stat()
    return seen.st_ino, seen.st_size, seen.st_mtime_ns
