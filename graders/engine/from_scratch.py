"""The law that a task does not call the library function which it is there to build.

It looks at what ran, however it was spelled (an alias, a method, an `nn` module, `torch.ops`), and reads the source
for what did not run on the cases that are watched. The index names, for each exercise, the forbidden operations.
"""

import ast
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from graders.engine.course import FROM_SCRATCH, load_course
from graders.engine.law import Broken, Law, laws_for
from graders.engine.space import Case, Fixed, Space
from graders.engine.subject import Subject, both

FEW = 2  # cases of each law: watching makes a call five times slower


def from_scratch(exercise: str, task: str) -> Callable:
    """A test that a task calls no operation that the index forbids for its exercise.

    It replays the task's other laws on a few cases, looks at the operations that ran, and reads the file for those
    that did not. The patterns are those of `forbidden` in the exercise's entry of the index: bare names of operations,
    with `*` for any part, such as `*softmax*`.
    """

    def check(subject: Subject, reference: Subject, case: Case) -> None:
        written = names_of_library(subject.transport.source.read(exercise))
        for operation in [*operations(exercise, task, subject), *sorted(written)]:
            for pattern in load_course()[exercise].forbidden:
                if fnmatchcase(operation, pattern):
                    raise Broken("library", what=operation)

    def run(judge):
        judge.hold(test.law)

    test: Any = run
    name = f"test_{_snake_case(task)}_is_from_scratch"
    test.law = Law(name, exercise, task, FROM_SCRATCH, check, Fixed(lambda where: [Case(0, {})]))
    test.__doc__ = FROM_SCRATCH
    return test


def operations(exercise: str, task: str, subject: Subject) -> Iterator[str]:
    """The bare names of all library operations that ran while the task's laws were replayed."""
    seen: set[str] = set()
    laws = [law for law in laws_for(exercise) if law.task == task and law.statement != FROM_SCRATCH]
    for law in laws:
        for case in islice(_cases(law), FEW):
            options = {"device": subject.device, "chance": subject.chance}
            watched, reference = both(exercise, case, subject.transport, watch=True, **options)
            with suppress(Broken):  # whatever is wrong with the result has a law of its own
                law.check(watched, reference, case)
            for reply in watched.replies:
                seen.update(reply.operations)
    yield from sorted(name.strip("_") for name in seen)


def _cases(law: Law) -> Iterator[Case]:
    return law.cases.ladder() if isinstance(law.cases, Space) else iter(law.cases.load(None))


def names_of_library(text: str) -> set[str]:
    """What a file names of torch, bare and in snake case: `F.layer_norm`, `nn.LayerNorm` both as `layer_norm`."""
    tree = ast.parse(text)
    roots, names = {"torch"}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {a.asname for a in node.names if a.asname and a.name.partition(".")[0] == "torch"}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "torch":
            roots |= {a.asname or a.name for a in node.names}
            names |= {a.name for a in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _root(node) in roots:
            names.add(node.attr)
    return {_snake_case(name) for name in names}


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
