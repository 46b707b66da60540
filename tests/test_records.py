"""Records: real ones fit the published schema, and the page about them says what the schema says."""

import dataclasses
import json

import pytest
from jsonschema import Draft202012Validator, ValidationError
from learners import solved, solved_but

from graders.engine.course import ROOT
from graders.engine.diagnosis import UNEXPLAINED
from graders.engine.judge import Judge
from graders.engine.law import laws_for
from graders.engine.record import MAX_TEXT, SCHEMA, STATUSES, VERSION, Record, to_line, write_records
from graders.engine.stubs import stub_files, stub_text
from graders.engine.transport import InProcess
from graders.engine.trial import Policy
from graders.engine.worker.loading import Source

PAGE = ROOT / "docs" / "records.md"
SCHEMA_TEXT = json.loads(SCHEMA.read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA_TEXT, format_checker=Draft202012Validator.FORMAT_CHECKER)
WRONG = "def attention_scores(q, k):\n    return q\n\ndef mix_values(pattern, v):\n    return v.numpy()\n"


def records_of(text):
    """The records of attention's laws for one file."""
    transport = InProcess(Source(texts=stub_files() | {"attention": text}))
    judge = Judge(transport, Policy(examples=2), subject_hash="0123456789abcdef", version="1.0")
    return [judge.grade(law).record for law in laws_for("attention")]


@pytest.mark.parametrize(
    "text",
    [solved("attention"), stub_text("attention"), solved_but(WRONG), "import x"],
    ids=["solved", "stub", "wrong", "foreign"],
)
def test_real_records_fit_the_schema(text):
    for record in records_of(text):
        VALIDATOR.validate(json.loads(to_line(record)))


def test_the_schema_is_a_schema():
    Draft202012Validator.check_schema(SCHEMA_TEXT)


def test_the_schema_describes_every_field_and_no_other():
    fields = {field.name for field in dataclasses.fields(Record)}
    described = {name for name, field in SCHEMA_TEXT["properties"].items() if field.get("description")}
    assert (described, set(SCHEMA_TEXT["required"])) == (fields, fields)


def test_the_schema_s_lists_are_those_of_the_code():
    properties = SCHEMA_TEXT["properties"]
    assert set(UNEXPLAINED) <= set(properties["kind"]["enum"])
    assert (tuple(properties["status"]["enum"]), properties["schema_version"]["const"]) == (STATUSES, VERSION)
    assert SCHEMA_TEXT["$defs"]["text"]["maxLength"] == MAX_TEXT


@pytest.mark.parametrize(
    "change",
    [{"status": "ok"}, {"points": 0.5}, {"extra": 1}, {"schema_version": 2}, {"yours": "x" * 2001}, {"time": "today"}],
    ids=str,
)
def test_what_is_no_record_does_not_fit(change):
    record = json.loads(to_line(records_of(stub_text("attention"))[0]))
    with pytest.raises(ValidationError):
        VALIDATOR.validate(record | change)


def test_a_text_is_cut_to_size():
    assert len(json.loads(to_line(Record("e", "t", "l", "s", "failed", yours="x" * 5000)))["yours"]) == MAX_TEXT


def test_records_are_written_one_a_line_in_a_folder_that_need_not_be_there(tmp_path):
    write_records(tmp_path / "new" / "records.jsonl", records_of(stub_text("attention"))[:2])
    assert len((tmp_path / "new" / "records.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_the_page_says_of_every_field_what_the_schema_says():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert rows == [f"| `{name}` | {field['description']} |" for name, field in SCHEMA_TEXT["properties"].items()]


def test_the_example_on_the_page_is_a_record():
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
    assert len(lines) == 1
    VALIDATOR.validate(json.loads(lines[0]))
