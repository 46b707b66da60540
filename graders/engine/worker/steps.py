"""Performs a script: steps that call a subject's functions, methods and modules one after another.

A step is plain data and may refer to the values of earlier ones as `{"$step": number}`:

    task       a function or class of the exercise, by `name`
    make       what a description stands for (`making.py`)
    attribute  `name` of an earlier value
    item       `key` of an earlier value
    call       an earlier value, with `args` and `kwargs`; `how` says what is done beside it
    set        attribute `name` of an earlier value becomes `value`
    look       a copy of an earlier value, as it is now
"""

import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from .codec import plain
from .making import Maker, is_description
from .same import copied
from .watch import numbers_made

if sys.platform != "win32":
    import resource

STEP = "$step"
BYTES_BEFORE_FULL = 100


class Interrupted(Exception):
    """A call was ended by the Ctrl-C that a probe pressed."""


class Script:
    """The values of the steps so far, and what was handed to the subject."""

    def __init__(self, maker: Maker):
        self.maker = maker
        self.values: list[Any] = []
        self.handed: list[tuple[str, Tensor, Tensor]] = []  # where to, as it was, and as the subject has it

    def run(self, steps: list[dict[str, Any]], result: Any) -> Any:
        """Perform all steps; the plain value of `result`, which may refer to them."""
        for step in steps:
            self.values.append(self._perform(step))
        value = plain(self._resolved(result, ""))
        return _without(self.maker.folder.name, value) if self.maker.folder else value

    def _perform(self, step: dict[str, Any]) -> Any:
        of: Any = self.values[step["of"]] if "of" in step else None
        match step["do"]:
            case "task":
                return self.maker.task(step["name"])
            case "make":
                return self.maker.make({key: self._earlier(value) for key, value in step["description"].items()})
            case "attribute":
                return getattr(of, step["name"])
            case "item":
                return of[step["key"]]
            case "set":
                return setattr(of, step["name"], self._resolved(step["value"], step["name"]))
            case "look":
                return copied(plain(of))
            case "call":
                name = getattr(of, "__name__", type(of).__name__)
                args = [self._resolved(value, f"argument {i} of {name}") for i, value in enumerate(step["args"])]
                kwargs = {key: self._resolved(value, f"{key} of {name}") for key, value in step["kwargs"].items()}
                return HOW[step["how"]](lambda: of(*args, **kwargs))
        raise ValueError(f"there is no step {step['do']!r}")

    def _resolved(self, value: Any, where: str) -> Any:
        """A value with earlier steps and descriptions put in. Tensors are copies, to see whether they stay the same."""
        if isinstance(value, Tensor):
            copy = value.clone()
            self.handed.append((where, value, copy))
            return copy
        if is_description(value):
            return self.maker.make(value)
        if isinstance(value, dict):
            if STEP in value:
                return self._earlier(value)
            return {key: self._resolved(item, where) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self._resolved(item, where) for item in value)
        return value

    def _earlier(self, value: Any) -> Any:
        """The value of an earlier step, when it is one."""
        return self.values[value[STEP]] if isinstance(value, dict) and STEP in value else value


def _without(folder: str, value: Any) -> Any:
    """A value with the folder left out of all texts: its name is another every time."""
    if isinstance(value, str):
        return value.replace(folder, "")
    if isinstance(value, dict):
        return {key: _without(folder, item) for key, item in value.items()}
    return type(value)(_without(folder, item) for item in value) if isinstance(value, (list, tuple)) else value


def _counted(call: Callable[[], Any]) -> tuple[Any, int]:
    """The result of a call, and how many numbers the library's operations made meanwhile."""
    with numbers_made() as made:
        result = call()
    return result, sum(made)


def _caught(call: Callable[[], Any]) -> dict[str, Any]:
    """What a call raises, as plain data; all empty when it raises nothing."""
    try:
        call()
    except BaseException as error:  # noqa: BLE001 (KeyboardInterrupt as well: a law may ask for it)
        return {"classes": [base.__name__ for base in type(error).__mro__], "message": str(error)}
    return {"classes": [], "message": ""}


def _on_a_full_disk(call: Callable[[], Any]) -> dict[str, Any]:
    """What a call raises when the disk is full before all that it saves is written."""
    with _full_disk():
        return _caught(call)


@contextmanager
def _full_disk() -> Iterator[None]:
    """No file grows beyond a few bytes; what is printed goes elsewhere."""
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        if sys.platform == "win32":
            with _saving_a_part():
                yield
            return
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES_BEFORE_FULL, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def _saving_a_part() -> Iterator[None]:
    """Where files cannot be limited: what `torch.save` writes is cut short."""
    save = torch.save

    def saves_a_part(_value: Any, file: Any, *_args: Any, **_kwargs: Any) -> None:
        part = b"\0" * BYTES_BEFORE_FULL
        if hasattr(file, "write"):
            file.write(part)
            file.flush()
        else:
            Path(file).write_bytes(part)
        raise OSError(errno.ENOSPC, "No space left on device")

    setattr(torch, "save", saves_a_part)  # noqa: B010 (an assignment would need the type of the original)
    try:
        yield
    finally:
        setattr(torch, "save", save)  # noqa: B010


def _said(call: Callable[[], Any]) -> dict[str, Any]:
    """What a call returns, and what it prints meanwhile."""
    stdout, stderr = StringIO(), StringIO()
    try:
        with redirect_stdout(stdout), redirect_stderr(stderr):
            result = call()
    except KeyboardInterrupt as error:  # a probe's: whoever sits before the judge has not pressed anything
        raise Interrupted("Ctrl-C went through it, as a KeyboardInterrupt") from error
    text = stdout.getvalue() + stderr.getvalue()
    return {"result": result, "text": text, "is_silent": not text.strip(), "on_stdout": bool(stdout.getvalue().strip())}


HOW: dict[str, Callable[[Callable[[], Any]], Any]] = {
    "": lambda call: call(),
    "counted": _counted,
    "caught": _caught,
    "said": _said,
    "on a full disk": _on_a_full_disk,
}
