"""`headstart show` draws a task's shapes and says what is asked, from texts alone."""

import ast
import dataclasses
import json

import pytest
from typer.testing import CliRunner
from verdicts import graded

from graders.cli import app
from graders.commands import naming
from graders.engine.course import Course, load_course
from graders.engine.law import laws_for
from graders.engine.stubs import stub_text
from graders.loop.shapes import aliases_in, drawn
from graders.loop.specification import laws_in, show_lines, specification_of

pytestmark = pytest.mark.usefixtures("exercises")
ALL = load_course().exercises
TASKS = [(exercise.name, task.name) for exercise in ALL for task in exercise.tasks]
EVERY_TASK = pytest.mark.parametrize(("exercise", "task"), TASKS, ids=[task for _exercise, task in TASKS])


def run(*words: str):
    return CliRunner().invoke(app, ["show", *words])


def shown(exercise: str, task: str) -> list[str]:
    return show_lines(specification_of(exercise, task), "")


def test_a_function_is_shown_with_its_shapes_its_words_its_laws_and_its_page():
    graded("attention", {"attention_scores": "passed"})
    assert run("attention_scores").output.splitlines() == [
        "attention · attention_scores                      done",
        "",
        "  attention_scores(q, k)",
        "",
        "    q        batch x q x n_heads x d_head  --+",
        "    k        batch x k x n_heads x d_head  --+",
        "    result   batch x n_heads x q x k       <-+",
        "",
        "  How well each query matches each key, head by head, before any mask.",
        "",
        "  The score is their dot product divided by the square root of d_head. Without the division, scores",
        "  grow with d_head and the softmax puts all its weight on one key (Vaswani et al. 2017, section 3.2.1).",
        "  There may be fewer queries than keys.",
        "",
        "  What must hold",
        "  - A score is the dot product of a query and a key of one head, divided by the square root of d_head.",
        "  - The score of one query and one key, in one head, depends on these two vectors alone.",
        "  - Gradients flow back into both queries and keys.",
        "  - With 3 queries, 143 keys and 5 heads, the scores are still the scaled dot products.",
        "",
        "  More: docs/exercises/attention.md#scores",
    ]


def test_a_class_is_shown_with_what_it_is_given_and_its_forward():
    lines = shown("mlp", "MLP")
    assert lines[2] == "  class MLP(nn.Module)"
    assert lines[5:13] == [
        "    W_in    d_model x d_mlp",
        "    b_in    d_mlp",
        "    W_out   d_mlp x d_model",
        "    b_out   d_model",
        "",
        "  forward(x)",
        "",
        "    x        batch x seq x d_model  --+",
    ]


def test_the_parts_of_a_class_that_are_modules_are_named():
    assert "    attn   Attention(cfg)" in shown("block", "TransformerBlock")


def test_a_property_is_shown_as_one_and_a_method_without_self():
    lines = shown("caching", "KVCache")
    assert "  length, a property" in lines
    assert "  append(layer, k, v)" in lines
    assert "  empty(cfg, batch, dtype=None)" in lines


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ('Float[Tensor, "batch seq d_model"]', "batch x seq x d_model"),
        ('Int[Tensor, "*axes"]', "*axes of ints"),
        ('Bool[Tensor, "batch keys"] | None', "batch x keys of bools, or None"),
        ('Float[Tensor, "..."]', "any shape"),
        ('Float[Tensor, ""]', "a single number"),
        ('tuple[Int[Tensor, "batch n"], float]', "tuple[batch x n of ints, float]"),
        ("Logits", "batch x d_vocab"),
        ("tuple[Logits, Logits] | None", "tuple[batch x d_vocab, batch x d_vocab], or None"),
        ("dict[int | None, float]", "dict[int | None, float]"),
        ('"KVCache"', "KVCache"),
        ("Callable[[], Any]", "Callable[[], Any]"),
    ],
)
def test_shapes_are_named_axes_with_an_x_between(annotation, said):
    aliases = aliases_in(ast.parse('Logits = Float[Tensor, "batch d_vocab"]'))
    assert drawn(ast.parse(annotation, mode="eval").body, aliases) == said


def test_names_for_shapes_are_drawn_those_of_other_files_too():
    assert "    logits      batch x d_vocab      --+" in shown("sampling", "next_token")
    assert "    result       list[tuple[int, int]]  <-+" in shown("tokenizer", "train_bpe")


@EVERY_TASK
def test_every_task_fits_the_width_and_says_what_its_stub_says(exercise, task):
    lines = shown(exercise, task)
    assert max(map(len, lines)) <= 120
    node = next(n for n in ast.parse(stub_text(exercise)).body if getattr(n, "name", "") == task)
    assert all(line in lines for line in (f"  {text}".rstrip() for text in ast.get_docstring(node).splitlines()))


@pytest.mark.parametrize("exercise", [exercise.name for exercise in ALL])
def test_the_laws_read_from_the_text_are_the_laws_that_are_graded(exercise):
    assert laws_in(exercise) == {law.name: (law.task, law.statement) for law in laws_for(exercise)}


def test_a_name_that_is_an_exercise_shows_its_tasks():
    lines = run("softmax").output.splitlines()
    assert lines[0] == "softmax                                           40 minutes, difficulty 2 of 5"
    assert lines[3:5] == [
        "  softmax                                         not tried",
        "    exp(x) over its sum along the axis `dim`, counted from either end: shares that add up to 1 along it.",
    ]
    assert lines[-1] == "  One task: headstart show softmax TASK   ·   More: docs/exercises/softmax.md"
    assert run("softmax", "softmax").output.splitlines()[0].startswith("softmax · softmax")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "atention_scores",
            "there is no exercise or task 'atention_scores'; did you mean attention_scores? `headstart list` shows all "
            "of them",
        ),
        ("qqq", "there is no exercise or task 'qqq'; `headstart list` shows all of them"),
        ("mlp gelu", "mlp has no task 'gelu'; its tasks are gelu_new, MLP"),
        ("gelu_new MLP", "gelu_new is a task; expected its exercise first: mlp gelu_new"),
    ],
)
def test_what_is_no_task_is_refused_in_one_line(words, said):
    result = run(*words.split())
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", said + "\n")


def test_a_task_of_two_exercises_is_answered_with_which_they_are(monkeypatch):
    mlp, block = load_course()["mlp"], load_course()["block"]
    twice = dataclasses.replace(block, tasks=(*block.tasks, mlp.task("MLP")))
    monkeypatch.setattr(naming, "load_course", lambda: Course((mlp, twice)))
    result = run("MLP")
    assert (result.exit_code, result.stderr) == (
        2,
        "several exercises have a task MLP; say which: `headstart show mlp MLP` or `headstart show block MLP`\n",
    )


def test_a_program_reads_the_same():
    said = json.loads(run("gelu_new", "--json").output)
    assert (said["exercise"], said["task"], said["state"]) == ("mlp", "gelu_new", "not tried")
    assert said["functions"][0]["arguments"] == [["x", "any shape"]]
    assert said["functions"][0]["result"] == "any shape"
    assert said["laws"] == [law.statement for law in laws_for("mlp") if law.task == "gelu_new"]
    overview = json.loads(run("mlp", "--json").output)
    assert [task["task"] for task in overview["tasks"]] == ["gelu_new", "MLP"]
    assert overview["tasks"][0] == said
