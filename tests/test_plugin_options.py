"""The options of a run: wrong ones end it with one line and exit code 4; records and reports of a right one."""

import json
import re
import shutil
from xml.etree import ElementTree

import pytest
from learners import Runs, folder_with, grade, solved_but

from graders.engine.plugin import _check_weights
from graders.weights.checkpoint import EMBEDDED

WRONG = "def mix_values(pattern, v):\n    return pattern @ v.transpose(1, 2)\n"


def checkpoint_with(folder, **config):
    """The embedded checkpoint with another configuration."""
    shutil.copytree(EMBEDDED, folder)
    settings = json.loads((folder / "config.json").read_text()) | config
    (folder / "config.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Folders and files that the runs are pointed at."""
    top = tmp_path_factory.mktemp("options")
    truncated = checkpoint_with(top / "truncated")
    weights = truncated / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    return {
        "top": top,
        "truncated": truncated,
        "llama": checkpoint_with(top / "llama", model_type="llama"),
        "vocabulary": checkpoint_with(top / "vocabulary", vocab_size=7),
        "mine": folder_with(top / "mine", attention=solved_but(WRONG)),
    }


@pytest.fixture(scope="module")
def runs(places):
    runs = Runs()
    runs.begin("subject", "--subject", "nobody")
    runs.begin("device", "--device", "mps")
    runs.begin("no weights", "--weights", "nowhere/at/all")
    runs.begin("code", "--records", "exercises/attention.py")
    runs.begin("unwritten", "--subject", "reference", "--records", places["mine"] / "attention.py" / "a.jsonl")
    top, mine = places["top"], places["mine"]
    runs.begin("worker", "--subject", mine, "--records", top / "worker.jsonl", f"--junit-xml={top / 'junit.xml'}")
    runs.begin("in process", "--subject", mine, "--in-process", "--records", top / "here.jsonl")
    return runs


SAID = {
    "subject": (
        "ERROR: --subject nobody: there is no such folder; it takes a folder with exercises, reference, "
        "variant:EXERCISE/ID or misconception:EXERCISE/ID"
    ),
    "code": "ERROR: --records exercises/attention.py: expected a file for records, such as records.jsonl",
    "no weights": (
        "ERROR: --weights: there is no folder 'nowhere/at/all'; expected a GPT-2-format folder (config.json, "
        "model.safetensors) or a name of the hub such as 'gpt2'; check the path"
    ),
}


@pytest.mark.parametrize("name", ["subject", "device", "no weights", "code"])
def test_a_wrong_option_is_one_line_and_exit_code_4(runs, name):
    assert (runs[name].exit_code, len(runs[name].err.strip().splitlines())) == (4, 1)


@pytest.mark.parametrize("name", SAID)
def test_a_wrong_option_says_what_was_expected_and_what_to_do(runs, name):
    assert runs[name].err.strip() == SAID[name]


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("llama", "config.json describes another architecture: model_type is 'llama', expected 'gpt2'"),
        ("truncated", "model.safetensors is damaged ("),
        ("vocabulary", ": wrong vocabulary: the token table has "),
    ],
)
def test_a_damaged_checkpoint_is_a_usage_error_as_well(places, name, complaint):
    with pytest.raises(pytest.UsageError, match=re.escape(f"--weights: {places[name]}") + ".*" + re.escape(complaint)):
        _check_weights(str(places[name]))


def test_a_device_that_cannot_do_it_is_named(runs):
    assert runs["device"].err.startswith("ERROR: --device mps cannot compute in float64, which the graders need (")


def test_records_that_cannot_be_written_are_told_and_nobody_takes_the_run_for_a_good_one(runs, places):
    told = [line for line in runs["unwritten"].out.splitlines() if line.startswith("--records")]
    file = places["mine"] / "attention.py" / "a.jsonl"
    (said,) = told
    assert said.startswith(f"--records: {file} could not be written (")
    assert said.endswith("); name another file")
    assert (runs["unwritten"].exit_code, runs["unwritten"].err) == (1, "")
    assert set(runs["unwritten"].states("attention").values()) == {"done"}


def records_in(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def verdicts(records):
    return [(record["law"], record["status"], record["misconception"], record["yours"]) for record in records]


def test_records_hold_every_law_in_order(runs, places):
    assert runs["worker"].exit_code == 1
    tasks = [record["task"] for record in records_in(places["top"] / "worker.jsonl")]
    assert list(dict.fromkeys(tasks)) == [
        "attention_scores",
        "apply_causal_mask",
        "attention_pattern",
        "mix_values",
        "Attention",
    ]


def test_in_process_gives_the_same_verdicts(runs, places):
    assert runs["in process"].exit_code == 1
    here = records_in(places["top"] / "here.jsonl")
    assert (here[0]["isolation"], verdicts(here)) == ("none", verdicts(records_in(places["top"] / "worker.jsonl")))


def test_the_junit_report_holds_what_the_screen_says(runs, places):
    assert runs["worker"].exit_code == 1
    failures = ElementTree.parse(places["top"] / "junit.xml").findall(".//failure")
    assert [(f.text or "").splitlines()[1:] for f in failures] == [
        [line.rstrip() for line in runs["worker"].screens()["mix_values"][1:]]
    ]


def test_a_file_that_pytest_cannot_collect_is_told_by_pytest(tmp_path):
    (tmp_path / "test_broken.py").write_text("import nothing_of_that_name\n")
    run = grade(tmp_path / "test_broken.py", exercises=())
    assert (run.exit_code, "No module named 'nothing_of_that_name'" in run.out) == (2, True)


def test_a_task_s_name_chooses_its_laws():
    run = grade("--subject", "reference", "-k", "mix_values")
    assert run.states("attention") == {
        "attention_scores": "not tried",
        "apply_causal_mask": "not tried",
        "attention_pattern": "not tried",
        "mix_values": "done",
        "Attention": "not tried",
    }


def test_leaving_the_debugger_ends_the_run_and_is_nobody_s_mistake(tmp_path):
    stops = solved_but("def mix_values(pattern, v):\n    breakpoint()\n")
    run = grade("--subject", folder_with(tmp_path, attention=stops), "--in-process", typed="q\n")
    assert ("Quitting debugger" in run.out, "The grader itself stopped" in run.out) == (True, False)


def test_what_right_code_prints_is_told_once(tmp_path):
    prints = solved_but("def attention_pattern(scores):\n    print('mask', 3)\n    return scores.softmax(-1)\n")
    run = grade("--subject", folder_with(tmp_path, attention=prints))
    told = [line for line in run.out.splitlines() if line.startswith("Your attention")]
    assert told == ["Your attention prints while it runs: mask 3"]
