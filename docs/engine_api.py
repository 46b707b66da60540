"""The API of the engine as authors use it, written into `docs/engine.md` from the docstrings by `headstart site`.

A test holds that every name which the graders import is here, and that each has a docstring.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterable
from textwrap import dedent
from typing import Any

from docs.regions import with_part
from graders.engine.from_scratch import from_scratch
from graders.engine.law import Broken, expect_equal, expect_figure, expect_refusal, expect_refusals, law, same_values
from graders.engine.misconception import Misconception, Variant
from graders.engine.script import (
    Handle,
    Teller,
    config,
    default_generator,
    folder,
    generator,
    given,
    module,
    optimizer,
    parameter,
    path,
    probe,
)
from graders.engine.space import Case, Fixed, Space, fixed, given_case, space
from graders.engine.subject import Module, Subject, form_differences
from graders.engine.worker.codec import Opaque
from graders.engine.worker.folder import Folder
from graders.engine.worker.messages import Request
from graders.engine.worker.perform import cotangent
from graders.engine.worker.probes import KINDS, build
from graders.weights.layers import layer_case, layer_cases, model_case

# By part of the page: what is described, in the order in which an author meets it
PARTS: dict[str, tuple[Callable[..., Any], ...]] = {
    "laws": (law, expect_equal, expect_figure, expect_refusal, expect_refusals, from_scratch, same_values, Broken),
    "spaces": (space, Case, given_case, fixed, Space, Fixed),
    "subjects": (Subject, Module, cotangent),
    "stories": (Teller, Handle),
    "descriptions": (
        *(generator, default_generator, given, config, module, parameter, optimizer, path, folder, probe),
        Folder,
    ),
    "probes": tuple(KINDS.values()),
    "mistakes": (Misconception, Variant),
    "checkpoints": (layer_cases, layer_case, model_case),
    "rest": (Request, form_differences, Opaque, build),
}
MADE = (Misconception, Variant, Broken, Request)  # by authors themselves, so that their fields are of interest
SPOKEN = {Case: "case", Subject: "subject", Module: "module", Teller: "do", Handle: "handle", Folder: "folder"}


def with_api(page: str) -> str:
    """The text of `docs/engine.md` with all its parts written anew.

    Raises `ValueError` when it lacks one of their marks, or something described has no docstring.
    """
    for name, described in PARTS.items():
        page = with_part(page, f"API of {name}", "\n".join(map(entry, described)), "engine.md")
    return page


def entry(described: Callable[..., Any]) -> str:
    """One function or class, with the methods that are for others, as Markdown."""
    name = described.__name__
    lines = [f"### {name}\n"]
    if not inspect.isclass(described):
        return "\n".join([*lines, _fenced(_signature(described, name)), f"{_said(described)}\n"])
    kinds = [kind for kind, probe_class in KINDS.items() if probe_class is described]
    if kinds:
        first, *rest = _signature(described.__init__, "")
        lines += [_fenced([f'probe("{kinds[0]}", {first[1:]}'.rstrip(), *rest])]
    elif described in MADE:
        lines += [_fenced([f"{name}(", *_fields(described), ")"])]
    lines += [f"{_said(described)}\n"]
    for method, function in () if kinds else _methods(described):
        lines += [
            _fenced(_signature(function, f"{SPOKEN.get(described, name.lower())}.{method}")),
            f"{_said(function)}\n",
        ]
    return "\n".join(lines)


def names_described() -> set[str]:
    """The names of all that is described, methods as `Case.tensor`."""
    classes = [each for part in PARTS.values() for each in part]
    methods = {f"{each.__name__}.{name}" for each in classes if inspect.isclass(each) for name, _f in _methods(each)}
    return {each.__name__ for each in classes} | methods


def _methods(described: type) -> Iterable[tuple[str, Callable[..., Any]]]:
    """The methods for others that stand in a class's own body, in their order."""
    return [(name, f) for name, f in vars(described).items() if inspect.isfunction(f) and not name.startswith("_")]


def _said(described: Callable[..., Any]) -> str:
    """A docstring. Raises `ValueError` when there is none; that of a dataclass, which Python makes up, is none."""
    text = inspect.cleandoc(described.__doc__ or "")
    if not text or text.startswith(f"{described.__name__}("):
        raise ValueError(f"{described.__qualname__} has no docstring, which docs/engine.md would show; write one")
    return text


def _signature(function: Callable[..., Any], called: str) -> list[str]:
    """The lines of a function's head as its source has them, without `self`; `called` stands in place of its name."""
    lines = dedent(inspect.getsource(function)).splitlines()
    (node,) = ast.parse("\n".join(lines)).body
    assert isinstance(node, ast.FunctionDef)
    head = "\n".join(lines[node.lineno - 1 : node.body[0].lineno - 1])
    without_self = re.sub(r"^def \w+|self, |\bself\b(?=\))| *self,\n|:$", "", head)
    return (called + re.sub(r'-> "(\w+)"', r"-> \1", without_self)).splitlines()


def _fields(described: type) -> list[str]:
    """The fields of a dataclass, as its source has them, comments and all."""
    lines = dedent(inspect.getsource(described)).splitlines()
    (node,) = ast.parse("\n".join(lines)).body
    assert isinstance(node, ast.ClassDef)
    return [lines[field.lineno - 1] for field in node.body if isinstance(field, ast.AnnAssign)]


def _fenced(lines: list[str]) -> str:
    return "\n".join(["```", *lines, "```", ""])
