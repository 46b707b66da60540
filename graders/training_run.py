"""`headstart train`: a subject's own `GPT` and `train` on a real text.

A run's folder, which can be gone on from and written with, holds checkpoint.pt (the subject's own, to go on from) and,
when a run ends: run.json (sizes), model.safetensors (the parameters by `GPT`'s own names), tokenizer.json,
losses.jsonl, loss.png.
"""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from graders.engine.stubs import stub_files
from graders.engine.worker.loading import Source, SubjectPackage
from graders.weights.checkpoint import EMBEDDED
from graders.weights.loss_curve import draw_loss_curve, keep_losses
from reference.config import GPTConfig

RUN = "run.json"
CONFIG = GPTConfig(d_vocab=1024, n_ctx=128, n_layers=4, n_heads=4, d_model=128, d_head=32, d_mlp=512)
BATCH = 8
MAX_LR, MIN_LR, WEIGHT_DECAY, MAX_NORM = 2e-3, 1e-4, 0.1, 1.0
HELD_OUT = 0.1  # of the text, its end
N_EVALUATED = 20  # batches


class CannotTrain(Exception):
    """Why there is nothing to train on, in one line."""


def read_text(path: Path | None) -> str:
    """The text of a file; without one, Python's own manual, which is on every machine."""
    if path is None:
        from pydoc_data.topics import topics

        return "\n\n".join(topics.values())
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CannotTrain(f"{path} cannot be read as text ({error}); expected a UTF-8 text file") from error


def run(subject: Path, text: str, out: Path, steps: int, seed: int) -> dict[str, float]:
    """Train, or go on training, and leave all that is kept of a run in `out`; returns the losses to compare, in nats.

    They are the held-out loss `held_out` and the baselines `uniform` and `unigram`. Raises what the subject raises, and
    `CannotTrain` when the text is too short.
    """
    out.mkdir(parents=True, exist_ok=True)
    package = SubjectPackage(Source(folder=str(subject), stubs=stub_files()), "training")
    parts: Any = {name: package.load(name) for name in ("config", "gpt", "loss", "training")}
    tokenizer = Tokenizer.from_file(str(EMBEDDED / "tokenizer.json"))
    data = torch.tensor(tokenizer.encode(text).ids)
    n_held_out = int(HELD_OUT * len(data))
    if n_held_out <= CONFIG.n_ctx:
        expected = f"expected at least {int((CONFIG.n_ctx + 1) / HELD_OUT) + 1}"
        raise CannotTrain(f"the text is too short: {len(data)} tokens; {expected}, so that some can be held out")
    learnt, held_out = data[:-n_held_out], data[-n_held_out:]
    torch.manual_seed(seed)
    model = parts["gpt"].GPT(parts["config"].GPTConfig(**asdict(CONFIG)))
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
        checkpoint=out / "checkpoint.pt",
    )
    every = keep_losses(out / "losses.jsonl", losses)
    generator = torch.Generator().manual_seed(seed)
    told = {
        "held_out": parts["training"].evaluate(model, held_out, BATCH, CONFIG.n_ctx, N_EVALUATED, generator),
        "uniform": float(parts["loss"].uniform_loss(CONFIG.d_vocab)),
        "unigram": float(parts["loss"].unigram_loss(learnt, CONFIG.d_vocab)),
    }
    save_file({name: p.detach().contiguous() for name, p in model.named_parameters()}, out / "model.safetensors")
    (out / RUN).write_text(json.dumps({"cfg": asdict(CONFIG)} | told, indent=2) + "\n", encoding="utf-8")
    shutil.copy(EMBEDDED / "tokenizer.json", out)
    at_the_end = [(len(every), told["held_out"])]
    draw_loss_curve(out / "loss.png", every, told["uniform"], told["unigram"], at_the_end)
    return told
