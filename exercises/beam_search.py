"""Beam search: look for the text that is likeliest as a whole, not for the likeliest next token.

Greedy choice takes the best step now, even when everything after it is bad. Beam search keeps the `n_beams`
best beginnings alive, extends each by every token, and keeps the best of what results. It is still no full
search: a beginning that falls behind is gone for good. With one beam it is greedy choice.

Sources: Sutskever et al., "Sequence to Sequence Learning with Neural Networks", 2014, section 3.2; length
penalty, after Wu et al., "Google's Neural Machine Translation System", 2016, section 7; when to stop, Huang et al.,
"When to Finish?", 2017; no repeated n-grams, Paulus et al., "A Deep Reinforced Model for Abstractive
Summarization", 2017, section 2.5.

Yours to write: everything below that raises `NotImplementedError`.
`pytest graders/test_beam_search.py` checks it; docs/exercises/beam_search.md explains it.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from exercises.sampling import LanguageModel, check_logits, check_tokens


@dataclass(frozen=True)
class Hypothesis:
    """One text that beam search found."""

    tokens: list[int]  # the prompt, what was added, and the end token if it has one
    log_prob: float  # of what was added, in nats: the sum of its tokens' log-probabilities
    score: float  # log_prob / n_new ** length_penalty: what texts of different lengths are compared by


def extend_beams(
    sums: Float[Tensor, "beams"], log_probs: Float[Tensor, "beams d_vocab"], n_beams: int
) -> tuple[Float[Tensor, "n"], Int[Tensor, "n"], Int[Tensor, "n"]]:
    """The `n_beams` best ways to extend a beam by one token, best first; all of them if there are fewer.

    A beam's sum is the log-probability of its tokens so far. Returns, of each extension, its sum, the index of
    the beam it extends, and the token. Of equal sums the one of the earlier beam, then of the lower token, goes
    first; -inf is a sum like any other. Raises `ValueError` when `n_beams` is below 1.
    """
    # 1. Refuse to keep nothing

    # 2. The sum of every beam with every token, beam after beam in one row: beams * d_vocab

    # 3. The places of the best in that row, best first, the earlier place first where sums tie: n

    # 4. Their sums, and the beam and the token that each place stands for: n, three times

    raise NotImplementedError


def banned_tokens(sequence: list[int], ngram_size: int) -> set[int]:
    """The tokens that, put after `sequence`, would complete an n-gram that is in `sequence` already.

    An n-gram is `ngram_size` tokens in a row; at size 1 every token of the sequence is banned, at size 0 none.
    Raises `ValueError` when `ngram_size` is below 0. Source: Paulus et al. 2017, section 2.5.
    """
    # 1. Refuse negative sizes; size 0 bans nothing

    # 2. Every n-gram of the sequence: its first n - 1 tokens, and its last

    # 3. The last tokens of those that begin as the sequence ends

    raise NotImplementedError


def beam_search(
    model: LanguageModel,
    prompt: Int[Tensor, "seq"],
    n_beams: int,
    max_new_tokens: int,
    eos_id: int | None = None,
    length_penalty: float = 0.0,
    no_repeat_ngram_size: int = 0,
) -> list[Hypothesis]:
    """The best continuations of one `prompt`, at most `n_beams`, best score first.

    The search starts from one live beam, the prompt. In each step `model` sees the last n_ctx tokens of all live
    beams as one batch. An extension that would repeat an n-gram of its own beam (`banned_tokens`), or that has
    probability 0, is out. Of the others, in the order of `extend_beams`, those among the `n_beams` best that end with
    `eos_id` are finished; the `n_beams` best that do not end with it are the next live beams.

    A text's score is its log_prob / n_new ** length_penalty, where n_new counts what was added, the end token
    too: 0 compares log-probabilities, which favours short texts, 1 their mean per token. The `n_beams` best finished
    texts are kept, the earlier found first where scores tie. The search stops when none is live; when `n_beams` are
    kept and no live beam can still beat the worst of them, whatever follows (a sum only falls); or after
    `max_new_tokens`, when live beams count as texts as they are. With no new token, log_prob and score are 0.
    Where every way on is out there are fewer texts than `n_beams`, or none.

    No gradients are recorded, and the model is left in the mode (`train` or `eval`) it is in. Raises `ValueError`
    when the prompt is not of one dimension, is empty, or has an id that is not from 0 to d_vocab - 1 (`model.cfg`
    knows), when `n_beams` is below 1 or `no_repeat_ngram_size` below 0, or when all logits of a beam are -inf.
    """
    # 1. Refuse a prompt that the model cannot read, to keep nothing, and n-grams of a negative size

    # 2. Two ways to look at texts: a beam with its sum as a hypothesis, and the best of several hypotheses

    # 3. One live beam, the prompt, with a sum of 0, and nothing finished: beams seq, and beams

    # 4. In each step, the log-probability of every token after each live beam: beams d_vocab

    # 5. No way on for a token that would repeat one of its own beam's n-grams

    # 6. The best extensions; each live beam can end in one way only, so twice as many leave enough to live on

    # 7. Those that end, if they are good enough, are finished; the best of the others live on: their places

    # 8. Stop when nothing lives, or the best sum cannot win even at the length at which it is worth most

    # 9. What is alive now counts as it is; if it could not win, it does not

    raise NotImplementedError
