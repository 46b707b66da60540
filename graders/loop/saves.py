"""What became of the learner's files since they were last looked at, by their text and not by who wrote them how."""

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from graders.engine.course import Course
from graders.engine.record import hash_of
from graders.engine.stubs import GIVEN

GONE_AFTER = 0.5  # seconds: an editor that renames leaves a moment without a file
STEP, DEBOUNCE = 20, 200  # milliseconds of quiet after a change, and how long to wait for it at most
RETRY = 1.0  # seconds, when the folder cannot be watched


@dataclass(frozen=True)
class Change:
    """What happened to one file: `saved`, `unchanged` (saved with the text that it had), or `gone`."""

    name: str
    what: str


class Saves:
    """The learner's files, as they were when last looked at."""

    def __init__(self, folder: Path, course: Course, clock: Callable[[], float] = time.monotonic):
        self.folder, self.clock = folder, clock
        names = [*GIVEN, *(exercise.name for exercise in course.exercises)]
        self.needs = {name: self._all_needs(course, name) for name in names}
        self.stamps = {name: self._stamp(name) for name in names}
        self.hashes = {name: self._hash(name) for name in names}
        self.missing: dict[str, float] = {}  # since when
        self.told: set[str] = set()  # of those that are missing

    def changes(self) -> list[Change]:
        """What happened since the last call."""
        return [Change(name, what) for name in self.stamps if (what := self._what_happened_to(name))]

    def key(self, exercise: str) -> str:
        """What a verdict on an exercise depends on: the texts of its file and of those that it imports."""
        return "".join(self.hashes[name] for name in (exercise, *self.needs[exercise]))

    def is_needed(self, name: str, exercise: str) -> bool:
        """Whether a file is an exercise's own, or one that it imports."""
        return name == exercise or name in self.needs[exercise]

    def saved_at(self, exercise: str) -> float | None:
        """When its file was written, in seconds since the epoch."""
        stamp = self.stamps[exercise]
        return stamp[0] / 1e9 if stamp else None

    def _what_happened_to(self, name: str) -> str:
        before, stamp = self.stamps[name], self._stamp(name)
        self.stamps[name] = stamp
        if stamp is None:
            since = self.missing.setdefault(name, self.clock() if before else -GONE_AFTER)
            if name in self.told or self.clock() - since < GONE_AFTER:
                return ""
            self.told.add(name)
            return "gone" if before or since >= 0 else ""  # one that was never there is none that went
        self.missing.pop(name, None)
        self.told.discard(name)
        if stamp == before:
            return ""
        known, self.hashes[name] = self.hashes[name], self._hash(name)
        return "unchanged" if known == self.hashes[name] else "saved"

    def _stamp(self, name: str) -> tuple[int, int, int] | None:
        try:
            found = (self.folder / f"{name}.py").stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _hash(self, name: str) -> str:
        try:
            return hash_of([self.folder / f"{name}.py"])
        except OSError:  # it went, or cannot be read, just now
            return ""

    @staticmethod
    def _all_needs(course: Course, name: str) -> tuple[str, ...]:
        if name in GIVEN:
            return ()
        found = list(course[name].needs)
        for need in found:
            found += [further for further in course[need].needs if further not in found]
        return (*found, *GIVEN)


def watch_folder(folder: Path, events: queue.SimpleQueue) -> None:
    """Put `("files",)` into a queue whenever a file of a folder may have changed, in a thread of its own.

    Where a folder cannot be watched (it is not there, or the system has no watches left) nothing is put: whoever
    waits looks once in a while by himself.
    """
    threading.Thread(target=_put_changes, args=(folder, events), daemon=True).start()


def _put_changes(folder: Path, events: queue.SimpleQueue) -> None:
    import watchfiles

    def is_python(_change: watchfiles.Change, path: str) -> bool:
        return path.endswith(".py")

    while True:
        try:
            for _ in watchfiles.watch(
                folder, watch_filter=is_python, step=STEP, debounce=DEBOUNCE, raise_interrupt=False, recursive=False
            ):
                events.put(("files",))
        except (OSError, RuntimeError):  # RuntimeError: what the library makes of an error of the system
            time.sleep(RETRY)
