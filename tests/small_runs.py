"""Small runs of `headstart run arithmetic`, for the tests of the command and of the folder that it leaves."""

import json

import pytest
from learners import folder_with, solved
from typer.testing import CliRunner

from graders.applications import arithmetic
from graders.cli import app
from graders.engine.course import load_course

SMALL = {
    "model": {"n_layers": 1, "n_heads": 1, "d_model": 4, "d_head": 4, "d_mlp": 4, "layer_norm_eps": 1e-5},
    "batch": 4,
    "training": arithmetic.SETTINGS["training"] | {"steps": 4, "warmup_steps": 1},
    "shares": {"+": [1, 1], "-": [1], "x": [1]},
    "longest": {"+": 3, "-": 1, "x": 2},
    "asked": 20,
    "asked_longer": 5,
    "asked_meanwhile": 3,
    "shown": 2,
}


def invoke(*arguments):
    return CliRunner().invoke(app, ["run", *map(str, arguments)])


def small():
    """A run of four small steps."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setitem(arithmetic.SETTINGS, name, value)
        yield


def solved_with(folder, code):
    """A learner's folder in which all is solved, with this code at the end of arithmetic."""
    texts = {exercise.name: solved(exercise.name) for exercise in load_course().exercises}
    folder_with(folder, **texts | {"arithmetic": f"{texts['arithmetic']}\n\n{code}"})


def here(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def done(tmp_path_factory):
    """The folder of a run that is done, and what was said."""
    folder = tmp_path_factory.mktemp("runs") / "mine"
    result = invoke("arithmetic", "--subject", "reference", "--out", folder)
    assert result.exit_code == 0, result.output
    return folder, result


def curves(folder):
    """The curves of a run, and what its answers came to: all that chance decides."""
    orders = json.loads((folder / "metrics.json").read_text())["figures"]["orders"]
    return {order: (said["curve"], said["exact"]) for order, said in orders.items()}
