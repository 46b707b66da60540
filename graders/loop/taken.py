"""The help that a learner took: rungs of the ladder of hints, and solutions. Kept beside the verdicts, sent nowhere."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from graders.engine import journal

VERSION = 1


def rung_taken(exercise: str, task: str, about: str) -> int:
    """How many hints were taken on a task about this failure; about another one, none."""
    last = _read()["hints"].get(f"{exercise}/{task}", {})
    return int(last.get("rung", 0)) if last.get("about") == about else 0


def record_rung(exercise: str, task: str, about: str, rung: int) -> None:
    """Remember a hint. Raises `OSError` when that cannot be."""
    taken = _read()
    taken["hints"][f"{exercise}/{task}"] = {"about": about, "rung": rung}
    _write(taken)


def solutions_seen(exercise: str) -> frozenset[str]:
    """The tasks of an exercise whose solution was shown."""
    return frozenset(_read()["solutions"].get(exercise, ()))


def record_solution(exercise: str, tasks: Collection[str]) -> None:
    """Remember that the solutions of these tasks were shown. Raises `OSError` when that cannot be."""
    taken = _read()
    taken["solutions"][exercise] = sorted({*taken["solutions"].get(exercise, ()), *tasks})
    _write(taken)


def _read() -> dict[str, Any]:
    empty: dict[str, Any] = {"version": VERSION, "hints": {}, "solutions": {}}
    try:
        taken = json.loads(_path().read_text(encoding="utf-8"))
        known = taken["version"] == VERSION and all(isinstance(taken[part], dict) for part in ("hints", "solutions"))
    except (OSError, ValueError, TypeError, KeyError):  # what is written next begins anew
        return empty
    return taken if known else empty


def _write(taken: dict[str, Any]) -> None:
    journal.write(_path(), json.dumps(taken, ensure_ascii=False, indent=1))


def _path() -> Path:
    return journal.HOME / "help.json"
