"""The law that a task does not call the library function which it is there to build.

It looks at what ran, not at how it was spelled: an alias, a method, an `nn` module and `torch.ops` are all
seen. The index names, for each exercise, the operations that are forbidden.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import islice
from typing import Any

from graders.engine.course import load_course
from graders.engine.law import Broken, Law, laws_for
from graders.engine.space import Case, Fixed, Space
from graders.engine.subject import Subject

STATEMENT = "What this task builds is built here, not called from a library."
CASES = 3  # of each law: watching makes a call five times slower


def from_scratch(exercise: str, task: str) -> Callable:
    """A test that replays the task's other laws on a few cases and looks at the operations that ran."""

    def check(subject: Subject, reference: Subject, case: Case) -> None:
        for operation in operations(exercise, task, subject, reference):
            for pattern in load_course()[exercise].forbidden:
                if fnmatchcase(operation, pattern):
                    raise Broken("library", what=operation)

    def run(judge):
        judge.hold(test.law)

    test: Any = run
    name = f"test_{_snake_case(task)}_is_from_scratch"
    test.law = Law(name, exercise, task, STATEMENT, check, Fixed(lambda where: [Case(0, {})]))
    test.__doc__ = STATEMENT
    return test


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def operations(exercise: str, task: str, subject: Subject, reference: Subject) -> Iterator[str]:
    """The bare names of all library operations that ran while the task's laws were replayed."""
    seen: set[str] = set()
    for law in laws_for(exercise):
        if law.task == task and isinstance(law.cases, Space):
            for case in islice(law.cases.ladder(), CASES):
                watched = replace(subject, watch=True, replies=[])
                with suppress(Broken):  # whatever is wrong with the result has a law of its own
                    law.check(watched, reference, case)
                for reply in watched.replies:
                    seen.update(reply.operations)
    yield from sorted(name.strip("_") for name in seen)
