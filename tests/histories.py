"""Histories of cohorts as tests make them: without grading anything, through the functions that grading uses."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from graders.cohort import history as kept
from graders.cohort.roster import Learner
from graders.engine.record import Record


def law(name: str, status: str = "passed", task: str = "mask", **facts) -> Record:
    """A record of attention's."""
    return Record("attention", task, name, f"The law {name}.", status, **facts)


class History:
    """A history that is filled visit by visit; `to` is the connection."""

    def __init__(self, path: Path, *learners: Learner):
        self.path = path
        self.to: sqlite3.Connection = kept.open_history(path)
        kept.apply_roster(self.to, learners)

    def visit(self, learner: str, at: str, problem: str = "", committed_at: str = "", **texts: str) -> "History":
        """A learner's repository was looked at: the texts found there, by exercise."""
        facts = {"commit_id": "c0ffee", "committed_at": committed_at or at, "problem": problem, "hashes": texts}
        kept.record_visit(self.to, learner, at, **facts)
        return self

    def grade(
        self, exercise: str, text: str, records: Sequence[Record], isolation: str = "sandbox", version: str = "1"
    ) -> "History":
        """A text came to these records."""
        key = kept.Key(exercise, text, version, "secret:0", isolation)
        grading = kept.begin_grading(self.to, key)
        assert grading is not None
        for position, record in enumerate(records):
            kept.record_law(self.to, grading, position, record)
        kept.finish_grading(self.to, grading, [record.law for record in records])
        return self

    def share(self, exercise: str, text: str, n_passed: int, n_laws: int) -> "History":
        """A text of which so many laws hold."""
        statuses = ["passed"] * n_passed + ["failed"] * (n_laws - n_passed)
        return self.grade(exercise, text, [law(f"law_{n}", status) for n, status in enumerate(statuses)])
