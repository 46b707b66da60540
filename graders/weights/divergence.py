"""Where a model first differs from what TransformerLens computed: the hook points, in the order of computation.

A wrong model is wrong everywhere after its mistake, so only the first difference says anything. The hook
points have TransformerLens's names; see also Elhage et al., "A Mathematical Framework for Transformer
Circuits", 2021, for the residual stream that they cut.

Not every different number is a mistake. Two attention layers that return the same may differ inside:

- Adding a constant to all of a query's scores leaves its pattern as it was, because a softmax does not see it.
  Leaving out `b_K` does just that (it takes q . b_K from every key's score alike), so `hook_k` is not compared, and
  scores are compared up to a constant for each query. Only unmasked scores are: `attention_scores` returns them
  before the mask, `hook_attn_scores` holds them after it.
- `b_V` may be added before or after mixing, because a pattern adds up to one.

So a difference inside a part counts only if what that part returns differs too.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

Compare = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class HookPoint:
    """One value of the forward pass.

    `name` is TransformerLens's. `recorded` is the worker's key for the learner's value: `module` is what that
    submodule returned, `module:in` its first input, `module/function` what a function returned while the module
    ran, `module/function:0` that function's first argument. `compare` turns the learner's value and the expected
    one into two tensors that should be equal. `part` is the `recorded` key of the part this point lies inside,
    if any.
    """

    name: str
    recorded: str
    compare: Compare
    part: str | None = None


@dataclass(frozen=True)
class Difference:
    """The first hook point at which a model differs.

    `last_equal` is the name of the last point compared before it, None when there is none. `index` is where in the
    tensor the first wrong number stands, `yours` and `expected` the two numbers there. When the shapes differ there
    is no such number: `index` is () and both are NaN.
    """

    last_equal: str | None
    name: str
    yours: float
    expected: float
    index: tuple[int, ...]
    yours_shape: tuple[int, ...]
    expected_shape: tuple[int, ...]


def as_they_are(yours: Tensor, expected: Tensor) -> tuple[Tensor, Tensor]:
    """Compare every number."""
    return yours, expected


def unmasked_up_to_a_constant(yours: Tensor, expected: Tensor) -> tuple[Tensor, Tensor]:
    """Compare scores (batch n_heads q k) where the key is not later than the query, free of a constant for each query.

    The constant is the median of the differences, so that one wrong score stands out and the others keep their values.
    """
    masked = torch.ones_like(expected, dtype=torch.bool).triu(1 + expected.shape[-1] - expected.shape[-2])
    constant = (yours - expected).masked_fill(masked, math.nan).nanmedian(dim=-1, keepdim=True).values
    # A query whose scores are all NaN has no median; it stays NaN, which differs from everything.
    return (yours - constant).masked_fill(masked, 0.0), expected.masked_fill(masked, 0.0)


def hook_points(n_layers: int) -> tuple[HookPoint, ...]:
    """Every point that is compared, in the order in which a forward pass computes them."""
    points = [
        HookPoint("hook_embed", "embed", as_they_are),
        HookPoint("hook_pos_embed", "pos_embed", as_they_are),
    ]
    for layer in range(n_layers):
        points.extend(block_points(f"blocks.{layer}"))
    points.append(HookPoint("ln_final.hook_out", "ln_final", as_they_are))
    points.append(HookPoint("unembed.hook_out", "unembed", as_they_are))
    return tuple(points)


def block_points(block: str) -> list[HookPoint]:
    """The points of one block, such as `blocks.0`."""
    attn, mlp = f"{block}.attn", f"{block}.mlp"
    scores = f"{attn}/attention_scores"
    return [
        HookPoint(f"{block}.hook_resid_pre", f"{block}:in", as_they_are),
        HookPoint(f"{block}.ln1.hook_out", f"{block}.ln1", as_they_are),
        HookPoint(f"{attn}.hook_q", f"{scores}:0", as_they_are, attn),
        HookPoint(f"{attn}.hook_v", f"{attn}/mix_values:1", as_they_are, attn),
        HookPoint(f"{attn}.hook_attn_scores", scores, unmasked_up_to_a_constant, attn),
        HookPoint(f"{attn}.hook_pattern", f"{attn}/attention_pattern", as_they_are, attn),
        HookPoint(f"{attn}.hook_z", f"{attn}/mix_values", as_they_are, attn),
        HookPoint(f"{block}.hook_attn_out", attn, as_they_are),
        HookPoint(f"{block}.hook_resid_mid", f"{block}.ln2:in", as_they_are),
        HookPoint(f"{block}.ln2.hook_out", f"{block}.ln2", as_they_are),
        HookPoint(f"{mlp}.hook_pre", f"{mlp}/gelu_new:0", as_they_are, mlp),
        HookPoint(f"{mlp}.hook_post", f"{mlp}/gelu_new", as_they_are, mlp),
        HookPoint(f"{block}.hook_mlp_out", mlp, as_they_are),
        HookPoint(f"{block}.hook_resid_post", block, as_they_are),
    ]


def first_difference(
    recorded: dict[str, Tensor], expected: dict[str, Tensor], n_layers: int, atol: float = 1e-9, rtol: float = 1e-9
) -> Difference | None:
    """The first hook point at which the learner's values differ from the expected ones, or None.

    `recorded` has the worker's keys, `expected` TransformerLens's names. A point that was not recorded (the learner
    bypassed that function) is passed over, so None means only that nothing recorded differs: whether the model is right
    is for its logits to say. NaN differs from everything.
    """
    last_equal = None
    for name, difference in differences(recorded, expected, n_layers, atol, rtol).items():
        if difference is not None:
            return replace(difference, last_equal=last_equal)
        last_equal = name
    return None


def differences(
    recorded: dict[str, Tensor], expected: dict[str, Tensor], n_layers: int, atol: float = 1e-9, rtol: float = 1e-9
) -> dict[str, Difference | None]:
    """Every hook point that was recorded, by its name, in order: how it differs; None where it is equal.

    It counts as equal, too, where the part that it lies inside returns what it should. `last_equal` is left open.
    """
    points = [point for point in hook_points(n_layers) if point.recorded in recorded]
    found = {
        point.recorded: difference_at(point, recorded[point.recorded], expected[point.name], atol, rtol)
        for point in points
    }
    return {
        point.name: None if point.part in found and found[point.part] is None else found[point.recorded]
        for point in points
    }


def difference_at(point: HookPoint, yours: Tensor, expected: Tensor, atol: float, rtol: float) -> Difference | None:
    """The first wrong number of one hook point, in the order of its index, or None. `last_equal` is left open."""
    shapes = tuple(yours.shape), tuple(expected.shape)
    if shapes[0] != shapes[1]:
        return Difference(None, point.name, math.nan, math.nan, (), *shapes)
    yours, expected = compared(point, yours, expected)
    wrong = ~torch.isclose(yours, expected, atol=atol, rtol=rtol)
    if not wrong.any():
        return None
    index = tuple(wrong.nonzero()[0].tolist())
    return Difference(None, point.name, yours[index].item(), expected[index].item(), index, *shapes)


def compared(point: HookPoint, yours: Tensor, expected: Tensor) -> tuple[Tensor, Tensor]:
    """Two values of one hook point, of one shape, as two tensors that should be equal, float64."""
    return point.compare(yours.detach().to(torch.float64), expected.to(torch.float64))


def sentence(difference: Difference) -> str:
    """Where a model first differs, in one line."""
    where = f"{difference.name} is the first to differ"
    if difference.last_equal is not None:
        where = f"equal up to {difference.last_equal}; {where}"
    if difference.yours_shape != difference.expected_shape:
        where += f": its shape is {difference.yours_shape}, expected {difference.expected_shape}"
    return where
