"""The learner's files: one task put back to its stub, whatever is replaced kept as a backup, solutions read."""

import ast
import datetime
import io
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from graders.engine import journal
from graders.engine.course import load_course
from graders.engine.stubs import REFERENCE, stub_text

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Text:
    """A file's lines, ends of lines and all, and what they define."""

    lines: list[str]
    tree: ast.Module

    def places(self, name: str) -> list[slice]:
        """The lines of everything at the top of the file that gives this name a meaning, decorators included."""
        return [_lines_of(node) for node in self.tree.body if name in _names(node)]

    def trees(self, name: str) -> list[str]:
        """The code that these lines are, whatever their blanks and comments."""
        return [ast.dump(node) for node in self.tree.body if name in {bound for bound, _line in _bound_in(node)}]


def reset(exercise: str, task: str) -> Path:
    """Put a task's stub in the place of what the learner wrote, and nothing else; return where their file is kept.

    Raises `KeyError` when there is no such task, `ValueError`, with a line for the learner, when their file cannot be
    read or changed, and what `replace_file` raises.
    """
    load_course()[exercise].task(task)
    path = journal.EXERCISES / f"{exercise}.py"
    raw = _read(path)
    own, stub = _parsed(raw, exercise), _parsed(stub_text(exercise).encode(), exercise)
    backup = replace_file(path, "".join(_with_task(own, stub, task, exercise)).encode())
    assert backup is not None  # it was read above
    journal.forget(exercise, task)
    return backup


def replace_file(path: Path, content: bytes) -> Path | None:
    """Write a learner's file in one step, and keep the one that was there; return where it is, None if there was none.

    A link stays one, and the file behind it keeps its permissions. Raises `OSError`, with a line for the learner, when
    the file was left as it was.
    """
    whole = path.resolve()
    try:
        backup = back_up(path) if path.exists() else None
    except OSError as error:
        told = f"{shown_path(path)} was left as it was, since no copy of it could be kept: {error.strerror or error}"
        raise OSError(told) from error
    written = whole.with_name(f".{whole.name}.{os.getpid()}")
    try:
        whole.parent.mkdir(parents=True, exist_ok=True)
        written.write_bytes(content)
        if backup:
            shutil.copymode(whole, written)
        written.replace(whole)
    except OSError as error:
        if written.is_file():
            written.unlink()
        kept = f" (a copy is {shown_path(backup)})" if backup else ""
        was = f"so it is as it was{kept}" if backup else "so it is not there"
        raise OSError(f"{shown_path(path)} could not be written, {was}: {error.strerror or error}") from error
    return backup


def back_up(path: Path) -> Path:
    """Keep a learner's file, to the byte, under its name and the time; return where. Raises `OSError`."""
    content = path.read_bytes()
    folder = journal.HOME / "backups"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{path.stem}-{datetime.datetime.now():%Y%m%d-%H%M%S}"
    for further in ("", *(f"-{n}" for n in range(2, 1000))):  # several in one second
        backup = folder / f"{name}{further}{path.suffix}"
        try:
            file = backup.open("xb")
        except FileExistsError:
            continue
        try:
            with file:
                file.write(content)
        except OSError:
            backup.unlink()  # half a copy is none
            raise
        return backup
    raise FileExistsError(f"{folder} has a thousand backups of this second; move them elsewhere")


def shown_path(path: Path) -> str:
    """A file as a screen names it: from the course's folder, or from here, where that is shorter."""
    whole = path.parent.resolve() / path.name
    for base in (journal.HOME.parent.resolve(), Path.cwd()):
        if whole.is_relative_to(base):
            return whole.relative_to(base).as_posix()
    return str(path)


def solution_text(exercise: str, task: str | None = None) -> str:
    """The solved file, or one task of it, as it would stand in `exercises/`. Raises `KeyError`."""
    text = (REFERENCE / f"{exercise}.py").read_text(encoding="utf-8")
    if task is not None:
        load_course()[exercise].task(task)
        solved = _parsed(text.encode(), exercise)
        return "".join(solved.lines[solved.places(task)[0]])
    return with_own_imports(text)


def with_own_imports(text: str) -> str:
    """A solved file's text, whose imports are those of a file in `exercises/`."""
    return re.sub(rf"^from {REFERENCE.name}\b", "from exercises", text, flags=re.MULTILINE)


def tasks_written_in(path: Path, exercise: str) -> list[str]:
    """The tasks that are not their stubs any more in a learner's file; all, if Python cannot read it.

    Raises `OSError` when the file is there and cannot be read.
    """
    if not path.exists():
        return []
    tasks = [task.name for task in load_course()[exercise].tasks]
    try:
        own, stub = (_parsed(raw, exercise) for raw in (path.read_bytes(), stub_text(exercise).encode()))
    except ValueError:
        return tasks
    return [task for task in tasks if own.trees(task) not in ([], stub.trees(task))]


def _with_task(own: Text, stub: Text, task: str, exercise: str) -> list[str]:
    """The learner's lines with the task's stub in its place."""
    end = "\r\n" if own.lines and own.lines[0].endswith("\r\n") else "\n"
    wanted = [line.rstrip("\r\n") + end for line in stub.lines[stub.places(task)[0]]]
    places, lines = own.places(task), list(own.lines)
    for node in own.tree.body:
        inside = [line for name, line in _bound_in(node) if name == task and task not in _names(node)]
        if inside:
            raise ValueError(
                f"exercises/{exercise}.py has {task} inside another statement (line {inside[0]}); take it out, then "
                "try again"
            )
    if not places:
        return _inserted(own, stub, task, wanted, end)
    for node in own.tree.body:
        here = _lines_of(node)
        if task not in _names(node) and any(p.start < here.stop and here.start < p.stop for p in places):
            raise ValueError(
                f"exercises/{exercise}.py has {task} on one line with something else; "
                "put each on lines of its own, then try again"
            )
    for place in reversed(places[1:]):  # defined more than once: the stub alone is to stay
        del lines[place]
    lines[places[0]] = wanted
    return lines


def _inserted(own: Text, stub: Text, task: str, wanted: list[str], end: str) -> list[str]:
    """The learner's lines with a task that they lack, between what stands around it in the stub."""
    names = [name for node in stub.tree.body for name in _names(node)]
    before, after = names[: names.index(task)], names[names.index(task) + 1 :]
    earlier = [places[-1] for places in map(own.places, before) if places]
    later = [places[0] for places in map(own.places, after) if places]
    if earlier:
        at = max(place.stop for place in earlier)
    else:
        at = min((place.start for place in later), default=len(own.lines))
    head, rest = _without_blank_end(own.lines[:at], end), own.lines[at:]
    gap = [end, end]
    while rest and not rest[0].strip():
        rest = rest[1:]
    return [*head, *(gap if head else []), *wanted, *([*gap, *rest] if rest else [])]


def _without_blank_end(lines: list[str], end: str) -> list[str]:
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return [*lines[:-1], lines[-1].rstrip("\r\n") + end] if lines else []


def _lines_of(node: ast.stmt) -> slice:
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    return slice(first - 1, node.end_lineno)


def _names(node: ast.stmt) -> list[str]:
    """The names that a statement at the top of a file is there for; imports aside."""
    if isinstance(node, Definition):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)] if len(targets) == 1 else []


def _bound_in(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that a statement gives a meaning to, imports and inner blocks included, and the line where."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield node.name, node.lineno
            return  # names inside are its own
        case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            return
        case ast.alias():
            yield node.asname or node.name.partition(".")[0], node.lineno
        case ast.Name(ctx=ast.Store()):
            yield node.id, node.lineno
    for inner in ast.iter_child_nodes(node):
        yield from _bound_in(inner)


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise ValueError(
            f"exercises/{path.name} is not there, so there is nothing to put back; `headstart stubs` writes it"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{shown_path(path)} could not be read: {error.strerror or error}") from error


def _parsed(raw: bytes, exercise: str) -> Text:
    try:
        text, tree = raw.decode("utf-8"), ast.parse(raw)
    except (SyntaxError, ValueError) as error:  # a file that holds a null is a ValueError to some Pythons
        told = f"line {error.lineno}, {error.msg}" if isinstance(error, SyntaxError) and error.lineno else str(error)
        told = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else told
        raise ValueError(
            f"exercises/{exercise}.py cannot be read by Python ({told}), so one task cannot be told from another; "
            f"mend it, or start the whole file over: `headstart stubs {exercise} --force` (yours is kept as a backup)"
        ) from error
    return Text(list(io.StringIO(text, newline="")), tree)
