"""Numbers to be turned into probabilities: huge ones, gaps of -inf, and the axis of the probabilities anywhere."""

import math

import torch

from graders.engine.space import Case, fixed, given_case, space

HUGE = 10_000.0  # exp(710) is too large for any float, and exp(-750) too small
SMALL = ((5,), (2, 5), (5, 3, 2), (3, 4, 5), (2, 3, 4, 5))
OTHER_SIZES = (2, 3, 4, 1)  # of the axes beside the one that is summed over


@space(before=(0, 2), n=(1, 4), after=(0, 1))
def arrays(case, before, n, after):
    """Numbers with `dim` first, last or in the middle, counted from either end; no two axes are of one size."""
    others = [size for size in OTHER_SIZES if size != n]
    turn = case.seed % len(others)
    others = (others[turn:] + others[:turn])[: before + after]
    sizes = [*others[:before], n, *others[before:]]
    case.tensor("x", **{f"axis_{i}": size for i, size in enumerate(sizes)})
    case.show("dim", before - len(sizes) * (case.seed % 2))
    case.one_a_row = [*others[:before], 1, *others[before:]]


@space(before=(0, 2), n=(1, 4), after=(0, 1))
def huge_arrays(case, **sizes):
    """Some rows run from minus ten thousand to ten thousand, the others lie close together at either end."""
    arrays.build(case, **sizes)
    where = case.draw(*case.one_a_row)
    spread = case.x / case.x.abs().max().clamp(min=0.1) * HUGE
    case.x = torch.where(where == where.max(), spread, case.x + HUGE * where.sign())


@space(before=(0, 2), n=(2, 4), after=(0, 1))
def arrays_with_gaps(case, **sizes):
    """Some numbers are -inf, in some cases all of one place, but never all of a row; the others may be huge."""
    build = arrays.build if case.seed % 3 else huge_arrays.build
    build(case, **sizes)
    n = case.x.shape[case.dim]
    case.is_gap = case.draw(*case.x.shape) > 0
    case.is_gap = case.is_gap.index_fill(case.dim, torch.tensor((case.seed + 1) % n), case.seed % 4 == 1)
    case.is_gap = case.is_gap.index_fill(case.dim, torch.tensor(case.seed % n), False)
    case.x = case.x.masked_fill(case.is_gap, -math.inf)


@space(batch=(0, 3), seq=(0, 4, 2), n=(1, 6))
def predictions(case, batch, seq, n):
    """Logits, of every other seed -1, 0 and 1 alone, and a target for each row; a size of 0 is an axis less."""
    axes = {name: size for name, size in {"batch": batch, "seq": seq}.items() if size}
    case.integers("targets", n, **axes)
    logits = case.draw(*axes.values(), n)
    case.show("logits", logits.sign() if case.seed % 2 else logits, **axes, n=n)
    case.is_target = torch.arange(n) == case.targets.unsqueeze(-1)


@space(batch=(0, 3), seq=(0, 4, 2), n=(1, 6))
def huge_predictions(case, **sizes):
    """Logits of which some are ten thousand or minus ten thousand."""
    predictions.build(case, **sizes)
    case.logits = case.logits / case.logits.abs().max().clamp(min=0.1) * HUGE


@space(batch=(0, 3), seq=(0, 4, 2), n=(2, 6))
def predictions_with_gaps(case, **sizes):
    """Some logits are -inf, but none of a target."""
    predictions.build(case, **sizes)
    is_gap = (case.draw(*case.logits.shape) > 0) & ~case.is_target
    case.logits = case.logits.masked_fill(is_gap, -math.inf)


def numbered_axes(**n_axes: int) -> dict[str, str]:
    """The axes of some inputs, by number: their names mean nothing here."""
    return {name: " ".join(f"axis_{i}" for i in range(n)) for name, n in n_axes.items()}


@fixed
def on_the_page(where):
    """The example of the exercise's page: three numbers about a thousand, and two equal ones beside a -inf."""
    x = torch.tensor([[1002.0, 1000.0, 1001.0], [995.0, 995.0, -math.inf]], dtype=torch.float64)
    total = 1 + math.exp(-2) + math.exp(-1)
    first = [1 / total, math.exp(-2) / total, math.exp(-1) / total]
    probs = torch.tensor([first, [0.5, 0.5, 0.0]], dtype=torch.float64)
    axes = numbered_axes(x=2)
    return [given_case(probs, axes, x=x, dim=1), given_case(probs.T, axes, x=x.T.contiguous(), dim=0)]


@fixed
def targets_on_the_page(where):
    """The two rows of the page's example, with targets 2 and 0: both, and each without an axis before the last."""
    first, second = math.log(1 + math.exp(-2) + math.exp(-1)) + 1, math.log(2)
    logits, targets = on_the_page.load(where)[0].x, torch.tensor([2, 0])
    alone = [
        given_case(one, numbered_axes(logits=1), logits=logits[i], targets=targets[i])
        for i, one in ((0, first), (1, second))
    ]
    both = given_case((first + second) / 2, numbered_axes(logits=2, targets=1), logits=logits, targets=targets)
    return [both, *alone]


@fixed
def rows_without_probabilities(where):
    """Numbers of which a whole row is -inf, wherever it stands: `calls`, by what is wrong with them."""
    case, x = Case(0, {}), torch.arange(24.0, dtype=torch.float64).reshape(2, 3, 4)
    case.calls = {"all numbers are -inf": (torch.full((3,), -math.inf, dtype=torch.float64), 0)}
    for dim, row in ((0, (slice(None), 0, 0)), (1, (1, slice(None), 3)), (2, (1, 2)), (-1, (0, 0)), (-2, (0,))):
        gone = x.clone()
        gone[row] = -math.inf
        case.calls[f"all numbers of a row along axis {dim} are -inf"] = (gone, dim)
    return [case]


@fixed
def what_cannot_be_scored(where):
    """Logits and targets that do not fit, none at all, targets that are not there, and a row of nothing but -inf."""
    case = Case(0, {})
    case.calls = {
        what: (torch.zeros(of_logits).double(), torch.full(of_targets, target))
        for what, of_logits, of_targets, target in (
            ("targets of another batch", (2, 3, 4), (1, 3), 0),
            ("a target fewer in each row", (2, 3, 4), (2, 2), 0),
            ("one target for three rows", (3, 4), (1,), 0),
            ("targets with an axis more", (3, 4), (3, 1), 0),
            ("targets shaped like logits", (3, 4), (3, 4), 0),
            ("no targets", (0, 4), (0,), 0),
            ("rows without targets", (2, 0, 4), (2, 0), 0),
            ("a target that has no logit", (3, 4), (3,), 4),
            ("a target of -1", (2, 3, 4), (2, 3), -1),
            ("a target of -100", (4,), (), -100),
        )
    }
    for row in (0, 2):
        gone = torch.zeros(3, 4).double().index_fill(0, torch.tensor(row), -math.inf)
        case.calls[f"all logits of row {row} are -inf"] = (gone, torch.tensor([0, 1, 2]))
    return [case]


@fixed
def every_axis(where):
    """In float32: arrays of one to four axes with `dim` each of these, from either end; one of 9 x 40 x 300 with 1."""
    small = [(sizes, dim) for sizes in SMALL for dim in range(-len(sizes), len(sizes))]
    return [
        given_case(axes=numbered_axes(x=len(sizes)), x=Case(3, {}, torch.float32).draw(*sizes), dim=dim)
        for sizes, dim in [*small, ((9, 40, 300), 1)]
    ]


few_huge_arrays = fixed(lambda where: list(huge_arrays.in_float32().further(6)))
few_huge_predictions = fixed(lambda where: list(huge_predictions.in_float32().further(6)))
many_predictions = fixed(lambda where: [predictions.in_float32().case(2, batch=9, seq=140, n=300)])
