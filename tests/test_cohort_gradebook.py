"""Where a learner stands, and for how many points: the best of all that was handed in, when it was surely there."""

import datetime

import pytest
from histories import History, law

from graders.cohort.dashboard.accounts import accounts, standing_of
from graders.cohort.gradebook import gradebook
from graders.cohort.policy import read_policy
from graders.cohort.roster import Learner
from graders.engine.course import load_course

ADA = Learner("ada", "Ada", "learners/ada", "A", datetime.date(2026, 9, 1))
BO = Learner("bo", "Bo", "learners/bo", "B")
LATE = "[due.exercises]\nattention = 2026-10-01\n[late]\npercent_per_day = 10\nmost_days = 3\n"


@pytest.fixture
def policy(tmp_path):
    """Reads a policy of this text."""

    def _policy(text):
        path = tmp_path / "policy.toml"
        path.write_text(text, encoding="utf-8")
        return read_policy(path)

    return _policy


def moment(text):
    return datetime.datetime.fromisoformat(text)


def standing(history, rule, now="2026-11-01T00:00:00+00:00"):
    """Ada's standing with attention."""
    (row,) = gradebook(history.to, rule, moment(now), ["attention"], ["ada"])
    return row.standings[0]


@pytest.fixture
def history(tmp_path):
    return History(tmp_path / "history.sqlite3", ADA, BO)


def test_the_best_of_all_submissions_counts_whatever_came_after(history, policy):
    history.visit("ada", "2026-09-30T12:00:00+00:00", attention="half").share("attention", "half", 2, 4)
    history.visit("ada", "2026-10-02T12:00:00+00:00", attention="whole").share("attention", "whole", 4, 4)
    history.visit("ada", "2026-10-20T12:00:00+00:00", attention="worse").share("attention", "worse", 1, 4)
    found = standing(history, policy(LATE))
    assert (found.status, found.points, found.days_late) == ("failed", 90, 1)


def test_another_policy_gives_other_points_from_the_same_history(history, policy):
    history.visit("ada", "2026-10-02T12:00:00+00:00", attention="whole").share("attention", "whole", 4, 4)
    assert standing(history, policy(LATE)).points == 90
    assert standing(history, policy(LATE + "[extensions.ada]\ndays = 1\n")).points == 100
    assert standing(history, policy(LATE + "[points]\ndefault = 10\n")).points == 9


def test_a_commit_that_is_dated_back_is_believed_up_to_the_visit_that_did_not_find_it(history, policy):
    history.visit("ada", "2026-10-02T12:00:00+00:00")
    history.visit("ada", "2026-10-03T12:00:00+00:00", committed_at="2026-09-01T00:00:00+00:00", attention="whole")
    history.share("attention", "whole", 4, 4)
    assert standing(history, policy(LATE)).days_late == 1


def test_a_commit_before_the_due_moment_is_on_time_though_it_was_seen_later(history, policy):
    history.visit("ada", "2026-10-01T02:00:00+00:00")
    history.visit("ada", "2026-10-02T02:00:00+00:00", committed_at="2026-10-01T23:50:00+00:00", attention="whole")
    history.share("attention", "whole", 4, 4)
    assert standing(history, policy(LATE)).points == 100


def test_a_visit_that_could_not_be_made_says_nothing_about_when_a_text_was_there(history, policy):
    history.visit("ada", "2026-10-02T02:00:00+00:00", problem="no network")
    history.visit("ada", "2026-10-03T02:00:00+00:00", committed_at="2026-10-01T23:50:00+00:00", attention="whole")
    history.share("attention", "whole", 4, 4)
    assert standing(history, policy(LATE)).points == 100


def test_a_commit_from_the_future_counts_as_of_when_it_was_seen(history, policy):
    history.visit("ada", "2026-10-02T02:00:00+00:00", committed_at="2030-01-01T00:00:00+00:00", attention="whole")
    history.share("attention", "whole", 4, 4)
    assert standing(history, policy(LATE)).days_late == 1


def test_what_is_not_begun_has_no_points_before_it_is_due_and_none_after(history, policy):
    history.visit("ada", "2026-09-02T02:00:00+00:00", attention="stub")
    history.grade("attention", "stub", [law("a", "not_started")])
    assert standing(history, policy(LATE), "2026-10-01T23:59:59+00:00").points is None
    assert standing(history, policy(LATE), "2026-10-02T00:00:00+00:00").points == 0


@pytest.mark.parametrize("records", [None, [law("a"), law("b", "error")]], ids=["waiting", "error"])
def test_what_could_not_be_judged_yet_costs_nobody_points(history, policy, records):
    history.visit("ada", "2026-09-02T02:00:00+00:00", attention="text")
    if records:
        history.grade("attention", "text", records)
    long_after = "2026-11-01T00:00:00+00:00"
    assert standing(history, policy(LATE), long_after).points is None
    history.visit("ada", "2026-09-01T02:00:00+00:00", attention="before").share("attention", "before", 1, 2)
    assert standing(history, policy(LATE), long_after).points == 50


def test_a_repository_that_nobody_looked_at_or_could_is_no_answer_that_costs_points(history, policy):
    assert standing(history, policy(LATE)).points is None
    history.visit("ada", "2026-09-02T02:00:00+00:00")
    assert standing(history, policy(LATE)).points == 0
    history.visit("ada", "2026-09-03T02:00:00+00:00", problem="its host is silent")
    assert standing(history, policy(LATE)).points is None


def test_who_was_not_looked_at_yet_waits_as_on_the_dashboard(history, policy):
    (row,) = gradebook(history.to, policy(LATE), moment("2026-11-01T00:00:00+00:00"), ["attention"], ["ada"])
    (account, *_) = accounts(history.to)
    shown = standing_of(account, [load_course()["attention"]]).cells["attention"]
    assert (row.standings[0].status, row.seen_at) == (shown.status, "") == ("waiting", "")


def test_who_handed_in_nothing_is_missing_and_who_could_not_be_fetched_has_a_problem(history, policy):
    history.visit("ada", "2026-09-01T02:00:00+00:00")
    assert standing(history, policy(LATE)).status == "missing"
    history.visit("ada", "2026-09-02T02:00:00+00:00", problem="there is no such repository, or it is private")
    assert standing(history, policy(LATE)).status == "problem"
    history.visit("ada", "2026-09-03T02:00:00+00:00", attention="whole")
    assert standing(history, policy(LATE)).status == "waiting"
    history.share("attention", "whole", 4, 4).visit("ada", "2026-09-04T02:00:00+00:00", problem="no network")
    assert standing(history, policy(LATE)).status == "passed"


def test_a_verdict_below_the_sandbox_never_stands_before_one_from_it(history, policy):
    history.visit("ada", "2026-09-02T02:00:00+00:00", attention="text")
    history.grade("attention", "text", [law("a", "failed")], "sandbox")
    history.grade("attention", "text", [law("a", "passed")], "process")
    found = standing(history, policy(""))
    assert (found.status, found.points, found.isolation) == ("failed", 0, "sandbox")


def test_the_gradebook_says_what_the_view_of_the_history_says(history, policy):
    history.visit("bo", "2026-09-02T02:00:00+00:00", mlp="m")
    history.visit("ada", "2026-09-02T02:00:00+00:00", attention="a", mlp="m")
    history.visit("ada", "2026-09-03T02:00:00+00:00", attention="b").share("attention", "b", 1, 2)
    history.share("mlp", "m", 2, 2).grade("mlp", "m", [law("a"), law("b", "failed")], version="2")
    verdicts = history.to.execute("SELECT learner, exercise, grading, status, n_passed FROM verdicts")
    rows = gradebook(history.to, policy(""), moment("2026-11-01T00:00:00+00:00"))
    ours = {
        (row.learner.id, one.exercise, one.grading, one.status, one.n_passed)
        for row in rows
        for one in row.standings
        if one.grading
    }
    assert ours == set(map(tuple, verdicts))
    assert len(ours) == 3
