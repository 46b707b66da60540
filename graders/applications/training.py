"""A training as applications do it: a loss of their own, and around it the learner's own optimizer and checkpoints."""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Generator, Tensor, nn

from graders.applications.run import Run
from graders.run_folder import write_json
from graders.subject_code import CannotGoOn
from graders.training_run import check_readable
from reference.training import deferred_ctrl_c

PAUSE = 30.0  # seconds between two lines where there is no terminal
N_SAVED = 20  # checkpoints in a run, and rows of its curve


@dataclass(frozen=True)
class Trained:
    """What a training came to, stops and all."""

    curve: list[dict[str, float]]  # of some steps, in order: `step` (from 1), `loss` (mean since the last) and measures
    seconds: float  # of computing, all cores together, measuring left out
    tokens_per_second: float  # in these seconds


def train(
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
    tokens: float,
    measure: Callable[[nn.Module], dict[str, float]] | None = None,
) -> Trained:
    """Train a model in a run, or go on with it, or find it done; what it came to.

    `loss_of` draws a batch from the generator alone and returns the model's loss on it, one number; a step uses the
    subject's `AdamW` over its `decay_groups`, `warmup_cosine` and `clip_grad_norm`. `tokens` is how many positions
    such a batch has. `measure` is asked `N_SAVED` times, evenly, and after the last step; its figures are in the curve.

    The checkpoint `<name>.pt` is the subject's own, written as often; `<name>.json` beside it has the curve. The first
    Ctrl-C lets a step finish, saves, and raises `KeyboardInterrupt`. Raises `CannotGoOn` when a loss or gradient is NaN
    or infinite, or a checkpoint is damaged, and what the subject raises.
    """
    optimizer_of, training = run.parts["optimizer"], run.parts["training"]
    optimizer = optimizer_of.AdamW(optimizer_of.decay_groups(model, weight_decay), lr=max_lr)
    generator, checkpoint, kept = run.generator(), run.out / f"{name}.pt", run.out / f"{name}.json"
    check_readable(checkpoint)
    first = training.load_checkpoint(checkpoint, model, optimizer, generator) if checkpoint.exists() else 0
    curve, seconds, losses = _kept(kept, first)
    every = max(1, steps // N_SAVED)
    with deferred_ctrl_c() as ctrl_c_came, Bar(name, first, steps) as bar:
        for step in range(first, steps):
            began = time.process_time()
            for group in optimizer.param_groups:
                group["lr"] = optimizer_of.warmup_cosine(step, warmup_steps, steps, max_lr, min_lr)
            model.train()
            optimizer.zero_grad()
            loss = loss_of(model, generator)
            loss.backward()
            norm = optimizer_of.clip_grad_norm(model.parameters(), max_norm)
            if not (loss + norm).isfinite():
                raise CannotGoOn(
                    f"{name} stopped at step {step}: the loss is {loss.item():g}, the norm of the gradients "
                    f"{norm.item():g}; expected finite numbers; the graders of what computes them say more"
                )
            optimizer.step()
            losses.append(loss.item())
            done, stop = step + 1, ctrl_c_came()
            seconds += time.process_time() - began
            bar.update(done, losses[-1])
            is_time = done == steps or done % every == 0
            if is_time:
                figures = measure(model) if measure else {}
                curve.append({"step": done, "loss": sum(losses) / len(losses)} | figures)
                losses.clear()
            if stop or is_time:
                # The curve first: of a checkpoint that is older than it, the rows that are too many are left out
                write_json(kept, {"curve": curve, "seconds": seconds, "losses": losses})
                training.save_checkpoint(checkpoint, model, optimizer, done, generator)
            if stop:
                break
    if ctrl_c_came():  # while the last step was measured, too
        raise KeyboardInterrupt
    return Trained(curve, seconds, steps * tokens / max(seconds, 1e-9))


def _kept(path: Path, first: int) -> tuple[list[dict[str, float]], float, list[float]]:
    """The curve up to the step at which a run goes on, the seconds it took, and the losses since the curve's last row.

    Nothing of a run that begins. The losses are none, too, when the checkpoint is older than they are.
    """
    if first == 0:
        return [], 0.0, []
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        curve = [row for row in said["curve"] if row["step"] <= first]
        seconds, losses = float(said["seconds"]), list(said["losses"])
        is_of_checkpoint = (curve[-1]["step"] if curve else 0) + len(losses) == first
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotGoOn(
            f"{path} cannot be read ({error}), and its checkpoint has {first:,} steps; move {path.parent}/ away, "
            "or use --out for another folder"
        ) from error
    return curve, seconds, losses if is_of_checkpoint else []


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
                TimeRemainingColumn(elapsed_when_finished=True),
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
            sys.stderr.write(f"{self.name}: step {done:,} of {self.steps:,}, loss {loss:.3f}, {left:.0f} s left\n")
            sys.stderr.flush()
