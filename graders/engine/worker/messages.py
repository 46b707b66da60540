"""What is asked of whoever runs a subject's code, and what comes back; both as plain data."""

from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from .failure import MAX_LINES, MAX_MESSAGE, STAGES, Failure

MAX_PRINTED = 2000  # characters of what a learner's code printed


@dataclass(frozen=True)
class ModuleRequest:
    """How to build the module that is called: sizes, parameters by name, probes by path."""

    cfg: dict[str, Any]
    weights: dict[str, Tensor] | None = None
    children: dict[str, dict] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """One call of one task. With `module`, the task is a class and its `forward` is called; with `steps`, a script."""

    exercise: str
    task: str = ""
    args: tuple = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    module: ModuleRequest | None = None
    steps: list[dict[str, Any]] = field(default_factory=list)  # of a script (`steps.py`), in place of a call
    result: Any = None  # of the script: which of its steps' values are wanted
    gradients: bool = False  # of the sum of the result times `cotangent`, for every float argument and parameter
    watch: bool = False  # which operations ran
    record: bool = False  # what the parts returned
    before: tuple = ()  # the arguments of an earlier call of the same module, which must leave nothing behind
    repeats: bool = False  # whether the call gives the same once more, in `eval()` and without gradients
    describe: list[str] = field(default_factory=list)  # instead of a call: the signatures of these tasks
    chance: int = 0  # the seed of torch's own generator: another for each call, the same in every run
    seconds: float = 2.0  # after which the judge gives up on the call
    device: str = "cpu"


@dataclass(frozen=True)
class Reply:
    """What came out of one request."""

    value: Any = None
    failure: Failure | None = None
    changed: list[str] = field(default_factory=list)  # arguments ("0", "start") and parameters changed in place
    gradients: dict[str, Tensor] = field(default_factory=dict)
    recorded: dict[str, Tensor] = field(default_factory=dict)
    operations: list[str] = field(default_factory=list)
    steady: bool = True  # whether a repeated call gave the same
    notes: list[str] = field(default_factory=list)
    printed: str = ""


BLANK: dict[type, dict[str, Any]] = {Request: vars(Request("")), Reply: vars(Reply())}


def to_data(thing: Request | Reply) -> dict[str, Any]:
    """A request or a reply as plain data, without what is as in any other.

    Shallow: `dataclasses.asdict` would copy every tensor.
    """
    nested, blank = (ModuleRequest, Failure), BLANK[type(thing)]
    return {
        name: vars(value) if isinstance(value, nested) else value
        for name, value in vars(thing).items()
        if value is not blank[name] and (type(value) is not type(blank[name]) or value != blank[name])
    }


def request_from(data: dict[str, Any]) -> Request:
    module = data.get("module")
    return Request(**{**data, "module": ModuleRequest(**module) if module else None})


def reply_from(data: dict[str, Any]) -> Reply:
    """A reply from data of a process that is not to be trusted. Raises `TypeError` when it is not one."""
    if type(data) is not dict or type(data.get("failure", {})) not in (dict, type(None)):
        raise TypeError("the reply, or its failure, is no description of one")
    said = data.get("failure")
    failure = None if said is None else Failure(**said)
    reply = Reply(**{**data, "failure": failure})
    for thing, blank in ((data, BLANK[Reply]), (said or {}, vars(Failure("")))):
        for name, value in thing.items():
            if name not in ("value", "failure") and type(value) is not type(blank[name]):
                raise TypeError(f"{name} is a {type(value).__name__}")
    if reply.failure and reply.failure.stage not in STAGES:
        raise TypeError("it failed at a stage that there is not")
    texts = [*reply.changed, *reply.operations, *reply.notes, *(reply.failure.bases if reply.failure else ())]
    tensors = [*reply.gradients.values(), *reply.recorded.values()]
    lines = reply.failure.lines if reply.failure else []
    if not all(type(text) is str for text in texts) or not all(type(tensor) is Tensor for tensor in tensors):
        raise TypeError("a part of it has another type")
    if not all(type(line) is list and [*map(type, line)] == [str, int, str, str] for line in lines):
        raise TypeError("a line of a traceback has another type")
    if failure is None and len(reply.printed) <= MAX_PRINTED:
        return reply
    return replace(reply, failure=failure and _cut(failure), printed=reply.printed[:MAX_PRINTED])


def _cut(failure: Failure) -> Failure:
    """No longer than a worker of ours would have made it."""
    name, message = failure.type_name[:MAX_MESSAGE], failure.message[:MAX_MESSAGE]
    return replace(failure, type_name=name, message=message, lines=failure.lines[-MAX_LINES:])
