"""A subject as a law sees it: `subject.attention_scores(q, k)`, `subject.module("Attention", cfg, weights)(x)`.

Every call is a request to wherever the subject's code runs. What comes back is checked for its form (type,
shape, dtype, finite, inputs unchanged) against what the reference answers, before the law sees it.
"""

import functools
import importlib
import inspect
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from types import NoneType
from typing import Any, get_args

import torch
from torch import Tensor

from graders.engine.answers import Answers
from graders.engine.course import ROOT
from graders.engine.law import Broken, part_of
from graders.engine.misconception import Misconception, Variant
from graders.engine.script import Story
from graders.engine.space import Case
from graders.engine.transport import PATIENCE, InProcess, Transport
from graders.engine.worker.codec import Opaque
from graders.engine.worker.loading import Source
from graders.engine.worker.messages import ModuleRequest, Reply, Request

REFERENCE = ROOT / "reference"
REFUSED = "this input should have been refused"


@functools.cache
def reference_text(name: str) -> str:
    """The text of a solved file."""
    return (REFERENCE / f"{name}.py").read_text(encoding="utf-8")


@functools.cache
def reference_transport() -> Transport:
    """The reference, in this process."""
    return InProcess(Source(folder=str(REFERENCE)))


def reference_task(exercise: str, task: str) -> Callable:
    """The solved function or class itself, for its signature and annotations."""
    return getattr(importlib.import_module(f"{REFERENCE.name}.{exercise}"), task)


@functools.cache
def argument_names(exercise: str, task: str) -> tuple[str, ...]:
    """Names of the arguments of a task's call, without `self`."""
    return tuple(name for name in _call_signature(exercise, task).parameters if name != "self")


def result_axes(exercise: str, task: str) -> str:
    """The names of the axes of a task's result, as annotated: `batch n_heads q k`; "" where some have none."""
    names = getattr(_call_signature(exercise, task).return_annotation, "dim_str", "")
    any_number = any(name == "..." or name.startswith("*") for name in names.split())  # n*n is one axis
    return "" if any_number else names


def may_be_none(exercise: str, task: str) -> bool:
    """Whether None is one of the results that a task is to have."""
    return NoneType in get_args(_call_signature(exercise, task).return_annotation)


def _call_signature(exercise: str, task: str) -> inspect.Signature:
    """The signature of a function, or of a class's `forward`."""
    solved = reference_task(exercise, task)
    return inspect.signature(getattr(solved, "forward", solved))


@dataclass
class Subject:
    """One exercise of one subject, on one case: what a law knows as `subject` and `reference`.

    `subject.attention_scores(q, k)` calls a task that is a function. What comes back has the type, the shape and the
    dtype of the reference's answer, is finite where that is, and came without an input changed: otherwise the law is
    broken before it sees it. Arguments are plain data, or described (below). It keeps the replies, for the diagnosis.
    """

    exercise: str
    transport: Transport
    checks_form: bool = True
    watch: bool = False
    device: str = "cpu"
    repeats: bool = False
    chance: int = 0  # where chance starts in the subject's own code, on this case
    answers: Answers = field(default_factory=lambda: Answers(reference_transport()))  # on this case
    replies: list[Reply] = field(default_factory=list)
    seconds: float = 0.0  # that the subject's own code took

    def __getattr__(self, task: str) -> Callable[..., Any]:
        if task.startswith("_"):
            raise AttributeError(task)
        return lambda *args, **kwargs: self.ask(Request(self.exercise, task, args, kwargs)).value

    def module(self, task: str, cfg: dict, weights: dict | None = None, children: dict | None = None) -> "Module":
        """A module of the subject's class, called next: `subject.module("MLP", case.cfg, case.weights)(case.x)`.

        `cfg` are the sizes of its `GPTConfig`, or a description of what it takes in that place, as
        `given("ViTConfig", ...)`; `weights` are all its parameters by name, loaded strictly; `children` are
        descriptions of probes by the paths of the submodules that they replace. It is made afresh for every call.
        """
        return Module(self, task, ModuleRequest(cfg, weights, children or {}))

    def tell(self, story: Story, seconds: float = 2.0, meanwhile: Callable[[], object] | None = None) -> Any:
        """What a story comes to: several steps with the subject's functions, objects and modules.

        `seconds` is how long all of it may take; `meanwhile` is called, here, while another process is at it. Raises
        `Broken` as a call does.
        """
        return self.ask(self._script(story, seconds), meanwhile).value

    def _script(self, story: Story, seconds: float) -> Request:
        steps, result = self.answers.told(story)
        return Request(self.exercise, "", steps=steps, result=result, seconds=seconds)

    def gradients(self, task: str, *args: Any) -> dict[str, Tensor]:
        """Gradients of a function's result for each float argument, by the argument's name.

        They are those of the sum of the result times `cotangent(result)`.
        """
        return self._named(self.ask(Request(self.exercise, task, args, gradients=True)).gradients, task)

    def ask(self, request: Request, meanwhile: Callable[[], object] | None = None) -> Reply:
        """Perform a request. Raises `Broken` when it fails or its result does not have the right form.

        `meanwhile` is what the law will want next, done here while another process performs the request; where the
        form is checked, that is the reference's answer.
        """
        is_plain = not (request.watch or request.record or request.repeats or request.before)
        plainly = request if is_plain else replace(request, watch=False, record=False, repeats=False, before=())
        expect = functools.cache(functools.partial(self.answers.to, plainly))
        reply = self._performed(request, expect if self.checks_form else meanwhile)
        if reply.failure:
            raise Broken(reply.failure.stage, failure=reply.failure)
        if self.checks_form:
            expected = expect()
            if expected.failure:
                raise Broken("error", reply.value, note=REFUSED)
            for broken in form_differences(reply.value, expected.value):
                raise broken
            for broken in gradient_differences(reply.gradients, expected.gradients):
                raise broken
            if reply.changed:
                raise Broken("changed", what=", ".join(self._argument(name, request.task) for name in reply.changed))
            if not reply.steady:
                raise Broken("unsteady")
        return reply

    def _performed(self, request: Request, meanwhile: Callable[[], object] | None = None) -> Reply:
        """The reply to a request, whatever it is; the time that it took is counted."""
        chance = self.chance + len(self.replies)
        request = replace(request, watch=self.watch, device=self.device, repeats=self.repeats, chance=chance)
        ours = self.transport is reference_transport() and not self.watch
        began, computed = time.monotonic(), self.transport.computed()
        reply = self.answers.to(request) if ours else self.transport.ask(request, meanwhile)
        if request.seconds == Request.seconds:  # a call that is given more, for a larger model, has its own limit
            self.seconds += max(self.transport.computed() - computed, (time.monotonic() - began) / PATIENCE)
        self.replies.append(reply)
        return reply

    def error(self, task: str, *args: Any, note: str = REFUSED) -> tuple[list[str], str]:
        """The classes and the message of what the task raises. Raises `Broken`, with `note`, when it raises nothing."""
        reply = self._performed(Request(self.exercise, task, args))
        if reply.failure is None:
            raise Broken("error", reply.value, note=note)
        if reply.failure.stage != "call":
            raise Broken(reply.failure.stage, failure=reply.failure)
        return reply.failure.bases, reply.failure.message

    def _named(self, by_position: dict[str, Any], task: str) -> dict[str, Any]:
        return {self._argument(name, task): value for name, value in by_position.items()}

    def _argument(self, name: str, task: str) -> str:
        if not name.isdecimal():  # a parameter, or what a script handed over
            return name
        names = argument_names(self.exercise, task)
        return names[int(name)] if int(name) < len(names) else name


@dataclass(frozen=True)
class Module:
    """A module of the subject, made afresh for every call: `module(x)` is what its `forward` returns."""

    subject: Subject
    task: str
    request: ModuleRequest
    before: tuple = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._ask(args, kwargs).value

    def after(self, *args: Any) -> "Module":
        """The same module, called with these arguments first."""
        return replace(self, before=args)

    def gradients(self, *args: Any) -> dict[str, Tensor]:
        """Gradients of the result for each float argument and each parameter, by name."""
        return self.subject._named(self._ask(args, {}, gradients=True).gradients, self.task)

    def recorded(self, *args: Any, seconds: float = 2.0) -> dict[str, Tensor]:
        """What the parts took and returned inside, by their paths, and the result itself under the key ''."""
        reply = self._ask(args, {}, record=True, seconds=seconds)
        return reply.recorded | {"": reply.value}

    def _ask(self, args: tuple, kwargs: dict, **options: Any) -> Reply:
        options |= {"module": self.request, "before": self.before}
        return self.subject.ask(Request(self.subject.exercise, self.task, args, kwargs, **options))


def both(exercise: str, case: Case, transport: Transport, **options: Any) -> tuple[Subject, Subject]:
    """A subject and the reference, for a law that is tried on a case; `options` are the subject's."""
    answers = Answers(reference_transport(), case)
    subject = Subject(exercise, transport, answers=answers, **options)
    return subject, Subject(exercise, reference_transport(), checks_form=False, answers=answers)


def form_differences(yours: Any, expected: Any) -> Iterator[Broken]:
    """In the order in which a learner can act on them: type, keys, length, shape, dtype, finite."""
    if isinstance(yours, Opaque) or type(yours) is not type(expected):
        yield Broken("type", yours, expected)
    elif isinstance(expected, dict):
        if yours.keys() != expected.keys():
            extra, missing = sorted(yours.keys() - expected.keys()), sorted(expected.keys() - yours.keys())
            yield Broken("keys", extra, missing)
            return
        for key in expected:
            for broken in form_differences(yours[key], expected[key]):
                yield replace(broken, what=f"{key} {broken.what}".strip())
    elif isinstance(expected, (list, tuple)):
        for i, (a, b) in enumerate(zip(yours, expected, strict=False)):  # how many there are is for the law to say
            for broken in form_differences(a, b):
                yield replace(broken, what=f"{part_of(expected, i)} {broken.what}".strip())
    elif isinstance(expected, Tensor):
        if yours.shape != expected.shape:
            yield Broken("shape", yours, expected)
        elif yours.dtype != expected.dtype:
            yield Broken("dtype", yours, expected)
        elif not yours.isfinite().all() and (yours.isnan().any() or (yours == torch.inf).any()):
            yield Broken("nan", yours, expected)  # -inf may be right elsewhere, as in a mask: the laws compare it
    elif isinstance(expected, float) and math.isnan(yours) and not math.isnan(expected):
        yield Broken("nan", yours, expected)


def gradient_differences(yours: dict[str, Tensor], expected: dict[str, Tensor]) -> Iterator[Broken]:
    """Of gradients: a law may look for those of every argument and parameter, and each has the shape of its own."""
    if yours.keys() != expected.keys():
        yield Broken("keys", sorted(yours.keys() - expected.keys()), sorted(expected.keys() - yours.keys()))
        return
    for name, gradient in expected.items():
        if yours[name].shape != gradient.shape:
            yield Broken("shape", yours[name], gradient, what="gradient")


def reference_with(patched: dict[str, str]) -> InProcess:
    """The reference with some of its files replaced: a misconception, a variant, a mutation."""
    return InProcess(Source(folder=str(REFERENCE), texts=patched))


@functools.cache
def subject_with(exercise: str, changes: tuple[Misconception | Variant, ...]) -> InProcess:
    """The reference with these changes in the exercise's file."""
    text = reference_text(exercise)
    for change in changes:
        text = change.apply(text)
    return reference_with({exercise: text})
