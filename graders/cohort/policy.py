"""The policy of a cohort: what is due when, who has longer, and what a late answer is worth. Read from `policy.toml`.

It is applied to the history, so another policy gives other points without anything being graded again. One rule for
every exercise: of everything a learner handed in, what gives most points counts, and each submission is worth its share
of laws, less the percent points of the days that it came late.
"""

import datetime
import tomllib
import zoneinfo
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graders.cohort.harmless import plain
from graders.cohort.roster import Learner
from graders.engine.course import load_course

FILE = "policy.toml"
POINTS = 100  # for an exercise whose points the policy does not give
DAY = datetime.timedelta(days=1)
TABLES = ("time_zone", "points", "due", "starts", "late", "extensions")
LATE = ("percent_per_day", "most_days", "floor")

When = datetime.date | datetime.datetime | int  # a day, to its end; a moment; days after the start, to their end


class PolicyError(Exception):
    """The policy cannot be used; the text has every problem."""


@dataclass(frozen=True)
class Late:
    """What is taken from a late answer. Without any of it a late answer counts in full."""

    percent_per_day: int = 0  # for each day begun
    most_days: int | None = None  # later than that, only the floor is left; None: no such day
    floor: int = 0  # percent that are left of an answer however late


@dataclass(frozen=True)
class Policy:
    """Due dates, extensions, points and what being late costs; as it stands, nothing is due and all counts in full."""

    points: Mapping[str, int] = field(default_factory=dict)  # by exercise; "" for all others
    due_exercises: Mapping[str, When] = field(default_factory=dict)
    due_sessions: Mapping[int, When] = field(default_factory=dict)
    starts: Mapping[str, datetime.date] = field(default_factory=dict)  # of sections, for learners without a start
    late: Late = Late()
    longer: Mapping[str, int] = field(default_factory=dict)  # days more for everything, by learner
    extensions: Mapping[tuple[str, str], When] = field(default_factory=dict)  # by learner and exercise
    zone: datetime.tzinfo = datetime.UTC

    def points_for(self, exercise: str) -> int:
        """What the exercise is worth in full."""
        return self.points.get(exercise, self.points.get("", POINTS))

    def due(self, learner: Learner, exercise: str) -> datetime.datetime | None:
        """The last moment at which an answer is on time; None when it always is."""
        extension = self.extensions.get((learner.id, exercise))
        if extension is not None:
            return self._moment(extension, learner)
        session = load_course()[exercise].session
        of_session = self.due_sessions.get(session) if session else None
        due = self._moment(self.due_exercises.get(exercise, of_session), learner)
        return due + DAY * self.longer.get(learner.id, 0) if due else None

    def _moment(self, when: When | None, learner: Learner) -> datetime.datetime | None:
        if isinstance(when, int):
            start = learner.start or self.starts.get(learner.section)
            when = start + when * DAY if start else None
        if when is None:
            return None
        if not isinstance(when, datetime.datetime):
            when = datetime.datetime.combine(when, datetime.time(23, 59, 59))
        return when if when.tzinfo else when.replace(tzinfo=self.zone)


@dataclass(frozen=True)
class Worth:
    """What one submission is worth."""

    points: int
    days_late: int = 0  # days begun after it was due


def points_of(
    policy: Policy, learner: Learner, exercise: str, n_passed: int, n_laws: int, at: datetime.datetime | None
) -> Worth:
    """What an answer with so many of the laws is worth that was there at this time; None for a time nobody knows.

    Whole points, rounded down once at the end.
    """
    due = policy.due(learner, exercise)
    # Rounding a negative span down makes a day begun a whole one
    days = max(0, -((due - at) // DAY)) if due and at else 0
    percent = max(policy.late.floor, 100 - days * policy.late.percent_per_day)
    if policy.late.most_days is not None and days > policy.late.most_days:
        percent = policy.late.floor
    if not days:
        percent = 100
    points = policy.points_for(exercise) * n_passed * percent // (100 * n_laws) if n_laws else 0
    return Worth(points, days)


def read_policy(path: Path, learners: Mapping[str, str] | None = None) -> Policy:
    """Read a policy; that of a file that is not there lets everything count in full.

    `learners` are the ids that an extension may name, with the sections that a start may name; without them, any.
    Raises `PolicyError`, with every problem.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Policy()
    except (OSError, ValueError) as error:  # what is no UTF-8 and no TOML is a ValueError
        raise PolicyError(f"{path} could not be read: {plain(str(error))}") from error
    reading = _Reading()
    policy = reading.policy(said, learners)
    if reading.problems:
        raise PolicyError("\n".join([f"{path} cannot be used:", *reading.problems]))
    return policy


class _Reading:
    """One policy being read; what is wrong with it gathers in `problems`."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.exercises = [exercise.name for exercise in load_course().exercises]

    def policy(self, said: dict[str, Any], learners: Mapping[str, str] | None) -> Policy:
        self._only("the policy", said, TABLES)
        due = self._table(said, "due")
        self._only("[due]", due, ("exercises", "sessions"))
        exercises, sessions = (self._table(due, name, "due.") for name in ("exercises", "sessions"))
        self._only("[due.exercises]", exercises, self.exercises)
        known = {str(session.number): session.number for session in load_course().sessions}
        self._only("[due.sessions]", sessions, known)
        longer, extensions = self._extensions(self._table(said, "extensions"), learners)
        return Policy(
            self._points(self._table(said, "points")),
            {name: self._when(f"due.exercises.{name}", value) for name, value in exercises.items()},
            {known[n]: self._when(f"due.sessions.{n}", value) for n, value in sessions.items() if n in known},
            self._starts(self._table(said, "starts"), None if learners is None else set(learners.values()) - {""}),
            self._late(self._table(said, "late")),
            longer,
            extensions,
            self._zone(said.get("time_zone", "UTC")),
        )

    def _points(self, said: dict[str, Any]) -> dict[str, int]:
        self._only("[points]", said, ("default", *self.exercises))
        return {"" if n == "default" else n: self._number(f"points.{n}", p, 0, 100_000) for n, p in said.items()}

    def _starts(self, said: dict[str, Any], sections: Collection[str] | None) -> dict[str, datetime.date]:
        for name in said:
            if sections is not None and name not in sections:
                there = f"its sections are {', '.join(map(plain, sorted(sections)))}" if sections else "it has none"
                self._problem(f"[starts] has {plain(name, 60)!r}, which is no section of the roster; {there}")
        return {section: self._day(f"starts.{section}", day) for section, day in said.items()}

    def _late(self, said: dict[str, Any]) -> Late:
        self._only("[late]", said, LATE)
        most = {"percent_per_day": 100, "most_days": 3650, "floor": 100}
        return Late(**{n: self._number(f"late.{n}", value, 0, most[n]) for n, value in said.items() if n in LATE})

    def _extensions(
        self, said: dict[str, Any], learners: Collection[str] | None
    ) -> tuple[dict[str, int], dict[tuple[str, str], When]]:
        longer, extensions = {}, {}
        for learner in said:
            if learners is not None and learner not in learners:
                self._problem(
                    f"[extensions.{learner}]: the roster has no such learner; write the id as it stands there"
                )
            given = self._table(said, learner, "extensions.")
            self._only(f"[extensions.{learner}]", given, ("days", *self.exercises))
            for name, value in given.items():
                where = f"extensions.{learner}.{name}"
                if name == "days":
                    longer[learner] = self._number(where, value, 0, 3650)
                else:
                    extensions[learner, name] = self._when(where, value)
        return longer, extensions

    def _zone(self, name: Any) -> datetime.tzinfo:
        if name == "UTC":
            return datetime.UTC
        try:
            return zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            self._problem(f"time_zone is {plain(str(name), 60)!r}; expected a name like 'Europe/Berlin', or 'UTC'")
            return datetime.UTC

    def _when(self, where: str, value: Any) -> When:
        if isinstance(value, datetime.date) or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
            return value if isinstance(value, datetime.date) else min(value, 36500)
        told = "a day like 2026-10-01, a moment like 2026-10-01T18:00:00, or a number of days after the start"
        self._problem(f"{where} is {plain(str(value), 60)!r}; expected {told}, without quotes")
        return 0

    def _day(self, where: str, value: Any) -> datetime.date:
        if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
            return value
        self._problem(f"{where} is {plain(str(value), 60)!r}; expected a day like 2026-09-01, without quotes")
        return datetime.date.min

    def _number(self, where: str, value: Any, least: int, most: int) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self._problem(f"{where} is {plain(str(value), 60)!r}; expected a whole number from {least} to {most}")
        return least

    def _table(self, said: dict[str, Any], name: str, above: str = "") -> dict[str, Any]:
        value = said.get(name, {})
        if isinstance(value, dict):
            return value
        self._problem(f"{above}{name} is {plain(str(value), 60)!r}; expected a table, [{above}{name}]")
        return {}

    def _only(self, where: str, said: Mapping[str, Any], known: Collection[str]) -> None:
        for name in said:
            if name not in known:
                self._problem(f"{where} has {plain(name, 60)!r}, which it does not know; it knows {', '.join(known)}")

    def _problem(self, said: str) -> None:
        self.problems.append(said)
