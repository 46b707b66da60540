"""How fast the reference writes: `generate_cached` over `transformers`' own `generate`, both with their cache.

    python benchmarks/generation.py [--pairs 5]

The same weights in float32, the same prompt, greedy, on all cores. The two take turns, and what is printed is the
median, over pairs of runs, of the ratio of their tokens a second; the goal is 1.5 on the embedded checkpoint and 1.0
on a randomly initialised GPT-2 small. Then, on GPT-2 small, what a token costs at length 1,000 over what it costs at
length 50: with the cache, where the goal is at most 1.4, and without it, for comparison.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.utils import logging

from graders.weights.checkpoint import EMBEDDED, load_checkpoint
from reference.caching import CachedGPT, generate_cached
from reference.config import GPTConfig
from reference.gpt import convert_gpt2_weights
from reference.sampling import SamplingOptions

GREEDY = SamplingOptions(temperature=0.0)
GPT2_SMALL = GPTConfig(d_vocab=50257, n_ctx=1024, n_layers=12, n_heads=12, d_model=768, d_head=64, d_mlp=3072)
PROMPT = 16  # tokens
SHORT, LONG = 50, 1000  # lengths at which the cost of a token is compared
STEPS = 16  # over which it is averaged, half of them before that length
GOALS = {"embedded": 1.5, "GPT-2 small": 1.0}
FLAT = 1.4

Writer = Callable[[torch.Tensor, int], torch.Tensor]


def seconds(function: Callable[..., object], *arguments: object) -> float:
    """The wall time of one call."""
    began = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - began


def embedded() -> tuple[CachedGPT, GPT2LMHeadModel]:
    """The embedded checkpoint, ours and theirs, in float32."""
    checkpoint = load_checkpoint()
    model = CachedGPT(GPTConfig(**checkpoint.cfg))
    model.load_state_dict(checkpoint.weights)
    return model, GPT2LMHeadModel.from_pretrained(EMBEDDED, dtype=torch.float32).eval()


def gpt2_small() -> tuple[CachedGPT, GPT2LMHeadModel]:
    """The same random weights, ours and theirs."""
    torch.manual_seed(0)
    theirs = GPT2LMHeadModel(GPT2Config()).eval()
    model = CachedGPT(GPT2_SMALL)
    model.load_state_dict(convert_gpt2_weights(theirs.state_dict(), GPT2_SMALL))
    return model, theirs


def writers(model: CachedGPT, theirs: GPT2LMHeadModel) -> tuple[Writer, Writer]:
    """Two functions that continue a prompt by so many tokens, the likeliest each time."""

    def ours(prompt: torch.Tensor, n: int) -> torch.Tensor:
        return generate_cached(model, prompt, n, GREEDY, None)

    # `min_new_tokens` would keep the end token out, at a cost; without an end token nothing ends early on either side
    theirs.generation_config.eos_token_id = None
    theirs.generation_config.pad_token_id = 0

    def transformers(prompt: torch.Tensor, n: int) -> torch.Tensor:
        mask = torch.ones_like(prompt)
        return theirs.generate(prompt, attention_mask=mask, max_new_tokens=n, do_sample=False, use_cache=True)

    return ours, transformers


def compare(name: str, ours: Writer, theirs: Writer, d_vocab: int, n_new: int, pairs: int) -> None:
    """Print the ratio of tokens a second at batch 1 and 8."""
    for batch in (1, 8):
        prompt = torch.randint(d_vocab, (batch, PROMPT), generator=torch.Generator().manual_seed(batch))
        same = (ours(prompt, n_new) == theirs(prompt, n_new)).double().mean()  # and both are warm
        times = [(seconds(ours, prompt, n_new), seconds(theirs, prompt, n_new)) for _ in range(pairs)]
        ratio = statistics.median(their / our for our, their in times)
        rates = [batch * n_new / statistics.median(side) for side in zip(*times, strict=True)]
        print(
            f"{ratio:5.2f}  {name}, batch {batch}: {rates[0]:,.0f} tokens/s over {rates[1]:,.0f}; "
            f"{same:.0%} of the tokens agree (goal: at least {GOALS[name]})",
            flush=True,
        )


@torch.inference_mode()
def cost_of_length(model: CachedGPT, pairs: int) -> None:
    """Print what a token costs at a great length over what it costs at a small one, with the cache and without."""
    text = torch.randint(model.cfg.d_vocab, (1, LONG + STEPS), generator=torch.Generator().manual_seed(0))
    held = {length: model(text[:, : length - STEPS // 2 - 1])[1] for length in (SHORT, LONG)}

    def with_cache(length: int) -> float:
        _, cache = model(text[:, :1], held[length])  # copies what is held, since the last run wrote behind it
        began = time.perf_counter()
        for _ in range(STEPS):
            _, cache = model(text[:, :1], cache)
        return (time.perf_counter() - began) / STEPS

    def without_cache(length: int) -> float:
        return seconds(model, text[:, :length])

    for name, cost, goal in (
        ("with the cache", with_cache, f" (goal: at most {FLAT})"),
        ("without", without_cache, ""),
    ):
        times = [(cost(SHORT), cost(LONG)) for _ in range(pairs + 1)][1:]  # the first warms up
        ratio = statistics.median(long / short for short, long in times)
        short, long = (1000 * statistics.median(side) for side in zip(*times, strict=True))
        print(
            f"{ratio:5.2f}  a token at length {LONG} over one at {SHORT}, {name}: {long:.0f} ms over {short:.0f}{goal}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs of which the median is taken")
    options = parser.parse_args()
    logging.set_verbosity_error()
    model, theirs = embedded()
    compare("embedded", *writers(model, theirs), model.cfg.d_vocab, 200, options.pairs)
    model, theirs = gpt2_small()
    compare("GPT-2 small", *writers(model, theirs), model.cfg.d_vocab, 64, options.pairs)
    cost_of_length(model, options.pairs)


if __name__ == "__main__":
    main()
