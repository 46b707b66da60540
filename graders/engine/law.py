"""Laws: one sentence about a task that must hold for every case of a space, and what breaks it.

@law("attention_pattern", score_tables)
def test_weights_sum_to_one(subject, reference, case):
    \"\"\"The weights of each query add up to one.\"\"\"
    pattern = subject.attention_pattern(case.scores)
    expect_equal(pattern.sum(dim=-1), torch.ones(pattern.shape[:-1]), what="sum of the weights")
"""

import functools
import importlib
import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from graders.engine.space import Case, Fixed, Space
from graders.engine.worker.failure import Failure

# Two ways of writing the same sum in float64 differ by about 1e-14; the smallest mistake we know by 1e-7
TOLERANCES = {torch.float64: (1e-9, 1e-10), torch.float32: (1e-4, 1e-5)}
NO_FAILURE = Failure("")


@dataclass(frozen=True)
class Law:
    """What is checked, on which task, for which cases."""

    name: str
    exercise: str
    task: str
    statement: str
    check: Callable[[Any, Any, Case], None]
    cases: Space | Fixed


@dataclass
class Broken(Exception):
    """A law does not hold for a case: what kind of difference, and the two values that show it.

    The `expect_...` raise it. A law that compares in a way of its own raises it itself: with the kind "values", what
    the subject gave, what was expected, `what` that is, and a `note` that says how the expected value came about.
    """

    kind: str  # a stage of `Failure`, or: type, shape, dtype, nan, changed, values, error, unlike, library
    yours: Any = None
    expected: Any = None
    what: str = ""
    note: str = ""
    failure: Failure = NO_FAILURE  # what the learner's code raised, if it did
    look_at: str = ""  # the exercise in which the difference arises, when it is another one
    axes: str = ""  # names of the axes of the expected result
    notes: list[str] = field(default_factory=list)
    printed: str = ""  # by the learner's code

    def __reduce__(self) -> tuple:
        """An exception is pickled by its `args`, which leave out what was given by name."""
        return Broken, tuple(getattr(self, part.name) for part in fields(self))


def law(task: str, cases: Space | Fixed) -> Callable[[Callable], Callable]:
    """Make a test of a function `(subject, reference, case)`, called once for each case.

    `task` is the function or class that the law is about, as the index names it; `cases` is what it is tried on. The
    first paragraph of the function's docstring is the law in one sentence, which learners read; its name is what the
    record calls it. The function returns nothing: a law holds when it ends, and is broken when one of the `expect_...`
    raises `Broken`. Raises `ValueError` when there is no docstring.
    """

    def decorate(check: Callable[[Any, Any, Case], None]) -> Callable:
        exercise = check.__module__.rpartition(".")[2].removeprefix("test_")
        statement = " ".join((inspect.getdoc(check) or "").split("\n\n")[0].split())
        if not statement:
            raise ValueError(f"{check.__name__} needs a docstring: the law in one sentence")

        def run(judge):
            judge.hold(test.law)

        test: Any = run
        test.__name__, test.__qualname__ = check.__name__, check.__name__
        test.__module__, test.__doc__ = check.__module__, check.__doc__
        test.law = Law(check.__name__, exercise, task, statement, check, cases)
        return test

    return decorate


@functools.cache
def laws_for(exercise: str) -> tuple[Law, ...]:
    """The laws of an exercise, in the order of its grader."""
    grader = importlib.import_module(f"graders.test_{exercise}")
    return tuple(value.law for value in vars(grader).values() if isinstance(getattr(value, "law", None), Law))


def expect_equal(yours: Any, expected: Any, what: str = "", note: str | Callable[[], str] = "") -> None:
    """Hold that two values agree: tensors and floats to the tolerance of their dtype, everything else exactly.

    `what` names the value for the message, `note` says how the expected one came about; a note that takes calls of
    its own to find is a function, called when the values differ. Infinities must stand in the same places; NaN
    equals nothing. Raises `Broken`.
    """
    if isinstance(expected, dict) and isinstance(yours, dict) and expected.keys() <= yours.keys():
        for key, value in expected.items():
            expect_equal(yours[key], value, what=f"{what} {key}".strip(), note=note)
    elif is_compared_by_part(expected) and isinstance(yours, (list, tuple)) and len(yours) == len(expected):
        for i, (a, b) in enumerate(zip(yours, expected, strict=True)):
            expect_equal(a, b, what=f"{what} {part_of(expected, i)}".strip(), note=note)
    elif isinstance(expected, Tensor) and isinstance(yours, Tensor) and yours.shape != expected.shape:
        raise Broken("shape", yours, expected, what)
    elif not _agree(yours, expected):
        raise Broken("values", yours, expected, what, note() if callable(note) else note)


def expect_figure(yours: float, expected: float, note: str = "") -> None:
    """Hold that two plain numbers agree: what people only read may be worked out in float32."""
    if not math.isclose(yours, expected, rel_tol=1e-6, abs_tol=1e-6):
        expect_equal(yours, expected, note=note)


def is_compared_by_part(expected: Any) -> bool:
    """Whether a value is compared item by item; a small tuple, such as a pair of ids, is better seen whole."""
    is_small = isinstance(expected, tuple) and all(isinstance(item, (int, str)) for item in expected)
    return isinstance(expected, (list, tuple)) and not is_small


def part_of(whole: list | tuple, i: int) -> str:
    """What a part is called: one of several results, or an item of a list by its index."""
    return f"result {i + 1} of {len(whole)}" if isinstance(whole, tuple) else f"item {i}"


def _agree(yours: Any, expected: Any) -> bool:
    if isinstance(expected, Tensor) and isinstance(yours, Tensor):
        return same_values(yours, expected)
    if isinstance(expected, float) and isinstance(yours, (int, float)):
        return same_values(torch.tensor(yours, dtype=torch.float64), torch.tensor(expected, dtype=torch.float64))
    return bool(yours == expected)


def expect_refusal(subject: Any, task: str, *args: Any, what: str, naming: str = "") -> None:
    """Hold that a call raises `ValueError`, and that its message holds the text `naming`. Raises `Broken`.

    `what` says for the reader what is wrong with these arguments.
    """
    classes, message = subject.error(task, *args, note=f"{what}: this should have been refused")
    if "ValueError" not in classes:
        by = "an assert" if classes[0] == "AssertionError" else "an error that came up later"
        note = f"{what}: this was refused, but by {by}. Look first, and raise ValueError yourself"
        raise Broken("error", classes[0], "ValueError", note=note, failure=subject.replies[-1].failure)
    if naming not in message:
        raise Broken("values", message, f"... {naming} ...", what="the message of the ValueError", note=what)


def expect_refusals(subject: Any, task: str, calls: dict[str, tuple]) -> None:
    """Hold that a task answers each of several calls with `ValueError`. Raises `Broken`.

    `calls` are the arguments of each, by what is wrong with them, as the reader is told: {"k is 0": (logits, 0)}.
    """

    def story(do: Any) -> list:  # of all calls, so that a diagnosis sees which of them are refused
        return [do.caught(getattr(do, task), *args)["classes"] for args in calls.values()]

    for (what, args), classes in zip(calls.items(), subject.tell(story), strict=True):
        if "ValueError" not in classes:
            expect_refusal(subject, task, *args, what=what)


def same_values(yours: Tensor, expected: Tensor, atol: float | None = None) -> bool:
    """Whether two tensors of one shape agree to the tolerance of the less exact dtype.

    In float64 that is 1e-9 of each number and 1e-10 of the largest expected one, in float32 1e-4 and 1e-5; `atol`
    takes the place of the second. Whole numbers must be equal.
    """
    # A right answer most often agrees to the bit, which is quickly seen
    same = yours.dtype == expected.dtype and torch.equal(yours, expected)
    return same or not differing(yours, expected, atol).any()


def differing(yours: Tensor, expected: Tensor, atol: float | None = None) -> Tensor:
    """True where two tensors of one shape do not agree, same shape."""
    if not expected.is_floating_point():
        return yours != expected
    less_exact = torch.float32 if torch.float32 in (yours.dtype, expected.dtype) else torch.float64
    rtol, small = TOLERANCES[less_exact]
    # Beside large numbers of its own tensor, a number near zero is what is left of a cancellation
    return ~torch.isclose(yours.double(), expected.double(), rtol, atol or small * max(1.0, largest(expected)))


def largest(tensor: Tensor) -> float:
    """The largest finite absolute value; 0 when there is none."""
    finite = tensor[tensor.isfinite()]
    return float(finite.abs().max()) if finite.numel() else 0.0
