"""`docs/commands.md` is what the commands say, and completion knows the course."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from graders.cli import app
from graders.commands.pages import JSON, PAGE, commands_with_json, page_text


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
