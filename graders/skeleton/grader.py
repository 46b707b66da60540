"""The specification of NAME, as laws that hold for every input. Read it beside `exercises/NAME.py`."""

import torch

from graders.engine.from_scratch import from_scratch
from graders.engine.law import expect_equal, law
from graders.engine.space import fixed, given_case, space


@space(batch=(1, 3), n=(1, 5))
def tables(case, batch, n):
    """Rows of positive numbers."""
    case.show("x", case.draw(batch, n).abs() + 0.1, batch=batch, n=n)


@fixed
def on_the_page(where):
    """The two rows that the page works by hand."""
    x = torch.tensor([[1.0, 3.0], [2.0, 6.0]], dtype=torch.float64)
    shares = torch.tensor([[0.25, 0.75], [0.25, 0.75]], dtype=torch.float64)
    return [given_case(shares, {"x": "batch n"}, x=x)]


few_tables = tables.in_float32()


# normalise


@law("normalise", tables)
def test_shares_add_up_to_one(subject, reference, case):
    """The shares of each row add up to one."""
    total = subject.normalise(case.x).sum(dim=-1)
    expect_equal(total, torch.ones_like(total), what="sum of the shares")


@law("normalise", on_the_page)
def test_shares_agree_with_the_example_on_the_page(subject, reference, case):
    """The page's 1, 3 and its 2, 6 both become 0.25, 0.75."""
    expect_equal(subject.normalise(case.x), case.expected, note="worked by hand on the page")


@law("normalise", tables)
def test_each_row_is_alone(subject, reference, case):
    """A table gives the same as its rows one by one."""
    alone = torch.cat([subject.normalise(row) for row in case.x.split(1)])
    expect_equal(subject.normalise(case.x), alone, note="row by row")


@law("normalise", tables)
def test_shares_are_as_defined(subject, reference, case):
    """Each share is a number over the sum of its row."""
    expect_equal(subject.normalise(case.x), reference.normalise(case.x))


@law("normalise", tables)
def test_gradients_are_right(subject, reference, case):
    """The gradient of each number is right: a share depends on all numbers of its row."""
    expected = reference.gradients("normalise", case.x)
    expect_equal(subject.gradients("normalise", case.x), expected, what="gradient of")


@law("normalise", few_tables)
def test_shares_are_right_in_float32(subject, reference, case):
    """In float32 too the shares are right, and in float32."""
    expect_equal(subject.normalise(case.x), reference.normalise(case.x))


test_normalise_is_from_scratch = from_scratch("NAME", "normalise")
