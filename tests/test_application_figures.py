"""What the pages say of the applications' runs is what the runs came to."""

import re

import pytest

import reference.arithmetic
from docs.application_pictures import kept_run
from graders.applications import arithmetic
from graders.applications.run import Run
from graders.engine.course import ROOT, sections

SETTINGS = arithmetic.SETTINGS
RUN = kept_run("arithmetic")


def page(track: str) -> str:
    return (ROOT / "docs" / "tracks" / f"{track}.md").read_text(encoding="utf-8")


def test_the_run_of_the_page_is_one_with_the_settings_of_the_course():
    assert {name: RUN[name] for name in ("application", "subject", "seed", "settings")} == {
        "application": "arithmetic",
        "subject": "reference",
        "seed": 0,
        "settings": SETTINGS,
    }


def test_the_table_of_the_page_is_that_of_the_run():
    (table, _examples) = arithmetic.tables(RUN["figures"], RUN["settings"])
    lines = sections(page("arithmetic"))["what-to-expect"].splitlines()
    rows = [re.split(r"\s*\|\s*", line.strip("| ")) for line in lines if line.startswith("|")]
    assert rows[0] == list(table.header)
    assert rows[2:] == [[cell.replace("  ", " ") for cell in row] for row in table.rows]


def test_three_digits_are_added_and_subtracted_and_four_are_not():
    exact = {(operator, digits): share for operator, digits, share in RUN["figures"]["orders"]["backwards"]["exact"]}
    assert min(exact["+", 3], exact["-", 3]) >= 0.99
    assert exact["+", 4] == exact["x", 3] == 0
    assert exact["-", 4] * SETTINGS["asked_longer"] == 11


def test_half_of_the_problems_are_enough_for_sums_and_forwards_none_are():
    orders = RUN["figures"]["orders"]
    curve = {row["step"] * 64: row for row in orders["backwards"]["curve"]}
    assert (max(curve), curve[160_000]["+"]) == (320_000, 1)
    assert max(row[operator] for row in orders["forwards"]["curve"] for operator in "+-") < 0.05
    assert round(orders["backwards"]["seconds"]) == 165
    assert orders["forwards"]["seconds"] == pytest.approx(165, rel=0.05)


def test_of_a_problem_that_is_held_out_the_other_way_round_may_be_trained_on():
    run = Run({}, 0, ROOT, SETTINGS)
    held_out = arithmetic.questions(run.settings, run.generator(1))
    lessons, generator = arithmetic.Lessons(reference.arithmetic, run.settings, held_out, True), run.generator()
    seen = {problem for _ in range(SETTINGS["training"]["steps"]) for problem in lessons.problems(generator)}
    turned = {cell: sum((b, op, a) in seen for a, op, b in problems if a != b) for cell, problems in held_out.items()}
    assert (turned["+", 2], turned["+", 3]) == (466, 34)
    too_long = RUN["figures"]["orders"]["backwards"]["too_long"]
    asked = [f"{a:04}{op}{b:04}<" for a, op, b in held_out["+", 4]]
    assert [row[0] for row in too_long] == asked[: len(too_long)]  # the run that is kept asked these problems
    assert "with 466 of the 500 sums of two digits, but only with 34 of the 500 of three" in page("arithmetic")
