"""The specification of backpropagation, as laws that hold for every input. Read it beside `exercises/backprop.py`."""

import math

import torch
from torch.nn import functional as F

from graders.cases.backprop_slopes import (
    activations,
    autograd,
    expect_gradients,
    few_rows_far_apart,
    layers,
    many,
    moved,
    probabilities,
    rows_far_apart,
    slopes,
    streams,
    streams_that_end_in_a_constant,
    worked_by_hand,
)
from graders.cases.softmax_logits import predictions
from graders.engine.from_scratch import from_scratch
from graders.engine.law import expect_equal, law

# The first law of each task asks once: asked again, and then without gradients, autograd would stop with an error of
# its own before the law that it has no part in this could say so.


# linear_backward


@law("linear_backward", layers)
def test_gradients_of_a_linear_layer_are_autograds(subject, reference, case):
    """The gradients of x, W and b are those that autograd finds for y = x W + b, with any number of axes before."""
    subject.repeats = False
    b = torch.zeros_like(case.W[0])
    expected = autograd(lambda x, W, b: ((x @ W + b) * case.grad).sum(), x=case.x, W=case.W, b=b)
    expect_gradients(subject.linear_backward(case.x, case.W, case.grad), expected, "found by autograd")


test_linear_backward_is_from_scratch = from_scratch("backprop", "linear_backward")


@law("linear_backward", worked_by_hand("linear_backward"))
def test_linear_layer_worked_by_hand(subject, reference, case):
    """On the page, x gets 0, 6 and 7, -3, W 10, -1 and 2, 4, and b 4, 1; of position 0 alone W gets 1, 2 and 2, 4."""
    expect_gradients(subject.linear_backward(*case.inputs), case.expected, "worked by hand")


@law("linear_backward", layers)
def test_a_small_step_moves_the_loss_by_a_linear_layers_gradient(subject, reference, case):
    """A small step of any number of x, W or b changes the loss by the step times that number's gradient."""
    x, W, grad = case.x, case.W, case.grad
    rows, of_rows = x.reshape(-1, len(W)), grad.reshape(-1, W.shape[1])
    expected = {
        "x": slopes(lambda x: x @ W.to(x) * grad, x),
        "W": slopes(lambda W: rows.to(W) @ W * of_rows, W),
        "b": slopes(lambda b: b.unsqueeze(1) * of_rows, torch.zeros_like(W[0])),
    }
    expect_gradients(subject.linear_backward(x, W, grad), expected, "measured with a small step")


@law("linear_backward", many("linear_backward"))
def test_linear_layer_at_many_positions_in_float32(subject, reference, case):
    """Nine rows of 14 positions, 30 numbers in and 20 out, give the right gradients in float32."""
    expected = reference.linear_backward(case.x, case.W, case.grad)
    expect_gradients(subject.linear_backward(case.x, case.W, case.grad), dict(zip("xWb", expected, strict=True)))


# relu_backward


@law("relu_backward", activations)
def test_gradient_of_relu_is_autograds(subject, reference, case):
    """The gradient of x is the one that autograd finds for y = max(x, 0)."""
    subject.repeats = False
    expected = autograd(lambda x: (x.relu() * case.grad).sum(), x=case.x)
    expect_equal(subject.relu_backward(case.x, case.grad), expected["x"], note="found by autograd")


test_relu_backward_is_from_scratch = from_scratch("backprop", "relu_backward")


@law("relu_backward", worked_by_hand("relu_backward"))
def test_nothing_passes_at_zero(subject, reference, case):
    """What arrives passes where x is above 0, however little; at 0, at -0.0 and below nothing passes."""
    expect_equal(subject.relu_backward(*case.inputs), case.expected, note="worked by hand")


@law("relu_backward", activations)
def test_relu_passes_all_or_nothing(subject, reference, case):
    """What comes back is in proportion to what arrives, and stretching x changes nothing."""
    yours = subject.relu_backward(case.x, case.grad)
    expect_equal(subject.relu_backward(3 * case.x, -2 * case.grad), -2 * yours, what="of 3 x and -2 grad")


@law("relu_backward", many("relu_backward"))
def test_relu_at_many_positions_in_float32(subject, reference, case):
    """Nine rows of 14 positions with 30 numbers give the right gradient in float32."""
    expect_equal(subject.relu_backward(case.x, case.grad), reference.relu_backward(case.x, case.grad))


# softmax_backward


@law("softmax_backward", probabilities)
def test_gradient_of_softmax_is_autograds(subject, reference, case):
    """The gradient of x is the one that autograd finds for y = softmax(x) over the last axis; 0 where y is 0."""
    subject.repeats = False
    expected = autograd(lambda x: (x.softmax(dim=-1) * case.grad).sum(), x=case.x)
    expect_equal(subject.softmax_backward(case.y, case.grad), expected["x"], note="found by autograd")


test_softmax_backward_is_from_scratch = from_scratch("backprop", "softmax_backward")


@law("softmax_backward", worked_by_hand("softmax_backward"))
def test_softmax_worked_by_hand(subject, reference, case):
    """On the page, probabilities 0.5, 0.3, 0.2 and arriving 1, 2, 6 give x the gradients -0.65, -0.09 and 0.74."""
    expect_equal(subject.softmax_backward(*case.inputs), case.expected, note="worked by hand")


@law("softmax_backward", probabilities)
def test_a_small_step_moves_the_loss_by_softmaxs_gradient(subject, reference, case):
    """A small step of any number of x changes the loss by the step times that number's gradient."""
    x = case.x - case.x.amax(dim=-1, keepdim=True)
    expected = slopes(lambda x: x.exp() / x.exp().sum(dim=-1, keepdim=True) * case.grad, x)
    expect_equal(subject.softmax_backward(case.y, case.grad), expected, note="measured with a small step")


@law("softmax_backward", probabilities)
def test_softmax_is_blind_to_a_shift(subject, reference, case):
    """Gradients add up to 0 in each row, and the same number added to all that arrives in a row changes none."""
    yours = subject.softmax_backward(case.y, case.grad)
    expect_equal(yours.sum(dim=-1), torch.zeros_like(yours[..., 0]), what="sum over each row")
    raised = subject.softmax_backward(case.y, case.grad + moved(case.grad))
    expect_equal(raised, yours, note="before something was added to grad")


@law("softmax_backward", many("softmax_backward"))
def test_softmax_at_many_positions_in_float32(subject, reference, case):
    """Nine rows of 14 positions with 30 probabilities give the right gradient in float32."""
    expect_equal(subject.softmax_backward(case.y, case.grad), reference.softmax_backward(case.y, case.grad))


# cross_entropy_backward


@law("cross_entropy_backward", predictions)
def test_gradient_of_cross_entropy_is_autograds(subject, reference, case):
    """The gradient of the logits is the one that autograd finds for PyTorch's mean cross-entropy."""
    subject.repeats = False
    yours = subject.cross_entropy_backward(case.logits, case.targets)
    expect_equal(yours, of_cross_entropy(case), note="found by autograd")


test_cross_entropy_backward_is_from_scratch = from_scratch("backprop", "cross_entropy_backward")


@law("cross_entropy_backward", worked_by_hand("cross_entropy_backward"))
def test_cross_entropy_worked_by_hand(subject, reference, case):
    """The page's two rows, with target 2, give 1/8, 1/8, -1/4 and 0, 1/3, -1/3; the first alone 1/4, 1/4, -1/2."""
    expect_equal(subject.cross_entropy_backward(*case.inputs), case.expected, note="worked by hand")


@law("cross_entropy_backward", predictions)
def test_a_small_step_moves_the_cross_entropy_by_its_gradient(subject, reference, case):
    """A small step of any logit changes the mean cross-entropy by the step times that logit's gradient."""
    largest = case.logits.amax(dim=-1, keepdim=True)
    weights = case.is_target.double() / case.targets.numel()
    expected = slopes(
        lambda z: (((z - largest).exp().sum(dim=-1, keepdim=True).log() + largest) - z) * weights, case.logits
    )
    yours = subject.cross_entropy_backward(case.logits, case.targets)
    expect_equal(yours, expected, note="measured with a small step")


@law("cross_entropy_backward", rows_far_apart)
def test_gradient_of_huge_logits_is_right(subject, reference, case):
    """Logits of ten thousand and -inf give gradients that add up to 0 in each row, 0 at -inf, and autograd's."""
    yours = subject.cross_entropy_backward(case.logits, case.targets)
    expect_equal(yours.sum(dim=-1), torch.zeros_like(yours[..., 0]), what="sum over each row")
    expect_equal(yours, of_cross_entropy(case), note="found by autograd")
    at_gaps = yours[case.logits == -math.inf]
    expect_equal(at_gaps == 0, torch.ones_like(at_gaps, dtype=torch.bool), what="whether it is 0 where a logit is -inf")


@law("cross_entropy_backward", few_rows_far_apart)
def test_gradient_of_huge_logits_is_right_in_float32(subject, reference, case):
    """In float32 too, logits of ten thousand and -inf give autograd's gradients, in float32."""
    yours = subject.cross_entropy_backward(case.logits, case.targets)
    expect_equal(yours, of_cross_entropy(case), note="found by autograd")


@law("cross_entropy_backward", many("cross_entropy_backward"))
def test_cross_entropy_of_many_targets_in_float32(subject, reference, case):
    """Nine rows of 14 targets with 30 logits each give the right gradient in float32."""
    yours = 100 * subject.cross_entropy_backward(case.logits, case.targets)
    expect_equal(yours, 100 * of_cross_entropy(case), what="100 times the gradient", note="found by autograd")


def of_cross_entropy(case) -> torch.Tensor:
    """The gradient that autograd finds."""
    n, targets = case.logits.shape[-1], case.targets.reshape(-1)
    return autograd(lambda logits: F.cross_entropy(logits.reshape(-1, n), targets), logits=case.logits)["logits"]


# layer_norm_backward


def normalised(x, eps):
    """Each vector centred, and divided by the root of its variance plus eps."""
    centred = x - x.mean(dim=-1, keepdim=True)
    return centred / (centred.square().mean(dim=-1, keepdim=True) + eps).sqrt()


@law("layer_norm_backward", streams)
def test_gradients_of_layer_norm_are_autograds(subject, reference, case):
    """The gradients of x, w and b are those that autograd finds for y = (x - mean) / sqrt(variance + eps) * w + b."""
    subject.repeats = False
    b = torch.zeros_like(case.w)
    expected = autograd(lambda x, w, b: ((normalised(x, case.eps) * w + b) * case.grad).sum(), x=case.x, w=case.w, b=b)
    expect_gradients(subject.layer_norm_backward(case.x, case.w, case.eps, case.grad), expected, "found by autograd")


test_layer_norm_backward_is_from_scratch = from_scratch("backprop", "layer_norm_backward")


@law("layer_norm_backward", worked_by_hand("layer_norm_backward"))
def test_layer_norm_worked_by_hand(subject, reference, case):
    """On the page, 0, 3, 6 with an eps of 3 give x the gradients -2/3, 1, -1/3, w -2, 0, -1 and b 2, 2, -1."""
    expect_gradients(subject.layer_norm_backward(*case.inputs), case.expected, "worked by hand")


@law("layer_norm_backward", streams)
def test_a_small_step_moves_the_loss_by_layer_norms_gradient(subject, reference, case):
    """A small step of any number of x changes the loss by the step times that number's gradient."""
    expected = slopes(lambda x: normalised(x, case.eps) * case.w * case.grad, case.x)
    yours = subject.layer_norm_backward(case.x, case.w, case.eps, case.grad)
    expect_equal(yours[0], expected, what="gradient of x", note="measured with a small step")


@law("layer_norm_backward", streams)
def test_layer_norm_is_blind_to_a_shift(subject, reference, case):
    """Gradients of x add up to 0 in each vector, and moving a vector as a whole changes no gradient."""
    yours = subject.layer_norm_backward(case.x, case.w, case.eps, case.grad)
    total = yours[0].sum(dim=-1) / yours[0].abs().max().clamp(min=1)
    expect_equal(total, torch.zeros_like(total), what="sum over each vector, beside the largest gradient")
    shifted = subject.layer_norm_backward(case.x + moved(case.x), case.w, case.eps, case.grad)
    expect_gradients(shifted, dict(zip("xwb", yours, strict=True)), "before x was moved")


@law("layer_norm_backward", streams_that_end_in_a_constant)
def test_gradient_of_a_constant_vector(subject, reference, case):
    """Of a vector whose numbers are all equal, the gradient is what arrives less its mean, over the root of eps."""
    yours = subject.layer_norm_backward(case.x, case.w, case.eps, case.grad)[0].reshape(-1, len(case.w))[-1]
    arrives = (case.grad * case.w).reshape(-1, len(case.w))[-1]
    expect_equal(yours, (arrives - arrives.mean()) / math.sqrt(case.eps), what="gradient of the last vector")


@law("layer_norm_backward", many("layer_norm_backward"))
def test_layer_norm_at_many_positions_in_float32(subject, reference, case):
    """Nine rows of 14 positions with 30 numbers give the right gradients in float32, those of PyTorch's layer norm."""
    b = torch.zeros_like(case.w)
    expected = autograd(
        lambda x, w, b: (F.layer_norm(x, w.shape, w, b, case.eps) * case.grad).sum(), x=case.x, w=case.w, b=b
    )
    expect_gradients(subject.layer_norm_backward(case.x, case.w, case.eps, case.grad), expected, "found by autograd")
