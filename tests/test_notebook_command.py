"""`headstart notebook` never destroys work, and says what it wrote or what is missing."""

import sys

import nbformat
import pytest
from typer.testing import CliRunner

from graders import cli
from graders.commands import notebook as command
from graders.engine import journal
from graders.notebooks.make import make_notebook


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder in which notebooks and backups land in place of the course's own."""
    monkeypatch.setattr(command, "FOLDER", tmp_path / "notebooks")
    monkeypatch.setattr(command, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(journal, "HOME", tmp_path / ".headstart")
    (tmp_path / "docs").mkdir()
    return tmp_path


def run(*arguments: str):
    return CliRunner().invoke(cli.app, ["notebook", *arguments])


def test_it_writes_the_template_and_says_what_to_do_with_it(course):
    result = run("mlp")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "wrote notebooks/mlp.ipynb: mlp from its stub; its last cell grades it\n"
        f"Next: open it in Jupyter or VS Code, with {sys.executable} as its kernel, and run it from the top\n"
    )
    written = nbformat.read(course / "notebooks" / "mlp.ipynb", 4)
    assert written == make_notebook("mlp", False, "../docs")


def test_a_solution_is_called_one_in_its_name_in_the_output_and_in_the_notebook(course):
    result = run("mlp", "--solution")
    assert result.stdout.startswith(
        "wrote notebooks/mlp-solution.ipynb: the solution of mlp, cell by cell; its last cell grades it\n"
    )
    written = nbformat.read(course / "notebooks" / "mlp-solution.ipynb", 4)
    assert "**This is the solution**, cell by cell: `reference/mlp.py`" in written.cells[0].source


def test_a_notebook_that_is_there_is_left_alone(course):
    (course / "notebooks").mkdir()
    (course / "notebooks" / "mlp.ipynb").write_text("work")
    result = run("mlp")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "notebooks/mlp.ipynb is there already, and there may be work in it, so it was left alone; "
        "`headstart notebook mlp --force` makes it anew and keeps this one in .headstart/backups/\n"
    )
    assert (course / "notebooks" / "mlp.ipynb").read_text() == "work"


def test_the_command_that_is_named_keeps_the_other_options(course):
    out = course / "my own.ipynb"
    out.write_text("work")
    said = run("mlp", "--solution", "--out", str(out)).stderr
    assert f"`headstart notebook mlp --solution --out '{out}' --force` makes it anew" in said


def test_with_force_it_is_made_anew_and_the_one_that_was_there_is_kept(course):
    (course / "notebooks").mkdir()
    for work in ("first", "second"):
        (course / "notebooks" / "mlp.ipynb").write_text(work)
        result = run("mlp", "--force")
        assert result.exit_code == 0
        kept = result.stdout.splitlines()[0].removeprefix("kept the one that was there as ")
        assert (course / kept).read_text() == work
    assert nbformat.read(course / "notebooks" / "mlp.ipynb", 4).cells
    assert len(list((course / ".headstart" / "backups").glob("mlp-*.ipynb"))) == 2


def test_links_are_right_wherever_it_is_written(course):
    out = course / "a" / "b c" / "mine.ipynb"
    assert run("mlp", "--out", str(out)).stdout.startswith("wrote a/b c/mine.ipynb: mlp")
    assert "](../../docs/exercises/attention.md)" in out.read_text(encoding="utf-8")


def test_another_kind_of_file_is_refused(course):
    result = run("mlp", "--out", "mlp.py")
    assert (result.exit_code, result.stderr) == (2, "--out mlp.py: expected a name that ends in .ipynb\n")


def test_an_unknown_exercise_is_answered_with_the_names_there_are(course):
    result = run("atention")
    assert result.exit_code == 2
    assert result.stderr.startswith("there is no exercise 'atention'; did you mean attention? The exercises are ")


def test_a_place_that_cannot_be_written_to_is_told_in_one_line(course):
    (course / "notebooks").write_text("a file")
    result = run("mlp")
    assert result.exit_code == 1
    assert result.stderr.startswith("notebooks/mlp.ipynb could not be written, so it is not there: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("library", ["nbformat", "jupytext"])
def test_a_missing_library_is_told_with_the_command_that_installs_it(course, monkeypatch, library):
    monkeypatch.delitem(sys.modules, "graders.notebooks.make")
    monkeypatch.setitem(sys.modules, library, None)
    result = run("mlp")
    assert (result.exit_code, result.stderr) == (
        1,
        f'this needs {library}, which is not installed; in the course\'s folder: pip install -e ".[notebooks]"\n',
    )
    assert not (course / "notebooks").exists()
