"""Known mistakes in centred kernel alignment: each a patch on `reference/cka.py` that makes it."""

from graders.engine.misconception import Misconception

CHECK = "    check_layers(x, y)\n"
CENTRED_X = "x = x - x.mean(dim=0)"
CENTRED_Y = "y = y - y.mean(dim=0)"
TOGETHER = "together = y.T @ x"
WITHIN_X = "within_x = x.T @ x"
WITHIN_Y = "within_y = y.T @ y"
ALIKE = "return together.norm() ** 2 / (within_x.norm() * within_y.norm())"


def mistake(id: str, names: str, asks: str, *patch: tuple[str, str]) -> Misconception:
    """A mistake in some lines of the function."""
    return Misconception(id, "linear_cka", patch, names, asks)


MISCONCEPTIONS = (
    mistake(
        "not_centred",
        "The columns are not centred: layers that are far from 0 look alike, whatever they say.",
        "Add 100 to every number of both layers. Are they now more alike?",
        (CENTRED_X, "pass"),
        (CENTRED_Y, "pass"),
    ),
    mistake(
        "only_x_centred",
        "x is centred, y is not: what both lose together is then counted in y alone.",
        "You wrote the line for x. Where is the one for y?",
        (CENTRED_Y, "pass"),
    ),
    mistake(
        "only_y_centred",
        "y is centred, x is not: what both lose together is then counted in x alone.",
        "You wrote the line for y. Where is the one for x?",
        (CENTRED_X, "pass"),
    ),
    mistake(
        "examples_centred",
        "Each example was centred over its own numbers; each column is to be centred over the examples.",
        "Which axis are the examples, and over which do you take the mean?",
        (CENTRED_X, "x = x - x.mean(dim=1, keepdim=True)"),
        (CENTRED_Y, "y = y - y.mean(dim=1, keepdim=True)"),
    ),
    mistake(
        "mean_of_everything",
        "One mean of all numbers was taken off, not each column's own.",
        "How many means has a layer of 300 columns?",
        (CENTRED_X, "x = x - x.mean()"),
        (CENTRED_Y, "y = y - y.mean()"),
    ),
    mistake(
        "columns_standardised",
        "Every column was divided by its standard deviation too: one that hardly moves counts like any other.",
        "Should a column that hardly ever changes count as much as one that always does?",
        (CENTRED_X, "x = x - x.mean(dim=0)\n    x = x / (x.std(dim=0) + 1e-12)"),
        (CENTRED_Y, "y = y - y.mean(dim=0)\n    y = y / (y.std(dim=0) + 1e-12)"),
    ),
    mistake(
        "norm_not_squared",
        "The norm of yT x is not squared, so that twice as large a layer is half as alike.",
        "Make x twice as large: by what grows the upper half of the fraction, and by what the lower?",
        (ALIKE, "return together.norm() / (within_x.norm() * within_y.norm())"),
    ),
    mistake(
        "root_taken",
        "This is the square root of CKA: both halves were made norms, or the root was taken of the whole.",
        "In the formula, which norm is squared and which are not?",
        (ALIKE, "return together.norm() / (within_x.norm() * within_y.norm()).sqrt()"),
    ),
    mistake(
        "all_norms_squared",
        "All three norms are squared, so that the fraction is no longer 1 for a layer and itself.",
        "x and x: what are the three norms, and what must the fraction be?",
        (ALIKE, "return together.norm() ** 2 / (within_x.norm() ** 2 * within_y.norm() ** 2)"),
    ),
    mistake(
        "added_up_not_squared",
        "The numbers of yT x are added up where their squares should be: plus and minus cancel.",
        "Two columns, one that goes along with y and one that goes against it: do they say nothing together?",
        (ALIKE, "return together.sum() ** 2 / (within_x.norm() * within_y.norm())"),
    ),
    mistake(
        "trace_for_norm",
        "The traces of xT x and yT y were taken for their norms: how columns go with each other is left out.",
        "Which numbers of xT x does a trace not look at?",
        (ALIKE, "return together.norm() ** 2 / (within_x.trace() * within_y.trace())"),
    ),
    mistake(
        "largest_singular_value",
        "The norms are spectral, the largest singular value alone; the Frobenius norm has them all.",
        "What does `norm(2)` or `ord=2` mean for a matrix, and what for a vector?",
        (
            ALIKE,
            "def norm(matrix):\n        return torch.linalg.matrix_norm(matrix, ord=2)\n\n"
            "    import torch\n    return norm(together) ** 2 / (norm(within_x) * norm(within_y))",
        ),
    ),
    mistake(
        "divided_by_x_twice",
        "The fraction is divided by |xT x| twice, and y's own size is left in.",
        "You wrote two nearly equal lines: was every x in the second made a y?",
        (WITHIN_Y, "within_y = x.T @ x"),
    ),
    mistake(
        "divided_by_y_twice",
        "The fraction is divided by |yT y| twice, and x's own size is left in.",
        "You wrote two nearly equal lines: was every y in the second made an x?",
        (WITHIN_X, "within_x = y.T @ y"),
    ),
    mistake(
        "distance_returned",
        "This is 1 minus CKA, a distance: 0 for a layer and itself.",
        "What should come out for a layer and itself?",
        (ALIKE, "return 1 - together.norm() ** 2 / (within_x.norm() * within_y.norm())"),
    ),
    mistake(
        "centred_in_place",
        "The mean is taken off in place, so that the caller's layers are changed.",
        "What does `x -= ...` do to the layer that was handed over?",
        (CENTRED_X, "x -= x.mean(dim=0)"),
        (CENTRED_Y, "y -= y.mean(dim=0)"),
    ),
    mistake(
        "gradient_cut_off",
        "The number is cut off from the layers: no gradient flows back.",
        "Which calls (`item`, `detach`, `no_grad`, `torch.tensor`) lose the way back?",
        (ALIKE, "return (together.norm() ** 2 / (within_x.norm() * within_y.norm())).detach()"),
    ),
    mistake(
        "kept_from_0",
        "A small number was added below the line against division by 0, which changes every result.",
        "When can the lower half be 0, and which given function looks for that first?",
        (ALIKE, "return together.norm() ** 2 / (within_x.norm() * within_y.norm() + 1e-8)"),
    ),
    mistake(
        "centred_on_one_side",
        "The tables of products were centred over their rows alone; their columns have means as well.",
        "In H K H, what does the H on the right do that the one on the left does not?",
        (
            ALIKE,
            "within_x, within_y = (layer - layer.mean(dim=0) for layer in (x0 @ x0.T, y0 @ y0.T))\n"
            "    return (within_x * within_y).sum() / (within_x.norm() * within_y.norm())",
        ),
        (CHECK, CHECK + "    x0, y0 = x, y\n"),
    ),
    mistake(
        "dead_columns_refused",
        "A layer is refused for one column that is the same for all examples; only a layer that is so as a whole is.",
        "One of 300 neurons never fires. Do the other 299 say nothing?",
        (
            CHECK,
            CHECK + "    if (x == x[0]).all(dim=0).any() or (y == y[0]).all(dim=0).any():\n"
            "        raise ValueError('a column is the same for all examples')\n",
        ),
    ),
    mistake(
        "rest_of_rounding_compared",
        "Whether a layer is the same for all examples is looked for after its mean was taken off, which leaves a "
        "little: rounded, the mean of 0.1, 0.1 and 0.1 is not 0.1.",
        "What is (0.1 + 0.1 + 0.1) / 3 in your Python, and what is left of 0.1 without it?",
        (
            CHECK,
            "    for layer in (x, y):\n"
            "        is_layer = layer.ndim == 2 and len(layer) == len(x) > 1 and layer.isfinite().all()\n"
            "        if not is_layer or not (layer - layer.mean(dim=0)).any():\n"
            "            raise ValueError('not to be compared')\n",
        ),
    ),
    mistake(
        "uncomparable_not_refused",
        "What cannot be compared is not refused: a layer that is the same for all examples gives 0 / 0.",
        "What is the variance of a layer that never changes, and which given function looks for that first?",
        (CHECK, ""),
    ),
)

# Mutations of the reference that nothing can tell from it, with the reason.
EQUIVALENT: dict[str, str] = {}
