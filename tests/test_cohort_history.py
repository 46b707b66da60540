"""The history: each text graded once, nothing lost or doubled, whoever writes and however a run ends."""

import datetime
import sqlite3
from dataclasses import dataclass, replace

import pytest

from graders.cohort import history as histories
from graders.cohort.history import (
    HistoryError,
    Key,
    apply_roster,
    begin_grading,
    finish_grading,
    graded,
    open_history,
    record_law,
    record_visit,
    transaction,
)
from graders.engine.record import Record

KEY = Key("attention", "0" * 16, "0.1.0+1", "secret:1", "sandbox")
LAWS = ("test_a", "test_b", "test_c")
EARLY, LATE = "2026-01-01T08:00:00+00:00", "2026-01-02T08:00:00+00:00"


@dataclass(frozen=True)
class Learner:
    id: str
    name: str = "Ada"
    repository: str = "https://example.org/ada"
    section: str = ""
    start: datetime.date | None = None
    email: str = ""


@pytest.fixture
def history(tmp_path):
    connection = open_history(tmp_path / "history.sqlite3")
    apply_roster(connection, [Learner("ada"), Learner("bob", start=datetime.date(2026, 1, 5))])
    yield connection
    connection.close()


def record(law, status="passed", task="scores", **facts):
    return Record("attention", task, law, "A sentence.", status, points=int(status == "passed"), time=LATE, **facts)


def grade(history, key=KEY, statuses=("passed", "passed", "passed"), **facts):
    grading = begin_grading(history, key)
    for position, (law, status) in enumerate(zip(LAWS, statuses, strict=True)):
        record_law(history, grading, position, record(law, status, **facts))
    finish_grading(history, grading, LAWS)
    return grading


def rows(history, query, *values):
    return [tuple(row) for row in history.execute(query, values)]


def test_whoever_leaves_the_roster_stays_in_the_history_inactive(history):
    apply_roster(history, [Learner("bob", name="Bob", section="b")])
    assert rows(history, "SELECT id, name, section, start, is_active FROM learners ORDER BY id") == [
        ("ada", "Ada", "", None, 0),
        ("bob", "Bob", "b", None, 1),
    ]


def test_a_text_as_before_is_no_new_submission_and_one_that_comes_back_is(history):
    for at, text in ((EARLY, "x"), (LATE, "x"), ("2026-01-03T08:00:00+00:00", "y"), ("2026-01-04T08:00:00+00:00", "x")):
        record_visit(history, "ada", at, commit_id="c0ffee", committed_at=at, hashes={"attention": text})
    assert rows(history, "SELECT subject_hash, first_seen, last_seen FROM submissions") == [
        ("x", EARLY, LATE),
        ("y", "2026-01-03T08:00:00+00:00", "2026-01-03T08:00:00+00:00"),
        ("x", "2026-01-04T08:00:00+00:00", "2026-01-04T08:00:00+00:00"),
    ]


def test_a_grading_counts_once_every_law_has_its_record(history):
    grading = begin_grading(history, KEY)
    record_law(history, grading, 0, record("test_a"))
    assert graded(history, [KEY]) == set()
    with pytest.raises(ValueError, match="no record of test_b, test_c"):
        finish_grading(history, grading, LAWS)
    assert begin_grading(history, KEY) == grading  # the next run goes on with it
    for position, law in enumerate(LAWS):
        record_law(history, grading, position, record(law))
    finish_grading(history, grading, LAWS)
    assert graded(history, [KEY, replace(KEY, isolation="process")]) == {KEY}
    assert begin_grading(history, KEY) is None
    assert rows(history, "SELECT count(*) FROM records") == [(3,)]


def test_an_error_of_ours_is_tried_again(history):
    grade(history, statuses=("passed", "error", "skipped"))
    assert graded(history, [KEY]) == set()
    grade(history)
    assert graded(history, [KEY]) == {KEY}
    assert rows(history, "SELECT status, n_passed FROM gradings") == [("passed", 3)]


def test_the_first_verdict_of_two_runs_stands(history, tmp_path):
    other = open_history(tmp_path / "history.sqlite3")
    theirs = begin_grading(other, KEY)
    record_law(other, theirs, 0, record("test_a"))
    mine = grade(history, statuses=("failed", "skipped", "skipped"))
    assert theirs == mine
    for position, law in enumerate(LAWS):
        record_law(other, theirs, position, record(law))
    finish_grading(other, theirs, LAWS)
    other.close()
    assert rows(history, "SELECT status, n_passed FROM gradings") == [("failed", 0)]
    assert rows(history, "SELECT law, status FROM records ORDER BY position") == [
        ("test_a", "failed"),
        ("test_b", "skipped"),
        ("test_c", "skipped"),
    ]


@pytest.mark.parametrize(
    ("statuses", "facts", "expected"),
    [
        (("passed", "passed", "passed"), {}, ("passed", 3, 3, 1, 1, "", "")),
        (("passed", "failed", "skipped"), {"misconception": "m"}, ("failed", 3, 1, 1, 0, "test_b", "m")),
        (("passed", "not_started", "skipped"), {}, ("failed", 3, 1, 1, 0, "", "")),
        (("not_started", "skipped", "skipped"), {}, ("not_started", 3, 0, 1, 0, "", "")),
        (("failed", "error", "skipped"), {}, ("error", 3, 0, 1, 0, "test_a", "")),
        (("failed", "skipped", "skipped"), {"kind": "no_file"}, ("problem", 3, 0, 1, 0, "test_a", "")),
    ],
)  # fmt: skip
def test_what_the_records_come_to_is_kept_beside_the_grading(history, statuses, facts, expected):
    grade(history, statuses=statuses, **facts)
    columns = "status, n_laws, n_passed, n_tasks, n_done, law, misconception"
    assert rows(history, f"SELECT {columns} FROM gradings") == [expected]


def test_a_verdict_is_that_on_the_newest_text_and_of_the_sandbox_where_there_is_one(history):
    record_visit(history, "ada", EARLY, commit_id="a", committed_at=EARLY, hashes={"attention": "old", "mlp": "new"})
    record_visit(history, "ada", LATE, commit_id="b", committed_at=LATE, hashes={"attention": KEY.subject_hash})
    grade(history, replace(KEY, subject_hash="old"))
    grade(history)
    grade(history, replace(KEY, isolation="process"), ("failed", "skipped", "skipped"))
    query = "SELECT learner, exercise, commit_id, status, isolation FROM verdicts ORDER BY exercise"
    assert rows(history, query) == [("ada", "attention", "b", "passed", "sandbox"), ("ada", "mlp", "a", None, None)]


def test_a_verdict_is_the_one_that_was_asked_for_last(history, monkeypatch):
    record_visit(history, "ada", LATE, commit_id="b", committed_at=LATE, hashes={"attention": KEY.subject_hash})
    newer = replace(KEY, grader_version="0.1.0+2")
    for day, key in enumerate((KEY, newer, KEY)):
        monkeypatch.setattr(histories, "now", lambda day=day: f"2026-02-0{day + 1}T00:00:00+00:00")
        if not graded(history, [key]):
            grade(history, key)
    assert rows(history, "SELECT grader_version FROM verdicts") == [(KEY.grader_version,)]


def test_hostile_text_is_text(history):
    text = "'); DROP TABLE learners; --\x1b[2J<script>"
    record_visit(history, "ada", LATE, problem=text)
    grade(history, yours=text)
    assert rows(history, "SELECT problem FROM visits") == [(text,)]
    assert rows(history, "SELECT DISTINCT yours FROM records") == [(text,)]
    assert rows(history, "SELECT count(*) FROM learners") == [(2,)]


def test_a_learner_of_no_roster_has_no_submission(history):
    with pytest.raises(HistoryError, match="FOREIGN KEY"):
        record_visit(history, "eve", LATE, commit_id="c", committed_at=LATE, hashes={"attention": "x"})


def test_a_transaction_that_fails_writes_nothing(history):
    def stop():
        with transaction(history):
            history.execute("DELETE FROM learners")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert rows(history, "SELECT count(*) FROM learners") == [(2,)]


def test_the_history_is_in_wal_mode_and_says_its_version(history):
    assert rows(history, "PRAGMA journal_mode") == [("wal",)]
    assert rows(history, "PRAGMA user_version") == [(len(histories.MIGRATIONS),)]


def test_whoever_reads_sqlite_can_read_all_of_it_where_nothing_can_be_written(history, tmp_path):
    """What Datasette wants: one file, whole by itself, a key in every table, and foreign keys to follow."""
    record_visit(history, "ada", LATE, hashes={"attention": KEY.subject_hash})
    grade(history)
    history.close()
    assert [path.name for path in tmp_path.iterdir()] == ["history.sqlite3"]
    reader = sqlite3.connect(f"{(tmp_path / 'history.sqlite3').as_uri()}?immutable=1", uri=True)
    kinds = dict(reader.execute("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')"))
    tables = [name for name, kind in kinds.items() if kind == "table"]
    assert all(any(column[5] for column in reader.execute(f"PRAGMA table_info({table})")) for table in tables)
    links = {
        (table, link[2], link[3]) for table in tables for link in reader.execute(f"PRAGMA foreign_key_list({table})")
    }
    assert links == {
        ("visits", "learners", "learner"), ("submissions", "learners", "learner"), ("records", "gradings", "grading"),
    }  # fmt: skip
    views = {name: rows(reader, f"SELECT count(*) FROM {name}") for name, kind in kinds.items() if kind == "view"}
    assert views == {"attempts": [(1,)], "verdicts": [(1,)]}
    reader.close()


def test_an_older_history_is_brought_up_to_date_and_keeps_what_it_has(history, tmp_path, monkeypatch):
    monkeypatch.setattr(histories, "MIGRATIONS", (*histories.MIGRATIONS, "CREATE TABLE more (id);\nSELECT 1;"))
    again = open_history(tmp_path / "history.sqlite3")
    assert rows(again, "SELECT (SELECT count(*) FROM learners), (SELECT count(*) FROM more)") == [(2, 0)]
    again.close()


def test_a_migration_that_fails_changes_nothing(history, tmp_path, monkeypatch):
    broken = "CREATE TABLE more (id);\nINSERT INTO nowhere VALUES (1);"
    monkeypatch.setattr(histories, "MIGRATIONS", (*histories.MIGRATIONS, broken))
    with pytest.raises(HistoryError, match="nowhere"):
        open_history(tmp_path / "history.sqlite3")
    assert rows(history, "SELECT count(*) FROM sqlite_master WHERE name = 'more'") == [(0,)]
    assert rows(history, "PRAGMA user_version") == [(len(histories.MIGRATIONS) - 1,)]


def test_a_later_history_and_another_file_are_refused(tmp_path):
    later, text, database = (tmp_path / name for name in ("later", "text", "database"))
    connection = sqlite3.connect(later)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    text.write_text("id,name,repository\n" * 100)
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE photos (id)")
    connection.close()
    with pytest.raises(HistoryError, match=r"written by a later headstart \(version 99"):
        open_history(later)
    with pytest.raises(HistoryError, match="expected a file that headstart cohort made"):
        open_history(text)
    with pytest.raises(HistoryError, match="another program's database"):
        open_history(database)
    with pytest.raises(HistoryError, match="could not be opened"):
        open_history(tmp_path / "no" / "folder")
