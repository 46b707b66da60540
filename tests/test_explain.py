"""`headstart explain` says in words what a record holds, and refuses what is none in one line."""

import dataclasses
import json

import pytest
from typer.testing import CliRunner
from verdicts import FAILURE, graded

from graders.cli import app
from graders.engine.kinds import KINDS
from graders.engine.record import SCHEMA, Record, write_records
from graders.loop.explain import find

pytestmark = pytest.mark.usefixtures("exercises")
BROKEN = Record(
    "attention",
    "apply_causal_mask",
    "test_the_future_is_hidden",
    "A query sees its own position and every earlier one, and nothing later.",
    "failed",
    **FAILURE,
)
HELD = dataclasses.replace(BROKEN, law="test_other", status="passed", kind="", misconception="", seed=None)


def explain(*words) -> list[str]:
    """What is printed about a record."""
    result = CliRunner().invoke(app, ["explain", *map(str, words)])
    assert result.exit_code == 0, result.output
    return [line.rstrip() for line in result.output.splitlines()]


@pytest.fixture
def records(tmp_path):
    """Writes records into a file, and says where it is."""

    def write(*written: Record):
        write_records(tmp_path / "records.jsonl", written)
        return tmp_path / "records.jsonl"

    return write


def test_a_failure_is_told_with_its_example_its_mistake_and_what_to_do(records):
    lines = explain(records(BROKEN))
    assert [*lines[:3], *lines[4:]] == [  # the fourth names the file
        "attention · apply_causal_mask                     failed",
        "  A query sees its own position and every earlier one, and nothing later.",
        "  Law                    test_the_future_is_hidden",
        "  What happened          It gave another result than expected.",
        "  Smallest example       scores (queries 2, keys 2) = [[-1.9, 0.4], [-0.3, -1.1]]",
        "  yours                  [[-inf, -inf], [-0.3, -inf]]",
        "  expected               [[-1.9, -inf], [-0.3, -1.1]]",
        "  What this looks like   The mask hides the token itself: the diagonal is masked too.",
        "  Think about            Which keys may the query at position 0 look at?",
        "  Next                   headstart hint attention apply_causal_mask",
        "                         docs/exercises/attention.md#causal-mask",
        "                         pytest graders/test_attention.py",
    ]


def test_of_a_file_the_first_broken_record_is_told_and_the_others_are_numbered(records):
    waits = dataclasses.replace(HELD, status="skipped", cause="waits for b")
    path = records(HELD, waits, BROKEN, HELD, BROKEN)
    assert find(str(path)).place == f"{path}:3"
    assert explain(path)[-1] == "  Others                 lines 5 of the file are no pass either"


def test_the_record_of_a_line_is_told(records):
    path = records(HELD, BROKEN)
    assert explain(f"{path}:1")[-1] == "  Next                   Nothing: the law holds."
    assert explain(f"{path}:2")[0].endswith("failed")


def test_two_mistakes_that_act_together_are_both_told(records):
    lines = explain(records(dataclasses.replace(BROKEN, misconception="mask_hides_self+no_scaling")))
    assert sum("What this looks like" in line for line in lines) == 2


def test_a_failure_of_no_known_mistake_says_so(records):
    lines = explain(records(dataclasses.replace(BROKEN, misconception="")))
    assert "  What this looks like   None of the known mistakes." in lines


def test_of_a_call_that_was_stopped_no_mistake_was_looked_for(records):
    lines = explain(records(dataclasses.replace(BROKEN, kind="timeout", misconception="")))
    assert not any("What this looks like" in line for line in lines)


def test_a_law_and_a_task_are_those_of_one_s_own_last_verdict():
    graded("attention", {"attention_scores": "passed", "apply_causal_mask": "failed"}, **FAILURE)
    assert explain("apply_causal_mask") == explain("test_the_future_is_hidden")
    assert explain("attention_scores")[0] == "attention · attention_scores                      passed"
    waiting = explain("test_the_last_query_stands_at_the_last_key")
    assert waiting[-2:] == [
        "  Not tried              waits for apply_causal_mask",
        "  Next                   Mend what it waits for first: headstart hint attention",
    ]


def test_a_stranger_s_record_sends_nothing_to_the_terminal(records):
    lines = explain(records(dataclasses.replace(BROKEN, yours="\x1b]0;title\x07 [1]", learner="\x1b[2J")))
    assert all(line.isprintable() for line in lines)


def test_a_record_of_an_exercise_that_there_is_not_is_told_without_it(records):
    lines = explain(records(dataclasses.replace(BROKEN, exercise="os", task="path")))
    assert (
        lines[-1]
        == "  Next                   This course has no such exercise: the record is of another version of it."
    )


def test_every_kind_of_failure_that_has_no_two_values_says_what_happened():
    kinds = json.loads(SCHEMA.read_text(encoding="utf-8"))["properties"]["kind"]["enum"]
    assert set(kinds) - {"", "values", "type", "not_started"} == KINDS.keys()


@pytest.mark.parametrize(
    ("content", "at", "said"),
    [
        ("{}\n", "", ", line 1: this is no record; expected a line written by --records"),
        ("text\n", ":1", ", line 1: this is no record; expected a line written by --records"),
        ("[1]\n", "", ", line 1: this is no record; expected a line written by --records"),
        ("", "", " is empty; expected a record on each line"),
        ("{}\n", ":9", " has 1 lines; expected a line from 1 to 1, not 9"),
        ("{}\n", ":0", " has 1 lines; expected a line from 1 to 1, not 0"),
    ],
)
def test_what_is_no_record_is_refused_in_one_line(tmp_path, content, at, said):
    path = tmp_path / "r.jsonl"
    path.write_text(content)
    result = CliRunner().invoke(app, ["explain", f"{path}{at}"])
    code = 2 if " has 1 lines" in said else 1  # there is no such line, or what stands there is damaged
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"{path}{said}\n")


@pytest.mark.parametrize("change", [{"exercise": 1}, {"statement": None}, {"schema_version": 2}], ids=str)
def test_a_record_with_a_field_of_another_kind_is_refused(tmp_path, change):
    path = tmp_path / "r.jsonl"
    path.write_text(json.dumps(dataclasses.asdict(BROKEN) | change))
    assert CliRunner().invoke(app, ["explain", str(path)]).exit_code == 1


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_bytes(b"\xff\xfe")
    result = CliRunner().invoke(app, ["explain", str(path)])
    assert result.exit_code == 1
    assert "cannot be read as text" in result.stderr


@pytest.mark.parametrize(
    ("named", "code", "said"),
    [
        ("mix_values", 1, "mix_values was not graded yet; run its grader, then ask again"),
        (
            "nothing.jsonl:3",
            2,
            "'nothing.jsonl:3' is no file, and no law or task of your last verdicts; expected a file written by "
            "--records, FILE:LINE, the name of a law, or that of a task",
        ),
    ],
)
def test_what_names_nothing_is_refused_and_what_has_no_record_yet_is_told(named, code, said):
    result = CliRunner().invoke(app, ["explain", named])
    assert (result.exit_code, result.stderr) == (code, said + "\n")


def test_a_program_reads_the_same(records):
    said = json.loads("\n".join(explain(records(BROKEN), "--json")))
    assert said["record"] == dataclasses.asdict(BROKEN)
    assert [m["id"] for m in said["misconceptions"]] == ["mask_hides_self"]
    assert said["next"][0] == "headstart hint attention apply_causal_mask"
    assert (said["what_happened"], said["other_lines"]) == ("", [])
