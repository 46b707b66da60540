"""What the reference answers on one case: asked once, however often the question is put.

The check of the form puts the same question as the law; another law, another subject and the next suspect of a
diagnosis put it again, on the same case. What was asked about the case's own values alone is kept with it.
"""

from dataclasses import replace
from typing import Any

from torch import Tensor

from graders.engine.script import Story, told
from graders.engine.space import Case
from graders.engine.transport import Transport
from graders.engine.worker.messages import Reply, Request

ATOMS = (bool, int, float, str, type(None))


class Answers:
    """The answers of the reference, which is asked in its `transport`, while a law is tried on a case."""

    def __init__(self, transport: Transport, case: Case | None = None):
        self.transport = transport
        self.kept = case.answered if case else {}
        self.own: set[int] = set()  # the case's own tensors, by id
        _said([value for name, value in vars(case).items() if name != "answered"] if case else [], self.own)
        # A request stays beside its reply, so that no id in its key can come to mean something else
        self.here: dict[Any, tuple[Request, Reply]] = {}
        self.stories: dict[Story, tuple[list[dict[str, Any]], Any]] = {}

    def told(self, story: Story) -> tuple[list[dict[str, Any]], Any]:
        """The steps of a story and its result; told once, since it may make new tensors each time."""
        if story not in self.stories:
            self.stories[story] = told(story)
        return self.stories[story]

    def to(self, request: Request) -> Reply:
        """What the reference answers to a request."""
        module = vars(request.module) if request.module else None
        parts = [request.args, request.kwargs, module, request.steps, request.result, request.before]
        tensors: set[int] = set()
        key = (request.exercise, request.task, request.gradients, request.record, _said(parts, tensors))
        answers = self.kept if tensors <= self.own else self.here
        if key not in answers:
            # Whoever asks first must not decide what the others are told
            answers[key] = (request, self.transport.ask(replace(request, device="cpu", chance=0)))
        return answers[key][1]


def _said(value: Any, tensors: set[int]) -> Any:
    """What tells one part of a request from another: tensors by which they are, all else by what it says.

    The tensors in it are added to `tensors`.
    """
    if isinstance(value, Tensor):
        tensors.add(id(value))
        return id(value)
    if isinstance(value, dict):
        return tuple([(key, _said(item, tensors)) for key, item in value.items()])
    if isinstance(value, (list, tuple)):
        return (type(value), *[_said(item, tensors) for item in value])
    return (type(value), repr(value)) if isinstance(value, ATOMS) else id(value)
