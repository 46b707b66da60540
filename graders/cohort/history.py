"""The history of a cohort: who handed in what, and what came of it. One SQLite file, in WAL mode.

A grading belongs to a text, not to a learner: what two hundred learners have not touched is graded once. Every
record is a transaction of its own, and a grading counts when all its laws have theirs, so that whatever ends a run,
the next one goes on from there. Several runs may write at once: the first verdict on a text stands.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from graders.cohort.roster import Learner
from graders.cohort.schema import MIGRATIONS
from graders.engine.record import Record, now, shortened

FILE = "history.sqlite3"
NOTHING: Mapping[str, str] = MappingProxyType({})
SUBMISSION = (
    "learner", "exercise", "subject_hash", "own_hash", "commit_id", "committed_at", "first_seen", "last_seen",
)  # fmt: skip
PATIENCE = 60.0  # seconds that one run waits for another one's transaction
RECORD_FIELDS = (
    "task", "law", "statement", "status", "kind", "cause", "misconception", "counterexample", "yours", "expected",
    "points", "duration_ms", "seed", "observed_by", "is_private", "time", "schema_version",
)  # fmt: skip


class HistoryError(Exception):
    """The history could not be read or written; the text says why, and what to do."""


@dataclass(frozen=True)
class Key:
    """What a grading is of, and how it was made; the same key, the same verdict."""

    exercise: str
    subject_hash: str
    grader_version: str
    seed_policy: str
    isolation: str


SAME_KEY = " AND ".join(f"{name} = ?" for name in Key.__dataclass_fields__)


def open_history(path: Path | str) -> sqlite3.Connection:
    """A connection to a history, which is made, or brought up to date, if need be. Its rows are read by name.

    Raises `HistoryError` where there is another file at the path, or a history of a later headstart.
    """
    try:
        history = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
    except sqlite3.Error as error:
        raise HistoryError(f"{path} could not be opened ({error}); name another file with --history") from error
    try:
        history.row_factory = sqlite3.Row
        history.execute("PRAGMA foreign_keys = ON")
        _migrate(history, path)
        history.execute("PRAGMA journal_mode = WAL")
        history.execute("PRAGMA synchronous = NORMAL")  # in WAL mode a lost machine may cost the last rows, no more
    except HistoryError:
        history.close()
        raise
    except sqlite3.Error as error:
        history.close()
        raise HistoryError(
            f"{path} could not be read as a history ({error}); expected a file that headstart cohort made: move it "
            "away, or name another with --history"
        ) from error
    return history


def _migrate(history: sqlite3.Connection, path: Path | str) -> None:
    while (version := history.execute("PRAGMA user_version").fetchone()[0]) < len(MIGRATIONS):
        if version == 0 and history.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise HistoryError(f"{path} is another program's database; name another file with --history")
        with _immediate(history):
            # Another run may have done the same while this one waited
            if history.execute("PRAGMA user_version").fetchone()[0] == version:
                for statement in _statements(MIGRATIONS[version]):
                    history.execute(statement)
                history.execute(f"PRAGMA user_version = {version + 1}")
    if version > len(MIGRATIONS):
        raise HistoryError(
            f"{path} was written by a later headstart (version {version} of its tables, this one knows "
            f"{len(MIGRATIONS)}); install that one"
        )


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: `executescript` would end the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def _immediate(history: sqlite3.Connection) -> Iterator[None]:
    history.execute("BEGIN IMMEDIATE")
    try:
        yield
        history.execute("COMMIT")
    except BaseException:  # Ctrl-C as well
        if history.in_transaction:  # a full disk has ended it already
            history.execute("ROLLBACK")
        raise


@contextmanager
def transaction(history: sqlite3.Connection) -> Iterator[None]:
    """All that is written inside, or nothing. Raises `HistoryError` when it cannot be written."""
    try:
        with _immediate(history):
            yield
    except sqlite3.Error as error:
        raise HistoryError(
            f"the history could not be written ({error}); what is in it is whole: mend that, and run the command again"
        ) from error


def apply_roster(history: sqlite3.Connection, learners: Iterable[Learner]) -> None:
    """Make the roster the one that counts; whoever is in it no more stays in the history, inactive."""
    rows = [(one.id, one.name, one.repository, one.section, one.start and one.start.isoformat(), one.email)
            for one in learners]  # fmt: skip
    with transaction(history):
        history.execute("UPDATE learners SET is_active = 0 WHERE is_active")
        history.executemany(
            "INSERT INTO learners (id, name, repository, section, start, email) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET name = excluded.name, repository = excluded.repository, "
            "section = excluded.section, start = excluded.start, email = excluded.email, is_active = 1",
            rows,
        )


def record_visit(
    history: sqlite3.Connection,
    learner: str,
    at: str,
    *,
    commit_id: str = "",
    committed_at: str = "",
    problem: str = "",
    reader: str = "",
    hashes: Mapping[str, str] = NOTHING,
    own: Mapping[str, str] = NOTHING,
) -> None:
    """A repository was looked at; `problem` says why it could not be.

    `hashes`: what was handed in, by exercise, with all that a verdict rests on; `own`: the exercise's own file alone,
    where that is known.
    """
    with transaction(history):
        history.execute(
            "INSERT INTO visits (learner, at, commit_id, committed_at, problem, reader) VALUES (?, ?, ?, ?, ?, ?)",
            (learner, at, commit_id, committed_at, problem, reader),
        )
        facts = {"learner": learner, "commit_id": commit_id, "committed_at": committed_at}
        for exercise, text in hashes.items():
            facts |= {"exercise": exercise, "subject_hash": text, "own_hash": own.get(exercise, "")}
            add_submission(history, facts | {"first_seen": at, "last_seen": at})


def add_submission(history: sqlite3.Connection, row: Mapping[str, str]) -> bool:
    """Put a submission where it belongs in time, unless its neighbour is of the same text; whether it is a new one."""
    whose = (row["learner"], row["exercise"], row["first_seen"])
    ours = "SELECT * FROM submissions WHERE learner = ? AND exercise = ? AND first_seen"
    before = history.execute(f"{ours} <= ? ORDER BY first_seen DESC, id DESC LIMIT 1", whose).fetchone()
    after = history.execute(f"{ours} > ? ORDER BY first_seen, id LIMIT 1", whose).fetchone()
    same = next((other for other in (before, after) if other and other["subject_hash"] == row["subject_hash"]), None)
    if same is None:
        values = [row[name] for name in SUBMISSION]
        history.execute(f"INSERT INTO submissions ({', '.join(SUBMISSION)}) VALUES (?{', ?' * 7})", values)
        return True
    first = row if same is after else same  # what came after was there earlier than was known
    values = [first["first_seen"], first["commit_id"], first["committed_at"], row["last_seen"], row["own_hash"]]
    history.execute(
        "UPDATE submissions SET first_seen = ?, commit_id = ?, committed_at = ?, last_seen = max(last_seen, ?), "
        "own_hash = iif(own_hash = '', ?, own_hash) WHERE id = ?",
        (*values, same["id"]),
    )
    return False


def record_probe(history: sqlite3.Connection, reason: str, mend: str) -> None:
    """A run begins to grade in a sandbox: what bounds a learner's processes in it, and what would bound them better."""
    with transaction(history):
        history.execute("INSERT OR REPLACE INTO probes (at, reason, mend) VALUES (?, ?, ?)", (now(), reason, mend))


def last_visit(history: sqlite3.Connection, learner: str) -> tuple[sqlite3.Row | None, dict[str, str]]:
    """The newest visit to a learner's repository, and what was handed in then: hashes by exercise."""
    visit = history.execute(
        "SELECT * FROM visits WHERE learner = ? ORDER BY at DESC, id DESC LIMIT 1", (learner,)
    ).fetchone()
    rows = history.execute(
        "SELECT exercise, subject_hash FROM submissions WHERE learner = ? AND last_seen = ?",
        (learner, visit["at"] if visit else ""),
    )
    return visit, {row["exercise"]: row["subject_hash"] for row in rows}


def graded(history: sqlite3.Connection, keys: Iterable[Key]) -> set[Key]:
    """Those of these gradings that are finished; they are noted as asked for, now. An error of ours is no verdict."""
    found = set()
    with transaction(history):
        for key in keys:
            done = history.execute(
                f"UPDATE gradings SET asked_at = ? WHERE {SAME_KEY} AND finished_at IS NOT NULL AND status <> 'error'",
                (now(), *values_of(key)),
            )
            if done.rowcount:
                found.add(key)
    return found


def begin_grading(history: sqlite3.Connection, key: Key) -> int | None:
    """The id of a grading that is to be filled in: a new one, or one that was left unfinished or ended in an error.

    None when it is finished, by another run perhaps.
    """
    with transaction(history):
        history.execute(
            f"INSERT OR IGNORE INTO gradings ({', '.join(Key.__dataclass_fields__)}, began_at, asked_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*values_of(key), now(), now()),
        )
        history.execute(f"UPDATE gradings SET finished_at = NULL WHERE {SAME_KEY} AND status = 'error'", values_of(key))
        row = history.execute(f"SELECT id, finished_at FROM gradings WHERE {SAME_KEY}", values_of(key)).fetchone()
    return row["id"] if row["finished_at"] is None else None


def record_law(history: sqlite3.Connection, grading: int, position: int, record: Record) -> None:
    """The verdict on one law; of a grading that is finished meanwhile, by another run, nothing changes."""
    values = vars(shortened(record))
    with transaction(history):
        history.execute(
            f"INSERT OR REPLACE INTO records (grading, position, {', '.join(RECORD_FIELDS)}) "
            f"SELECT id, ?{', ?' * len(RECORD_FIELDS)} FROM gradings WHERE id = ? AND finished_at IS NULL",
            (position, *(values[name] for name in RECORD_FIELDS), grading),
        )


def finish_grading(history: sqlite3.Connection, grading: int, laws: Sequence[str]) -> None:
    """Close a grading: what its records come to is kept beside it. Records of other laws than these are dropped.

    Raises `ValueError` when a law has no record: a verdict that is missing is no pass.
    """
    with transaction(history):
        rows = history.execute("SELECT * FROM records WHERE grading = ? ORDER BY position", (grading,)).fetchall()
        strays = {row["law"] for row in rows} - set(laws)
        missing = [law for law in laws if law not in {row["law"] for row in rows}]
        if missing:
            raise ValueError(f"no record of {', '.join(missing)}")
        history.executemany("DELETE FROM records WHERE grading = ? AND law = ?", [(grading, law) for law in strays])
        columns = total([row for row in rows if row["law"] not in strays])
        history.execute(
            f"UPDATE gradings SET finished_at = ?, {', '.join(f'{name} = ?' for name in columns)} "
            "WHERE id = ? AND finished_at IS NULL",
            (now(), *columns.values(), grading),
        )


def total(records: Sequence[sqlite3.Row | dict[str, Any]]) -> dict[str, str | int]:
    """What the records of all laws of an exercise, in order, come to: the columns of `gradings`."""
    by_task: dict[str, set[str]] = {}
    for record in records:
        by_task.setdefault(record["task"], set()).add(record["status"])
    statuses = [record["status"] for record in records]
    broken = next((record for record in records if record["status"] in ("failed", "error")), None)
    if any(record["kind"] == "no_file" for record in records):
        status = "problem"
    elif "error" in statuses:
        status = "error"
    elif set(statuses) <= {"not_started", "skipped"}:
        status = "not_started"
    else:
        status = "passed" if set(statuses) == {"passed"} else "failed"
    return {
        "status": status,
        "n_laws": len(records),
        "n_passed": statuses.count("passed"),
        "n_tasks": len(by_task),
        "n_done": sum(of_task == {"passed"} for of_task in by_task.values()),
        "law": broken["law"] if broken else "",
        "misconception": broken["misconception"] if broken else "",
    }


def values_of(key: Key) -> tuple[str, ...]:
    """A key as it is put in place of `SAME_KEY`."""
    return (key.exercise, key.subject_hash, key.grader_version, key.seed_policy, key.isolation)
