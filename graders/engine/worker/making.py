"""Builds what a request can only describe, in the subject's own process: `{"$make": kind, ...}`.

generator    a `torch.Generator` from a `seed`
default generator  PyTorch's own, from a `seed`
given        an instance of a class that a learner is given: `file`, `name`, `fields`
module       one of the subject's own modules: `file`, `name`, `cfg`, `weights`, `children`
parameter    an `nn.Parameter` with this `value`
descent      gradient descent over the parameters of a `model`, with these `settings`
path         a place for a file called `name`, in a folder that lasts as long as the request
folder       that folder (`folder.py`)
probe        a small model of known behaviour (`probes.py`)
"""

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from . import probes
from .folder import Folder
from .loading import SubjectPackage
from .prepare import drawing_nothing_for, prepare

MAKE = "$make"


class Unfit(Exception):
    """A module whose parameters are not those that it is to be given; the text says how, one line each."""


class Maker:
    """Builds what one request describes; `stage` says how far it got."""

    def __init__(self, package: SubjectPackage, exercise: str, device: str):
        self.package = package
        self.exercise = exercise
        self.device = device
        self.stage = "import"
        self.folder: tempfile.TemporaryDirectory[str] | None = None

    def close(self) -> None:
        """Remove the files that were written."""
        if self.folder is not None:
            self.folder.cleanup()
        self.folder = None

    def place(self) -> Path:
        """The folder of this request's files."""
        self.folder = self.folder or tempfile.TemporaryDirectory(prefix="headstart-")
        return Path(self.folder.name)

    def task(self, name: str, file: str = "") -> Any:
        """A function or class of the subject's own."""
        self.stage = "import"
        module = self.package.load(file or self.exercise)
        self.stage = "missing"
        found = getattr(module, name)
        self.stage = "call"
        return found

    def module(
        self,
        name: str,
        cfg: dict[str, Any],
        weights: dict[str, Tensor] | None = None,
        children: dict[str, dict] | None = None,
        file: str = "",
    ) -> nn.Module:
        """A module of the subject's own, with these parameters, and with probes in the places of `children`.

        `cfg` are the sizes of a `GPTConfig`, or the description of a configuration of another class.
        """
        made = self.task(name, file)
        self.stage = "construct"
        with drawing_nothing_for(weights):
            model = made(self.make(cfg) if is_description(cfg) else self.given("GPTConfig", cfg, file="config"))
        if self.device != "cpu":
            model = model.to(self.device)
        self.stage = "parameters"
        differences = prepare(model, weights, children or {})
        if differences:
            raise Unfit("\n".join(differences))
        self.stage = "call"
        return model

    def given(self, name: str, fields: dict[str, Any], file: str = "") -> Any:
        """An instance of a class that a learner is given and leaves as it is."""
        return getattr(self.package.load(file or self.exercise), name)(**fields)

    def make(self, description: dict[str, Any]) -> Any:
        """What a description stands for."""
        arguments = {key: value for key, value in description.items() if key != MAKE}
        match description[MAKE]:
            case "generator":
                return torch.Generator().manual_seed(arguments["seed"])
            case "default generator":
                return torch.default_generator.manual_seed(arguments["seed"])
            case "given":
                return self.given(**arguments)
            case "module":
                return self.module(**arguments)
            case "parameter":
                return nn.Parameter(arguments["value"].clone())
            case "descent":
                return probes.Descent(self.inside(arguments["model"]).parameters(), **arguments["settings"])
            case "path":
                return str(self.place() / arguments["name"])
            case "folder":
                return Folder(self.place())
            case "probe":
                return probes.build(arguments["probe"]).to(self.device)
        raise ValueError(f"there is nothing to make of {description[MAKE]!r}")

    def inside(self, value: Any) -> Any:
        """The value with all that it describes built: descriptions may stand anywhere in it."""
        if is_description(value):
            return self.make(value)
        if isinstance(value, (list, tuple)):
            return type(value)(self.inside(item) for item in value)
        if isinstance(value, dict):
            return {key: self.inside(item) for key, item in value.items()}
        return value


def is_description(value: Any) -> bool:
    return type(value) is dict and MAKE in value
