"""What a learner is told of one law, the same in every export: of the lead's own laws the task and the statement."""

import sqlite3
from dataclasses import fields

from graders.cohort.harmless import plain, plain_lines
from graders.engine.record import Record
from graders.loop.failures import example_of, mistakes_in, what_happened

NOT_STORED = {"exercise", "subject_hash", "grader_version", "isolation", "learner"}  # they stand with the grading
COLUMNS = tuple(field.name for field in fields(Record) if field.name not in NOT_STORED)
MAX_VALUE = 500  # characters of an example


def records_of(history: sqlite3.Connection, exercise: str, grading: int | None) -> list[Record]:
    """The records of a grading, in the order of its laws; none where there is none."""
    rows = history.execute(f"SELECT {', '.join(COLUMNS)} FROM records WHERE grading = ? ORDER BY position", (grading,))
    return [Record(exercise, **{**dict(row), "is_private": bool(row["is_private"])}) for row in rows]


def said_of(record: Record) -> str:
    """What there is to say of a law that does not hold, in lines; "" of one that does, and of one of the lead's own."""
    if record.status == "passed" or record.is_private:
        return ""
    if record.status in ("not_started", "skipped"):
        waits = f"Not tried: {record.cause}." if record.cause else "Not tried."
        return plain("Not started." if record.status == "not_started" else waits)
    lines = [what_happened(record)]
    lines += [f"{label}: {plain_lines(text, MAX_VALUE)}" for label, text in example_of(record)]
    for mistake in mistakes_in(record):
        lines += [f"What this looks like: {mistake.names}", f"Think about: {mistake.asks}"]
    return "\n".join(filter(None, lines))
