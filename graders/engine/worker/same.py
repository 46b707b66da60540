"""Whether values are still the same, or the same again: for what a call was given, and what it returns twice."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from .codec import bytes_of
from .making import is_description


def copied(value: Any) -> Any:
    """A value of which nothing is shared with the original."""
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, (list, tuple)):
        return type(value)(copied(item) for item in value)
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return value


def same(now: Any, before: Any) -> bool:
    """Whether a value is what it was, to the bit."""
    if type(now) is not type(before):
        return False
    if isinstance(before, Tensor):
        # Bit by bit: NaN is equal to itself here, and 0.0 is not -0.0
        return now.shape == before.shape and now.dtype == before.dtype and bytes_of(now) == bytes_of(before)
    if isinstance(before, (list, tuple)):
        return len(now) == len(before) and all(same(a, b) for a, b in zip(now, before, strict=True))
    if isinstance(before, dict):
        return list(now) == list(before) and all(same(now[key], value) for key, value in before.items())
    return now == before


def is_as_given(now: Any, given: Any) -> bool:
    """Whether an argument is what it was; one that was only described has no value to hold it to."""
    return is_description(given) or same(now, given)


def close(a: Any, b: Any) -> bool:
    """Whether two results agree up to the order of additions, which a library may choose anew without gradients."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12) or (math.isnan(a) and math.isnan(b))
    if not (isinstance(a, Tensor) and isinstance(b, Tensor)):
        return a == b
    if a.shape != b.shape:
        return False
    if not (is_float(a) and is_float(b)):
        return torch.equal(a, b) if a.dtype == b.dtype else False
    tight = torch.finfo(a.dtype).eps ** 0.75
    return torch.allclose(a.detach(), b.detach().to(a.dtype), tight, tight, equal_nan=True)


def is_float(value: Any) -> bool:
    """Whether a value is a tensor of floats."""
    return isinstance(value, Tensor) and value.is_floating_point()


def tensors_in(value: Any) -> Iterator[Tensor]:
    """All tensors in a value, in order."""
    if isinstance(value, Tensor):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ():
        yield from tensors_in(item)
