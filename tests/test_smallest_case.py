"""The case that is shown: the smallest that breaks a law in the same way, and what was found when time ran out."""

from dataclasses import replace

import pytest

from graders.engine.law import Broken, laws_for
from graders.engine.space import space
from graders.engine.subject import reference_transport
from graders.engine.trial import FIRST_SEEDS, UNSTEADY, Policy, Trial

FAR = 10  # seeds of the ladder are below it, but for those of its last cases


@space(rows=(1, 9), columns=(1, 9), depth=(4, 4))
def boxes(case, rows, columns, depth):
    """A space of three sizes, one of which has one value."""
    case.tensor("x", rows=rows, columns=columns)


def tried(check, cases=boxes, **policy):
    """What comes of a law about attention whose cases break as `check` says, a function of a case to a kind or None."""
    law = replace(laws_for("attention")[0], cases=cases)
    trial = Trial(reference_transport(), Policy(**policy))

    def breaks(_law, case):
        trial.n_cases += 1
        if kind := check(case, trial.n_cases):
            raise Broken(kind)

    trial.check = breaks
    return trial._try(law)


def shown(found):
    """The seed and the sizes of the case that is shown, and how it breaks the law."""
    case, broken = found
    return case.seed, *list(case.sizes.values())[:2], broken.kind


def test_a_law_that_holds_has_no_case():
    assert tried(lambda case, n: None) == (None, None)


def test_every_size_becomes_as_small_as_it_can_be():
    _seed, rows, columns, _kind = shown(tried(lambda case, n: "values" if case.x.numel() >= 24 else None))
    assert rows * columns >= 24 > max((rows - 1) * columns, rows * (columns - 1))
    assert shown(tried(lambda case, n: "values" if min(case.x.shape) >= 5 else None)) == (0, 5, 5, "values")


def test_nothing_is_made_smaller_than_what_teaches_something():
    found = tried(lambda case, n: "values" if case.seed >= FAR else None)
    assert shown(found)[1:3] == (2, 2)


def test_the_numbers_of_the_first_seeds_are_preferred():
    assert shown(tried(lambda case, n: "values" if case.x.numel() >= 30 and case.seed >= 2 else None))[0] == 2
    late = shown(tried(lambda case, n: "values" if case.seed >= FIRST_SEEDS + FAR else None))
    assert late[0] >= FIRST_SEEDS + FAR


def test_a_case_that_breaks_in_another_way_is_not_taken_for_a_smaller_one():
    found = tried(lambda case, n: "values" if case.x.numel() >= 36 else "shape" if n > 8 else None)
    assert shown(found)[-1] == "values"


def test_time_that_runs_out_leaves_the_smallest_case_that_was_found():
    seen = []

    def check(case, n):
        if case.x.numel() < 16:
            return None
        seen.append(case.sizes)
        return "values" if len(seen) < 5 else "timeout"

    case, broken = tried(check)
    assert (broken.kind, case.sizes) == ("values", seen[3])


def test_a_call_that_does_not_end_is_not_made_again():
    calls = []

    def check(case, n):
        calls.append(case.seed)
        return "timeout"

    assert shown(tried(check))[-1] == "timeout"
    assert len(calls) == 1


def test_a_case_that_does_not_break_again_stays_as_it_is_and_says_so():
    tries = []

    def check(case, n):
        tries.append((case.seed, case.sizes))
        return "values" if n == 5 else None

    case, broken = tried(check)
    assert broken.notes == [UNSTEADY]
    assert tries[4:] == [(case.seed, case.sizes)] * 2


@pytest.mark.parametrize("kind", ["call", "shape"])
def test_what_breaks_in_another_way_the_second_time_is_unsteady_too(kind):
    case, broken = tried(lambda case, n: "values" if n == 1 else kind)
    assert (case.seed, broken.kind, broken.notes) == (0, "values", [UNSTEADY])


def test_an_audit_makes_nothing_smaller():
    calls = []

    def check(case, n):
        calls.append(case.sizes)
        return "values" if case.x.numel() >= 30 else None

    case, _broken = tried(check, shrinks=False)
    assert case.sizes == calls[-1]
    assert len(calls) == len([sizes for sizes in calls if sizes["rows"] * sizes["columns"] < 30]) + 1


def test_where_a_case_is_dear_so_few_are_tried():
    calls = []
    tried(lambda case, n: calls.append(case.sizes), cases=replace(boxes, few=3))
    assert len(calls) == 3
    assert calls[0] == {"rows": 1, "columns": 1, "depth": 4}
