"""Verdicts on a learner's files, as a run of the graders leaves them, without a run."""

from collections.abc import Mapping

from graders.engine import journal
from graders.engine.course import load_course
from graders.engine.record import Record
from graders.loop.specification import laws_in

HIDDEN = "test_the_future_is_hidden"
FAILURE = {
    "kind": "values",
    "misconception": "mask_hides_self",
    "counterexample": "scores (queries 2, keys 2) = [[-1.9, 0.4], [-0.3, -1.1]]",
    "yours": "[[-inf, -inf], [-0.3, -inf]]",
    "expected": "[[-1.9, -inf], [-0.3, -1.1]]",
    "seed": 0,
}


def graded(exercise: str, states: Mapping[str, str], time: str = "2026-11-22T10:00:00+00:00", **failure) -> None:
    """Keep a verdict on an exercise: the status of each task's first law, by task; not started where none is given.

    `failure` are fields of the records of failed laws.
    """
    records, seen, laws = [], set(), laws_in(exercise)
    for law, (task, statement) in laws.items():
        status = states.get(task, "not_started")
        facts = {"failed": failure, "skipped": {"cause": "waits for another"}}.get(status, {})
        if task in seen and status != "passed":  # the first failure of a task skips the rest
            status, facts = "skipped", {"cause": f"waits for {task}"}
        seen.add(task)
        records.append(Record(exercise, task, law, statement, status, time=time, **facts))
    tasks = {law: task for law, (task, _statement) in laws.items()}
    asks = {record.law: "Which keys?" for record in records if record.misconception}
    journal.keep(exercise, journal.file_hash(exercise), tasks, records, asks)


def finished(exercise: str, **time: str) -> None:
    """Keep a verdict on an exercise whose laws all hold."""
    graded(exercise, {task.name: "passed" for task in load_course()[exercise].tasks}, **time)
