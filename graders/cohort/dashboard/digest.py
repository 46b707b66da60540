"""The weekly digest: what is new since the last one, in Markdown."""

import datetime
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from graders.cohort.dashboard.accounts import Account, Standing, standing_of
from graders.cohort.dashboard.needs import Broken, Reason, is_stuck
from graders.cohort.dashboard.wording import counted, day
from graders.cohort.harmless import markdown
from graders.cohort.history import transaction
from graders.engine.course import load_course
from graders.engine.misconception import Misconception
from graders.loop.failures import mistakes_in

WEEK = datetime.timedelta(days=7)
NEARLY = datetime.timedelta(days=6)  # a run a little earlier than a week ago counts as last week's
MOST_NAMES, MOST_LINES, MOST_MISTAKES = 12, 30, 3


def since_last(history: sqlite3.Connection, now: datetime.datetime) -> datetime.datetime:
    """From when a digest made now has to tell: from the newest of the reports that are a week old, else from the first
    there was, so that no day is left out whether reports are made nightly, weekly or seldom."""
    made = [datetime.datetime.fromisoformat(row["at"]) for row in history.execute("SELECT at FROM digests ORDER BY at")]
    old = [at for at in made if at <= now - NEARLY]
    return max(old) if old else min([now - WEEK, *made])


def remember(history: sqlite3.Connection, now: datetime.datetime) -> None:
    """Note that a report was made. Raises `HistoryError` when it cannot be written."""
    with transaction(history):
        history.execute("INSERT OR IGNORE INTO digests (at) VALUES (?)", (now.isoformat(timespec="seconds"),))


@dataclass
class Digest:
    """What is new since some time, learner by learner."""

    since: datetime.datetime
    passed: dict[str, list[Account]] = field(default_factory=dict)  # by exercise
    stuck: list[tuple[Account, Reason]] = field(default_factory=list)
    unreadable: list[tuple[Account, Reason]] = field(default_factory=list)
    n_in_need: int = 0  # for any reason, as the first page lists them
    notices: Sequence[str] = ()  # what is not of one learner
    joined: list[Account] = field(default_factory=list)
    mistakes: dict[tuple[str, str], list[Account]] = field(default_factory=dict)  # by exercise and id
    known: dict[tuple[str, str], Misconception] = field(default_factory=dict)

    def add(self, standing: Standing, broken: Mapping[str, Broken], why: Sequence[Reason]) -> None:
        """Add what is new of one learner."""
        account = replace(standing.account, attempts=())
        self.n_in_need += bool(why)
        self.unreadable += [(account, reason) for reason in why if reason.kind == "unreadable"]
        if account.first_visit is None or account.first_visit > self.since:
            self.joined.append(account)
        if all(attempt.seen <= self.since for attempt in standing.account.attempts):
            return
        exercises = load_course().exercises
        before = standing_of(standing.account, exercises, as_of=self.since)
        for name, cell in standing.cells.items():
            if cell.first_pass and not before.cells[name].first_pass:
                self.passed.setdefault(name, []).append(account)
        newly = [one for one in why if one.kind == "stuck" and not is_stuck(before.cells[one.exercise])]
        self.stuck += [(account, reason) for reason in newly[:1]]
        for name, of_one in broken.items():
            cell = standing.cells[name]
            if cell.newest is None or cell.newest.seen <= self.since:
                continue
            newest_before = before.cells[name].newest
            for mistake in {mistake.id: mistake for record in of_one for mistake in mistakes_in(record)}.values():
                if newest_before is None or mistake.id not in newest_before.misconception.split("+"):
                    self.mistakes.setdefault((name, mistake.id), []).append(account)
                    self.known[name, mistake.id] = mistake

    def text(self, now: datetime.datetime) -> str:
        """The digest."""
        lines = [f"# The cohort from {day(self.since)} to {day(now)}", ""]
        lines += self._to_do()
        lines += self._passed()
        lines += self._stuck()
        lines += self._mistakes()
        lines += self._joined()
        return "\n".join(lines)

    def _passed(self) -> list[str]:
        order = [exercise.name for exercise in load_course().exercises if exercise.name in self.passed]
        lines = [f"- `{name}`: {_names(self.passed[name])}" for name in order]
        return ["## Passed for the first time", "", *(lines or ["Nothing."]), ""]

    def _to_do(self) -> list[str]:
        """What nobody else can mend, new or not, and how many there are to look after."""
        lines = [f"- {markdown(notice)}" for notice in self.notices] + _listed(self.unreadable)
        if self.n_in_need:
            need = "needs" if self.n_in_need == 1 else "need"
            lines.append(f"- {counted(self.n_in_need, 'learner')} {need} you today: [who, and why](index.html)")
        return ["## For you to do", "", *(lines or ["Nothing."]), ""]

    def _stuck(self) -> list[str]:
        return ["## Newly stuck", "", *(_listed(self.stuck) or ["Nobody."]), ""]

    def _mistakes(self) -> list[str]:
        frequent = sorted(self.mistakes.items(), key=lambda entry: (-len(entry[1]), entry[0]))
        lines = [
            f"- {markdown(self.known[key].names)} (`{key[0]}`, {counted(len(who), 'learner')}) "
            f"Ask: {markdown(self.known[key].asks)}"
            for key, who in frequent[:MOST_MISTAKES]
        ]
        if len(frequent) > MOST_MISTAKES:
            lines.append(f"- and {len(frequent) - MOST_MISTAKES} more, among [all mistakes](mistakes.html)")
        return ["## Most frequent new misconceptions", "", *(lines or ["None was recognised."]), ""]

    def _joined(self) -> list[str]:
        return ["## New in the roster", "", _names(self.joined) if self.joined else "Nobody.", ""]


def _listed(reasons: Sequence[tuple[Account, Reason]]) -> list[str]:
    """Reasons of one kind, a line each, with whose they are and what to do."""
    lines = [f"- {_name(who)}: {markdown(why.text)} {markdown(why.to_do)}" for who, why in reasons[:MOST_LINES]]
    if len(reasons) > MOST_LINES:
        kind = reasons[0][1].kind
        lines.append(f"- and {len(reasons) - MOST_LINES:,} more: [all of them](grid.html#need={kind})")
    return lines


def _names(who: Sequence[Account]) -> str:
    told = ", ".join(_name(account) for account in who[:MOST_NAMES])
    return told + (f" and {len(who) - MOST_NAMES:,} more" if len(who) > MOST_NAMES else "")


def _name(account: Account) -> str:
    return f"[{markdown(account.learner.name, 80)}](learners/{account.page}.html)"
