"""The table of verdicts that are another now, though the text is the same: the graders have changed."""

import sqlite3
from collections.abc import Mapping

from graders.cohort.regrade import changes
from graders.commands.cohort.display import plain

HEAD = ("learner", "exercise", "before -> after", "law", "misconception")


def change_lines(
    said: str,
    before: Mapping[tuple[str, str], sqlite3.Row],
    after: Mapping[tuple[str, str], sqlite3.Row],
) -> list[str]:
    """What was done, and how many of these verdicts are another now; below it each of them, and why."""
    found = changes(before, after)
    table = [(c.learner, c.exercise, f"{c.before} -> {c.after}", c.law, c.misconception) for c in found]
    rows = [HEAD, *([plain(cell, 100) for cell in row] for row in table)] if table else []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    told = [f"  {'  '.join(map(str.ljust, row, widths))}".rstrip() for row in rows]
    return [f"{said} Verdicts that are another now: {len(found)}.", *told]
