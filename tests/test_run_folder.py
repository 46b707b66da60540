"""The folder of a run: what may stand in it already, what is damaged in it, and a disk that takes nothing more."""

import pytest
import small_runs
from small_runs import curves, invoke

from graders.applications import arithmetic

small = pytest.fixture(small_runs.small, scope="module", autouse=True)
done = pytest.fixture(small_runs.done, scope="module")
here = pytest.fixture(small_runs.here)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (("--seed", 1), "a run of seed 0"),
        (("--subject", "exercises"), "a run of subject reference"),
        (("--subject", "exercises", "--seed", 1), "a run of subject reference, seed 0"),
    ],
)
def test_another_run_in_the_same_folder_is_refused(done, other, told):
    result = invoke("arithmetic", "--out", done[0], *(("--subject", "reference") if len(other) == 2 else ()), *other)
    said = f"{done[0]}/ holds {told}; expected the same, or --out for another folder\n"
    assert (result.exit_code, result.stderr) == (1, said)


def test_other_settings_in_the_same_folder_are_refused(done, monkeypatch):
    monkeypatch.setitem(arithmetic.SETTINGS, "batch", 5)
    result = invoke("arithmetic", "--subject", "reference", "--out", done[0])
    said = f"{done[0]}/ holds a run with settings of another version of the course; expected the same, or --out for "
    assert (result.exit_code, result.stderr) == (1, said + "another folder\n")


def test_a_training_run_s_folder_is_not_taken(here):
    (here / "run-arithmetic").mkdir()
    (here / "run-arithmetic" / "run.json").write_text('{"text": "a"}')
    result = invoke("arithmetic", "--subject", "reference")
    said = "run-arithmetic/ holds another kind of run; expected the same, or --out for another folder\n"
    assert (result.exit_code, result.stderr) == (1, said)


def test_a_folder_with_a_checkpoint_and_nothing_else_is_not_taken(here):
    (here / "run-arithmetic").mkdir()
    (here / "run-arithmetic" / "backwards.pt").write_bytes(b"")
    result = invoke("arithmetic", "--subject", "reference")
    assert result.exit_code == 1
    assert result.stderr.startswith("run-arithmetic/ holds a run that cannot be read (")
    assert result.stderr.endswith("; move it away, or use --out for another folder\n")


def test_a_file_in_the_folder_s_place_is_refused(here):
    (here / "here").write_text("")
    result = invoke("arithmetic", "--subject", "reference", "--out", "here")
    said = "here is a file; expected a folder, or none yet; use --out for another\n"
    assert (result.exit_code, result.stderr) == (1, said)


def test_a_folder_that_cannot_be_made_is_told_in_one_line(here):
    (here / "file").write_text("")
    result = invoke("arithmetic", "--subject", "reference", "--out", "file/mine")
    said = "file/mine/run.json cannot be written (Not a directory); expected room on the disk, and leave to write; the "
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


def test_a_checkpoint_without_its_curve_says_what_to_do(here):
    assert invoke("arithmetic", "--subject", "reference").exit_code == 0
    (here / "run-arithmetic" / "metrics.json").unlink()
    (here / "run-arithmetic" / "forwards.json").unlink()
    result = invoke("arithmetic", "--subject", "reference")
    assert result.exit_code == 1
    assert "run-arithmetic/forwards.json cannot be read (" in result.stderr
    assert result.stderr.endswith("has 4 steps; move run-arithmetic/ away, or use --out for another folder\n")


def test_a_damaged_checkpoint_says_what_to_do(here):
    assert invoke("arithmetic", "--subject", "reference").exit_code == 0
    (here / "run-arithmetic" / "metrics.json").unlink()
    (here / "run-arithmetic" / "backwards.pt").write_bytes(b"damaged")
    result = invoke("arithmetic", "--subject", "reference")
    assert result.exit_code == 1
    assert "run-arithmetic/backwards.pt is damaged (UnpicklingError); expected what the last call" in result.stderr
