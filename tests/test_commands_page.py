"""`docs/commands.md` is what the commands say, and completion knows the course."""

import os
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from graders.cli import app
from graders.commands.naming import complete_graded
from graders.commands.pages import JSON, PAGE, all_commands, commands_with_json, page_text
from graders.engine import journal
from graders.engine.record import Record


def test_the_page_is_what_the_commands_say():
    assert PAGE.read_text(encoding="utf-8") == page_text(), "run `python -m graders.commands.pages --write`"


def test_what_a_program_reads_is_described_for_every_command_that_has_it():
    assert sorted(JSON) == sorted(commands_with_json())


def test_every_command_and_every_option_says_what_it_does():
    rows = [line for line in page_text().splitlines() if line.startswith("| `")]
    assert len(rows) > 20
    assert [row for row in rows if row.endswith("` | |")] == []


def test_a_command_is_one_line_in_the_list_of_commands():
    shown = CliRunner().invoke(app, ["--help"], terminal_width=110).output
    for name in ("list", "show", "hint", "solution", "reset", "explain", "doctor"):
        (line,) = [line for line in shown.splitlines() if line.startswith(f"  {name} ")]
        assert not line.endswith("...")


NAMED = ("exercise", "task", "name", "picture", "record", "exercises")


def arguments_that_name():
    """Every argument that names something of the course, and its command."""
    return [
        pytest.param(command, p, id=f"{name} {p.name}")
        for name, command in all_commands().items()
        for p in command.params
        if p.param_type_name == "argument" and p.name in NAMED and name != "new"  # which names what is not there yet
    ]


@pytest.mark.parametrize(("command", "argument"), arguments_that_name())
def test_whatever_names_something_of_the_course_is_completed(command, argument):
    context = typer.Context(command)
    context.params = {"exercise": "mlp", "name": "mlp"} if argument.name == "task" else {}
    assert argument.shell_complete(context, "")


def test_the_laws_of_the_last_verdicts_are_completed_for_explain_and_no_exercise(exercises):
    laws = {"future_tokens": "apply_causal_mask"}
    record = Record("attention", "apply_causal_mask", "future_tokens", "A sentence.", "passed")
    journal.keep("attention", "hash", laws, [record], {})
    assert complete_graded("future") == ["future_tokens"]
    assert "attention" not in complete_graded("attention")


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("hint att", ["attention"]),
        ("hint attention ap", ["apply_causal_mask"]),
        ("show attention m", ["mix_values"]),
        ("show soft", ["softmax", "softmax_backward"]),
        ("reset gelu", ["gelu_new"]),
        ("solution mlp M", ["MLP"]),
        ("explain Cached", ["CachedAttention", "CachedGPT"]),
        ("stubs mar", ["markov"]),
        ("audit mlp blo", ["block"]),
        ("see s", ["sampling"]),
        ("notebook block", ["block"]),
        ("doc", ["doctor"]),
    ],
)
def test_the_shell_completes_commands_exercises_and_tasks(typed, completed):
    words = ["headstart", *typed.split()]
    asked = {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1), "_HEADSTART_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [sys.executable, "-m", "graders.cli"], env=os.environ | asked, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == completed
