"""The folder of a run: what may stand in it already, what is damaged in it, and a disk that takes nothing more."""

import shutil
import subprocess
import sys

import pytest
import small_runs
from small_runs import curves, invoke
from typer.testing import CliRunner

from graders.applications import arithmetic
from graders.cli import app

small = pytest.fixture(small_runs.small, scope="module", autouse=True)
done = pytest.fixture(small_runs.done, scope="module")
here = pytest.fixture(small_runs.here)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (("--seed", 1), "a run of seed 0; asked for is seed 1"),
        (("--subject", "exercises"), "a run of subject reference; asked for is subject exercises"),
        (
            ("--subject", "exercises", "--seed", 1),
            "a run of subject reference, seed 0; asked for is subject exercises, seed 1",
        ),
    ],
)
def test_another_run_in_the_same_folder_is_refused(done, other, told):
    result = invoke("arithmetic", "--out", done[0], *(("--subject", "reference") if len(other) == 2 else ()), *other)
    said = f"{done[0]}/ holds {told}; use --out for another folder\n"
    assert (result.exit_code, result.stderr) == (1, said)


def test_other_settings_in_the_same_folder_are_refused(done, monkeypatch):
    monkeypatch.setitem(arithmetic.SETTINGS, "batch", 5)
    result = invoke("arithmetic", "--subject", "reference", "--out", done[0])
    said = f"{done[0]}/ holds a run with settings of another version of the course; use --out for another folder\n"
    assert (result.exit_code, result.stderr) == (1, said)


def test_a_training_run_s_folder_is_not_taken(here):
    (here / "run-arithmetic").mkdir()
    (here / "run-arithmetic" / "run.json").write_text('{"text": "a"}')
    result = invoke("arithmetic", "--subject", "reference")
    said = "run-arithmetic/ holds another kind of run; use --out for another folder\n"
    assert (result.exit_code, result.stderr) == (1, said)


def test_a_folder_with_a_checkpoint_and_nothing_else_is_not_taken(here):
    (here / "run-arithmetic").mkdir()
    (here / "run-arithmetic" / "backwards.pt").write_bytes(b"")
    result = invoke("arithmetic", "--subject", "reference")
    said = "run-arithmetic/run.json is missing or damaged, so that nobody knows what the run in run-arithmetic/ is; "
    assert (result.exit_code, result.stderr) == (1, said + "move it away, or use --out for another folder\n")


def test_a_folder_of_other_things_is_not_filled(here):
    (here / "mine").mkdir()
    (here / "mine" / "letter.txt").write_text("")
    result = invoke("arithmetic", "--subject", "reference", "--out", "mine")
    said = "mine/ holds letter.txt, and no run; expected a folder of a run's own; use --out\n"
    assert (result.exit_code, result.stderr) == (1, said)
    assert [path.name for path in (here / "mine").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"figures": 3}'])
def test_damaged_figures_are_made_again_when_they_are_deleted(here, done, text):
    shutil.copytree(done[0], here / "mine")
    (here / "mine" / "metrics.json").write_text(text)
    result = invoke("arithmetic", "--subject", "reference", "--out", "mine")
    assert result.exit_code == 1
    assert result.stderr.startswith("mine/metrics.json ")
    assert result.stderr.endswith(
        "; delete it, and the same command makes it and the pictures anew from what was trained\n"
    )
    (here / "mine" / "metrics.json").unlink()
    assert invoke("arithmetic", "--subject", "reference", "--out", "mine").exit_code == 0
    assert curves(here / "mine") == curves(done[0])


def test_a_file_in_the_folder_s_place_is_refused(here):
    (here / "here").write_text("")
    result = invoke("arithmetic", "--subject", "reference", "--out", "here")
    said = "here is a file; expected a folder, or none yet; use --out for another\n"
    assert (result.exit_code, result.stderr) == (1, said)


@pytest.mark.parametrize("command", [["run", "arithmetic"], ["train", "--steps", "1"]])
def test_a_second_run_in_a_folder_waits_for_the_first(here, command):
    at_work = "import sys, graders.run_folder as f; l = f.alone_in(f.Path('mine')); l.__enter__(); print(flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{at_work}; input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as first:
        assert first.stdout.readline() == b"\n"
        result = CliRunner().invoke(app, [*command, "--subject", "reference", "--out", "mine"])
        first.kill()  # however it ends, the folder is free
    said = "another run is at work in mine/; wait for it, or use --out for another folder\n"
    assert (result.exit_code, result.stderr) == (1, said)
    assert [path.name for path in (here / "mine").iterdir()] == ["run.lock"]
    assert CliRunner().invoke(app, [*command, "--subject", "reference", "--out", "mine"]).exit_code == 0


def test_a_folder_that_cannot_be_made_is_told_in_one_line(here):
    (here / "file").write_text("")
    result = invoke("arithmetic", "--subject", "reference", "--out", "file/mine")
    said = "file/mine/run.lock cannot be written (Not a directory); expected room on the disk, and leave to write; the "
    said += "same command goes on once there is, or use --out for another folder\n"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", said)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("metrics.json", "metrics.json.partial"),
        ("backwards.json", "backwards.json.partial"),
        ("accuracy.png", "accuracy.png"),
    ],
)
def test_figures_that_cannot_be_written_are_told_in_one_line_and_the_same_command_goes_on(here, done, name, written):
    in_the_way = here / "run-arithmetic" / written  # that the disk is full is told in the same way
    in_the_way.mkdir(parents=True)
    result = invoke("arithmetic", "--subject", "reference")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1] == (
        f"run-arithmetic/{name} cannot be written (Is a directory); expected room on the disk, and leave to write; the "
        "same command goes on once there is, or use --out for another folder"
    )
    in_the_way.rmdir()
    assert invoke("arithmetic", "--subject", "reference").exit_code == 0
    assert curves(here / "run-arithmetic") == curves(done[0])


@pytest.mark.parametrize("text", ["", '{"curve": [{"step": 2, "loss": 1.0}], "seconds": 1.0, "losses": [1.0]}'])
def test_a_checkpoint_without_its_curve_says_what_to_do(here, done, text):
    shutil.copytree(done[0], here / "run-arithmetic")
    (here / "run-arithmetic" / "metrics.json").unlink()
    (here / "run-arithmetic" / "forwards.json").write_text(text)  # none, or one of three of the four steps
    result = invoke("arithmetic", "--subject", "reference")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "run-arithmetic/forwards.json does not have the curve of the 4 steps that forwards.pt has taken; delete both, "
        "and the same command trains this model anew; or use --out for another folder"
    )
    for ending in ("json", "pt"):
        (here / "run-arithmetic" / f"forwards.{ending}").unlink()
    assert invoke("arithmetic", "--subject", "reference").exit_code == 0
    assert curves(here / "run-arithmetic") == curves(done[0])


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["train", "--out", "mine"], "mine/ holds a run of `headstart run arithmetic`; use --out for another folder\n"),
        (
            ["write", "The ", "--weights", "mine", "--subject", "reference"],
            "--weights: mine/ holds a run of `headstart run arithmetic`, whose model does not write texts; expected "
            "the folder of a run of `headstart train`\n",
        ),
    ],
)
def test_other_commands_leave_the_folder_alone(here, done, command, said):
    shutil.copytree(done[0], here / "mine")
    before = {path.name: path.read_bytes() for path in (here / "mine").iterdir()}
    result = CliRunner().invoke(app, command)
    assert (result.exit_code, result.stderr) == (1, said)
    assert {path.name: path.read_bytes() for path in (here / "mine").iterdir()} == before


def test_a_damaged_checkpoint_says_what_to_do(here):
    assert invoke("arithmetic", "--subject", "reference").exit_code == 0
    (here / "run-arithmetic" / "metrics.json").unlink()
    (here / "run-arithmetic" / "backwards.pt").write_bytes(b"damaged")
    result = invoke("arithmetic", "--subject", "reference")
    assert result.exit_code == 1
    assert "run-arithmetic/backwards.pt is damaged (UnpicklingError); expected what the last call" in result.stderr
