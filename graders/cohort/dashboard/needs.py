"""Who needs the lead today, why, and what to do: the reasons, spelled out, and their order."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from graders.cohort.dashboard.accounts import Cell, Standing
from graders.cohort.dashboard.wording import counted, day, listed, sentence
from graders.cohort.roster import Learner
from graders.engine.course import Exercise, load_course
from graders.engine.record import Record
from graders.loop.failures import mistakes_in, what_happened
from graders.loop.specification import first_question

SAME = 3  # the very same failure so many times in a row is being stuck
QUIET = 7  # days without a change
EMPTY = "it has no commit yet"  # how the sentence of `fetch` ends, of a repository that is there and empty
GONE = 28  # days after which somebody is no longer at work, and is not listed day after day

Due = Callable[[Learner, Exercise], datetime.date | None]
Broken = Sequence[Record]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason to look after somebody."""

    kind: str  # stuck, unreadable, behind, quiet
    text: str
    to_do: str
    weight: int  # the urgency it adds
    exercise: str = ""  # that somebody is stuck on


def reasons(standing: Standing, broken: Mapping[str, Broken], due: Due, now: datetime.datetime) -> list[Reason]:
    """Why a learner needs the lead now, the most urgent reason first. `broken`: by exercise, its broken laws."""
    account = standing.account
    known = standing.changed or _morning(account.learner.start) or account.first_visit
    if known is not None and (now - known).days > GONE:
        return []
    found = [_stuck(name, cell.same, broken.get(name, ())) for name, cell in standing.cells.items() if is_stuck(cell)]
    if account.problem:
        mend = "Ask them for access to it, or put its address right in the roster."
        if account.problem.endswith(EMPTY):
            mend = "Ask them to commit and push."
        found.append(Reason("unreadable", sentence(account.problem), mend, 5))
    found += [Reason("unreadable", why, "Ask them to put it right.", 5) for why in _not_taken(broken)]
    begins = account.learner.start
    late = behind(standing, due, now.date()) if begins is None or begins <= now.date() else []
    if late and not account.problem:  # which hides what they did since
        first = min(date for _, date in late)
        names = listed([name for name, _ in late], 4)
        text = f"Behind the plan: {names} not passed, the first due on {day(first)}."
        found.append(Reason("behind", text, _ask_whoever_is_behind(standing, broken, late[0][0]), min(len(late), 5)))
    days = (now - known).days if known else 0
    if days >= QUIET and standing.n_passed < len(standing.cells) and not account.problem:
        text = f"No change for {counted(days, 'day')}, after {_last_worked_on(standing)}."
        if not standing.changed:
            text = f"Nothing handed in yet, {counted(days, 'day')} after the beginning."
        found.append(Reason("quiet", text, "Write to them, and ask what stands in the way.", days // QUIET))
    return sorted(found, key=lambda reason: -reason.weight)


def is_stuck(cell: Cell) -> bool:
    """Whether the same failure came so often that it will not go by itself."""
    return cell.status == "failed" and cell.same >= SAME


def behind(standing: Standing, due: Due, today: datetime.date) -> list[tuple[str, datetime.date]]:
    """The exercises that the plan has as done and the learner never passed, each with its date."""
    dates = [(e.name, due(standing.account.learner, e)) for e in load_course().exercises if e.name in standing.cells]
    return [(name, date) for name, date in dates if date and date < today and not standing.cells[name].first_pass]


def question_about(record: Record) -> str:
    """What to ask whoever made this failure: the mistake's own question, or the first on the task's page."""
    known = mistakes_in(record)
    if known:
        return known[0].asks
    exercise = load_course().get(record.exercise)
    if exercise is None or record.task not in {task.name for task in exercise.tasks}:
        return ""
    general = first_question(record.exercise, record.task)
    return general[0] if general else ""


def _stuck(exercise: str, same: int, broken: Broken) -> Reason:
    record = broken[0] if broken else Record(exercise, "", "", "", "failed")
    mistakes = mistakes_in(record)
    what = mistakes[0].names if mistakes else record.statement or "its first law"
    happened = "" if mistakes else what_happened(record)
    said = f"{exercise}: the same failure {same} times in a row. {what} {happened}".strip()
    asks = question_about(record)
    return Reason("stuck", said, f"Ask: {asks}" if asks else "Look at it together.", 2 + min(same, 8), exercise)


def _ask_whoever_is_behind(standing: Standing, broken: Mapping[str, Broken], first_late: str) -> str:
    """About what they worked on last: its mistake's own question, unless it is asked already, as being stuck is."""
    at_work = [name for name in standing.failing if standing.cells[name].status == "failed"]
    if not at_work:
        return f"Ask what keeps them from {first_late}."
    known = [mistake for record in broken.get(at_work[0], ()) for mistake in mistakes_in(record)]
    if known and not is_stuck(standing.cells[at_work[0]]):
        return f"Ask about {at_work[0]}: {known[0].asks}"
    return f"Ask how far they are with {at_work[0]}."


def _not_taken(broken: Mapping[str, Broken]) -> list[str]:
    """Why files were not taken, a sentence each; one that is about the whole folder once."""
    first = [records[0] for records in broken.values() if records and records[0].kind == "no_file"]
    said = [record.yours or f"exercises/{record.exercise}.py could not be read" for record in first]
    return [f"{why}." for why in dict.fromkeys(said)]


def _last_worked_on(standing: Standing) -> str:
    dated = [(cell.changed, name) for name, cell in standing.cells.items() if cell.changed]
    return max(dated)[1] if dated else ""


def _morning(date: datetime.date | None) -> datetime.datetime | None:
    return datetime.datetime.combine(date, datetime.time(), datetime.UTC) if date else None
