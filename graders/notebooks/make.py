"""An exercise as a notebook, from the same sources as everything else: its page, and its stub or its solved file.

The page comes first, up to its tasks; then the code, a cell a task with the task's section above it; the last cell
grades what was run. The same sources give the same notebook, to the byte.
"""

import ast
import re
from dataclasses import dataclass

import jupytext
from nbformat import NotebookNode

from graders.engine.course import INSTALL, Exercise, load_course, sections
from graders.engine.stubs import REFERENCE, stub_text

BEFORE_CODING = ("check-yourself-before-coding", "source")  # sections that a page has after its tasks
EDIT = re.compile(r"\*\*Edit\*\* `exercises/\w+\.py`\. (.*)\n\*\*Run\*\*\n\n```\npytest [^\n]*\n```\n")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(#[^)\s]*)?\)")
CHECK = f"""\
# Run this cell first: it says what to do if the Python of this notebook does not have the course
import sys
from importlib.util import find_spec

if find_spec("graders") is None:
    raise ModuleNotFoundError(
        f"this notebook runs on {{sys.executable}}, which does not have the course. Choose the Python that has it as "
        f'the kernel, or run, in the folder of the course:  "{{sys.executable}}" -m pip install {INSTALL}'
    )"""


@dataclass(frozen=True)
class Cell:
    """One cell; the same name in every notebook of an exercise."""

    name: str
    text: str
    is_code: bool = False


def make_notebook(exercise: str, is_solved: bool, docs: str) -> NotebookNode:
    """The notebook of an exercise: the template, or the solved one. `docs` is where its links find the pages.

    Raises `KeyError` when there is no such exercise, and `ValueError` when its page lacks what a notebook shows.
    """
    cells = _cells(load_course()[exercise], is_solved, docs)
    notebook = jupytext.reads("\n\n".join(map(_as_percent, cells)) + "\n", fmt="py:percent")
    for made, cell in zip(notebook.cells, cells, strict=True):
        made["id"] = cell.name
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def _cells(exercise: Exercise, is_solved: bool, docs: str) -> list[Cell]:
    by_anchor = sections(_linked(_for_a_notebook(exercise.page_text, exercise.name, is_solved), exercise.name, docs))
    of_tasks = {task.page: task.name for task in exercise.tasks}
    first = next(i for i, anchor in enumerate(by_anchor) if anchor in of_tasks)
    preface = [anchor for i, anchor in enumerate(by_anchor) if i < first or anchor in BEFORE_CODING]
    cells = [Cell("page", "\n\n".join(by_anchor[anchor] for anchor in preface)), Cell("course", CHECK, True)]
    text = (REFERENCE / f"{exercise.name}.py").read_text(encoding="utf-8") if is_solved else stub_text(exercise.name)
    anchors = {name: anchor for anchor, name in of_tasks.items()}
    n_given = 0
    for task, code in _pieces(text, list(anchors)):
        if task:
            cells += [Cell(f"{task}-page", by_anchor[anchors[task]]), Cell(task, code, True)]
            continue
        n_given += 1
        title = "Imports, and what is given" if n_given == 1 else "Given"
        cells += [
            Cell(f"given-{n_given}-page", f"## {title}\n\nThere is nothing to write in this cell, but run it."),
            Cell(f"given-{n_given}", code, True),
        ]
    rest = [text for anchor, text in by_anchor.items() if anchor not in (*preface, *of_tasks)]
    return [*cells, *(Cell(f"rest-{i}", text) for i, text in enumerate(rest, 1)), *_grading(exercise.name, is_solved)]


def _grading(exercise: str, is_solved: bool) -> list[Cell]:
    said = (
        "## Grade\n\n"
        f"The last cell grades what you *ran* above, in its newest form, with the laws of `pytest "
        f"graders/test_{exercise}.py`, in a process of its own. What the exercise imports from earlier ones comes "
        f"from your files in `exercises/`."
    )
    if is_solved:
        said = (
            "## Grade\n\nThe last cell grades what was run above, as it does in the template, beside the other "
            "solved files."
        )
    code = f'from graders.notebooks import grade, keep\n\ngrade("{exercise}")'
    if is_solved:
        code = f'from graders.notebooks import grade\n\ngrade("{exercise}", beside="{REFERENCE.name}")'
    return [Cell("grade-page", said), Cell("grade", code, True)]


def _for_a_notebook(page: str, exercise: str, is_solved: bool) -> str:
    """A page that says where to write: in the notebook."""
    note = (
        f"**This is the solution**, cell by cell: `reference/{exercise}.py`, with the sections of its page. The "
        f"notebook to write in is made by `headstart notebook {exercise}`.\n"
        if is_solved
        else "**Write** in the cells below. \\1\n**Run** what you wrote, then the last cell, which grades it.\n"
    )
    page, n_found = EDIT.subn(note, page)
    if n_found != 1:
        raise ValueError(f"docs/exercises/{exercise}.md: expected `**Edit** ...` and `**Run** ...` once, as others do")
    return page


def _linked(page: str, exercise: str, docs: str) -> str:
    """A page whose links lead to the pages, from wherever the notebook lies."""

    def link(found: re.Match) -> str:
        file, anchor = found[1] or f"{exercise}.md", found[2] or ""
        return f"]({docs}/{file.removeprefix('../') if file.startswith('../') else f'exercises/{file}'}{anchor})"

    return LINK.sub(link, page)


def _pieces(text: str, tasks: list[str]) -> list[tuple[str, str]]:
    """A file's code without its docstring, in order: each task under its name, what stands between under none."""
    lines, docstring = text.splitlines(), ast.parse(text).body[0]
    pieces: list[tuple[str, list[str]]] = []
    begin = docstring.end_lineno or 0
    for node in ast.parse(text).body[1:]:
        end = node.end_lineno or 0
        name = node.name if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in tasks else ""
        if not pieces or name or pieces[-1][0]:
            pieces.append((name, []))
        pieces[-1][1].extend(lines[begin:end])
        begin = end
    return [(name, "\n".join(piece).strip("\n")) for name, piece in pieces]


def _as_percent(cell: Cell) -> str:
    if cell.is_code:
        return f"# %%\n{cell.text}"
    return "# %% [markdown]\n" + "\n".join(f"# {line}".rstrip() for line in cell.text.splitlines())
