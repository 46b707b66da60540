"""Backpropagation by hand: how much does the loss change when one number far back in the model does?

Every operation is asked one question. Given how much the loss changes with each number of your *output* (the
gradient `grad` that arrives), how much does it change with each number of your *inputs*? The answer goes to whoever
made those inputs, and so on, back to the weights. No operation knows more than its own derivative; the chain rule
does the rest. Two rules cover most of it: a number that was used in several places gets the sum of what comes back
from all of them, and so what was broadcast on the way forward is summed over on the way back.

PyTorch's autograd does all of this by itself, and so has no part in this file. Nothing is changed in place.

Sources: Rumelhart, Hinton and Williams, "Learning representations by back-propagating errors", 1986, equations 4 to 7;
Ba, Kiros and Hinton, "Layer Normalization", 2016, section 3.

Yours to write: everything below that raises `NotImplementedError`.
`pytest graders/test_backprop.py` checks it; docs/exercises/backprop.md explains it.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def linear_backward(
    x: Float[Tensor, "*axes d_in"], W: Float[Tensor, "d_in d_out"], grad: Float[Tensor, "*axes d_out"]
) -> tuple[Float[Tensor, "*axes d_in"], Float[Tensor, "d_in d_out"], Float[Tensor, "d_out"]]:
    """The gradients of x, W and b, for y = x W + b, given that of y."""
    # 1. Each input reached every output, through its row of W: *axes d_in

    # 2. W and b were used at every position, so make of those one long list: positions d_in, and positions d_out

    # 3. A weight multiplied one input into one output, at every position: d_in d_out

    # 4. The bias was added at every position: d_out

    raise NotImplementedError


def relu_backward(x: Float[Tensor, "*axes"], grad: Float[Tensor, "*axes"]) -> Float[Tensor, "*axes"]:
    """The gradient of x, for y = max(x, 0), given that of y. At exactly 0 it is 0, as PyTorch has it."""
    # 1. What was positive passed as it was; the rest was cut off: same shape as x

    raise NotImplementedError


def softmax_backward(y: Float[Tensor, "*axes n"], grad: Float[Tensor, "*axes n"]) -> Float[Tensor, "*axes n"]:
    """The gradient of x, for y = softmax(x) over the last axis, given that of y. It needs no x.

    Only what a gradient says beyond its mean under y counts: moving all of x up together changes nothing.
    """
    # 1. The mean of what arrives, weighted by the probabilities: *axes 1

    # 2. Each probability times what its own gradient is above that: *axes n

    raise NotImplementedError


def cross_entropy_backward(logits: Float[Tensor, "*axes n"], targets: Int[Tensor, "*axes"]) -> Float[Tensor, "*axes n"]:
    """The gradient of the logits, for their mean cross-entropy over all targets.

    Predicted minus true, over the number of targets: the simplest gradient there is. Finite for logits of +-1e4, and
    0 where a logit is -inf that is not a target's. Every target has a logit, and no row is all -inf.
    """
    # 1. The probabilities, by a softmax that does not overflow: *axes n

    # 2. One less at the target, in every row: *axes n

    # 3. The loss was a mean over all targets: *axes n

    raise NotImplementedError


def layer_norm_backward(
    x: Float[Tensor, "*axes d"], w: Float[Tensor, "d"], eps: float, grad: Float[Tensor, "*axes d"]
) -> tuple[Float[Tensor, "*axes d"], Float[Tensor, "d"], Float[Tensor, "d"]]:
    """The gradients of x, w and b, for y = (x - mean) / sqrt(variance + eps) * w + b, given that of y.

    The variance is the mean of the squared deviations. Mean and variance depend on x too: two more paths for the
    gradient, without which it would claim that a shift of x or, but for eps, a stretch changes y.
    """
    # 1. The forward pass again: the deviations, their size, and what was normalised: *axes d, *axes 1, *axes d

    # 2. w and b were used at every position, so add up over all of these: d, and d

    # 3. What arrives at the normalised vector: *axes d

    # 4. Take away what a shift of x would do, then what a stretch would do: *axes d

    raise NotImplementedError
