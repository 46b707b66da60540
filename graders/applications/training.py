"""A training as applications do it: a loss of their own, and around it the learner's own optimizer and checkpoints."""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Generator, Tensor, nn

from graders.applications.run import Run, keep, kept
from graders.subject_code import CannotGoOn
from graders.training_run import check_readable, say
from reference.training import deferred_ctrl_c

PAUSE = 30.0  # seconds between two lines where there is no terminal
N_SAVED = 20  # checkpoints in a run, and rows of its curve


class Steps:
    """The steps of one training, each by the subject's own parts on a batch that is drawn for it.

    `loss_of` draws a batch from the generator alone and returns the model's loss on it, one number; a step uses the
    subject's `AdamW` over its `decay_groups`, `warmup_cosine` and `clip_grad_norm`.
    """

    def __init__(
        self,
        run: Run,
        name: str,
        model: nn.Module,
        loss_of: Callable[[nn.Module, Generator], Tensor],
        *,
        steps: int,
        max_lr: float,
        min_lr: float,
        warmup_steps: int,
        weight_decay: float,
        max_norm: float,
    ):
        self.parts, self.name, self.model, self.loss_of = run.parts, name, model, loss_of
        self.n, self.max_norm = steps, max_norm
        self.schedule = (warmup_steps, steps, max_lr, min_lr)  # as `warmup_cosine` takes them, after the step
        optimizer = run.parts["optimizer"]
        self.optimizer = optimizer.AdamW(optimizer.decay_groups(model, weight_decay), lr=max_lr)
        self.generator = run.generator()

    def take(self, step: int) -> float:
        """The step of this number, from 0; the loss before it. Raises `CannotGoOn` when it would ruin the model."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.parts["optimizer"].warmup_cosine(step, *self.schedule)
        self.model.train()
        self.optimizer.zero_grad()
        loss = self.loss_of(self.model, self.generator)
        loss.backward()
        norm = self.parts["optimizer"].clip_grad_norm(self.model.parameters(), self.max_norm)
        if not (loss + norm).isfinite():
            raise CannotGoOn(
                f"{self.name} stopped at step {step}: the loss is {loss.item():g}, the norm of the gradients "
                f"{norm.item():g}; expected finite numbers; the graders of what computes them say more"
            )
        self.optimizer.step()
        return loss.item()

    def save(self, checkpoint: Path, taken: int) -> None:
        """Write the subject's own checkpoint, after so many steps."""
        self.parts["training"].save_checkpoint(checkpoint, self.model, self.optimizer, taken, self.generator)

    def load(self, checkpoint: Path) -> int:
        """Go back to a checkpoint; how many steps were taken before it."""
        taken: int = self.parts["training"].load_checkpoint(checkpoint, self.model, self.optimizer, self.generator)
        return taken


def rehearse_steps(steps: Steps) -> None:
    """Call all that a training needs of the subject once: a step, and its checkpoint, which is not kept.

    What is not written yet is so said before there is a folder. The model is of no use afterwards.
    """
    steps.take(0)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "rehearsed.pt"
        steps.save(checkpoint, 1)
        steps.load(checkpoint)


@dataclass(frozen=True)
class Trained:
    """What a training came to, stops and all."""

    curve: list[dict[str, float]]  # of some steps, in order: `step` (from 1), `loss` (mean since the last) and measures
    seconds: float  # of computing, all cores together, measuring left out
    tokens_per_second: float  # in these seconds


def train(
    steps: Steps, out: Path, tokens: float, measure: Callable[[nn.Module], dict[str, float]] | None = None
) -> Trained:
    """Take the steps of a training, or go on with it, or find it done; what it came to.

    `tokens` is how many positions a batch has. `measure` is asked `N_SAVED` times, evenly, and after the last step;
    its figures are in the curve. What is kept stands in the folder `out`.

    The checkpoint `<name>.pt` is the subject's own, written as often; `<name>.json` beside it has the curve. The first
    Ctrl-C lets a step finish, saves, and raises `KeyboardInterrupt`. Raises `CannotGoOn` when a loss or gradient is NaN
    or infinite, or a checkpoint is damaged, and what the subject raises.
    """
    checkpoint, curve_file = out / f"{steps.name}.pt", out / f"{steps.name}.json"
    check_readable(checkpoint)
    first = steps.load(checkpoint) if checkpoint.exists() else 0
    curve, seconds, losses = _kept(curve_file, checkpoint, first)
    if 0 < first < steps.n:
        say(f"{steps.name}: goes on after step {first:,}")
    every = max(1, steps.n // N_SAVED)
    with deferred_ctrl_c() as ctrl_c_came, Bar(steps.name, first, steps.n) as bar:
        for step in range(first, steps.n):
            began = time.process_time()
            losses.append(steps.take(step))
            done, stop = step + 1, ctrl_c_came()
            seconds += time.process_time() - began
            bar.update(done, losses[-1])
            is_time = done == steps.n or done % every == 0
            if is_time:
                figures = measure(steps.model) if measure else {}
                curve.append({"step": done, "loss": sum(losses) / len(losses)} | figures)
                losses.clear()
            if stop or is_time:
                # The curve first: of a checkpoint that is older than it, the rows that are too many are left out
                keep(curve_file, {"curve": curve, "seconds": seconds, "losses": losses})
                with kept(checkpoint):
                    steps.save(checkpoint, done)
            if stop:
                break
    if ctrl_c_came():  # while the last step was measured, too
        raise KeyboardInterrupt
    return Trained(curve, seconds, steps.n * tokens / max(seconds, 1e-9))


def _kept(path: Path, checkpoint: Path, first: int) -> tuple[list[dict[str, float]], float, list[float]]:
    """The curve up to the step at which a run goes on, the seconds it took, and the losses since the curve's last row.

    Nothing of a run that begins. The losses are none, too, when the checkpoint is older than they are.
    """
    if first == 0:
        return [], 0.0, []
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        rows, seconds, losses = list(said["curve"]), float(said["seconds"]), list(said["losses"])
        n_known = (rows[-1]["step"] if rows else 0) + len(losses)
        if n_known < first:
            raise ValueError("it is older than the checkpoint")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotGoOn(
            f"{path} does not have the curve of the {first:,} steps that {checkpoint.name} has taken; delete both, and "
            "the same command trains this model anew; or use --out for another folder"
        ) from error
    return [row for row in rows if row["step"] <= first], seconds, losses if n_known == first else []


class Bar:
    """How far a training is: a bar on a terminal, a line now and then elsewhere. On the standard error."""

    def __init__(self, name: str, first: int, steps: int):
        self.name, self.first, self.steps = name, first, steps
        self.began = self.told = time.monotonic()
        self.bar: Any = None
        if sys.stderr.isatty() and first < steps:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("steps, loss {task.fields[loss]}, left:"),
                TimeRemainingColumn(),
            )
            self.bar = Progress(*columns, console=Console(stderr=True))
            self.task = self.bar.add_task(name, total=steps, completed=first, loss="")

    def __enter__(self) -> "Bar":
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        if self.bar:
            self.bar.stop()

    def update(self, done: int, loss: float) -> None:
        """A step is done."""
        now = time.monotonic()
        if self.bar:
            self.bar.update(self.task, completed=done, loss=f"{loss:.3f}")
        elif now >= self.told + PAUSE or done == self.steps:
            self.told = now
            left = (now - self.began) / (done - self.first) * (self.steps - done)
            say(f"{self.name}: step {done:,} of {self.steps:,}, loss {loss:.3f}, {left:.0f} s left")
