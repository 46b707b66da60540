"""What is to be graded, as plain data. Imports no torch: whoever hands out jobs may have none to hand out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graders.engine.record import Record


@dataclass(frozen=True)
class Job:
    """One exercise of one submission, to be graded."""

    exercise: str
    subject_hash: str
    files: Mapping[str, str] = field(default_factory=dict)  # texts, by name
    problems: Mapping[str, str] = field(default_factory=dict)  # why a file was not taken, by name
    seed: int = 0
    isolation: str = "sandbox"
    extra: str = ""  # the text of the lead's own laws


def records_of(job: Job) -> list[Record]:
    """One record for each law, in order; all of them errors of ours when the grading itself stops."""
    from graders.cohort.grading import errors, grade

    try:
        return grade(job)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is not the learner's, and the run goes on
        return errors(job, f"{type(error).__name__}: {error}")


def errors_of(job: Job, reason: str) -> list[Record]:
    """The records of a job that nobody could grade."""
    from graders.cohort.grading import errors

    return errors(job, reason)
