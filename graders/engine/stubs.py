"""Generates the files in `exercises/` from the solved ones: what a learner starts from.

Of every task the signature, the docstring and the numbered comments stay, and `raise NotImplementedError` takes
the place of the code. Whatever is no task is given, and stays as it is.
"""

import ast
import functools
import io
import re
import tokenize
from collections.abc import Collection, Iterator, Mapping

from graders.engine.course import ROOT, Exercise, load_course

REFERENCE = ROOT / "reference"
GIVEN = ("config", "chain")  # named one by one: a new solved file that the index forgot must not be handed out whole
INIT = "__init__"
GIVEN_CLOSING = "Given: there is nothing to write in this file."
STEP = re.compile(r"# \d+\. ")


def stub_files() -> dict[str, str]:
    """The text of every file in `exercises/`, by module name.

    Raises `ValueError` when the index and the solved files do not agree.
    """
    return dict(Stubs())


class Stubs(Mapping[str, str]):
    """What `stub_files` gives, each text made when it is asked for: most runs need none, and all take a while.

    A process that is forked from this one makes them there.
    """

    def __init__(self) -> None:
        self.names = (INIT, *GIVEN, *(exercise.name for exercise in load_course().exercises))

    def __getitem__(self, name: str) -> str:
        return _package_text(load_course().exercises) if name == INIT else stub_text(name)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


@functools.cache
def stub_text(exercise: str) -> str:
    """The text of one exercise's stub; that of a given file is the file itself, under its new name.

    Raises `KeyError`, with the names there are, when there is no such exercise, and `ValueError` when the solved
    file lacks one of its tasks or a task lacks its docstring.
    """
    if exercise in GIVEN:
        return _as_exercise(_solved_text(exercise), GIVEN_CLOSING)
    entry = load_course()[exercise]
    closing = (
        "Yours to write: everything below that raises `NotImplementedError`.\n"
        f"`pytest graders/test_{exercise}.py` checks it; {entry.page} explains it."
    )
    return _as_exercise(without_solutions(_solved_text(exercise), [task.name for task in entry.tasks]), closing)


def differing(texts: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Names of the wanted files that are missing from `texts` or say something else, in order."""
    return [name for name, text in wanted.items() if texts.get(name) != text]


def without_solutions(text: str, tasks: Collection[str]) -> str:
    """A solved file with the code of its tasks taken out.

    A task is a function, or a class, of which every method but `__init__` is to be written. Raises `ValueError`
    when the file lacks a task or a task lacks its docstring.
    """
    lines, comments = text.splitlines(), _own_line_comments(text)
    for function in reversed(list(functions_to_write(ast.parse(text), tasks))):
        docstring = function.body[0]
        if ast.get_docstring(function) is None:
            raise ValueError(f"{function.name} has no docstring: a stub shows it as what is asked for; write one")
        body = range(_last_line(docstring) + 1, _last_line(function) + 1)
        scaffold = _scaffold([comments.get(number, "") for number in body])
        indent = " " * docstring.col_offset
        lines[body.start - 1 : body.stop - 1] = [indent + line if line else "" for line in scaffold]
    return "\n".join(lines) + "\n"


def pieces(text: str, tasks: Collection[str]) -> list[tuple[str, str]]:
    """A file's code without its docstring, in order: each task under its name, what stands between under none."""
    lines, docstring = text.splitlines(), ast.parse(text).body[0]
    found: list[tuple[str, list[str]]] = []
    begin = docstring.end_lineno or 0
    for node in ast.parse(text).body[1:]:
        end = node.end_lineno or 0
        name = node.name if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in tasks else ""
        if not found or name or found[-1][0]:
            found.append((name, []))
        found[-1][1].extend(lines[begin:end])
        begin = end
    return [(name, "\n".join(piece).strip("\n")) for name, piece in found]


def functions_to_write(tree: ast.Module, tasks: Collection[str]) -> Iterator[ast.FunctionDef]:
    """The functions and methods of the tasks, from top to bottom."""
    found = {node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    missing = [task for task in tasks if task not in found]
    if missing:
        raise ValueError(
            f"the solved file has no {', '.join(missing)}: the index and the file must name the same tasks"
        )
    for name, node in found.items():
        if name not in tasks:
            continue
        members = [node] if isinstance(node, ast.FunctionDef) else node.body
        yield from (m for m in members if isinstance(m, ast.FunctionDef) and m.name != "__init__")


def _scaffold(comments: list[str]) -> list[str]:
    """The numbered steps among a body's comments, room to write after each, and the raise that a learner replaces."""
    lines: list[str] = []
    in_step = False
    for comment in comments:
        starts = STEP.match(comment) is not None
        in_step = starts or (in_step and comment != "")
        if starts and lines:
            lines.append("")
        if in_step:
            lines.append(comment)
    return [*lines, "", "raise NotImplementedError"] if lines else ["raise NotImplementedError"]


def _own_line_comments(text: str) -> dict[int, str]:
    """The comments that have a line to themselves, by line number."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {
        token.start[0]: token.string
        for token in tokens
        if token.type == tokenize.COMMENT and token.line.lstrip().startswith("#")
    }


def _as_exercise(text: str, closing: str) -> str:
    """A file under its new name: its imports turned, and a last paragraph in the module's docstring."""
    tree, lines = ast.parse(text), text.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == REFERENCE.name:
            lines[node.lineno - 1] = lines[node.lineno - 1].replace(f"from {REFERENCE.name}", "from exercises", 1)
    end = _last_line(tree.body[0]) - 1
    last = lines[end].removesuffix('"""')
    lines[end : end + 1] = [*([last] if last else []), "", *closing.splitlines(), '"""']
    return "\n".join(lines) + "\n"


def _package_text(exercises: Collection[Exercise]) -> str:
    width = max(len(exercise.name) for exercise in exercises)
    rows = [f"    {e.name:{width}}  pytest graders/test_{e.name}.py" for e in exercises]
    return "\n".join(
        [
            '"""What you write: one file for each exercise, in this order, each beside the command that checks it.',
            "",
            *rows,
            "",
            "Read the page of the first in docs/exercises/, open the file, put your code in place of a",
            "`raise NotImplementedError`, run the command, and read what it says.",
            '"""',
            "",
        ]
    )


def _solved_text(name: str) -> str:
    return (REFERENCE / f"{name}.py").read_text(encoding="utf-8")


def _last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno
