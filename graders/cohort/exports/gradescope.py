"""One learner's `results.json`, as an autograder of Gradescope writes it.

The format is that of gradescope-autograders.readthedocs.io, "Autograder Specifications".
"""

import sqlite3
from typing import Any

from graders.cohort.exports.told import records_of, said_of
from graders.cohort.gradebook import Row, Standing
from graders.cohort.harmless import plain
from graders.engine.record import Record

TEXT = {"output_format": "text", "name_format": "text", "visibility": "visible"}


def results(history: sqlite3.Connection, row: Row) -> dict[str, Any]:
    """The learner's points, a test for each exercise with its points, and one for each of its laws without."""
    tests = []
    for standing in row.standings:
        tests.append(_exercise(standing))
        tests += [_law(record) for record in records_of(history, standing.exercise, standing.grading)]
    levels = sorted({standing.isolation for standing in row.standings} - {""})
    return {
        "score": row.points,
        "output": plain(row.problem),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"learner": row.learner.id, "isolation": levels},
    }


def _exercise(standing: Standing) -> dict[str, Any]:
    said = f"{standing.status.replace('_', ' ')}: {standing.n_passed} of {standing.n_laws} laws hold"
    late = f"; {standing.days_late} days late" if standing.days_late else ""
    passed = standing.status == "passed"
    return {
        "name": standing.exercise,
        "score": standing.points or 0,
        "max_score": standing.of,
        "status": "passed" if passed else "failed",
        "output": said + late,
    } | TEXT


def _law(record: Record) -> dict[str, Any]:
    return {
        "name": f"{record.exercise} · {record.task}: {plain(record.statement)}",
        "status": "passed" if record.status == "passed" else "failed",
        "output": said_of(record),
    } | TEXT
