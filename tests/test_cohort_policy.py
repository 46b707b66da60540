"""Due dates, extensions and late work are data: points come from the history, and another policy gives others."""

import datetime

import pytest

from graders.cohort.policy import Policy, PolicyError, points_of, read_policy
from graders.cohort.roster import Learner
from graders.engine.course import ROOT

ADA = Learner("ada", "Ada", "learners/ada", "A", datetime.date(2026, 9, 1))
BO = Learner("bo", "Bo", "learners/bo", "B")
LATE = "[due.exercises]\nattention = 2026-10-01\n[late]\npercent_per_day = 10\nmost_days = 3\n"


@pytest.fixture
def policy(tmp_path):
    """Reads a policy of this text."""

    def _policy(text, learners=None):
        path = tmp_path / "policy.toml"
        path.write_text(text, encoding="utf-8")
        return read_policy(path, learners)

    return _policy


@pytest.fixture
def problems(policy):
    """What is wrong with a policy, a problem a line."""

    def _problems(text, learners=None):
        with pytest.raises(PolicyError) as error:
            policy(text, learners)
        return str(error.value).splitlines()[1:]

    return _problems


def moment(text):
    return datetime.datetime.fromisoformat(text)


def test_without_a_policy_nothing_is_due_and_an_exercise_is_worth_a_hundred(tmp_path):
    rule = read_policy(tmp_path / "policy.toml")
    assert rule == Policy()
    assert rule.due(ADA, "attention") is None
    assert points_of(rule, ADA, "attention", 3, 4, moment("2030-01-01T00:00:00+00:00")).points == 75


def test_a_day_is_due_at_its_end_where_the_cohort_is(policy):
    rule = policy('time_zone = "Europe/Berlin"\n[due.exercises]\nattention = 2026-10-01\n')
    assert rule.due(ADA, "attention") == moment("2026-10-01T21:59:59+00:00")


def test_a_moment_is_due_then(policy):
    rule = policy("[due.exercises]\nattention = 2026-10-01T18:00:00\nmlp = 2026-10-01T18:00:00+02:00\n")
    assert rule.due(ADA, "attention") == moment("2026-10-01T18:00:00+00:00")
    assert rule.due(ADA, "mlp") == moment("2026-10-01T16:00:00+00:00")


def test_days_are_counted_from_the_start_of_the_learner_else_of_the_section(policy):
    rule = policy("[due.sessions]\n4 = 28\n[starts]\nB = 2026-09-08\n")
    assert rule.due(ADA, "attention") == moment("2026-09-29T23:59:59+00:00")
    assert rule.due(BO, "attention") == moment("2026-10-06T23:59:59+00:00")
    assert rule.due(Learner("cy", "Cy", "x"), "attention") is None


def test_an_exercise_stands_before_its_session(policy):
    rule = policy("[due.sessions]\n4 = 2026-10-01\n[due.exercises]\nattention = 2026-10-02\n")
    assert rule.due(ADA, "attention") == moment("2026-10-02T23:59:59+00:00")
    assert rule.due(ADA, "mlp") == moment("2026-10-01T23:59:59+00:00")


def test_what_comes_after_the_sessions_is_due_when_it_is_named_alone(policy):
    rule = policy("[due.sessions]\n8 = 2026-10-01\n")
    assert (rule.due(ADA, "training"), rule.due(ADA, "arithmetic")) == (moment("2026-10-01T23:59:59+00:00"), None)
    rule = policy("[due.exercises]\narithmetic = 2026-10-02\n")
    assert rule.due(ADA, "arithmetic") == moment("2026-10-02T23:59:59+00:00")


def test_an_extension_gives_days_for_everything_or_a_date_for_one_exercise(policy):
    due = "[due.exercises]\nattention = 2026-10-01\nmlp = 2026-10-01\n"
    rule = policy(due + "[extensions.ada]\ndays = 7\nmlp = 2026-12-24\n")
    assert rule.due(ADA, "attention") == moment("2026-10-08T23:59:59+00:00")
    assert rule.due(ADA, "mlp") == moment("2026-12-24T23:59:59+00:00")
    assert rule.due(BO, "attention") == moment("2026-10-01T23:59:59+00:00")


@pytest.mark.parametrize(
    ("at", "days", "points"),
    [
        ("2026-10-01T23:59:59+00:00", 0, 100),
        ("2026-10-02T00:00:00+00:00", 1, 90),
        ("2026-10-02T23:59:59+00:00", 1, 90),
        ("2026-10-03T00:00:00+00:00", 2, 80),
        ("2026-10-04T23:59:59+00:00", 3, 70),
        ("2026-10-05T00:00:00+00:00", 4, 0),
        ("2027-10-05T00:00:00+00:00", 369, 0),
    ],
)
def test_a_day_begun_costs_its_percent_points_until_none_is_taken_any_more(at, days, points, policy):
    worth = points_of(policy(LATE), ADA, "attention", 4, 4, moment(at))
    assert (worth.days_late, worth.points) == (days, points)


@pytest.mark.parametrize("most_days", ["most_days = 3", ""])
def test_a_floor_is_left_of_an_answer_however_late(most_days, policy):
    rule = policy(LATE.replace("most_days = 3", most_days) + "floor = 25\n")
    assert points_of(rule, ADA, "attention", 4, 4, moment("2027-10-05T00:00:00+00:00")).points == 25


def test_points_are_whole_and_rounded_down_once(policy):
    rule = policy(LATE + "[points]\ndefault = 7\nmlp = 20\n")
    assert points_of(rule, ADA, "attention", 2, 3, moment("2026-10-02T12:00:00+00:00")).points == 4  # 7 * 2/3 * 0.9
    assert points_of(rule, ADA, "mlp", 1, 3, None).points == 6
    assert points_of(rule, ADA, "mlp", 0, 0, None).points == 0


def test_what_a_policy_does_not_know_is_refused_with_what_it_knows(problems):
    said = problems(
        "lates = 1\n[due]\nexercise = 1\n[due.exercises]\natention = 2026-10-01\n[due.sessions]\n99 = 1\n"
        "[late]\npercent = 10\n[points]\nall = 1\n[extensions.ada]\nday = 1\n"
    )
    assert said[0] == (
        "the policy has 'lates', which it does not know; it knows time_zone, points, due, starts, late, extensions"
    )
    assert said[1] == "[due] has 'exercise', which it does not know; it knows exercises, sessions"
    assert said[2].startswith("[due.exercises] has 'atention', which it does not know; it knows tensors, markov,")
    assert said[3] == "[due.sessions] has '99', which it does not know; it knows 1, 2, 3, 4, 5, 6, 7, 8"
    assert said[4].startswith("[extensions.ada] has 'day', which it does not know; it knows days, tensors,")
    assert said[5].startswith("[points] has 'all', which it does not know; it knows default, tensors,")
    assert said[6] == "[late] has 'percent', which it does not know; it knows percent_per_day, most_days, floor"
    assert len(said) == 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[late]\npercent_per_day = 2.5", "late.percent_per_day is '2.5'; expected a whole number from 0 to 100"),
        ("[late]\npercent_per_day = -1", "late.percent_per_day is '-1'; expected a whole number from 0 to 100"),
        ("[late]\nfloor = true", "late.floor is 'True'; expected a whole number from 0 to 100"),
        ("late = 10", "late is '10'; expected a table, [late]"),
        ("[extensions]\nada = 7", "extensions.ada is '7'; expected a table, [extensions.ada]"),
        (
            "[starts]\nA = 2026-09-01T12:00:00",
            "starts.A is '2026-09-01 12:00:00'; expected a day like 2026-09-01, without quotes",
        ),
        ('time_zone = "Berlin"', "time_zone is 'Berlin'; expected a name like 'Europe/Berlin', or 'UTC'"),
        (
            'time_zone = "../../etc"',
            "time_zone is '../../etc'; expected a name like 'Europe/Berlin', or 'UTC'",
        ),
        (
            '[due.exercises]\nmlp = "2026-10-01"',
            "due.exercises.mlp is '2026-10-01'; expected a day like 2026-10-01, a moment like 2026-10-01T18:00:00, "
            "or a number of days after the start, without quotes",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_what_was_expected(text, said, problems):
    assert problems(text) == [said]


def test_an_extension_for_nobody_is_refused(problems):
    said = problems("[extensions.adda]\ndays = 7\n", {"ada": ""})
    assert said == ["[extensions.adda]: the roster has no such learner; write the id as it stands there"]


@pytest.mark.parametrize(("section", "there"), [("A", "its sections are A"), ("", "it has none")])
def test_a_start_of_no_section_is_refused_with_those_there_are(section, there, problems):
    said = problems("[starts]\nZ = 2026-09-01\n", {"ada": section, "bo": ""})
    assert said == [f"[starts] has 'Z', which is no section of the roster; {there}"]


def test_a_start_of_a_section_with_learners_is_taken(policy):
    assert policy("[starts]\nB = 2026-09-08\n", {"ada": "A", "bo": "B"}).starts == {"B": datetime.date(2026, 9, 8)}


def test_what_is_no_toml_is_refused_with_its_line(tmp_path):
    (tmp_path / "policy.toml").write_text("[late\n")
    with pytest.raises(PolicyError, match=r"policy.toml could not be read: .*line 1"):
        read_policy(tmp_path / "policy.toml")


def test_the_policy_of_the_page_can_be_used(policy):
    page = (ROOT / "docs" / "gradebook.md").read_text(encoding="utf-8")
    rule = policy(page.split("```toml\n")[1].split("```")[0])
    assert rule.due(ADA, "attention") == moment("2026-10-08T23:59:59+02:00")
    assert (rule.points_for("gpt"), rule.late.percent_per_day) == (20, 10)
