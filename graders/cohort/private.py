"""The lead's own laws: `test_<exercise>.py` in a folder of theirs, written as ours are, for tasks of the course.

Their text travels with a job, so each file stands alone. A learner reads the task and the statement of such a law, and
nothing else.
"""

import functools
import os
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING

from graders.engine.course import load_course
from graders.engine.law import Law, laws_for

if TYPE_CHECKING:
    from graders.engine.trial import Outcome

PREFIX = "test_"


class PrivateLawsError(Exception):
    """A file of the lead's own laws cannot be used; the text says what is wrong with it."""


@functools.lru_cache(maxsize=64)
def private_laws(exercise: str, text: str) -> tuple[Law, ...]:
    """The laws that a text of the lead's makes, in order. Raises `PrivateLawsError`."""
    name = f"{PREFIX}{exercise}"
    module = ModuleType(f"private.{name}")  # by whose name `law` knows the exercise
    try:
        exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    except Exception as error:
        raise PrivateLawsError(f"{name}.py stops with {type(error).__name__}: {error}") from error
    laws = tuple(value.law for value in vars(module).values() if isinstance(getattr(value, "law", None), Law))
    tasks = [task.name for task in load_course()[exercise].tasks]
    public = {law.name for law in laws_for(exercise)}
    for law in laws:
        if law.task not in tasks:
            raise PrivateLawsError(f"{name}.py: {law.name} is about {law.task}; expected one of {', '.join(tasks)}")
        if law.name in public:
            raise PrivateLawsError(f"{name}.py: the course has a law {law.name} already; give yours another name")
    if not laws:
        raise PrivateLawsError(f"{name}.py has no law; expected functions under @law(TASK, CASES)")
    return laws


def read_private(folder: Path) -> Mapping[str, str]:
    """The texts of the lead's own laws by exercise, each tried on the solved files first. Raises `PrivateLawsError`."""
    from graders.engine.judge import Judge
    from graders.engine.subject import reference_transport
    from graders.engine.trial import Policy

    try:
        paths = sorted(folder.glob(f"{PREFIX}*.py"))
        texts = {path.stem.removeprefix(PREFIX): path.read_text(encoding="utf-8") for path in paths}
    except (OSError, UnicodeDecodeError) as error:
        raise PrivateLawsError(f"{folder} could not be read: {error}") from error
    if not texts:
        raise PrivateLawsError(f"{folder} has no {PREFIX}<exercise>.py")
    for exercise, text in texts.items():
        file = folder / f"{PREFIX}{exercise}.py"
        if load_course().get(exercise) is None:
            known = ", ".join(entry.name for entry in load_course().exercises)
            raise PrivateLawsError(f"{file} is of no exercise; the exercises are {known}")
        try:
            laws = private_laws(exercise, text)
        except PrivateLawsError as error:
            raise PrivateLawsError(f"{folder}{os.sep}{error}") from error
        judge = Judge(reference_transport(), Policy(diagnoses=False))
        for law in laws:
            outcome = judge.grade(law)
            if outcome.record.status != "passed":
                raise PrivateLawsError(
                    f"{file}: {law.name} does not hold for the solved files: {_reason(outcome, file.name)}"
                )
    return MappingProxyType(texts)


def _reason(outcome: "Outcome", file: str) -> str:
    """Why a law of this file does not hold: the error, or the two values; and the line of the file."""
    broken, record = outcome.broken, outcome.record
    if broken is None:
        return record.cause or "it is broken"
    if record.kind == "grader":
        return broken.note
    said = ": ".join(filter(None, (broken.what, broken.note))) or "it is broken"
    if broken.failure.type_name:
        said = f"{broken.failure.type_name}: {broken.failure.message}"
    if record.yours and record.expected:
        said = f"for {record.counterexample} it is given {record.yours}, and expects {record.expected}"
    lines = [f.lineno for f in traceback.extract_tb(broken.__traceback__) if f.filename == file]
    return f"{said} ({file}, line {lines[-1]})" if lines else said
