"""Grades laws in order and keeps what is needed to skip, to stop and to explain.

Checks come in the order in which a learner can act on them. Within a task the first failure skips the rest;
a task waits when a task that it needs failed. The skipping is done here, before a law is tried on any case.
"""

import math
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Flaky

from graders.engine import record as records
from graders.engine.course import Exercise, load_course
from graders.engine.diagnosis import ENDS_A_SEARCH, UNEXPLAINED, Diagnosis, diagnose
from graders.engine.form import form_of_task, unfinished_task
from graders.engine.law import Broken, Law, laws_for
from graders.engine.record import Record
from graders.engine.space import Case, Fixed, Space
from graders.engine.subject import Subject, reference_transport, result_axes
from graders.engine.transport import Transport
from graders.engine.worker.perform import Reply, Request

EXAMPLES = 50  # drawn for the first law of a task, its full comparison; the other laws get a quarter
REPEAT_EVERY = 4  # cases; the call is made once more in these, to see that it gives the same
EXERCISE_SECONDS = 10.0  # for all laws of an exercise
OBSERVED_BY_WORKER = ("changed", "library", "unsteady")  # what only the learner's own process can see
UNSTEADY = "The same input did not give the same result twice: look for chance, or for what is kept between calls."


class Stop(BaseException):
    """Ends a search at once. Not an `Exception`, which Hypothesis would take for an example to shrink."""


@dataclass
class Progress:
    """How far one exercise has got."""

    exercise: Exercise
    description: Reply
    tasks: dict[str, str] = field(default_factory=dict)  # worst status so far, by task
    causes: dict[str, str] = field(default_factory=dict)  # of the skips, by task
    seconds: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """A record, and what a person is shown about it."""

    law: Law
    record: Record
    broken: Broken | None = None
    case: Case | None = None
    diagnosis: Diagnosis | None = None


@dataclass(frozen=True)
class Policy:
    """How a subject is graded."""

    examples: int = EXAMPLES
    seed: int | None = None  # None: the same cases every time
    skips: bool = True  # the audit tries every law
    shrinks: bool = True
    diagnoses: bool = True
    weights: str | None = None  # checkpoint for the laws on real weights
    device: str = "cpu"


class Judge:
    """Grades one subject, wherever its code runs."""

    def __init__(self, transport: Transport, policy: Policy = Policy(), subject_hash: str = "", version: str = ""):
        self.transport = transport
        self.policy = policy
        self.progress: dict[str, Progress] = {}
        self.outcomes: list[Outcome] = []
        self.blank = Record("", "", "", "", "", subject_hash=subject_hash, grader_version=version)

    def grade(self, law: Law) -> Outcome:
        """The verdict on one law."""
        began = time.monotonic()
        progress = self._progress(law.exercise)
        cause = self._cause_to_skip(law, progress)
        if cause:
            outcome = Outcome(law, replace(self.blank, status="skipped", cause=cause))
        else:
            outcome = self._verdict(law, progress)
        record = replace(
            outcome.record,
            exercise=law.exercise,
            task=law.task,
            law=law.name,
            statement=law.statement,
            points=int(outcome.record.status == "passed"),
            duration_ms=round(1000 * (time.monotonic() - began)),
            isolation=self.transport.isolation,
            time=records.now(),
        )
        self._remember(progress, record)
        outcome = replace(outcome, record=record)
        self.outcomes.append(outcome)
        return outcome

    def _verdict(self, law: Law, progress: Progress) -> Outcome:
        try:
            case, broken = self._try(law, progress)
            return self._explained(law, progress, case, broken) if broken else self._passed(law)
        except Exception as error:  # noqa: BLE001 (a mistake of ours must not pass for the learner's)
            return Outcome(
                law, replace(self.blank, status="error", kind="grader"), Broken("grader", note=_origin(error))
            )

    def _progress(self, name: str) -> Progress:
        """What is known of an exercise; at first, what its file holds."""
        if name not in self.progress:
            exercise = load_course()[name]
            describe = Request(name, "", describe=[task.name for task in exercise.tasks])
            self.progress[name] = Progress(exercise, self.transport.ask(describe))
        return self.progress[name]

    def _remember(self, progress: Progress, record: Record) -> None:
        if record.status != "skipped" or record.task not in progress.tasks:
            worst = progress.tasks.get(record.task)
            progress.tasks[record.task] = record.status if worst in (None, "passed") else worst
        if record.cause:
            progress.causes.setdefault(record.task, record.cause)

    def _cause_to_skip(self, law: Law, progress: Progress) -> str:
        """Why a law is not tried; empty when it is."""
        if not self.policy.skips:
            return ""
        own = progress.tasks.get(law.task)
        if progress.description.failure and progress.tasks:
            return "the file could not be read"
        if progress.seconds > EXERCISE_SECONDS:
            return f"the exercise used up its {EXERCISE_SECONDS:.0f} seconds"
        if own not in (None, "passed"):
            return progress.causes.get(law.task) or f"waits for {law.task}"
        needs = progress.exercise.task(law.task).needs
        failed = [task for task in needs if progress.tasks.get(task) in ("failed", "error")]
        return f"waits for {failed[0]}" if failed else ""

    def _try(self, law: Law, progress: Progress) -> tuple[Case | None, Broken | None]:
        """The smallest case for which the law is broken, and how; (None, None) when it holds."""
        broken = form_of_task(progress.exercise, progress.description, law.task)
        if broken:
            return None, broken
        found: list[tuple[Case, Broken]] = []

        def check(case: Case) -> None:
            try:
                self.check(law, case, progress)
            except Broken as broken:
                found.append((case, broken))
                if broken.kind in ENDS_A_SEARCH:
                    raise Stop from None
                raise

        try:
            for case in law.cases.load(self.policy.weights) if isinstance(law.cases, Fixed) else law.cases.ladder():
                check(case)
            if isinstance(law.cases, Space):
                self._search(law, law.cases, check)
        except Broken:
            if self.policy.shrinks and isinstance(law.cases, Space):
                with suppress(Stop):
                    _lower_sizes(law.cases, found, check)
            return found[-1]  # Hypothesis tries the smallest example last
        except Stop:
            # Time that runs out while a smaller example is looked for hides no wrong value
            telling = [pair for pair in found if pair[1].kind not in ENDS_A_SEARCH]
            return (telling or found)[-1]
        except Flaky:
            if not found:
                raise
            found[-1][1].notes.append(UNSTEADY)
            return found[-1]
        return None, None

    def check(self, law: Law, case: Case, progress: Progress) -> None:
        """Try one case. Raises `Broken`. The time that the subject's own code takes counts against its exercise."""
        answers: dict = {}
        repeats = case.seed % REPEAT_EVERY == 0
        subject = Subject(law.exercise, self.transport, device=self.policy.device, repeats=repeats, answers=answers)
        reference = Subject(law.exercise, reference_transport(), checks_form=False, answers=answers)
        try:
            law.check(subject, reference, case)
        except Broken as broken:
            last = subject.replies[-1] if subject.replies else Reply()
            broken.axes = broken.axes or result_axes(law.exercise, law.task)
            broken.notes, broken.printed = list(last.notes), last.printed
            raise
        finally:
            progress.seconds += subject.seconds
        if progress.seconds > EXERCISE_SECONDS and self.policy.skips:
            raise Broken("budget")

    def _search(self, law: Law, cases: Space, check: Callable[[Case], None]) -> None:
        phases = (Phase.generate, Phase.shrink) if self.policy.shrinks else (Phase.generate,)
        test = given(cases.strategy())(check)
        if self.policy.seed is not None:
            test = hypothesis.seed(self.policy.seed)(test)
        settings(
            max_examples=self.policy.examples if _is_first(law) else math.ceil(self.policy.examples / 4),
            phases=phases,
            derandomize=self.policy.seed is None,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        )(test)()

    def _passed(self, law: Law) -> Outcome:
        return Outcome(law, replace(self.blank, status="passed"))

    def _explained(self, law: Law, progress: Progress, case: Case | None, broken: Broken) -> Outcome:
        """A broken law with the name of the mistake, as far as it is known."""
        waits_for = unfinished_task(broken, law)
        if waits_for == law.task:
            return Outcome(law, replace(self.blank, status="not_started"), broken, case)
        if waits_for:
            return Outcome(law, replace(self.blank, status="skipped", cause=f"waits for {waits_for}"), broken, case)
        diagnosis = None
        if self.policy.diagnoses and case is not None and broken.kind not in UNEXPLAINED:
            confirming = next((other for other in laws_for(law.exercise) if _draws_cases(other, law)), None)
            diagnosis = diagnose(law, case, confirming, progress.exercise, self.transport)
        record = replace(
            self.blank,
            status="failed",
            kind=broken.kind,
            misconception=diagnosis.id if diagnosis else "",
            counterexample=describe_case(case) if case else "",
            yours=_value(broken.kind, broken.yours),
            expected=_value(broken.kind, broken.expected),
            seed=case.seed if case else None,
            observed_by="worker" if broken.kind in OBSERVED_BY_WORKER else "judge",
        )
        return Outcome(law, record, broken, case, diagnosis)


def _lower_sizes(cases: Space, found: list[tuple[Case, Broken]], check: Callable[[Case], None]) -> None:
    """Make the last case found smaller, one size after the other, as long as it breaks the law in the same way."""
    case, broken = found[-1]
    sizes = dict(case.sizes)
    for name, floor in cases.floor().items():
        while sizes[name] > floor:
            try:
                check(cases.case(case.seed, **sizes | {name: sizes[name] - 1}))
                break
            except Broken as smaller:
                if smaller.kind != broken.kind:
                    found.pop()
                    break
                sizes[name] -= 1


def _value(kind: str, value: object) -> str:
    """What a record says of one of the two values that differ."""
    if kind == "type":
        return records.kind_of(value)
    return "" if value is None else records.numbers(value)


def _origin(error: BaseException) -> str:
    """An exception of our own and the line it comes from, for whoever mends it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}, line {frame.lineno})"


def _is_first(law: Law) -> bool:
    return next(other for other in laws_for(law.exercise) if other.task == law.task) is law


def _draws_cases(other: Law, law: Law) -> bool:
    return other.task == law.task and isinstance(other.cases, Space) and (other is law or isinstance(law.cases, Fixed))


def describe_case(case: Case) -> str:
    """The inputs of a case on one line, with the names of their axes."""
    inputs = [(name, axes, records.numbers(getattr(case, name))) for name, axes in case.shown.items()]
    return "; ".join(f"{name}{records.sizes(axes)} = {value}" for name, axes, value in inputs)
