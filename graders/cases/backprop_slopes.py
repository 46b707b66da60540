"""What goes into backward passes, and two ways to know what comes of them: autograd, and a small step."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from graders.cases.softmax_logits import HUGE, predictions
from graders.engine.law import expect_equal
from graders.engine.space import Case, Fixed, fixed, space

STEP = 1e-100


def rows(*values: list[float] | float) -> Tensor:
    """A tensor in float64."""
    return torch.tensor(values, dtype=torch.float64)


LINEAR_W = rows([2, -1], [0, 3])
# Of each task: what goes in, in the order of its arguments, and what comes of it; of two also for one position alone,
# without an axis before the last
EXAMPLES: dict[str, list[tuple[dict[str, Any], Any]]] = {
    "linear_backward": [
        (
            {"x": rows([1, 2], [3, 0]), "W": LINEAR_W, "grad": rows([1, 2], [3, -1])},
            {"x": rows([0, 6], [7, -3]), "W": rows([10, -1], [2, 4]), "b": rows(4, 1)},
        ),
        (
            {"x": rows(1, 2), "W": LINEAR_W, "grad": rows(1, 2)},
            {"x": rows(0, 6), "W": rows([1, 2], [2, 4]), "b": rows(1, 2)},
        ),
    ],
    "relu_backward": [({"x": rows(-1, -0.0, 0, 1e-12, 2), "grad": rows(3, 4, 5, 6, -7)}, rows(0, 0, 0, 6, -7))],
    "softmax_backward": [({"y": rows(0.5, 0.3, 0.2), "grad": rows(1, 2, 6)}, rows(-0.65, -0.09, 0.74))],
    "cross_entropy_backward": [
        (
            {"logits": rows([0, 0, math.log(2)], [-math.inf, math.log(2), 0]), "targets": torch.tensor([2, 2])},
            rows([1 / 8, 1 / 8, -1 / 4], [0, 1 / 3, -1 / 3]),
        ),
        ({"logits": rows(0, 0, math.log(2)), "targets": torch.tensor(2)}, rows(1 / 4, 1 / 4, -1 / 2)),
    ],
    "layer_norm_backward": [
        (
            {"x": rows(0, 3, 6), "w": rows(-1, 2, -1), "eps": 3.0, "grad": rows(2, 2, -1)},
            {"x": rows(-2 / 3, 1, -1 / 3), "w": rows(-2, 0, -1), "b": rows(2, 2, -1)},
        ),
    ],
}


def positions(**sizes: int) -> dict[str, int]:
    """The axes before the last one: none of size 0, so that there may be no axis, one or two."""
    return {name: size for name, size in sizes.items() if size}


@space(batch=(0, 3), seq=(0, 4, 2), d_in=(1, 4), d_out=(1, 4))
def layers(case, batch, seq, d_in, d_out):
    """What went into a linear layer at no, one or several positions, and the gradient that arrives."""
    axes = positions(batch=batch, seq=seq)
    case.tensor("x", **axes, d_in=d_in)
    case.tensor("W", d_in=d_in, d_out=d_out)
    case.tensor("grad", **axes, d_out=d_out)


@space(batch=(0, 3), seq=(0, 4, 1), d=(1, 5))
def activations(case, batch, seq, d):
    """Numbers of which many are 0, some just beside it, and the gradient that arrives."""
    axes = positions(batch=batch, seq=seq)
    x, kind = case.draw(*axes.values(), d), case.draw(*axes.values(), d)
    x = torch.where(kind > 1, x / 1e12, torch.where(kind < -0.5, torch.zeros_like(x), x))
    case.show("x", x, **axes, d=d)
    case.tensor("grad", **axes, d=d)


@space(batch=(0, 3), seq=(0, 4, 1), n=(1, 6))
def probabilities(case, batch, seq, n):
    """Probabilities, in every third case some of 0, the numbers that they are the softmax of, and what arrives."""
    axes = positions(batch=batch, seq=seq)
    case.x = case.draw(*axes.values(), n)
    if case.seed % 3 == 0:
        is_gap = case.draw(*axes.values(), n) > 0
        is_gap[..., case.seed % n] = False
        case.x = case.x.masked_fill(is_gap, -math.inf)
    case.show("y", case.x.softmax(dim=-1), **axes, n=n)
    case.tensor("grad", **axes, n=n)


@space(batch=(0, 3), seq=(0, 4, 2), n=(2, 6))
def rows_far_apart(case, **sizes):
    """Rows of logits about ten thousand or minus ten thousand, some spread out between; some are -inf, no target's."""
    predictions.build(case, **sizes)
    logits, where = case.logits, case.draw(*case.targets.shape, 1)
    spread = logits / logits.abs().max().clamp(min=0.1) * HUGE
    logits = torch.where(where == where.max(), spread, logits + HUGE * where.sign())
    is_gap = (case.draw(*logits.shape) > 0) & ~case.is_target
    case.logits = logits.masked_fill(is_gap, -math.inf)


@space(batch=(0, 3), seq=(0, 4, 1), d=(1, 6, 3))
def streams(case, batch, seq, d):
    """Vectors, a scale, an eps, and the gradient that arrives."""
    axes = positions(batch=batch, seq=seq)
    case.tensor("x", **axes, d=d)
    case.tensor("w", d=d)
    case.show("eps", (1e-5, 0.1)[case.seed % 2])
    case.tensor("grad", **axes, d=d)


@space(batch=(0, 3), seq=(0, 4, 1), d=(2, 6, 3))
def streams_that_end_in_a_constant(case, **sizes):
    """The same, but the numbers of the last vector are all equal."""
    streams.build(case, **sizes)
    last = case.x.reshape(-1, sizes["d"])[-1]
    last[:] = last[0].clone()


few_rows_far_apart = fixed(lambda where: list(rows_far_apart.in_float32().further(6)))


def many(task: str) -> Fixed:
    """One case of a task at larger sizes, in float32."""
    spaces = {
        "linear_backward": (layers, {"d_in": 30, "d_out": 20}),
        "relu_backward": (activations, {"d": 30}),
        "softmax_backward": (probabilities, {"n": 30}),
        "cross_entropy_backward": (predictions, {"n": 30}),
        "layer_norm_backward": (streams, {"d": 30}),
    }
    cases, sizes = spaces[task]
    return fixed(lambda where: [cases.in_float32().case(3, batch=9, seq=14, **sizes)])


def worked_by_hand(task: str) -> Fixed:
    """The example of a task on the exercise's page: `inputs` in the order of its arguments, and what is `expected`."""

    def load(where: str | None) -> list[Case]:
        cases = []
        for inputs, expected in EXAMPLES[task]:
            case = Case(0, {})
            case.expected = expected
            case.inputs = [case.show(name, value, **named(value)) for name, value in inputs.items()]
            cases.append(case)
        return cases

    return fixed(load)


def named(value: Tensor | float) -> dict[str, int]:
    """The axes of a tensor of a worked example."""
    sizes = value.shape if isinstance(value, Tensor) else ()
    return dict(zip(("positions", "numbers")[-len(sizes) :], sizes, strict=True)) if sizes else {}


def autograd(loss: Callable[..., Tensor], **values: Tensor) -> dict[str, Tensor]:
    """The gradient of a loss for each of its arguments, found by PyTorch."""
    leaves = {name: value.clone().requires_grad_() for name, value in values.items()}
    return dict(zip(leaves, torch.autograd.grad(loss(**leaves), list(leaves.values())), strict=True))


def slopes(loss: Callable[[Tensor], Tensor], value: Tensor) -> Tensor:
    """How much the sum of a loss grows with each number of a value; same shape as the value.

    `loss` takes the value with an axis more in front, one for each step, and keeps that axis. The steps go along the
    imaginary axis, where no difference of nearly equal numbers is taken and so no digit is lost (Squire and Trapp,
    "Using complex variables to estimate derivatives of real functions", 1998).
    """
    steps = STEP * 1j * torch.eye(value.numel(), dtype=torch.complex128).reshape(-1, *value.shape)
    return (loss(value + steps).imag / STEP).flatten(1).sum(dim=1).reshape(value.shape)


def moved(value: Tensor) -> Tensor:
    """A whole number for each row of a value by which it may be moved, other ones for neighbours."""
    return (torch.arange(value[..., :1].numel()) % 7 - 3.0).reshape(value[..., :1].shape).to(value)


def expect_gradients(yours: tuple[Tensor, ...], expected: dict[str, Tensor], note: str = "") -> None:
    """Hold that several gradients agree; the expected ones have names."""
    expect_equal(len(yours), len(expected), what="how many gradients come back")
    for one, (name, other) in zip(yours, expected.items(), strict=True):
        expect_equal(one, other, what=f"gradient of {name}", note=note)
