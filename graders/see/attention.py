"""The attention patterns of every head, the learner's beside TransformerLens's.

Each layer is given what TransformerLens gave it, so a mistake is seen in every layer as it is, not piled up.
"""

from typing import Any

import torch
from einops import einsum
from torch import Tensor

from graders.see.compared import hook_map, largest_distance, listed, under, verdict_of, wrong_places
from graders.see.page import Picture
from graders.see.scene import Scene
from graders.subject_code import CannotGoOn
from graders.weights.divergence import compared, hook_points
from graders.weights.layers import below

SHOWN = ("hook_pattern", "hook_attn_scores")  # what a head's tables can show, by hook point


def see_attention(scene: Scene) -> Picture:
    """The picture of attention. Raises `CannotGoOn` when there is nothing to draw."""
    recorded, missing = recorded_layers(scene)
    is_equal, verdict = verdict_of(recorded, scene.computed, scene.n_layers)
    verdict = f"so far {verdict}" if missing else verdict
    tables = [tables_of(scene, recorded, name) for name in SHOWN]
    hooks = hook_map(recorded, scene.computed, scene.n_layers)
    return Picture(
        "attention.js",
        "Attention patterns",
        "Each row is a query, a token that asks; the stronger a square, the more it takes from the key in that column. "
        "Look for heads that watch the token before, the first token, or an earlier copy of the same one.",
        verdict,
        is_equal,
        {"tokens": scene.names, "tables": [table for table in tables if table["layers"]], "hooks": hooks},
        missing=missing,
    )


def recorded_layers(scene: Scene) -> tuple[dict[str, Tensor], str]:
    """What happens in the attention of every layer, under the worker's keys; and why some of it is missing, or ''.

    Where `Attention` stops, or does without the functions, they are called one by one. Raises `CannotGoOn` when there
    are not even scores.
    """
    recorded: dict[str, Tensor] = {}
    stopped = None
    try:
        for layer in range(scene.n_layers):
            attn = f"blocks.{layer}.attn"
            weights = below(scene.checkpoint.weights, attn)
            inside = scene.module("attention", "Attention", weights, scene.computed[f"blocks.{layer}.ln1.hook_out"])
            recorded |= under(attn, inside)
    except CannotGoOn as error:
        recorded, stopped = {}, error
    if "blocks.0.attn/attention_pattern" not in recorded:
        steps, unfinished = recorded_steps(scene)
        stopped = unfinished or stopped
        if not steps and stopped:
            raise stopped
        recorded = steps | recorded
    return recorded, str(stopped or "")


def recorded_steps(scene: Scene) -> tuple[dict[str, Tensor], CannotGoOn | None]:
    """What the functions return, one after the other, on TransformerLens's queries and keys; and what stopped them."""
    found, working, stopped = {}, ["attention_scores", "apply_causal_mask", "attention_pattern"], None
    for layer in range(scene.n_layers):
        attn = f"blocks.{layer}.attn"
        x, weights = scene.computed[f"blocks.{layer}.ln1.hook_out"], below(scene.checkpoint.weights, attn)
        into_head = "batch seq d_model, n_heads d_model d_head -> batch seq n_heads d_head"
        k = einsum(x, weights["W_K"], into_head) + weights["b_K"]
        args: tuple[Tensor, ...] = (scene.computed[f"{attn}.hook_q"], k)
        for i, function in enumerate(working):
            try:
                found[f"{attn}/{function}"] = scene.call("attention", function, *args)
            except CannotGoOn as error:
                working, stopped = working[:i], error
                break
            args = (found[f"{attn}/{function}"],)
    return found, stopped


def tables_of(scene: Scene, recorded: dict[str, Tensor], name: str) -> dict[str, Any]:
    """One kind of table for every head: by layer and head `yours`, `expected`, `wrong` places, `largest` difference.

    `layers` is empty when no layer recorded it. The future is None in both tables of scores.
    """
    points = [point for point in hook_points(scene.n_layers) if point.name.endswith(f"attn.{name}")]
    layers = []
    for point in points:
        yours, expected = recorded.get(point.recorded), scene.computed[point.name]
        if yours is None or yours.shape != expected.shape:
            continue
        ours, theirs = compared(point, yours, expected)
        future = torch.ones_like(expected, dtype=torch.bool).triu(1) if name == "hook_attn_scores" else None
        heads = []
        for head in range(expected.shape[1]):
            tables = [yours[0, head].double(), expected[0, head]]
            if future is not None:
                tables = [table.masked_fill(future[0, head], torch.nan) for table in tables]
            heads.append(
                {
                    "yours": listed(tables[0]),
                    "expected": listed(tables[1]),
                    "wrong": wrong_places(ours[0, head], theirs[0, head]).nonzero().tolist(),
                    "largest": largest_distance(ours[0, head], theirs[0, head]),
                }
            )
        layers.append({"layer": int(point.name.split(".")[1]), "heads": heads})
    return {"name": name, "layers": layers}
