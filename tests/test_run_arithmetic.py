"""What `headstart run arithmetic` trains on, and what it asks in the end."""

import torch

import reference.arithmetic
from graders.applications import arithmetic
from graders.applications.run import Run
from graders.engine.course import ROOT

SETTINGS = arithmetic.SETTINGS | {"shares": {"+": [1, 1], "-": [1]}, "longest": {"+": 3, "-": 1}, "batch": 4}
SETTINGS |= {"asked": 20, "asked_longer": 5}


def test_nothing_that_is_asked_in_the_end_is_trained_on():
    run = Run({}, 3, ROOT, arithmetic.SETTINGS)
    held_out = arithmetic.questions(run.settings, run.generator(1))
    lessons = arithmetic.Lessons(reference.arithmetic, run.settings, held_out, True)
    generator = run.generator(2)
    seen = {problem for _ in range(800) for problem in lessons.problems(generator)}
    asked = {problem for problems in held_out.values() for problem in problems}
    turned = {(b, op, a) for a, op, b in asked if op != "-"}
    assert seen.isdisjoint(asked | turned)
    of_one_digit = {operator: {(a, operator, b) for a in range(10) for b in range(10)} for operator in "+-x"}
    assert {operator: len(seen & problems) for operator, problems in of_one_digit.items()} == {
        operator: len(problems - asked - turned) for operator, problems in of_one_digit.items()
    }


def test_questions_are_different_and_as_long_as_they_say():
    for (operator, digits), problems in arithmetic.questions(SETTINGS, torch.Generator().manual_seed(1)).items():
        assert len(set(problems)) == len(problems) == (20 if digits <= len(SETTINGS["shares"][operator]) else 5)
        assert {op for _a, op, _b in problems} == {operator}
        assert {len(str(max(a, b))) for a, _op, b in problems} == {digits}


def test_at_most_a_fifth_of_the_problems_is_held_out():
    settings = SETTINGS | {"asked": 500}
    assert len(arithmetic.questions(settings, torch.Generator().manual_seed(1))["+", 1]) == 20


def test_no_lesson_is_cut_short_and_none_is_longer_than_it_must_be():
    lessons = arithmetic.Lessons(reference.arithmetic, SETTINGS, {}, True)
    assert lessons.n_read == len("0099+0099<+891.")


def test_the_table_says_which_lengths_a_run_of_these_settings_trained_on():
    said = {"exact": [["+", digits, 1.0] for digits in (1, 2, 3, 4)] + [["-", 1, 1.0], ["-", 2, 1.0]], "too_long": []}
    table, _examples = arithmetic.tables({"orders": {"backwards": said}}, SETTINGS)
    assert [row[1] for row in table.rows] == ["yes", "yes", "no", "no", "yes", "no"]
