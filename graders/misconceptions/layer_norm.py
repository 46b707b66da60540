"""Known mistakes in layer normalisation: each a patch on `reference/layer_norm.py` that makes it."""

from graders.engine.misconception import Misconception

CENTRED = "centred = x - x.mean(dim=-1, keepdim=True)"
VARIANCE = "variance = centred.pow(2).mean(dim=-1, keepdim=True)"
NORMALISED = "normalised = centred / (variance + self.eps).sqrt()"
OUT = "return normalised * self.w + self.b"


def over(dim: str) -> tuple[tuple[str, str], ...]:
    """Mean and variance taken over other axes."""
    return (
        (CENTRED, f"centred = x - x.mean({dim})"),
        (VARIANCE, f"variance = centred.pow(2).mean({dim})"),
    )


MISCONCEPTIONS = (
    # which numbers are averaged
    Misconception(
        "over_sequence_and_columns",
        "LayerNorm",
        over("dim=(1, 2), keepdim=True"),
        "Mean and variance are taken over a whole text, not over each vector.",
        "For x of shape (2, 3, 8), how many means are there?",
    ),
    Misconception(
        "over_the_sequence",
        "LayerNorm",
        over("dim=1, keepdim=True"),
        "Mean and variance are taken along the sequence, column by column, not over each vector.",
        "If you change token 0, does the result of token 1 change?",
    ),
    Misconception(
        "over_the_batch",
        "LayerNorm",
        over("dim=0, keepdim=True"),
        "Mean and variance are taken over the batch, as batch normalisation does, not over each vector.",
        "If another text of the batch changes, does the result of this one change?",
    ),
    Misconception(
        "over_batch_and_sequence",
        "LayerNorm",
        over("dim=(0, 1), keepdim=True"),
        "Mean and variance of each column are taken over all texts and tokens, as batch normalisation does.",
        "If another text of the batch changes, does the result of this one change?",
    ),
    Misconception(
        "over_everything",
        "LayerNorm",
        over(""),
        "One mean and one variance are taken of the whole tensor: no axis was named.",
        "For x of shape (2, 3, 8), how many means are there?",
    ),
    Misconception(
        "keepdim_missing",
        "LayerNorm",
        over("dim=-1"),
        "Mean and variance have lost their last axis, so they no longer line up with x (or line up with a wrong axis).",
        "What shape has x.mean(dim=-1), and with which axes of x does it line up?",
    ),
    Misconception(
        "keepdim_missing_of_x",
        "LayerNorm",
        (
            (CENTRED, "centred = x - x.mean(dim=-1)"),
            (VARIANCE, "variance = x.var(dim=-1, correction=0)"),
        ),
        "Mean and variance have lost their last axis, so they no longer line up with x (or line up with a wrong axis).",
        "What shape has x.mean(dim=-1), and with which axes of x does it line up?",
    ),
    Misconception(
        "keepdim_missing_in_mean",
        "LayerNorm",
        (
            (CENTRED, "centred = x - x.mean(dim=-1)"),
            (VARIANCE, "variance = x.var(dim=-1, correction=0, keepdim=True)"),
        ),
        "The mean has lost its last axis, so it no longer lines up with x (or lines up with a wrong axis).",
        "What shape has your mean, and with which axes of x does it line up?",
    ),
    Misconception(
        "keepdim_missing_in_variance",
        "LayerNorm",
        ((VARIANCE, "variance = centred.pow(2).mean(dim=-1)"),),
        "The variance has lost its last axis, so it no longer lines up with x (or lines up with a wrong axis).",
        "What shape has your variance, and with which axes of x does it line up?",
    ),
    # how they are centred and divided
    Misconception(
        "unbiased_variance",
        "LayerNorm",
        ((VARIANCE, "variance = x.var(dim=-1, keepdim=True)"),),
        "The variance is divided by d_model - 1, which is what torch.var and torch.std do unless told otherwise.",
        "What does torch.var divide by, if you say nothing?",
    ),
    Misconception(
        "unbiased_and_eps_outside",
        "LayerNorm",
        (
            (VARIANCE, "variance = x.var(dim=-1, keepdim=True)"),
            (NORMALISED, "normalised = centred / (variance.sqrt() + self.eps)"),
        ),
        "The standard deviation is torch.std's, divided by d_model - 1, and eps is added to it outside the root.",
        "What does torch.std divide by, if you say nothing, and where does eps go?",
    ),
    Misconception(
        "sum_of_squares",
        "LayerNorm",
        ((VARIANCE, "variance = centred.pow(2).sum(dim=-1, keepdim=True)"),),
        "The squared deviations are added up but not divided by d_model, so each vector gets length one.",
        "Is the variance the sum or the mean of the squared deviations?",
    ),
    Misconception(
        "absolute_deviation",
        "LayerNorm",
        (
            (VARIANCE, "deviation = centred.abs().mean(dim=-1, keepdim=True)"),
            (NORMALISED, "normalised = centred / (deviation.pow(2) + self.eps).sqrt()"),
        ),
        "The vectors are divided by their mean absolute deviation, not by their standard deviation.",
        "What is done to the deviations before they are averaged?",
    ),
    Misconception(
        "divided_by_variance",
        "LayerNorm",
        ((NORMALISED, "normalised = centred / (variance + self.eps)"),),
        "The vectors are divided by the variance, not by its square root.",
        "If x is twice as large, what happens to its variance, and to its standard deviation?",
    ),
    Misconception(
        "divided_by_variance_without_eps",
        "LayerNorm",
        ((NORMALISED, "normalised = centred / variance"),),
        "The vectors are divided by the variance, not by its square root, and eps is left out.",
        "If x is twice as large, what happens to its variance, and to its standard deviation?",
    ),
    Misconception(
        "root_taken_twice",
        "LayerNorm",
        ((NORMALISED, "normalised = centred / (variance.sqrt() + self.eps).sqrt()"),),
        "The square root is taken twice: of the variance, and again of the standard deviation plus eps.",
        "Is a standard deviation a square, or the root of one?",
    ),
    Misconception(
        "squares_of_x",
        "LayerNorm",
        ((VARIANCE, "variance = x.pow(2).mean(dim=-1, keepdim=True)"),),
        "The variance is the mean of the squares of x itself, not of its deviations from the mean.",
        "What is the variance of a vector whose numbers are all 5?",
    ),
    Misconception(
        "multiplied_by_standard_deviation",
        "LayerNorm",
        ((NORMALISED, "normalised = centred * (variance + self.eps).sqrt()"),),
        "The vectors are multiplied by the standard deviation instead of divided by it.",
        "Should a vector with a large spread be shrunk or stretched?",
    ),
    Misconception(
        "not_divided",
        "LayerNorm",
        ((NORMALISED, "normalised = centred"),),
        "The vectors are centred but not divided by their standard deviation.",
        "You multiply x by 10. What should happen to the result?",
    ),
    Misconception(
        "not_centred",
        "LayerNorm",
        ((CENTRED, "centred = x"),),
        "The mean is not subtracted: this is RMS normalisation.",
        "You add 10 to every number of a vector. What should happen to the result?",
    ),
    Misconception(
        "mean_left_in_the_numerator",
        "LayerNorm",
        ((NORMALISED, "normalised = x / (variance + self.eps).sqrt()"),),
        "x itself is divided by the standard deviation; its mean has not been subtracted.",
        "You add 10 to every number of a vector. What should happen to the result?",
    ),
    Misconception(
        "mean_subtracted_after_dividing",
        "LayerNorm",
        (
            (
                NORMALISED,
                "normalised = x / (variance + self.eps).sqrt() - x.mean(dim=-1, keepdim=True)",
            ),
        ),
        "Only x is divided by the standard deviation, not the difference of x and its mean: brackets are missing.",
        "What stands above the line of the fraction?",
    ),
    # eps
    Misconception(
        "eps_omitted",
        "LayerNorm",
        ((NORMALISED, "normalised = centred / variance.sqrt()"),),
        "eps is left out, so a vector of equal numbers becomes NaN.",
        "What is zero divided by zero?",
    ),
    Misconception(
        "eps_outside_the_root",
        "LayerNorm",
        ((NORMALISED, "normalised = centred / (variance.sqrt() + self.eps)"),),
        "eps is added to the standard deviation; it belongs to the variance, inside the root.",
        "Where does eps go: next to the variance, or next to the standard deviation?",
    ),
    Misconception(
        "eps_squared",
        "LayerNorm",
        ((NORMALISED, "normalised = centred / (variance + self.eps**2).sqrt()"),),
        "The square of eps is added to the variance.",
        "What exactly stands under the root?",
    ),
    Misconception(
        "eps_as_floor_of_the_variance",
        "LayerNorm",
        ((NORMALISED, "normalised = centred / variance.clamp(min=self.eps).sqrt()"),),
        "eps is taken as the smallest variance allowed; it should be added to every variance.",
        "What does eps do to a vector whose variance is large?",
    ),
    Misconception(
        "eps_as_floor_of_the_deviation",
        "LayerNorm",
        ((NORMALISED, "normalised = centred / variance.sqrt().clamp(min=self.eps)"),),
        "eps is taken as the smallest standard deviation allowed; it should be added to every variance.",
        "What does eps do to a vector whose variance is large?",
    ),
    Misconception(
        "eps_fixed_at_1e5",
        "LayerNorm",
        ((NORMALISED, "normalised = centred / (variance + 1e-5).sqrt()"),),
        "eps is always 1e-5, whatever cfg.layer_norm_eps says.",
        "Where is the eps of this layer kept?",
    ),
    Misconception(
        "eps_fixed_at_1e6",
        "LayerNorm",
        ((NORMALISED, "normalised = centred / (variance + 1e-6).sqrt()"),),
        "eps is always 1e-6, whatever cfg.layer_norm_eps says.",
        "Where is the eps of this layer kept?",
    ),
    Misconception(
        "eps_fixed_at_1e8",
        "LayerNorm",
        ((NORMALISED, "normalised = centred / (variance + 1e-8).sqrt()"),),
        "eps is always 1e-8, whatever cfg.layer_norm_eps says.",
        "Where is the eps of this layer kept?",
    ),
    Misconception(
        "eps_fixed_at_1e12",
        "LayerNorm",
        ((NORMALISED, "normalised = centred / (variance + 1e-12).sqrt()"),),
        "eps is always 1e-12, whatever cfg.layer_norm_eps says.",
        "Where is the eps of this layer kept?",
    ),
    # scale and shift
    Misconception(
        "affine_forgotten",
        "LayerNorm",
        ((OUT, "return normalised"),),
        "Neither w nor b is used.",
        "A fresh module has w all ones and b all zeros. What could hide behind that?",
    ),
    Misconception(
        "w_forgotten",
        "LayerNorm",
        ((OUT, "return normalised + self.b"),),
        "The scale w is not used.",
        "A fresh module has w all ones and b all zeros. What could hide behind that?",
    ),
    Misconception(
        "b_forgotten",
        "LayerNorm",
        ((OUT, "return normalised * self.w"),),
        "The shift b is not used.",
        "A fresh module has w all ones and b all zeros. What could hide behind that?",
    ),
    Misconception(
        "affine_before_normalising",
        "LayerNorm",
        (
            (CENTRED, "x = x * self.w + self.b\n        centred = x - x.mean(dim=-1, keepdim=True)"),
            (OUT, "return normalised"),
        ),
        "w and b are applied to x before it is normalised, which takes part of their effect away again.",
        "Can the result average anything but zero, if the normalisation comes last?",
    ),
    Misconception(
        "shift_scaled_too",
        "LayerNorm",
        ((OUT, "return (normalised + self.b) * self.w"),),
        "b is added before w multiplies, so the shift is scaled as well.",
        "What should a vector of equal numbers become: b, or b times w?",
    ),
    Misconception(
        "w_and_b_exchanged",
        "LayerNorm",
        ((OUT, "return normalised * self.b + self.w"),),
        "w is added and b multiplies: they have changed places.",
        "Which of the two starts as ones, and why?",
    ),
    Misconception(
        "one_plus_w",
        "LayerNorm",
        ((OUT, "return normalised * (1 + self.w) + self.b"),),
        "The scale used is 1 + w; here w starts as ones and is the scale itself.",
        "With w all ones, by how much should a vector be stretched?",
    ),
    # what else happens to x
    Misconception(
        "centred_in_place",
        "LayerNorm",
        ((CENTRED, "x -= x.mean(dim=-1, keepdim=True)\n        centred = x"),),
        "The mean is subtracted in place, which changes the residual stream that was passed in.",
        "What does `x -= ...` do to the caller's x?",
    ),
    Misconception(
        "divided_in_place",
        "LayerNorm",
        ((NORMALISED, "centred /= (variance + self.eps).sqrt()\n        normalised = centred"),),
        "The deviations are divided in place, after the variance was made from them: no gradient can be taken.",
        "Which tensors does PyTorch still need when it goes backward, and have you overwritten one of them?",
    ),
    Misconception(
        "residual_added_in_layer_norm",
        "LayerNorm",
        ((OUT, "return x + normalised * self.w + self.b"),),
        "The input is added to the result; the residual connection belongs to the block.",
        "Which exercise adds a part's result to the residual stream?",
    ),
    Misconception(
        "computed_in_float32",
        "LayerNorm",
        ((CENTRED, "x = x.float()\n        centred = x - x.mean(dim=-1, keepdim=True)"),),
        "x is turned into float32 first, which throws away half of the digits of a float64 stream.",
        "What does .float() do to a tensor that is float64?",
    ),
    Misconception(
        "statistics_detached",
        "LayerNorm",
        (
            (CENTRED, "centred = x - x.mean(dim=-1, keepdim=True).detach()"),
            (VARIANCE, "variance = centred.pow(2).mean(dim=-1, keepdim=True).detach()"),
        ),
        "Mean and variance are cut off from the gradient (.detach(), .data, .item() or no_grad).",
        "If x grows a little, its mean grows as well: does your gradient know?",
    ),
    Misconception(
        "variance_detached",
        "LayerNorm",
        ((VARIANCE, "variance = centred.detach().pow(2).mean(dim=-1, keepdim=True)"),),
        "The variance is cut off from the gradient (.detach(), .data, .item() or no_grad).",
        "If x spreads a little, its variance grows as well: does your gradient know?",
    ),
    Misconception(
        "parameters_detached",
        "LayerNorm",
        ((OUT, "return normalised * self.w.detach() + self.b.detach()"),),
        "w and b are read through .data or .detach(), so training never reaches them.",
        "Which of your calls cuts a tensor off from its gradient?",
    ),
)

# Mutations of the reference that no law can tell from it, and why
EQUIVALENT: dict[str, str] = {}
