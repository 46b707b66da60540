"""Laws graded on one subject, and what is said of it: the same under pytest, in `headstart watch` and in a notebook."""

import gc
from collections.abc import Sequence
from importlib.metadata import version

import torch

from graders.engine import journal
from graders.engine.course import EXERCISES, load_course
from graders.engine.crew import Crew, crew_size
from graders.engine.judge import Judge
from graders.engine.law import Law, laws_for
from graders.engine.record import hash_of, tally_of
from graders.engine.report import failure_screen
from graders.engine.subjects import make_transport, subject_folder
from graders.engine.summary import summary
from graders.engine.trial import Outcome, Policy

NO_TEXT = ("parse", "no_file")  # kinds of failure


class Session:
    """Grades laws on one subject. Raises `UnknownSubject` when there is none of that name."""

    def __init__(self, subject: str, laws: Sequence[Law], policy: Policy, in_process: bool = False):
        torch.set_num_threads(1)  # the cases are tiny; threads would only wait for each other
        self.subject = subject
        self.crew: Crew | None = None
        transport = make_transport(subject, in_process)
        gc.freeze()  # torch's million objects stay: no collection, in this process or a forked one, looks at them
        folder = subject_folder(subject)
        self.is_learner_s_own = folder == EXERCISES.resolve()
        self.hashes = {law.exercise: journal.file_hash(law.exercise) for law in laws} if self.is_learner_s_own else {}
        self.judge = Judge(transport, policy, hash_of(folder.glob("*.py") if folder else []), version("headstart"))
        if crew_size() > 1 and not in_process:
            self.crew = Crew(transport, policy, laws, crew_size())
            self.judge.verdict = self.crew.verdict

    @property
    def outcomes(self) -> list[Outcome]:
        """What came of the laws so far, in the order in which they were graded."""
        return self.judge.outcomes

    def screen(self, outcome: Outcome) -> list[str]:
        """What is said about one outcome that is not a pass."""
        record = outcome.record
        if record.status == "not_started":
            return [f"{record.exercise} · {record.task}: not started"]
        records = [one.record for one in self.outcomes]
        own = [r.status for r in records if (r.exercise, r.task) == (record.exercise, record.task)]
        return failure_screen(outcome, tally_of(own), load_course()[record.exercise], self.subject)

    def screens(self) -> list[list[str]]:
        """What is said about each mistake."""
        return [self.screen(outcome) for outcome in self.outcomes if outcome.record.status in ("failed", "error")]

    def summary(self) -> list[str]:
        """Every task on one line, then the next step."""
        return summary(self.outcomes, load_course(), self.subject)

    def close(self) -> None:
        """End the processes, and remember what became of the learner's own files. Raises `OSError` if it cannot."""
        if self.crew is not None:
            self.crew.close()
        self.judge.transport.close()
        for exercise, graded_hash in self.hashes.items():
            own = [outcome for outcome in self.outcomes if outcome.law.exercise == exercise]
            # Stopped before it came to this one; or a slip that says nothing of what was done before
            if not own or any(outcome.record.kind in NO_TEXT for outcome in own):
                continue
            questions = {o.law.name: o.diagnosis.misconceptions[0].asks for o in own if o.diagnosis}
            laws = {law.name: law.task for law in laws_for(exercise)}
            journal.keep(exercise, graded_hash, laws, [outcome.record for outcome in own], questions)
