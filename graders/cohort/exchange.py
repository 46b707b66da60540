"""What one history takes over from another, or from records as JSON Lines, and what it gives away as such."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from itertools import groupby

from graders.cohort.history import RECORD_FIELDS, SAME_KEY, Key, total, transaction, values_of
from graders.engine.course import load_course
from graders.engine.record import STATUSES, VERSION, Record, shortened

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
    """Take over all that another history knows, or nothing: every finished grading and every submission once."""
    n_gradings = n_submissions = 0
    with transaction(history):
        columns = "id, name, repository, section, start, email, is_active"
        for row in other.execute(f"SELECT {columns} FROM learners"):
            history.execute(f"INSERT OR IGNORE INTO learners ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)", tuple(row))
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


def export_records(history: sqlite3.Connection) -> Iterator[str]:
    """Every record of every finished grading, a line of JSON for each learner who handed in the text."""
    rows = history.execute(
        "SELECT s.learner, g.exercise, g.subject_hash, g.grader_version, g.isolation, r.* "
        "FROM (SELECT DISTINCT learner, exercise, subject_hash FROM submissions) s "
        "JOIN gradings g ON g.exercise = s.exercise AND g.subject_hash = s.subject_hash AND g.finished_at IS NOT NULL "
        "JOIN records r ON r.grading = g.id ORDER BY s.learner, g.exercise, g.id, r.position"
    )
    for row in rows:
        known = {name: row[name] for name in EXPECTED}
        yield json.dumps(asdict(Record(**known | {"is_private": bool(row["is_private"])})), ensure_ascii=False)


def import_records(history: sqlite3.Connection, lines: Iterable[str], learner: str = "") -> Taken:
    """Take over records, all of them or none. `learner` is whose they are, where they do not say.

    Records of one grading stand one after the other. Raises `ExchangeError` with the line of the first that is wrong.
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
            facts = {"learner": who, "exercise": exercise, "subject_hash": text, "commit_id": "", "committed_at": ""}
            n_submissions += add_submission(history, facts | {"first_seen": min(times), "last_seen": max(times)})
            rows = [vars(shortened(record)) | {"position": n} for n, record in enumerate(records)]
            key = vars(Key(exercise, text, grader, IMPORTED, isolation))
            when = {"began_at": min(times), "finished_at": max(times), "asked_at": max(times)}
            n_gradings += _add_grading(history, key | when | total(rows), rows)
    return Taken(n_gradings, n_submissions)


def add_submission(history: sqlite3.Connection, row: Mapping[str, str]) -> bool:
    """Put a submission where it belongs in time; one of the same text as its neighbour becomes part of that."""
    names = "learner, exercise, subject_hash, commit_id, committed_at, first_seen, last_seen"
    whose = (row["learner"], row["exercise"], row["first_seen"])
    ours = "SELECT id, subject_hash FROM submissions WHERE learner = ? AND exercise = ? AND first_seen"
    before = history.execute(f"{ours} <= ? ORDER BY first_seen DESC, id DESC LIMIT 1", whose).fetchone()
    after = history.execute(f"{ours} > ? ORDER BY first_seen, id LIMIT 1", whose).fetchone()
    if before and before["subject_hash"] == row["subject_hash"]:
        history.execute(
            "UPDATE submissions SET last_seen = max(last_seen, ?) WHERE id = ?", (row["last_seen"], before["id"])
        )
        return False
    if after and after["subject_hash"] == row["subject_hash"]:
        history.execute(
            "UPDATE submissions SET first_seen = ?, commit_id = ?, committed_at = ? WHERE id = ?",
            (row["first_seen"], row["commit_id"], row["committed_at"], after["id"]),
        )
        return False
    history.execute(
        f"INSERT INTO submissions ({names}) VALUES (?, ?, ?, ?, ?, ?, ?)", [row[name] for name in names.split(", ")]
    )
    return True


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
    if wrong:
        raise ExchangeError(f"line {number}: {', '.join(wrong)} is not as docs/records.md says; nothing was imported")
    whose = record.learner or learner
    if not whose:
        raise ExchangeError(f"line {number} does not say whose it is: add --learner ID; nothing was imported")
    return Record(**vars(record) | {"learner": whose}), number


def _is(value: object, kind: object) -> bool:
    """Whether a value is of a field's type, as it is written in `Record`."""
    return type(value).__name__ in str(getattr(kind, "__name__", kind)).replace("None", "NoneType").split(" | ")


def _same(record: Record) -> tuple[str, ...]:
    return (record.learner or "", record.exercise, record.subject_hash, record.grader_version, record.isolation)


def _expect_all_laws(records: list[Record]) -> None:
    """Hold that a grading is whole: a law without a record is no pass.

    Which laws a version had is known of this one only; what `headstart cohort` wrote is whole.
    """
    first, laws = records[0], [record.law for record in records]
    if len(set(laws)) < len(laws):
        raise ExchangeError(f"{first.learner}, {first.exercise}: a law has two records; nothing was imported")
    if first.grader_version == version("headstart"):
        from graders.engine.law import laws_for

        missing = [law.name for law in laws_for(first.exercise) if law.name not in laws]
        if missing:
            raise ExchangeError(
                f"{first.learner}, {first.exercise}: there is no record of {missing[0]}"
                + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
                + "; expected one for each law of the exercise; nothing was imported"
            )
