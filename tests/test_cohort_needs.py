"""Who needs the lead today: the reasons, each spelled out with what to do, and when there is none."""

import datetime

from reported import NOW, cohort, days_ago, hand_in, learner
from repositories import git

from graders.cohort.dashboard import accounts
from graders.cohort.dashboard.needs import reasons
from graders.cohort.dashboard.plan import due_of, plan_of
from graders.cohort.history import record_visit
from graders.cohort.policy import Policy
from graders.cohort.run import look
from graders.engine.course import load_course

START = NOW.date() - datetime.timedelta(days=10)


def reasons_for(history, policy=None):
    """The reasons for the only learner of a history: kind and text."""
    (account,) = accounts.accounts(history)
    standing = accounts.standing_of(account, load_course().exercises)
    broken = {name: accounts.failures_of(history, standing.cells[name].newest) for name in standing.failing}
    return [(one.kind, one.text, one.to_do) for one in reasons(standing, broken, due_of(policy or Policy()), NOW)]


def test_the_same_failure_three_times_in_a_row_is_being_stuck_and_comes_with_the_mistake_s_question(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    for days in (4, 3):
        hand_in(history, "u001", "attention", "failed", days, "mask_hides_self")
    assert reasons_for(history) == []
    hand_in(history, "u001", "attention", "failed", 2, "mask_hides_self")
    assert reasons_for(history) == [
        (
            "stuck",
            "attention: the same failure 3 times in a row. The mask hides the token itself: the diagonal is masked "
            "too.",
            "Ask: Which keys may the query at position 0 look at?",
        )
    ]
    hand_in(history, "u001", "attention", "failed", 1, "heads_in_the_place_of_tokens")
    assert reasons_for(history) == []  # another mistake is a step


def test_a_failure_without_a_name_is_told_by_its_law_and_asked_about_with_the_page_s_question(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    for days in (4, 3, 2):
        hand_in(history, "u001", "layer_norm", "failed", days)
    ((kind, text, to_do),) = reasons_for(history)
    assert kind == "stuck"
    assert text.startswith("layer_norm: the same failure 3 times in a row. ")
    assert to_do.startswith("Ask: ")
    assert to_do.endswith("?")


def test_no_change_for_a_week_is_told_until_somebody_is_gone(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    hand_in(history, "u001", "tensors", "passed", 9)
    expected = ("quiet", "No change for 9 days, after tensors.", "Write to them, and ask what stands in the way.")
    assert reasons_for(history) == [expected]
    gone = cohort(tmp_path / "gone", learner(1))
    hand_in(gone, "u001", "tensors", "passed", 29)
    assert reasons_for(gone) == []


def test_whoever_has_handed_in_nothing_a_week_after_the_start_is_told(tmp_path):
    history = cohort(tmp_path / "h", learner(1, start=NOW.date() - datetime.timedelta(days=7)))
    hand_in(history, "u001", "tensors", "not_started", 3, text="stub")
    expected = "Nothing handed in yet, 7 days after the beginning."
    assert reasons_for(history) == [("quiet", expected, "Write to them, and ask what stands in the way.")]


def test_behind_is_by_a_session_a_week_from_the_start(tmp_path):
    history = cohort(tmp_path / "h", learner(1, start=START))
    hand_in(history, "u001", "tensors", "passed", 1)
    assert reasons_for(history) == [
        (
            "behind",
            "Behind the plan: markov not passed, the first due on 17 Nov 2026.",
            "Ask what keeps them from markov.",
        )
    ]


def test_nobody_is_behind_with_what_comes_after_the_sessions(tmp_path):
    history = cohort(tmp_path / "h", learner(1, start=START - datetime.timedelta(days=1000)))
    in_a_session = [exercise.name for exercise in load_course().exercises if exercise.session]
    for exercise in in_a_session:
        hand_in(history, "u001", exercise, "passed", 1)
    assert len(in_a_session) < len(load_course().exercises)
    assert reasons_for(history) == []


def test_whoever_passed_once_is_not_behind_though_the_newest_text_is_wrong(tmp_path):
    history = cohort(tmp_path / "h", learner(1, start=START))
    for exercise, status, days in (("tensors", "passed", 3), ("markov", "passed", 2), ("markov", "failed", 1)):
        hand_in(history, "u001", exercise, status, days)
    assert reasons_for(history) == []


def test_nobody_is_behind_before_they_begin(tmp_path):
    policy = Policy(due_exercises={"tensors": NOW.date() - datetime.timedelta(days=3)})
    today, tomorrow = (NOW.date() + datetime.timedelta(days=n) for n in (0, 1))
    found = [reasons_for(cohort(tmp_path / str(day), learner(1, start=day)), policy) for day in (today, tomorrow)]
    assert [[kind for kind, *_ in of_day if kind == "behind"] for of_day in found] == [["behind"], []]


def test_the_policy_s_dates_stand_before_the_sessions(tmp_path):
    history = cohort(tmp_path / "h", learner(1, start=START))
    hand_in(history, "u001", "tensors", "failed", 1)
    policy = Policy(due_exercises={"tensors": datetime.date(2026, 11, 19)})
    assert reasons_for(history, policy) == [
        (
            "behind",
            "Behind the plan: tensors not passed, the first due on 19 Nov 2026.",
            "Ask how far they are with tensors.",
        )
    ]
    assert plan_of(policy) == "Due dates are those of the policy, extensions included."


def test_whoever_is_behind_is_asked_about_what_they_worked_on_last(tmp_path):
    history = cohort(tmp_path / "h", learner(1, start=START))
    hand_in(history, "u001", "mlp", "failed", 1)
    hand_in(history, "u001", "tensors", "failed", 2)
    hand_in(history, "u001", "gpt", "error", 0.5)  # which is not theirs to mend
    policy = Policy(due_exercises=dict.fromkeys(("tensors", "mlp"), datetime.date(2026, 11, 19)))
    assert [to_do for _, _, to_do in reasons_for(history, policy)] == ["Ask how far they are with mlp."]


def test_whoever_is_behind_is_asked_the_question_of_the_mistake_they_made_last(tmp_path):
    history = cohort(tmp_path / "h", learner(1, start=START))
    hand_in(history, "u001", "tensors", "passed", 2)
    hand_in(history, "u001", "attention", "failed", 1, "mask_hides_self")
    assert [to_do for _, _, to_do in reasons_for(history)] == [
        "Ask about attention: Which keys may the query at position 0 look at?"
    ]


def test_whoever_is_stuck_and_behind_is_not_asked_the_same_twice(tmp_path):
    history = cohort(tmp_path / "h", learner(1, start=START))
    for days in (4, 3, 2):
        hand_in(history, "u001", "attention", "failed", days, "mask_hides_self")
    assert [(kind, to_do) for kind, _, to_do in reasons_for(history)] == [
        ("stuck", "Ask: Which keys may the query at position 0 look at?"),
        ("behind", "Ask how far they are with attention."),
    ]


def test_whose_repository_is_empty_is_asked_to_push_and_about_no_exercise(tmp_path):
    history = cohort(tmp_path / "h", learner(1, start=START))
    (tmp_path / "u001").mkdir()
    git(tmp_path / "u001", "init", "--quiet")
    empty = look(str(tmp_path / "u001"), "")
    record_visit(history, "u001", days_ago(-0.1), problem=str(empty))
    assert [(kind, to_do) for kind, _, to_do in reasons_for(history)] == [
        ("unreadable", "Ask them to commit and push.")
    ]


def test_nobody_is_asked_about_the_plan_whose_repository_cannot_be_read(tmp_path):
    history = cohort(tmp_path / "h", learner(1, start=START))
    assert [kind for kind, *_ in reasons_for(history)] == ["behind", "quiet"]
    record_visit(history, "u001", days_ago(-0.1), problem="the repository 'x' could not be fetched: it is private")
    assert [(kind, to_do) for kind, _, to_do in reasons_for(history)] == [
        ("unreadable", "Ask them for access to it, or put its address right in the roster.")
    ]


def test_files_that_cannot_be_read_are_told_once_for_each_reason(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    whole = "exercises is not a folder but a link, so no file was taken from it; make it a folder"
    for exercise, told in (("mlp", whole), ("gpt", whole), ("attention", "exercises/attention.py is not UTF-8")):
        hand_in(history, "u001", exercise, "failed", 1, told=("", told, ""))
    history.execute("UPDATE records SET kind = 'no_file', seed = NULL WHERE status = 'failed'")
    history.execute("UPDATE gradings SET status = 'problem' WHERE status = 'failed'")
    assert sorted(reasons_for(history)) == [
        ("unreadable", f"{whole}.", "Ask them to put it right."),
        ("unreadable", "exercises/attention.py is not UTF-8.", "Ask them to put it right."),
    ]


def test_a_repository_that_cannot_be_read_is_told_with_its_reason(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    record_visit(
        history, "u001", days_ago(-0.1), problem="the repository 'x' could not be fetched: it asks for a password"
    )
    assert [(kind, text) for kind, text, _ in reasons_for(history)] == []  # nothing for a hundred days: gone
    hand_in(history, "u001", "tensors", "passed", 1)
    assert [(kind, text) for kind, text, _ in reasons_for(history)] == [
        ("unreadable", "The repository 'x' could not be fetched: it asks for a password.")
    ]


def test_nobody_is_called_quiet_whose_repository_cannot_be_read(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    hand_in(history, "u001", "tensors", "failed", 9)
    assert [kind for kind, *_ in reasons_for(history)] == ["quiet"]
    record_visit(history, "u001", days_ago(-0.1), problem="the repository was not there")
    assert [kind for kind, *_ in reasons_for(history)] == ["unreadable"]


def test_a_grader_that_stopped_is_no_reason(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    hand_in(history, "u001", "tensors", "passed", 1)
    for days in (4, 3, 2):
        hand_in(history, "u001", "attention", "error", days)
    assert reasons_for(history) == []
