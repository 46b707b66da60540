"""The specification of linear CKA, as laws that hold for every input. Read it beside `exercises/cka.py`."""

import torch
from torch import Tensor

from graders.engine.law import expect_equal, expect_refusals, law
from graders.engine.space import fixed, given_case, space

FIRST, SECOND, THIRD = [[0.0, 1.0], [2.0, 1.0], [1.0, 4.0]], [[1.0], [-1.0], [0.0]], [[3.0], [3.0], [9.0]]


def rows(values: list[list[float]]) -> Tensor:
    """Numbers written by hand, in float64."""
    return torch.tensor(values, dtype=torch.float64)


@space(n=(3, 7), d_x=(1, 5), d_y=(1, 5))
def layers(case, n, d_x, d_y):
    """What two layers of different widths make of some examples, the mean of a column seldom 0."""
    case.tensor("x", n=n, d_x=d_x)
    case.tensor("y", n=n, d_y=d_y)
    for layer in (case.x, case.y):  # no layer that is the same for all examples
        layer[0, 0] = layer[1, 0] + 1
        if case.seed % 3 == 2:  # but, as in most real layers, numbers that are
            layer[:, 1:] = torch.where(torch.arange(1, layer.shape[1]) % 2 == 1, layer[0, 1:], layer[:, 1:])


@space(n=(3, 7), d_x=(1, 5), d_y=(1, 5))
def shifted_layers(case, n, d_x, d_y):
    """Layers whose columns are far from 0, each at another place."""
    layers.build(case, n, d_x, d_y)
    case.show("x", case.x + 3 * torch.arange(1, d_x + 1), n=n, d_x=d_x)
    case.show("y", case.y - 2 * torch.arange(1, d_y + 1), n=n, d_y=d_y)


@fixed
def wide_layers(where):
    """Forty examples of 300 and of 90 numbers: more numbers than examples, as in a real layer."""
    return [layers.case(1, n=40, d_x=300, d_y=90)]


@fixed
def many_examples(where):
    """More examples than numbers."""
    return [layers.case(2, n=500, d_x=9, d_y=4)]


@fixed
def worked_by_hand(where):
    """The example of docs/exercises/cka.md: three examples, a layer of two numbers, and two layers of one."""
    axes = {"x": "n d_x", "y": "n d_y"}
    return [
        given_case(expected, axes, x=rows(FIRST), y=rows(y))
        for y, expected in ((SECOND, 1 / 10**0.5), (THIRD, 3 / 10**0.5))
    ]


def by_distances(x: Tensor, y: Tensor) -> Tensor:
    """The same number from products of examples, (n n), not of columns: Kornblith et al. 2019, equation 3."""
    n = len(x)
    centring = torch.eye(n, dtype=x.dtype) - 1 / n
    a, b = (centring @ layer @ layer.T @ centring for layer in (x, y))
    return (a * b).sum() / ((a * a).sum() * (b * b).sum()).sqrt()


@law("linear_cka", worked_by_hand)
def test_numbers_worked_by_hand(subject, reference, case):
    """The page's layers are alike by 0.316228, one by the root of 10, and by three times that."""
    expected = torch.tensor(case.expected, dtype=torch.float64)
    expect_equal(subject.linear_cka(case.x, case.y), expected, note="worked out by hand on the page")


@law("linear_cka", layers)
def test_a_layer_is_itself(subject, reference, case):
    """A layer and itself are alike by 1, and so are a layer and the same ten times or a millionth as large."""
    one = torch.tensor(1.0, dtype=case.x.dtype)
    expect_equal(subject.linear_cka(case.x, case.x.clone()), one, what="a layer and itself")
    expect_equal(subject.linear_cka(case.x, 10 * case.x), one, what="a layer and ten times itself")
    expect_equal(subject.linear_cka(case.x, 1e-6 * case.x), one, what="a layer and a millionth of itself")


@law("linear_cka", shifted_layers)
def test_where_the_columns_lie_does_not_matter(subject, reference, case):
    """A number added to a column, to each its own, changes nothing."""
    shifted = case.x + torch.arange(1, case.x.shape[1] + 1)
    yours = subject.linear_cka(shifted, case.y - 5)
    expect_equal(yours, subject.linear_cka(case.x, case.y), note="of the layers as they were")


@law("linear_cka", layers)
def test_alikeness_is_that_of_the_formula(subject, reference, case):
    """The number is |yT x|^2 / (|xT x| |yT y|), with centred columns and |.| the root of the sum of all squares."""
    expect_equal(subject.linear_cka(case.x, case.y), reference.linear_cka(case.x, case.y))


@law("linear_cka", shifted_layers)
def test_alikeness_is_that_of_the_examples(subject, reference, case):
    """The number is the cosine between the two layers' tables of how alike each two examples are."""
    expect_equal(subject.linear_cka(case.x, case.y), by_distances(case.x, case.y), note="from products of examples")


@law("linear_cka", shifted_layers)
def test_the_two_layers_may_change_places(subject, reference, case):
    """It does not matter which layer is called x; nor in which order the examples come."""
    yours = subject.linear_cka(case.y.flip(0), case.x.flip(0))
    expect_equal(yours, subject.linear_cka(case.x, case.y), note="in the first order")


@law("linear_cka", shifted_layers)
def test_a_turned_layer_is_the_same_layer(subject, reference, case):
    """A layer that is turned in its space, so that every column becomes a mixture, is as alike as before."""
    matrix = torch.linalg.qr(torch.cos(torch.arange(1.0, 1 + case.x.shape[1] ** 2)).view(-1, case.x.shape[1]).double())[
        0
    ]
    expect_equal(subject.linear_cka(case.x @ matrix, case.y), subject.linear_cka(case.x, case.y), note="not turned")


@law("linear_cka", layers)
def test_gradients_reach_both_layers(subject, reference, case):
    """Gradients reach x and y."""
    yours = subject.gradients("linear_cka", case.x, case.y)
    expect_equal(yours, reference.gradients("linear_cka", case.x, case.y), what="gradient of")


@law("linear_cka", layers.in_float32())
def test_alikeness_in_float32(subject, reference, case):
    """In float32 the number is the same, to float32's precision, in float32."""
    expect_equal(subject.linear_cka(case.x, case.y), reference.linear_cka(case.x, case.y))


@law("linear_cka", wide_layers)
def test_wide_layers_are_compared(subject, reference, case):
    """Layers of 300 and of 90 numbers, and only 40 examples, are compared as well."""
    expect_equal(subject.linear_cka(case.x, case.y), by_distances(case.x, case.y), note="from products of examples")


@law("linear_cka", many_examples)
def test_many_examples_are_compared(subject, reference, case):
    """Five hundred examples are compared as well."""
    expect_equal(subject.linear_cka(case.x, case.y), reference.linear_cka(case.x, case.y))


@law("linear_cka", worked_by_hand)
def test_what_cannot_be_compared_is_refused(subject, reference, case):
    """Not as many rows in both, fewer than two, rows that are all equal, other axes, NaN: ValueError."""
    x, y = case.x, case.y
    calls = {
        "two rows and three": (x[:2], y),
        "three rows and one": (x, y[:1]),
        "one row in both": (x[:1], y[:1]),
        "no rows": (x[:0], y[:0]),
        "rows of x that are all equal": (x[:1].expand(3, -1), y),
        "rows of y that are all equal": (x, y[:1].expand(3, -1)),
        **{
            f"rows of x that are all {value}": (
                torch.full((n, 2), value, dtype=x.dtype),
                y[:1] + torch.arange(n)[:, None],
            )
            for n in (3, 7)
            for value in (0.1, 0.7)  # whose mean is rounded: a little of them is left when it is taken off
        },
        "an axis too few": (x[:, 0], y),
        "an axis too many": (x, y.unsqueeze(2)),
        "a NaN in x": (x.index_fill(0, torch.tensor(0), torch.nan), y),
        "an infinity in y": (x, y.index_fill(0, torch.tensor(2), torch.inf)),
    }
    expect_refusals(subject, "linear_cka", calls)
