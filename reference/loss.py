"""The loss: how surprised the model is, on average, by each next token.

A language model hands out probability over the vocabulary. The surprise at the token that then comes is
minus the natural logarithm of its share: 0 for a certainty, and larger the less likely the token was held.
The unit is the nat. Training makes the average surprise smaller; e to that power, the perplexity, says
between how many equally likely tokens the model seems to be choosing.

Sources: Shannon, "A Mathematical Theory of Communication", 1948, section 6, for surprise and entropy;
Radford et al., "Improving Language Understanding by Generative Pre-Training", 2018, section 3.1, for the objective.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


def check_vocabulary(d_vocab: int) -> None:
    """Refuse, with a `ValueError`, a vocabulary without a single token."""
    if d_vocab < 1:
        raise ValueError(f"d_vocab is {d_vocab}; expected at least 1")


def check_tokens(tokens: Int[Tensor, "..."], d_vocab: int) -> None:
    """Refuse, with a `ValueError`, no tokens at all, and ids that are not in a vocabulary of this size."""
    check_vocabulary(d_vocab)
    if tokens.numel() == 0:
        raise ValueError("there are no tokens; expected at least one")
    lowest, highest = tokens.min().item(), tokens.max().item()
    if lowest < 0 or highest >= d_vocab:
        raise ValueError(f"token ids run from {lowest} to {highest}; with d_vocab {d_vocab}, 0 to {d_vocab - 1} exist")


def check_predictions(logits: Float[Tensor, "batch seq d_vocab"], tokens: Int[Tensor, "batch seq"]) -> None:
    """Refuse, with a `ValueError`, what cannot be scored: shapes that do not fit, no next token, unknown ids."""
    if logits.ndim != 3 or tokens.shape != logits.shape[:2]:
        shapes = f"logits have shape {tuple(logits.shape)}, tokens {tuple(tokens.shape)}"
        raise ValueError(f"{shapes}; expected (batch, seq, d_vocab) and (batch, seq)")
    if tokens.shape[1] < 2:
        raise ValueError(f"nothing to predict: rows have length {tokens.shape[1]}; expected at least 2")
    check_tokens(tokens, logits.shape[2])


def next_token_loss(logits: Float[Tensor, "batch seq d_vocab"], tokens: Int[Tensor, "batch seq"]) -> Float[Tensor, ""]:
    """The mean surprise, in nats, at every token that has one before it.

    The logits at position i are about the token at position i + 1. So positions 0 to seq - 2 predict
    tokens 1 to seq - 1; what the last position says is not scored, and the first token is not predicted.
    The mean runs over the positions of all rows. Gradients flow through it. Both stay finite and right for
    logits of +-1e4, and where a token that does not come has a logit of -inf; where a token comes that has
    one, the loss is infinite. `logits` and `tokens` are not changed.

    Raises `ValueError`, as `check_predictions` does, when shapes do not fit, when a row has fewer than two
    tokens, when there are no rows, and when any id, the first of a row too, is not in the vocabulary.
    Source: Radford et al. 2018, section 3.1, equation 1.
    """
    # 1. Refuse what cannot be scored
    check_predictions(logits, tokens)
    # 2. The positions that predict, and the tokens they should have predicted: batch seq-1 d_vocab, batch seq-1
    predictions, targets = logits[:, :-1], tokens[:, 1:]
    # 3. The log-probability of every token of the vocabulary: batch seq-1 d_vocab
    log_probs = predictions.log_softmax(dim=-1)
    # 4. From each of these rows, the one entry of the token that came: batch seq-1 1
    of_targets = log_probs.gather(-1, targets.unsqueeze(-1))
    # 5. The mean surprise: a single number
    return -of_targets.mean()


def next_token_accuracy(logits: Float[Tensor, "batch seq d_vocab"], tokens: Int[Tensor, "batch seq"]) -> float:
    """The share of next tokens that the largest logit names: a plain float from 0 to 1.

    Positions are paired with tokens as in `next_token_loss`. Of equally large logits the lowest id is the
    guess. `logits` and `tokens` are not changed.

    Raises `ValueError`, as `check_predictions` does, when shapes do not fit, when a row has fewer than two
    tokens, when there are no rows, and when any id, the first of a row too, is not in the vocabulary.
    """
    # 1. Refuse what cannot be scored
    check_predictions(logits, tokens)
    # 2. The best guess at each position that predicts: batch seq-1
    guesses = logits[:, :-1].argmax(dim=-1)
    # 3. True where the token that came is the one guessed: batch seq-1
    is_right = guesses == tokens[:, 1:]
    # 4. Their share
    return is_right.double().mean().item()


def uniform_loss(d_vocab: int) -> float:
    """The loss, in nats, of a model that knows nothing and gives every token of the vocabulary the same share.

    An untrained model should start near it. Raises `ValueError` when `d_vocab` is less than 1.
    Source: Shannon 1948, section 6, property 2 of the entropy.
    """
    # 1. Refuse an empty vocabulary
    check_vocabulary(d_vocab)
    # 2. The surprise at any token
    return math.log(d_vocab)


def unigram_loss(tokens: Int[Tensor, "..."], d_vocab: int) -> float:
    """The loss, in nats, of a model that knows only how often each token occurs: the entropy of the frequencies.

    `tokens` has any shape, also that of a single number, and all of them are counted together. A model that
    does better has learnt something from context. Tokens that never occur add nothing. `tokens` is not changed.

    Raises `ValueError` when there are no tokens, when any id is not in the vocabulary, and when `d_vocab` is
    less than 1. Source: Shannon 1948, section 6.
    """
    # 1. Refuse what cannot be counted
    check_tokens(tokens, d_vocab)
    # 2. How often each token of the vocabulary occurs, and its share of all: d_vocab
    counts = torch.bincount(tokens.flatten(), minlength=d_vocab)
    shares = counts.double() / tokens.numel()
    # 3. Only tokens that occur, and the surprise at each of them: seen
    shares = shares[counts > 0]
    surprise = (1 / shares).log()
    # 4. The mean surprise, each token as often as it comes
    return (shares * surprise).sum().item()
