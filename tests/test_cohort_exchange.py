"""Histories merged, and records as JSON Lines out and in again: everything once, nothing by halves."""

import json
from dataclasses import replace
from importlib.metadata import version

import pytest
from test_cohort_history import EARLY, KEY, LATE, grade, rows

from graders.cohort import history as histories
from graders.cohort.exchange import ExchangeError, export_records, import_records, merge
from graders.cohort.history import apply_roster, open_history, record_probe, record_visit
from graders.cohort.roster import Learner
from graders.cohort.versions import grader_version

VERDICTS = "SELECT learner, exercise, status, n_laws, n_passed, law, isolation FROM verdicts ORDER BY learner, exercise"


@pytest.fixture
def two(tmp_path):
    pair = [open_history(tmp_path / f"{name}.sqlite3") for name in ("one", "other")]
    for history in pair:
        apply_roster(history, [Learner("ada", "Ada", "a"), Learner("bob", "Bob", "b")])
    yield pair
    for history in pair:
        history.close()


def test_each_finished_grading_visit_and_submission_is_taken_over_once(two):
    one, other = two
    for history, learner in ((one, "ada"), (other, "bob")):
        record_visit(history, learner, EARLY, commit_id="c", hashes={"attention": KEY.subject_hash})
        grade(history, statuses=("failed", "skipped", "skipped"))
    grade(other, replace(KEY, exercise="mlp"))
    assert merge(one, other).n_gradings == 1
    assert merge(one, other) == replace(merge(one, other), n_gradings=0, n_submissions=0)
    assert rows(one, "SELECT learner, exercise, status FROM verdicts ORDER BY learner") == [
        ("ada", "attention", "failed"),
        ("bob", "attention", "failed"),
    ]
    counts = "SELECT (SELECT count(*) FROM visits), (SELECT count(*) FROM gradings), (SELECT count(*) FROM records)"
    assert rows(one, counts) == [(2, 2, 6)]


def test_what_bounded_the_sandboxes_is_taken_over(two):
    one, other = two
    record_probe(other, "bubblewrap", "run it as root")
    merge(one, other)
    merge(one, other)
    assert rows(one, "SELECT reason, mend FROM probes") == [("bubblewrap", "run it as root")]


def test_a_text_seen_on_both_sides_is_one_submission_and_order_in_time_holds(two):
    one, other = two
    record_visit(one, "ada", EARLY, commit_id="c", committed_at=EARLY, hashes={"attention": "x"})
    record_visit(one, "ada", "2026-01-05T00:00:00+00:00", commit_id="d", committed_at=LATE, hashes={"attention": "y"})
    record_visit(other, "ada", LATE, commit_id="c", committed_at=EARLY, hashes={"attention": "x"})
    record_visit(other, "ada", "2026-01-03T00:00:00+00:00", commit_id="e", committed_at=LATE, hashes={"attention": "z"})
    merge(one, other)
    assert rows(one, "SELECT subject_hash, first_seen, last_seen FROM submissions ORDER BY first_seen") == [
        ("x", EARLY, LATE),
        ("z", "2026-01-03T00:00:00+00:00", "2026-01-03T00:00:00+00:00"),
        ("y", "2026-01-05T00:00:00+00:00", "2026-01-05T00:00:00+00:00"),
    ]
    assert rows(one, "SELECT subject_hash FROM verdicts") == [("y",)]


def test_the_roster_is_that_of_the_later_run(two):
    one, other = two
    record_visit(one, "ada", EARLY)
    record_visit(one, "bob", EARLY)
    apply_roster(other, [Learner("ada", "Ada L.", "a2", section="b")])
    record_visit(other, "ada", LATE)
    roster = "SELECT id, name, repository, section, is_active FROM learners ORDER BY id"
    for into, history in ((one, other), (other, one)):
        merge(into, history)
        assert rows(into, roster) == [("ada", "Ada L.", "a2", "b", 1), ("bob", "Bob", "b", "", 0)]


def test_an_unfinished_grading_is_not_taken_over_and_gives_way_to_a_finished_one(two):
    one, other = two
    one.execute(
        "INSERT INTO gradings (exercise, subject_hash, grader_version, seed_policy, isolation, began_at, asked_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*vars(KEY).values(), EARLY, EARLY),
    )
    assert merge(other, one).n_gradings == 0
    grade(other)
    assert merge(one, other).n_gradings == 1
    assert rows(one, "SELECT status, n_passed FROM gradings") == [("passed", 3)]


def test_records_go_out_and_come_in_and_the_verdicts_are_the_same(two):
    one, other = two
    record_visit(one, "ada", EARLY, commit_id="c", hashes={"attention": KEY.subject_hash})
    record_visit(one, "bob", EARLY, commit_id="c", hashes={"attention": KEY.subject_hash})
    grade(one, statuses=("passed", "failed", "skipped"), yours="\x1b[2J\n'); --")
    lines = list(export_records(one))
    assert len(lines) == 6
    taken = import_records(other, lines)
    assert (taken.n_gradings, taken.n_submissions) == (1, 2)
    assert rows(other, VERDICTS) == rows(one, VERDICTS)
    assert list(export_records(other)) == lines
    assert import_records(other, lines).n_submissions == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"learner": None}, "line 2 does not say whose it is: add --learner ID"),
        ({"exercise": "juggling"}, "line 2: exercise is not as docs/records.md says"),
        ({"points": "1"}, "line 2: points"),
        ({"more": 1}, "line 2 is no record"),
        ({"status": "splendid"}, "line 2: schema_version, status or points"),
        ({"subject_hash": ""}, "line 2: subject_hash or time"),
        ({"law": "test_a"}, "a law has two records"),
        ({"yours": "\ud800"}, "line 2: yours is not as"),
        ({"duration_ms": 2**63}, "line 2: duration_ms is not as"),
    ],
)
def test_one_wrong_record_and_nothing_is_imported(two, change, said):
    one, other = two
    record_visit(one, "ada", EARLY, hashes={"attention": KEY.subject_hash})
    grade(one)
    lines = list(export_records(one))
    lines[1] = json.dumps(json.loads(lines[1]) | change)
    with pytest.raises(ExchangeError, match=said):
        import_records(other, lines)
    assert rows(other, "SELECT count(*) FROM submissions") == [(0,)]


def test_of_two_secrets_the_verdict_that_counts_goes_out(two, monkeypatch):
    one, other = two
    record_visit(one, "ada", EARLY, hashes={"attention": KEY.subject_hash})
    for day, (secret, law) in enumerate((("secret:1", "failed"), ("secret:2", "passed"), ("secret:3", "failed")), 1):
        monkeypatch.setattr(histories, "now", lambda day=day: f"2026-02-0{4 - day}T00:00:00+00:00")
        grade(one, replace(KEY, seed_policy=secret), ("passed", law, "passed"))
    assert import_records(other, export_records(one)).n_gradings == 1
    assert rows(other, VERDICTS) == rows(one, VERDICTS)
    assert rows(other, "SELECT status FROM verdicts") == [("failed",)]


def test_what_a_learner_hands_in_as_records_is_theirs_and_of_no_sandbox(two):
    one, other = two
    record_visit(one, "ada", EARLY, hashes={"attention": KEY.subject_hash})
    grade(one, replace(KEY, isolation="process"))
    own = list(export_records(one))
    assert import_records(other, own, "ada").n_gradings == 1
    with pytest.raises(ExchangeError, match="line 1 is of another learner than --learner bob"):
        import_records(other, own, "bob")
    with pytest.raises(ExchangeError, match="line 1 is of a sandbox, which a learner's own records are not"):
        import_records(other, [line.replace('"process"', '"sandbox"') for line in own], "ada")


def test_imported_records_hide_no_verdict_that_was_given_here(two):
    one, other = two
    for history in two:
        record_visit(history, "ada", EARLY, hashes={"attention": KEY.subject_hash})
    grade(one, replace(KEY, isolation="process"), ("failed", "skipped", "skipped"))
    grade(other)
    later = [line.replace(LATE, "2099-01-01T00:00:00+00:00") for line in export_records(other)]
    assert import_records(one, later).n_gradings == 1
    assert rows(one, "SELECT status FROM verdicts") == [("failed",)]


@pytest.mark.parametrize("grader", [version("headstart"), grader_version("attention")])
def test_a_grading_of_this_version_that_lacks_a_law_is_not_imported(two, grader):
    one, other = two
    record_visit(one, "ada", EARLY, hashes={"attention": KEY.subject_hash})
    grade(one, replace(KEY, grader_version=grader))
    with pytest.raises(ExchangeError, match="there is no record of test_"):
        import_records(other, export_records(one))
