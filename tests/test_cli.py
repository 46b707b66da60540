"""The commands say what happened, never destroy work unasked, and start quickly."""

import subprocess
import sys
from importlib.metadata import version
from types import ModuleType

import pytest
from typer.testing import CliRunner

from graders import cli
from graders.engine.course import load_course
from graders.engine.stubs import stub_files, stub_text

KNOWN = ", ".join(exercise.name for exercise in load_course().exercises)


@pytest.fixture
def exercises(tmp_path, monkeypatch):
    """A folder of its own in place of `exercises/`, with a fresh stub of everything."""
    folder = tmp_path / "exercises"
    folder.mkdir()
    for name, text in stub_files().items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(cli, "EXERCISES", folder)
    return folder


@pytest.fixture
def audited(monkeypatch):
    """What the audit is asked for; it answers with the value under `well`."""
    calls = {"well": True}

    def run_audit(exercises: list[str], full: bool, jobs: int) -> bool:
        calls["asked"] = (exercises, full, jobs)
        return calls["well"]

    module = ModuleType("graders.engine.audit")
    module.run_audit = run_audit
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return calls


def run(*arguments: str):
    return CliRunner().invoke(cli.app, list(arguments))


def test_the_committed_exercises_are_what_the_reference_generates():
    result = run("stubs", "--check")
    assert (result.exit_code, result.output) == (0, "exercises/ is what reference/ generates\n")


def test_check_names_every_file_that_differs_and_says_what_to_run(exercises):
    (exercises / "attention.py").write_text("# edited\n")
    (exercises / "mlp.py").unlink()
    result = run("stubs", "--check")
    assert result.exit_code == 1
    assert result.stderr == (
        "not what reference/ generates: exercises/attention.py, exercises/mlp.py; "
        "run `headstart stubs --force`, which replaces what is in them, and commit the result\n"
    )
    assert not (exercises / "mlp.py").exists()


def test_check_of_one_exercise_looks_at_no_other(exercises):
    (exercises / "attention.py").write_text("# edited\n")
    assert run("stubs", "mlp", "--check").exit_code == 0


def test_missing_files_are_written(exercises):
    (exercises / "mlp.py").unlink()
    result = run("stubs")
    assert (result.exit_code, result.output) == (0, "wrote exercises/mlp.py\n")
    assert (exercises / "mlp.py").read_text(encoding="utf-8") == stub_text("mlp")


def test_work_is_left_alone_and_what_is_missing_is_written_beside_it(exercises):
    (exercises / "attention.py").write_text("# my work\n")
    (exercises / "mlp.py").unlink()
    result = run("stubs")
    assert result.exit_code == 1
    assert result.stderr == (
        "exercises/attention.py differs from its stub, so there may be work in it, and it was left alone; "
        "`headstart stubs attention --force` replaces it\n"
    )
    assert (exercises / "attention.py").read_text() == "# my work\n"
    assert (exercises / "mlp.py").exists()


def test_work_that_is_not_even_text_is_left_alone(exercises):
    (exercises / "attention.py").write_bytes(b"\xff\xfe")
    assert run("stubs").stderr.startswith("exercises/attention.py differs from its stub, so there may be work in it")
    assert (exercises / "attention.py").read_bytes() == b"\xff\xfe"


def test_force_replaces_only_the_exercise_that_is_named(exercises):
    for name in ("attention", "mlp"):
        (exercises / f"{name}.py").write_text("# my work\n")
    result = run("stubs", "attention", "--force")
    assert (result.exit_code, result.output) == (0, "wrote exercises/attention.py\n")
    assert (exercises / "attention.py").read_text(encoding="utf-8") == stub_text("attention")
    assert (exercises / "mlp.py").read_text() == "# my work\n"


@pytest.mark.parametrize("command", ["stubs", "audit"])
def test_an_unknown_exercise_is_answered_with_the_names_there_are(command, audited):
    result = run(command, "atention")
    assert result.exit_code == 2
    assert result.stderr == f"there is no exercise 'atention'; the exercises are {KNOWN}\n"
    assert "asked" not in audited


def test_audit_asks_for_all_exercises_when_none_is_named(audited):
    assert run("audit", "--jobs", "3").exit_code == 0
    assert audited["asked"] == (KNOWN.split(", "), False, 3)


def test_audit_passes_on_what_it_is_told(audited):
    assert run("audit", "mlp", "block", "--full", "--jobs", "1").exit_code == 0
    assert audited["asked"] == (["mlp", "block"], True, 1)


def test_an_audit_that_finds_something_exits_with_1(audited):
    audited["well"] = False
    assert run("audit").exit_code == 1


def test_the_version_is_that_of_the_package():
    result = run("--version")
    assert (result.exit_code, result.output) == (0, f"headstart {version('headstart')}\n")


def test_help_imports_no_tensor_library():
    code = (
        "import sys; from typer.testing import CliRunner; from graders.cli import app;"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0;"
        "sys.exit(', '.join({'torch', 'hypothesis', 'pytest', 'transformers'} & sys.modules.keys()) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
