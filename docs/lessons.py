"""What the exercises' pages do not say twice: specifications from the stubs, and solutions from the solved files."""

import ast
from textwrap import dedent

from docs.regions import with_part
from graders.engine.course import Exercise
from graders.engine.layout import wrapped
from graders.engine.stubs import pieces
from graders.loop.files import solution_text
from graders.loop.specification import Function, rows_of, shapes_of, specification_of

WIDTH = 76  # of a signature: so much of it is seen without scrolling


def with_specifications(page: str, exercise: Exercise) -> str:
    """The text of an exercise's page with what each task asks written anew.

    Raises `ValueError` when it lacks one of a task's two marks.
    """
    for task in exercise.tasks:
        asked = specification(exercise.name, task.name)
        page = with_part(page, f"specification of {task.name}", asked, exercise.page)
    return page


def specification(exercise: str, task: str) -> str:
    """What a task asks, as Markdown: the signature, the axes and the docstring that are in its stub."""
    spec = specification_of(exercise, task)
    if not spec.heading:
        (function,) = spec.functions
        return _fenced(_shapes(function)) + f"\n**What is asked.** {function.docstring}\n"
    given = [spec.heading, *(["", *_dedented(rows_of(spec.given))] if spec.given else [])]
    asked = f"\n**What is asked.** {spec.docstring}\n"
    if len(spec.functions) == 1:
        (function,) = spec.functions
        return _fenced([*given, "", *_shapes(function)]) + asked + f"\n{function.docstring}\n"
    methods = [f"{_fenced(_shapes(function))}\n{function.docstring}\n" for function in spec.functions]
    return "\n".join([_fenced(given) + asked, *methods])


def _shapes(function: Function) -> list[str]:
    """A signature, and under it the axes of what goes in and what comes out."""
    first, *rest = wrapped(function.signature, WIDTH)
    return [first, *(f"    {line}" for line in rest), "", *_dedented(shapes_of(function))]


def _dedented(lines: list[str]) -> list[str]:
    return dedent("\n".join(lines)).strip("\n").splitlines()


def _fenced(lines: list[str]) -> str:
    return "\n".join(["```", *lines, "```", ""])


def solution_page(exercise: Exercise) -> str:
    """The solved file of an exercise as a page, marked as what it is and kept out of the search."""
    name, text = exercise.name, solution_text(exercise.name)
    anchors = {task.name: task.page for task in exercise.tasks}
    parts = [
        "---\nsearch:\n  exclude: true\n---\n",
        f"# {name}: the solution\n",
        f"**This is the solution of [{name}](../exercises/{name}.md), all of it.** What was only read is soon "
        "forgotten: read one task, close the page, then write your own. `headstart hint` may be enough, and a right "
        "answer may look different.\n",
        f"{ast.get_docstring(ast.parse(text))}\n",
    ]
    for task, code in pieces(text, anchors):
        if task:
            parts.append(f"## {task}\n\nWhat it has to do is on [its page](../exercises/{name}.md#{anchors[task]}).\n")
        elif len(parts) > 4:
            parts.append("## Given\n")
        parts.append(f"```python\n{code}\n```\n")
    return "\n".join(parts)
