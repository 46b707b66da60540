"""Stories of caches and of one layer, for the laws of caching, and what they are held to.

What a story should come to is known from `caching_texts.py`, so that the reference is not asked.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from graders.cases.caching_texts import by_torch, cached
from graders.engine.law import Broken, expect_equal
from graders.engine.script import Handle, Story, Teller, config, module, parameter
from graders.engine.space import Case
from graders.engine.subject import Subject, form_differences


def tell(subject: Subject, story: Story, seconds: float = 2.0, meanwhile: Callable[[], object] | None = None) -> Any:
    """What a story comes to; its form is not compared with the reference's."""
    value = replace(subject, checks_form=False).tell(story, seconds, meanwhile)
    reply = subject.replies[-1]
    if reply.changed:
        raise Broken("changed", what=", ".join(reply.changed))
    if not reply.steady:
        raise Broken("unsteady")
    return value


def expect_like(yours: Any, expected: Any, what: str = "", note: str = "") -> None:
    """Hold that a value has the right form, and is right. Raises `Broken`."""
    for broken in form_differences(yours, expected):
        raise replace(broken, what=f"{what} {broken.what}".strip())
    expect_equal(yours, expected, what, note)


def expect_refused(caught: dict[str, dict]) -> None:
    """Hold that every one of these calls, by what is wrong with it, raised `ValueError`."""
    for what, error in caught.items():
        if "ValueError" not in error["classes"]:
            raise Broken("values", [*error["classes"], "nothing"][0], "ValueError", what="the error", note=what)


# Caches


def empty(do: Teller, case: Case, batch: int) -> Handle:
    """A cache of the case's sizes."""
    return do.KVCache.empty(config(case.cfg), batch)


def filled(cache: Handle, kv: tuple[Tensor, Tensor], *positions: int) -> Handle:
    """A cache to which keys and values (layer batch position n_heads d_head) are appended: of a to b, b to c, ..."""
    for a, b in itertools.pairwise(positions):
        for layer, (k, v) in enumerate(zip(*kv, strict=True)):
            cache = cache.append(layer, k[:, a:b], v[:, a:b])
    return cache


def logits_after(do: Teller, case: Case, cache: Handle, rows: Any = slice(None)) -> Handle:
    """A cache as a model reads it: the logits after one more token, by a model that has read nothing else."""
    return do.look(do.make(cached(case))(case.token[rows], cache)[0])


def read(case: Case, cache: Handle) -> list[list[Handle]]:
    """What a cache holds: for each layer, keys and values."""
    return [[cache[layer][0], cache[layer][1]] for layer in range(case.cfg["n_layers"])]


def expect_held(held: dict[str, list], expected: dict[str, tuple[Tensor, Tensor]]) -> None:
    """Hold that caches, by name, hold these keys and values (layer batch position n_heads d_head). Raises `Broken`."""
    for name, kv in expected.items():
        for layer, parts in enumerate(held[name]):
            for what, part, whole in zip(("keys", "values"), parts, kv, strict=True):
                expect_like(part, whole[layer], f"the {what} of layer {layer} of {name}")


def lengths(case: Case) -> Story:
    """The lengths of caches that were made from one another."""
    held, batch, last = case.sizes["held"], case.k.shape[1], case.cfg["n_layers"] - 1

    def story(do: Teller) -> dict[str, Handle]:
        nothing = empty(do, case, batch)
        some = filled(nothing, case.kv, 0, held)
        longer, whole = filled(some, case.kv, held, held + 1), filled(some, case.kv, held, held + 1, case.end)
        caches = {"no position": nothing, "the first": some, "one more": longer, "all": whole}
        for where, layer in (("layer 0", 0), ("the last layer", last)):
            name = f"more positions in {where} than in others"
            caches[name] = some.append(layer, case.k[layer, :, held:], case.v[layer, :, held:])
        caches["rows of all"] = whole.select(torch.zeros(4).long())
        return {name: cache.length for name, cache in caches.items()}

    return story


def expect_lengths(subject: Subject, case: Case) -> None:
    """Hold that every cache is as long as the shortest of its layers. Raises `Broken`."""
    held = case.sizes["held"]
    right = {"no position": 0, "the first": held, "one more": held + 1}
    for name, length in tell(subject, lengths(case)).items():
        shortest = held if "others" in name and case.cfg["n_layers"] > 1 else case.end
        expect_like(length, right.get(name, shortest), f"the length of a cache of {name}")


def expect_branches(subject: Subject, case: Case) -> None:
    """Hold that caches which were made from one another hold what each was given. Raises `Broken`."""
    held, more, end, batch = case.sizes["held"], case.sizes["more"], case.end, case.k.shape[1]
    a, b, last = held + more, held + 2 * more, case.cfg["n_layers"] - 1

    def story(do: Teller) -> dict[str, list]:
        older = filled(empty(do, case, batch), case.kv, 0, held)
        begun = [older.append(last, case.k[last, :, i:j], case.v[last, :, i:j]) for i, j in ((held, a), (a, b))]
        first = filled(older, case.kv, held, a)
        second = filled(older, case.kv, a, b)
        longer = filled(first, case.kv, b, end)
        caches = {"the older cache": older, "the first": first, "the second": second, "the longer": longer}
        held_by = {name: read(case, cache) for name, cache in caches.items()}
        return held_by | {"the last layer first": [[cache[last][0], cache[last][1]] for cache in begun]}

    def of(*parts: tuple[int, int]) -> tuple[Tensor, Tensor]:
        k, v = (torch.cat([whole[:, :, i:j] for i, j in parts], dim=2) for whole in case.kv)
        return k, v

    older, first, second, longer = ((0, held),), ((0, a),), ((0, held), (a, b)), ((0, a), (b, end))
    names = ("the older cache", "the first", "the second", "the longer")
    expected = {name: of(*parts) for name, parts in zip(names, (older, first, second, longer), strict=True)}
    found = tell(subject, story)
    expect_held(found, expected)
    for parts, name, way in zip(found["the last layer first"], names[1:], (first, second), strict=False):
        for what, part, whole in zip(("keys", "values"), parts, of(*way), strict=True):
            expect_like(part, whole[last], f"the {what} of layer {last} of {name}, begun there")


def expect_pieces_held(subject: Subject, case: Case) -> None:
    """Hold that a cache filled at once, in pieces or singly holds what it was given, in its order. Raises `Broken`."""
    held, end = case.sizes["held"], case.end
    ways = {
        "a cache filled at once": (0, end),
        "one filled in pieces": (0, held, end),
        "one filled singly": range(end + 1),
    }

    def story(do: Teller) -> dict[str, list]:
        nothing = empty(do, case, case.k.shape[1])
        caches = {name: filled(nothing, case.kv, *way) for name, way in ways.items()} | {"an empty cache": nothing}
        return {name: read(case, cache) for name, cache in caches.items()}

    k, v = case.kv
    expect_held(tell(subject, story), dict.fromkeys(ways, case.kv) | {"an empty cache": (k[:, :, :0], v[:, :, :0])})


def expect_selected(subject: Subject, case: Case) -> None:
    """Hold that selected rows hold what they held, and go on; that the cache they are from does; and their padding.

    The first rows, all or all but one (of one row: none), share no memory with it: both go on, each in its own way.
    """
    held, batch = case.sizes["held"], case.k.shape[1]
    last, others = batch - 1, range(batch - 1)  # neither in order nor all as they were
    rows = torch.tensor(([last, *others, 0, last], [last, 0], [0, last, *others])[case.seed % 3])
    of_rows = (case.k[:, rows], case.v[:, rows])
    n_first = batch - case.seed % 2
    of_first = (case.k[:, :n_first], case.v[:, :n_first])
    first_rows = f"rows {list(range(n_first))}, selected and gone on"

    def story(do: Teller) -> dict[str, Any]:
        cache = filled(empty(do, case, batch), case.kv, 0, held)
        chosen = cache.select(rows)
        first_longer = filled(cache.select(torch.arange(n_first)), of_first, held + 1, held + 2)
        longer, all_longer = filled(chosen, of_rows, held, held + 1), filled(cache, case.kv, held, held + 1)
        caches = {"the rows": chosen, "the rows, gone on": longer, "all rows": cache, "all rows, gone on": all_longer}
        caches[first_rows] = first_longer
        held_by = {name: read(case, one) for name, one in caches.items()}
        return {"held": held_by, "padding": {"of the rows": chosen.padding, "of all rows": cache.padding}}

    def first(n: int, kv: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return kv[0][:, :, :n], kv[1][:, :, :n]

    found = tell(subject, story)
    for name, n, kv in (("the rows", held, of_rows), ("the rows, gone on", held + 1, of_rows)):
        expect_held(found["held"], {name: first(n, kv), name.replace("the", "all"): first(n, case.kv)})
    k, v = (torch.cat([part[:, :, :held], part[:, :, held + 1 : held + 2]], dim=2) for part in of_first)
    expect_held(found["held"], {first_rows: (k, v)})
    for name, n in (("of the rows", len(rows)), ("of all rows", batch)):
        padding = found["padding"][name]
        as_list = padding.tolist() if isinstance(padding, Tensor) else padding
        expect_equal(as_list, [0] * n, what=f"the padding {name}", note=f"the rows selected are {rows.tolist()}")


def by_hand(case: Case) -> Story:
    """The logits after one more token, by a model that is given a cache filled by hand, in two pieces."""

    def story(do: Teller) -> Handle:
        cache = filled(empty(do, case, case.k.shape[1]), case.kv, 0, case.sizes["held"], case.end)
        return do.make(cached(case))(case.token, cache)[0]

    return story


def dtypes(case: Case) -> Story:
    """What is raised when caches are given keys and values of their own dtype, and of the other."""
    k = case.k[0, :, :1]

    def story(do: Teller) -> dict[str, dict]:
        usual = empty(do, case, 2)
        taken = {"the default": do.caught(usual.append, 0, k, k)}
        small = do.make(parameter(k.float()))
        float32 = do.KVCache.empty(config(case.cfg), 2, dtype=small.dtype)
        taken["float32"] = do.caught(float32.append, 0, small, small)
        refused = {"float32, for a cache of the default": do.caught(usual.append, 0, small, small)}
        refused["float64, for float32"] = do.caught(float32.append, 0, k, k)
        refused["values in float64 beside keys in float32"] = do.caught(float32.append, 0, small, k)
        return {"taken": taken, "refused": refused}

    return story


def misfits(case: Case) -> Story:
    """What is raised when a cache of two layers and two rows is given what does not fit, or asked for other rows."""
    k, v = case.k[0, :, :2], case.v[0, :, :2]
    calls = {
        "there is no layer 2": (2, k, v),
        "there is no layer -1": (-1, k, v),
        "one row too few": (0, k[:1], v[:1]),
        "one row too many": (0, k[[0, 1, 1]], v[[0, 1, 1]]),
        "another d_head": (1, k[..., :1], v[..., :1]),
        "another number of heads": (1, k[:, :, :1], v[:, :, :1]),
        "fewer values than keys": (0, k, v[:, :1]),
        "values of one row": (1, k, v[:1]),
        "values of another d_head": (0, k, v[..., :1]),
        "values of another number of heads": (1, k, v[:, :, :1]),
    }

    def story(do: Teller) -> dict[str, Handle]:
        cache = filled(empty(do, case, 2), case.kv, 0, 1)
        caught = {what: do.caught(cache.append, *call) for what, call in calls.items()}
        return caught | {f"there is no row {row}": do.caught(cache.select, torch.tensor([0, row])) for row in (2, -1)}

    return story


# One layer


def layer(case: Case, item: int = 0, key_mask: Any = None, earlier: bool = False, weights: Any = None) -> Story:
    """What the layer adds at the new tokens, or its `present`; `earlier`, after it was called for the whole stream."""

    def story(do: Teller) -> Any:
        attention = do.make(module("CachedAttention", case.cfg, case.weights | (weights or {})))
        if earlier:
            attention(case.stream, tuple(part[:, :0] for part in case.past))
        result = attention(case.x, case.past, key_mask)[item]
        return [result[0], result[1]] if item else result

    return story


def without(n_pads: int) -> str:
    """What a row is held to that begins with pads."""
    return "without its pad" if n_pads == 1 else f"without its {n_pads} pads"


def expect_attention(subject: Subject, case: Case, **how: Any) -> None:
    """Hold that the layer adds at the new tokens what attention over the whole stream adds there."""
    expected = by_torch(case, case.stream)[:, case.held :]
    expect_like(tell(subject, layer(case, **how)), expected, "", "PyTorch's attention over the whole stream")


def expect_unpadded(yours: Any, case: Case) -> None:
    """Hold that the layer adds at each row's new tokens what it adds without the row's pads, and numbers at pads."""
    whole = by_torch(case, case.stream)[:, case.held :]
    if not isinstance(yours, Tensor) or not yours.isfinite().all():
        raise Broken("nan" if isinstance(yours, Tensor) else "type", yours, whole)
    for row, n_pads in enumerate(case.padding.tolist()):
        n = case.stream.shape[1] - max(case.held, n_pads)
        expected = by_torch(case, case.stream[row : row + 1, n_pads:])[0, -n:]
        note = f"of this row alone, {without(n_pads)}"
        expect_like(yours[row, whole.shape[1] - n :], expected, f"row {row} behind its pads", note)
