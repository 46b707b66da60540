"""What the pages say of the applications' runs is what the runs came to."""

import re

from docs import application_pictures as pictures
from graders.applications import arithmetic
from graders.engine.course import ROOT, sections


def page(track: str) -> str:
    return (ROOT / "docs" / "tracks" / f"{track}.md").read_text(encoding="utf-8")


def test_the_run_of_the_page_is_one_with_the_settings_of_the_course():
    said = pictures.arithmetic_run()
    assert {name: said[name] for name in ("application", "subject", "seed", "settings")} == {
        "application": "arithmetic",
        "subject": "reference",
        "seed": 0,
        "settings": arithmetic.SETTINGS,
    }


def test_the_table_of_the_page_is_that_of_the_run():
    (table, _examples) = arithmetic.tables(pictures.arithmetic_run()["figures"])
    lines = sections(page("arithmetic"))["what-to-expect"].splitlines()
    rows = [re.split(r"\s*\|\s*", line.strip("| ")) for line in lines if line.startswith("|")]
    assert rows[0] == list(table.header)
    assert rows[2:] == [[cell.replace("  ", " ") for cell in row] for row in table.rows]


def test_three_digits_are_added_and_subtracted_and_four_are_not():
    exact = {
        (operator, digits): share
        for operator, digits, share in pictures.arithmetic_run()["figures"]["orders"]["backwards"]["exact"]
    }
    assert min(exact["+", 3], exact["-", 3]) >= 0.99
    assert max(exact["+", 4], exact["-", 4]) < 0.5


def test_half_of_the_problems_are_enough_for_sums_and_forwards_none_are():
    orders = pictures.arithmetic_run()["figures"]["orders"]
    curve = {row["step"] * 64: row for row in orders["backwards"]["curve"]}
    assert (max(curve), curve[160_000]["+"]) == (320_000, 1)
    assert max(row[operator] for row in orders["forwards"]["curve"] for operator in "+-") < 0.05
    assert round(orders["backwards"]["seconds"]) == 165
