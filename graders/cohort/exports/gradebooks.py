"""The gradebook as CSV: as Canvas imports grades, and as Moodle does.

Canvas: `lib/gradebook_importer.rb` of canvas-lms wants the columns Student, ID, SIS User ID, SIS Login ID and Section
in this order, then a column for each assignment, and takes a row whose first cell has "Points Possible" for the one
with the points. Moodle (docs.moodle.org, "Grade import"): a header, a column that tells users apart, and columns that
whoever imports maps onto grade items.
"""

import csv
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from graders.cohort.gradebook import Row
from graders.cohort.harmless import csv_cell

POINTS_POSSIBLE = "Points Possible"


def write_canvas(rows: Iterable[Row], points: Sequence[tuple[str, int]], out: TextIO) -> None:
    """Write the gradebook for Canvas. `points` are the exercises, in order, and what each is worth.

    The id of the roster is the SIS user id, the e-mail the login; Canvas finds by name whoever has neither.
    An empty cell is a change, too, where Canvas has a grade; it shows all changes before it makes them.
    """
    write = _writer(out)
    write(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *(name for name, _ in points)])
    write([f"    {POINTS_POSSIBLE}", "", "", "", "", *(worth for _, worth in points)])
    for row in rows:
        one = row.learner
        # A learner of this name would give the assignments their points
        name = csv_cell(one.name).replace(POINTS_POSSIBLE, POINTS_POSSIBLE.replace(" ", "-"))
        write([name, "", csv_cell(one.id), csv_cell(one.email), csv_cell(one.section), *_points(row)])


def write_moodle(rows: Iterable[Row], points: Sequence[tuple[str, int]], out: TextIO) -> None:
    """Write the gradebook for Moodle: map "ID number" or "Email address", and each exercise onto its grade item."""
    write = _writer(out)
    write(["ID number", "Full name", "Email address", *(name for name, _ in points)])
    for row in rows:
        write([*map(csv_cell, (row.learner.id, row.learner.name, row.learner.email)), *_points(row)])


def _points(row: Row) -> list[int | str]:
    return ["" if standing.points is None else standing.points for standing in row.standings]


def _writer(out: TextIO) -> Any:
    # All text in quotes: a semicolon begins a cell in some countries
    return csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerow
