"""Known mistakes in backpropagation: each a patch on `reference/backprop.py` that makes it."""

from graders.engine.misconception import Misconception

X_OF_LINEAR = "x_grad = grad @ W.T"
FLAT = "x, grad = x.reshape(-1, W.shape[0]), grad.reshape(-1, W.shape[1])"
W_OF_LINEAR = "W_grad = x.T @ grad"
B_OF_LINEAR = "b_grad = grad.sum(dim=0)\n    return x_grad, W_grad, b_grad"
OF_RELU = "return grad * (x > 0)"
MEAN = "mean = (y * grad).sum(dim=-1, keepdim=True)"
OF_SOFTMAX = "return y * (grad - mean)"
EXPS = "exps = (logits - logits.amax(dim=-1, keepdim=True)).exp()"
PROBS = "probs = exps / exps.sum(dim=-1, keepdim=True)"
IS_TARGET = "is_target = torch.zeros_like(probs).scatter(-1, targets.unsqueeze(-1), 1)"
OF_CROSS_ENTROPY = "return (probs - is_target) / targets.numel()"
STD = "std = (centred.pow(2).mean(dim=-1, keepdim=True) + eps).sqrt()"
W_OF_NORM = "w_grad = (grad * normalised).reshape(-1, len(w)).sum(dim=0)"
B_OF_NORM = "b_grad = grad.reshape(-1, len(w)).sum(dim=0)"
SCALED = "grad = grad * w\n"
SHIFT = "along_shift = grad.mean(dim=-1, keepdim=True)"
STRETCH = "along_stretch = normalised * (grad * normalised).mean(dim=-1, keepdim=True)"
X_OF_NORM = "x_grad = (grad - along_shift - along_stretch) / std"

MISCONCEPTIONS = (
    # linear_backward
    Misconception(
        "W_not_transposed",
        "linear_backward",
        ((X_OF_LINEAR, "x_grad = grad @ W"),),
        "The gradient goes through W the way it came, and not back: W has to be transposed.",
        "grad has d_out numbers at each position. What must the gradient of x have, and how is W turned for that?",
    ),
    Misconception(
        "W_grad_transposed",
        "linear_backward",
        ((W_OF_LINEAR, "W_grad = grad.T @ x"),),
        "The gradient of W is transposed: (d_out, d_in), as PyTorch's nn.Linear keeps its weight.",
        "What shape has the gradient of a tensor, beside the tensor itself?",
    ),
    Misconception(
        "reshaped_instead_of_transposed",
        "linear_backward",
        ((W_OF_LINEAR, "W_grad = x.reshape(W.shape[0], -1) @ grad"),),
        "x is reshaped where it should be transposed: the shape is right, and the numbers are in the wrong places.",
        "What is in the first row of x.T, and what in the first row of x.reshape(d_in, -1)?",
    ),
    Misconception(
        "b_grad_averaged",
        "linear_backward",
        ((B_OF_LINEAR, "b_grad = grad.mean(dim=0)\n    return x_grad, W_grad, b_grad"),),
        "The gradient of b is averaged over the positions and not added up.",
        "b was added at every position. What does a number get that was used in several places?",
    ),
    Misconception(
        "linear_grads_averaged",
        "linear_backward",
        (
            (W_OF_LINEAR, "W_grad = x.T @ grad / len(x)"),
            (B_OF_LINEAR, "b_grad = grad.mean(dim=0)\n    return x_grad, W_grad, b_grad"),
        ),
        "The gradients of W and b are averaged over the positions and not added up.",
        "If the loss is a mean, where has the division by the number of positions already been made?",
    ),
    Misconception(
        "summed_over_the_first_axis_only",
        "linear_backward",
        ((FLAT, "b_grad = grad.sum(dim=0)\n    " + FLAT), (B_OF_LINEAR, "return x_grad, W_grad, b_grad")),
        "The gradient of b is summed over the first axis alone: with a batch and a sequence it keeps an axis too many, "
        "with neither it has none left.",
        "Over which axes was b broadcast on the way forward?",
    ),
    Misconception(
        "one_axis_of_positions",
        "linear_backward",
        ((FLAT, ""),),
        "This is written for exactly one axis before the last: with a batch and a sequence, or with neither, the "
        "gradients of W and b do not come out.",
        "How do you make one long list of positions, whatever axes there are before the last?",
    ),
    Misconception(
        "one_position_only",
        "linear_backward",
        ((FLAT, FLAT + "\n    x, grad = x[:1], grad[:1]"),),
        "W and b get a gradient from the first position alone.",
        "At how many positions was W used?",
    ),
    Misconception(
        "positions_added_up_before_the_product",
        "linear_backward",
        ((W_OF_LINEAR, "W_grad = x.sum(dim=0).unsqueeze(1) * grad.sum(dim=0)"),),
        "x and grad are summed over the positions first and multiplied after, so that each position meets all others.",
        "Which x did a weight multiply to make the output at position 3?",
    ),
    Misconception(
        "arriving_gradient_ignored",
        "linear_backward",
        ((X_OF_LINEAR, "grad = grad * 0 + 1\n    x_grad = grad @ W.T"),),
        "The layer's own derivative comes back, as if each output moved the loss by 1: what arrives is left out.",
        "What does the chain rule do with the gradient of y?",
    ),
    Misconception(
        "gradients_in_another_order",
        "linear_backward",
        ((B_OF_LINEAR, "b_grad = grad.sum(dim=0)\n    return W_grad, b_grad, x_grad"),),
        "The gradients come back in another order than x, W, b.",
        "In which order does the docstring name them?",
    ),
    # relu_backward
    Misconception(
        "passes_at_zero",
        "relu_backward",
        ((OF_RELU, "return grad * (x >= 0)"),),
        "At exactly 0 the gradient passes; by PyTorch's convention it does not.",
        "Is 0 above 0?",
    ),
    Misconception(
        "half_passes_at_zero",
        "relu_backward",
        ((OF_RELU, "return grad * ((x > 0).to(grad) + (x == 0).to(grad) / 2)"),),
        "At exactly 0 half of the gradient passes; by PyTorch's convention nothing does.",
        "Which of the slopes that a kink might have is taken here?",
    ),
    Misconception(
        "sign_of_the_gradient_taken",
        "relu_backward",
        ((OF_RELU, "return grad * (grad > 0)"),),
        "The gradient is cut off where the gradient itself is below 0; what counts is where x was.",
        "Which numbers did the forward pass cut off?",
    ),
    Misconception(
        "cut_off_twice",
        "relu_backward",
        ((OF_RELU, "return grad * (x > 0) * (grad > 0)"),),
        "The gradient is cut off where x was below 0, and where it is below 0 itself; the second is no derivative.",
        "May a gradient be negative where x was positive?",
    ),
    Misconception(
        "multiplied_by_the_output",
        "relu_backward",
        ((OF_RELU, "return grad * x.clamp(min=0)"),),
        "The gradient is multiplied by max(x, 0) itself, not by its slope, which is 1 or 0.",
        "How much does max(x, 0) grow when x grows from 5 to 6?",
    ),
    Misconception(
        "slope_alone",
        "relu_backward",
        ((OF_RELU, "return (x > 0).to(grad)"),),
        "The slope comes back alone: what arrives is not multiplied in.",
        "What does the chain rule do with the gradient of y?",
    ),
    Misconception(
        "wrong_side_cut_off",
        "relu_backward",
        ((OF_RELU, "return grad * (x < 0)"),),
        "The gradient passes where x was cut off, and not where it passed.",
        "x is -3. What does a small change of x do to max(x, 0)?",
    ),
    Misconception(
        "slope_of_the_absolute_value",
        "relu_backward",
        ((OF_RELU, "return grad * x.sign()"),),
        "Where x was below 0 the gradient is turned round; it should be 0 there.",
        "x is -3. What does a small change of x do to max(x, 0)?",
    ),
    Misconception(
        "leaks_below_zero",
        "relu_backward",
        ((OF_RELU, "return grad * ((x > 0) + 0.01 * (x <= 0))"),),
        "A hundredth of the gradient passes where x was not above 0: this is a leaky ReLU's.",
        "x is -3. What does a small change of x do to max(x, 0)?",
    ),
    Misconception(
        "gradient_cut_off_in_place",
        "relu_backward",
        ((OF_RELU, "grad[x <= 0] = 0\n    return grad"),),
        "The gradient that arrived is changed in place; others may still need it.",
        "What does `grad[...] = 0` do to the caller's grad?",
    ),
    # softmax_backward
    Misconception(
        "each_number_for_itself",
        "softmax_backward",
        ((OF_SOFTMAX, "return y * (1 - y) * grad"),),
        "Only the effect of each number on its own probability is counted, as for a sigmoid; it lowers all others too.",
        "If one number grows, which probabilities change?",
    ),
    Misconception(
        "plain_mean_taken",
        "softmax_backward",
        ((MEAN, "mean = grad.mean(dim=-1, keepdim=True)"),),
        "The mean that is taken off is the plain one; it has to be weighted by the probabilities.",
        "Which weights add up to 1 here?",
    ),
    Misconception(
        "mean_forgotten",
        "softmax_backward",
        ((OF_SOFTMAX, "return y * grad"),),
        "Nothing is taken off: the denominator of the softmax depends on x as well.",
        "All that arrives is 1. How much does the sum of all probabilities change, when x does?",
    ),
    Misconception(
        "mean_taken_off_outside",
        "softmax_backward",
        ((OF_SOFTMAX, "return y * grad - mean"),),
        "The mean is taken off after the probability has been multiplied in: brackets are missing.",
        "What do the gradients of a row add up to?",
    ),
    Misconception(
        "probability_not_multiplied_in",
        "softmax_backward",
        ((OF_SOFTMAX, "return grad - mean"),),
        "What arrives beyond the mean is not multiplied by the probability.",
        "A probability is 0, and stays 0 whatever its number does. What is the gradient of that number?",
    ),
    Misconception(
        "probabilities_taken_for_logits",
        "softmax_backward",
        ((MEAN, "y = y.exp() / y.exp().sum(dim=-1, keepdim=True)\n    " + MEAN),),
        "y is sent through a softmax once more; it is the softmax's output already.",
        "What do the numbers of y add up to in each row?",
    ),
    Misconception(
        "mean_over_all_rows",
        "softmax_backward",
        ((MEAN, "mean = (y * grad).sum()"),),
        "One mean is taken of all rows together: no axis was named.",
        "For y of shape (2, 3, 8), how many means are there?",
    ),
    Misconception(
        "mean_over_the_first_axis",
        "softmax_backward",
        ((MEAN, "mean = (y * grad).sum(dim=0, keepdim=True)"),),
        "The mean is taken over the first axis, not over the last, along which the probabilities add up to 1.",
        "Which numbers compete with each other for their probability?",
    ),
    Misconception(
        "mean_without_keepdim",
        "softmax_backward",
        ((MEAN, "mean = (y * grad).sum(dim=-1)"),),
        "The mean has lost its axis, so it no longer lines up with grad (or lines up with a wrong axis).",
        "What shape has the sum over the last axis, and with which axes of grad does it line up?",
    ),
    Misconception(
        "mean_divided_once_more",
        "softmax_backward",
        ((MEAN, "mean = (y * grad).mean(dim=-1, keepdim=True)"),),
        "The weighted sum is divided by n as well; the weights add up to 1, so that it is a mean already.",
        "All that arrives is 1. What is its mean under the probabilities?",
    ),
    Misconception(
        "softmax_sign_turned",
        "softmax_backward",
        ((OF_SOFTMAX, "return y * (mean - grad)"),),
        "The sign is turned round.",
        "A larger probability of the first would raise the loss. Does a larger first number raise it?",
    ),
    # cross_entropy_backward
    Misconception(
        "not_divided_by_the_targets",
        "cross_entropy_backward",
        ((OF_CROSS_ENTROPY, "return probs - is_target"),),
        "The gradient is that of the sum; the loss is the mean over all targets.",
        "The same rows come twice. What happens to the mean, and to what each row adds to it?",
    ),
    Misconception(
        "divided_by_the_first_axis_only",
        "cross_entropy_backward",
        ((OF_CROSS_ENTROPY, "return (probs - is_target) / len(logits)"),),
        "The gradient is divided by the length of the first axis, not by the number of all targets.",
        "For targets of shape (2, 3), the mean of how many numbers is the loss?",
    ),
    Misconception(
        "divided_by_all_logits",
        "cross_entropy_backward",
        ((OF_CROSS_ENTROPY, "return (probs - is_target) / logits.numel()"),),
        "The gradient is divided by the number of all logits, not by that of the targets.",
        "The mean of how many numbers is the loss?",
    ),
    Misconception(
        "cross_entropy_sign_turned",
        "cross_entropy_backward",
        ((OF_CROSS_ENTROPY, "return (is_target - probs) / targets.numel()"),),
        "The sign is turned round: going down this gradient makes the target less likely.",
        "Does a larger logit of the target raise the loss?",
    ),
    Misconception(
        "one_not_taken_off",
        "cross_entropy_backward",
        ((OF_CROSS_ENTROPY, "return probs / targets.numel()"),),
        "The probabilities come back without the 1 taken off at the target.",
        "The prediction is certain and right. What should the gradient be?",
    ),
    Misconception(
        "gradient_at_the_target_only",
        "cross_entropy_backward",
        ((OF_CROSS_ENTROPY, "return (probs - is_target) * is_target / targets.numel()"),),
        "Only the target's logit gets a gradient; the others are in the denominator.",
        "Does a larger logit of a wrong answer raise the loss?",
    ),
    Misconception(
        "gradient_of_the_probabilities",
        "cross_entropy_backward",
        ((OF_CROSS_ENTROPY, "return -is_target / probs.clamp(min=1e-12) / targets.numel()"),),
        "The gradient is that of the probabilities; it has to go back through the softmax as well.",
        "What do the gradients of a row of logits add up to?",
    ),
    Misconception(
        "softmax_twice_on_the_way_back",
        "cross_entropy_backward",
        ((OF_CROSS_ENTROPY, "return probs * (1 - probs) * (probs - is_target) / targets.numel()"),),
        "Predicted minus true is multiplied by the softmax's slope once more; it holds that slope already.",
        "The prediction is certain and wrong. Should the gradient vanish?",
    ),
    Misconception(
        "logits_taken_for_probabilities",
        "cross_entropy_backward",
        ((OF_CROSS_ENTROPY, "return (logits - is_target) / targets.numel()"),),
        "1 is taken off the logits; it belongs off the probabilities.",
        "All logits are 5. What did the model predict?",
    ),
    Misconception(
        "exponentials_overflow",
        "cross_entropy_backward",
        ((EXPS, "exps = logits.exp()"),),
        "The exponentials are taken of the logits as they are: exp(1000) is infinite, and inf / inf is NaN.",
        "Which number may you subtract from a whole row without changing a probability?",
    ),
    Misconception(
        "largest_of_all_rows_taken_off",
        "cross_entropy_backward",
        ((EXPS, "exps = (logits - logits.max()).exp()"),),
        "The largest logit of all rows is subtracted: a row far below it is left with nothing but zeros, and 0 / 0.",
        "After the subtraction, what is the largest number of each row?",
    ),
    Misconception(
        "probabilities_of_the_first_axis",
        "cross_entropy_backward",
        (
            (EXPS, "exps = (logits - logits.amax(dim=0, keepdim=True)).exp()"),
            (PROBS, "probs = exps / exps.sum(dim=0, keepdim=True)"),
        ),
        "The probabilities add up to 1 over the rows, not over the logits of each row.",
        "Which numbers compete with each other?",
    ),
    Misconception(
        "next_class_marked",
        "cross_entropy_backward",
        ((IS_TARGET, IS_TARGET + ".roll(1, -1)"),),
        "The 1 is taken off one place after the target: targets count from 0.",
        "Which place has target 0?",
    ),
    Misconception(
        "logits_changed_in_place",
        "cross_entropy_backward",
        ((EXPS, "logits -= logits.amax(dim=-1, keepdim=True)\n    exps = logits.exp()"),),
        "The largest is subtracted in place, which changes the logits that were passed in.",
        "What does `logits -= ...` do to the caller's logits?",
    ),
    Misconception(
        "targets_of_one_axis",
        "cross_entropy_backward",
        ((IS_TARGET, "is_target = torch.zeros_like(probs)\n    is_target[range(len(targets)), targets] = 1"),),
        "This is written for exactly one axis before the last: [range(len(targets)), targets] finds the targets' "
        "logits in a table alone.",
        "What are the first two axes of the logits, when the targets have the shape (2, 3)?",
    ),
    # layer_norm_backward
    Misconception(
        "mean_and_variance_taken_for_constants",
        "layer_norm_backward",
        ((X_OF_NORM, "x_grad = grad / std"),),
        "Mean and variance are taken for constants; both depend on x, and send gradients back.",
        "If x grows as a whole, what happens to y?",
    ),
    Misconception(
        "path_through_the_mean_forgotten",
        "layer_norm_backward",
        ((X_OF_NORM, "x_grad = (grad - along_stretch) / std"),),
        "The mean is taken for a constant; it depends on x, and sends a gradient back.",
        "What do the gradients of a vector add up to?",
    ),
    Misconception(
        "path_through_the_variance_forgotten",
        "layer_norm_backward",
        ((X_OF_NORM, "x_grad = (grad - along_shift) / std"),),
        "The variance is taken for a constant; it depends on x, and sends a gradient back.",
        "If x is stretched and eps is tiny, what happens to y?",
    ),
    Misconception(
        "variance_path_sign_turned",
        "layer_norm_backward",
        ((X_OF_NORM, "x_grad = (grad - along_shift + along_stretch) / std"),),
        "What comes back through the variance is added where it should be taken off.",
        "If x is stretched and eps is tiny, what happens to y?",
    ),
    Misconception(
        "variance_path_not_times_normalised",
        "layer_norm_backward",
        ((STRETCH, "along_stretch = (grad * normalised).mean(dim=-1, keepdim=True)"),),
        "What comes back through the variance is the same for each number; it belongs in proportion to its deviation.",
        "Which numbers of a vector raise its variance most, and which hardly?",
    ),
    Misconception(
        "variance_path_doubled",
        "layer_norm_backward",
        ((STRETCH, "along_stretch = 2 * normalised * (grad * normalised).mean(dim=-1, keepdim=True)"),),
        "What comes back through the variance counts twice: the root's half has not cancelled the square's 2.",
        "What is the derivative of a square root?",
    ),
    Misconception(
        "sums_instead_of_means",
        "layer_norm_backward",
        (
            (SHIFT, "along_shift = grad.sum(dim=-1, keepdim=True)"),
            (STRETCH, "along_stretch = normalised * (grad * normalised).sum(dim=-1, keepdim=True)"),
        ),
        "What is taken off are sums over each vector; a number's part in the mean and the variance is one d-th.",
        "By how much does a mean of d numbers grow, when one of them grows by 1?",
    ),
    Misconception(
        "variance_path_summed",
        "layer_norm_backward",
        ((STRETCH, "along_stretch = normalised * (grad * normalised).sum(dim=-1, keepdim=True)"),),
        "What comes back through the variance is summed over the vector; the variance is a mean, so this is one too.",
        "By how much does a mean of d numbers grow, when one of them grows by 1?",
    ),
    Misconception(
        "means_over_everything",
        "layer_norm_backward",
        ((SHIFT, "along_shift = grad.mean()"), (STRETCH, "along_stretch = normalised * (grad * normalised).mean()")),
        "What is taken off are means over all vectors together; each vector was normalised on its own.",
        "For x of shape (2, 3, 8), how many means did the forward pass take?",
    ),
    Misconception(
        "scale_forgotten_on_the_way_back",
        "layer_norm_backward",
        ((SCALED, "\n"),),
        "What goes on to x is not multiplied by w, which multiplied on the way forward.",
        "w is 0 for one number. What does that number's output tell about x?",
    ),
    Misconception(
        "scale_multiplied_in_last",
        "layer_norm_backward",
        ((SCALED, "\n"), (X_OF_NORM, "x_grad = w * (grad - along_shift - along_stretch) / std")),
        "w is multiplied in after the means are taken off; it came last on the way forward, and so comes first now.",
        "What do the gradients of a vector add up to?",
    ),
    Misconception(
        "not_divided_by_std",
        "layer_norm_backward",
        ((X_OF_NORM, "x_grad = grad - along_shift - along_stretch"),),
        "The gradient of x is not divided by the standard deviation.",
        "A vector has a large spread. How much does y change, when x does a little?",
    ),
    Misconception(
        "divided_by_the_variance",
        "layer_norm_backward",
        ((X_OF_NORM, "x_grad = (grad - along_shift - along_stretch) / std.pow(2)"),),
        "The gradient of x is divided by the variance, not by its root.",
        "What was the denominator on the way forward?",
    ),
    Misconception(
        "eps_left_out",
        "layer_norm_backward",
        ((STD, "std = centred.pow(2).mean(dim=-1, keepdim=True).sqrt()"),),
        "eps is left out, so that a vector of equal numbers gives NaN.",
        "What is zero divided by zero?",
    ),
    Misconception(
        "eps_added_to_the_root",
        "layer_norm_backward",
        ((STD, "std = centred.pow(2).mean(dim=-1, keepdim=True).sqrt() + eps"),),
        "eps is added to the standard deviation; it belongs to the variance, inside the root.",
        "Where does eps go: next to the variance, or next to the standard deviation?",
    ),
    Misconception(
        "sample_variance",
        "layer_norm_backward",
        ((STD, "std = (centred.pow(2).sum(dim=-1, keepdim=True) / (len(w) - 1) + eps).sqrt()"),),
        "The variance is divided by d - 1, which is what torch.var and torch.std do unless told otherwise.",
        "What does torch.var divide by, if you say nothing?",
    ),
    Misconception(
        "w_grad_of_x_itself",
        "layer_norm_backward",
        ((W_OF_NORM, "w_grad = (grad * x).reshape(-1, len(w)).sum(dim=0)"),),
        "The gradient of w is made with x; w multiplied the normalised vector.",
        "What did w multiply on the way forward?",
    ),
    Misconception(
        "w_grad_of_the_deviations",
        "layer_norm_backward",
        ((W_OF_NORM, "w_grad = (grad * centred).reshape(-1, len(w)).sum(dim=0)"),),
        "The gradient of w is made with the deviations; w multiplied them only after their division by std.",
        "What did w multiply on the way forward?",
    ),
    Misconception(
        "w_in_its_own_gradient",
        "layer_norm_backward",
        (
            (W_OF_NORM, "w_grad = (grad * w * normalised).reshape(-1, len(w)).sum(dim=0)"),
            (B_OF_NORM, "b_grad = (grad * w).reshape(-1, len(w)).sum(dim=0)"),
        ),
        "w is multiplied into what arrives before the gradients of w and b are made; it belongs on the way to x alone.",
        "y = normalised * w + b. What is the slope of y in b?",
    ),
    Misconception(
        "scale_and_shift_averaged",
        "layer_norm_backward",
        (
            (W_OF_NORM, "w_grad = (grad * normalised).reshape(-1, len(w)).mean(dim=0)"),
            (B_OF_NORM, "b_grad = grad.reshape(-1, len(w)).mean(dim=0)"),
        ),
        "The gradients of w and b are averaged over the positions and not added up.",
        "w was used at every position. What does a number get that was used in several places?",
    ),
    Misconception(
        "scale_and_shift_of_the_first_axis",
        "layer_norm_backward",
        (
            (W_OF_NORM, "w_grad = (grad * normalised).sum(dim=0)"),
            (B_OF_NORM, "b_grad = grad.sum(dim=0)"),
        ),
        "The gradients of w and b are summed over the first axis alone: with a batch and a sequence they keep an axis "
        "too many, with neither they have none left.",
        "Over which axes was w broadcast on the way forward?",
    ),
)

# Mutations of the reference that no law can tell from it, and why
EQUIVALENT: dict[str, str] = {}
