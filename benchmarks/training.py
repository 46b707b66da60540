"""How fast the reference trains, and in how much memory, over `transformers`' GPT-2 of the same shape.

    python benchmarks/training.py [--pairs 10] [--processes 3]

The shape is that of the embedded checkpoint, the batch 8 windows of 256 tokens, everything float32 and on all cores,
without dropout on either side. A step is the reference's own: `train_step` with `AdamW` over `decay_groups`. Theirs
has the same parts from PyTorch: cross-entropy, `clip_grad_norm_` and `torch.optim.AdamW`. In one process the two take
turns; printed is the median, over pairs of steps, of the ratio of their tokens a second: the goal is at least 0.8.

Peak memory is measured in a process of its own for each, three times: the most memory the process ever had resident,
over six steps, minus what it had just before the model was built. Both import the same libraries before that, the
other's too, since memory that imports leave behind is used again. Printed is the ratio of the medians: the goal is at
most 1.5. (Linux only: it is read from /proc.)
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import GPT2Config, GPT2LMHeadModel

from graders.weights.checkpoint import load_checkpoint
from reference.config import GPTConfig
from reference.gpt import GPT
from reference.optimizer import AdamW, decay_groups
from reference.training import get_batch, train_step

BATCH, MAX_NORM, LR = 8, 1.0, 1e-3
SPEED, MEMORY = 0.8, 1.5
STEPS = 6  # before peak memory is read

Step = Callable[[Tensor, Tensor], object]


def ours(cfg: GPTConfig) -> Step:
    """A function that takes one step with the reference."""
    model = GPT(cfg)
    optimizer = AdamW(decay_groups(model, weight_decay=0.1), lr=LR)
    return lambda x, y: train_step(model, optimizer, x, y, MAX_NORM)


def theirs(cfg: GPTConfig) -> Step:
    """The same with `transformers`' GPT-2 and PyTorch's own parts."""
    sizes = {"vocab_size": cfg.d_vocab, "n_positions": cfg.n_ctx, "n_layer": cfg.n_layers, "n_head": cfg.n_heads}
    rest = {"n_embd": cfg.d_model, "n_inner": cfg.d_mlp, "bos_token_id": None, "eos_token_id": None}
    model = GPT2LMHeadModel(GPT2Config(**sizes, **rest, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, betas=(0.9, 0.95), weight_decay=0.1)

    def step(x: Tensor, y: Tensor) -> float:
        optimizer.zero_grad()
        logits = model(x, use_cache=False).logits
        loss = F.cross_entropy(logits.flatten(0, 1), y.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), MAX_NORM)
        optimizer.step()
        return loss.item()

    return step


MAKERS = {"reference": ours, "transformers": theirs}


def batch_for(cfg: GPTConfig) -> tuple[Tensor, Tensor]:
    """A batch of random tokens."""
    generator = torch.Generator().manual_seed(0)
    return get_batch(torch.randint(cfg.d_vocab, (100_000,), generator=generator), BATCH, cfg.n_ctx, generator)


def megabytes(field: str) -> float:
    """`VmRSS`, what this process has resident now, or `VmHWM`, the most it ever had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def print_peak(cfg: GPTConfig, side: str) -> None:
    """In a process of its own: print the peak of a few steps, above what was there before the model."""
    x, y = batch_for(cfg)
    before = megabytes("VmRSS")
    step = MAKERS[side](cfg)
    for _ in range(STEPS):
        step(x, y)
    print(megabytes("VmHWM") - before)


def peak(side: str, processes: int) -> float:
    """The median peak, in megabytes, over so many processes."""
    command = [sys.executable, __file__, "--peak", side]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(processes)]
    return statistics.median(float(run.stdout) for run in runs)


def seconds(step: Step, x: Tensor, y: Tensor) -> float:
    """The wall time of one step."""
    began = time.perf_counter()
    step(x, y)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=10, help="steps of each that are timed, in turn")
    parser.add_argument("--processes", type=int, default=3, help="processes of each whose peak memory is read")
    parser.add_argument("--peak", choices=MAKERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    cfg = GPTConfig(**load_checkpoint().cfg)
    if options.peak:
        print_peak(cfg, options.peak)
        return
    torch.manual_seed(0)
    x, y = batch_for(cfg)
    sides = [maker(cfg) for maker in MAKERS.values()]
    for step in sides:
        seconds(step, x, y)  # once to warm up
    times = [[seconds(step, x, y) for step in sides] for _ in range(options.pairs)]
    ratio = statistics.median(their / our for our, their in times)
    rates = [BATCH * cfg.n_ctx / statistics.median(side) for side in zip(*times, strict=True)]
    print(f"{ratio:5.2f}  training: {rates[0]:,.0f} tokens/s over {rates[1]:,.0f} (goal: at least {SPEED})", flush=True)
    peaks = [peak(side, options.processes) for side in MAKERS]
    print(f"{peaks[0] / peaks[1]:5.2f}  peak memory: {peaks[0]:,.0f} MB over {peaks[1]:,.0f} (goal: at most {MEMORY})")


if __name__ == "__main__":
    main()
