"""The specification of softmax, as laws that hold for every input. Read it beside `exercises/softmax.py`."""

import math

import torch
from torch.nn import functional as F

from graders.cases.softmax_logits import (
    HUGE,
    arrays,
    arrays_with_gaps,
    every_axis,
    few_huge_arrays,
    few_huge_predictions,
    huge_arrays,
    huge_predictions,
    many_predictions,
    on_the_page,
    predictions,
    predictions_with_gaps,
    rows_without_probabilities,
    targets_on_the_page,
    what_cannot_be_scored,
)
from graders.engine.from_scratch import from_scratch
from graders.engine.law import expect_equal, expect_refusals, law
from graders.engine.worker.perform import cotangent

COLD, HOT = 1e-4, 1e13
ROUNDED = 2e-3  # what a number of ten thousand is rounded by in float32


def expect_near(yours, expected) -> None:
    """Hold that two tensors of one shape agree as far as numbers of ten thousand can in float32."""
    expect_equal(yours, torch.where(torch.isclose(yours, expected, rtol=1e-4, atol=ROUNDED), yours, expected))


def expect_cross_entropy(loss, logits, targets) -> None:
    """Hold that a loss is PyTorch's."""
    expected = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))
    expect_equal(loss, expected, note="computed by PyTorch")


# softmax


@law("softmax", arrays)
def test_probabilities_agree_with_the_definition(subject, reference, case):
    """Each probability is the exponential of its number over the sum of the exponentials along the axis."""
    exps = case.x.exp()
    expect_equal(subject.softmax(case.x, case.dim), exps / exps.sum(dim=case.dim, keepdim=True))


@law("softmax", on_the_page)
def test_probabilities_agree_with_the_example_on_the_page(subject, reference, case):
    """The page's 1002, 1000, 1001 become 0.665241, 0.090031, 0.244728, and its 995, 995, -inf become 0.5, 0.5, 0."""
    expect_equal(subject.softmax(case.x, case.dim), case.expected, note="worked by hand on the page")


@law("softmax", huge_arrays)
def test_probabilities_add_up_to_one(subject, reference, case):
    """However large the numbers are, probabilities add up to 1 along the axis, and are those that PyTorch computes."""
    yours = subject.softmax(case.x, case.dim)
    total = yours.sum(dim=case.dim)
    expect_equal(total, torch.ones_like(total), what="sum of the probabilities")
    expect_equal(yours, case.x.softmax(dim=case.dim), note="computed by PyTorch")


@law("softmax", arrays)
def test_only_differences_count(subject, reference, case):
    """Moving all numbers of a row by the same amount, by another in each row, changes no probability."""
    moved = case.x + (1000 * case.draw(*case.one_a_row)).round()
    expect_equal(subject.softmax(moved, case.dim), subject.softmax(case.x, case.dim), note="before they were moved")


@law("softmax", arrays)
def test_temperature_sharpens_and_levels(subject, reference, case):
    """Of x / T, for a tiny T the largest get all, alone or in equal parts; for a huge T all probabilities are equal."""
    is_largest = (case.x == case.x.amax(dim=case.dim, keepdim=True)).double()
    cold, hot = subject.softmax(case.x / COLD, case.dim), subject.softmax(case.x / HOT, case.dim)
    expect_equal(cold, is_largest / is_largest.sum(dim=case.dim, keepdim=True), what=f"for T = {COLD}:")
    expect_equal(hot, torch.full_like(hot, 1 / case.x.shape[case.dim]), what=f"for T = {HOT}:")


@law("softmax", arrays_with_gaps)
def test_minus_infinity_has_no_probability(subject, reference, case):
    """Where a number is -inf the probability is exactly 0, and the others are as if it were not there."""
    yours = subject.softmax(case.x, case.dim)
    expect_equal(yours, case.x.softmax(dim=case.dim), note="computed by PyTorch")
    expect_equal((yours != 0) & case.is_gap, torch.zeros_like(case.is_gap), what="a probability that is not exactly 0:")


@law("softmax", arrays_with_gaps)
def test_gradients_of_probabilities_are_right(subject, reference, case):
    """A gradient is a probability times what comes back to it beyond the mean, weighted by all of them; 0 at -inf."""
    probs = case.x.softmax(dim=case.dim)
    came_back = cotangent(probs)
    mean = (probs * came_back).sum(dim=case.dim, keepdim=True)
    yours = subject.gradients("softmax", case.x, case.dim)["x"]
    expect_equal(yours, probs * (came_back - mean), what="gradient of x")


@law("softmax", few_huge_arrays)
def test_probabilities_are_right_in_float32(subject, reference, case):
    """In float32 too, numbers of ten thousand and minus ten thousand have the right probabilities, in float32."""
    expect_near(subject.softmax(case.x, case.dim), case.x.softmax(dim=case.dim))


@law("softmax", every_axis)
def test_probabilities_are_right_along_every_axis(subject, reference, case):
    """Along each axis of one to four, counted from either end, and in an array of 9 x 40 x 300, they are right."""
    expect_equal(subject.softmax(case.x, case.dim), case.x.softmax(dim=case.dim), note="computed by PyTorch")


@law("softmax", rows_without_probabilities)
def test_a_row_of_minus_infinity_has_no_probabilities(subject, reference, case):
    """A row of nothing but -inf raises ValueError, wherever it stands and along whichever axis."""
    expect_refusals(subject, "softmax", case.calls)


test_softmax_is_from_scratch = from_scratch("softmax", "softmax")


# log_softmax


@law("log_softmax", arrays)
def test_logarithms_agree_with_the_definition(subject, reference, case):
    """Each number's result is the logarithm of its exponential over the sum of the exponentials along the axis."""
    exps = case.x.exp()
    expected = (exps / exps.sum(dim=case.dim, keepdim=True)).log()
    expect_equal(subject.log_softmax(case.x, case.dim), expected)


@law("log_softmax", on_the_page)
def test_logarithms_agree_with_the_example_on_the_page(subject, reference, case):
    """In the page's example the logarithms are -0.407606, -2.407606, -1.407606, and -0.693147, twice, beside -inf."""
    expect_equal(subject.log_softmax(case.x, case.dim), case.expected.log(), note="worked by hand on the page")


@law("log_softmax", huge_arrays)
def test_logarithms_of_the_tiniest_probabilities_are_finite(subject, reference, case):
    """Of probabilities too small for any number the logarithms are still PyTorch's, down to minus twenty thousand."""
    expected = F.log_softmax(case.x, dim=case.dim)
    expect_equal(subject.log_softmax(case.x, case.dim), expected, note="computed by PyTorch")


@law("log_softmax", arrays_with_gaps)
def test_minus_infinity_stays(subject, reference, case):
    """Where a number is -inf so is the result, and the others are as if it were not there."""
    expected = F.log_softmax(case.x, dim=case.dim)
    expect_equal(subject.log_softmax(case.x, case.dim), expected, note="computed by PyTorch")


@law("log_softmax", arrays_with_gaps)
def test_gradients_of_logarithms_are_right(subject, reference, case):
    """A gradient is what comes back, less the probability times all that comes back along the axis; 0 at -inf."""
    came_back = cotangent(case.x).masked_fill(case.is_gap, 0)  # what is -inf counts for nothing
    expected = came_back - case.x.softmax(dim=case.dim) * came_back.sum(dim=case.dim, keepdim=True)
    yours = subject.gradients("log_softmax", case.x, case.dim)["x"]
    expect_equal(yours, expected, what="gradient of x")


@law("log_softmax", few_huge_arrays)
def test_logarithms_are_right_in_float32(subject, reference, case):
    """In float32 too, ten thousand and minus ten thousand give finite and right logarithms, in float32."""
    expect_near(subject.log_softmax(case.x, case.dim), F.log_softmax(case.x, dim=case.dim))


@law("log_softmax", every_axis)
def test_logarithms_are_right_along_every_axis(subject, reference, case):
    """Along each axis of one to four, counted from either end, and in an array of 9 x 40 x 300, they are right."""
    expected = F.log_softmax(case.x, dim=case.dim)
    expect_equal(subject.log_softmax(case.x, case.dim), expected, note="computed by PyTorch")


@law("log_softmax", rows_without_probabilities)
def test_a_row_of_minus_infinity_has_no_logarithms(subject, reference, case):
    """A row of nothing but -inf raises ValueError, wherever it stands and along whichever axis."""
    expect_refusals(subject, "log_softmax", case.calls)


test_log_softmax_is_from_scratch = from_scratch("softmax", "log_softmax")


# cross_entropy


@law("cross_entropy", predictions)
def test_loss_is_the_mean_surprise(subject, reference, case):
    """The loss is the mean, over all targets, of minus the logarithm of the target's probability."""
    expect_cross_entropy(subject.cross_entropy(case.logits, case.targets), case.logits, case.targets)


@law("cross_entropy", targets_on_the_page)
def test_loss_agrees_with_the_example_on_the_page(subject, reference, case):
    """In the page's example the targets cost 1.407606 and 0.693147 nats, and so 1.050377 on average."""
    loss = subject.cross_entropy(case.logits, case.targets)
    expect_equal(loss, torch.full_like(loss, case.expected), note="worked by hand on the page")


@law("cross_entropy", predictions)
def test_equal_logits_cost_the_logarithm_of_n(subject, reference, case):
    """Where all n logits of a row are equal, whatever they are, the loss is the natural logarithm of n."""
    level = case.logits[..., :1].expand(case.logits.shape).contiguous()
    loss = subject.cross_entropy(level, case.targets)
    expect_equal(loss, torch.full_like(loss, math.log(case.logits.shape[-1])), note="the logarithm of n")


@law("cross_entropy", huge_predictions)
def test_loss_of_huge_logits_is_right(subject, reference, case):
    """Logits of ten thousand and minus ten thousand give the loss that PyTorch computes, however large it is."""
    expect_cross_entropy(subject.cross_entropy(case.logits, case.targets), case.logits, case.targets)


@law("cross_entropy", predictions_with_gaps)
def test_what_is_impossible_costs_if_it_comes(subject, reference, case):
    """A logit of -inf does no harm as long as it is not a target's; if it is, the loss is inf."""
    expect_cross_entropy(subject.cross_entropy(case.logits, case.targets), case.logits, case.targets)
    came = case.is_target.nonzero()[-1]
    impossible = case.logits.index_put(tuple(came), torch.tensor(-math.inf).double())
    impossible[*came[:-1], came[-1] - 1] = 0.0  # another is possible
    yours = subject.tell(lambda do: {"loss": do.cross_entropy(impossible, case.targets).item()})
    expect_equal(yours["loss"], math.inf, what="the loss, when the last target's logit is -inf too,")


@law("cross_entropy", predictions_with_gaps)
def test_gradient_is_probability_minus_target(subject, reference, case):
    """The gradient of a logit is its probability, less 1 at the target, over the number of targets; 0 at -inf."""
    logits = case.logits * HUGE if case.seed % 3 == 1 else case.logits
    expected = (logits.softmax(dim=-1) - case.is_target.double()) / case.targets.numel()
    expected *= cotangent(torch.zeros((), dtype=torch.float64))  # by which the loss was multiplied
    yours = subject.gradients("cross_entropy", logits, case.targets)["logits"]
    expect_equal(yours, expected, what="gradient of the logits")


@law("cross_entropy", many_predictions)
def test_loss_of_many_predictions_in_float32(subject, reference, case):
    """In float32, nine rows of 140 targets with 300 logits each have the loss that PyTorch computes, in float32."""
    expect_cross_entropy(subject.cross_entropy(case.logits, case.targets), case.logits, case.targets)


@law("cross_entropy", few_huge_predictions)
def test_loss_of_huge_logits_is_right_in_float32(subject, reference, case):
    """In float32 too, logits of ten thousand and minus ten thousand give a finite loss, and the right one."""
    expected = F.cross_entropy(case.logits.reshape(-1, case.logits.shape[-1]), case.targets.reshape(-1))
    expect_near(subject.cross_entropy(case.logits, case.targets), expected)


@law("cross_entropy", what_cannot_be_scored)
def test_what_cannot_be_scored_is_refused(subject, reference, case):
    """Shapes that do not fit, no targets, targets that are not there and rows of nothing but -inf raise ValueError."""
    expect_refusals(subject, "cross_entropy", case.calls)


test_cross_entropy_is_from_scratch = from_scratch("softmax", "cross_entropy")
