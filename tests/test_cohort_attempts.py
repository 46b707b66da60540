"""What an attempt is: another text of the exercise's own file, whatever else its verdict rests on; from the history."""

import sqlite3
from pathlib import Path

import pytest
from histories import History, law
from reported import days_ago

from graders.cohort.dashboard.accounts import accounts, standing_of, timeline_of
from graders.cohort.exchange import merge
from graders.cohort.history import open_history, record_visit
from graders.cohort.roster import Learner
from graders.cohort.submission import Submission, own_hash, subject_hash
from graders.engine.course import load_course

OLD = Path(__file__).parent / "fixtures" / "history_v3.sql"  # as headstart wrote it before it knew files by themselves
ADA = Learner("ada", "Ada Lovelace", "https://git.example/ada.git")
BROKEN, WHOLE = [law("a"), law("b", "failed")], [law("a"), law("b")]


@pytest.fixture
def history(tmp_path):
    return History(tmp_path / "h", ADA)


def hand_in(history, days, text, own, records=None):
    """A visit that found this text of attention: a hash with all that it rests on, and one of its own file."""
    record_visit(history.to, "ada", days_ago(days), hashes={"attention": text}, own={"attention": own})
    if records:
        history.grade("attention", text, records)


def account_of(connection):
    (account,) = accounts(connection)
    return account


def cell_of(connection):
    return standing_of(account_of(connection), load_course().exercises).cells["attention"]


def test_a_change_of_another_file_is_no_attempt(history):
    hand_in(history, 5, "with embedding 1", "own 1", BROKEN)
    hand_in(history, 4, "with embedding 2", "own 1", BROKEN)
    hand_in(history, 3, "with embedding 3", "own 1", BROKEN)
    cell = cell_of(history.to)
    assert (cell.status, cell.tries, cell.same) == ("failed", 1, 1)
    assert cell.changed.isoformat(timespec="seconds") == days_ago(5)
    hand_in(history, 2, "with embedding 3, mended", "own 2", WHOLE)
    cell = cell_of(history.to)
    assert (cell.status, cell.tries, cell.tries_to_pass) == ("passed", 2, 2)


def test_a_text_that_another_file_mended_passed_at_its_one_attempt(history):
    hand_in(history, 5, "with embedding 1", "own 1", BROKEN)
    hand_in(history, 4, "with embedding 2", "own 1", WHOLE)
    cell = cell_of(history.to)
    assert (cell.status, cell.tries, cell.tries_to_pass) == ("passed", 1, 1)
    assert cell.first_pass.isoformat(timespec="seconds") == days_ago(4)


def test_a_text_that_comes_back_is_another_attempt(history):
    for days, own in ((5, "own 1"), (4, "own 2"), (3, "own 1")):
        hand_in(history, days, own, own)
    history.grade("attention", "own 1", BROKEN).grade("attention", "own 2", BROKEN)
    assert (cell_of(history.to).tries, cell_of(history.to).same) == (3, 3)


def test_the_timeline_tells_another_verdict_on_the_same_text_and_not_the_same_one_again(history):
    hand_in(history, 5, "with embedding 1", "own 1", BROKEN)
    hand_in(history, 4, "with embedding 2", "own 1", BROKEN)
    hand_in(history, 3, "with embedding 3", "own 1", WHOLE)
    told = [(attempt.status, is_new) for attempt, is_new in timeline_of(account_of(history.to))]
    assert told == [("passed", False), ("failed", True)]


def test_a_file_that_an_exercise_needs_changes_what_its_verdict_rests_on_and_not_its_own_text():
    before, after = ({"attention": "mine", "block": "mine too", "mlp": text} for text in ("old", "new"))
    hashes = [[of(Submission(files), "block") for files in (before, after)] for of in (subject_hash, own_hash)]
    assert [len(set(pair)) for pair in hashes] == [2, 1]
    assert own_hash(Submission(before), "block") != own_hash(Submission({"block": "another"}), "block")
    assert own_hash(Submission({}, {"block": "is a link"}), "block") != own_hash(Submission({}), "block")


def test_what_is_merged_keeps_what_is_known_of_the_own_text(history, tmp_path):
    hand_in(history, 5, "with embedding 1", "own 1", BROKEN)
    other = History(tmp_path / "other", ADA)
    hand_in(other, 4, "with embedding 2", "own 1", BROKEN)
    merge(history.to, other.to)
    assert cell_of(history.to).tries == 1


def test_in_an_older_history_every_change_counts_until_a_visit_tells_more(tmp_path):
    older = sqlite3.connect(tmp_path / "h")
    older.executescript(OLD.read_text(encoding="utf-8"))
    older.close()
    history = open_history(tmp_path / "h")
    assert (cell_of(history).status, cell_of(history).tries) == ("failed", 2)
    record_visit(history, "ada", days_ago(2), hashes={"attention": "second"}, own={"attention": "own"})
    record_visit(history, "ada", days_ago(1), hashes={"attention": "another file"}, own={"attention": "own"})
    kept = history.execute("SELECT subject_hash, own_hash FROM submissions WHERE exercise = 'attention' ORDER BY id")
    assert [tuple(row) for row in kept] == [("first", ""), ("second", "own"), ("another file", "own")]
    assert cell_of(history).tries == 2
