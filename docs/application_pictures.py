"""The pictures of the applications: how what they learn from is written, and what their runs came to."""

import json
from typing import Any

import torch
from matplotlib.figure import Figure

from docs.drawing import BLUE, GREY, ORANGE, bare, figure, light, write
from graders.engine.course import ROOT
from reference.arithmetic import CHARACTERS, PAD, answer_mask, encode_problem

FIGURES = ROOT / "docs" / "figures"  # metrics.json of runs, each with the command and seed that made it
ROWS = ((12, "+", 30, False), (12, "-", 30, True), (7, "x", 6, True))


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


def arithmetic_run() -> dict[str, Any]:
    """What `headstart run arithmetic --subject reference` came to."""
    return json.loads((FIGURES / "arithmetic.json").read_text(encoding="utf-8"))


def arithmetic_learning() -> Figure:
    """Held-out problems answered right over training, by operator and order of the answer."""
    said = arithmetic_run()
    batch, orders = said["settings"]["batch"], said["figures"]["orders"]
    drawn = figure(7, 3.2)
    axes = drawn.subplots()
    for order, style in (("backwards", "-"), ("forwards", ":")):
        curve = orders[order]["curve"]
        for operator, colour in (("+", BLUE), ("-", ORANGE), ("x", "#6b7280")):
            seen, shares = [row["step"] * batch for row in curve], [row[operator] for row in curve]
            axes.plot(seen, shares, style, color=colour, linewidth=2, label=f"{operator}  written {order}")
    axes.axhline(1, color=GREY, linewidth=1, zorder=0)
    axes.set(xlabel="problems trained on", ylabel="share answered right", ylim=(-0.02, 1.04))
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    light(axes)
    return drawn
