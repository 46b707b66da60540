"""The report for everybody: figures of groups, none smaller than a minimum and none that a subtraction gives away.

No name, id, address, repository or text of a learner is in it, and sections go by pseudonyms. What it cannot prevent
is a comparison with last week's: who sees both, and knows of one learner who changed in between, may learn which way.
"""

import datetime
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from graders.cohort.dashboard import pages
from graders.cohort.dashboard.accounts import Cell, Standing
from graders.cohort.dashboard.frames import frames
from graders.cohort.dashboard.grouping import OTHERS, Parts, crossed, parts, separable
from graders.cohort.secret import pseudonym
from graders.engine.course import Exercise, load_course

DAY = 86400
COLUMNS = {"passed": "passed", "begun": "at work", "untouched": "not begun"}


@dataclass(frozen=True)
class Row:
    """What is published of one exercise."""

    exercise: Exercise
    parts: Parts
    wrong: Sequence[tuple[str, int]]  # what goes wrong, in the course's own words, and for how many
    days: float | None  # median from the first try to the first pass
    sections: dict[str, int]  # how many passed, by pseudonym; empty where that may not be told

    def shown(self, column: str) -> str:
        """What stands in a column: a number, or with which others it is one number."""
        columns = {
            "passed": self.parts.passed,
            "begun": sum(self.parts.begun.values()),
            "untouched": self.parts.untouched,
        }
        joined = self.parts.joined
        if column not in joined:
            return f"{columns[column]:,}"
        if column != joined[0]:
            return f'in "{COLUMNS[joined[0]]}"'
        # The number of them all stands with the first
        return " or ".join(
            [f"{sum(columns[name] for name in joined):,} {COLUMNS[column]}", *(COLUMNS[name] for name in joined[1:])]
        )


def write_public(standings: Sequence[Standing], out: Path, secret: bytes, minimum: int, now: datetime.datetime) -> int:
    """Write the site into an empty folder; of how many learners it tells, which is none where they are too few."""
    frame = frames(out, "Cohort in figures", [("index", "The cohort in figures")])
    told = standings if len(standings) >= minimum else ()
    levels = {cell.newest.isolation for one in told for cell in one.cells.values() if cell.newest} - {"", "sandbox"}
    sizes = _sections(told, secret, minimum)
    rows = [_row(exercise, told, sizes, secret, minimum) for exercise in load_course().exercises] if told else []
    content = pages.rendered(
        "public.html",
        rows=rows,
        n_learners=len(told),
        minimum=minimum,
        sizes=sizes,
        columns=COLUMNS,
        low=sorted(levels),
        made=pages.made_line(now),
    )
    (out / "index.html").write_text(frame["index"].filled("The cohort in figures", content), encoding="utf-8")
    return len(told)


def _row(exercise: Exercise, standings: Sequence[Standing], sizes: dict[str, int], secret: bytes, minimum: int) -> Row:
    cells = [one.cells[exercise.name] for one in standings]
    count = Counter(_column(cell) for cell in cells)
    wrong = Counter(_what_is_wrong(cell) for cell in cells if _column(cell) == "begun")
    of_all = parts(count["passed"], wrong, count["untouched"], minimum)
    days = [
        (cell.first_pass - cell.first_try).total_seconds() / DAY
        for cell in cells
        if cell.status == "passed" and cell.first_pass and cell.first_try
    ]
    is_told = "passed" not in of_all.joined
    named = [(key, n) for key, n in of_all.begun.items() if key != OTHERS and n]
    sections = {}
    if is_told and len(sizes) > 1:
        passed = Counter(
            _section(one, sizes, secret) for one in standings if one.cells[exercise.name].status == "passed"
        )
        sections = crossed(sizes, passed, minimum)
    return Row(
        exercise,
        of_all,
        named if "begun" not in of_all.joined else [],
        statistics.median(days) if is_told and len(days) >= minimum else None,
        sections,
    )


def _column(cell: Cell) -> str:
    if cell.status == "passed":
        return "passed"
    return "begun" if cell.tries else "untouched"


def _what_is_wrong(cell: Cell) -> str:
    """The mistake, or else the law, in the course's own words; nothing for the lead's private laws."""
    if cell.newest is None or cell.status != "failed":
        return OTHERS
    return pages.what_is_wrong(cell.newest) or OTHERS


def _sections(standings: Sequence[Standing], secret: bytes, minimum: int) -> dict[str, int]:
    """The sections that are large enough, by pseudonym, and the rest of the cohort together."""
    count = Counter(_pseudonym(one.account.learner.section, secret) for one in standings)
    others = count.pop(OTHERS, 0)
    return separable(count, others, minimum)


def _section(standing: Standing, sizes: dict[str, int], secret: bytes) -> str:
    name = _pseudonym(standing.account.learner.section, secret)
    return name if name in sizes else OTHERS


def _pseudonym(section: str, secret: bytes) -> str:
    return pseudonym(secret, f"section {section}") if section else OTHERS
