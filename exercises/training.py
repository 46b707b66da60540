"""Training: windows drawn from one long text, a step on each, and a run that survives being stopped.

A step asks the model to predict every next token of a few windows, and moves its parameters a little towards doing
that better. A run is thousands of steps and takes hours, so something will stop it: a full disk, a loss that becomes
NaN, Ctrl-C. A checkpoint is all that the next step depends on, in a file that is never half written.

Sources: Radford et al., "Improving Language Understanding by Generative Pre-Training", 2018, section 4.1, for
windows drawn at random; Brown et al., "Language Models are Few-Shot Learners" (GPT-3), 2020, appendix B.

Yours to write: everything below that raises `NotImplementedError`.
`pytest graders/test_training.py` checks it; docs/exercises/training.md explains it.
"""

import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Generator, Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from exercises.optimizer import AdamW, clip_grad_norm, decay_groups, warmup_cosine


def get_batch(
    data: Int[Tensor, "length"], batch: int, n_ctx: int, generator: Generator
) -> tuple[Int[Tensor, "batch n_ctx"], Int[Tensor, "batch n_ctx"]]:
    """Draw windows x from a text, and y, the same windows one token later: y[:, i] follows x[:, i].

    Each row is drawn by itself, and each window is as likely as any other: the first starts at token 0, the last
    ends one token before the end of `data`, where its y ends. Chance comes from `generator` alone. Raises
    `ValueError` when `data` holds fewer than n_ctx + 1 tokens, and when `batch` or `n_ctx` is below 1.
    """
    # 1. Refuse what cannot be drawn

    # 2. Where each row's window starts: batch 1

    # 3. The place in the text of every token of x: batch n_ctx

    # 4. The tokens there, and those one place later: batch n_ctx, both

    raise NotImplementedError


def train_step(
    model: nn.Module,
    optimizer: Optimizer,
    x: Int[Tensor, "batch n_ctx"],
    y: Int[Tensor, "batch n_ctx"],
    max_norm: float,
) -> float:
    """Take one step on one batch; return the loss before it, in nats, as a plain float.

    The loss is the mean cross-entropy of the logits `model(x)` (batch n_ctx d_vocab) against `y` as it is, which is
    shifted already. Gradients left from before do not count; the new ones are clipped, all together, to `max_norm`.
    `optimizer` holds all of the model's parameters. The step is taken in training mode, and the model is left in it.
    Raises `ValueError`, with no parameter changed and nothing remembered by the optimizer, when the loss or the norm of
    the gradients is NaN or infinite.
    """
    # 1. Training mode, and no gradients from before

    # 2. The mean surprise at the tokens that came: a single number

    # 3. The gradients, clipped, and the norm they had together: a single number

    # 4. Refuse a step that would ruin the parameters

    # 5. The step

    raise NotImplementedError


def evaluate(
    model: nn.Module, data: Int[Tensor, "length"], batch: int, n_ctx: int, n_batches: int, generator: Generator
) -> float:
    """The mean loss, in nats, over `n_batches` batches that `get_batch` draws; nothing is learnt from them.

    The model runs in evaluation mode, so without dropout, and no gradient is computed or changed. Afterwards, also
    when something is raised, the mode of the model, whichever that was, what of it is frozen and whether gradients
    are recorded is as before. Raises `ValueError` when `n_batches` is below 1, and where `get_batch` does.
    """
    # 1. Refuse the mean of nothing

    # 2. Into evaluation mode; remember which it was

    # 3. The loss of every batch, as in `train_step`, without gradients: n_batches

    # 4. Back into that mode, whatever happened; the mean

    raise NotImplementedError


def save_checkpoint(
    path: str | os.PathLike, model: nn.Module, optimizer: Optimizer, step: int, generator: Generator
) -> None:
    """Write to `path` all that the next step depends on. `step` is its number: how many have been taken.

    All that is: the model's `state_dict`, the optimizer's, `step`, the state of `generator`, and that of PyTorch's
    global generator, from which dropout draws; nothing that `torch.load(path, weights_only=True)` would refuse.
    Written under another name in the same folder, sent to the disk (`os.fsync`) and only then renamed, so that
    whatever happens, and whatever `path` is called, it is a whole checkpoint, this one or the last. Raises `OSError`
    when it cannot be written, as on a full disk or in a folder that is not there: then `path` is as it was, and
    nothing half written is left.
    """
    # 1. All of it, as bytes in memory

    # 2. Write, send to the disk, rename; clean up if that failed

    raise NotImplementedError


def load_checkpoint(path: str | os.PathLike, model: nn.Module, optimizer: Optimizer, generator: Generator) -> int:
    """Put what `save_checkpoint` wrote back, in place; return the number of the next step.

    What follows is, bit for bit, the run that never stopped. The file is read with `weights_only=True`, so that one
    from a stranger cannot run code. Raises `ValueError`, naming the file, when it is damaged or was written for
    another model or optimizer, and `FileNotFoundError` when there is none; then nothing is changed.
    """
    # 1. Read it, and what is in it

    # 2. Refuse parameters of other names or shapes while nothing has been changed

    # 3. Put back what the optimizer remembers, which it refuses whole; then parameters and both generators

    # 4. Whatever is wrong with the file, say which file it is

    raise NotImplementedError


def train(
    model: nn.Module,
    data: Int[Tensor, "length"],
    steps: int,
    batch: int,
    n_ctx: int,
    max_lr: float,
    min_lr: float,
    warmup_steps: int,
    weight_decay: float,
    max_norm: float,
    seed: int,
    checkpoint: str | os.PathLike | None = None,
    progress: bool = True,
) -> list[tuple[int, float]]:
    """Train for `steps` steps, numbered from 0; return (step, loss) for each that this call took, in order.

    `AdamW` over `decay_groups`; the learning rate of each step is `warmup_cosine`'s, with `steps` as its total; each
    batch is drawn by `get_batch` from one generator, seeded with `seed`. `progress` shows a line on stderr, at the
    latest after the last step.

    `checkpoint` is a path. What is there, if anything, is gone on from; it is written after every steps // 20 steps
    (after each, if that is 0) of the whole run, counted from its start, and after the last. Ctrl-C, whenever it comes,
    lets a step and a save finish, saves, says on stderr how to go on, and returns early; without a `checkpoint` it
    returns early, and need not say so. Raises `ValueError`, saying at which step, when a loss or gradient is NaN or
    infinite; the checkpoint is then left as it was, and where there was none, there is none.
    """
    # 1. The optimizer, and the generator of all batches

    # 2. The first step to take: 0, or the one at which the checkpoint stopped

    # 3. The learning rate of this step, in every group

    # 4. A batch, and a step on it; if it cannot be taken, say which it was

    # 5. Save, when it is time; stop, when asked to

    raise NotImplementedError


@contextmanager
def deferred_ctrl_c() -> Iterator[Callable[[], bool]]:
    """Hold back the first Ctrl-C, so that no step is cut in half; the function it gives says whether one came.

    A second one interrupts at once. Outside the main thread, where Python has no say in this, nothing changes.
    """
    pressed: list[bool] = []

    def remember(_signal: int, _frame: object) -> None:
        pressed.append(True)
        signal.signal(signal.SIGINT, before)

    before = signal.getsignal(signal.SIGINT) or signal.SIG_DFL
    try:
        signal.signal(signal.SIGINT, remember)
    except ValueError:
        yield lambda: False
        return
    try:
        yield lambda: bool(pressed)
    finally:
        signal.signal(signal.SIGINT, before)


class Progress:
    """A line on stderr, written over as training goes on: step, loss, tokens a second, time left."""

    def __init__(self, first: int, steps: int, tokens_per_step: int, visible: bool):
        self.first, self.steps, self.tokens_per_step, self.visible = first, steps, tokens_per_step, visible
        self.began = self.written = time.monotonic()
        # A terminal's line is written over, five times a second; a file gets a new line every half minute
        self.before, self.after, self.pause = ("\r", "", 0.2) if sys.stderr.isatty() else ("", "\n", 30.0)

    def update(self, done: int, loss: float) -> None:
        now = time.monotonic()
        if not self.visible or (now - self.written < self.pause and done < self.steps):
            return
        self.written = now
        rate = (done - self.first) / max(now - self.began, 1e-9)  # steps a second
        speed, left = f"{rate * self.tokens_per_step:,.0f}", timedelta(seconds=round((self.steps - done) / rate))
        text = f"step {done:,} of {self.steps:,}   loss {loss:.3f}   {speed} tokens/s   {left} left"
        sys.stderr.write(f"{self.before}{text:<78}{self.after}")
        sys.stderr.flush()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_raised: object) -> None:
        if self.visible and self.before:
            sys.stderr.write("\n")
