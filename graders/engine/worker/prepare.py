"""Makes a learner's fresh module ready for a case: probes in place of its children, the case's parameters in it."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from . import probes

MANY = 100_000  # numbers, of which the drawing takes longer than to look at every call
PLAIN: dict[type, str] = {list: "nn.ModuleList", tuple: "nn.ModuleList", dict: "nn.ModuleDict"}


def drawing_nothing_for(weights: dict[str, Tensor] | None) -> AbstractContextManager:
    """While a module is made whose parameters these are about to be: many numbers are not drawn to be thrown away."""
    n_numbers = sum(weight.numel() for weight in weights.values()) if weights else 0
    return _Undrawn() if n_numbers > MANY else nullcontext()


class _Undrawn(TorchFunctionMode):
    """`nn.init.normal_` fills with zeros."""

    def __torch_function__(self, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        kwargs = kwargs or {}
        if function is nn.init.normal_:
            with torch.no_grad():
                return kwargs["tensor"].zero_()
        return function(*args, **kwargs)


def prepare(model: nn.Module, weights: dict[str, Tensor] | None, children: dict[str, dict]) -> list[str]:
    """Put probes and weights into a fresh module; returns what does not fit, one line each."""
    differences = [*_unregistered(model), *_shared(model)]
    if differences:
        return differences
    missing = probes.put_in_place(model, children)
    if missing:
        return [f"the submodule {path} is missing" for path in missing]
    return [] if weights is None else _load(model, weights, below_probes=tuple(path + "." for path in children))


def _load(model: nn.Module, weights: dict[str, Tensor], below_probes: tuple[str, ...]) -> list[str]:
    """Put weights into every parameter, or into none when there are differences."""
    own = dict(model.named_parameters(remove_duplicate=False))
    own = {name: p for name, p in own.items() if not name.startswith(below_probes)}
    differences = [
        f"{name} is a plain tensor, not an nn.Parameter" if _has_tensor(model, name) else f"{name} is missing"
        for name in weights.keys() - own.keys()
    ]
    differences += [f"{name} is not in the specification" for name in own.keys() - weights.keys()]
    for name in own.keys() & weights.keys():
        found, expected = tuple(own[name].shape), tuple(weights[name].shape)
        if found != expected:
            differences.append(f"{name} has shape {found}, expected {expected}")
    if not differences:
        with torch.no_grad():
            for name, parameter in own.items():
                # A parameter of another dtype than the case's would turn every result into its own
                parameter.data = weights[name].to(parameter.device, copy=True)
    return sorted(differences)


def _unregistered(model: nn.Module) -> Iterator[str]:
    """Modules kept in a plain container, whose parameters the model does not have."""
    for path, module in model.named_modules():
        for name, value in vars(module).items():
            container: type = type(value)
            if name != "_modules" and container in PLAIN and any(isinstance(item, nn.Module) for item in _items(value)):
                place, use = f"{path}.{name}".lstrip("."), PLAIN[container]
                yield f"{place} is a plain {container.__name__}, so its parameters are not the model's: use {use}"


def _shared(model: nn.Module) -> Iterator[str]:
    """The first parameter that has two names: what is loaded into one is loaded into both."""
    names: dict[int, str] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        first = names.setdefault(id(parameter), name)
        if first != name:
            yield f"{name} and {first} are one and the same tensor"
            return


def _items(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


def _has_tensor(model: nn.Module, name: str) -> bool:
    owner: Any = model
    for part in name.split("."):
        owner = getattr(owner, part, None)
    return isinstance(owner, Tensor)
