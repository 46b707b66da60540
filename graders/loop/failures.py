"""What a record says to a person: what happened, an example with yours and expected, the mistake's own sentence."""

from graders.engine.course import load_course
from graders.engine.misconception import Misconception, misconceptions_of
from graders.engine.record import Record

# Of each kind of failure that is no difference between two values, what happened and what to do
HAPPENED = {
    "parse": "The file could not be read by Python. Mend its syntax first; nothing else could be tried.",
    "import": "The file stopped with an error while it was imported. Mend this first; nothing else could be tried.",
    "foreign": "The file imports something other than torch, einops, jaxtyping and the standard library. Take it out.",
    "no_file": "The file was not there. `headstart stubs` writes files that are missing.",
    "missing": "The task, or a part of it, was not in the file. Put it back under its name.",
    "signature": "Its signature is not that of the stub. Give it back the stub's parameters.",
    "construct": "Making one stopped with an error. `__init__` is given: compare yours with the stub.",
    "parameters": "Its parameters are not those of the stub. `__init__` is given: compare yours with the stub.",
    "call": "It stopped with an error of Python's.",
    "timeout": "It was still running when its time was over. Look for a loop that does not end.",
    "crash": "It ended the process it ran in. A task only returns its result.",
    "large": "It returned more than can be looked at. The cases are tiny: look for what makes the result grow.",
    "budget": "All its calls together took too long. Look for loops that tensor operations can replace.",
    "keys": "The dictionary it returned does not have the expected keys.",
    "shape": "The result does not have the expected shape.",
    "dtype": "The numbers it returned are not of the expected dtype.",
    "nan": "The result holds NaN or infinity where a number is expected.",
    "changed": "It changed one of its inputs in place. Whoever passed it in still needs it: work on a copy.",
    "error": "An error was expected and did not come, or one came that was not expected.",
    "library": "It calls the library's own version of what this exercise builds. Write it with tensor operations.",
    "unsteady": "The same input did not give the same result a second time. Look for chance, or for what is kept.",
    "grader": "The grader itself stopped. This is no mistake of yours: please report it.",
}
OF_ONE_TASK = ("", "missing", "signature", "grader")  # kinds that may come before any case was tried


def of_the_whole_file(record: Record) -> bool:
    """Whether a failure is no single task's: it came before any task could be looked at."""
    return record.status == "failed" and record.seed is None and record.kind not in OF_ONE_TASK


def what_happened(record: Record) -> str:
    """One sentence or two on a failure that no pair of values tells; empty where they do."""
    return HAPPENED.get(record.kind, "")


def example_of(record: Record) -> list[tuple[str, str]]:
    """The smallest example, yours and expected, each after its label, as far as the record has them."""
    shown = (("Smallest example", record.counterexample), ("yours", record.yours), ("expected", record.expected))
    return [(label, text) for label, text in shown if text]


def mistakes_in(record: Record) -> list[Misconception]:
    """The known mistakes that a record names: none, one, or two that act together."""
    if not record.misconception or record.exercise not in [e.name for e in load_course().exercises]:
        return []
    known = {m.id: m for m in misconceptions_of(record.exercise)}
    return [known[identifier] for identifier in record.misconception.split("+") if identifier in known]
