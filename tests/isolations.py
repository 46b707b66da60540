"""The same files graded in this process, in one of their own and in a sandbox, for tests and whoever compares them."""

from collections.abc import Iterator
from dataclasses import asdict, replace

from graders.cohort.sandbox import Sandboxed
from graders.engine.course import load_course
from graders.engine.judge import Judge
from graders.engine.law import laws_for
from graders.engine.misconception import misconceptions_of, variants_of
from graders.engine.stubs import GIVEN
from graders.engine.subject import reference_text
from graders.engine.transport import InProcess, Transport, Worker
from graders.engine.trial import Policy
from graders.engine.worker.loading import Source

TRANSPORTS: dict[str, type[InProcess | Worker]] = {"none": InProcess, "process": Worker, "sandbox": Sandboxed}
POLICY = Policy(seed=1, examples=12)


def reference_files() -> dict[str, str]:
    """Every solved file, and those that a learner is given."""
    return {name: reference_text(name) for name in (*GIVEN, *(exercise.name for exercise in load_course().exercises))}


def subjects_of(exercise: str) -> Iterator[tuple[str, Source]]:
    """The reference, its variants and its misconceptions, each as the texts of all files."""
    files = reference_files()
    yield "reference", Source(texts=files)
    for change in (*variants_of(exercise), *misconceptions_of(exercise)):
        yield change.id, Source(texts=files | {exercise: change.apply(files[exercise])})


def verdicts(transport: Transport, exercise: str, policy: Policy = POLICY) -> list[dict]:
    """The records of all laws, without what differs from run to run; the transport is closed."""
    judge = Judge(transport, policy)
    try:
        records = [judge.grade(law).record for law in laws_for(exercise)]
    finally:
        transport.close()
    return [asdict(replace(record, duration_ms=0, isolation="", time="")) for record in records]
