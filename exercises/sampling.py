"""Sampling: from a model's logits to the next token, and from one token after another to a text.

A model gives every token of its vocabulary a logit; it does not say which one to write. Always writing the
likeliest is safe, and soon goes round in circles; drawing from all of them is lively, and now and then
picks nonsense from the long tail of unlikely ones. Temperature, top-k and top-p lie between the two.

Sources: Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020, section 3 (top-p); Fan et al.,
"Hierarchical Neural Story Generation", 2018, section 5.4 (top-k); the penalty is that of OpenAI's completions API.

Yours to write: everything below that raises `NotImplementedError`.
`pytest graders/test_sampling.py` checks it; docs/exercises/sampling.md explains it.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from exercises.config import GPTConfig

Logits = Float[Tensor, "batch d_vocab"]
Tokens = Int[Tensor, "batch seq"]


@dataclass(frozen=True)
class SamplingOptions:
    """How to choose the next token; as it stands, by a draw from the model's own distribution."""

    temperature: float = 1.0  # logits are divided by it; 0 means greedy
    top_k: int | None = None  # draw from this many of the likeliest tokens only
    top_p: float | None = None  # draw from the fewest likeliest tokens that have this probability together
    frequency_penalty: float = 0.0  # taken off a token's logit for each time it is in the text already
    eos_id: int | None = None  # the token that ends a text


class LanguageModel(Protocol):
    """Whatever turns tokens into logits and knows its sizes: `GPT`, for one."""

    cfg: GPTConfig

    def __call__(self, tokens: Tokens) -> Float[Tensor, "batch seq d_vocab"]: ...


def check_logits(logits: Logits) -> None:
    """Raise `ValueError` unless every row has a finite largest logit: a token to choose, and no NaN or +inf."""
    if not logits.amax(dim=-1).isfinite().all():
        raise ValueError("a row of logits is all -inf, or holds NaN or +inf; expected at least one token to choose")


def check_tokens(tokens: Int[Tensor, "..."], d_vocab: int) -> None:
    """Raise `ValueError` unless every token id is from 0 to d_vocab - 1."""
    outside = tokens[(tokens < 0) | (tokens >= d_vocab)]
    if len(outside):
        raise ValueError(f"{outside[0]} is no token id; expected ids from 0 to {d_vocab - 1}")


def greedy(logits: Logits) -> Int[Tensor, "batch"]:
    """The id of each row's largest logit, the lowest where several tie; raises `ValueError` for a row of -inf."""
    # 1. Refuse a row that has nothing to choose

    # 2. The first place at which each row is largest: batch

    raise NotImplementedError


def apply_temperature(logits: Logits, temperature: float) -> Logits:
    """Divide the logits by `temperature`: below 1 the likely become likelier, above 1 all become more alike.

    Raises `ValueError` when `temperature` is 0, negative, infinite or NaN.
    """
    # 1. Refuse a temperature that is not above 0, and one that is infinite

    # 2. Every logit on its new scale: batch d_vocab

    raise NotImplementedError


def apply_frequency_penalty(logits: Logits, tokens: Tokens, penalty: float) -> Logits:
    """Lower each token's logit by `penalty` times the number of times the token is in its row of `tokens`.

    `tokens` is the text so far, prompt included; it may be of length 0. A negative penalty rewards repetition.
    Raises `ValueError` when a token id is not from 0 to d_vocab - 1.
    """
    # 1. Refuse ids outside the vocabulary

    # 2. How often each token of the vocabulary is in each row's own text: batch d_vocab

    # 3. Take off the penalty, once for each time: batch d_vocab

    raise NotImplementedError


def top_k_filter(logits: Logits, k: int) -> Logits:
    """Keep the `k` largest logits of each row, all of them if there are fewer, and set the others to -inf.

    Of equal logits the one with the lower id goes first, so that never more than `k` are kept.
    Raises `ValueError` when `k` is below 1. Source: Fan et al. 2018, section 5.4.
    """
    # 1. Refuse to keep nothing

    # 2. The ids, the largest logit first, the lower id first where logits tie: batch d_vocab

    # 3. The place of each id in that order, from 0; only the first k places stay: batch d_vocab

    raise NotImplementedError


def top_p_filter(logits: Logits, p: float, min_tokens_to_keep: int = 1) -> Logits:
    """Keep each row's nucleus, the fewest tokens whose probabilities add up to `p` or more; the others are -inf.

    Tokens join from the likeliest down, the lower id first where they tie, and the one that reaches `p` belongs
    to the nucleus. It has at least `min_tokens_to_keep` tokens (all, if there are fewer): just these at `p = 0`.
    At `p = 1` it has every token, however unlikely. Source: Holtzman et al. 2020, section 3.1.

    Raises `ValueError` when `p` is not from 0 to 1, `min_tokens_to_keep` is below 1, or a row is all -inf.
    """
    # 1. Refuse a p that is no probability, a nucleus of nothing, and a row that has no probabilities

    # 2. At p = 1 all stay: a sum of rounded numbers may reach 1 before the last token has joined

    # 3. Logits and ids, the largest logit first, the lower id first where logits tie: batch d_vocab, twice

    # 4. The probability of all tokens up to each place of that order, its own included: batch d_vocab

    # 5. The size of the nucleus: the tokens at which p is not yet reached, and one more: batch 1

    # 6. Whoever stands behind the nucleus is out: batch d_vocab

    raise NotImplementedError


def sample(logits: Logits, generator: Generator | None) -> Int[Tensor, "batch"]:
    """Draw one token for each row, each token with its softmax probability, each row on its own.

    All chance comes from `generator` (None: PyTorch's global one): from the same state, it draws the same.
    Raises `ValueError` for a row of -inf.
    """
    # 1. Refuse a row that has no probabilities

    # 2. The probability of each token: batch d_vocab

    # 3. One draw for each row: batch

    raise NotImplementedError


def next_token(
    logits: Logits, tokens: Tokens, options: SamplingOptions, generator: Generator | None
) -> Int[Tensor, "batch"]:
    """Choose what follows `tokens` (batch seq) in each row, from the `logits` after the last of them.

    Frequency penalty, temperature, top-k, top-p, draw: in this order, and without a filter that is None. At
    temperature 0 the greedy choice after the penalty, and no draw. Raises `ValueError` where one of them does.
    """
    # 1. Make what has been written already less likely: batch d_vocab

    # 2. At temperature 0 that is all that counts: batch

    # 3. Rescale, then cut the tail, first by number, then by probability: batch d_vocab

    # 4. Draw from what is left: batch

    raise NotImplementedError


def generate(
    model: LanguageModel, prompt: Tokens, max_new_tokens: int, options: SamplingOptions, generator: Generator | None
) -> Int[Tensor, "batch longer"]:
    """Continue each row of `prompt` by up to `max_new_tokens` tokens; returns the prompt and what follows it.

    Each step calls `model` once and `next_token` once, both on all rows. The model sees the last n_ctx tokens,
    `next_token` the whole text. A row that has written `eos_id` keeps it, and is filled up with more of it; when
    all rows have, the text ends. An `eos_id` in the prompt ends nothing. No gradients are recorded, and the
    model is left in the mode (`train` or `eval`) it is in.

    Raises `ValueError` when the prompt is empty, when it has an id that is not from 0 to d_vocab - 1 (`model.cfg`
    knows), and where `next_token` does.
    """
    # 1. Refuse a prompt that the model cannot read

    # 2. The text so far, and which rows have ended: batch seq, and batch

    # 3. In each step, the logits after the last token, from n_ctx tokens at most: batch d_vocab

    # 4. What each row writes next; one that has ended writes eos_id again: batch

    # 5. Append it, and stop when no row has more to say: batch seq

    raise NotImplementedError
