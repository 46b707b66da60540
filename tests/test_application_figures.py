"""What the pages say of the applications' runs is what the runs came to."""

import re

import pytest

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
    assert exact["x", 3] == 0
    assert [exact[operator, 4] * SETTINGS["asked_longer"] for operator in "+-"] == pytest.approx([8, 7])


def test_all_is_right_after_as_many_problems_as_the_page_says_and_forwards_nothing_is():
    orders = RUN["figures"]["orders"]
    curve = {row["step"] * 64: row for row in orders["backwards"]["curve"]}
    assert max(curve) == 320_000
    assert {row["+"] for seen, row in curve.items() if seen >= 192_000} == {1}
    assert {row["-"] for seen, row in curve.items() if seen >= 256_000} == {0.99, 1}
    assert max(row[operator] for row in orders["forwards"]["curve"] for operator in "+-") <= 0.12
    assert round(orders["backwards"]["seconds"]) == 144
    assert orders["forwards"]["seconds"] == pytest.approx(144, rel=0.05)


def test_the_run_that_is_kept_asked_the_problems_that_a_run_asks():
    run = Run({}, 0, ROOT, SETTINGS)
    too_long = RUN["figures"]["orders"]["backwards"]["too_long"]
    asked = [f"{a:04}{op}{b:04}<" for a, op, b in arithmetic.questions(run.settings, run.generator(1))["+", 4]]
    assert [row[0] for row in too_long] == asked[: len(too_long)]
