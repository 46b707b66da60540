"""What the pictures of the site have in common: sizes, colours, tables of shares, and the sentences they are about."""

import io
from collections.abc import Sequence
from typing import Any

import matplotlib
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Tensor

BLUE, ORANGE, GREY = "#3b6ea8", "#d9822b", "#878e98"  # each at least 3 to 1 on white, or nearly
SIGNED = LinearSegmentedColormap.from_list("signed", (ORANGE, "#f4f6f9", BLUE))  # from -1 to 1, 0 being nearly white

SHOW = [f"show me my {word} please" for word in 2 * ["directories"] + 3 * ["files"] + 5 * ["photos"]]
CHECK = 2 * ["check whether the battery ran down please"] + 3 * ["check whether the program ran please"]
PROGRAM = "check the program log and find out whether it ran please"
BATTERY = "check the battery log and find out whether it ran down please"


class Words:
    """The different words of some sentences, numbered in alphabetical order."""

    def __init__(self, sentences: Sequence[str]):
        self.words = sorted({word for sentence in sentences for word in sentence.split()})
        self.texts, self.n = [self.ids(sentence) for sentence in sentences], len(self.words)

    def ids(self, sentence: str) -> list[int]:
        """A sentence as the numbers of its words."""
        return [self.words.index(word) for word in sentence.split()]


def figure(width: float = 7.0, height: float = 3.2) -> Figure:
    """An empty picture, in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def bare(axes: Any) -> None:
    """Leave out the frame, and the ticks beside the labels."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def light(axes: Any) -> None:
    """Leave out the half of the frame that no number stands at."""
    axes.spines[["top", "right"]].set_visible(False)


def table(axes: Any, shares: Tensor, rows: Sequence[str], columns: Sequence[str], title: str = "") -> None:
    """Shares from 0 to 1 as blue cells with a white line between them; nothing is written yet."""
    axes.imshow(shares.tolist(), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    slanted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if max(map(len, columns)) > 2 else {}
    axes.set_xticks(range(len(columns)), columns, **slanted)
    axes.set_yticks(range(len(rows)), rows)
    axes.set_xticks([j - 0.5 for j in range(1, shares.shape[1])], minor=True)
    axes.set_yticks([i - 0.5 for i in range(1, shares.shape[0])], minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    axes.set_title(title, fontsize=10)
    bare(axes)


def heat_map(axes: Any, shares: Tensor, rows: Sequence[str], columns: Sequence[str], title: str = "") -> None:
    """A table of shares from 0 to 1, each written into its cell unless it is 0."""
    table(axes, shares, rows, columns, title)
    for i, row in enumerate(shares.tolist()):
        for j, value in enumerate(row):
            if value:
                write(axes, i, j, f"{value:.2g}".removeprefix("0"), value)


def signed_map(axes: Any, values: Tensor, rows: Sequence[str], columns: Sequence[str], title: str = "") -> None:
    """The same for numbers from -1 to 1: what is below 0 is orange."""
    heat_map(axes, values, rows, columns, title)
    axes.images[0].set(cmap=SIGNED, clim=(-1, 1))


def sign(axes: Any, text: str, left: float) -> None:
    """A sign, such as = or a cross, before a table and what its rows are called: so far to the left, in its widths."""
    axes.text(-left, 0.5, text, ha="center", va="center", fontsize=16, transform=axes.transAxes)


def write(axes: Any, row: int, column: int, text: str, share: float, fontsize: float = 8) -> None:
    """A text in a cell of a table, in a colour that can be read on that of the cell."""
    color = "white" if share > 0.6 else "black"
    axes.text(column, row, text, ha="center", va="center", color=color, fontsize=fontsize)


def svg(drawn: Figure) -> bytes:
    """A picture as a file, the same bytes each time."""
    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "headstart"}):  # in the place of random names
        drawn.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
