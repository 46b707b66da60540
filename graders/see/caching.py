"""What a key-value cache saves: which tokens each layer reads in each step, with the cache and without it.

The same model reads the same text twice. The logits of every step are compared with each other and with
TransformerLens's, for a cache must change the work and nothing else.
"""

from typing import Any

import torch
from torch import Tensor

from graders.engine.script import Handle, Teller, module, parameter
from graders.see.compared import largest_distance, wrong_places
from graders.see.page import Picture
from graders.see.scene import Scene
from graders.subject_code import CannotGoOn

TASK = "CachedGPT"


def see_caching(scene: Scene) -> Picture:
    """The picture of caching. Raises `CannotGoOn` when there is nothing to draw."""
    ends = step_ends(scene.tokens.shape[1])
    found = scene.tell("caching", reading(scene, ends), TASK)
    steps, begin = [], 0
    for end, told in zip(ends, found, strict=True):
        steps.append(_step(scene, begin, end, told))
        begin = end
    verdict, is_equal = _verdict(steps)
    return Picture(
        "caching.js",
        "What the cache saves",
        "Without a cache every step reads the whole text again; with one, each layer reads only what is new and finds "
        "the keys and values of the rest. Look at the two staircases, and that the logits stay the same.",
        verdict,
        is_equal,
        {"tokens": scene.names, "n_layers": scene.n_layers, "steps": steps},
    )


def step_ends(seq: int) -> list[int]:
    """Where each step ends: the first third of the text at once, as a prompt, then token by token."""
    return list(range(max(1, seq // 3), seq + 1))


def reading(scene: Scene, ends: list[int]) -> Any:
    """The story of a text that is read with a cache and without: for each step logits, length, and what layers read."""

    def story(do: Teller) -> list[dict[str, Any]]:
        model = do.make(module(TASK, scene.checkpoint.cfg, scene.checkpoint.weights))
        steps, begin, cache = [], 0, None
        for end in ends:
            with_it, cached = read(do, model, scene, scene.tokens[:, begin:end], cache)
            without, plain = read(do, model, scene, scene.tokens[:, :end], None)
            cache = cached[1]
            step = {"length": cache.length, "cached": cached[0], "plain": plain[0]}
            steps.append(step | {"read_cached": with_it, "read_plain": without})
            begin = end
        return steps

    return story


def read(do: Teller, model: Handle, scene: Scene, tokens: Tensor, cache: Handle | None) -> tuple[list[Handle], Handle]:
    """How many tokens come to the first norm of each layer in one call, and what the call returns."""
    came = model.state_dict()  # a dictionary for the hooks: of each norm it keeps what comes to it first
    nothing = (do.make(parameter(torch.zeros(1, 0))),)
    norms = [model.blocks[layer].ln1 for layer in range(scene.n_layers)]
    hooks = [norm.register_forward_pre_hook(came.setdefault) for norm in norms]
    result = model(tokens, cache)
    for hook in hooks:
        hook.remove()
    return [came.setdefault(norm, nothing)[0].shape[1] for norm in norms], result


def _step(scene: Scene, begin: int, end: int, told: dict[str, Any]) -> dict[str, Any]:
    """One step as it is drawn: what was read, how long the cache is, how far the logits are apart."""
    for which in ("cached", "plain"):
        shape = (1, end - begin if which == "cached" else end, scene.checkpoint.cfg["d_vocab"])
        if not isinstance(told[which], Tensor) or told[which].shape != shape:
            found = tuple(told[which].shape) if isinstance(told[which], Tensor) else type(told[which]).__name__
            raise CannotGoOn(
                f"{TASK} in {scene.whose.name}/caching.py returned logits {found} for tokens {begin} to {end - 1}; "
                f"expected {shape}; `pytest graders/test_caching.py` says more"
            )
    cached, plain = told["cached"].double(), told["plain"][:, begin:].double()
    lens = scene.computed["unembed.hook_out"][:, begin:end]
    return {
        "begin": begin,
        "end": end,
        "length": told["length"] if type(told["length"]) is int else None,
        "read_cached": told["read_cached"],
        "read_plain": told["read_plain"],
        "apart": largest_distance(cached, plain),
        "from_lens": largest_distance(cached, lens),
        "is_apart": bool(wrong_places(cached, plain).any()),
        "is_wrong": bool(wrong_places(cached, lens).any()),
    }


def _verdict(steps: list[dict[str, Any]]) -> tuple[str, bool]:
    for number, step in enumerate(steps, 1):
        begin = f"equal up to step {number - 1}; " if number > 1 else ""
        if step["is_apart"]:
            return f"{begin}step {number} is the first in which the cache changes the logits", False
        if step["is_wrong"]:
            return f"{begin}step {number} is the first to differ from TransformerLens, cache or not", False
        if step["length"] != step["end"]:
            return f"the cache's length is {step['length']} after step {number}; expected {step['end']}", False
    return f"equal in all {len(steps)} steps: with the cache, without it, and to TransformerLens", True
