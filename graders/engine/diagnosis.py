"""Names the mistake behind a failure: which known misconception does exactly what this subject did?

A misconception fits when it gives the same replies (stage of failure, values, inputs changed, gradients) on
the smallest failing case and on up to eight more that break a law too. On the smallest case alone many wrong names fit;
on nine, none. Cases on which the subject is right count for nothing, though they may still speak against a name.
"""

import itertools
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from graders.engine.course import Exercise
from graders.engine.law import Broken, Law, largest, laws_for, same_values
from graders.engine.misconception import Misconception, misconceptions_of, tasks_within
from graders.engine.space import Case, Fixed, Space
from graders.engine.subject import both, subject_with
from graders.engine.transport import Transport
from graders.engine.worker.failure import Failure
from graders.engine.worker.messages import Reply

MORE_CASES = 8  # that break a law
MOST_CASES = 24  # that are looked at for them
DEAR = 0.05  # seconds: a case of a real model takes several times as long, one of a small model a tenth of them
MAX_PAIRS = 200  # half a second of most tasks, two where a case is dear
NO_FORM = ("parse", "import", "foreign", "no_file", "missing", "signature")  # it cannot even be called
ENDS_A_SEARCH = ("timeout", "crash", "large", "budget")  # a second try would cost as much again
# These say all there is to say
UNEXPLAINED = (*NO_FORM, *ENDS_A_SEARCH, "not_started", "library", "unlike", "unsteady")


@dataclass(frozen=True)
class Diagnosis:
    """One misconception, or two that act together."""

    misconceptions: tuple[Misconception, ...]
    first_is_enough: bool = False  # for what the failing case shows; the other one shows elsewhere

    @property
    def id(self) -> str:
        return "+".join(m.id for m in self.misconceptions)


@dataclass(frozen=True, eq=False)
class Witness:
    """What the subject did on one case of a law, which a suspect has to do as well."""

    law: Law
    case: Case
    replies: list[Reply]
    breaks: str  # what breaks, as `replay` has it
    seconds: float

    def fits(self, suspect: Transport) -> bool:
        """Whether a suspect does just that."""
        replies, breaks = replay(self.law, self.case, suspect)
        return breaks == self.breaks and same_replies(replies, self.replies)

    def order(self) -> tuple[bool, bool, float]:
        """When it is heard: most suspects fall where the subject fails and they do not; a real model comes last."""
        return self.seconds > DEAR, not self.breaks, self.seconds


def replay(law: Law, case: Case, transport: Transport) -> tuple[list[Reply], str]:
    """The replies of a subject while a law is checked on a case, up to where it breaks, and what breaks."""
    if isinstance(law.cases, Space):
        case = law.cases.again(case.seed, **case.sizes)  # since a law may draw more of it
    subject, reference = both(law.exercise, case, transport)
    try:
        law.check(subject, reference, case)
    except Broken as broken:
        return subject.replies, f"{broken.kind} {broken.what}"
    return subject.replies, ""


def further_cases(law: Law, case: Case) -> Iterator[tuple[Law, Case]]:
    """More cases of the laws of the same task, this law's own first; what is drawn comes before what is given."""
    laws = [law, *(other for other in laws_for(law.exercise) if other.task == law.task and other is not law)]
    for other in laws:
        if isinstance(other.cases, Space):
            yield from ((other, drawn) for drawn in other.cases.further(MORE_CASES))
    for other in laws:
        if isinstance(other.cases, Fixed):
            given = other.cases.load(None)
            yield from ((other, one) for one in given if (one.seed, one.sizes) != (case.seed, case.sizes))


def diagnose(law: Law, case: Case, exercise: Exercise, transport: Transport) -> Diagnosis | None:
    """The first misconception of the task that fits, then the first pair; None when nothing does."""
    own = [m for task in tasks_within(exercise, law.task) for m in misconceptions_of(exercise.name) if m.task == task]
    witnesses: list[Witness] = []
    for a_law, a_case in itertools.chain([(law, case)], itertools.islice(further_cases(law, case), MOST_CASES)):
        began = time.perf_counter()
        replies, breaks = replay(a_law, a_case, transport)
        if breaks.partition(" ")[0] in ENDS_A_SEARCH:
            return None
        witnesses.append(Witness(a_law, a_case, replies, breaks, time.perf_counter() - began))
        if sum(bool(witness.breaks) for witness in witnesses) > MORE_CASES:
            break
    on_screen = witnesses[0]
    witnesses.sort(key=Witness.order)

    def fits(changes: tuple[Misconception, ...]) -> bool:
        suspect = subject_with(exercise.name, changes)
        return all(witness.fits(suspect) for witness in witnesses)

    singles = _first(((m,) for m in own), fits)
    if singles:
        return singles
    if isinstance(law.cases, Fixed):
        return None  # a real model: too dear to try hundreds of pairs on
    # Two mistakes in the failing task itself are likelier than any in what it needs
    in_order = sorted(itertools.combinations(own, 2), key=lambda pair: any(m.task != law.task for m in pair))
    pairs = (pair for pair in in_order if _combine(exercise.name, pair))
    # Each half of a pair that fits matters somewhere, or it would have fitted alone
    found = _first(itertools.islice(pairs, MAX_PAIRS), fits)
    if found is None:
        return None
    explains = [m for m in found.misconceptions if on_screen.fits(subject_with(exercise.name, (m,)))]
    ordered = sorted(found.misconceptions, key=lambda m: m not in explains)
    return Diagnosis(tuple(ordered), first_is_enough=len(explains) == 1)


def _first(candidates, fits: Callable[[tuple[Misconception, ...]], bool]) -> Diagnosis | None:
    return next((Diagnosis(changes) for changes in candidates if fits(changes)), None)


def _combine(exercise: str, pair: tuple[Misconception, ...]) -> bool:
    """Whether both patches fit into one text."""
    try:
        subject_with(exercise, pair)
    except ValueError:
        return False
    return True


def same_replies(ours: Sequence[Reply], theirs: Sequence[Reply]) -> bool:
    """Whether two subjects did the same, call by call."""
    return len(ours) == len(theirs) and all(map(_same_reply, ours, theirs))


def _same_reply(a: Reply, b: Reply) -> bool:
    if a.failure is None or b.failure is None:
        if a.failure or b.failure:
            return False
    else:
        return _said(a.failure) == _said(b.failure)
    return (
        set(a.changed) == set(b.changed)
        and _same_value(a.value, b.value)
        and all(_same_value(a.recorded[name], b.recorded[name]) for name in _recorded_by_both(a, b))
        and a.gradients.keys() == b.gradients.keys()
        and all(_same_value(a.gradients[name], b.gradients[name]) for name in a.gradients)
    )


def _recorded_by_both(a: Reply, b: Reply) -> set[str]:
    """What both took and returned inside, but for functions: a right answer may do without those."""
    return {name for name in a.recorded.keys() & b.recorded.keys() if "/" not in name}


def _said(failure: Failure) -> tuple[str, str, str]:
    """What two failures must share; the message only where it is ours, not the learner's."""
    return failure.stage, failure.type_name, failure.message if failure.stage == "parameters" else ""


def _same_value(a: object, b: object) -> bool:
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        nan = a.isnan() if a.is_floating_point() else None
        if nan is not None and nan.any():
            return bool((nan == b.isnan()).all()) and _bit_close(a.nan_to_num(), b.nan_to_num())
        return _bit_close(a, b)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same_value(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) and type(a) is type(b):
        return len(a) == len(b) and all(map(_same_value, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12) or (math.isnan(a) and math.isnan(b))
    return type(a) is type(b) and a == b


def _bit_close(a: Tensor, b: Tensor) -> bool:
    """Equal up to the order of additions; near zero, a hundred times closer than a law asks for."""
    if a.dtype != torch.float64:
        return same_values(a, b)
    return same_values(a, b, atol=1e-12 * max(1.0, largest(b)))
