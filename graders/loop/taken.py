"""The help that a learner took: rungs of the ladder of hints, and solutions. Kept beside the verdicts, sent nowhere."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from graders.engine import journal

VERSION = 1


def rung_taken(exercise: str, task: str, about: str) -> int:
    """How many hints were taken on a task about this failure; about another one, none."""
    last = _read_quietly()["hints"].get(f"{exercise}/{task}", {})
    return last["rung"] if last.get("about") == about else 0


def record_rung(exercise: str, task: str, about: str, rung: int) -> None:
    """Remember a hint. Raises `OSError` when that cannot be."""
    taken = _read()
    taken["hints"][f"{exercise}/{task}"] = {"about": about, "rung": rung}
    _write(taken)


def solutions_seen(exercise: str) -> frozenset[str]:
    """The tasks of an exercise whose solution was shown."""
    return frozenset(_read_quietly()["solutions"].get(exercise, ()))


def record_solution(exercise: str, tasks: Collection[str]) -> None:
    """Remember that the solutions of these tasks were shown. Raises `OSError` when that cannot be."""
    taken = _read()
    taken["solutions"][exercise] = sorted({*taken["solutions"].get(exercise, ()), *tasks})
    _write(taken)


def _read() -> dict[str, Any]:
    """What is remembered, as far as it can be understood; nothing where nothing was, or it is no JSON.

    Raises `OSError` when it is there and cannot be read: what is written next would take its place.
    """
    try:
        found = json.loads(_path().read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {"version": VERSION, "hints": {}, "solutions": {}}
    found = found if isinstance(found, dict) else {}
    if found.get("version", VERSION) != VERSION:
        raise OSError(f"{_path()} is of another version of the course")
    hints, solutions = (part if isinstance(part := found.get(name), dict) else {} for name in ("hints", "solutions"))
    return {
        "version": VERSION,
        "hints": {task: last for task, last in hints.items() if _is_hint(last)},
        "solutions": {exercise: tasks for exercise, tasks in solutions.items() if _are_names(tasks)},
    }


def _read_quietly() -> dict[str, Any]:
    """The same, for who only looks: nothing where it cannot be read."""
    try:
        return _read()
    except OSError:
        return {"hints": {}, "solutions": {}}


def _is_hint(last: Any) -> bool:
    return isinstance(last, dict) and isinstance(last.get("about"), str) and isinstance(last.get("rung"), int)


def _are_names(tasks: Any) -> bool:
    return isinstance(tasks, list) and all(isinstance(task, str) for task in tasks)


def _write(taken: dict[str, Any]) -> None:
    journal.write(_path(), json.dumps(taken, ensure_ascii=False, indent=1))


def _path() -> Path:
    return journal.HOME / "help.json"
