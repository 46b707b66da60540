"""The loss over a run, beside what it would be without learning: saved as a picture, in the format its name says.

Two baselines are drawn in: a model that holds all tokens equally likely, and one that knows only how often each token
occurs. A run starts near the first; below the second it has learnt something from context.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Losses = Sequence[tuple[int, float]]  # steps, counted from 0, and their losses in nats a token


def keep_losses(path: Path, losses: Iterable[tuple[int, float]]) -> list[tuple[int, float]]:
    """Add losses to those that earlier parts of a run left in a file, one `[step, loss]` a line; return all, in order.

    A step that was taken twice, since it was not in the checkpoint when the run went on, keeps its last loss. The file
    is replaced whole. A last line that was cut short is passed over.
    """
    kept: dict[int, float] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            step, loss = json.loads(line)
        except ValueError:
            continue
        kept[step] = loss
    kept |= dict(losses)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text("".join(f"{json.dumps(row)}\n" for row in sorted(kept.items())), encoding="utf-8")
    partial.replace(path)
    return sorted(kept.items())


@contextmanager
def figure(path: str | os.PathLike, xlabel: str, ylabel: str, size: tuple[float, float]) -> Iterator["Axes"]:
    """Axes to draw on; the picture is saved afterwards, an SVG without a date."""
    from matplotlib.figure import Figure  # not pyplot, which wants a screen

    drawn = Figure(figsize=size, layout="constrained")
    axes = drawn.add_subplot()
    yield axes
    axes.set(xlabel=xlabel, ylabel=ylabel)
    drawn.savefig(path, metadata={"Date": None} if Path(path).suffix == ".svg" else None)


def draw_loss_curve(
    path: str | os.PathLike, losses: Losses, uniform: float, unigram: float, held_out: Losses = ()
) -> None:
    """Draw the losses of a run, those on held-out text if there are any, and the two baselines.

    Raises `ValueError` when there are no losses.
    """
    if not losses:
        raise ValueError("there are no losses to draw; expected at least one step")
    steps, values = zip(*losses, strict=True)
    with figure(path, "step", "loss, nats a token", size=(7, 4)) as axes:
        axes.plot(steps, values, color="tab:blue", alpha=0.3, linewidth=0.8, label="each batch")
        axes.plot(steps, running_mean(values, over=max(1, len(values) // 50)), color="tab:blue", label="running mean")
        if held_out:
            axes.plot(*zip(*held_out, strict=True), color="tab:orange", marker=".", label="held out")
        for name, loss, style in (("uniform", uniform, "--"), ("unigram", unigram, ":")):
            axes.axhline(loss, color="grey", linestyle=style, label=f"{name}: {loss:.2f}")
        axes.set_ylim(0, None)
        axes.legend()


def running_mean(values: Sequence[float], over: int) -> list[float]:
    """The mean of each value and of those just before it, `over` of them where there are so many."""
    means, total = [], 0.0
    for i, value in enumerate(values):
        total += value - (values[i - over] if i >= over else 0.0)
        means.append(total / min(i + 1, over))
    return means
