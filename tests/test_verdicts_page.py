"""The page on verdicts says what the code does: its numbers, its kinds, its files, its picture."""

import importlib
import json
import re

import pytest

from docs.engine_pictures import JUDGE, WORKER, verdict
from graders.engine.course import ROOT
from graders.engine.trial import OBSERVED_BY_WORKER

PAGE = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")
ENGINE = ROOT / "graders" / "engine"
NUMBERS = re.findall(r"^\| .+ \| (\d+) \| `([\w.]+)` in `([\w/]+)\.py` \|$", PAGE, re.MULTILINE)
SCHEMA = json.loads((ENGINE / "record.schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("number", "name", "file"), NUMBERS)
def test_a_number_is_that_of_the_code(number, name, file):
    found = importlib.import_module(f"graders.engine.{file.replace('/', '.')}")
    for part in name.split("."):
        found = getattr(found, part)
    assert found == float(number)


def test_there_is_no_other_row_of_numbers():
    table = PAGE.partition("## The numbers")[2].partition("##")[0]
    assert len(NUMBERS) == len(re.findall(r"^\| ", table, re.MULTILINE)) - 1 >= 10


def test_every_file_that_is_named_is_there():
    named = set(re.findall(r"`((?:worker/)?\w+\.py)`", PAGE))
    assert len(named) > 15
    assert {file for file in named if not (ENGINE / file).is_file()} == set()


def test_every_kind_of_failure_is_named_and_no_other():
    text = PAGE.partition("## The order of checks")[2].partition("##")[0]
    rows = re.findall(r"^\| \d \|.*\| (.+) \|$", text, re.MULTILINE)
    in_table = {kind for row in rows for kind in re.findall(r"`(\w+)`", row)}
    in_words = {"not_started", "unlike", "grader", "budget"}
    assert {kind for kind in in_words if f"`{kind}`" not in text} == set()
    assert in_table | in_words == set(SCHEMA["properties"]["kind"]["enum"]) - {""}


def test_what_only_the_worker_sees_is_said():
    text = PAGE.partition("**`observed_by`.**")[2].partition("**A pass**")[0]
    assert set(re.findall(r"\(`(\w+)`\)", text)) == set(OBSERVED_BY_WORKER)


def test_the_picture_has_every_step():
    drawn = {text.get_text().replace("\n", " ") for text in verdict().axes[0].texts}
    assert {*JUDGE, *WORKER, "request", "reply"} <= drawn
