"""Texts to draw windows from, and what is drawn beside them."""

from typing import Any

import torch
from torch import Tensor

from graders.engine.law import expect_equal
from graders.engine.script import Handle, Teller, parameter
from graders.engine.space import Case, fixed, space


@space(batch=(1, 3), n_ctx=(1, 4), n_windows=(1, 5))
def texts(case, batch, n_ctx, n_windows):
    """A text in which no token occurs twice, so that a window shows where it is from."""
    case.show("batch", batch)
    case.show("n_ctx", n_ctx)
    shuffled = torch.randperm(n_ctx + n_windows, generator=torch.Generator().manual_seed(case.seed))
    case.show("data", 10 + shuffled, length=n_ctx + n_windows)


@space(batch=(1, 3), n_ctx=(1, 4))
def shortest_texts(case, batch, n_ctx):
    """Texts of n_ctx + 1 tokens."""
    texts.build(case, batch=batch, n_ctx=n_ctx, n_windows=1)


long_texts = fixed(lambda where: [texts.case(1, batch=40, n_ctx=30, n_windows=900)])
texts_of_two_windows = fixed(lambda where: [texts.case(1, batch=3, n_ctx=n_ctx, n_windows=2) for n_ctx in (1, 3)])
texts_of_many_windows = fixed(lambda where: [texts.case(1, batch=400, n_ctx=1, n_windows=1000)])
texts_of_few_windows = fixed(lambda where: [texts.case(3, batch=8000, n_ctx=3, n_windows=8)])


def example(length: int, batch: int, n_ctx: int, **more: int) -> Case:
    """A case that is not drawn."""
    case = Case(0, {})
    for name, value in ({"data": torch.arange(length) % 4, "batch": batch, "n_ctx": n_ctx} | more).items():
        case.show(name, value)
    return case


def drawn_by_torch(do: Teller) -> Handle:
    """What PyTorch's own generator draws next."""
    return do.make(parameter(torch.zeros(3))).data.uniform_()


def expect_own_generator(seen: dict[str, Any]) -> None:
    """Hold that PyTorch's own generator draws after the calls what it would have drawn before them."""
    what = "what PyTorch's own generator draws next"
    expect_equal(seen["after"], seen["before"], what=what, note="all chance should come from the generator passed in")


def expect_windows(case: Case, x: Tensor, y: Tensor) -> None:
    """Hold that x and y are windows of the text, y one token later."""
    for row in range(len(x)):
        start = int((case.data == x[row, 0]).nonzero()[0])
        note = f"the text from token {start} on"
        expect_equal(x[row], case.data[start : start + case.n_ctx], what=f"row {row} of x", note=note)
        note = f"the text from token {start + 1} on"
        expect_equal(y[row], case.data[start + 1 : start + 1 + case.n_ctx], what=f"row {row} of y", note=note)
