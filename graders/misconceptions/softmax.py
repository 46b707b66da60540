"""Known mistakes in softmax: each a patch on `reference/softmax.py` that makes it."""

from graders.engine.misconception import Misconception

# softmax and log_softmax have lines in common, so that the comment beside a line says which of the two is meant
CHECK = "check_logits(x, dim)\n    # 2. Subtract the largest, which"
SHIFT = "shifted = x - x.amax(dim=dim, keepdim=True)\n    # 3. Exponentials"
EXPS = "exps = shifted.exp()"
PROBS = "return exps / exps.sum(dim=dim, keepdim=True)"
CHECK_LOG = "check_logits(x, dim)\n    # 2. Subtract the largest:"
SHIFT_LOG = "shifted = x - x.amax(dim=dim, keepdim=True)\n    # 3. The"
LOGARITHM = "return shifted - shifted.exp().sum(dim=dim, keepdim=True).log()"
CHECK_TARGETS = "    check_targets(logits, targets)\n    # 2."
LOG_PROBS = "log_probs = log_softmax(logits, dim=-1)"
OF_TARGET = "of_target = log_probs.gather(-1, targets.unsqueeze(-1))"
MEAN = "return -of_target.mean()"


def checked(condition: str, comment: str = "which") -> str:
    """Another condition in place of the check that is given."""
    return f'if {condition}:\n        raise ValueError("all -inf")\n    # 2. Subtract the largest, {comment}'


MISCONCEPTIONS = (
    # softmax
    Misconception(
        "not_shifted",
        "softmax",
        ((EXPS, "exps = x.exp()"),),
        "The exponentials are taken of the numbers as they are: exp(1000) is infinite, and inf / inf is NaN.",
        "Which number may you subtract from a whole row without changing a probability?",
    ),
    Misconception(
        "shifted_by_the_largest_of_all",
        "softmax",
        ((SHIFT, "shifted = x - x.max()\n    # 3. Exponentials"),),
        "The largest of the whole tensor is subtracted: a row far below it is left with nothing but zeros, and 0 / 0.",
        "After the subtraction, what is the largest number of each row?",
    ),
    Misconception(
        "shifted_by_the_mean",
        "softmax",
        ((SHIFT, "shifted = x - x.mean(dim=dim, keepdim=True)\n    # 3. Exponentials"),),
        "The mean is subtracted, not the largest, so that a number far above the mean still overflows.",
        "Which number must be subtracted, for no exponent to be above 0?",
    ),
    Misconception(
        "cut_off_instead_of_shifted",
        "softmax",
        ((SHIFT, "shifted = x.clamp(min=-500, max=500)\n    # 3. Exponentials"),),
        "Large numbers are cut off, so that 1000 and 2000 get equal probabilities.",
        "What happens to the difference of two numbers, if both are cut off?",
    ),
    Misconception(
        "always_the_last_axis",
        "softmax",
        (
            (SHIFT, "shifted = x - x.amax(dim=-1, keepdim=True)\n    # 3. Exponentials"),
            (PROBS, "return exps / exps.sum(dim=-1, keepdim=True)"),
        ),
        "The probabilities add up to 1 along the last axis, whatever `dim` says.",
        "Along which axis do the probabilities of your result add up to 1?",
    ),
    Misconception(
        "always_the_first_axis",
        "softmax",
        (
            (SHIFT, "shifted = x - x.amax(dim=0, keepdim=True)\n    # 3. Exponentials"),
            (PROBS, "return exps / exps.sum(dim=0, keepdim=True)"),
        ),
        "The probabilities add up to 1 along the first axis, whatever `dim` says.",
        "Along which axis do the probabilities of your result add up to 1?",
    ),
    Misconception(
        "over_everything",
        "softmax",
        (
            (SHIFT, "shifted = x - x.max()\n    # 3. Exponentials"),
            (PROBS, "return exps / exps.sum()"),
        ),
        "All probabilities of the whole tensor add up to 1: no axis was named.",
        "For x of shape (2, 3) and dim 1, how many sums are there?",
    ),
    Misconception(
        "keepdim_missing",
        "softmax",
        ((PROBS, "return exps / exps.sum(dim=dim)"),),
        "The sum has lost its axis, so it no longer lines up with the exponentials (or lines up with a wrong axis).",
        "What shape has x.sum(dim=1), and with which axes of x does it line up?",
    ),
    Misconception(
        "keepdim_missing_in_the_largest",
        "softmax",
        ((SHIFT, "shifted = x - x.amax(dim=dim)\n    # 3. Exponentials"),),
        "The largest has lost its axis, so it no longer lines up with the numbers (or lines up with a wrong axis).",
        "What shape has x.amax(dim=1), and with which axes of x does it line up?",
    ),
    Misconception(
        "largest_with_its_place",
        "softmax",
        ((SHIFT, "shifted = x - x.max(dim=dim, keepdim=True)\n    # 3. Exponentials"),),
        "x.max with an axis gives two tensors, the largest numbers and their places; only the first can be subtracted.",
        "What does x.max(dim=dim) return, and which part of it do you want? Which function gives that part alone?",
    ),
    Misconception(
        "smallest_gets_most",
        "softmax",
        ((SHIFT, "shifted = x.amin(dim=dim, keepdim=True) - x\n    # 3. Exponentials"),),
        "The sign is turned: the smallest number gets the largest probability.",
        "Which of 1, 2 and 3 should get the largest probability?",
    ),
    Misconception(
        "hard_maximum",
        "softmax",
        ((EXPS, "exps = (shifted == 0).to(x)"),),
        "The largest number takes all: this is the hard maximum that softmax makes smooth.",
        "If the second largest number grows a little, what should happen to its probability?",
    ),
    Misconception(
        "not_divided_by_the_sum",
        "softmax",
        ((PROBS, "return exps"),),
        "The exponentials are not divided by their sum: the largest gets 1 and the others come on top.",
        "What do your probabilities add up to?",
    ),
    Misconception(
        "divided_by_the_mean",
        "softmax",
        ((PROBS, "return exps / exps.mean(dim=dim, keepdim=True)"),),
        "The exponentials are divided by their mean, so that the probabilities add up to n, not to 1.",
        "What do your probabilities add up to?",
    ),
    Misconception(
        "no_exponential",
        "softmax",
        ((EXPS, "exps = x - x.amin(dim=dim, keepdim=True) + 1"),),
        "The numbers themselves are divided by their sum, without the exponential.",
        "You add 10 to all numbers. What should happen to the probabilities?",
    ),
    Misconception(
        "powers_of_two",
        "softmax",
        ((EXPS, "exps = 2**shifted"),),
        "Powers of 2 are taken, not of e.",
        "By what factor does a probability grow beside another, if its number grows by 1?",
    ),
    Misconception(
        "eps_added_to_the_sum",
        "softmax",
        ((PROBS, "return exps / (exps.sum(dim=dim, keepdim=True) + 1e-6)"),),
        "A small number is added to the sum against a division by zero; the probabilities do not quite add up to 1.",
        "After the largest has been subtracted, how small can the sum be?",
    ),
    Misconception(
        "minus_infinity_as_minus_ten_thousand",
        "softmax",
        ((SHIFT, "shifted = (x := x.clamp(min=-1e4)) - x.amax(dim=dim, keepdim=True)\n    # 3. Exponentials"),),
        "-inf is taken for -10,000, and so becomes possible where the other numbers are as low.",
        "What is exp(-inf)? Does anything have to be done about it?",
    ),
    Misconception(
        "probabilities_raised_above_zero",
        "softmax",
        ((PROBS, "return (exps / exps.sum(dim=dim, keepdim=True)).clamp(min=1e-20)"),),
        "The smallest probabilities are raised above 0, so that something ruled out by -inf can still be drawn.",
        "How likely is something whose number is -inf?",
    ),
    Misconception(
        "row_of_minus_infinity_not_refused",
        "softmax",
        ((CHECK, "# 2. Subtract the largest, which"),),
        "A row of nothing but -inf is not refused, and becomes NaN.",
        "What is -inf minus -inf?",
    ),
    Misconception(
        "refused_for_a_single_minus_infinity",
        "softmax",
        ((CHECK, checked("x.isneginf().any()")),),
        "A single -inf is refused; it is a row of nothing else that has no probabilities.",
        "Can there be probabilities when some of the numbers are ruled out?",
    ),
    Misconception(
        "refused_only_if_everything_is_minus_infinity",
        "softmax",
        ((CHECK, checked("x.isneginf().all()")),),
        "The input is refused only if all of it is -inf; one such row among others becomes NaN.",
        "How many rows of nothing but -inf are one too many?",
    ),
    Misconception(
        "checked_along_the_last_axis",
        "softmax",
        ((CHECK, "check_logits(x, -1)\n    # 2. Subtract the largest, which"),),
        "Rows of -inf are looked for along the last axis, whatever `dim` says.",
        "Along which axis do the probabilities add up to 1?",
    ),
    Misconception(
        "shifted_in_place",
        "softmax",
        ((SHIFT, "x -= x.amax(dim=dim, keepdim=True)\n    shifted = x\n    # 3. Exponentials"),),
        "The largest is subtracted in place, which changes the numbers that were passed in.",
        "What does `x -= ...` do to the caller's x?",
    ),
    Misconception(
        "sum_detached",
        "softmax",
        ((PROBS, "return exps / exps.sum(dim=dim, keepdim=True).detach()"),),
        "The sum is cut off from the gradient (.detach(), .data, .item() or no_grad).",
        "If one number grows, what happens to the probability of another, and through what?",
    ),
    Misconception(
        "computed_in_float32",
        "softmax",
        ((PROBS, "return (exps.float() / exps.float().sum(dim=dim, keepdim=True)).to(x)"),),
        "The probabilities are computed in float32, which throws away half of the digits of a float64 input.",
        "What does .float() do to a tensor that is float64?",
    ),
    # log_softmax
    Misconception(
        "log_of_softmax",
        "log_softmax",
        ((LOGARITHM, "return softmax(x, dim).log()"),),
        "The logarithm is taken of the probability, 0 for a number far below the largest: -inf comes out.",
        "What is the logarithm of exp(a) / s, without any exp of a in it?",
    ),
    Misconception(
        "log_of_softmax_and_eps",
        "log_softmax",
        ((LOGARITHM, "return (softmax(x, dim) + 1e-12).log()"),),
        "A small number is added to the probability before its logarithm, so that nothing comes out below about -27.6.",
        "What is the logarithm of exp(a) / s, without any exp of a in it?",
    ),
    Misconception(
        "log_not_shifted",
        "log_softmax",
        ((SHIFT_LOG, "shifted = x\n    # 3. The"),),
        "The exponentials are taken of the numbers as they are: exp(1000) is infinite.",
        "Which number may you subtract from a whole row without changing a probability?",
    ),
    Misconception(
        "log_shifted_by_the_largest_of_all",
        "log_softmax",
        ((SHIFT_LOG, "shifted = x - x.max()\n    # 3. The"),),
        "The largest of the whole tensor is subtracted: of a row far below it the exponentials are all 0.",
        "After the subtraction, what is the largest number of each row?",
    ),
    Misconception(
        "log_largest_with_its_place",
        "log_softmax",
        ((SHIFT_LOG, "shifted = x - x.max(dim=dim, keepdim=True)\n    # 3. The"),),
        "x.max with an axis gives two tensors, the largest numbers and their places; only the first can be subtracted.",
        "What does x.max(dim=dim) return, and which part of it do you want? Which function gives that part alone?",
    ),
    Misconception(
        "largest_taken_off_one_side",
        "log_softmax",
        ((LOGARITHM, "return x - shifted.exp().sum(dim=dim, keepdim=True).log()"),),
        "The largest is subtracted under the logarithm only: the number itself must lose it too, or the sum regain it.",
        "Do exp of all your results add up to 1?",
    ),
    Misconception(
        "logarithm_forgotten",
        "log_softmax",
        ((LOGARITHM, "return shifted - shifted.exp().sum(dim=dim, keepdim=True)"),),
        "The sum of the exponentials is subtracted, not its logarithm.",
        "What is the logarithm of a quotient?",
    ),
    Misconception(
        "logarithm_added",
        "log_softmax",
        ((LOGARITHM, "return shifted + shifted.exp().sum(dim=dim, keepdim=True).log()"),),
        "The logarithm of the sum is added, not subtracted.",
        "Can the logarithm of a probability be above 0?",
    ),
    Misconception(
        "one_too_many_in_the_sum",
        "log_softmax",
        ((LOGARITHM, "return shifted - shifted.exp().sum(dim=dim, keepdim=True).log1p()"),),
        "The logarithm is that of 1 plus the sum; the 1 of the largest number is in the sum already.",
        "What should come out for a row of a single number?",
    ),
    Misconception(
        "log_along_the_last_axis",
        "log_softmax",
        (
            (SHIFT_LOG, "shifted = x - x.amax(dim=-1, keepdim=True)\n    # 3. The"),
            (LOGARITHM, "return shifted - shifted.exp().sum(dim=-1, keepdim=True).log()"),
        ),
        "The sum runs along the last axis, whatever `dim` says.",
        "Along which axis do exp of your results add up to 1?",
    ),
    Misconception(
        "log_keepdim_missing",
        "log_softmax",
        ((LOGARITHM, "return shifted - shifted.exp().sum(dim=dim).log()"),),
        "The sum has lost its axis, so it no longer lines up with the numbers (or lines up with a wrong axis).",
        "What shape has x.sum(dim=1), and with which axes of x does it line up?",
    ),
    Misconception(
        "log_not_natural",
        "log_softmax",
        ((LOGARITHM, "return (shifted - shifted.exp().sum(dim=dim, keepdim=True).log()) / 0.6931471805599453"),),
        "The logarithm is to base 2; the field's are natural.",
        "Do exp of all your results add up to 1?",
    ),
    Misconception(
        "minus_infinity_made_finite",
        "log_softmax",
        ((LOGARITHM, "return (shifted - shifted.exp().sum(dim=dim, keepdim=True).log()).clamp(min=-1e9)"),),
        "-inf is replaced by a large negative number; a probability of exactly 0 has the logarithm -inf.",
        "What is the logarithm of 0?",
    ),
    Misconception(
        "log_row_of_minus_infinity_not_refused",
        "log_softmax",
        ((CHECK_LOG, "# 2. Subtract the largest:"),),
        "A row of nothing but -inf is not refused, and becomes NaN.",
        "What is -inf minus -inf?",
    ),
    Misconception(
        "log_sum_detached",
        "log_softmax",
        ((LOGARITHM, "return shifted - shifted.exp().sum(dim=dim, keepdim=True).log().detach()"),),
        "The logarithm of the sum is cut off from the gradient (.detach(), .data, .item() or no_grad).",
        "If one number grows, what happens to the probability of another, and through what?",
    ),
    # cross_entropy
    Misconception(
        "minus_forgotten",
        "cross_entropy",
        ((MEAN, "return of_target.mean()"),),
        "The minus sign is missing: a better prediction has a larger loss.",
        "Can a loss be below 0, if each probability is at most 1?",
    ),
    Misconception(
        "sum_instead_of_mean",
        "cross_entropy",
        ((MEAN, "return -of_target.sum()"),),
        "The surprises are added up and not averaged.",
        "You give the same rows twice. What should happen to the loss?",
    ),
    Misconception(
        "averaged_over_the_first_axis_only",
        "cross_entropy",
        ((MEAN, "return -of_target.sum() / len(logits)"),),
        "The sum is divided by the length of the first axis, not by the number of all targets.",
        "For targets of shape (2, 3), how many surprises are averaged?",
    ),
    Misconception(
        "averaged_over_the_logits_too",
        "cross_entropy",
        ((MEAN, "return -of_target.sum() / logits.numel()"),),
        "The mean runs over all logits, most of which count 0, and not over the targets.",
        "How many surprises are averaged?",
    ),
    Misconception(
        "logits_taken_for_log_probs",
        "cross_entropy",
        ((LOG_PROBS, "log_probs = logits"),),
        "The logit of the target is taken itself; it is no logarithm of a probability yet.",
        "You add 10 to all logits. What should happen to the loss?",
    ),
    Misconception(
        "probabilities_taken_for_their_logarithms",
        "cross_entropy",
        ((LOG_PROBS, "log_probs = softmax(logits, dim=-1)"),),
        "The probability itself is averaged, without a logarithm.",
        "How surprised is someone who held what came for impossible?",
    ),
    Misconception(
        "softmax_twice",
        "cross_entropy",
        ((LOG_PROBS, "log_probs = log_softmax(softmax(logits, dim=-1), dim=-1)"),),
        "A softmax is taken of the logits first, and a log-softmax of its probabilities after.",
        "What is the largest difference there can be between two numbers that have been through a softmax?",
    ),
    Misconception(
        "exp_then_log",
        "cross_entropy",
        ((LOG_PROBS, "log_probs = softmax(logits, dim=-1).log()"),),
        "The logarithm is taken of the probability, 0 for a logit far below the largest: the loss is infinite.",
        "Which of your functions gives the logarithm of a probability that no float can hold?",
    ),
    Misconception(
        "eps_under_the_logarithm",
        "cross_entropy",
        ((LOG_PROBS, "log_probs = (softmax(logits, dim=-1) + 1e-9).log()"),),
        "A small number is added to the probability before its logarithm: no mistake costs more than about 20.7.",
        "Which of your functions gives the logarithm of a probability that no float can hold?",
    ),
    Misconception(
        "probabilities_along_axis_1",
        "cross_entropy",
        ((LOG_PROBS, "log_probs = log_softmax(logits, dim=1)"),),
        "The probabilities add up to 1 along axis 1, which is the axis of the logits only with one axis before it.",
        "Which axis do the logits lie along, whatever axes there are before?",
    ),
    Misconception(
        "probabilities_along_the_first_axis",
        "cross_entropy",
        ((LOG_PROBS, "log_probs = log_softmax(logits, dim=0)"),),
        "The probabilities add up to 1 over the rows, not over the logits of each row.",
        "Which numbers compete with each other?",
    ),
    Misconception(
        "targets_of_one_axis",
        "cross_entropy",
        ((OF_TARGET, "of_target = log_probs[range(len(targets)), targets]"),),
        "This is written for exactly one axis before the last: [range(len(targets)), targets] finds the targets' "
        "logits in a table alone.",
        "What are the first two axes of the logits, when the targets have the shape (2, 3)?",
    ),
    Misconception(
        "gathered_along_axis_1",
        "cross_entropy",
        ((OF_TARGET, "of_target = log_probs.gather(1, targets.unsqueeze(1))"),),
        "This is written for exactly one axis before the last: the logits of a target are taken to lie along axis 1.",
        "Which axis do the logits lie along, whatever axes there are before?",
    ),
    Misconception(
        "multiplied_by_one_hot",
        "cross_entropy",
        (
            (OF_TARGET, "of_target = (log_probs * is_hot(log_probs, targets)).sum(dim=-1)"),
            (
                "def check_targets",
                "def is_hot(of, targets):\n"
                "    return of.new_zeros(of.shape).scatter(-1, targets.unsqueeze(-1), 1)\n\n\ndef check_targets",
            ),
        ),
        "The log-probabilities are multiplied by zeros and ones; a log-probability of -inf times 0 is NaN.",
        "What is 0 times -inf?",
    ),
    Misconception(
        "target_0_ignored",
        "cross_entropy",
        ((MEAN, "return -of_target.squeeze(-1)[targets != 0].sum() / (targets != 0).sum().clamp(min=1)"),),
        "Targets of 0 are left out, as if they were padding.",
        "Is 0 a target like any other here?",
    ),
    Misconception(
        "loss_in_bits",
        "cross_entropy",
        ((MEAN, "return -of_target.mean() / 0.6931471805599453"),),
        "The loss is in bits: the logarithm is to base 2 and not natural.",
        "What should four equal logits cost: 2, or 1.386?",
    ),
    Misconception(
        "targets_not_checked",
        "cross_entropy",
        ((CHECK_TARGETS, "    # 2."),),
        "Nothing is refused: no targets at all give NaN, and shapes that do not fit may go unnoticed.",
        "What is the mean of no numbers?",
    ),
    Misconception(
        "loss_detached",
        "cross_entropy",
        ((LOG_PROBS, "log_probs = log_softmax(logits.detach(), dim=-1)"),),
        "The logits are cut off from the gradient (.detach(), .data, .item() or no_grad), so nothing can be learnt.",
        "Which of your calls cuts a tensor off from its gradient?",
    ),
)

# Mutations of the reference that no law can tell from it, and why
EQUIVALENT: dict[str, str] = {}
