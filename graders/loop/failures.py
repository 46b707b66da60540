"""What a record says to a person: what happened, an example with yours and expected, the mistake's own sentence."""

from graders.engine.course import load_course
from graders.engine.kinds import KINDS
from graders.engine.misconception import Misconception, misconceptions_of
from graders.engine.record import Record

OF_ONE_TASK = ("", "missing", "signature", "grader")  # kinds that may come before any case was tried


def of_the_whole_file(record: Record) -> bool:
    """Whether a failure is no single task's: it came before any task could be looked at."""
    return record.status == "failed" and record.seed is None and record.kind not in OF_ONE_TASK


def what_happened(record: Record) -> str:
    """One sentence or two on a failure that no pair of values tells; empty where they do."""
    kind = KINDS.get(record.kind)
    return f"{kind.happened} {kind.to_do}".strip() if kind else ""


def example_of(record: Record) -> list[tuple[str, str]]:
    """The smallest example, yours and expected, each after its label, as far as the record has them."""
    shown = (("Smallest example", record.counterexample), ("yours", record.yours), ("expected", record.expected))
    return [(label, text) for label, text in shown if text]


def mistakes_in(record: Record) -> list[Misconception]:
    """The known mistakes that a record names: none, one, or two that act together."""
    if not record.misconception or load_course().get(record.exercise) is None:
        return []
    known = {m.id: m for m in misconceptions_of(record.exercise)}
    return [known[identifier] for identifier in record.misconception.split("+") if identifier in known]
