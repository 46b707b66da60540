"""What one history takes over from another, or from records as JSON Lines, and what it gives away as such."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from itertools import groupby

from graders.cohort.history import RECORD_FIELDS, SAME_KEY, Key, add_submission, total, transaction, values_of
from graders.cohort.versions import grader_version
from graders.engine.course import load_course
from graders.engine.record import STATUSES, VERSION, Record, shortened
from graders.loop.specification import laws_in

IMPORTED = "imported"  # the seed policy of verdicts that came as records: who drew their cases is not known
GRADING = (
    *Key.__dataclass_fields__, "began_at", "finished_at", "asked_at",
    "status", "n_laws", "n_passed", "n_tasks", "n_done", "law", "misconception",
)  # fmt: skip
EXPECTED = {field.name: field.type for field in fields(Record)}


class ExchangeError(Exception):
    """Something cannot be taken over; the text says what, and nothing was."""


@dataclass(frozen=True)
class Taken:
    """What was taken over."""

    n_gradings: int = 0
    n_submissions: int = 0


def merge(history: sqlite3.Connection, other: sqlite3.Connection) -> Taken:
    """Take over all that another history knows, or nothing: every finished grading and every submission once.

    What both say of a learner's name, section and so on is that of the one whose last run is the later one.
    """
    n_gradings = n_submissions = 0
    with transaction(history):
        known = ("name", "repository", "section", "start", "email", "is_active")
        columns = f"id, {', '.join(known)}"
        later = ", ".join(f"{name} = excluded.{name}" for name in known)
        conflict = f"UPDATE SET {later}" if _last_run(other) > _last_run(history) else "NOTHING"
        for row in other.execute(f"SELECT {columns} FROM learners"):
            values = "VALUES (?, ?, ?, ?, ?, ?, ?)"
            history.execute(f"INSERT INTO learners ({columns}) {values} ON CONFLICT (id) DO {conflict}", tuple(row))
        columns = "learner, at, commit_id, committed_at, problem, reader"
        for row in other.execute(f"SELECT {columns} FROM visits ORDER BY at, id"):
            history.execute(
                f"INSERT INTO visits ({columns}) SELECT ?, ?, ?, ?, ?, ? WHERE NOT EXISTS "
                "(SELECT 1 FROM visits WHERE learner = ? AND at = ? AND commit_id = ? AND problem = ?)",
                (*row, row["learner"], row["at"], row["commit_id"], row["problem"]),
            )
        for row in other.execute("SELECT at, reason, mend FROM probes"):
            history.execute("INSERT OR IGNORE INTO probes (at, reason, mend) VALUES (?, ?, ?)", tuple(row))
        for row in other.execute("SELECT * FROM submissions ORDER BY first_seen, id"):
            n_submissions += add_submission(history, dict(row))
        for row in other.execute("SELECT * FROM gradings WHERE finished_at IS NOT NULL ORDER BY id"):
            records = other.execute("SELECT * FROM records WHERE grading = ? ORDER BY position", (row["id"],))
            n_gradings += _add_grading(history, dict(row), [dict(record) for record in records])
    return Taken(n_gradings, n_submissions)


def _last_run(history: sqlite3.Connection) -> str:
    """When a run last looked at a repository of its roster; "" where none did."""
    newest: str | None = history.execute(
        "SELECT max(at) FROM visits JOIN learners ON learners.id = learner WHERE is_active"
    ).fetchone()[0]
    return newest or ""


def export_records(history: sqlite3.Connection) -> Iterator[str]:
    """The records of every finished grading, a line of JSON for each learner who handed in the text.

    Of gradings that differ by the secret alone, which no record tells, those of the one that was last asked for.
    """
    rows = history.execute(
        "SELECT s.learner, g.exercise, g.subject_hash, g.grader_version, g.isolation, r.* "
        "FROM (SELECT DISTINCT learner, exercise, subject_hash FROM submissions) s "
        "JOIN (SELECT *, row_number() OVER (PARTITION BY exercise, subject_hash, grader_version, isolation "
        "ORDER BY seed_policy = ?, asked_at DESC, finished_at DESC, id DESC) AS place "
        "FROM gradings WHERE finished_at IS NOT NULL) g "
        "ON g.exercise = s.exercise AND g.subject_hash = s.subject_hash AND g.place = 1 "
        "JOIN records r ON r.grading = g.id ORDER BY s.learner, g.exercise, g.id, r.position",
        (IMPORTED,),
    )
    for row in rows:
        known = {name: row[name] for name in EXPECTED}
        yield json.dumps(asdict(Record(**known | {"is_private": bool(row["is_private"])})), ensure_ascii=False)


def import_records(history: sqlite3.Connection, lines: Iterable[str], learner: str = "") -> Taken:
    """Take over records, all of them or none. `learner` is whose they are, where they are a learner's own.

    Such records may not say that they are of another learner, or of a sandbox, which only a lead's are. Records of one
    grading stand one after the other. Raises `ExchangeError` with the line of the first that is wrong.
    """
    n_gradings = n_submissions = 0
    with transaction(history):
        read = (_read(line, number, learner) for number, line in enumerate(lines, 1) if line.strip())
        for same, group in groupby(read, key=lambda pair: _same(pair[0])):
            records = [record for record, _ in group]
            _expect_all_laws(records)
            who, exercise, text, grader, isolation = same
            history.execute(
                "INSERT OR IGNORE INTO learners (id, name, repository, is_active) VALUES (?, ?, '', 0)", (who, who)
            )
            times = [record.time for record in records]
            facts = {"learner": who, "exercise": exercise, "subject_hash": text, "own_hash": ""}  # which no record says
            facts |= {"commit_id": "", "committed_at": "", "first_seen": min(times), "last_seen": max(times)}
            n_submissions += add_submission(history, facts)
            rows = [vars(shortened(record)) | {"position": n} for n, record in enumerate(records)]
            key = vars(Key(exercise, text, grader, IMPORTED, isolation))
            when = {"began_at": min(times), "finished_at": max(times), "asked_at": max(times)}
            n_gradings += _add_grading(history, key | when | total(rows), rows)
    return Taken(n_gradings, n_submissions)


def _add_grading(history: sqlite3.Connection, grading: Mapping, records: list[dict]) -> bool:
    """Add a finished grading, unless it is there; an unfinished one, or an error of ours, gives way to it."""
    key = values_of(Key(*(grading[name] for name in Key.__dataclass_fields__)))
    history.execute(f"DELETE FROM gradings WHERE {SAME_KEY} AND (finished_at IS NULL OR status = 'error')", key)
    added = history.execute(
        f"INSERT OR IGNORE INTO gradings ({', '.join(GRADING)}) VALUES ({', '.join('?' * len(GRADING))})",
        [grading[name] for name in GRADING],
    )
    if not added.rowcount:
        history.execute(
            f"UPDATE gradings SET asked_at = max(asked_at, ?) WHERE {SAME_KEY}", (grading["asked_at"], *key)
        )
        return False
    names = ("position", *RECORD_FIELDS)
    history.executemany(
        f"INSERT INTO records (grading, {', '.join(names)}) VALUES (?{', ?' * len(names)})",
        [(added.lastrowid, *(record[name] for name in names)) for record in records],
    )
    return True


def _read(line: str, number: int, learner: str) -> tuple[Record, int]:
    try:
        data = json.loads(line)
        record = Record(**data)
    except (ValueError, TypeError, RecursionError) as error:
        raise ExchangeError(f"line {number} is no record ({error}); nothing was imported") from error
    wrong = [name for name, kind in EXPECTED.items() if not _is(getattr(record, name), kind)]
    if record.schema_version != VERSION or record.status not in STATUSES or record.points not in (0, 1):
        wrong.append("schema_version, status or points")
    if load_course().get(record.exercise) is None:
        wrong.append("exercise")
    if not record.subject_hash or not record.time:
        wrong.append("subject_hash or time")
    wrong += [name for name, value in data.items() if not _can_be_kept(value)]
    if wrong:
        raise ExchangeError(f"line {number}: {', '.join(wrong)} is not as docs/records.md says; nothing was imported")
    whose = record.learner or learner
    if not whose:
        raise ExchangeError(f"line {number} does not say whose it is: add --learner ID; nothing was imported")
    if learner and whose != learner:
        raise ExchangeError(f"line {number} is of another learner than --learner {learner}; nothing was imported")
    if learner and record.isolation == "sandbox":
        raise ExchangeError(
            f"line {number} is of a sandbox, which a learner's own records are not; what a lead's history gave away "
            "says whose it is, and is imported without --learner; nothing was imported"
        )
    return Record(**vars(record) | {"learner": whose}), number


def _is(value: object, kind: object) -> bool:
    """Whether a value is of a field's type, as it is written in `Record`."""
    return type(value).__name__ in str(getattr(kind, "__name__", kind)).replace("None", "NoneType").split(" | ")


def _can_be_kept(value: object) -> bool:
    """Whether a value of JSON is one that SQLite can keep: neither half a sign nor a number beyond 64 bits."""
    if isinstance(value, str):
        return not any("\ud800" <= sign <= "\udfff" for sign in value)
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _same(record: Record) -> tuple[str, ...]:
    return (record.learner or "", record.exercise, record.subject_hash, record.grader_version, record.isolation)


def _expect_all_laws(records: list[Record]) -> None:
    """Hold that a grading is whole: a law without a record is no pass.

    Which laws a version had is known of this one only, and of the lead's own laws only while they are at hand.
    """
    first, laws = records[0], [record.law for record in records]
    if len(set(laws)) < len(laws):
        raise ExchangeError(f"{first.learner}, {first.exercise}: a law has two records; nothing was imported")
    if first.grader_version in (version("headstart"), grader_version(first.exercise)):
        missing = [law for law in laws_in(first.exercise) if law not in laws]
        if missing:
            raise ExchangeError(
                f"{first.learner}, {first.exercise}: there is no record of {missing[0]}"
                + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
                + "; expected one for each law of the exercise; nothing was imported"
            )
