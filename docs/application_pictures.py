"""The pictures of the applications: how what they learn from is written, and what their runs came to.

A run takes minutes, so what it came to is kept, in `docs/figures/`; on the page of its track stands the command that
makes it. What is drawn is drawn as the run itself draws it.
"""

import functools
import json
from typing import Any

import torch
from matplotlib.figure import Figure

from docs.drawing import bare, figure, write
from graders.applications import arithmetic
from graders.engine.course import ROOT
from reference.arithmetic import CHARACTERS, PAD, answer_mask, encode_problem

FIGURES = ROOT / "docs" / "figures"
ROWS = ((12, "+", 30, False), (12, "-", 30, True), (7, "x", 6, True))


@functools.cache
def kept_run(application: str) -> dict[str, Any]:
    """What metrics.json of a run says, number by number.

    That is its application, subject, seed and settings, and its `figures`.
    """
    kept: dict[str, Any] = json.loads((FIGURES / f"{application}.json").read_text(encoding="utf-8"))
    return kept


def marked_rows() -> Figure:
    """Three problems as rows of characters; the answer, which is what is learnt, is blue."""
    rows = torch.stack([encode_problem(*row) for row in ROWS])
    marks, drawn = answer_mask(rows), figure(7, 1.9)
    axes = drawn.subplots()
    axes.imshow(marks.double().tolist(), cmap="Blues", vmin=0, vmax=1.2, aspect="auto")
    for i, row in enumerate(rows.tolist()):
        for j, token in enumerate(row):
            character = "\N{OPEN BOX}" if token == PAD else CHARACTERS[token]
            write(axes, i, j, character, float(marks[i, j]), fontsize=12)
    axes.set_xticks(range(rows.shape[1]))
    axes.set_yticks(range(len(ROWS)), ["forwards", "backwards", "backwards"])
    axes.set_xticks([j - 0.5 for j in range(1, rows.shape[1])], minor=True)
    axes.set_yticks([i - 0.5 for i in range(1, len(ROWS))], minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    axes.set_xlabel("position")
    bare(axes)
    return drawn


def arithmetic_learning() -> Figure:
    """Held-out problems answered right over training, by operator and order of the answer."""
    said = kept_run("arithmetic")
    return arithmetic.accuracy(said["figures"], said["settings"])
