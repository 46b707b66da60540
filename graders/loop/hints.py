"""The ladder of help: a question, an example, the line of the specification, and only then the solution.

One rung a call, from the learner's last failure on; another failure starts the ladder anew.
"""

import ast
from dataclasses import asdict, dataclass
from typing import Any

from graders.engine import journal
from graders.engine.course import Exercise, load_course
from graders.engine.journal import Verdict, verdict_on
from graders.engine.layout import block, wrapped
from graders.engine.record import BROKEN, DONE, PARTLY, WAITING, Record
from graders.loop.failures import example_of, of_the_whole_file, what_happened
from graders.loop.progress import standing_of
from graders.loop.specification import first_question, specification_of
from graders.loop.taken import record_rung, rung_taken

Rung = list[tuple[str, str]]  # label and text; a text without a label stands alone


@dataclass(frozen=True)
class Hint:
    """One hint. `rung` counts from 1; it is 0 where there is nothing to climb, and `said` says why."""

    exercise: str
    task: str
    state: str
    said: tuple[tuple[str, str], ...]
    rung: int = 0
    rungs: int = 0
    law: str = ""  # that is broken
    misconception: str = ""  # if it is known
    edited: bool = False  # the file, since the verdict that this is about

    def lines(self) -> list[str]:
        """The hint as it is shown."""
        count = f"hint {self.rung} of {self.rungs}" if self.rung else self.state
        lines = [f"{self.exercise} · {self.task}".ljust(50) + count]
        for label, text in self.said:
            lines += block(label, text) if label else _indented(text)
        return lines

    def data(self) -> dict[str, Any]:
        """The hint, for a program."""
        return asdict(self) | {"said": [{"label": label, "text": text} for label, text in self.said]}


def next_hint(exercise: str, task: str | None = None) -> list[str]:
    """Take the next hint, and return the lines to show. Raises `KeyError` when there is no such exercise or task."""
    return take_hint(exercise, task).lines()


def take_hint(exercise: str, task: str | None = None) -> Hint:
    """Take the next hint on a task, or on the first that is not right, and remember that it was taken.

    Raises `KeyError` when there is no such exercise or task.
    """
    entry, verdict = load_course()[exercise], verdict_on(exercise)
    standing = standing_of(entry)
    name = (entry.task(task) if task is not None else standing.next_task or entry.tasks[-1]).name
    state = standing.states[name]
    nothing = _unreadable(exercise) or _nothing_to_climb(entry, verdict, name)
    if nothing:
        return Hint(exercise, name, state, (("", nothing),), edited=verdict.is_edited)
    record = _failure(verdict, name) if state == BROKEN else None
    ladder = _on_failure(entry, verdict, record) if record else _on_start(entry, name)
    if record is None or not of_the_whole_file(record):  # no task's solution mends the file
        ladder += _solution(exercise, name)
    law, misconception = (record.law, record.misconception) if record else ("", "")
    about = f"{law} {misconception or record.kind}" if record else "not started"
    rung = min(rung_taken(exercise, name, about) + 1, len(ladder))
    said = list(ladder[rung - 1])
    if record and verdict.is_edited:
        said.append(("Note", f"The file was edited since it was graded; this is about the text before. {_run(entry)}"))
    try:
        record_rung(exercise, name, about, rung)
    except OSError as error:
        said.append(("Note", f"This hint could not be remembered, and comes again: {error}"))
    return Hint(exercise, name, state, tuple(said), rung, len(ladder), law, misconception, verdict.is_edited)


def _on_failure(exercise: Exercise, verdict: Verdict, record: Record) -> list[Rung]:
    """The rungs on a broken law."""
    happened, example = what_happened(record), example_of(record)
    told: Rung = [("", record.statement), *([("", happened)] if happened else []), *example]
    if not example:
        told.append(("More", f"The screen of the grader shows where. {_run(exercise)}"))
    if of_the_whole_file(record):
        return [told]
    known, general = verdict.questions.get(record.law, ""), first_question(exercise.name, record.task)
    asked = [("", record.statement), *_asked(exercise, record.task)]
    if known:
        return [[("Think about", known)], told, asked]
    if not general:
        return [told, asked]
    on_the_page = [*asked, ("On the page", " ".join(general))]  # the answer comes last
    # A question that may not be the one comes first only where nothing else says what is wrong
    return [told, on_the_page] if happened else [[("From the page", general[0])], told, on_the_page]


def _on_start(exercise: Exercise, task: str) -> list[Rung]:
    """The rungs before anything failed."""
    steps = [step for function in specification_of(exercise.name, task).functions for step in function.steps]
    ladder = [[*_asked(exercise, task), *([("Begin with", steps[0])] if steps else [])]]
    general = first_question(exercise.name, task)
    if general:
        ladder.append([("Think about", general[0]), ("On the page", general[1])])
    return ladder


def _asked(exercise: Exercise, task: str) -> Rung:
    """The line of the specification, and where all of it is."""
    spec = specification_of(exercise.name, task)
    asked = spec.functions[0].docstring if len(spec.functions) == 1 else spec.docstring
    return [
        ("What is asked", " ".join(asked.split("\n\n")[0].split())),
        ("All of it", f"headstart show {exercise.name} {task}"),
        ("Its page", spec.page),
    ]


def _solution(exercise: str, task: str) -> list[Rung]:
    """The last two rungs: the solution is asked for twice."""
    again = f"headstart hint {exercise} {task}"
    return [
        [
            ("", "That was all that can be said without the answer. Ask once more, and you are told where it is."),
            ("Again", again),
        ],
        [
            ("", "What was only read is soon forgotten: read it, close it, then write your own."),
            ("The solution", f"headstart solution {exercise} {task}"),
        ],
    ]


def _nothing_to_climb(exercise: Exercise, verdict: Verdict, task: str) -> str:
    """Why there is no hint on a task; empty where there is one."""
    state = verdict.state(task)
    if state == DONE:
        since = " in the text that was graded last" if verdict.is_edited else ""
        return f"All its laws hold{since}: there is nothing to hint at. `headstart` says what is next."
    if state == PARTLY:
        return f"Its laws hold as far as they were tried. {_run(exercise)}, which tries them all."
    if state == WAITING:
        cause = next((record.cause for record in verdict.of_task(task) if record.cause), "waits for another task")
        return f"Not tried yet: {cause}. That comes first."
    return ""


def _unreadable(exercise: str) -> str:
    """What to say of a file that Python cannot read; empty where it can."""
    try:
        ast.parse((journal.EXERCISES / f"{exercise}.py").read_bytes())
    except FileNotFoundError:
        return f"exercises/{exercise}.py is not there. `headstart stubs {exercise}` writes its stub."
    except SyntaxError as error:
        told = f"line {error.lineno}, {error.msg}" if error.lineno else error.msg
        return f"exercises/{exercise}.py cannot be read by Python: {told}. Mend this first; nothing else can be tried."
    except ValueError as error:  # a null byte
        return f"exercises/{exercise}.py cannot be read by Python: {error}. Mend this first."
    return ""


def _failure(verdict: Verdict, task: str) -> Record | None:
    """The first broken law of a task."""
    return next((record for record in verdict.of_task(task) if record.status in ("failed", "error")), None)


def _run(exercise: Exercise) -> str:
    return f"Run pytest graders/test_{exercise.name}.py"


def _indented(text: str) -> list[str]:
    return [f"  {line}" for line in wrapped(text)]
