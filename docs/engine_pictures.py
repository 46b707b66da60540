"""The picture of the page on verdicts: what happens in the judging process, and what in the learner's own."""

from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from docs.drawing import BLUE, ORANGE, figure

JUDGE = (
    "the law, and its space of cases",
    "a case, smaller ones first",
    "the form of the answer",
    "what the law compares",
    "smaller cases that fail too",
    "the known mistakes, replayed",
    "the record",
)
WORKER = ("copies of what goes in", "the learner's function", "the answer; what was changed, what ran")
ASKED = 6  # the row of what the other process is asked about
NOTES = (
    (2.55, 3.5, "broken"),
    (2.55, 2.5, "the smallest"),
    (2.55, 1.5, "its name"),
    (0.2, 5, "next"),
    (3.3, 0.75, "holds every time"),
)
DARK, PALE_BLUE, PALE_ORANGE = "#555555", "#e8eff7", "#fbf0e2"


def verdict() -> Figure:
    """From a law to a record: two processes, and the plain data that goes between them."""
    drawn = figure(7.5, 4.6)
    axes = drawn.subplots()
    rows = [len(JUDGE) - i for i in range(len(JUDGE))]
    _frame(axes, (0.1, 0.35), (4.6, 7.3), PALE_BLUE, "the judging process")
    _frame(axes, (6.2, 3.35), (3.7, 4.3), PALE_ORANGE, "the learner's process")
    for row, said in zip(rows, JUDGE, strict=True):
        _box(axes, 2.4, row, said, BLUE)
    for row, said in zip((7, 6, 4), WORKER, strict=True):
        _box(axes, 8.05, row, said.replace("; ", ";\n"), ORANGE)
    for row in (row for row in rows[:-1] if row != ASKED):
        _arrow(axes, (2.4, row - 0.28), (2.4, row - 0.72))
    _arrow(axes, (3.85, 6.05), (6.7, 6.95), "request")
    _arrow(axes, (8.05, 6.72), (8.05, 6.28))
    _arrow(axes, (8.05, 5.72), (8.05, 4.42))
    _arrow(axes, (6.25, 4.05), (3.75, 4.95), "reply")
    _bend(axes, (0.95, 4.1), (0.95, 5.9), -0.35)
    _bend(axes, (4.05, 3.9), (3.1, 1.0), -0.4)
    for x, y, said in NOTES:
        axes.text(x, y, said, fontsize=7.5, va="center", color=DARK)
    axes.set(xlim=(-0.5, 10), ylim=(0.2, 8.1))
    axes.axis("off")
    return drawn


def _frame(axes: Any, corner: tuple[float, float], size: tuple[float, float], color: str, title: str) -> None:
    """A process."""
    axes.add_patch(FancyBboxPatch(corner, *size, "round,pad=0,rounding_size=0.15", facecolor=color, edgecolor="none"))
    axes.text(corner[0] + size[0] / 2, corner[1] + size[1] + 0.1, title, ha="center", va="bottom", fontsize=10)


def _box(axes: Any, x: float, y: float, said: str, color: str) -> None:
    """One step."""
    shape = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": color}
    axes.text(x, y, said, ha="center", va="center", fontsize=8.5, color="black", bbox=shape)


def _bend(axes: Any, start: tuple[float, float], end: tuple[float, float], by: float) -> None:
    """An arrow round what stands between."""
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": DARK, "connectionstyle": f"arc3,rad={by}"})


def _arrow(axes: Any, start: tuple[float, float], end: tuple[float, float], said: str = "") -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": DARK})
    if said:
        axes.text((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 0.2, said, ha="center", va="bottom", fontsize=8.5)
