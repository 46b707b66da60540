"""What editors are told in `.vscode/` and `.devcontainer/` is so, and the debug configuration stops at a breakpoint."""

import json
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from debugging import Debugger
from typer.testing import CliRunner

from graders import cli
from graders.engine.course import EXERCISES, ROOT, load_course

FILES = (".vscode/tasks.json", ".vscode/settings.json", ".vscode/launch.json", ".vscode/extensions.json")
CONTAINER = ".devcontainer/devcontainer.json"
FOR_TESTS = ".devcontainer/maintainers/devcontainer.json"
OPEN = "${fileBasenameNoExtension}"  # the exercise in front


def parsed(name: str) -> dict[str, Any]:
    """A JSON file with comments."""
    strings_and_comments = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*')
    text = (ROOT / name).read_text(encoding="utf-8")
    return json.loads(strings_and_comments.sub(lambda found: found[0] if found[0][0] == '"' else "", text))


def tasks() -> dict[str, list[str]]:
    """The arguments that each task gives to Python, by its label."""
    found = parsed(".vscode/tasks.json")["tasks"]
    assert {task["command"] for task in found} == {"${command:python.interpreterPath}"}
    return {task["label"]: task["args"] for task in found}


@pytest.mark.parametrize("name", [*FILES, CONTAINER, FOR_TESTS])
def test_every_file_can_be_read_and_is_kept_in_the_repository(name):
    assert parsed(name)
    ignored = subprocess.run(["git", "check-ignore", "--quiet", "--no-index", name], cwd=ROOT, check=False)
    assert ignored.returncode != 0  # 0: it is ignored


def test_a_parser_of_comments_leaves_addresses_alone(tmp_path, monkeypatch):
    (tmp_path / "a.json").write_text('{"a": "http://b//c", // why\n "d": "\\"//"}')
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert parsed("a.json") == {"a": "http://b//c", "d": '"//'}


@pytest.mark.parametrize("label", [label for label, args in tasks().items() if args[1] == "graders.cli"])
def test_every_command_that_a_task_runs_is_there(label):
    command = tasks()[label][2]
    assert CliRunner().invoke(cli.app, [command, "--help"]).exit_code == 0


def test_tasks_and_debugging_find_the_graders_of_every_exercise():
    (debugging,) = parsed(".vscode/launch.json")["configurations"]
    paths = [arg for args in (*tasks().values(), debugging["args"]) for arg in args if "/" in arg or arg == "tests"]
    assert sorted(set(paths)) == [f"graders/test_{OPEN}.py", "tests"]
    names = [exercise.name for exercise in load_course().exercises]
    missing = [path for path in paths for name in names if not (ROOT / path.replace(OPEN, name)).exists()]
    assert missing == []


def test_the_test_explorer_finds_laws():
    (folder,) = parsed(".vscode/settings.json")["python.testing.pytestArgs"]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", f"{folder}/test_mlp.py"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.count(f"{folder}/test_mlp.py::test_") > 5


@pytest.mark.parametrize(("name", "extra"), [(CONTAINER, "notebooks"), (FOR_TESTS, "dev")])
def test_a_container_has_the_extensions_that_are_recommended(name, extra):
    container = parsed(name)
    assert container["customizations"]["vscode"]["extensions"] == parsed(FILES[3])["recommendations"]
    assert container["postCreateCommand"] == f"pip install -e '.[{extra}]'"


def test_learners_get_a_container_without_what_only_the_tests_need():
    assert not {"runArgs", "onCreateCommand"} & parsed(CONTAINER).keys()
    assert "bookworm" in parsed(FOR_TESTS)["image"]  # whose packages are called bubblewrap and chromium
    assert "bubblewrap chromium" in parsed(FOR_TESTS)["onCreateCommand"]


def connected(port: int, program: subprocess.Popen) -> Debugger:
    """A debugger at a program that is about to listen."""
    while program.poll() is None:
        try:
            return Debugger(port)
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise AssertionError(program.stdout and program.stdout.read())


def test_the_debug_configuration_stops_at_a_breakpoint_in_exercises():
    (configuration,) = parsed(".vscode/launch.json")["configurations"]
    path = EXERCISES / "attention.py"
    lines = path.read_text(encoding="utf-8").splitlines()
    line = lines.index("    raise NotImplementedError") + 1
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "debugpy", "--listen", f"127.0.0.1:{port}", "--wait-for-client"]
    command += ["-m", configuration["module"], *(part.replace(OPEN, "attention") for part in configuration["args"])]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as program:
        try:
            debugger = connected(port, program)
            frame = debugger.stop_at(path, line, configuration["justMyCode"])
            debugger.close()
        finally:
            program.kill()
    assert (frame["name"], frame["line"], Path(frame["source"]["path"])) == ("attention_scores", line, path)
