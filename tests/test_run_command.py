"""`headstart run`: an application is trained, stopped, gone on with, found done; what it came to is kept and shown."""

import importlib
import json
import shlex
import subprocess
import sys

import pytest
import small_runs
import torch
from small_runs import SMALL, curves, invoke, solved_with

from graders.applications import APPLICATIONS, arithmetic
from graders.engine.course import ROOT, load_course

small = pytest.fixture(small_runs.small, scope="module", autouse=True)
done = pytest.fixture(small_runs.done, scope="module")
here = pytest.fixture(small_runs.here)


def test_every_application_is_a_file_that_offers_what_the_command_asks_for():
    for name in APPLICATIONS:
        application = importlib.import_module(f"graders.applications.{name}")
        assert application.__doc__
        known = {exercise.name for exercise in load_course().exercises}
        assert set(application.PARTS) <= known
        assert {"optimizer", "training"} <= set(application.PARTS)
        assert json.loads(json.dumps(application.SETTINGS)) == application.SETTINGS
        assert callable(application.rehearse)
        assert callable(application.run)
        assert callable(application.tables)
    assert {exercise.run for exercise in load_course().exercises} == {"", *APPLICATIONS}


def test_a_run_leaves_its_figures_and_its_picture(done):
    folder, _result = done
    metrics = json.loads((folder / "metrics.json").read_text())
    assert {name: metrics[name] for name in ("application", "subject", "seed")} == {
        "application": "arithmetic",
        "subject": "reference",
        "seed": 0,
    }
    assert metrics["settings"] == json.loads(json.dumps(arithmetic.SETTINGS))
    for order in metrics["figures"]["orders"].values():
        assert [row["step"] for row in order["curve"]] == [1, 2, 3, 4]
        assert set(order["curve"][-1]) == {"step", "loss", "+", "-", "x"}
        assert [cell[:2] for cell in order["exact"]] == [["+", 1], ["+", 2], ["+", 3], ["-", 1], ["x", 1], ["x", 2]]
        assert order["seconds"] > 0
        assert order["tokens_per_second"] > 0
    assert (folder / "accuracy.png").read_bytes()[:4] == b"\x89PNG"


def test_a_run_says_what_it_does_and_ends_with_its_tables(done):
    folder, result = done
    told = result.stderr.splitlines()
    assert [line.split(":")[0].split(",")[0] for line in told] == ["backwards"] * 3 + ["forwards"] * 3
    assert told[3].startswith("forwards, model 2 of 2: a GPT of ")
    assert told[1].startswith("backwards: step 4 of 4, loss ")
    assert told[2] == "backwards: asking 90 problems that it has not seen"
    assert "Exact match on problems that were held out" in result.stdout
    rows = [line for line in result.stdout.splitlines() if line.startswith("│ +  ")]
    assert [row.split("│")[2].strip() for row in rows] == ["yes", "yes", "no"]
    (last,) = result.stdout.splitlines()[-1:]
    assert last == f"figures: {folder / 'metrics.json'}; pictures: accuracy.png"


def test_a_run_that_is_done_is_shown_again_and_not_computed(done):
    folder, before = done
    again = invoke("arithmetic", "--subject", "reference", "--out", folder)
    said = f"this run is done; nothing to do; for a new one use --out for another folder, not {folder}\n"
    assert (again.exit_code, again.stderr, again.stdout) == (0, "", said + before.stdout)


REHEARSED = 2  # losses that are computed before a run begins, one for each order
SCORED = """
_loss = answer_loss


def answer_loss(*arguments):
"""
PRESSING = (
    "import signal\nfrom pathlib import Path\n\n_calls = []\n"
    + SCORED
    + """
    _calls.append(arguments)
    if len(_calls) == {step} and not Path("pressed").exists():
        Path("pressed").touch()
        signal.raise_signal(signal.SIGINT)
    return _loss(*arguments)
"""
)


@pytest.mark.parametrize(("steps", "step"), [(4, 2), (4, 4), (40, 3)])  # also the last, and one between two rows
def test_after_ctrl_c_the_same_command_goes_on_as_if_it_had_never_stopped(here, monkeypatch, steps, step):
    monkeypatch.setitem(arithmetic.SETTINGS, "training", SMALL["training"] | {"steps": steps})
    solved_with(here / "mine", PRESSING.format(step=REHEARSED + step))
    command = ["arithmetic", "--subject", "mine", "--out", "kept"]
    stopped = invoke(*command)
    assert stopped.exit_code == 1
    assert stopped.stderr.endswith("\nstopped; to go on: headstart run arithmetic --subject mine --out kept\n")
    assert torch.load(here / "kept" / "backwards.pt", weights_only=True)["step"] == step
    assert not (here / "kept" / "metrics.json").exists()
    assert shlex.split(stopped.stderr.splitlines()[-1].partition("headstart run ")[2]) == command
    assert invoke(*command).exit_code == 0
    assert invoke("arithmetic", "--subject", "reference", "--out", "unbroken").exit_code == 0
    assert curves(here / "kept") == curves(here / "unbroken")


def test_the_same_seed_is_the_same_run_and_another_is_another(here, done):
    for seed in (0, 1):
        assert invoke("arithmetic", "--subject", "reference", "--seed", seed, "--out", f"seed{seed}").exit_code == 0
    assert curves(here / "seed0") == curves(done[0])
    assert curves(here / "seed1") != curves(done[0])


def test_a_loss_that_is_nan_ends_the_run_in_one_line(here):
    solved_with(here / "mine", SCORED + "    return _loss(*arguments) * float('nan')\n")
    result = invoke("arithmetic", "--subject", "mine")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "backwards stopped at step 0: the loss is nan, the norm of the gradients nan; expected finite numbers; "
        "the graders of what computes them say more"
    )


@pytest.mark.parametrize(
    ("exercise", "task"),
    [("arithmetic", "encode_problem"), ("optimizer", "decay_groups"), ("sampling", "generate")],
)
def test_what_is_not_written_yet_is_told_in_one_line(here, exercise, task):
    solved_with(here / "mine", "")
    stub = (ROOT / "exercises" / f"{exercise}.py").read_text(encoding="utf-8")
    (here / "mine" / f"{exercise}.py").write_text(stub, encoding="utf-8")
    result = invoke("arithmetic", "--subject", "mine")
    assert result.exit_code == 1
    (said,) = result.stderr.splitlines()
    assert f"{task} in mine/{exercise}.py is not written yet; write it" in said
    assert not (here / "run-arithmetic").exists()


@pytest.mark.parametrize(
    ("exercise", "task"),
    [("arithmetic", "answer_loss"), ("arithmetic", "exact_match"), ("training", "save_checkpoint")],
)
def test_a_single_task_that_is_not_written_is_told_before_a_run_begins(here, exercise, task):
    solved_with(here / "mine", "")
    with (here / "mine" / f"{exercise}.py").open("a", encoding="utf-8") as file:
        file.write(f"\n\ndef {task}(*arguments):\n    raise NotImplementedError\n")
    result = invoke("arithmetic", "--subject", "mine")
    assert result.exit_code == 1
    (said,) = result.stderr.splitlines()
    assert f"{task} in mine/{exercise}.py is not written yet; write it" in said
    assert not (here / "run-arithmetic").exists()


def test_what_a_learner_s_code_prints_is_counted(here):
    solved_with(here / "mine", SCORED + "    print('here')\n    return _loss(*arguments)\n")
    result = invoke("arithmetic", "--subject", "mine")
    assert (result.exit_code, "here" in result.stdout) == (0, False)
    assert f"your code printed {REHEARSED + 8} lines, the first: here\n" in result.stderr


def test_an_application_that_there_is_not_is_refused(here):
    result = invoke("music")
    assert (result.exit_code, result.stderr) == (
        2,
        f"there is no application 'music'; there are {', '.join(APPLICATIONS)}\n",
    )


@pytest.mark.parametrize(("name", "meant"), [("image-gpt", "image_gpt"), ("vitt", "vit"), ("Arithmetic", "arithmetic")])
def test_an_application_that_is_misspelt_is_recognised(here, name, meant):
    result = invoke(name)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"there is no application '{name}'; did you mean {meant}? There are arithmetic, ")


def test_a_library_that_is_not_installed_is_named_with_the_command(here, monkeypatch):
    monkeypatch.setattr(arithmetic, "LIBRARIES", ("json", "no_such_library"))
    result = invoke("arithmetic", "--subject", "reference")
    said = "arithmetic needs no_such_library, which is not installed; in the course's folder: pip install -e "
    assert (result.exit_code, result.stderr) == (1, f'{said}".[applications]"\n')
    assert not (here / "run-arithmetic").exists()


def test_the_applications_are_listed_without_importing_torch():
    code = "import sys, graders.applications; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.strip() == "False"
