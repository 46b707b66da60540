"""Beam search: look for the text that is likeliest as a whole, not for the likeliest next token.

Greedy choice takes the best step now, even when everything after it is bad. Beam search keeps the `n_beams`
best beginnings alive, extends each by every token, and keeps the best of what results. It is still no full
search: a beginning that falls behind is gone for good. With one beam it is greedy choice.

Sources: Sutskever et al., "Sequence to Sequence Learning with Neural Networks", 2014, section 3.2; length
penalty, after Wu et al., "Google's Neural Machine Translation System", 2016, section 7; when to stop, Huang et al.,
"When to Finish?", 2017; no repeated n-grams, Paulus et al., "A Deep Reinforced Model for Abstractive
Summarization", 2017, section 2.5.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from reference.sampling import LanguageModel, check_logits, check_tokens


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
    if n_beams < 1:
        raise ValueError(f"n_beams is {n_beams}; expected at least 1")
    # 2. The sum of every beam with every token, beam after beam in one row: beams * d_vocab
    extended = (sums.unsqueeze(1) + log_probs).flatten()
    # 3. The places of the best in that row, best first, the earlier place first where sums tie: n
    best = extended.argsort(descending=True, stable=True)[:n_beams]
    # 4. Their sums, and the beam and the token that each place stands for: n, three times
    d_vocab = log_probs.shape[1]
    return extended[best], best // d_vocab, best % d_vocab


def banned_tokens(sequence: list[int], ngram_size: int) -> set[int]:
    """The tokens that, put after `sequence`, would complete an n-gram that is in `sequence` already.

    An n-gram is `ngram_size` tokens in a row; at size 1 every token of the sequence is banned, at size 0 none.
    Raises `ValueError` when `ngram_size` is below 0. Source: Paulus et al. 2017, section 2.5.
    """
    # 1. Refuse negative sizes; size 0 bans nothing
    if ngram_size < 0:
        raise ValueError(f"ngram_size is {ngram_size}; expected 0, which bans nothing, or more")
    if ngram_size == 0:
        return set()
    # 2. Every n-gram of the sequence: its first n - 1 tokens, and its last
    starts = range(len(sequence) - ngram_size + 1)
    ngrams = [(sequence[i : i + ngram_size - 1], sequence[i + ngram_size - 1]) for i in starts]
    # 3. The last tokens of those that begin as the sequence ends
    ending = sequence[len(sequence) - ngram_size + 1 :]
    return {last for first, last in ngrams if first == ending}


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
    if prompt.ndim != 1 or len(prompt) == 0:
        raise ValueError(f"the prompt has shape {tuple(prompt.shape)}; expected one row of at least one token")
    if n_beams < 1:
        raise ValueError(f"n_beams is {n_beams}; expected at least 1")
    if no_repeat_ngram_size < 0:
        raise ValueError(f"no_repeat_ngram_size is {no_repeat_ngram_size}; expected 0, which bans nothing, or more")
    check_tokens(prompt, model.cfg.d_vocab)

    # 2. Two ways to look at texts: a beam with its sum as a hypothesis, and the best of several hypotheses
    def hypothesis(tokens: list[int], log_prob: float) -> Hypothesis:
        n_new = len(tokens) - len(prompt)
        return Hypothesis(tokens, log_prob, log_prob / max(n_new, 1) ** length_penalty)

    def best(hypotheses: list[Hypothesis]) -> list[Hypothesis]:
        return sorted(hypotheses, key=lambda h: h.score, reverse=True)[:n_beams]

    # 3. One live beam, the prompt, with a sum of 0, and nothing finished: beams seq, and beams
    beams, sums, finished = prompt.unsqueeze(0), torch.zeros(1), []
    for n_new in range(1, max_new_tokens + 1):
        # 4. In each step, the log-probability of every token after each live beam: beams d_vocab
        with torch.no_grad():
            logits = model(beams[:, -model.cfg.n_ctx :])[:, -1]
        check_logits(logits)
        log_probs = logits.log_softmax(dim=-1)
        # 5. No way on for a token that would repeat one of its own beam's n-grams
        for beam, row in zip(beams.tolist(), log_probs, strict=True):
            row[list(banned_tokens(beam, no_repeat_ngram_size))] = float("-inf")
        # 6. The best extensions; each live beam can end in one way only, so twice as many leave enough to live on
        sums, parents, tokens = extend_beams(sums, log_probs, 2 * n_beams)
        beams = torch.cat([beams[parents], tokens.unsqueeze(1)], dim=1)
        # 7. Those that end, if they are good enough, are finished; the best of the others live on: their places
        live = []
        for place, (total, token) in enumerate(zip(sums.tolist(), tokens.tolist(), strict=True)):
            if total == float("-inf"):
                break
            if token != eos_id:
                live.append(place)
            elif place < n_beams:
                finished.append(hypothesis(beams[place].tolist(), total))
        beams, sums, finished = beams[live[:n_beams]], sums[live[:n_beams]], best(finished)
        # 8. Stop when nothing lives, or the best sum cannot win even at the length at which it is worth most
        longest = max_new_tokens if length_penalty > 0 else n_new
        if not live:
            break
        if len(finished) == n_beams and sums[0] / longest**length_penalty <= finished[-1].score:
            break
    # 9. What is alive now counts as it is; if it could not win, it does not
    return best(finished + [hypothesis(*pair) for pair in zip(beams.tolist(), sums.tolist(), strict=True)])
