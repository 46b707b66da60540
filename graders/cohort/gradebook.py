"""The gradebook: where every learner stands with every exercise, from the history and the policy. Nothing is graded.

When an answer was there is not what its commit says: a learner's clock shows what the learner likes. A text that was
first seen at one visit was not there at the visit before, so the commit's time is believed between the two only.
"""

import datetime
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from graders.cohort.policy import Policy, Worth, points_of
from graders.cohort.roster import Learner, applied_roster
from graders.engine.course import load_course

MISSING, PROBLEM, WAITING = "missing", "problem", "waiting"  # beside the statuses of gradings


@dataclass(frozen=True)
class Standing:
    """One learner's standing with one exercise."""

    exercise: str
    status: str  # of the newest text: a grading's, or MISSING, PROBLEM (never fetched), WAITING (for look or verdict)
    grading: int | None  # of the newest text
    isolation: str  # of that grading, or ""
    n_passed: int
    n_laws: int
    points: int | None  # of the best text; None while nothing was begun and it is not due, or nothing could be judged
    of: int
    days_late: int  # of the text that gave the points
    due: datetime.datetime | None


@dataclass(frozen=True)
class Row:
    """One learner's line of the gradebook."""

    learner: Learner
    standings: tuple[Standing, ...]  # one for each exercise, in the order of the course
    seen_at: str  # the last visit, or ""
    problem: str  # why the repository could not be looked at then, or ""

    @property
    def points(self) -> int:
        """All points that there are by now."""
        return sum(standing.points or 0 for standing in self.standings)


def gradebook(
    history: sqlite3.Connection,
    policy: Policy,
    now: datetime.datetime,
    exercises: Collection[str] = (),
    learners: Collection[str] = (),
) -> Iterator[Row]:
    """The lines of the active learners, one after the other; all exercises and learners where none are named."""
    wanted = [e.name for e in load_course().exercises if not exercises or e.name in exercises]
    for learner in applied_roster(history):
        if learners and learner.id not in learners:
            continue
        last = history.execute(
            "SELECT at, problem FROM visits WHERE learner = ? ORDER BY at DESC, id DESC LIMIT 1", (learner.id,)
        ).fetchone()
        attempts: dict[str, list[sqlite3.Row]] = {}
        texts = "SELECT * FROM attempts WHERE learner = ? ORDER BY first_seen, submission"
        for attempt in history.execute(texts, (learner.id,)):
            attempts.setdefault(attempt["exercise"], []).append(attempt)
        problem = last["problem"] if last else None
        standings = (_standing(policy, learner, name, attempts.get(name, []), now, problem) for name in wanted)
        yield Row(learner, tuple(standings), last["at"] if last else "", problem or "")


def _standing(
    policy: Policy,
    learner: Learner,
    exercise: str,
    attempts: list[sqlite3.Row],
    now: datetime.datetime,
    problem: str | None,  # of the last visit; None where there was none yet
) -> Standing:
    due, of = policy.due(learner, exercise), policy.points_for(exercise)
    is_due = due is not None and now > due
    if not attempts:
        points = 0 if is_due and problem == "" else None  # a repository that nobody looked at, or could, is no answer
        status = WAITING if problem is None else PROBLEM if problem else MISSING
        return Standing(exercise, status, None, "", 0, 0, points, of, 0, due)
    judged = [attempt for attempt in attempts if attempt["status"] not in (None, "error")]
    worths = [
        points_of(policy, learner, exercise, attempt["n_passed"], attempt["n_laws"], there_at(attempt))
        for attempt in judged
    ]
    best = max(worths, key=lambda worth: worth.points, default=Worth(0))  # of equal ones the earliest
    newest = attempts[-1]
    is_begun = any(attempt["status"] not in ("not_started", PROBLEM) for attempt in judged)
    return Standing(
        exercise,
        newest["status"] or WAITING,
        newest["grading"],
        newest["isolation"] or "",
        newest["n_passed"] or 0,
        newest["n_laws"] or 0,
        best.points if is_begun or (is_due and judged) else None,
        of,
        best.days_late,
        due,
    )


def there_at(attempt: sqlite3.Row) -> datetime.datetime | None:
    """When a text was there: when it was committed, but not before the visit that did not find it, nor after the one
    that did; None when the history does not say."""
    times = [_time(attempt[name]) for name in ("committed_at", "seen_before", "first_seen")]
    committed, before, seen = times
    if seen is None:
        return committed
    return min(max(filter(None, (committed or seen, before))), seen)


def _time(text: str | None) -> datetime.datetime | None:
    try:
        time = datetime.datetime.fromisoformat(text) if text else None
    except ValueError:  # an imported history may say anything
        return None
    return time.replace(tzinfo=time.tzinfo or datetime.UTC) if time else None
