"""`headstart train`: a subject's own `GPT` and `train` on a real text.

A run's folder, which can be gone on from and written with, holds run.json (what is trained: `run_folder`) and
checkpoint.pt (the subject's own, to go on from), and, when a run ends or is stopped: model.safetensors (the parameters
by `GPT`'s own names), tokenizer.json, losses.jsonl, loss.png; run.json then says what the run came to.
"""

import shutil
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from graders.run_folder import (
    BATCH,
    CHECKPOINT,
    CONFIG,
    LOSSES,
    OTHERWISE,
    WEIGHTS,
    Text,
    alone_in,
    remember,
    settings,
)
from graders.subject_code import CannotGoOn, Subject
from graders.weights.checkpoint import EMBEDDED
from graders.weights.loss_curve import draw_loss_curve, keep_losses

PARTS = ("gpt", "loss", "training")  # the files of a subject that train
MAX_LR, MIN_LR, WEIGHT_DECAY, MAX_NORM = 2e-3, 1e-4, 0.1, 1.0
HELD_OUT = 0.1  # of the text, its end
N_EVALUATED = 20  # batches
SMALL = replace(CONFIG, n_ctx=8, n_layers=1, n_heads=1, d_model=8, d_head=8, d_mlp=8)  # takes a step in no time


def run(subject: Subject, text: Text, out: Path, steps: int, seed: int) -> dict[str, Any]:
    """Train, or go on training, and leave all that is kept of a run in `out`; returns what it came to.

    That is the number of steps `taken`, the held-out loss `held_out`, and the baselines `uniform` and `unigram`, in
    nats. What is trained is said on stderr. Raises what the subject raises, and `CannotGoOn` when the text is too
    short, the checkpoint cannot be read or another run is at work in `out`.
    """
    parts: dict[str, Any] = subject.load(PARTS)
    learnt, held_out = _tokens(text)
    check_readable(out / CHECKPOINT)
    rehearse(parts, learnt, held_out)
    with alone_in(out):
        return _run(parts, text, learnt, held_out, out, steps, seed)


def _run(
    parts: dict[str, Any], text: Text, learnt: torch.Tensor, held_out: torch.Tensor, out: Path, steps: int, seed: int
) -> dict[str, Any]:
    torch.manual_seed(seed)
    model = parts["gpt"].GPT(parts["config"].GPTConfig(**asdict(CONFIG)))
    said = settings(text, steps, seed)
    remember(out, said)
    say(
        f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(learnt):,} tokens of {text.name} "
        f"({len(held_out):,} more are held out), {steps:,} steps of {BATCH} x {CONFIG.n_ctx} tokens"
    )
    losses = parts["training"].train(
        model,
        learnt,
        steps=steps,
        batch=BATCH,
        n_ctx=CONFIG.n_ctx,
        max_lr=MAX_LR,
        min_lr=MIN_LR,
        warmup_steps=min(100, steps // 10),
        weight_decay=WEIGHT_DECAY,
        max_norm=MAX_NORM,
        seed=seed,
        checkpoint=out / CHECKPOINT,
    )
    every = keep_losses(out / LOSSES, losses)
    say("measuring the held-out loss")
    generator = torch.Generator().manual_seed(seed)
    told = {
        "taken": losses[-1][0] + 1 if losses else steps,
        "held_out": parts["training"].evaluate(model, held_out, BATCH, CONFIG.n_ctx, N_EVALUATED, generator),
        "uniform": float(parts["loss"].uniform_loss(CONFIG.d_vocab)),
        "unigram": float(parts["loss"].unigram_loss(learnt, CONFIG.d_vocab)),
    }
    if every:  # none, if an earlier call was killed between its last checkpoint and here
        draw_loss_curve(out / "loss.png", every, told["uniform"], told["unigram"], [(len(every), told["held_out"])])
    shutil.copy(EMBEDDED / "tokenizer.json", out)
    save_file({name: p.detach().contiguous() for name, p in model.named_parameters()}, out / WEIGHTS)
    remember(out, said | told)
    return told


def rehearse(parts: dict[str, Any], learnt: torch.Tensor, held_out: torch.Tensor) -> None:
    """Call all that a run needs of the subject once, on a small model, so that what is not written yet is said before
    there is a folder, not after the last step. Raises what the subject raises.
    """
    batch, generator = 2, torch.Generator().manual_seed(0)
    model = parts["gpt"].GPT(parts["config"].GPTConfig(**asdict(SMALL)))
    rates = {"max_lr": MAX_LR, "min_lr": MIN_LR, "warmup_steps": 0, "weight_decay": WEIGHT_DECAY, "max_norm": MAX_NORM}
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / CHECKPOINT
        sizes = {"steps": 1, "batch": batch, "n_ctx": SMALL.n_ctx}
        parts["training"].train(model, learnt, **sizes, **rates, seed=0, checkpoint=checkpoint, progress=False)
    parts["training"].evaluate(model, held_out, batch, SMALL.n_ctx, 1, generator)
    parts["loss"].uniform_loss(SMALL.d_vocab)
    parts["loss"].unigram_loss(learnt, SMALL.d_vocab)


def _tokens(text: Text) -> tuple[torch.Tensor, torch.Tensor]:
    """The tokens of a text to learn from, and those held out. Raises `CannotGoOn` when there are too few."""
    data = torch.tensor(Tokenizer.from_file(str(EMBEDDED / "tokenizer.json")).encode(text.text).ids)
    n_held_out = int(HELD_OUT * len(data))
    if n_held_out <= CONFIG.n_ctx:
        has = f"{len(data)} token" + "s" * (len(data) != 1)
        expected = f"expected at least {int((CONFIG.n_ctx + 1) / HELD_OUT) + 1}"
        raise CannotGoOn(f"the text is too short: {has}; {expected}, so that some can be held out")
    return data[:-n_held_out], data[-n_held_out:]


def check_readable(checkpoint: Path) -> None:
    """Raise `CannotGoOn` when there is a checkpoint and it is no whole file, whoever's code has written it."""
    if not checkpoint.exists():
        return
    try:
        torch.load(checkpoint, weights_only=True)
    except Exception as error:  # torch raises whatever the damage leads to
        raise CannotGoOn(
            f"{checkpoint} is damaged ({type(error).__name__}); expected what the last call saved; "
            f"{checkpoint.parent}/ is of no more use: {OTHERWISE}"
        ) from error


def say(line: str) -> None:
    """One line for whoever waits."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
