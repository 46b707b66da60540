"""What a law is tried on: the cases that a space draws are spread over it, and the same in every process."""

import subprocess
import sys
from collections import Counter

import pytest

from graders.engine.course import ROOT
from graders.engine.space import LARGE_EVERY, MAX_SEED, Space, space


@space(batch=(1, 3), seq=(1, 7), d_head=(2, 2))
def tables(case, batch, seq, d_head):
    """A space with an axis of one size."""
    case.tensor("x", batch=batch, seq=seq)


@space(few=4, n=(3, 9))
def dear(case, n):
    """A space of which few cases are tried."""
    case.tensor("x", n=n)


def drawn(cases: Space, n: int, seed: str) -> list[tuple]:
    """The seed and the sizes of each case."""
    return [(case.seed, *case.sizes.values()) for case in cases.drawn(n, seed)]


@pytest.mark.parametrize("n", [1, 13, 50])
@pytest.mark.parametrize("name", ["batch", "seq", "d_head"])
def test_each_size_is_drawn_as_often_as_any_other(n, name):
    low, high, *_ = tables.ranges[name]
    seen = Counter(case.sizes[name] for case in tables.drawn(n, "a seed"))
    assert sum(seen.values()) == n
    assert set(seen) <= set(range(low, high + 1))
    assert max(seen.values()) - min(seen[size] for size in range(low, high + 1)) <= 1


def test_sizes_of_two_axes_are_drawn_apart():
    assert len({sizes for _seed, *sizes in drawn(tables, 50, "a seed") for sizes in [tuple(sizes)]}) > 15


@pytest.mark.parametrize("seed", ["a", "b", "c", "d"])
def test_of_any_five_cases_one_has_large_numbers(seed):
    seeds = [case_seed for case_seed, *_ in drawn(tables, LARGE_EVERY, seed)]
    assert seeds == list(range(seeds[0], seeds[0] + LARGE_EVERY))
    assert max(float(case.x.abs().max()) for case in tables.drawn(LARGE_EVERY, seed)) > 2


def test_another_seed_draws_other_cases_and_the_same_one_the_same():
    assert drawn(tables, 50, "one") == drawn(tables, 50, "one") != drawn(tables, 50, "other")


def test_where_cases_are_few_the_first_is_the_smallest():
    first, *others = drawn(dear, dear.few, "a seed")
    assert first == (0, 3)
    assert len(others) == dear.few - 1


def test_more_cases_may_be_drawn_than_there_are_seeds():
    @space(n=(1, 1))
    def single(case, n):
        """A space of one size."""

    assert len(drawn(single, MAX_SEED + 3, "a seed")) == MAX_SEED + 3


def test_cases_are_the_same_in_every_process_and_version_of_python():
    """So that a verdict can be repeated; these were drawn by Python 3.11."""
    expected = [(1480, 1, 5, 2), (1481, 2, 3, 2), (1482, 1, 1, 2), (1483, 3, 6, 2), (1484, 3, 2, 2)]
    code = "from test_space import drawn, tables; print(drawn(tables, 5, 'attention a_law None'))"
    for hash_seed in ("1", "2"):
        said = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT / "tests",
            env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert said.strip() == str(expected)
