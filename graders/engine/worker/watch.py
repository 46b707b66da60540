"""Sees which of the library's operations ran, and what a model's parts and functions returned.

Two views are needed for the first: a function mode sees `F.`, `torch.`, method and `nn.` calls but not
`torch._softmax` or `torch.ops.aten.*`; a dispatch mode sees those, but not what falls apart before it.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from threading import Thread
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode


class _Functions(TorchFunctionMode):
    def __init__(self, seen: set[str]):
        super().__init__()
        self.seen = seen

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.seen.add(getattr(func, "__name__", str(func)))
        return func(*args, **(kwargs or {}))


class _Dispatches(TorchDispatchMode):
    def __init__(self, seen: set[str]):
        super().__init__()
        self.seen = seen

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # True, the default, imports the whole compiler: 1.5 s

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


@contextmanager
def _in_all_threads(*modes: Callable[[], AbstractContextManager]) -> Iterator[None]:
    """These modes here, and in the threads begun inside: each is that of one thread."""
    run = Thread._bootstrap_inner  # type: ignore[attr-defined]  # `run` may be overridden

    def entered() -> ExitStack:
        with ExitStack() as stack:
            for mode in modes:
                stack.enter_context(mode())
            return stack.pop_all()

    def watched(self):
        with entered():
            run(self)

    setattr(Thread, "_bootstrap_inner", watched)  # noqa: B010 (an assignment would need the type of the original)
    try:
        with entered():
            yield
    finally:
        setattr(Thread, "_bootstrap_inner", run)  # noqa: B010


@contextmanager
def operations() -> Iterator[set[str]]:
    """The names of the operations that ran inside, bare: `layer_norm`, `native_layer_norm`, `matmul`.

    Those that ran in threads begun inside are among them.
    """
    seen: set[str] = set()
    packet: Any = torch._ops.OpOverloadPacket
    call = packet.__call__

    def counted(self, /, *args, **kwargs):
        seen.add(self.__name__)
        return call(self, *args, **kwargs)

    packet.__call__ = counted
    try:
        with _in_all_threads(lambda: _Functions(seen), lambda: _Dispatches(seen)):
            yield seen
    finally:
        packet.__call__ = call


class _NumbersMade(TorchDispatchMode):
    def __init__(self, made: list[int]):
        super().__init__()
        self.made = made

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # as above

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.made += [
            t.numel() for t in (result if isinstance(result, (list, tuple)) else [result]) if _is_new(t, args)
        ]
        return result


def _is_new(result: Any, args: tuple) -> bool:
    """Whether an operation made these numbers, rather than look at those it was given."""
    if not isinstance(result, Tensor):
        return False
    return all(not isinstance(a, Tensor) or a.data_ptr() != result.data_ptr() for a in args)


@contextmanager
def numbers_made() -> Iterator[list[int]]:
    """How many numbers each operation made that ran inside, or in threads begun inside; views make none."""
    made: list[int] = []
    with _in_all_threads(lambda: _NumbersMade(made)):
        yield made


@contextmanager
def recording(model: nn.Module, modules: dict[str, ModuleType]) -> Iterator[dict[str, Any]]:
    """What `model` (path '') and its submodules took and returned, and every function of the subject's files.

    Keys: `blocks.0.ln1` what it returned, `blocks.0.ln1:in` its first input, `blocks.0.attn/mix_values` what
    that function returned while `blocks.0.attn` ran, `blocks.0.attn/mix_values:1` its second argument. A
    function that one module calls twice is left out: neither call is the answer.
    """
    recorded: dict[str, Any] = {}
    running: list[str] = []
    handles = []
    for path, module in model.named_modules():
        handles.append(module.register_forward_pre_hook(_entering(path, running, recorded)))
        handles.append(module.register_forward_hook(_leaving(path, running, recorded)))
    originals = [
        (module, name, value)
        for module in modules.values()
        for name, value in vars(module).items()
        if isinstance(value, FunctionType) and value.__module__ in {m.__name__ for m in modules.values()}
    ]
    twice: set[str] = set()
    for module, name, function in originals:
        setattr(module, name, _recorded(function, running, recorded, twice))
    try:
        yield recorded
    finally:
        for module, name, function in originals:
            setattr(module, name, function)
        for handle in handles:
            handle.remove()
        for key in [key for key in recorded if key.partition(":")[0] in twice]:
            del recorded[key]


def _entering(path: str, running: list[str], recorded: dict[str, Any]) -> Callable:
    def hook(_module: nn.Module, inputs: tuple) -> None:
        running.append(path)
        if inputs and isinstance(inputs[0], Tensor):
            recorded[path + ":in"] = inputs[0].detach().clone()

    return hook


def _leaving(path: str, running: list[str], recorded: dict[str, Any]) -> Callable:
    def hook(_module: nn.Module, _inputs: tuple, output: Any) -> None:
        running.pop()
        if isinstance(output, Tensor):
            recorded[path] = output.detach().clone()

    return hook


def _recorded(function: Callable, running: list[str], recorded: dict[str, Any], twice: set[str]) -> Callable:
    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if running:
            key = f"{running[-1]}/{function.__name__}"
            if key in recorded:
                twice.add(key)
            bound = inspect.signature(function).bind(*args, **kwargs).arguments.values()
            for label, value in [(key, result)] + [(f"{key}:{i}", value) for i, value in enumerate(bound)]:
                if isinstance(value, Tensor):
                    recorded[label] = value.detach().clone()
        return result

    return wrapped
