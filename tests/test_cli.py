"""The commands say what happened, never destroy work unasked, and start quickly."""

import subprocess
import sys
from importlib.metadata import version
from types import ModuleType

import pytest
from typer.testing import CliRunner

from graders import cli
from graders.engine.course import load_course
from graders.engine.stubs import stub_text

KNOWN = ", ".join(exercise.name for exercise in load_course().exercises)


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


def test_check_names_every_file_that_differs_and_sends_no_learner_to_destroy_work(exercises):
    (exercises / "attention.py").write_text("# edited\n")
    (exercises / "mlp.py").unlink()
    result = run("stubs", "--check")
    assert result.exit_code == 1
    assert result.stderr == (
        "not what reference/ generates: exercises/attention.py, exercises/mlp.py; "
        "this is the maintainers' check, and a learner's work is expected to differ; `headstart stubs EXERCISE` writes "
        "a file that is missing, and with --force also replaces what is in one\n"
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
        "`headstart stubs attention --force` replaces it, and keeps a backup\n"
    )
    assert (exercises / "attention.py").read_text() == "# my work\n"
    assert (exercises / "mlp.py").exists()


def test_work_that_is_not_even_text_is_left_alone(exercises):
    (exercises / "attention.py").write_bytes(b"\xff\xfe")
    assert run("stubs").stderr.startswith("exercises/attention.py differs from its stub, so there may be work in it")
    assert (exercises / "attention.py").read_bytes() == b"\xff\xfe"


@pytest.mark.parametrize("command", [("stubs",), ("stubs", "--check"), ("stubs", "mlp", "--force")], ids=" ".join)
def test_a_link_to_nowhere_is_told_in_a_line(exercises, command):
    (exercises / "mlp.py").unlink()
    (exercises / "mlp.py").symlink_to("nowhere.py")
    result = run(*command)
    assert (result.exit_code, result.stderr) == (
        1,
        "exercises/mlp.py could not be read: No such file or directory; move it elsewhere, or make it a file again, "
        "then try again\n",
    )
    assert (exercises / "mlp.py").is_symlink()


def test_a_folder_in_the_place_of_a_file_is_told_and_another_is_no_hindrance(exercises):
    (exercises / "mine.py").mkdir()
    assert run("stubs").exit_code == 0
    (exercises / "mlp.py").unlink()
    (exercises / "mlp.py").mkdir()
    result = run("stubs", "--force")
    assert result.exit_code == 1
    assert result.stderr.startswith("exercises/mlp.py could not be read: ")


def test_where_no_backup_can_be_kept_work_is_left_alone_and_that_is_told(exercises):
    (exercises / "mlp.py").write_text("# my work\n")
    (exercises.parent / ".headstart").write_text("a file")
    result = run("stubs", "mlp", "--force")
    assert result.exit_code == 1
    assert result.stderr.startswith("exercises/mlp.py was left as it was, since no copy of it could be kept: ")
    assert (exercises / "mlp.py").read_text() == "# my work\n"


def test_force_replaces_only_the_exercise_that_is_named_and_keeps_what_was_there(exercises):
    for name in ("attention", "mlp"):
        (exercises / f"{name}.py").write_text("# my work\n")
    result = run("stubs", "attention", "--force")
    (backup,) = (exercises.parent / ".headstart" / "backups").iterdir()
    assert backup.read_text() == "# my work\n"
    said = f"wrote exercises/attention.py; the file as it was is .headstart/backups/{backup.name}\n"
    assert (result.exit_code, result.output) == (0, said)
    assert (exercises / "attention.py").read_text(encoding="utf-8") == stub_text("attention")
    assert (exercises / "mlp.py").read_text() == "# my work\n"


@pytest.mark.parametrize("command", ["stubs", "audit"])
def test_an_unknown_exercise_is_answered_with_the_names_there_are(command, audited):
    result = run(command, "atention")
    assert result.exit_code == 2
    assert result.stderr == f"there is no exercise 'atention'; did you mean attention? The exercises are {KNOWN}\n"
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


REFUSED = (
    ("--temperature -1", "--temperature is -1; expected 0 or more"),
    ("--temperature nan", "--temperature is nan; expected 0 or more"),
    ("--temperature inf", "--temperature is inf; expected 0 or more"),
    ("--top-k 0", "--top-k is 0; expected 1 or more"),
    ("--top-p 1.5", "--top-p is 1.5; expected a probability, from 0 to 1"),
    ("--top-p nan", "--top-p is nan; expected a probability, from 0 to 1"),
    ("--frequency-penalty nan", "--frequency-penalty is nan; expected a finite number"),
    ("--tokens 0", "--tokens is 0; expected 1 or more"),
    ("--beams -1", "--beams is -1; expected 0 to 64"),
    ("--beams 65", "--beams is 65; expected 0 to 64"),
    ("--eos-id -2", "--eos-id is -2; expected an id of the vocabulary, or -1 for none"),
    ("--seed 9223372036854775808", "--seed is 9223372036854775808; expected a number of at most 18 digits"),
    ("--beams 2 --length-penalty nan", "--length-penalty is nan; expected a finite number"),
    ("--beams 2 --no-repeat-ngram-size -1", "--no-repeat-ngram-size is -1; expected 0 or more"),
    ("--beams 2 --temperature 0.8", "--temperature has no effect with --beams; leave one out"),
    ("--beams 2 --top-k 5", "--top-k has no effect with --beams; leave one out"),
    ("--beams 2 --top-p 0.5", "--top-p has no effect with --beams; leave one out"),
    ("--beams 2 --seed 1", "--seed has no effect with --beams; leave one out"),
    ("--length-penalty 0", "--length-penalty has no effect without --beams; leave it out, or add --beams 3"),
    (
        "--no-repeat-ngram-size 2",
        "--no-repeat-ngram-size has no effect without --beams; leave it out, or add --beams 3",
    ),
    ("--weights run", "--weights: there is no run/ yet; `headstart train` makes one"),
    ("--weights runs/2", "--weights: there is no runs/2/ yet; `headstart train --out runs/2` makes one"),
    ("--weights ./mine/", "--weights: there is no ./mine/ yet; `headstart train --out ./mine` makes one"),
)


@pytest.mark.parametrize(("options", "said"), REFUSED, ids=[options for options, _said in REFUSED])
def test_what_cannot_be_written_is_refused_in_one_line(options, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("write", "To be, or", *options.split())
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", said + "\n")


def test_an_empty_prompt_is_refused():
    result = run("write", "")
    assert (result.exit_code, result.stderr) == (
        2,
        "the text to continue is empty; expected at least a word, such as 'To be, or'\n",
    )


def test_a_run_of_no_steps_is_refused(tmp_path):
    result = run("train", "--steps", "0", "--out", str(tmp_path / "run"))
    assert (result.exit_code, result.stderr) == (2, "--steps is 0; expected 1 or more\n")
    assert not (tmp_path / "run").exists()


def test_flags_are_shown_without_a_type():
    shown = run("stubs", "--help").output
    assert "--force" in shown
    assert "bool" not in shown


def test_whatever_grades_nothing_imports_no_tensor_library():
    code = (
        "import sys; from typer.testing import CliRunner; from graders.cli import app;"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0;"
        "assert CliRunner().invoke(app, ['write', 'To be', '--temperature', '-1']).exit_code == 2;"
        "asked = [[], ['list'], ['show', 'Attention'], *([name, 'nothing'] for name in ('explain', 'hint', 'reset'))];"
        "codes = [CliRunner().invoke(app, words).exit_code for words in asked];"
        "assert codes == [0, 0, 0, 2, 2, 2], codes;"
        "sys.exit(', '.join({'torch', 'hypothesis', 'pytest', 'transformers'} & sys.modules.keys()) or 0)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def test_an_option_before_a_command_that_takes_it_is_refused():
    result = run("--json", "list")
    assert (result.exit_code, result.stderr) == (
        2,
        "--json has no effect before a command; write `headstart list --json`\n",
    )
