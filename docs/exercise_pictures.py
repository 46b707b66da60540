"""The pictures of the exercises' pages that need no trained model: a gate, a schedule, a search, what a cache saves."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from docs.drawing import BLUE, GREY, ORANGE, bare, figure, light
from reference.beam_search import extend_beams
from reference.caching import CachedGPT, generate_cached
from reference.config import GPTConfig
from reference.gpt import GPT
from reference.mlp import gelu_new
from reference.optimizer import warmup_cosine
from reference.sampling import SamplingOptions, generate


def gelu_gate() -> Figure:
    """GPT-2's GELU beside ReLU, and the gate that each number is multiplied by."""
    x = torch.linspace(-4, 3, 281)  # never exactly 0
    drawn = figure(7.5, 2.8)
    left, right = drawn.subplots(1, 2)
    left.plot(x.tolist(), x.relu().tolist(), color=GREY, linewidth=3, label="ReLU")
    left.plot(x.tolist(), gelu_new(x).tolist(), color=BLUE, label="gelu_new")
    left.set(xlabel="x", title="what comes out")
    right.plot(x.tolist(), (x > 0).float().tolist(), color=GREY, linewidth=3, label="ReLU")
    right.plot(x.tolist(), (gelu_new(x) / x).tolist(), color=BLUE, label="gelu_new")
    right.set(xlabel="x", title="the gate: what x is multiplied by")
    for axes in (left, right):
        axes.title.set_fontsize(10)
        axes.legend(frameon=False, loc="upper left")
        light(axes)
    return drawn


STEPS, WARMUP, MAX_LR, MIN_LR = 1000, 100, 6e-4, 6e-5  # the rates are GPT-3's for its smallest model


def schedule() -> Figure:
    """The learning rate over a run: a straight rise, half a cosine down, then flat."""
    drawn = figure(6.5, 2.6)
    axes = drawn.subplots()
    steps = range(STEPS + 150)
    axes.plot(steps, [warmup_cosine(step, WARMUP, STEPS, MAX_LR, MIN_LR) for step in steps], color=BLUE, linewidth=2)
    axes.axhline(MIN_LR, color=GREY, linewidth=1, zorder=0)
    for step in (WARMUP, STEPS):
        axes.axvline(step, color=GREY, linewidth=1, zorder=0)
    axes.set_xticks((0, WARMUP, (WARMUP + STEPS) // 2, STEPS))
    axes.set_yticks((0, MIN_LR, (MIN_LR + MAX_LR) / 2, MAX_LR), ("0", "min_lr", "halfway", "max_lr"))
    axes.set(xlabel="step", ylabel="learning rate", ylim=(0, None))
    light(axes)
    return drawn


PROBABILITIES = {"": (0.5, 0.4, 0.1), "a": (0.4, 0.3, 0.3), "b": (0.05, 0.05, 0.9)}  # of a, b and the end, by text
SIGNS = "ab."
N_BEAMS = 2


@dataclass(frozen=True)
class Way:
    """One extension of a live beam."""

    text: str
    probability: float  # of the whole text
    state: str  # "live", "finished" or "out"


def search_tree() -> list[list[Way]]:
    """The search that is worked by hand on the page, step by step: every extension of the live beams, best first."""
    live, sums, steps = [""], torch.zeros(1), []
    for _ in range(2):
        log_probs = torch.tensor([PROBABILITIES[text] for text in live]).log()
        all_sums, beams, tokens = extend_beams(sums, log_probs, len(live) * len(SIGNS))
        texts = [live[beam] + SIGNS[token] for beam, token in zip(beams.tolist(), tokens.tolist(), strict=True)]
        going_on = [text for text in texts if not text.endswith(".")][:N_BEAMS]
        finished = [text for text in texts[:N_BEAMS] if text.endswith(".")]
        states = ["live" if t in going_on else "finished" if t in finished else "out" for t in texts]
        steps.append([Way(*way) for way in zip(texts, all_sums.exp().tolist(), states, strict=True)])
        live, sums = going_on, all_sums[[texts.index(text) for text in going_on]]
    return steps


def beam_tree() -> Figure:
    """Two beams over two steps: which texts live on, which one is finished, which are dropped."""
    first, second = search_tree()
    colors = {"live": BLUE, "finished": ORANGE, "out": GREY}
    rows = {way.text: float(row) for row, way in enumerate(sorted(second, key=lambda way: SIGNS.index(way.text[0])))}
    for way in first:
        below = [row for text, row in rows.items() if text[0] == way.text[0] and len(text) > 1]
        rows[way.text] = sum(below) / len(below) if below else float(len(second))
    rows[""] = 2.5
    drawn = figure(7, 3.4)
    axes = drawn.subplots()
    for depth, way in [*((1, way) for way in first), *((2, way) for way in second)]:
        color, row = colors[way.state], rows[way.text]
        axes.plot(
            (depth - 0.72, depth - 0.05), (rows[way.text[:-1]], row), color=color, linewidth=1 + 6 * way.probability
        )
        said = f"{' '.join(way.text)}   {way.probability:.2f}" + ("   finished" if way.state == "finished" else "")
        weight = "normal" if way.state == "out" else "bold"
        axes.text(depth, row, said, va="center", fontsize=9, fontweight=weight)
    axes.text(0.2, rows[""], "prompt", va="center", ha="right", fontsize=9)
    axes.set(xlim=(0, 2.8), ylim=(6.4, -0.5), xticks=(1, 2), xticklabels=("after one token", "after two"), yticks=[])
    bare(axes)
    return drawn


PROMPT, NEW = 10, 20


def tokens_read() -> tuple[list[int], list[int]]:
    """How many tokens a model reads in each step of a text: without a cache, and with one."""
    cfg = GPTConfig(d_vocab=7, n_ctx=PROMPT + NEW, n_layers=1, n_heads=1, d_model=4, d_head=4, d_mlp=4)
    prompt = torch.zeros(1, PROMPT, dtype=torch.long)
    read: tuple[list[int], list[int]] = ([], [])
    writers: tuple[tuple[nn.Module, Callable], ...] = ((GPT(cfg), generate), (CachedGPT(cfg), generate_cached))
    for counts, (model, write) in zip(read, writers, strict=True):
        model.register_forward_pre_hook(_counting(counts))
        write(model, prompt, NEW, SamplingOptions(temperature=0.0), None)
    return read


def _counting(counts: list[int]) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
    """A hook that notes how many tokens a model is given."""

    def count(_model: nn.Module, given: tuple[Tensor, ...]) -> None:
        counts.append(given[0].shape[1])

    return count


def cache_growth() -> Figure:
    """Tokens read for 20 new ones after a prompt of 10: step by step, and added up."""
    without, cached = tokens_read()
    drawn = figure(7.5, 2.8)
    left, right = drawn.subplots(1, 2)
    steps = range(1, NEW + 1)
    for counts, color, name in ((without, ORANGE, "without a cache"), (cached, BLUE, "with one")):
        left.step(steps, counts, where="mid", color=color, linewidth=2, label=name)
        totals = torch.tensor(counts).cumsum(0).tolist()
        right.plot(steps, totals, color=color, linewidth=2)
        right.annotate(str(totals[-1]), (NEW, totals[-1]), (6, 0), textcoords="offset points", va="center")
    left.set(title="tokens read in each step", ylim=(0, None))
    left.legend(frameon=False)
    right.set(title="all together", ylim=(0, None))
    for axes in (left, right):
        axes.title.set_fontsize(10)
        axes.set_xlabel("new token")
        axes.set_xticks((1, 5, 10, 15, 20))
        light(axes)
    return drawn
