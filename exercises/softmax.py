"""Softmax: from any numbers to a probability for each, smoothly, and without ever overflowing.

A maximum picks one number and forgets how close the others were; it has no slope to learn from. Softmax gives each
number the share that its exponential has of the sum of them all, as its probability: the largest gets most, all get
some, and every probability moves a little when any number does. Only differences count, so the largest may be
subtracted from all of them first. That changes nothing on paper and everything in a computer: exp(1000) is infinite,
exp(0) is 1.

Sources: Bridle, "Training Stochastic Model Recognition Algorithms as Networks can Lead to Maximum Mutual Information
Estimation of Parameters", 1990, for softmax; Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and
softmax functions", 2021, for the shift; Shannon, "A Mathematical Theory of Communication", 1948, for surprise and its
mean, entropy.

Yours to write: everything below that raises `NotImplementedError`.
`pytest graders/test_softmax.py` checks it; docs/exercises/softmax.md explains it.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def check_logits(x: Float[Tensor, "..."], dim: int) -> None:
    """Raise `ValueError` when all numbers along `dim` are -inf somewhere: they have no probabilities."""
    if torch.isneginf(x).all(dim=dim).any():
        raise ValueError(f"along axis {dim} all numbers of a row are -inf; expected at least one that is not")


def softmax(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """exp(x) over its sum along the axis `dim`, counted from either end: probabilities that add up to 1 along it.

    Right and finite for numbers as large as +-1e4; where x is -inf the probability is exactly 0. Gradients flow through
    it, and are finite too. `x` is not changed. Raises `ValueError` when all numbers along `dim` are -inf somewhere:
    then nothing can have a probability. Source: Bridle 1990.
    """
    # 1. Refuse a row without probabilities

    # 2. Subtract the largest, which changes no probability: same shape as x

    # 3. Exponentials, none larger than 1: same shape as x

    # 4. The probability of each: same shape as x

    raise NotImplementedError


def log_softmax(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """The natural logarithm of `softmax`, right even where the probability is too small for a number to hold.

    10,000 below the largest it is about -10,000, where the logarithm of the probability itself would be -inf. Where x
    is -inf it is -inf. Gradients flow through it, and are finite too. `x` is not changed.
    Raises `ValueError` when all numbers along `dim` are -inf somewhere.
    Source: Blanchard, Higham and Higham 2021.
    """
    # 1. Refuse a row without probabilities

    # 2. Subtract the largest: same shape as x

    # 3. The logarithm of a quotient is a difference, and that of exp is gone: same shape as x

    raise NotImplementedError


def check_targets(logits: Float[Tensor, "*axes n"], targets: Int[Tensor, "*axes"]) -> None:
    """Raise `ValueError` unless there is a row of logits for each target, and each target has a logit in it."""
    if targets.shape != logits.shape[:-1]:
        raise ValueError(
            f"logits have shape {tuple(logits.shape)}, targets {tuple(targets.shape)}; expected one more axis"
        )
    if targets.numel() == 0:
        raise ValueError("there are no targets; expected at least one")
    n = logits.shape[-1]
    if not 0 <= targets.min() <= targets.max() < n:
        raise ValueError(f"targets run from {targets.min()} to {targets.max()}; with {n} logits, 0 to {n - 1} exist")


def cross_entropy(logits: Float[Tensor, "*axes n"], targets: Int[Tensor, "*axes"]) -> Float[Tensor, ""]:
    """The mean, over all targets, of minus the log-probability of each target, in nats.

    Right and finite for logits as large as +-1e4, and where other logits than the target's are -inf; a target whose
    own logit is -inf has the probability 0, and makes the mean inf. Gradients flow through it. Nothing is changed in
    place.

    Raises `ValueError` when there are no targets, shapes do not fit, a target is not from 0 to n - 1, or all logits
    of a row are -inf. Source: Shannon 1948, for surprise and its mean (entropy).
    """
    # 1. Refuse what cannot be scored

    # 2. The log-probability of each: *axes n

    # 3. That of each target: *axes 1

    # 4. The mean surprise: a single number

    raise NotImplementedError
