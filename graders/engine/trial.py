"""Tries a law on a subject: the search for a case that breaks it, the smallest such case, and its explanation.

Nothing here knows what was tried before: that is the judge's (`judge.py`).
"""

import math
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graders.engine.course import load_course
from graders.engine.diagnosis import ENDS_A_SEARCH, UNEXPLAINED, Diagnosis, diagnose
from graders.engine.form import form_of_task, unfinished_task
from graders.engine.law import Broken, Law, laws_for
from graders.engine.layout import visible
from graders.engine.record import Record
from graders.engine.space import Case, Fixed, Space
from graders.engine.subject import Subject, both, reference_transport, result_axes
from graders.engine.transport import Transport
from graders.engine.wording import given_text, kind_of, numbers, sizes
from graders.engine.worker.failure import Failure
from graders.engine.worker.messages import Reply, Request

EXAMPLES = 50  # for the first law of a task that draws its cases
FEWER = 4  # times, for each of the other laws
REPEAT_EVERY = 4  # cases; the call is made once more in these, to see that it gives the same
EXERCISE_SECONDS = 10.0  # for all laws of an exercise
MAX_ASKS = 1000  # of a law on one case
ENDLESS = {"timeout": "TimeoutError", "crash": "SystemExit"}  # how an import can come to nothing, as an error
OBSERVED_BY_WORKER = ("changed", "library", "unsteady")  # what only the learner's own process can see
FIRST_SEEDS = 4  # whose numbers are small
UNSTEADY = "The same input did not give the same result twice: look for chance, or for what is kept between calls."


class Stop(BaseException):
    """Ends a search at once, however small the case could still be made."""


@dataclass(frozen=True)
class Outcome:
    """What came of a law: a record, and what a person is shown about it."""

    law: Law
    record: Record
    broken: Broken | None = None
    case: Case | None = None
    diagnosis: Diagnosis | None = None
    seconds: float = 0.0  # that the subject's own code took
    printed: str = ""  # by the subject's own code

    @property
    def is_of_the_whole_file(self) -> bool:
        """Whether a failure is no single task's: it came before any task could be looked at."""
        no_task_is_seen = self.case is None and self.record.kind not in ("", "missing", "signature", "grader")
        return self.broken is not None and no_task_is_seen


@dataclass(frozen=True)
class Policy:
    """How a subject is graded."""

    examples: int = EXAMPLES
    seed: int | None = None  # None: the same cases every time
    skips: bool = True  # the audit tries every law
    shrinks: bool = True
    diagnoses: bool = True
    seconds: float = EXERCISE_SECONDS
    weights: str | None = None  # checkpoint for the laws on real weights
    device: str = "cpu"


class Trial:
    """Tries laws on one subject, wherever its code runs."""

    def __init__(self, transport: Transport, policy: Policy):
        self.transport = transport
        self.policy = policy
        self.described: dict[str, Reply] = {}  # by exercise: what its file holds
        self.seconds: dict[str, float] = {}  # by exercise: that the subject's own code took
        self.n_cases, self.printed = 0, ""  # of the law that is being tried

    def verdict(self, law: Law) -> Outcome:
        """What comes of one law. A mistake of ours does not pass for the learner's: it is an `error`."""
        began, used = time.monotonic(), self.seconds.setdefault(law.exercise, 0.0)
        self.n_cases, self.printed = 0, ""
        try:
            case, broken = self._try(law)
            outcome = self._explained(law, case, broken) if broken else Outcome(law, record_of(law, "passed"))
        except Exception as error:  # noqa: BLE001
            outcome = Outcome(law, record_of(law, "error", kind="grader"), Broken("grader", note=_origin(error)))
        duration = round(1000 * (time.monotonic() - began))
        record = replace(outcome.record, duration_ms=duration)
        return replace(outcome, record=record, seconds=self.seconds[law.exercise] - used, printed=self.printed)

    def _describe(self, exercise: str) -> Reply:
        """What the file of an exercise holds, asked once.

        A file that it imports, and whose own import does not end or ends the process, is set aside: its own graders
        judge it, as they do one that raises something.
        """
        if exercise not in self.described:
            reply = self._ask_what_is_in(exercise)
            names = [other.name for other in load_course().exercises]
            before = names[: names.index(exercise)]
            while reply.failure and (name := self._in_the_way(exercise, reply.failure, before)):
                before.remove(name)
                self.described.setdefault(name, self._ask_what_is_in(name))  # for its own laws, if they come later
                self.transport.replace(name, f"raise {ENDLESS[reply.failure.stage]}")
                reply = self._ask_what_is_in(exercise)
            self.described[exercise] = reply
        return self.described[exercise]

    def _ask_what_is_in(self, exercise: str) -> Reply:
        tasks = [task.name for task in load_course()[exercise].tasks]
        return self.transport.ask(Request(exercise, "", describe=tasks))

    def _in_the_way(self, exercise: str, failure: Failure, others: list[str]) -> str:
        """Which of these files was being imported when an exercise's import came to nothing; "" when none was."""
        if failure.stage not in ENDLESS:
            return ""
        importing = [
            file.removesuffix(".py") for file, _line, function, _text in failure.lines if function == "<module>"
        ]
        if importing:
            return importing[-1] if importing[-1] in others else ""
        failures = ((name, self._ask_what_is_in(name).failure) for name in others)
        # A process that has ended does not say where it was
        return next((name for name, failed in failures if failed and failed.stage in ENDLESS), "")

    def _try(self, law: Law) -> tuple[Case | None, Broken | None]:
        """The smallest case for which the law is broken, and how; (None, None) when it holds."""
        broken = form_of_task(load_course()[law.exercise], self._describe(law.exercise), law.task)
        if broken:
            return None, broken
        found: list[tuple[Case, Broken]] = []

        def check(case: Case) -> None:
            try:
                self.check(law, case)
            except Broken as broken:
                found.append((case, broken))
                del found[:-2]  # what it returned may be large
                if broken.kind in ENDS_A_SEARCH:
                    raise Stop from None
                raise

        try:
            for case in self._cases(law):
                check(case)
            return None, None
        except Broken:
            if self.policy.shrinks and isinstance(law.cases, Space):
                with suppress(Stop):
                    _make_smaller(law.cases, found, check)
        except Stop:
            pass
        return _most_telling(found)

    def _cases(self, law: Law) -> Iterator[Case]:
        """What a law is tried on: a ladder of small cases, then some at random; or the cases that it is given."""
        if isinstance(law.cases, Fixed):
            yield from law.cases.load(self.policy.weights)
            return
        n_drawn = self.policy.examples if _draws_first(law) else math.ceil(self.policy.examples / FEWER)
        yield from law.cases.ladder()
        chance, again = f"{law.exercise} {law.name} {self.policy.seed}", self.policy.seed is None
        yield from law.cases.drawn(law.cases.few or n_drawn, chance, again)

    def check(self, law: Law, case: Case) -> None:
        """Try one case. Raises `Broken`. The time that the subject's own code takes counts against its exercise."""
        self.n_cases += 1
        subject, reference = both(
            law.exercise,
            case,
            self.transport,
            device=self.policy.device,
            repeats=case.seed % REPEAT_EVERY == 0,
            chance=MAX_ASKS * self.n_cases,
        )
        try:
            law.check(subject, reference, case)
        except Broken as broken:
            last = subject.replies[-1] if subject.replies else Reply()
            broken.axes = broken.axes or result_axes(law.exercise, law.task)
            broken.notes, broken.printed = list(last.notes), last.printed
            raise
        except Exception as error:
            if self.transport.isolation == "none" or not self._is_taken_apart(law, case):
                raise
            raise Broken("unlike", note=_origin(error)) from error
        finally:
            self.printed = self.printed or next((reply.printed for reply in subject.replies if reply.printed), "")
            self.seconds[law.exercise] = self.seconds.get(law.exercise, 0.0) + subject.seconds
        if self.seconds[law.exercise] > self.policy.seconds and self.policy.skips:
            raise Broken("budget")

    def _is_taken_apart(self, law: Law, case: Case) -> bool:
        """Whether a law can look at what the reference gives for a case, and so is no mistake of ours."""
        solved = Subject(law.exercise, reference_transport(), checks_form=False)
        try:
            law.check(solved, solved, case)
        except Exception:  # noqa: BLE001 (whatever it is, it is ours)
            return False
        return True

    def _explained(self, law: Law, case: Case | None, broken: Broken) -> Outcome:
        """A broken law with the name of the mistake, as far as it is known."""
        waits_for = unfinished_task(broken, law)
        if waits_for == law.task:
            return Outcome(law, record_of(law, "not_started"), broken, case)
        if waits_for:
            return Outcome(law, record_of(law, "skipped", cause=f"waits for {waits_for}"), broken, case)
        diagnosis = None
        if self.policy.diagnoses and case is not None and broken.kind not in UNEXPLAINED:
            diagnosis = diagnose(law, case, load_course()[law.exercise], self.transport)
        record = record_of(
            law,
            "failed",
            kind=broken.kind,
            misconception=diagnosis.id if diagnosis else "",
            counterexample=describe_case(case) if case else "",
            yours=_raised(broken.failure) if broken.failure.lines else _value(broken.kind, broken.yours),
            expected=_value(broken.kind, broken.expected),
            seed=case.seed if case else None,
            observed_by="worker" if broken.kind in OBSERVED_BY_WORKER else "judge",
        )
        return Outcome(law, record, broken, case, diagnosis)


def record_of(law: Law, status: str, **facts: Any) -> Record:
    """The record of a law, as far as a trial knows it; what a learner's code said in it can be read and written."""
    facts = {name: visible(fact) if isinstance(fact, str) else fact for name, fact in facts.items()}
    return Record(law.exercise, law.task, law.name, law.statement, status, points=int(status == "passed"), **facts)


def _most_telling(found: list[tuple[Case, Broken]]) -> tuple[Case, Broken]:
    """The last case, which is the smallest; time that runs out while a smaller one is looked for hides no value."""
    return ([pair for pair in found if pair[1].kind not in ENDS_A_SEARCH] or found)[-1]


def _make_smaller(cases: Space, found: list[tuple[Case, Broken]], check: Callable[[Case], None]) -> None:
    """Look for a smaller case that breaks the law in the same way, one size after the other, then for other numbers.

    The case is tried once more first: one that does not break the law again is unsteady, and stays as it is.
    """
    case, broken = found[-1]

    def breaks(seed: int, sizes: dict[str, int]) -> bool:
        try:
            check(cases.case(seed, **sizes))
        except Broken as other:
            if other.kind == broken.kind:
                return True
            found.pop()
        return False

    if not breaks(case.seed, case.sizes):
        found[-1][1].notes.append(UNSTEADY)
        return
    sizes = dict(case.sizes)
    for name, floor in cases.floor().items():
        while sizes[name] > floor and breaks(case.seed, sizes | {name: sizes[name] - 1}):
            sizes[name] -= 1
    any(breaks(seed, sizes) for seed in range(min(case.seed, FIRST_SEEDS)))


def _raised(failure: Failure) -> str:
    """What a record says of an error that the subject's code raised, and of the line that it had come to."""
    file, line, _function, text = failure.lines[-1]
    place = f"{file}, line {line}: {text}"
    return f"{failure.type_name}: {failure.message} ({place})" if failure.type_name else place


def _value(kind: str, value: object) -> str:
    """What a record says of one of the two values that differ."""
    if kind == "type":
        return kind_of(value)
    return "" if value is None else numbers(value)


def _origin(error: BaseException) -> str:
    """An exception of our own and the line it comes from, for whoever mends it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}, line {frame.lineno})"


def _draws_first(law: Law) -> bool:
    drawing = (other for other in laws_for(law.exercise) if other.task == law.task and isinstance(other.cases, Space))
    return next(drawing, None) is law


def describe_case(case: Case) -> str:
    """The inputs of a case on one line, with the names of their axes."""
    inputs = [(name, axes, given_text(getattr(case, name))) for name, axes in case.shown.items()]
    return "; ".join(f"{name}{sizes(axes)} = {value}" for name, axes, value in inputs)
