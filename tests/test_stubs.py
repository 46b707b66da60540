"""A stub says all that a learner is asked for, and nothing of the answer."""

import ast
import re
from collections.abc import Iterator

import pytest
import torch

from graders.engine import stubs as making
from graders.engine.course import load_course
from graders.engine.script import config, given, parameter, told
from graders.engine.stubs import GIVEN, REFERENCE, Stubs, differing, stub_files, stub_text, without_solutions
from graders.engine.subject import argument_names, reference_task, reference_text
from graders.engine.transport import InProcess
from graders.engine.worker.loading import Source
from graders.engine.worker.messages import ModuleRequest, Request

EXERCISES = [exercise.name for exercise in load_course().exercises]
TASKS = [(exercise.name, task.name) for exercise in load_course().exercises for task in exercise.tasks]
CFG = {"d_vocab": 5, "n_ctx": 4, "n_layers": 1, "n_heads": 2, "d_model": 6, "d_head": 2, "d_mlp": 7}
SOLVED = '''"""A file."""

from reference.other import thing
from reference import another


def given():
    # 1. What is given keeps its code
    return "# 2. and its strings"


class Cache:
    """Keeps things."""

    def __init__(self):
        self.length_ = 0

    @property
    def length(self) -> int:
        """How many."""
        return self.length_


def nested(
    a: int,
) -> int:
    """Ask for it.

    In two paragraphs.
    """
    secret = """
    # 1. not a step
    """

    # 1. The first step
    def inner():
        # not a step either
        for _ in range(3):
            # 2. The second step, which goes on
            #    in another line
            yield a  # 3. no step: it stands after code
            # a remark on the code

    return inner
'''


def written_functions(tree: ast.Module, tasks: list[str]) -> Iterator[ast.FunctionDef]:
    for node in tree.body:
        if getattr(node, "name", None) in tasks:
            functions = [node] if isinstance(node, ast.FunctionDef) else node.body
            yield from (f for f in functions if isinstance(f, ast.FunctionDef) and f.name != "__init__")


def tasks_of(exercise: str) -> list[str]:
    return [task.name for task in load_course()[exercise].tasks]


def test_a_stub_is_made_when_it_is_asked_for(monkeypatch):
    made, n_files = [], len(stub_files())
    monkeypatch.setattr(making, "stub_text", lambda name: made.append(name) or stub_text(name))
    texts = Stubs()
    assert ("attention" in texts, "transformer" in texts, len(texts), made) == (True, False, n_files, [])
    assert texts["attention"] == stub_text("attention")
    assert made == ["attention"]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_what_a_learner_writes_is_a_docstring_and_a_raise(exercise):
    for function in written_functions(ast.parse(stub_text(exercise)), tasks_of(exercise)):
        docstring, *rest = function.body
        assert isinstance(docstring, ast.Expr)
        assert [ast.unparse(statement) for statement in rest] == ["raise NotImplementedError"]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_signatures_and_docstrings_are_those_of_the_solution(exercise):
    def asked(text: str) -> list[tuple]:
        functions = written_functions(ast.parse(text), tasks_of(exercise))
        return [(f.name, ast.unparse(f.args), ast.unparse(f.returns), ast.get_docstring(f)) for f in functions]

    assert asked(stub_text(exercise)) == asked(reference_text(exercise))


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_numbered_steps_are_those_of_the_solution_at_the_indentation_of_the_body(exercise):
    steps = re.findall(r"^ +(# \d+\. .*)$", reference_text(exercise), re.MULTILINE)
    stub = stub_text(exercise)
    assert re.findall(r"^ +(# \d+\. .*)$", stub, re.MULTILINE) == steps
    assert {len(indent) for indent in re.findall(r"^( +)# \d", stub, re.MULTILINE)} <= {4, 8}


@pytest.mark.parametrize("exercise", EXERCISES)
def test_no_line_of_the_solution_is_left(exercise):
    solved = reference_text(exercise).splitlines()
    numbers = {
        number
        for function in written_functions(ast.parse("\n".join(solved)), tasks_of(exercise))
        for number in range(function.body[0].end_lineno + 1, function.end_lineno + 1)
    }
    given = {line.strip() for number, line in enumerate(solved, 1) if number not in numbers}
    code = {solved[number - 1].strip() for number in numbers} - given
    code = {line for line in code if line and not line.startswith("#")}
    assert code
    assert code.isdisjoint(line.strip() for line in stub_text(exercise).splitlines())


@pytest.mark.parametrize("exercise", EXERCISES)
def test_what_is_given_stays_as_it_is(exercise):
    def given(text: str) -> str:
        tree = ast.parse(text)
        tree.body.pop(0)  # the module's docstring
        for function in written_functions(tree, tasks_of(exercise)):
            del function.body[1:]
        return ast.unparse(tree)

    solved = reference_text(exercise).replace("\nfrom reference.", "\nfrom exercises.")
    assert given(stub_text(exercise)) == given(solved)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_top_of_a_file_says_how_it_is_checked(exercise):
    assert ast.get_docstring(ast.parse(stub_text(exercise))).endswith(
        "Yours to write: everything below that raises `NotImplementedError`.\n"
        f"`pytest graders/test_{exercise}.py` checks it; docs/exercises/{exercise}.md explains it."
    )


OBJECTS = {  # classes that are no modules, and what is first asked of them
    "KVCache": lambda do: do.KVCache.empty(config(CFG), 1),
    "AdamW": lambda do: do.AdamW([parameter(torch.ones(1))]).step(),
    "Tokenizer": lambda do: do.Tokenizer([]).encode(""),
}


VIT = {"image_size": 4, "patch_size": 2, "n_channels": 1, "n_classes": 2, "n_layers": 1, "n_heads": 1, "d_model": 2}
VIT_CONFIG = given("ViTConfig", VIT | {"d_head": 2, "d_mlp": 2}, file="patches")
CONFIGS = {"PatchEmbed": VIT_CONFIG, "ViT": VIT_CONFIG}  # of modules that are not made with a `GPTConfig`


@pytest.mark.parametrize(("exercise", "task"), TASKS)
def test_a_stub_is_told_from_a_mistake(exercise, task):
    transport = InProcess(Source(texts=stub_files()))
    is_class = isinstance(reference_task(exercise, task), type)
    nothing = (None,) * len(argument_names(exercise, task))
    request = Request(exercise, task, nothing, module=ModuleRequest(CONFIGS.get(task, CFG)) if is_class else None)
    if task in OBJECTS:
        steps, result = told(OBJECTS[task])
        request = Request(exercise, "", steps=steps, result=result)
    reply = transport.ask(request)
    transport.close()
    assert reply.failure is not None
    assert reply.failure.stage == "not_started"
    _file, line, function, _text = reply.failure.lines[-1]
    assert function.partition(".")[0] == task
    assert stub_text(exercise).splitlines()[line - 1].strip() == "raise NotImplementedError"


def test_a_file_that_is_given_is_the_same_under_its_new_name():
    stub = stub_text("config")
    given = "\n\nGiven: there is nothing to write in this file.\n"
    assert stub.replace(given, "") == reference_text("config")


def test_a_solved_file_that_the_index_does_not_know_is_not_handed_out():
    assert set(stub_files()) == {"__init__", *GIVEN, *EXERCISES}
    assert set(stub_files()) <= {path.stem for path in REFERENCE.glob("*.py")}


def test_the_package_lists_the_exercises_in_order_with_their_commands():
    commands = re.findall(r"^    (\w+) +pytest graders/test_(\w+)\.py$", stub_files()["__init__"], re.MULTILINE)
    assert commands == [(name, name) for name in EXERCISES]


def test_steps_keep_their_further_lines_and_leave_every_block():
    stub = without_solutions(SOLVED, ["nested"])
    assert stub[stub.index("def nested") :] == (
        "def nested(\n    a: int,\n) -> int:\n"
        '    """Ask for it.\n\n    In two paragraphs.\n    """\n'
        "    # 1. The first step\n\n"
        "    # 2. The second step, which goes on\n    #    in another line\n\n"
        "    raise NotImplementedError\n"
    )


def test_of_a_class_every_method_but_init_is_to_be_written():
    stub = without_solutions(SOLVED, ["Cache"])
    assert "        self.length_ = 0\n" in stub
    assert (
        '    @property\n    def length(self) -> int:\n        """How many."""\n        raise NotImplementedError\n'
        in stub
    )
    assert "return self.length_" not in stub


def test_what_is_no_task_keeps_its_code():
    assert without_solutions(SOLVED, []) == SOLVED


def test_a_task_that_the_solved_file_lacks_is_named():
    with pytest.raises(
        ValueError, match=r"^the solved file has no absent: the index and the file must name the same tasks$"
    ):
        without_solutions(SOLVED, ["nested", "absent"])


def test_a_task_without_a_docstring_is_named():
    with pytest.raises(ValueError, match=r"^given has no docstring: a stub shows it as what is asked for; write one$"):
        without_solutions(SOLVED, ["given"])


def test_missing_and_edited_files_differ_in_the_order_of_the_course():
    wanted = {"a": "1", "b": "2", "c": "3"}
    assert differing({"c": "3 and work", "b": "2", "else": ""}, wanted) == ["a", "c"]
