"""Probes: small modules of known behaviour that stand in for a model's children.

A wiring exercise is graded with probes in place of the learner's other exercises, so that a wrong
attention does not redden the block. A probe is described by plain data; `build` makes the module.
"""

from typing import Any

import torch
from torch import Tensor, nn


class Lookup(nn.Module):
    """A row of a table for each token, or, when `by_position`, for each place in the sequence."""

    def __init__(self, name: str, table: Tensor, by_position: bool):
        super().__init__()
        self.table = nn.Parameter(table)
        self.register_parameter(name, self.table)  # under the name the real module has, for those who read it
        self.by_position = by_position

    def forward(self, tokens: Tensor, start: int = 0) -> Tensor:
        if not self.by_position:
            return self.table[tokens]
        rows = self.table[start + torch.arange(tokens.shape[-1])]
        return rows.expand(*tokens.shape, -1)


class Affine(nn.Module):
    """x @ matrix + bias, and, when `mixes`, each position also sees the sum of those before it."""

    def __init__(self, matrix: Tensor, bias: Tensor, mixes: bool):
        super().__init__()
        self.W_U = nn.Parameter(matrix)
        self.b_U = nn.Parameter(bias)
        self.mixes = mixes

    def forward(self, x: Tensor) -> Tensor:
        out = x @ self.W_U + self.b_U
        return out.cumsum(dim=-2) if self.mixes else out


class Replay(nn.Module):
    """What was recorded for one input; for another input, off by as much as that input is off."""

    def __init__(self, recorded_input: Tensor, recorded_output: Tensor):
        super().__init__()
        self.recorded_input, self.recorded_output = recorded_input, recorded_output

    def forward(self, x: Tensor) -> Tensor:
        return self.recorded_output + (x - self.recorded_input)


KINDS = {"lookup": Lookup, "affine": Affine, "replay": Replay}


def build(description: dict[str, Any]) -> nn.Module:
    """The probe that a description stands for: `kind`, and the arguments of that kind by name."""
    arguments = {name: value for name, value in description.items() if name != "kind"}
    return KINDS[description["kind"]](**arguments)


def put_in_place(model: nn.Module, children: dict[str, dict]) -> list[str]:
    """Replace the submodules at these paths by probes; returns the paths that are not there.

    A list of modules that is not an `nn.ModuleList` has no registered path, so it counts as not there.
    """
    registered = dict(model.named_modules(remove_duplicate=False))
    missing = [path for path in children if path not in registered]
    if not missing:
        for path, description in children.items():
            parent, _, name = path.rpartition(".")
            setattr(registered[parent], name, build(description))
    return missing
