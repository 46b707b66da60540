"""The residual stream through the layers, the learner's beside TransformerLens's: of single blocks, and of a whole GPT.

A block is given what TransformerLens gave it, so a mistake is seen in every layer as it is; in a whole model it is
carried on. What the stream would say after each layer is read with the model's own end: nostalgebraist,
"interpreting GPT: the logit lens", 2020.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from graders.see.compared import hook_map, listed, plain, under, verdict_of
from graders.see.page import Picture
from graders.see.scene import Scene
from graders.weights.divergence import first_difference
from graders.weights.layers import below

N_LIKELY = 5


def see_block(scene: Scene) -> Picture:
    """The picture of blocks. Raises `CannotGoOn` when there is nothing to draw."""
    recorded: dict[str, Tensor] = {}
    for layer in range(scene.n_layers):
        block = f"blocks.{layer}"
        weights, x = below(scene.checkpoint.weights, block), scene.computed[f"{block}.hook_resid_pre"]
        recorded |= under(block, scene.module("block", "TransformerBlock", weights, x))
    return _picture(
        scene,
        recorded,
        "The residual stream, block by block",
        "A block never replaces the stream, it adds to it: first what attention found, then what the MLP makes of it. "
        "Look at which of the two adds more, and at how the stream grows. Each block starts from TransformerLens's.",
        {},
    )


def see_gpt(scene: Scene) -> Picture:
    """The picture of a whole model. Raises `CannotGoOn` when there is nothing to draw."""
    recorded = scene.module("gpt", "GPT", scene.checkpoint.weights, scene.tokens)
    yours, expected = recorded[""], scene.computed["unembed.hook_out"]
    more: dict[str, Any] = {"lens": _lens_rows(scene, recorded)}
    if yours.shape == expected.shape:
        more["next"] = [_likely(scene, *pair) for pair in zip(yours[0], expected[0], strict=True)]
    return _picture(
        scene,
        recorded | {"unembed": yours},
        "The residual stream through the whole model",
        "Tokens become vectors, every layer adds to them, and at the end they say what comes next. Look at the layer "
        "in which the guess for a token settles.",
        more,
    )


def _picture(scene: Scene, recorded: dict[str, Tensor], title: str, lead: str, more: dict[str, Any]) -> Picture:
    is_equal, verdict = verdict_of(recorded, scene.computed, scene.n_layers)
    found = first_difference(recorded, scene.computed, scene.n_layers)
    numbers = {
        "tokens": scene.names,
        "slots": _slots(scene, recorded),
        "first": {"name": found.name, "slot": _slot_of(found.name)} if found else None,
        "hooks": hook_map(recorded, scene.computed, scene.n_layers),
    }
    return Picture("stream.js", title, lead, verdict, is_equal, numbers | more)


def _slots(scene: Scene, recorded: dict[str, Tensor]) -> list[dict[str, Any]]:
    """The stream from left to right, after each addition: its length, and that of what was added, token by token."""
    slots = [_slot("embeddings", scene, recorded, ("blocks.0:in", "blocks.0.hook_resid_pre"), None)]
    for layer in range(scene.n_layers):
        block = f"blocks.{layer}"
        parts = {
            "attention": ((f"{block}.ln2:in", f"{block}.hook_resid_mid"), (f"{block}.attn", f"{block}.hook_attn_out")),
            "MLP": ((block, f"{block}.hook_resid_post"), (f"{block}.mlp", f"{block}.hook_mlp_out")),
        }
        slots += [_slot(f"layer {layer}, {part}", scene, recorded, *where) for part, where in parts.items()]
    return slots


def _slot(
    name: str, scene: Scene, recorded: dict[str, Tensor], stream: tuple[str, str], added: tuple[str, str] | None
) -> dict[str, Any]:
    slot: dict[str, Any] = {"name": name}
    for what, where in (("stream", stream), ("added", added)):
        if where:
            expected = scene.computed[where[1]]
            yours = recorded.get(where[0])
            seen = yours is not None and yours.shape == expected.shape
            slot[what] = {
                "yours": lengths(yours) if yours is not None and seen else None,
                "expected": lengths(expected),
            }
    return slot


def lengths(vectors: Tensor) -> list[float | None]:
    """The L2 norm of the vector of each token, from (1, seq, d_model)."""
    return listed(vectors[0].double().norm(dim=-1))


def _slot_of(hook: str) -> int:
    """At which addition to the stream a hook point lies, from 0 at the embeddings; -1 behind the last block."""
    if not hook.startswith("blocks."):
        return 0 if "embed" in hook and "unembed" not in hook else -1
    layer, inside = int(hook.split(".")[1]), hook.split(".", 2)[2]
    if inside == "hook_resid_pre":
        return 2 * layer
    return 2 * layer + (1 if inside.startswith(("ln1", "attn", "hook_attn", "hook_resid_mid")) else 2)


def _lens_rows(scene: Scene, recorded: dict[str, Tensor]) -> list[dict[str, Any]]:
    """What each layer's stream would say comes next, at every token; both ends are the checkpoint's."""
    last = scene.n_layers - 1
    points = [("embeddings", "blocks.0:in", "blocks.0.hook_resid_pre")]
    points += [(f"layer {i}", f"blocks.{i}", f"blocks.{i}.hook_resid_post") for i in range(last + 1)]
    rows = []
    for name, key, hook in points:
        expected = _says(scene, scene.computed[hook])
        stream = recorded.get(key)
        yours = _says(scene, stream) if stream is not None and stream.shape == scene.computed[hook].shape else None
        rows.append({"name": name, "yours": yours, "expected": expected})
    return rows


def _says(scene: Scene, stream: Tensor) -> list[list[Any]]:
    """The likeliest next token of each position, and its probability, from a stream (1, seq, d_model)."""
    weights, cfg = scene.checkpoint.weights, scene.checkpoint.cfg
    normed = F.layer_norm(
        stream.double(), (cfg["d_model"],), weights["ln_final.w"], weights["ln_final.b"], cfg["layer_norm_eps"]
    )
    best = (normed @ weights["unembed.W_U"] + weights["unembed.b_U"])[0].softmax(dim=-1).max(dim=-1)
    return [[scene.decoded(i), plain(p)] for i, p in zip(best.indices.tolist(), best.values.tolist(), strict=True)]


def _likely(scene: Scene, yours: Tensor, expected: Tensor) -> dict[str, Any]:
    """The likeliest tokens after one position, by either model's logits (d_vocab): token, your share, the expected."""
    shares = torch.stack([yours, expected]).softmax(dim=-1)
    ids = list(dict.fromkeys([*expected.topk(N_LIKELY).indices.tolist(), *yours.topk(N_LIKELY).indices.tolist()]))
    ids.sort(key=lambda i: -shares[1, i].item())
    return {
        "likely": [[scene.decoded(i), plain(shares[0, i].item()), plain(shares[1, i].item())] for i in ids],
        "largest": plain((yours - expected).abs().max().item()),
    }
