"""Of every task some law draws its cases, and what should come of them: what a secret seed decides, no table knows."""

import dataclasses
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from graders.cases.training_checkpoints import one_voyage, ways
from graders.engine.course import load_course
from graders.engine.law import Law, law, laws_for
from graders.engine.script import generator
from graders.engine.space import Case, Fixed, Space
from graders.engine.subject import Subject, reference_transport

TASKS = [(exercise.name, task.name) for exercise in load_course().exercises for task in exercise.tasks]
TOO_MANY = 100_000
SEEDS = (1, 2, 3, 5, 6, 7)  # none whose numbers are large


def as_text(value: object) -> str:
    """Plain data, whole: the text of a large tensor leaves numbers out."""
    if isinstance(value, Tensor):
        return str(value.tolist())
    if isinstance(value, dict):
        return str({key: as_text(item) for key, item in value.items()})
    return str([as_text(item) for item in value]) if isinstance(value, (list, tuple)) else str(value)


def answered(law: Law, case: Case) -> str:
    """What the reference answers while a law is checked on a case."""
    subject, reference = (Subject(law.exercise, reference_transport(), checks_form=False) for _ in range(2))
    law.check(subject, reference, case)
    return as_text([dataclasses.astuple(reply)[:1] for reply in subject.replies])


def is_drawn(law: Law) -> bool:
    """Whether the right answers to a law are others with another seed, or of too many sizes for a table."""
    if not isinstance(law.cases, Space):
        return False
    sizes = {name: high for name, (_low, high, *_) in law.cases.ranges.items()}
    cases = [law.cases.case(seed, **sizes) for seed in SEEDS]
    if math.prod(high - low + 1 for low, high, *_ in law.cases.ranges.values()) > TOO_MANY:
        cases += law.cases.further(len(SEEDS))
    return len({answered(law, case) for case in cases}) > 1


@pytest.mark.parametrize(("exercise", "task"), TASKS)
def test_the_answers_to_some_law_of_a_task_depend_on_the_seed(exercise, task):
    assert any(is_drawn(law) for law in laws_for(exercise) if law.task == task)


def law_of(check: Callable, cases: Space | Fixed) -> Law:
    check.__doc__ = "A law."
    return dataclasses.replace(law("get_batch", cases)(check).law, exercise="training")


def asks_what_is_drawn(subject, reference, case):
    subject.get_batch(case.x.flatten(), 1, 1, generator(0))


def asks_the_same(subject, reference, case):
    subject.get_batch(torch.arange(4), 1, 3, generator(0))


def test_a_law_is_drawn_by_what_it_asks_of_cases_that_are():
    assert is_drawn(law_of(asks_what_is_drawn, ways))


def test_a_law_on_given_cases_is_not_drawn():
    assert not is_drawn(law_of(asks_what_is_drawn, one_voyage))


def test_a_law_that_asks_the_same_of_every_case_is_not_drawn():
    assert not is_drawn(law_of(asks_the_same, ways))
