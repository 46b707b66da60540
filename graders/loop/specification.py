"""What is asked of a task, read from texts alone: its stub, the sentences of its laws, its page."""

import ast
import functools
import html
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from graders.engine.course import FROM_SCRATCH, ROOT, Exercise, load_course, sections
from graders.engine.layout import wrapped
from graders.engine.stubs import GIVEN, STEP, functions_to_write, stub_text
from graders.loop.shapes import Aliases, aliases_in, drawn, given_parts

QUESTION = re.compile(r"<details><summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
WIDEST = 70  # columns of a shape that has an arrow beside it


@dataclass(frozen=True)
class Function:
    """A function, or a method, that a learner writes."""

    signature: str  # without annotations: `attention_scores(q, k)`
    arguments: tuple[tuple[str, str], ...]  # name and shape
    result: str  # its shape
    docstring: str
    steps: tuple[str, ...]  # the numbered comments of the stub


@dataclass(frozen=True)
class Specification:
    """All that is asked of a task."""

    exercise: str
    task: str
    heading: str  # of a class, its first line and its docstring; empty for a function
    docstring: str
    given: tuple[tuple[str, str], ...]  # of a class: what its `__init__` makes, by name
    functions: tuple[Function, ...]
    laws: tuple[str, ...]  # a sentence each
    page: str


@functools.cache
def specification_of(exercise: str, task: str) -> Specification:
    """Read what is asked of a task. Raises `KeyError` when there is no such task."""
    anchor = load_course()[exercise].task(task).page
    text = stub_text(exercise)
    tree = ast.parse(text)
    aliases = _all_aliases(tree)
    node = next(n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name == task)
    functions = tuple(_function(f, text, aliases) for f in functions_to_write(tree, [task]))
    is_class = isinstance(node, ast.ClassDef)
    return Specification(
        exercise,
        task,
        _class_line(node) if isinstance(node, ast.ClassDef) else "",
        (ast.get_docstring(node) or "") if is_class else functions[0].docstring,
        tuple(given_parts(node, aliases)) if isinstance(node, ast.ClassDef) else (),
        functions,
        tuple(statement for law_task, statement in laws_in(exercise).values() if law_task == task),
        f"{load_course()[exercise].page}#{anchor}",
    )


@functools.cache
def laws_in(exercise: str) -> dict[str, tuple[str, str]]:
    """The laws of an exercise, read from its grader's text: name -> task and sentence."""
    laws: dict[str, tuple[str, str]] = {}
    for node in ast.parse((ROOT / "graders" / f"test_{exercise}.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            calls = [d for d in node.decorator_list if isinstance(d, ast.Call) and ast.unparse(d.func) == "law"]
            if calls and isinstance(calls[0].args[0], ast.Constant):
                first = (ast.get_docstring(node) or "").split("\n\n")[0]
                laws[node.name] = str(calls[0].args[0].value), " ".join(first.split())
        elif isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("from_scratch("):
            assert isinstance(node.value, ast.Call)
            laws[ast.unparse(node.targets[0])] = ast.literal_eval(node.value.args[1]), FROM_SCRATCH
    return laws


def first_question(exercise: str, task: str) -> tuple[str, str] | None:
    """The first question of a task's section on its page, and the answer that is folded there."""
    entry = load_course()[exercise]
    page = sections(entry.page_text)
    found = QUESTION.search(page.get(entry.task(task).page, ""))
    if found is None:
        return None
    question, answer = (" ".join(html.unescape(part).split()) for part in found.groups())
    return question, answer


def show_lines(spec: Specification, state: str) -> list[str]:
    """What is asked of a task, on one screen: shapes drawn, then words, then laws."""
    lines = [f"{spec.exercise} · {spec.task}".ljust(50) + state]
    if spec.heading:
        lines += ["", f"  {spec.heading}", *_indented(spec.docstring)]
        lines += ["", *_rows(spec.given)] if spec.given else []
    for function in spec.functions:
        first, *rest = wrapped(function.signature)
        lines += ["", f"  {first}", *(f"      {line}" for line in rest)]
        lines += [*_picture(function), *_indented(function.docstring)]
    laws = [line for law in spec.laws for line in _item(law)]
    return [*lines, "", "  What must hold", *laws, "", f"  More: {spec.page}"]


def _item(text: str) -> list[str]:
    """A line of a list, and those that it goes on in."""
    first, *rest = wrapped(text)
    return [f"  - {first}", *(f"    {line}" for line in rest)]


def show_data(spec: Specification, state: str) -> dict[str, Any]:
    """What `show_lines` says, for a program."""
    return {"state": state} | asdict(spec)


def overview_lines(exercise: Exercise, states: Mapping[str, str]) -> list[str]:
    """What an exercise is, and each of its tasks in a line or two."""
    module = ast.get_docstring(ast.parse(stub_text(exercise.name))) or ""
    lines = [exercise.name.ljust(50) + f"{exercise.minutes} minutes, difficulty {exercise.difficulty} of 5"]
    lines += [f"  {line}" for line in wrapped(module.split("\n\n")[0])]
    for task in exercise.tasks:
        spec = specification_of(exercise.name, task.name)
        lines += ["", f"  {task.name}".ljust(50) + states[task.name]]
        lines += [f"    {line}" for line in wrapped(spec.docstring.split("\n\n")[0])]
    return [*lines, "", f"  One task: headstart show {exercise.name} TASK   ·   More: {exercise.page}"]


def overview_data(exercise: Exercise, states: Mapping[str, str]) -> dict[str, Any]:
    """What an exercise is and all that its tasks ask, for a program."""
    tasks = [show_data(specification_of(exercise.name, task.name), states[task.name]) for task in exercise.tasks]
    return {"exercise": exercise.name, "page": exercise.page, "tasks": tasks}


def _function(node: ast.FunctionDef, text: str, aliases: Aliases) -> Function:
    arguments = [a for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs) if a.arg not in OWN]
    lines = text.splitlines()[node.lineno : node.end_lineno]
    comments = [line.strip() for line in lines if STEP.match(line.strip())]
    result = drawn(node.returns, aliases) if node.returns else "nothing"
    return Function(
        _signature(node),
        tuple((a.arg, drawn(a.annotation, aliases)) for a in arguments),
        "nothing" if result == "None" else result,
        ast.get_docstring(node) or "",
        tuple(comment.removeprefix("# ") for comment in comments),
    )


OWN = ("self", "cls")


def _signature(node: ast.FunctionDef) -> str:
    bare = ast.parse(ast.unparse(node.args).join(("def f(", "): ..."))).body[0]
    assert isinstance(bare, ast.FunctionDef)
    for argument in ast.walk(bare.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    bare.args.args = [argument for argument in bare.args.args if argument.arg not in OWN]
    if any(ast.unparse(decorator) == "property" for decorator in node.decorator_list):
        return f"{node.name}, a property"
    return f"{node.name}({ast.unparse(bare.args)})"


def _class_line(node: ast.ClassDef) -> str:
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    return f"class {node.name}({bases})" if bases else f"class {node.name}"


def _all_aliases(tree: ast.Module) -> dict[str, ast.expr]:
    """Names of annotations, those that come from other exercises included."""
    found = aliases_in(tree)
    known = (*GIVEN, *(exercise.name for exercise in load_course().exercises))
    for node in tree.body:
        module = (node.module or "").removeprefix("exercises.") if isinstance(node, ast.ImportFrom) else ""
        if module in known and isinstance(node, ast.ImportFrom):
            theirs = aliases_in(ast.parse(stub_text(module)))
            found |= {a.asname or a.name: theirs[a.name] for a in node.names if a.name in theirs}
    return found


def _picture(function: Function) -> list[str]:
    """The shapes of what goes in, and an arrow to the shape of what comes out."""
    rows = [*function.arguments, ("result", function.result)]
    name, shape = (max(len(row[column]) for row in rows) for column in (0, 1))
    shape = min(shape, WIDEST)
    arrows = [*["--+"] * len(function.arguments), "<-+" if function.arguments else "<--"]
    drawn_rows = [f"    {n:{name}}   {s:{shape}}  {arrow}" for (n, s), arrow in zip(rows, arrows, strict=True)]
    return ["", *drawn_rows, ""]


def _rows(rows: tuple[tuple[str, str], ...]) -> list[str]:
    name = max(len(row[0]) for row in rows)
    return [f"    {n:{name}}   {s}" for n, s in rows]


def _indented(text: str) -> list[str]:
    return [f"  {line}".rstrip() for line in text.splitlines()]
