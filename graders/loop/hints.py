"""The ladder of help: a question, an example, the line of the specification, and only then the solution.

One rung a call, from the learner's last failure on; another failure starts the ladder anew.
"""

import ast
from dataclasses import asdict, dataclass, field
from typing import Any

from graders.engine import journal
from graders.engine.course import Exercise, load_course
from graders.engine.journal import Verdict, verdict_on
from graders.engine.layout import block, wrapped
from graders.engine.record import BROKEN, DONE, PARTLY, WAITING, Record
from graders.loop.failures import example_lines, of_the_whole_file, what_happened
from graders.loop.progress import standing_of
from graders.loop.specification import first_question, specification_of
from graders.loop.taken import record_rung, rung_taken

NOT_STARTED = "not started"  # what a ladder is about before anything failed


@dataclass(frozen=True)
class Hint:
    """One hint. `rung` counts from 1; it is 0 where there is nothing to climb, and one line says why."""

    exercise: str
    task: str
    state: str
    rung: int = 0
    rungs: int = 0
    about: str = ""  # the law that is broken, and the mistake if it is known
    is_edited: bool = False  # the file, since the verdict that this is about
    said: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def lines(self) -> list[str]:
        """The hint as it is shown."""
        count = f"hint {self.rung} of {self.rungs}" if self.rung else self.state
        return [f"{self.exercise} · {self.task}".ljust(50) + count, *self.said, *self.notes]

    def data(self) -> dict[str, Any]:
        """The hint, for a program."""
        return asdict(self)


def next_hint(exercise: str, task: str | None = None) -> list[str]:
    """Take the next hint, and return the lines to show. Raises `KeyError` when there is no such exercise or task."""
    return take_hint(exercise, task).lines()


def take_hint(exercise: str, task: str | None = None) -> Hint:
    """Take the next hint on a task, or on the first that is not right, and remember that it was taken.

    Raises `KeyError` when there is no such exercise or task.
    """
    entry, verdict = load_course()[exercise], verdict_on(exercise)
    standing = standing_of(entry)
    chosen = entry.task(task) if task is not None else (standing.next_task or entry.tasks[-1])
    name, state = chosen.name, standing.states[chosen.name]
    unreadable = _unreadable(exercise)
    if unreadable:
        return Hint(exercise, name, state, said=tuple(_indented(unreadable)))
    if state in (DONE, WAITING, PARTLY):
        said = tuple(_nothing_to_climb(entry, verdict, name))
        return Hint(exercise, name, state, is_edited=verdict.is_edited, said=said)
    record = _failure(verdict, name) if state == BROKEN else None
    about = f"{record.law} {record.misconception}".strip() if record else NOT_STARTED
    ladder = _on_failure(entry, verdict, record) if record else _on_start(entry, name)
    ladder += _solution(exercise, name)
    rung = min(rung_taken(exercise, name, about) + 1, len(ladder))
    notes: list[str] = []
    if record is not None and verdict.is_edited:
        notes += _indented(f"(The file was edited since: this is about the text that was graded last. {_run(entry)}.)")
    try:
        record_rung(exercise, name, about, rung)
    except OSError as error:
        notes += _indented(f"(This hint cannot be remembered, and comes again: {error})")
    said = tuple(ladder[rung - 1])
    return Hint(exercise, name, state, rung, len(ladder), about, verdict.is_edited, said, tuple(notes))


def _on_failure(exercise: Exercise, verdict: Verdict, record: Record) -> list[list[str]]:
    """The rungs on a broken law."""
    general = first_question(exercise.name, record.task)
    known = verdict.questions.get(record.law, "")
    question = known or (general[0] if general else "")
    asks = question and not of_the_whole_file(record)
    ladder: list[list[str]] = [block("Think about", question)] if asks else []
    example = example_lines(record)
    happened = [*_indented(record.statement), *_indented(what_happened(record))]
    ladder.append([*happened, *(example or _indented(f"{_run(exercise)}: its screen shows where."))])
    said = _indented(record.statement) + _asked(exercise, record.task)
    if general and asks and not known:  # the answer to the question that was asked first
        said += block("On the page", f"{general[0]} {general[1]}")
    ladder.append(said)
    return ladder


def _on_start(exercise: Exercise, task: str) -> list[list[str]]:
    """The rungs before anything failed."""
    steps = [step for function in specification_of(exercise.name, task).functions for step in function.steps]
    first = [*_asked(exercise, task), *(block("Begin with", steps[0]) if steps else [])]
    general = first_question(exercise.name, task)
    return [first, [*block("Think about", general[0]), *block("On the page", general[1])]] if general else [first]


def _asked(exercise: Exercise, task: str) -> list[str]:
    """The line of the specification, and where all of it is."""
    spec = specification_of(exercise.name, task)
    asked = spec.functions[0].docstring if len(spec.functions) == 1 else spec.docstring
    lines = block("What is asked", " ".join(asked.split("\n\n")[0].split()))
    return [*lines, *block("All of it", f"headstart show {exercise.name} {task}"), *block("", spec.page)]


def _solution(exercise: str, task: str) -> list[list[str]]:
    """The last two rungs: the solution is asked for twice."""
    again = f"headstart hint {exercise} {task}"
    twice = "That was all that can be said without the answer. Once more, and the next hint says where the answer is:"
    where = "A solution read is soon forgotten: read it, close it, then write your own."
    return [
        [*_indented(twice), f"    {again}"],
        [*_indented(where), f"    headstart solution {exercise} {task}"],
    ]


def _nothing_to_climb(exercise: Exercise, verdict: Verdict, task: str) -> list[str]:
    state = verdict.state(task)
    if state == DONE:
        since = " as it was graded last" if verdict.is_edited else ""
        return _indented(f"All its laws hold{since}: there is nothing to hint at. `headstart` says what is next.")
    if state == PARTLY:
        return _indented(f"Its laws hold as far as they were tried. {_run(exercise)} to try them all.")
    cause = next((record.cause for record in verdict.of_task(task) if record.cause), "waits for another task")
    return _indented(f"It {cause}: that one comes first. Without a task's name, the hint is on what is next.")


def _unreadable(exercise: str) -> str:
    """What to say of a file that Python cannot read; empty where it can."""
    try:
        ast.parse((journal.EXERCISES / f"{exercise}.py").read_bytes())
    except FileNotFoundError:
        return f"exercises/{exercise}.py is not there. `headstart stubs {exercise}` writes its stub."
    except SyntaxError as error:
        told = f"line {error.lineno}, {error.msg}" if error.lineno else error.msg
        return f"exercises/{exercise}.py cannot be read by Python: {told}. Mend this first; nothing else can be tried."
    except ValueError as error:
        return f"exercises/{exercise}.py cannot be read by Python: {error}. Mend this first."
    return ""


def _failure(verdict: Verdict, task: str) -> Record | None:
    """The first broken law of a task; a failure of the whole file is no task's."""
    broken = [record for record in verdict.of_task(task) if record.status in ("failed", "error")]
    return next((r for r in broken if not of_the_whole_file(r)), broken[0] if broken else None)


def _run(exercise: Exercise) -> str:
    return f"Run `pytest graders/test_{exercise.name}.py`"


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in wrapped(text)]
