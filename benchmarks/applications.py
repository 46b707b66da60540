"""What an application's training costs: its tokens a second over those of the plain `training` exercise's own step.

    python benchmarks/applications.py [--pairs 20]

Both train the same model of the reference on batches of the same size, on all cores: the application with all that it
does in a step of its own (making its batch, its loss, the subject's optimizer), the other with `train_step` on a batch
that is there already. They take turns; printed is the median, over pairs of steps, of the ratio of their tokens a
second. There is no goal: the ratio says what the application adds.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Generator, nn

import reference.arithmetic
import reference.optimizer
from graders.applications import arithmetic, image_gpt, vit
from graders.applications.image_data import DIGITS, N_CLASSES
from graders.applications.images import load_images
from graders.applications.run import Run
from graders.applications.training import Steps
from reference.config import GPTConfig
from reference.gpt import GPT
from reference.image_gpt import D_VOCAB, images_to_tokens
from reference.optimizer import AdamW, decay_groups
from reference.patches import ViTConfig
from reference.training import train_step
from reference.vit import ViT

Step = Callable[[], object]


def step_of(
    model: nn.Module, loss_of: Callable[[nn.Module, Generator], torch.Tensor], settings: Mapping[str, Any]
) -> Step:
    """One step as `headstart run` takes it, at the learning rate of its first."""
    run = Run({"optimizer": reference.optimizer}, 0, Path(), settings)
    steps = Steps(run, "timed", model, loss_of, **settings["training"])
    return lambda: steps.take(0)


def plain_step_of(cfg: GPTConfig, batch: int, seq: int) -> Step:
    """One step of the `training` exercise on random tokens, with a model of the same sizes."""
    model = GPT(cfg)
    optimizer, tokens = AdamW(decay_groups(model, weight_decay=0.1), lr=1e-3), torch.randint(cfg.d_vocab, (batch, seq))
    return lambda: train_step(model, optimizer, tokens, tokens, 1.0)


def sides() -> Iterator[tuple[str, int, Step, Step]]:
    """Of each training: its name, the tokens of a step, its own step and the plain one."""
    settings, task = arithmetic.SETTINGS, reference.arithmetic
    lessons = arithmetic.Lessons(task, settings, {}, True)
    cfg = GPTConfig(d_vocab=len(task.CHARACTERS), n_ctx=task.N_TOKENS, **settings["model"])
    plain = plain_step_of(cfg, settings["batch"], lessons.n_read)
    yield "arithmetic", settings["batch"] * lessons.n_read, step_of(GPT(cfg), lessons.loss_of, settings), plain
    learnt, _tested = load_images(DIGITS)
    settings = vit.SETTINGS
    sizes = {"image_size": DIGITS.side, "n_channels": DIGITS.n_channels, "n_classes": N_CLASSES}
    vit_cfg = ViTConfig(**sizes, **settings["model"])
    seq, blocks = 1 + vit_cfg.n_patches, {n: v for n, v in settings["model"].items() if n != "patch_size"}
    plain = plain_step_of(GPTConfig(d_vocab=N_CLASSES, n_ctx=seq, **blocks), settings["batch"], seq)
    own = step_of(ViT(vit_cfg), vit.loss_on(learnt, settings["batch"]), settings)
    yield "vit", settings["batch"] * seq, own, plain
    settings = image_gpt.SETTINGS
    cfg = GPTConfig(d_vocab=D_VOCAB, n_ctx=DIGITS.side**2, **settings["model"])
    plain = plain_step_of(cfg, settings["batch"], cfg.n_ctx)
    texts = images_to_tokens(learnt.levels, learnt.labels)
    own = step_of(GPT(cfg), image_gpt.loss_on(texts, settings["batch"]), settings)
    yield "image_gpt", settings["batch"] * cfg.n_ctx, own, plain


def seconds(step: Step) -> float:
    """The wall time of one step."""
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=20, help="steps of each that are timed, in turn")
    pairs = parser.parse_args().pairs
    torch.manual_seed(0)
    for name, tokens, *both in sides():
        for step in both:
            seconds(step)  # once to warm up
        times = [[seconds(step) for step in both] for _ in range(pairs)]
        ratio = statistics.median(plain / own for own, plain in times)
        own, plain = (tokens / statistics.median(side) for side in zip(*times, strict=True))
        print(f"{ratio:5.2f}  {name}: {own:,.0f} tokens/s over {plain:,.0f} of the plain step")


if __name__ == "__main__":
    main()
