"""Which numbers of a picture differ from TransformerLens's, and how that is said."""

import math
from typing import Any

import torch
from torch import Tensor

from graders.weights.divergence import HookPoint, compared, differences, first_difference, hook_points, sentence

TOLERANCE = 1e-9  # as the graders', for float64
DIGITS = 5  # significant ones, of numbers on a page


def under(path: str, inside: dict[str, Tensor]) -> dict[str, Tensor]:
    """What was recorded in one part, under the keys that it would have in the whole model, where the part is `path`."""
    return {path + key if key[:1] in ("", ":", "/") else f"{path}.{key}": value for key, value in inside.items()}


def verdict_of(recorded: dict[str, Tensor], computed: dict[str, Tensor], n_layers: int) -> tuple[bool, str]:
    """Whether all that was recorded is TransformerLens's, and the graders' sentence about it."""
    found = first_difference(recorded, computed, n_layers)
    if found:
        return False, sentence(found)
    seen = list(differences(recorded, computed, n_layers))
    return True, f"equal to TransformerLens at {len(seen)} hook points, up to {seen[-1]}" if seen else ""


def hook_map(recorded: dict[str, Tensor], computed: dict[str, Tensor], n_layers: int) -> dict[str, Any]:
    """Each hook point with `equal`, `differs` or `unseen`, in rows of one block: what `hooks` of page.js draws.

    Points of which no layer has anything recorded are left out.
    """
    found = differences(recorded, computed, n_layers)
    rows = []
    for layer in range(n_layers):
        block = f"blocks.{layer}."
        points = [point for point in hook_points(n_layers) if point.name.startswith(block)]
        rows.append([_cell(point, block, found, recorded, computed) for point in points])
    seen = [any(row[i]["state"] != "unseen" for row in rows) for i in range(len(rows[0]))]
    kept = [[cell for cell, keep in zip(row, seen, strict=True) if keep] for row in rows]
    first = next((name for name, difference in found.items() if difference), None)
    return {"rows": kept, "first": first}


def _cell(point: HookPoint, block: str, found: dict, recorded: dict, computed: dict) -> dict[str, Any]:
    cell: dict[str, Any] = {"name": point.name.removeprefix(block), "full": point.name, "state": "unseen"}
    if point.name in found:
        cell["state"] = "equal" if found[point.name] is None else "differs"
        cell["largest"] = largest_difference(point, recorded[point.recorded], computed[point.name])
    return cell


def largest_difference(point: HookPoint, yours: Tensor, expected: Tensor) -> float | None:
    """The largest distance of two numbers of a hook point; None for another shape, and where there is NaN."""
    if yours.shape != expected.shape:
        return None
    return largest_distance(*compared(point, yours, expected))


def largest_distance(yours: Tensor, expected: Tensor) -> float | None:
    """The largest distance of two numbers in the same place; None where there is NaN."""
    return plain((yours - expected).abs().max().item())


def wrong_places(yours: Tensor, expected: Tensor) -> Tensor:
    """True where two tensors of one shape differ by more than the graders allow."""
    return ~torch.isclose(yours, expected, atol=TOLERANCE, rtol=TOLERANCE)


def plain(value: float) -> float | None:
    """A number as a page holds it: rounded; None for what JSON has no word for."""
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None


def listed(tensor: Tensor) -> Any:
    """A tensor as nested lists of `plain` numbers."""
    if tensor.ndim == 0:
        return plain(tensor.item())
    return [listed(part) for part in tensor]
