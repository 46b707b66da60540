"""Spaces of cases: what a law is tried on. Sizes and a seed are drawn, not numbers, so a case shrinks quickly.

    @space(batch=(1, 3), seq=(1, 6), d_model=(1, 5))
    def streams(case, batch, seq, d_model):
        case.tensor("x", batch=batch, seq=seq, d_model=d_model)

Numbers are tenths, so that zeros and ties occur; every fifth seed makes them large.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

MAX_SEED = 9999
LARGE_EVERY, LARGE = 5, 40.0
IN_FLOAT32 = 0.25
# Not `weights`: of a task without parameters, an input's name
OWN_NAMES = ("seed", "sizes", "dtype", "shown", "cfg", "answered")
SMALLEST, VARIED = 2, 4  # cases of the ladder: at the floor, and, after one size more each, of growing sizes
KEPT = 4096  # cases that are not made again: more than those of the ladders of all exercises, and of their diagnoses


class Case:
    """One example: named tensors with named axes, sizes, parameters; attributes hold the values.

    What a space gives it under a name, a law finds there: `case.x`. It always has its `seed`, the `sizes` that it was
    made with, its `dtype`, `cfg` and `weights`. The same seed and sizes give the same case.
    """

    def __init__(self, seed: int, sizes: dict[str, int], dtype: torch.dtype = torch.float64):
        self.seed = seed
        self.sizes = sizes
        self.dtype = dtype
        self.shown: dict[str, dict[str, int]] = {}  # inputs that a message shows, and their axes
        self.cfg: dict[str, Any] = {}
        self.weights: dict[str, Tensor] = {}
        self.answered: dict[Any, Any] = {}  # by the reference, to questions about just these values (`answers.py`)
        self._generator = torch.Generator().manual_seed(seed)
        is_large = seed % LARGE_EVERY == LARGE_EVERY - 1
        # In float32 the numbers stay small: two right answers must agree, whatever order they add in
        self._scale = IN_FLOAT32 if dtype == torch.float32 else LARGE if is_large else 1.0

    def __getstate__(self) -> dict[str, Any]:
        """What of a case goes to another process: what a message shows."""
        kept = ("seed", "sizes", "shown", "cfg", *self.shown)
        weights = self.weights if self.sizes else {}  # those of a real model are not shown, and are large
        return {name: getattr(self, name) for name in kept} | {"weights": weights}

    def afresh(self) -> "Case":
        """The same case once more: what is drawn from the one, or shown in it, is not in the other.

        The values are the same ones, and so are the reference's answers. Nobody changes them in place.
        """
        other = object.__new__(Case)
        vars(other).update(vars(self))
        other.shown, other._generator = dict(self.shown), self._generator.clone_state()
        return other

    if TYPE_CHECKING:  # a case has the attributes that its space gives it

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...

    def draw(self, *shape: int) -> Tensor:
        """Random tenths between -2 and 2, of this shape and in the case's dtype; not kept, and not shown.

        In a large case, which every fifth seed makes, they are 40 times as large; in float32 a quarter.
        """
        tenths = torch.randint(-20, 21, shape, generator=self._generator, dtype=self.dtype).div_(10)
        return tenths if self._scale == 1 else tenths.mul_(self._scale)

    def draw_integers(self, below: int, *shape: int) -> Tensor:
        """Random integers from 0 to `below` - 1, of this shape; not kept, and not shown."""
        return torch.randint(below, shape, generator=self._generator)

    def tensor(self, name: str, **axes: int) -> Tensor:
        """An input of random tenths (see `draw`), kept under its name and shown in messages with its axes.

        `axes` are its sizes by name, in order: `case.tensor("q", batch=2, queries=3, d_head=2)`.
        """
        return self.show(name, self.draw(*axes.values()), **axes)

    def integers(self, name: str, below: int, **axes: int) -> Tensor:
        """An input of random integers from 0 to `below` - 1, kept and shown as that of `tensor` is."""
        return self.show(name, self.draw_integers(below, *axes.values()), **axes)

    def show(self, name: str, value: Any, **axes: int) -> Any:
        """Keep a value as an attribute and show it in messages. Raises `ValueError` for a name a case needs itself."""
        if name in OWN_NAMES or hasattr(Case, name):
            raise ValueError(f"a case has {name!r} of its own: show this value under another name")
        setattr(self, name, value)
        self.shown[name] = axes
        return value

    def config(self, **sizes: Any) -> dict[str, Any]:
        """The sizes of a `GPTConfig` by name, kept as `cfg`; what is not given is small and odd.

        Without arguments: d_vocab 7, n_ctx 8, n_layers 1, n_heads 2, d_model 5, d_head 3, d_mlp 6, and layer_norm_eps
        of 1e-5 or, for odd seeds, 0.1.
        """
        small = {"d_vocab": 7, "n_ctx": 8, "n_layers": 1, "n_heads": 2, "d_model": 5, "d_head": 3, "d_mlp": 6}
        self.cfg = small | {"layer_norm_eps": (1e-5, 0.1)[self.seed % 2]} | sizes
        return self.cfg

    def parameters(self, **axes: str) -> dict[str, Tensor]:
        """Random parameters of a module by name, biases and scales included, added to `weights`.

        The axes of each are names of sizes in `cfg`, as in `case.parameters(W_in="d_model d_mlp", b_in="d_mlp")`.
        """
        shapes = {name: [self.cfg[axis] for axis in spec.split()] for name, spec in axes.items()}
        self.weights |= {name: self.draw(*shape) for name, shape in shapes.items()}
        return self.weights


def given_case(expected: Any = None, axes: Mapping[str, str] | None = None, **inputs: Any) -> Case:
    """A case that is not drawn.

    `expected` is for the law alone: what should come of the case, or what is wrong with it. `inputs` are what goes in,
    by name, as a message shows it; `axes` names the axes of those that are tensors, as in {"logits": "batch d_vocab"},
    and of a tensor with fewer axes the last of these names count.
    """
    case = Case(0, {})
    case.expected = expected
    for name, value in inputs.items():
        sizes = value.shape if isinstance(value, Tensor) else ()
        names = (axes or {}).get(name, "").split()[-len(sizes) :]
        case.show(name, value, **dict(zip(names, sizes, strict=False)))
    return case


@dataclass(frozen=True, eq=False)
class Space:
    """All cases a law is tried on, as `space` makes it."""

    ranges: dict[str, tuple[int, ...]]  # each size: lowest, highest, and where the ladder starts
    build: Callable[..., None]
    dtype: torch.dtype = torch.float64
    few: int | None = None  # how many cases are tried, where one is dear: the smallest, and others of the seed's choice

    def case(self, seed: int, **sizes: int) -> Case:
        """One case with this seed and a size for each name, the same for the same ones; for `fixed`, as a rule."""
        case = Case(seed, sizes, self.dtype)
        self.build(case, **sizes)
        return case

    def again(self, seed: int, **sizes: int) -> Case:
        """As `case`, for those that many laws and subjects are tried on: it is made once, and kept."""
        return _made(self, seed, tuple(sizes.items())).afresh()

    def drawn(self, n: int, seed: str, again: bool = False) -> Iterator[Case]:
        """`n` cases at random, the first, where they are few, the smallest; kept, if they are drawn `again` and again.

        Each size has all its values about equally often, and the seeds follow one another, so that of any five cases
        one has large numbers.
        """
        random, make = Random(seed), self.again if again else self.case
        first = random.randint(0, max(0, MAX_SEED - n))
        columns = {name: _in_any_order(random, low, high, n) for name, (low, high, *_) in self.ranges.items()}
        for i in range(n):
            if i == 0 and self.few is not None:
                yield make(0, **{name: low for name, (low, *_) in self.ranges.items()})
            else:
                yield make(first + i, **{name: column[i] for name, column in columns.items()})

    def floor(self) -> dict[str, int]:
        """The sizes of the smallest example that is worth a look."""
        return {name: _floor(name, *sizes) for name, sizes in self.ranges.items()}

    def ladder(self) -> Iterator[Case]:
        """Cases that come first, from the smallest that teach something to the largest; where one is dear, none."""
        if self.few is not None:
            return
        floor = self.floor()
        for seed in range(SMALLEST):
            yield self.again(seed, **floor)
        for seed, (name, (_low, high, *_)) in enumerate(self.ranges.items()):
            if floor[name] < high:
                yield self.again(seed, **floor | {name: floor[name] + 1})
        yield from self.further(VARIED)

    def further(self, n: int) -> Iterator[Case]:
        """`n` cases of many different sizes, no two axes alike where the ranges allow it, the last ones the largest."""
        for step in range(n):
            reach = (step + 2) / (n + 1)
            sizes = {}
            for i, (name, (low, high, *_)) in enumerate(self.ranges.items()):
                top = low + math.ceil((high - low) * reach)
                sizes[name] = min(high, max(low, top - (i * (step + 1)) % 3))
            yield self.again(10 + 7 * step, **sizes)

    def in_float32(self) -> "Space":
        """The same space, its numbers in float32 and small."""
        return replace(self, dtype=torch.float32)


@functools.lru_cache(KEPT)
def _made(space: Space, seed: int, sizes: tuple[tuple[str, int], ...]) -> Case:
    return space.case(seed, **dict(sizes))


def _in_any_order(random: Random, low: int, high: int, n: int) -> list[int]:
    """`n` sizes from `low` to `high`, each about as often as any other."""
    sizes = list(itertools.islice(itertools.cycle(random.sample(range(low, high + 1), high - low + 1)), n))
    random.shuffle(sizes)
    return sizes


def _floor(name: str, low: int, high: int, floor: int | None = None) -> int:
    """The size of the smallest example that teaches something: two of everything, in one row of a batch."""
    if floor is not None:
        return floor
    return low if name == "batch" or low == 0 else min(high, 2)


def space(few: int | None = None, **ranges: tuple[int, ...]) -> Callable[[Callable[..., None]], Space]:
    """Make a space from a function that fills a case.

    Each argument is a size: its lowest and highest value and, where two is too many for a first example, the
    value at which the ladder of small cases starts. `few` is how many cases are tried where one is dear, as a file
    that is sent to the disk; the first has the lowest sizes.
    """
    return lambda build: Space(ranges, build, few=few)


@dataclass(frozen=True, eq=False)
class Fixed:
    """Cases that are not drawn: hand-worked numbers, or a real layer of a checkpoint."""

    make: Callable[[str | None], list[Case]]

    def load(self, where: str | None) -> list[Case]:
        """The cases, in order; `where` is the checkpoint, from --weights. They are made once, and kept."""
        return [case.afresh() for case in _given(self, where)]


@functools.cache
def _given(cases: Fixed, where: str | None) -> list[Case]:
    return cases.make(where)


def fixed(make: Callable[[str | None], list[Case]]) -> Fixed:
    """Make a space of given cases from a function that returns a list of them.

    The function is handed what `--weights` says, or None; only laws on a real checkpoint look at it. The law is tried
    on each case in order, so the smallest comes first.
    """
    return Fixed(make)
