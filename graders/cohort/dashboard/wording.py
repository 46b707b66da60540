"""How a page says statuses, counts, days and lists."""

import datetime
import re
from collections.abc import Sequence

STATUSES = {  # of an exercise: a sign and a word, so that colour is never all there is
    "passed": ("✓", "passed"),
    "failed": ("✗", "failed"),
    "error": ("!", "could not be judged"),
    "not_started": ("○", "not started"),
    "missing": ("-", "file missing"),
    "problem": ("?", "could not be read"),
    "waiting": ("·", "not graded yet"),
}
NUMBER = re.compile(r"([0-9]{1,18})")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # in any locale


def counted(n: int, noun: str) -> str:
    """`1 learner`, `5,000 learners`."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def listed(names: Sequence[str], most: int) -> str:
    """`a, b and c`; beyond `most` names, how many more there are."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def natural(text: str) -> list[str | int]:
    """A key that sorts as people do, capitals or not, numbers as numbers: `Learner 2` before `Learner 10`."""
    return [int(part) if i % 2 else part.casefold() for i, part in enumerate(NUMBER.split(text))]


def sentence(text: str) -> str:
    """`the cat sat` as a sentence of its own: `The cat sat.`"""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def day(date: datetime.date) -> str:
    """`5 Nov 2026`."""
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def ago(then: datetime.datetime | None, now: datetime.datetime) -> str:
    """`today`, `yesterday`, `12 days ago`, `never`."""
    if then is None:
        return "never"
    days = (now.date() - then.date()).days
    return ("today", "yesterday")[days] if 0 <= days <= 1 else f"{days} days ago" if days > 0 else "today"


def days_text(days: float) -> str:
    """A span of days, as precise as anyone needs: `under a day`, `3 days`."""
    return "under a day" if days < 1 else counted(round(days), "day")
