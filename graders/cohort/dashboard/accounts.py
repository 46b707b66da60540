"""The history read learner by learner: what each handed in, and what came of it."""

import datetime
import hashlib
import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from graders.cohort.gradebook import MISSING, PROBLEM, WAITING, there_at
from graders.cohort.history import RECORD_FIELDS
from graders.cohort.roster import Learner
from graders.engine.course import Exercise
from graders.engine.record import Record, tally_of

NOT_RIGHT = ("failed", "error", PROBLEM)
NEVER = datetime.datetime.min.replace(tzinfo=datetime.UTC)
# Of a text whose own hash is not known, every change of what it rests on counts as one of its own
ATTEMPTS = """
SELECT a.*, iif(s.own_hash = '', s.subject_hash, s.own_hash) AS text
FROM attempts a JOIN submissions s ON s.id = a.submission ORDER BY a.learner, a.first_seen, a.submission
"""
VISITS = """
SELECT v.learner, v.at, v.problem, (SELECT min(at) FROM visits w WHERE w.learner = v.learner) AS first
FROM visits v
WHERE v.id = (SELECT id FROM visits w WHERE w.learner = v.learner ORDER BY at DESC, id DESC LIMIT 1)
"""
LEARNERS = "SELECT id, name, repository, section, start, email FROM learners WHERE is_active ORDER BY id"
BROKEN = "SELECT * FROM records WHERE grading = ? AND status IN ('failed', 'error') ORDER BY position"
TALLIES = "SELECT task, status FROM records WHERE grading = ?"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One state of the files that an exercise rests on, and the verdict on it."""

    exercise: str
    at: datetime.datetime  # when it was there, as far as a learner's clock is believed
    seen: datetime.datetime  # when a visit found it
    text: str  # a hash of the exercise's own file
    status: str
    grading: int | None = None
    n_laws: int = 0
    n_passed: int = 0
    law: str = ""  # the first that is broken
    misconception: str = ""
    isolation: str = ""

    @property
    def is_try(self) -> bool:
        """Whether there is work in it, as far as that is known: a stub is none, and what is not graded may be one."""
        return self.status not in ("not_started", WAITING)


@dataclass(frozen=True, slots=True)
class Account:
    """A learner of the roster, and all that was seen of their work, oldest first."""

    learner: Learner
    attempts: Sequence[Attempt]
    first_visit: datetime.datetime | None
    last_visit: datetime.datetime | None
    problem: str  # why the repository could not be read when it was last looked at

    @property
    def page(self) -> str:
        """The name of their page: an id may hold anything."""
        return hashlib.sha256(self.learner.id.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Cell:
    """How a learner stands in one exercise."""

    status: str
    tries: int = 0
    tries_to_pass: int = 0
    changed: datetime.datetime | None = None  # when the newest text was first seen, with work in it
    first_try: datetime.datetime | None = None
    first_pass: datetime.datetime | None = None
    same: int = 0  # how many of the latest tries ended in the very same failure
    newest: Attempt | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a learner stands in every exercise, at some time."""

    account: Account
    cells: dict[str, Cell] = field(default_factory=dict)

    @property
    def changed(self) -> datetime.datetime | None:
        """When something new was last seen of this learner."""
        return max((cell.changed for cell in self.cells.values() if cell.changed), default=None)

    @property
    def n_passed(self) -> int:
        return sum(cell.status == "passed" for cell in self.cells.values())

    @property
    def failing(self) -> list[str]:
        """The exercises that are not right as they were handed in last, what was changed last first."""
        names = [name for name, cell in self.cells.items() if cell.newest and cell.status in NOT_RIGHT]
        # Of what came together the earlier exercise is first, on which the later ones may rest
        return sorted(names, key=lambda name: self.cells[name].changed or NEVER, reverse=True)


def accounts(history: sqlite3.Connection) -> Iterator[Account]:
    """All learners of the roster by id, one at a time: a year of 5,000 of them need not fit into memory."""
    visits = {row["learner"]: row for row in history.execute(VISITS)}
    handed_in = itertools.groupby(history.execute(ATTEMPTS), key=lambda row: row["learner"])
    learner, rows = next(handed_in, (None, iter(())))
    for who in history.execute(LEARNERS):
        # Both are in the order of ids; whoever left the roster has submissions, and is passed over
        while learner is not None and learner < who["id"]:
            learner, rows = next(handed_in, (None, iter(())))
        attempts = [_attempt(row) for row in rows] if learner == who["id"] else []
        visit = visits.get(who["id"])
        yield Account(
            Learner(
                *(who["id"], who["name"], who["repository"], who["section"]),
                start=datetime.date.fromisoformat(who["start"]) if who["start"] else None,
                email=who["email"],
            ),
            attempts,
            first_visit=_time(visit["first"]) if visit else None,
            last_visit=_time(visit["at"]) if visit else None,
            problem=visit["problem"] if visit else "",
        )


def standing_of(account: Account, exercises: Sequence[Exercise], as_of: datetime.datetime | None = None) -> Standing:
    """How a learner stands, or stood then: by the verdicts of today on what was seen until then."""
    attempts: dict[str, list[Attempt]] = {exercise.name: [] for exercise in exercises}
    for attempt in account.attempts:
        if attempt.exercise in attempts and (as_of is None or attempt.seen <= as_of):
            attempts[attempt.exercise].append(attempt)
    return Standing(account, {name: _cell(account, of_one) for name, of_one in attempts.items()})


def timeline_of(account: Account) -> list[tuple[Attempt, bool]]:
    """What came of a learner's work, newest first, and whether the text was new: a verdict that another file changed is
    told as well, one that none did is not."""
    found: list[tuple[Attempt, bool]] = []
    before: dict[str, Attempt] = {}
    for attempt in account.attempts:
        last = before.get(attempt.exercise)
        is_new = last is None or last.text != attempt.text
        if attempt.is_try and (last is None or is_new or _verdict(last) != _verdict(attempt)):
            found.append((attempt, is_new))
        before[attempt.exercise] = attempt
    return found[::-1]


def _verdict(attempt: Attempt) -> tuple[str, int, str, str]:
    return attempt.status, attempt.n_passed, attempt.law, attempt.misconception


def failures_of(history: sqlite3.Connection, attempt: Attempt) -> list[Record]:
    """The broken laws of a verdict, in order."""
    return [
        Record(attempt.exercise, **{name: row[name] for name in RECORD_FIELDS})
        for row in history.execute(BROKEN, (attempt.grading,))
    ]


def tallies_of(history: sqlite3.Connection, attempt: Attempt) -> dict[str, str]:
    """How many laws of each task hold, are broken and wait, by task."""
    statuses: dict[str, list[str]] = {}
    for row in history.execute(TALLIES, (attempt.grading,)):
        statuses.setdefault(row["task"], []).append(row["status"])
    return {task: tally_of(of_task) for task, of_task in statuses.items()}


def _cell(account: Account, attempts: list[Attempt]) -> Cell:
    if not attempts:
        if account.last_visit is None:
            return Cell(WAITING)
        return Cell(PROBLEM if account.problem else MISSING)
    newest, texts = attempts[-1], _texts(attempts)
    tries = [text for text in texts if any(attempt.is_try for attempt in text)]
    passes = [[attempt.at for attempt in text if attempt.status == "passed"] for text in tries]
    passed = next((i for i, times in enumerate(passes) if times), None)
    return Cell(
        newest.status,
        tries=len(tries),
        tries_to_pass=0 if passed is None else passed + 1,
        changed=texts[-1][0].at if tries else None,
        first_try=tries[0][0].at if tries else None,
        first_pass=None if passed is None else passes[passed][0],
        same=_same(tries) if newest.status == "failed" else 0,
        newest=newest,
    )


def _texts(attempts: Sequence[Attempt]) -> list[list[Attempt]]:
    """What was handed in, by the text of the exercise's own file: another file may change its verdict, which makes it
    no other attempt."""
    return [list(of_one) for _, of_one in itertools.groupby(attempts, key=lambda attempt: attempt.text)]


def _same(tries: Sequence[Sequence[Attempt]]) -> int:
    """How many of the latest tries came to what the last did."""
    return len(list(itertools.takewhile(lambda one: _failure(one) == _failure(tries[-1]), reversed(tries))))


def _failure(text: Sequence[Attempt]) -> tuple[str, str, str]:
    """What a text came to last."""
    last = [attempt for attempt in text if attempt.is_try][-1]
    return last.status, last.law, last.misconception


def _attempt(row: sqlite3.Row) -> Attempt:
    seen = _time(row["first_seen"])
    told = (row["exercise"], there_at(row) or seen, seen, row["text"])
    if row["grading"] is None:
        return Attempt(*told, WAITING)
    verdict = (row[name] for name in ("status", "grading", "n_laws", "n_passed", "law", "misconception", "isolation"))
    return Attempt(*told, *verdict)


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)
