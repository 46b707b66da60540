"""What a learner reads about a failure, on one screen; `summary.py` has what follows it.

Pure functions from outcomes to lines of text. What happened, what was expected, what to do next; only the
learner's own lines of a traceback, and nothing of the engine.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graders.engine.course import Exercise
from graders.engine.diagnosis import Diagnosis
from graders.engine.kinds import COMPARED, KINDS
from graders.engine.law import Broken, differing
from graders.engine.layout import LABEL, WIDTH, block, labelled, visible, wrapped
from graders.engine.space import Case
from graders.engine.subject import may_be_none
from graders.engine.trial import EXERCISE_SECONDS, Outcome
from graders.engine.wording import DIGITS, given_text, kind_of, numbers, sizes
from graders.engine.worker.codec import Opaque

FEW = 12  # numbers of a tensor that is shown whole
WITH_EXAMPLE = ("values", "nan", "shape", "type", "keys", "call", "timeout", "changed", "unsteady")


def failure_screen(
    outcome: Outcome,
    tally: str,
    exercise: Exercise,
    folder: str,
    more: Callable[[Exercise, str], str] = Exercise.page_of,
) -> list[str]:
    """All that is said about one failure; `more` says where an exercise's task is explained."""
    broken, task = outcome.broken or Broken(""), outcome.record.task
    if outcome.is_of_the_whole_file:
        said = wrapped(explanation(broken, f"{folder}/{exercise.name}.py", task))
        return [exercise.name, *(visible(f"  {line}") for line in said), *map(visible, where_in_your_code(broken))]
    lines = [f"{exercise.name} · {task}".ljust(50) + tally]
    lines += [f"  {line}" for line in wrapped(outcome.record.statement)]
    lines += [f"  {line}" for line in wrapped(explanation(broken, f"{folder}/{exercise.name}.py", task))]
    if outcome.case and broken.kind in WITH_EXAMPLE:
        lines += example_lines(outcome.case)
    lines += comparison(broken)
    lines += where_in_your_code(broken)
    lines += looks_like(outcome.diagnosis) if outcome.diagnosis else []
    if broken.look_at:
        where = f"{folder}/{broken.look_at}.py, in which it arises: run pytest graders/test_{broken.look_at}.py."
        lines += block("Look at", where)
    elif outcome.record.kind in COMPARED and not outcome.diagnosis:
        lines += block("What this looks like", "None of the known mistakes. What is shown above is the best lead.")
    if broken.printed and broken.failure.type_name != "BdbQuit":
        lines += block("Your code printed", " / ".join(list(dict.fromkeys(broken.printed.strip().splitlines()))[-3:]))
    for note in broken.notes:
        lines += block("Note", note)
    return [*map(visible, lines), f"  More: {more(exercise, task)}"]


def explanation(broken: Broken, file: str, task: str) -> str:
    """What happened, what was expected, what to do next, in one breath; empty where the values say it all."""
    to_do = KINDS[broken.kind].to_do if broken.kind in KINDS else ""
    return f"{_happened(broken, file, task)} {to_do}".strip()


def _happened(broken: Broken, file: str, task: str) -> str:
    """What happened, with the place and the message that only this run knows."""
    failure = broken.failure
    raised = f"{failure.type_name}: {short(failure.message)}"
    line = failure.lines[-1][1] if failure.lines else 0
    match broken.kind:
        case "parse":
            where = f"line {line}, {short(failure.message)}" if line else short(failure.message)
            return f"{file} cannot be read by Python: {where}."
        case "import":
            return f"{file} stops while it is imported, with {raised}."
        case "foreign":
            return f"{file} imports {failure.message}."
        case "no_file":
            return f"{file} is not there."
        case "missing":
            return f"{file} has no {broken.what}."
        case "signature":
            return f"The signature of {broken.what} has changed."
        case "construct":
            return f"{task}(cfg) stops with {raised}."
        case "parameters":
            return f"The parameters of {task} are not those of the stub: {failure.message.replace(chr(10), '; ')}."
        case "call" if failure.type_name == "BdbQuit":
            return "There is a breakpoint in it. Add --in-process to the command to stop there."
        case "call":
            return f"It stops with {raised}."
        case "timeout":
            return f"It was still running after {failure.message} seconds and was stopped."
        case "crash":
            return f"It ended the process it runs in ({failure.message})."
        case "budget":
            return f"All its calls together took more than {EXERCISE_SECONDS:.0f} seconds; the rest was left out."
        case "type":
            is_optional = may_be_none(Path(file).stem, task)  # then `None` says nothing about a forgotten `return`
            say = given_text if is_optional and not isinstance(broken.yours, Opaque) else kind_of
            yours, expected = say(broken.yours), say(broken.expected)
            said = f"Of what it returned, {broken.what} is {yours}" if broken.what else f"It returned {yours}"
            return f"{said}, expected {expected}." + ("" if is_optional else hint_for(broken.yours, broken.expected))
        case "dtype":
            yours, expected = (str(t.dtype).removeprefix("torch.") for t in (broken.yours, broken.expected))
            said = f"It returned numbers of dtype {yours}, expected {expected}"
            if not broken.expected.is_floating_point():
                return f"{said}."
            return f"{said}: that of its input, or, where it makes new numbers, PyTorch's default, which a law may set."
        case "changed":
            return f"It changed {broken.what} in place."
        case "large" | "keys" | "nan" | "unlike" | "unsteady":
            return KINDS[broken.kind].happened
        case "error":
            got = f"It raised {raised}" if failure.type_name else "It returned a result"
            return f"{got}; {broken.note}."
        case "library":
            return f"It calls the library's {broken.what}, which this exercise builds."
        case "grader":
            return f"The grader itself stopped, with {broken.note}."
        case "not_started":
            return f"It stops with {raised}."
    return ""


def looks_like(diagnosis: Diagnosis) -> list[str]:
    """The mistake that was found, or the two that act together; of two apart the one that shows here."""
    found = diagnosis.misconceptions[:1] if diagnosis.first_is_enough else diagnosis.misconceptions
    lines: list[str] = []
    for place_of_two, misconception in zip(("One of two mistakes: ", "The other: "), found, strict=False):
        lines += block("What this looks like", (place_of_two if len(found) > 1 else "") + misconception.names)
        lines += block("Think about", misconception.asks)
    if diagnosis.first_is_enough:
        lines += block("Then", "There is a second mistake, which shows elsewhere: mend this one and look again.")
    return lines


def comparison(broken: Broken) -> list[str]:
    """Yours and expected, as few numbers as show the difference."""
    if broken.kind == "shape":
        wanted = shape(broken.expected, broken.axes)
        compared = [labelled("Compared", broken.what)] if broken.what else []
        return [*compared, labelled("your shape", shape(broken.yours)), labelled("expected shape", wanted)]
    if broken.kind == "keys":
        names = (("missing", broken.expected), ("too many", broken.yours))
        return [labelled(label, ", ".join(keys)) for label, keys in names if keys]
    if broken.kind == "signature":
        return [labelled("yours", str(broken.yours)), labelled("expected", str(broken.expected))]
    if broken.kind not in ("values", "nan") or broken.yours is None:
        return []
    lines = [labelled("Compared", broken.what)] if broken.what else []
    yours, expected = broken.yours, broken.expected
    if isinstance(yours, Tensor) and (yours.numel() > FEW or len(numbers(expected)) > WIDTH - LABEL):
        index = first_difference(yours, expected)
        lines.append(labelled("First difference", f"at {place(index, broken.axes)} of {shape(yours, broken.axes)}"))
        yours, expected = yours[index], expected[index]
    note = block("", f"({broken.note})") if broken.note else []
    tried = (DIGITS, 10, 13, 17)
    digits = next((n for n in tried if value_text(yours, n) != value_text(expected, n)), DIGITS)
    both = [labelled("yours", value_text(yours, digits)), labelled("expected", value_text(expected, digits))]
    return [*lines, *both, *note]


def first_difference(yours: Tensor, expected: Tensor) -> tuple[int, ...]:
    """The index of the first number that differs, in reading order."""
    return tuple(differing(yours, expected).nonzero()[0].tolist())


def example_lines(case: Case) -> Iterator[str]:
    """The inputs of the case, named axes and all; of large ones only the sizes."""
    label = "Smallest example"
    for name, axes in case.shown.items():
        value = getattr(case, name)
        few = not isinstance(value, Tensor) or value.numel() <= FEW
        named, text = name + sizes(axes), given_text(value) if few else drawn_text(value)
        if len(f"{named} = {text}") <= WIDTH - LABEL:
            yield labelled(label, f"{named} = {text}")
        else:
            yield from (labelled(label, f"{named} ="), labelled("", text))
        label = ""
    if "weights" not in case.shown and case.weights and case.sizes:
        yield labelled(label, "random parameters" + sizes({n: case.cfg[n] for n in case.sizes if n in case.cfg}))


def drawn_text(value: Tensor) -> str:
    """What is said in place of the numbers of a large input."""
    first = value.flatten()[0]
    if (value == first).all():
        return f"all {numbers(first)}"
    if not value.is_floating_point():
        return "whole numbers, too many to show"
    fortieths = (40 * value).round() / 40  # as `Case.draw` has it, a quarter of a tenth in float32
    return "random tenths" if torch.isclose(value, fortieths, rtol=0, atol=1e-10).all() else "numbers, too many to show"


def where_in_your_code(broken: Broken) -> Iterator[str]:
    """The learner's own lines of a traceback."""
    label = "in your code"
    for file, line, function, text in broken.failure.lines:
        named = f"{file}, line {line}" + (f", in {function}" if function else "")
        if not text or len(f"{named}:  {text}") <= WIDTH - LABEL:
            yield labelled(label, f"{named}:  {text}".rstrip(": "))
        else:  # the fault may be at the end of a long line
            yield from (labelled(label, f"{named}:"), f"    {text}")
        label = ""


def shape(value: Any, axes: str = "") -> str:
    """`(batch 2, n_heads 3)`, or the bare sizes where the axes have no names."""
    lengths = list(getattr(value, "shape", ()))
    names = axes.split()
    if len(names) != len(lengths):
        return f"({', '.join(map(str, lengths))})"
    named = [f"{name} {size}" for name, size in zip(names, lengths, strict=True)]
    return f"({', '.join(named)})"


def place(index: Sequence[int], axes: str) -> str:
    names = axes.split()
    if len(names) != len(index):
        return f"[{', '.join(map(str, index))}]"
    return f"[{', '.join(f'{name} {i}' for name, i in zip(names, index, strict=True))}]"


def hint_for(value: Any, expected: Any) -> str:
    if isinstance(value, Tensor) and isinstance(expected, (int, float)):
        return " `.item()` makes it a number."
    if value is None:
        return " Is a `return` missing?"
    if isinstance(value, Opaque) and value.type_name == "numpy.ndarray":
        return " Gradients cannot flow through NumPy: stay with torch."
    return " Return the result alone." if isinstance(value, tuple) else ""


def short(message: str) -> str:
    """The first line of a message, cut to a length that fits."""
    first = next((line.strip() for line in message.splitlines() if line.strip()), "no message").rstrip(".")
    return first if len(first) <= 160 else first[:160] + " ..."


def value_text(value: Any, digits: int = DIGITS) -> str:
    return numbers(value, digits) if isinstance(value, (Tensor, list, float)) else str(value)
