"""Cases are made once and tried again and again: no law, no recipe and no answer of the reference's changes one."""

from typing import Any

import pytest
import torch

from graders.engine.course import load_course
from graders.engine.law import Law, laws_for
from graders.engine.space import Case, Fixed, Space, space
from graders.engine.subject import Subject, both, reference_transport
from graders.engine.worker.messages import Reply
from graders.engine.worker.same import copied, same


def cases_of(law: Law) -> list[Case]:
    """All that are kept for a law, apart from those that only an audit draws again."""
    if isinstance(law.cases, Fixed):
        return law.cases.load(None)
    return [*law.cases.ladder(), *law.cases.further(5)]


def noted(value: Any) -> Any:
    """A copy that is told from the original when that is changed: a float by its text, since NaN equals nothing."""
    if isinstance(value, dict):
        return {key: noted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(noted(item) for item in value)
    return repr(value) if isinstance(value, float) else copied(value)


def values_of(case: Case) -> dict:
    """All that a case holds."""
    return noted({name: value for name, value in vars(case).items() if name not in ("answered", "_generator")})


def answers_of(case: Case) -> list[dict]:
    """What the reference answered on it, without the stack of a failure."""
    replies: list[Reply] = [reply for _request, reply in case.answered.values()]
    return [noted(vars(reply) | {"failure": reply.failure and reply.failure.stage}) for reply in replies]


@pytest.mark.parametrize("exercise", [entry.name for entry in load_course().exercises])
def test_no_law_changes_the_case_it_is_tried_on(exercise):
    laws = laws_for(exercise)
    before = [[values_of(case) for case in cases_of(law)] for law in laws]
    tried: list[tuple[Law, Case, list[dict]]] = []
    for law in laws:
        for case in cases_of(law):
            law.check(*both(exercise, case, reference_transport()), case)
            tried.append((law, case, answers_of(case)))
    for law, values in zip(laws, before, strict=True):
        assert same([values_of(case) for case in cases_of(law)], values), law.name
    for law, case, answers in tried:
        assert same(answers_of(case)[: len(answers)], answers), law.name


@space(n=(1, 3))
def rows(case, n):
    case.tensor("x", n=n)


def test_what_a_law_draws_or_adds_is_not_in_the_same_case_of_the_next():
    first, second = rows.again(3, n=2), rows.again(3, n=2)
    drawn = first.draw(4)
    first.show("y", drawn)
    assert torch.equal(second.draw(4), drawn)
    assert (second.shown, hasattr(second, "y")) == ({"x": {"n": 2}}, False)


def test_a_case_that_is_kept_is_the_one_that_is_made():
    made, kept = rows.case(9, n=3), rows.again(9, n=3)
    assert same(values_of(kept), values_of(made))
    assert torch.equal(kept.draw(2), made.draw(2))
    assert kept.x is rows.again(9, n=3).x
    assert kept.x.dtype != rows.in_float32().again(9, n=3).x.dtype


def test_the_reference_is_asked_once_about_a_case_s_own_values():
    (law,) = (law for law in laws_for("attention") if law.name == "test_scores_are_scaled_dot_products")
    assert isinstance(law.cases, Space)
    case = law.cases.case(0, **law.cases.floor())

    def asked(subject: Subject, *arguments: torch.Tensor) -> torch.Tensor:
        return subject.attention_scores(*arguments)

    one, other = (both("attention", case.afresh(), reference_transport())[1] for _ in range(2))
    assert asked(one, case.q, case.k) is asked(other, case.q, case.k)
    assert asked(one, case.k, case.q) is not asked(one, case.q, case.k)
    assert asked(one, case.q.clone(), case.k) is not asked(other, case.q, case.k)
    assert len(case.answered) == 2
