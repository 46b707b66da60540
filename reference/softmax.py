"""Softmax: from any numbers to a probability for each, smoothly, and without ever overflowing.

A maximum picks one number and forgets how close the others were; it has no slope to learn from. Softmax lets each
number have the share that its exponential has of the whole: the largest gets most, all get some, and every share moves
a little when any number does. Only differences count, so the largest may be subtracted from all of them first. That
changes nothing on paper and everything in a computer: exp(1000) is infinite, exp(0) is 1.

Sources: Bridle, "Training Stochastic Model Recognition Algorithms as Networks can Lead to Maximum Mutual Information
Estimation of Parameters", 1990, section 2, for softmax; Blanchard, Higham and Higham, "Accurately computing the
log-sum-exp and softmax functions", 2021, section 2, for the shift.
"""

from jaxtyping import Float, Int
from torch import Tensor


def check_logits(x: Float[Tensor, "..."], dim: int) -> None:
    """Raise `ValueError` when all numbers along `dim` are -inf somewhere: they have no shares."""
    if x.isneginf().all(dim=dim).any():
        raise ValueError(f"along axis {dim} all numbers of a row are -inf; expected at least one that is not")


def softmax(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """exp(x) over its sum along the axis `dim`, counted from either end: shares that add up to 1 along it.

    Right and finite for numbers as large as +-1e4; where x is -inf the share is exactly 0. Gradients flow through it,
    and are finite too. `x` is not changed. Raises `ValueError` when all numbers along `dim` are -inf somewhere: then
    there is no share to give. Source: Bridle 1990, section 2.
    """
    # 1. Refuse a row without shares
    check_logits(x, dim)
    # 2. Subtract the largest, which no share depends on: same shape as x
    shifted = x - x.amax(dim=dim, keepdim=True)
    # 3. Powers of e, none larger than 1: same shape as x
    powers = shifted.exp()
    # 4. The share of each: same shape as x
    return powers / powers.sum(dim=dim, keepdim=True)


def log_softmax(x: Float[Tensor, "..."], dim: int) -> Float[Tensor, "..."]:
    """The natural logarithm of `softmax`, right even where the share is too small for a number to hold.

    10,000 below the largest it is about -10,000, where the logarithm of the share itself would be -inf. Where x is
    -inf it is -inf. Gradients flow through it, and are finite too. `x` is not changed.
    Raises `ValueError` when all numbers along `dim` are -inf somewhere.
    Source: Blanchard, Higham and Higham 2021, section 2.
    """
    # 1. Refuse a row without shares
    check_logits(x, dim)
    # 2. Subtract the largest: same shape as x
    shifted = x - x.amax(dim=dim, keepdim=True)
    # 3. The logarithm of a quotient is a difference, and that of exp is gone: same shape as x
    return shifted - shifted.exp().sum(dim=dim, keepdim=True).log()


def cross_entropy(logits: Float[Tensor, "*axes n"], targets: Int[Tensor, "*axes"]) -> Float[Tensor, ""]:
    """The mean, over all targets, of minus the log-probability of each target, in nats.

    Right and finite for logits as large as +-1e4, and where other logits than the target's are -inf; a target whose
    own logit is -inf has the share 0, and makes the mean inf. Gradients flow through it. Nothing is changed in place.

    Raises `ValueError` when there are no targets, shapes do not fit, a target is not from 0 to n - 1, or all logits
    of a row are -inf. Source: Shannon 1948, section 6.
    """
    # 1. Refuse what cannot be scored
    check_targets(logits, targets)
    # 2. The logarithm of each share: *axes n
    log_shares = log_softmax(logits, dim=-1)
    # 3. That of each target: *axes 1
    of_target = log_shares.gather(-1, targets.unsqueeze(-1))
    # 4. The mean surprise: a single number
    return -of_target.mean()


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
