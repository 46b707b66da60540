"""HTML from templates in which whatever is printed is made harmless first: no template can forget to."""

import datetime
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from graders.cohort.dashboard import wording
from graders.cohort.dashboard.accounts import Attempt, Standing
from graders.cohort.harmless import plain, plain_lines
from graders.engine.kinds import COMPARED
from graders.engine.misconception import misconceptions_of
from graders.engine.record import Record
from graders.loop.failures import example_of, mistakes_in, of_the_whole_file, what_happened
from graders.loop.specification import laws_in

BACKTICKS = re.compile(r"`([^`]+)`")
MOST_TEXT = 400  # characters of any one text but an example


@dataclass(frozen=True)
class Screen:
    """A failure as the learner's own screen would say it."""

    head: str
    tally: str
    said: Sequence[tuple[str, str]]
    is_private: bool


def screen_of(record: Record, tally: str) -> Screen:
    """What is said of a broken law; `tally`: how many laws of its task hold."""
    said = [("What happened", what_happened(record)), *example_of(record)]
    if record.kind == "no_file" and record.yours:  # it is there, and was not taken
        said = [("What happened", f"{record.yours}.")]
    if of_the_whole_file(record):  # no task was looked at
        return Screen(record.exercise, "", said, is_private=False)
    said = [("What is asked", record.statement), ("Law", record.law), *said]
    known = mistakes_in(record)
    for mistake in known:
        said += [("What this looks like", mistake.names), ("Think about", mistake.asks)]
    if not known and record.kind in COMPARED:
        said.append(("What this looks like", "None of the known mistakes. What is shown above is the best lead."))
    return Screen(
        f"{record.exercise} · {record.task}", tally, [pair for pair in said if pair[1]], bool(record.is_private)
    )


def what_is_wrong(attempt: Attempt) -> str:
    """The mistake, or else the first broken law, in the course's own words; "" for the lead's private laws."""
    known = {mistake.id: mistake.names for mistake in misconceptions_of(attempt.exercise)}
    first = attempt.misconception.split("+")[0]
    return known.get(first) or laws_in(attempt.exercise).get(attempt.law, ("", ""))[1]


def isolation_of(standings: Sequence[Standing]) -> dict[str, Any]:
    """The levels of isolation below the sandbox of the verdicts that a page shows, and of how many."""
    newest = [cell.newest for one in standings for cell in one.cells.values() if cell.newest and cell.newest.grading]
    low = [attempt.isolation for attempt in newest if attempt.isolation != "sandbox"]
    return {"graded": bool(newest), "n_low": len(low), "low": sorted(set(low))}


def rendered(template: str, **values: Any) -> str:
    """The HTML of a page's content."""
    return _environment().get_template(template).render(**values)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        finalize=_harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"lines": _lines, "code": _code}
    environment.globals |= {
        "signs": wording.STATUSES,
        "status": _status,
        "counted": wording.counted,
        "day": wording.day,
        "days_text": wording.days_text,
        "ago": wording.ago,
        "example_of": example_of,
        "what_is_wrong": what_is_wrong,
    }
    return environment


def _harmless(value: object) -> object:
    """What a template prints: our own markup as it is, and any text as one line, cut to size; it is escaped after."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    return value if value.isprintable() and len(value) <= MOST_TEXT else plain(value, MOST_TEXT)


@functools.cache
def _status(name: str) -> Markup:
    """A status as a sign and a word."""
    sign, word = wording.STATUSES[name]
    return Markup('<span class="status {}"><span aria-hidden="true">{}</span> {}</span>').format(name, sign, word)


def _lines(text: str, most: int) -> Markup:
    """A text of several lines; where it was cut, it says so."""
    kept = plain_lines(text, most) + ("\n…" if len(text) > most else "")
    return Markup.escape(kept)


def _code(text: str) -> Markup:
    """A sentence in which what stands in backticks is code, as the course writes it."""
    return Markup(BACKTICKS.sub(r"<code>\1</code>", str(Markup.escape(_harmless(text)))))


def made_line(now: datetime.datetime) -> str:
    """When a report was made, and by what."""
    return f"Made on {wording.day(now)} at {now:%H:%M} UTC by headstart {version('headstart')}, from the history alone."
