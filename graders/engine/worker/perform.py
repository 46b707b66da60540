"""Performs one request on a subject's file and answers with plain data.

A request names an exercise and a task, and says what goes in; a reply says what came out, or at which stage
it failed, in the order in which a learner can act: parse, import, missing, construct, parameters, call.
"""

import dataclasses
import inspect
import signal
import threading
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from . import watch
from .codec import plain
from .failure import Failure, failure_of
from .loading import Source, SubjectPackage
from .making import Maker, Unfit
from .messages import Reply, Request
from .same import close, copied, is_as_given, is_float, same, tensors_in
from .steps import Script


def cotangent(out: Tensor) -> Tensor:
    """The fixed weights by which a result is summed before gradients are taken; same shape as `out`."""
    return torch.linspace(0.5, 1.5, max(out.numel(), 1), dtype=out.dtype)[: out.numel()].cos().reshape(out.shape)


def spare_the_compiler() -> None:
    """Keep torch's optimizers from importing the compiler at their first use, which takes more than a second.

    Their methods are marked as none of the compiler's business by a wrapper that imports it, unless it finds in the
    wrapped function (`torch._compile._disable_dynamo`) what it would have made of it.
    """
    for method in vars(torch.optim.Optimizer).values():
        wrapped = getattr(method, "__wrapped__", None)
        if wrapped is not None:
            vars(wrapped).setdefault("__dynamo_disable", wrapped)


class Performer:
    """Keeps a subject's files loaded, one private package for each exercise that is graded."""

    def __init__(self, source: Source, lets_through: tuple[type[BaseException], ...] = ()):
        self.source = source
        self.lets_through = lets_through  # raised by whoever sits at a debugger, not by the subject
        self.packages: dict[str, SubjectPackage] = {}
        spare_the_compiler()

    def close(self) -> None:
        """Forget all that was loaded."""
        for package in self.packages.values():
            package.close()
        self.packages.clear()

    def perform(self, request: Request) -> Reply:
        """Answer one request. What the learner's code raises becomes a `Failure`, whatever it is."""
        if request.exercise not in self.packages:
            self.packages[request.exercise] = SubjectPackage(self.source, request.exercise)
        package = self.packages[request.exercise]
        maker = Maker(package, request.exercise, request.device)
        default_dtype = torch.get_default_dtype()
        torch.default_generator.manual_seed(request.chance)  # `torch.manual_seed` formats a stack for every backend
        torch.set_default_dtype(_float_dtype(request))
        grad_mode, on_ctrl_c = torch.is_grad_enabled(), signal.getsignal(signal.SIGINT)
        if on_ctrl_c is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has it ignored in the background
        torch.set_grad_enabled(True)  # nothing that one call leaves behind changes the next
        try:
            if request.describe:
                module = package.load(request.exercise)
                found = {task: _signatures(getattr(module, task)) for task in request.describe if hasattr(module, task)}
                return Reply(value=found, notes=package.notes)
            if request.steps:
                return _run_script(request, package, maker)
            if request.module:
                function: Any = maker.module(request.task, **vars(request.module))
            else:
                function = maker.task(request.task)
            return _call(function, request, package, maker)
        except self.lets_through:
            raise
        except Unfit as error:
            return Reply(failure=Failure(maker.stage, message=str(error)), notes=package.notes)
        except BaseException as error:  # SystemExit and KeyboardInterrupt as well: all are the learner's
            return Reply(failure=failure_of(maker.stage, error, self.source), notes=package.notes)
        finally:
            maker.close()
            torch.set_default_dtype(default_dtype)
            torch.set_grad_enabled(grad_mode)
            if signal.getsignal(signal.SIGINT) is not on_ctrl_c:
                signal.signal(signal.SIGINT, on_ctrl_c)


def _run_script(request: Request, package: SubjectPackage, maker: Maker) -> Reply:
    """Perform a script, and once more when asked to."""
    script = Script(maker)
    operations: set[str] = set()
    with watch.operations() if request.watch else nullcontext(operations) as operations:
        value = script.run(request.steps, request.result)
    maker.close()  # the files are not there yet when it is performed once more
    steady = not request.repeats or close(Script(maker).run(request.steps, request.result), value)
    changed = [where for where, before, now in script.handed if not same(now, before)]
    return Reply(
        value=value,
        changed=list(dict.fromkeys(changed)),
        operations=sorted(operations),
        steady=steady,
        notes=package.notes,
    )


def _call(function: Any, request: Request, package: SubjectPackage, maker: Maker) -> Reply:
    """Call the task on copies of the arguments and look at everything it did."""
    given = {str(i): value for i, value in enumerate(request.args)} | request.kwargs
    leaves = {name: _leaf(value, request, maker) for name, value in given.items()}
    # Not the leaves themselves: an in-place change of a leaf that wants a gradient raises before it can be seen
    inputs = {name: copied(value) for name, value in leaves.items()}
    parameters = dict(function.named_parameters()) if isinstance(function, nn.Module) else {}
    kept = {name: parameter.detach().clone() for name, parameter in parameters.items()}
    args = tuple(inputs[str(i)] for i in range(len(request.args)))
    operations: set[str] = set()
    recorded: dict[str, Any] = {}
    if request.before:
        function(*(copied(argument) for argument in request.before))
    with ExitStack() as stack:
        if request.record:
            recorded = stack.enter_context(watch.recording(function, package.modules))
        if request.watch:
            operations = stack.enter_context(watch.operations())
        value = function(*args, **{name: inputs[name] for name in request.kwargs})
    changed = [name for name, before in given.items() if not is_as_given(inputs[name], before)]
    changed += [name for name, parameter in parameters.items() if not same(parameter.detach(), kept[name])]
    gradients = {}
    if request.gradients and isinstance(value, Tensor) and value.is_floating_point():
        wanted = {name: leaf for name, leaf in (leaves | parameters).items() if is_float(leaf)}
        gradients = _gradients(value, wanted)
    return Reply(
        value=plain(value),
        changed=changed,
        gradients=gradients,
        recorded={key: tensor for key, tensor in plain(recorded).items() if isinstance(tensor, Tensor)},
        operations=sorted(operations),
        steady=not request.repeats or _same_again(function, request, given, value, maker),
        notes=package.notes,
    )


def _same_again(function: Any, request: Request, given: dict[str, Any], value: Any, maker: Maker) -> bool:
    """Whether a second call, as a model is used after its training, gives the same and leaves its inputs alone."""
    if isinstance(function, nn.Module):
        function.eval()
    inputs = {name: _leaf(argument, replace(request, gradients=False), maker) for name, argument in given.items()}
    args = tuple(inputs[str(i)] for i in range(len(request.args)))
    with torch.no_grad():
        again = function(*args, **{name: inputs[name] for name in request.kwargs})
    unchanged = all(is_as_given(inputs[name], argument) for name, argument in given.items())
    return unchanged and close(plain(again), plain(value))


def _leaf(value: Any, request: Request, maker: Maker) -> Any:
    if not isinstance(value, Tensor):
        return maker.inside(copied(value))
    leaf = value.detach().to(request.device, copy=True)
    return leaf.requires_grad_() if request.gradients and is_float(leaf) else leaf


def _gradients(out: Tensor, wanted: dict[str, Tensor]) -> dict[str, Tensor]:
    """The gradient for each tensor; zeros where the result does not depend on it."""
    found: dict[str, Tensor | None] = {}
    if out.requires_grad:
        # Not `grad_outputs`: its first use imports hundreds of modules
        total = (out * cotangent(out.detach())).masked_fill(~out.detach().isfinite(), 0).sum()
        reached = {name: t for name, t in wanted.items() if t.requires_grad}
        gradients = torch.autograd.grad(total, list(reached.values()), allow_unused=True)
        found = dict(zip(reached, gradients, strict=True))
    return {name: _gradient(tensor, found.get(name)) for name, tensor in wanted.items()}


def _gradient(tensor: Tensor, found: Tensor | None) -> Tensor:
    return torch.zeros_like(tensor).cpu().detach() if found is None else found.detach().cpu()


def _float_dtype(request: Request) -> torch.dtype:
    """The dtype in which a case is stated: that of its first float tensor; float64 when it has none."""
    module = [request.module.weights, request.module.children] if request.module else []
    given = [*module, *request.args, *request.kwargs.values(), request.steps]
    return next((tensor.dtype for tensor in tensors_in(given) if is_float(tensor)), torch.float64)


def _signatures(task: Any) -> dict[str, list]:
    """Parameters of a function, or of each public method of a class: [name, kind, default as text]."""
    functions = {"": task}
    if inspect.isclass(task):
        own = [base for base in reversed(task.__mro__) if not base.__module__.startswith("torch.")]
        methods = {name: f for base in own for name, f in vars(base).items() if inspect.isfunction(f)}
        functions = {name: f for name, f in methods.items() if not name.startswith("__")}
        if not dataclasses.is_dataclass(task):  # whose fields are whoever's who wrote its methods
            functions["__init__"] = task.__init__
    return {name: _parameters(function) for name, function in functions.items()}


def _parameters(function: Any) -> list[list]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # no function, or one of C that does not say what it takes
        return [["args", "VAR_POSITIONAL", None], ["kwargs", "VAR_KEYWORD", None]]
    return [[p.name, p.kind.name, None if p.default is p.empty else repr(p.default)[:80]] for p in parameters]
