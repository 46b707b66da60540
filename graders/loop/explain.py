"""A record in words: what happened, what was expected, the mistake if it is known, what to do next."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from graders.engine.course import Exercise, load_course
from graders.engine.journal import verdict_on
from graders.engine.kinds import COMPARED
from graders.engine.layout import block, wrapped
from graders.engine.record import VERSION, Record
from graders.loop.failures import example_of, mistakes_in, what_happened

AT_LINE = re.compile(r"(.+):(\d+)")
TEXTS = [field.name for field in fields(Record) if field.type is str]


class Unknown(ValueError):
    """There is nothing that is named so; the message says so in a line."""


class NotARecord(ValueError):
    """What was named has no record, or none that can be read; the message says so in a line."""


@dataclass(frozen=True)
class Found:
    """A record, and what lies beside it."""

    record: Record
    place: str  # where it was found: a file and line, or ""
    others: tuple[int, ...] = ()  # lines of further records of the same file that are no pass


def find(named: str) -> Found:
    """The record that is meant: `FILE`, of which the first that is no pass, `FILE:LINE`, a law, or a task.

    Laws and tasks are those of the learner's own last verdicts. Raises `Unknown` and `NotARecord`.
    """
    at = AT_LINE.fullmatch(named)
    if at and Path(at[1]).is_file():
        return _in_file(Path(at[1]), int(at[2]))
    if Path(named).is_file():
        return _in_file(Path(named), None)
    for exercise in load_course().exercises:
        records = verdict_on(exercise.name).records
        if named in records:
            return Found(records[named], "")
        of_task = [record for record in records.values() if record.task == named]
        if of_task:
            return Found(next((r for r in of_task if r.status != "passed"), of_task[0]), "")
    known = [task.name for exercise in load_course().exercises for task in exercise.tasks]
    if named in known:
        raise NotARecord(f"{named} was not graded yet; run its grader, then ask again")
    raise Unknown(
        f"{named!r} is no file, and no law or task of your last verdicts; expected a file written by --records, "
        "FILE:LINE, the name of a law, or that of a task"
    )


def explain_lines(found: Found) -> list[str]:
    """All there is to say about a record, on one screen."""
    record, exercise = found.record, _exercise_of(found.record)
    status = {"not_started": "not started"}.get(record.status, record.status)
    lines = [f"{record.exercise} · {record.task}".ljust(50) + status]
    lines += [f"  {line}" for line in wrapped(record.statement)]
    lines += block("Law", record.law)
    if found.place:
        lines += block("Record", found.place + (f", of {record.learner}" if record.learner else ""))
    if record.status in ("failed", "error"):
        lines += block("What happened", what_happened(record) or _of_values(record))
        for label, text in example_of(record):
            lines += block(label, text)
    if record.cause:
        lines += block("Not tried", record.cause)
    for mistake in mistakes_in(record):
        lines += [*block("What this looks like", mistake.names), *block("Think about", mistake.asks)]
    if record.kind in COMPARED and not record.misconception:
        lines += block("What this looks like", "None of the known mistakes.")
    for i, step in enumerate(next_steps(record, exercise)):
        lines += block("" if i else "Next", step)
    if found.others:
        lines += block("Others", f"lines {', '.join(map(str, found.others))} of the file are no pass either")
    # A record may be a stranger's, and a terminal obeys what it is sent
    return ["".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line) for line in lines]


def explain_data(found: Found) -> dict[str, Any]:
    """What `explain_lines` says, for a program."""
    mistakes = [{"id": m.id, "names": m.names, "asks": m.asks} for m in mistakes_in(found.record)]
    return {
        "record": asdict(found.record),
        "what_happened": what_happened(found.record),
        "misconceptions": mistakes,
        "next": next_steps(found.record, _exercise_of(found.record)),
        "other_lines": list(found.others),
    }


def next_steps(record: Record, exercise: Exercise | None) -> list[str]:
    """What to do about a record."""
    if exercise is None:
        return ["This course has no such exercise: the record is of another version of it."]
    if record.status == "passed":
        return ["Nothing: the law holds."]
    if record.status == "skipped":
        return [f"Mend what it waits for first: headstart hint {exercise.name}"]
    page = {task.name: exercise.page_of(task.name) for task in exercise.tasks}.get(record.task, exercise.page)
    return [f"headstart hint {exercise.name} {record.task}", page, f"pytest graders/test_{exercise.name}.py"]


def _of_values(record: Record) -> str:
    return "It gave another result than expected." if record.yours or record.expected else "The law does not hold."


def _exercise_of(record: Record) -> Exercise | None:
    return load_course().get(record.exercise)


def records_in(path: Path) -> dict[int, Record]:
    """The records of a file, by line. Raises `NotARecord`, also when there is none."""
    lines = _lines_of(path)
    records = {i: _record(path, lines, i) for i, line in enumerate(lines, 1) if line.strip()}
    if not records:
        raise NotARecord(f"{path} is empty; expected a record on each line")
    return records


def _lines_of(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise NotARecord(f"{path} cannot be read as text: {error}; expected a file written by --records") from error


def _in_file(path: Path, number: int | None) -> Found:
    if number is not None:
        lines = _lines_of(path)
        if not 1 <= number <= len(lines):
            raise Unknown(f"{path} has {len(lines)} lines; expected a line from 1 to {len(lines)}, not {number}")
        return Found(_record(path, lines, number), f"{path}:{number}")
    records = records_in(path)
    open_ones: Sequence[int] = [i for i, record in records.items() if record.status != "passed"]
    broken = [i for i in open_ones if records[i].status in ("failed", "error")]
    first = (broken or open_ones or list(records))[0]
    return Found(records[first], f"{path}:{first}", tuple(i for i in broken if i != first))


def _record(path: Path, lines: list[str], number: int) -> Record:
    try:
        record = Record(**json.loads(lines[number - 1]))
        if not all(isinstance(getattr(record, name), str) for name in TEXTS):
            raise TypeError("a text is no text")
    except (ValueError, TypeError) as error:
        raise NotARecord(f"{path}, line {number}: this is no record; expected a line written by --records") from error
    if record.schema_version != VERSION:
        raise NotARecord(f"{path}, line {number}: a record of schema {record.schema_version}; expected {VERSION}")
    return record
