"""How values are said: numbers, sizes with the names of their axes, types."""

from typing import Any

from torch import Tensor

from graders.engine.worker.codec import Opaque

MOST = 10_000  # numbers of a value that are written down: it may have as many as a learner's code cares to return
DIGITS = 7  # of a number; as many as tell two apart, where they are compared


def number(value: float, digits: int = DIGITS) -> str:
    """A number as a person writes it: 0.3, -inf, 1.414214."""
    return f"{value:.{digits}g}"


def given_text(value: Any, digits: int = DIGITS) -> str:
    """An input on one line; a text in quotes, so that its spaces can be seen."""
    if isinstance(value, str):
        return repr(value) if value.isprintable() else ascii(value)
    return numbers(value, digits)


def sizes(axes: dict[str, int]) -> str:
    """Named axes after the name of a value: ` (batch 1, queries 2)`; nothing where there are none."""
    return f" ({', '.join(f'{axis} {size}' for axis, size in axes.items())})" if axes else ""


def kind_of(value: Any) -> str:
    """A value's type as a person says it."""
    if isinstance(value, Opaque):
        name = "NumPy array" if value.type_name == "numpy.ndarray" else value.type_name
        return f"a {name}" + (f" ({value.text})" if value.text else "")
    if isinstance(value, Tensor):
        return "a tensor"
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name == 'int' else 'a'} {name}"


def numbers(value: Any, digits: int = DIGITS) -> str:
    """A value on one line: nested brackets, without those of leading axes of length one."""
    if isinstance(value, Tensor):
        while value.ndim > 1 and (value.shape[0] == 1 or value.numel() > MOST * len(value)):
            value = value[0]
        value = (value[: MOST * len(value) // value.numel()] if value.numel() > MOST else value).tolist()
    if isinstance(value, list):
        return "[" + ", ".join(numbers(item, digits) for item in value[:MOST]) + "]"
    return number(value, digits) if isinstance(value, float) else str(value)
