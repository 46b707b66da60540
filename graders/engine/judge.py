"""Grades laws in order and keeps what is needed to skip and to stop.

Checks come in the order in which a learner can act on them. Within a task the first failure skips the rest;
a task waits when a task that it needs, or calls, failed. The skipping is done here, before a law is tried on any case.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from graders.engine import record as records
from graders.engine.calls import calls_between
from graders.engine.course import load_course
from graders.engine.law import Law
from graders.engine.transport import Transport
from graders.engine.trial import Outcome, Policy, Trial, record_of


@dataclass
class Progress:
    """How far one exercise has got."""

    tasks: dict[str, str] = field(default_factory=dict)  # worst status so far, by task
    causes: dict[str, str] = field(default_factory=dict)  # of the skips, by task
    seconds: float = 0.0
    is_unreadable: bool = False


class Judge:
    """Grades one subject, law by law; `verdict` is what tries a law, here unless it is said otherwise."""

    def __init__(
        self,
        transport: Transport,
        policy: Policy,
        subject_hash: str = "",
        version: str = "",
        verdict: Callable[[Law], Outcome] | None = None,
    ):
        self.transport = transport
        self.policy = policy
        self.verdict = verdict or Trial(transport, policy).verdict
        self.progress: dict[str, Progress] = {}
        self.calls: dict[str, dict[str, list[str]]] = {}  # by exercise
        self.outcomes: list[Outcome] = []
        self.subject_hash, self.version = subject_hash, version

    def grade(self, law: Law) -> Outcome:
        """The verdict on one law."""
        progress = self.progress.setdefault(law.exercise, Progress())
        cause = self._cause_to_skip(law, progress)
        outcome = Outcome(law, record_of(law, "skipped", cause=cause)) if cause else self.verdict(law)
        record = replace(
            outcome.record,
            isolation=self.transport.isolation,
            subject_hash=self.subject_hash,
            grader_version=self.version,
            time=records.now(),
        )
        outcome = replace(outcome, record=record)
        self._remember(progress, outcome)
        self.outcomes.append(outcome)
        return outcome

    def _remember(self, progress: Progress, outcome: Outcome) -> None:
        record = outcome.record
        progress.seconds += outcome.seconds
        progress.is_unreadable |= outcome.is_of_the_whole_file
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
        if progress.is_unreadable:
            return "the file could not be read"
        if progress.seconds > self.policy.seconds:
            return f"the exercise used up its {self.policy.seconds:.0f} seconds"
        if own not in (None, "passed"):
            return progress.causes.get(law.task) or f"waits for {law.task}"
        needed = [*load_course()[law.exercise].all_needs(law.task), *self._calls(law.exercise).get(law.task, ())]
        failed = [task for task in needed if progress.tasks.get(task) in ("failed", "error")]
        return f"waits for {failed[0]}" if failed else ""

    def _calls(self, exercise: str) -> dict[str, list[str]]:
        """The tasks that each task of the subject's file calls, though it need not."""
        if exercise not in self.calls:
            tasks = [task.name for task in load_course()[exercise].tasks]
            self.calls[exercise] = calls_between(tasks, self.transport.source, exercise)
        return self.calls[exercise]
