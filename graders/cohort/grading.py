"""Grades one exercise of one submission: plain data in, plain data out, so that any process of ours can do it.

The learner's code runs in processes of its own, fresh ones for every task: what it learns while one task is graded
serves it in no other. Nobody foretells the cases, which a secret seed draws.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch

from graders.cohort.jobs import Job
from graders.cohort.private import private_laws
from graders.cohort.sandbox import Sandboxed
from graders.cohort.versions import grader_version
from graders.engine.judge import Judge
from graders.engine.law import Law, laws_for
from graders.engine.record import Record, now
from graders.engine.stubs import stub_files
from graders.engine.transport import Worker
from graders.engine.trial import Outcome, Policy, record_of
from graders.engine.worker.loading import Source

TRANSPORTS: dict[str, Callable[[Source], Worker]] = {"process": Worker, "sandbox": Sandboxed}


def grade(job: Job) -> list[Record]:
    """One record for each law of the exercise, in order, the lead's own last.

    Raises `SandboxError` and `RuntimeError` when the learner's process cannot be started, which is not theirs to mend.
    """
    return [outcome.record for outcome in outcomes(job)]


def outcomes(job: Job) -> Iterator[Outcome]:
    """What comes of each law, in order. Raises `RuntimeError` as `grade` does."""
    torch.set_num_threads(1)  # the cases are tiny, and the pool is what is parallel
    transport = TRANSPORTS[job.isolation](Source(texts=dict(job.files), stubs=stub_files()))
    judge = Judge(transport, Policy(seed=job.seed), job.subject_hash, grader_version(job.exercise, job.extra))
    task = ""
    try:
        for law, is_private in laws_of(job.exercise, job.extra):
            if law.task != task:
                transport.stop()
            task = law.task
            outcome = judge.grade(law)
            yield replace(outcome, record=_told(outcome, job, is_private))
    finally:
        transport.close()


def laws_of(exercise: str, extra: str = "") -> list[tuple[Law, bool]]:
    """The laws of an exercise, in order, and whether each is the lead's own."""
    private = private_laws(exercise, extra) if extra else ()
    return [(law, False) for law in laws_for(exercise)] + [(law, True) for law in private]


def errors(job: Job, reason: str) -> list[Record]:
    """The records of an exercise that could not be graded, through no fault of the learner's."""
    facts: dict[str, Any] = {
        "kind": "grader",
        "cause": reason,
        "isolation": job.isolation,
        "subject_hash": job.subject_hash,
    }
    facts |= {"grader_version": grader_version(job.exercise, job.extra), "time": now()}
    laws = laws_of(job.exercise, job.extra)
    return [record_of(law, "error", is_private=is_private, **facts) for law, is_private in laws]


def _told(outcome: Outcome, job: Job, is_private: bool) -> Record:
    """A record with what only a cohort has: why a file was not taken, and, for the lead, where a grader stopped."""
    record = replace(outcome.record, is_private=is_private)
    if record.kind == "no_file" and job.exercise in job.problems:
        return replace(record, yours=job.problems[job.exercise])
    if record.kind == "grader" and outcome.broken:
        return replace(record, cause=outcome.broken.note)
    return record
