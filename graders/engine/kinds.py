"""The kinds of failure that no pair of values tells: of each, what happened, and what to do about it.

A record of another day knows its kind alone and says both; a screen that knows more says what happened with it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """What is said about a kind of failure."""

    happened: str
    to_do: str = ""


COMPARED = ("values", "nan", "shape")  # of these a known mistake is looked for, and it is said when none is found
MEND_FIRST = "Mend this first; nothing else can be tried."
KINDS = {
    "parse": Kind("The file could not be read by Python.", MEND_FIRST),
    "import": Kind("The file stopped with an error while it was imported.", MEND_FIRST),
    "foreign": Kind(
        "The file imports another library.",
        "Only torch, einops, jaxtyping and the standard library are needed here. Take this import out first; nothing "
        "else can be tried.",
    ),
    "no_file": Kind(
        "The file was not there.",
        "Put it back; `headstart stubs` writes the stubs anew, and leaves files with work in them alone.",
    ),
    "missing": Kind(
        "The task, or a part of it, was not in the file.", "The task needs it: put it back under that name."
    ),
    "signature": Kind("Its signature is not that of the stub.", "Give it back the parameters of the stub."),
    "construct": Kind("Making one stopped with an error.", "`__init__` is given: compare yours with the stub."),
    "parameters": Kind("Its parameters are not those of the stub: compare your `__init__`, which is given, with it."),
    "call": Kind("It stopped with an error of Python's."),
    "timeout": Kind("It was still running when its time was over.", "Look for a loop that does not end."),
    "crash": Kind("It ended the process it ran in.", "A task only returns its result."),
    "large": Kind(
        "It returned more than can be looked at.", "The cases are tiny: look for what makes the result grow."
    ),
    "budget": Kind(
        "All its calls together took too long.",
        "The cases are tiny: look for loops that tensor operations can replace.",
    ),
    "keys": Kind("The dictionary it returned does not have the expected keys."),
    "shape": Kind("The result does not have the expected shape."),
    "dtype": Kind("The numbers it returned are not of the expected dtype."),
    "nan": Kind("The result holds NaN or infinity where a number is expected."),
    "changed": Kind("It changed one of its inputs in place.", "Whoever passed that in still needs it: work on a copy."),
    "error": Kind("An error was expected and did not come, or one came that was not expected."),
    "library": Kind(
        "It calls the library's own version of what this exercise builds.", "Write it with tensor operations."
    ),
    "unlike": Kind(
        "It returned what no law could take apart.",
        "Compare the type of each part of the result with what its docstring says.",
    ),
    "unsteady": Kind(
        "The same input did not give the same result a second time (in eval mode, without gradients).",
        "Look for chance, or for what is kept between calls.",
    ),
    "grader": Kind("The grader itself stopped.", "This is no mistake of yours: please report it."),
}
