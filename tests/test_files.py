"""A task is put back to its stub and nothing else changes; whatever is replaced is kept to the byte."""

import ast
import importlib
import json
import re
from types import SimpleNamespace

import pytest
from learners import solved
from typer.testing import CliRunner
from verdicts import graded

from graders.cli import app
from graders.commands import naming
from graders.engine import journal
from graders.engine.course import load_course
from graders.engine.record import DONE, UNTRIED
from graders.engine.stubs import stub_text
from graders.loop.files import reset, solution_text
from graders.loop.taken import solutions_seen

TASKS = [(exercise.name, task.name) for exercise in load_course().exercises for task in exercise.tasks]
EVERY_TASK = pytest.mark.parametrize(("exercise", "task"), TASKS, ids=[task for _exercise, task in TASKS])
solution_command = importlib.import_module("graders.commands.solution")  # the package has a function of that name
RIGHT = "def gelu_new(x):\n    return x\n"
GIVEN = "from torch import nn\n\nK = 3  # mine\n"


def parts(text: str) -> dict[str, str]:
    """The text of every definition at the top of a file, decorators included, by name."""
    lines, found = text.splitlines(), {}
    for node in ast.parse(text).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            found[node.name] = "\n".join(lines[first - 1 : node.end_lineno])
    return found


def stub_of(exercise: str, task: str) -> str:
    """The text of a task's stub."""
    return parts(stub_text(exercise))[task] + "\n"


@pytest.fixture
def mlp(exercises):
    """The learner's `mlp.py`."""
    return exercises / "mlp.py"


@EVERY_TASK
def test_the_task_alone_becomes_its_stub(exercise, task, exercises):
    path = exercises / f"{exercise}.py"
    path.write_text(solved(exercise), encoding="utf-8")
    reset(exercise, task)
    assert path.read_text(encoding="utf-8") == solved(exercise).replace(
        parts(solved(exercise))[task], parts(stub_text(exercise))[task]
    )


@EVERY_TASK
def test_a_task_that_was_deleted_comes_back_where_the_stub_has_it(exercise, task, exercises):
    path, text = exercises / f"{exercise}.py", stub_text(exercise)
    path.write_text(re.sub(r"\n{4,}", "\n\n\n", text.replace(parts(text)[task], "")), encoding="utf-8")
    reset(exercise, task)
    assert path.read_text(encoding="utf-8") == text


def test_helpers_decorators_and_comments_of_the_learner_s_stay(mlp):
    before = GIVEN + "\n# my notes\n@mine\ndef helper(x):\n    return x\n\n\n"
    after = "\n\n# on MLP\nclass MLP(nn.Module):\n    pass\n\n\nx = 1  # the last line, without an end"
    mlp.write_text(before + "@mine\n" + RIGHT + after)
    reset("mlp", "gelu_new")
    assert mlp.read_text() == before + stub_of("mlp", "gelu_new") + after


def test_a_task_that_is_all_there_is_of_a_file_comes_back(mlp):
    mlp.write_text("")
    reset("mlp", "gelu_new")
    assert mlp.read_text() == stub_of("mlp", "gelu_new")


def test_a_deleted_task_is_put_before_what_follows_it_where_nothing_precedes_it(mlp):
    mlp.write_text(GIVEN + "\n\nclass MLP(nn.Module):\n    pass\n")
    reset("mlp", "gelu_new")
    assert mlp.read_text() == GIVEN + "\n\n" + stub_of("mlp", "gelu_new") + "\n\nclass MLP(nn.Module):\n    pass\n"


def test_a_deleted_task_comes_between_no_definition_and_the_comment_above_it(exercises):
    path, pattern = exercises / "attention.py", "# on the pattern\ndef attention_pattern(scores):\n    pass\n"
    path.write_text("def attention_scores(q, k):\n    pass\n\n\n" + pattern)
    reset("attention", "apply_causal_mask")
    assert path.read_text().endswith("    pass\n\n\n" + stub_of("attention", "apply_causal_mask") + "\n\n" + pattern)


def test_of_a_task_that_is_defined_twice_the_stub_alone_stays(mlp):
    mlp.write_text(RIGHT + "y = 2\n" + RIGHT + "gelu_new = max\nz = 3\n")
    reset("mlp", "gelu_new")
    assert mlp.read_text() == stub_of("mlp", "gelu_new") + "y = 2\nz = 3\n"


@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["unix", "windows"])
def test_the_ends_of_lines_stay_what_they_are(mlp, end):
    mlp.write_bytes((GIVEN + RIGHT).encode().replace(b"\n", end))
    reset("mlp", "gelu_new")
    assert mlp.read_bytes() == (GIVEN + stub_of("mlp", "gelu_new")).encode().replace(b"\n", end)


def test_signs_that_some_take_for_ends_of_lines_do_not_shift_what_is_replaced(mlp):
    odd = "s = '\x0c \u2028 \x85'  # within a line\n"
    mlp.write_bytes((odd + RIGHT).encode())
    reset("mlp", "gelu_new")
    assert mlp.read_bytes().decode() == odd + stub_of("mlp", "gelu_new")


def test_the_file_as_it_was_is_kept_each_time(mlp):
    texts = [RIGHT + f"# {n}\n" for n in range(3)]
    backups = []
    for text in texts:
        mlp.write_text(text)
        backups.append(reset("mlp", "gelu_new"))
    assert [backup.read_text() for backup in backups] == texts
    assert {backup.parent for backup in backups} == {journal.HOME / "backups"}
    assert all(re.fullmatch(r"mlp-\d{8}-\d{6}(-\d)?\.py", backup.name) for backup in backups)


@pytest.mark.parametrize("text", [b"def f(:\n", b"x = '\xff'\n", b"x = 1\x00\n"], ids=["syntax", "bytes", "null"])
def test_a_file_that_python_cannot_read_is_left_as_it_is(mlp, text):
    mlp.write_bytes(text)
    with pytest.raises(ValueError, match=r"^exercises/mlp\.py cannot be read by Python \(.+\), so one task"):
        reset("mlp", "MLP")
    assert mlp.read_bytes() == text
    assert not (journal.HOME / "backups").exists()


def test_who_cannot_reset_a_task_is_told_how_to_start_over(mlp):
    mlp.write_text("def f(:\n")
    result = run("reset", "MLP", "--yes")
    assert (result.exit_code, result.stderr) == (
        1,
        "exercises/mlp.py cannot be read by Python (line 1, invalid syntax), so one task cannot be told from another; "
        "mend it, or start the whole file over: `headstart stubs mlp --force` (yours is kept as a backup)\n",
    )


def test_a_task_that_shares_its_line_is_left_as_it_is(mlp):
    mlp.write_text("gelu_new = max; mine = 1\n")
    with pytest.raises(
        ValueError, match=r"exercises/mlp\.py has gelu_new on one line with something else; put each on"
    ):
        reset("mlp", "gelu_new")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("if True:\n    def gelu_new(x):\n        return x\n", 2),
        ("try:\n    gelu_new = 1\nexcept ValueError:\n    pass\n", 2),
        ("from torch.nn.functional import gelu as gelu_new\n", 1),
        ("mine = 2\n\ngelu_new, other = max, min\n", 3),
        ("mine = gelu_new = max\n", 1),
        (RIGHT + "for gelu_new in (max, min):\n    pass\n", 3),
    ],
    ids=["if", "try", "import", "pair", "chain", "for"],
)
def test_a_task_inside_another_statement_is_left_as_it_is(mlp, text, line):
    mlp.write_text(text)
    said = rf"exercises/mlp\.py has gelu_new inside another statement \(line {line}\); take it out, then try again"
    with pytest.raises(ValueError, match=f"^{said}$"):
        reset("mlp", "gelu_new")
    assert mlp.read_text() == text
    assert not (journal.HOME / "backups").exists()


def test_the_same_name_inside_a_function_is_no_hindrance(mlp):
    mlp.write_text(RIGHT + "\n\ndef mine():\n    gelu_new = 1\n    return [gelu_new for gelu_new in 'ab']\n")
    reset("mlp", "gelu_new")
    assert mlp.read_text().startswith(stub_of("mlp", "gelu_new"))


def test_a_file_that_is_not_there_is_said(mlp):
    mlp.unlink()
    with pytest.raises(ValueError, match=r"exercises/mlp\.py is not there, so there is nothing to put back; `head"):
        reset("mlp", "MLP")


def run(*words: str, typed: str | None = None):
    return CliRunner().invoke(app, list(words), input=typed)


def test_the_command_asks_first_and_no_is_no(mlp):
    mlp.write_text(RIGHT)
    for typed in ("n\n", "\n", None):
        result = run("reset", "gelu_new", typed=typed)
        assert (result.exit_code, mlp.read_text()) == (1, RIGHT)
        assert "Put the stub of gelu_new back into exercises/mlp.py? A copy of the file is kept. [y/N]" in result.stderr
        assert "nothing was changed" in result.stderr


@pytest.mark.parametrize("words", [("gelu_new",), ("mlp", "gelu_new")], ids=" ".join)
def test_the_command_names_the_backup(mlp, words):
    mlp.write_text(RIGHT)
    result = run("reset", *words, typed="y\n")
    (backup,) = (journal.HOME / "backups").iterdir()
    assert (result.exit_code, result.stdout) == (
        0,
        f"gelu_new in exercises/mlp.py is its stub again; the file as it was is .headstart/backups/{backup.name}\n",
    )
    assert backup.read_text() == RIGHT


def test_a_program_reads_where_the_file_as_it_was_is(mlp):
    mlp.write_text(RIGHT)
    result = run("reset", "gelu_new", "--yes", "--json")
    (backup,) = (journal.HOME / "backups").iterdir()
    assert (result.exit_code, json.loads(result.stdout)) == (
        0,
        {
            "exercise": "mlp",
            "task": "gelu_new",
            "file": "exercises/mlp.py",
            "backup": f".headstart/backups/{backup.name}",
        },
    )


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (KeyboardInterrupt, "nothing was changed"),
        (EOFError, "nothing was changed; without anybody to ask, --yes stands for yes"),
    ],
)
def test_who_stops_at_the_question_is_not_told_that_nobody_is_there(mlp, monkeypatch, raised, said):
    def answer() -> str:
        raise raised

    monkeypatch.setattr(naming, "input", answer, raising=False)
    result = run("reset", "gelu_new")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, said)


def test_a_whole_exercise_is_not_reset_by_this_command(mlp):
    result = run("reset", "mlp", "--yes")
    assert (result.exit_code, result.stderr) == (
        2,
        "mlp is an exercise; expected one of its tasks too: gelu_new, MLP; `headstart stubs mlp --force` starts all of "
        "it over\n",
    )


def test_the_solution_is_shown_after_a_yes_and_remembered(mlp):
    refused = run("solution", "mlp", "gelu_new", typed="n\n")
    assert (refused.exit_code, refused.stdout, solutions_seen("mlp")) == (1, "", frozenset())
    assert refused.stderr == (
        "The hints may be enough (`headstart hint mlp gelu_new`). Show the solution? [y/N] nothing was shown\n"
    )
    shown = run("solution", "mlp", "gelu_new", typed="y\n")
    assert (shown.exit_code, shown.stdout) == (0, parts(solved("mlp"))["gelu_new"] + "\n")
    assert solutions_seen("mlp") == {"gelu_new"}


def test_the_solution_of_an_exercise_is_the_file_as_it_would_stand_in_exercises(exercises):
    shown = run("solution", "block", "--yes")
    assert (shown.exit_code, shown.stdout) == (0, solved("block"))
    assert "from exercises.attention import Attention" in shown.stdout
    assert solutions_seen("block") == {"TransformerBlock"}


def test_in_a_narrow_terminal_every_line_of_a_solution_is_there_whole(exercises, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(solution_command, "sys", SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True)))
    shown = run("solution", "sampling", "--yes")
    assert [line.rstrip() for line in shown.stdout.splitlines()] == solved("sampling").splitlines()


@EVERY_TASK
def test_the_solution_of_every_task_is_its_text_alone(exercise, task):
    assert list(parts(solution_text(exercise, task))) == [task]


def test_a_task_that_is_reset_is_no_longer_done(exercises):
    graded("mlp", {"gelu_new": "passed", "MLP": "passed"})
    reset("mlp", "gelu_new")
    verdict = journal.verdict_on("mlp")
    assert (verdict.state("gelu_new"), verdict.state("MLP")) == (UNTRIED, DONE)
