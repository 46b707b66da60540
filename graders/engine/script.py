"""Scripts: several steps with a subject's functions, objects and modules, told in Python and performed elsewhere.

    def story(do):
        cache = do.KVCache.empty(given("GPTConfig", case.cfg, file="config"), 2)
        longer = cache.append(0, case.k, case.v)
        return {"before": cache.length, "after": longer.length}

    expect_equal(subject.tell(story), reference.tell(story))

A story is run once, here, with handles in place of values; every call, attribute and item that it takes of a
handle becomes a step of plain data, which the subject's process performs (`worker/steps.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor

Story = Callable[["Teller"], Any]


class Handle:
    """The value of a step, which is known elsewhere only.

    `handle.name`, `handle[key]` and `handle(...)` are steps too, and give handles. It has no length, cannot
    be gone through, and is true whatever its value is: what a story does must not hang on a value.
    """

    def __init__(self, script: "Script", number: int):
        self._script, self._number = script, number

    def __getattr__(self, name: str) -> "Handle":
        if name.startswith("_"):
            raise AttributeError(name)
        return self._script.add(do="attribute", of=self._number, name=name)

    def __getitem__(self, key: Any) -> "Handle":
        return self._script.add(do="item", of=self._number, key=key)

    def __call__(self, *args: Any, **kwargs: Any) -> "Handle":
        return self._script.call(self, args, kwargs)

    __iter__ = None  # a handle does not know how many items it has: take them one by one


@dataclass(frozen=True)
class Script:
    """The steps of a story."""

    steps: list[dict[str, Any]]

    def add(self, **step: Any) -> Handle:
        self.steps.append(step)
        return Handle(self, len(self.steps) - 1)

    def call(self, called: Handle, args: tuple, kwargs: dict[str, Any], how: str = "") -> Handle:
        data = {"args": _data(list(args)), "kwargs": _data(kwargs)}
        return self.add(do="call", of=called._number, how=how, **data)


class Teller:
    """What a story is told with, `do`. An attribute is a task of the exercise: `do.KVCache`, `do.train_step`."""

    def __init__(self, script: Script):
        self._script = script

    def __getattr__(self, name: str) -> Handle:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._script.add(do="task", name=name)

    def make(self, description: dict[str, Any]) -> Handle:
        """One thing that several steps share; a description that is an argument is built for that call alone."""
        return self._script.add(do="make", description=_data(description))

    def look(self, handle: Handle) -> Handle:
        """A copy of a value as it is at this step, whatever is done to it later."""
        return self._script.add(do="look", of=handle._number)

    def set(self, handle: Handle, name: str, value: Any) -> None:
        """Give an attribute of a handle's value a value, such as `do.set(parameter, "grad", case.g)`."""
        self._script.add(do="set", of=handle._number, name=name, value=_data(value))

    def counted(self, called: Handle, *args: Any, **kwargs: Any) -> Handle:
        """A pair: what a call returns, and how many numbers the library's operations made meanwhile."""
        return self._script.call(called, args, kwargs, how="counted")

    def caught(self, called: Handle, *args: Any, **kwargs: Any) -> Handle:
        """What a call raises: `classes` by name, and the `message`; both empty when it raises nothing."""
        return self._script.call(called, args, kwargs, how="caught")

    def said(self, called: Handle, *args: Any, **kwargs: Any) -> Handle:
        """The `result` of a call, the `text` it prints meanwhile, on either stream, and whether that `is_silent`.

        Whether some of it is `on_stdout`, too.
        """
        return self._script.call(called, args, kwargs, how="said")

    def on_a_full_disk(self, called: Handle, *args: Any, **kwargs: Any) -> Handle:
        """What a call raises when the disk is full before all that it saves is written."""
        return self._script.call(called, args, kwargs, how="on a full disk")


def told(story: Story) -> tuple[list[dict[str, Any]], Any]:
    """The steps of a story, and its result, as plain data."""
    script = Script([])
    result = story(Teller(script))
    return script.steps, _data(result)


def _data(value: Any) -> Any:
    if isinstance(value, Handle):
        return {"$step": value._number}
    if isinstance(value, (list, tuple)):
        return type(value)(_data(item) for item in value)
    if isinstance(value, dict):
        return {key: _data(item) for key, item in value.items()}
    return value


def generator(seed: int) -> dict[str, Any]:
    """A `torch.Generator` with this seed."""
    return {"$make": "generator", "seed": seed}


def default_generator(seed: int) -> dict[str, Any]:
    """PyTorch's own generator, from which dropout draws, seeded anew."""
    return {"$make": "default generator", "seed": seed}


def given(name: str, fields: dict[str, Any], file: str = "") -> dict[str, Any]:
    """An instance of a class that learners are given, of this exercise's file or of another."""
    return {"$make": "given", "name": name, "fields": fields, "file": file}


def config(sizes: dict[str, Any]) -> dict[str, Any]:
    """The subject's own `GPTConfig` of these sizes."""
    return given("GPTConfig", sizes, file="config")


def module(
    name: str, cfg: dict, weights: dict | None = None, children: dict | None = None, file: str = ""
) -> dict[str, Any]:
    """One of the subject's own modules, with these parameters and with probes in the places of `children`.

    `cfg` are the sizes of a `GPTConfig`; a module that is made with something else gets a description of that.
    """
    described = {"name": name, "cfg": cfg, "weights": weights, "children": children or {}, "file": file}
    return {"$make": "module"} | described


def parameter(value: Tensor) -> dict[str, Any]:
    """An `nn.Parameter`."""
    return {"$make": "parameter", "value": value}


def optimizer(model: Handle | dict[str, Any], **settings: float) -> dict[str, Any]:
    """Gradient descent over a model's parameters: `lr`, and `momentum` if it is to remember."""
    return {"$make": "descent", "model": model, "settings": settings}


def path(name: str) -> dict[str, Any]:
    """A place for a file, the same for the same name, that is gone after the script."""
    return {"$make": "path", "name": name}


def folder() -> dict[str, Any]:
    """The folder in which all places for files are, with what can be done to them."""
    return {"$make": "folder"}


def probe(kind: str, **arguments: Any) -> dict[str, Any]:
    """A small model of known behaviour: its kind, and the arguments of that kind by name."""
    return {"$make": "probe", "probe": {"kind": kind} | arguments}
