"""Stories of caches and of one layer, for the laws of caching, and what they are held to.

What a story should come to is known from `caching_texts.py`, so that the reference is not asked.
"""

import itertools
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from graders.cases.caching_texts import by_torch, cached
from graders.engine.law import Broken, expect_equal
from graders.engine.script import Handle, Story, Teller, config, module, parameter
from graders.engine.space import Case
from graders.engine.subject import Subject, form_differences

MODELS = ("CachedGPT", "CachedAttention")
AT_ONCE = "the first reading once more, at once"
NOT_BUILT = ("missing", "construct", "parameters")


def tell(subject: Subject, story: Story, seconds: float = 2.0) -> Any:
    """What a story comes to; its form is not compared with the reference's."""
    value = replace(subject, checks_form=False).tell(story, seconds)
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


def expect_as_read(
    subject: Subject, story: Story, pairs: dict[str, str], rows: dict[str, Tensor] | None = None
) -> None:
    """Hold that the logits of a story agree, those of each name with those of another, or with some rows of them.

    A model that fails has laws of its own, so that here it may read what it likes, if always the same. Raises `Broken`.
    """
    try:
        logits = tell(subject, story)
    except Broken as broken:
        of_model = any(function.startswith(MODELS) for _file, _line, function, _text in broken.failure.lines)
        if broken.kind in NOT_BUILT or (broken.kind == "call" and of_model):
            return
        raise
    if all(isinstance(part, Tensor) for part in logits.values()) and _is_steady(logits):
        for name, other in pairs.items():
            expected = logits[other][rows[name] if rows and name in rows else slice(None)].nan_to_num()
            expect_equal(logits[name].nan_to_num(), expected, what=f"the logits of {name}", note=other)


def _is_steady(logits: dict[str, Tensor]) -> bool:
    """Whether to read the first cache did nothing to it: if it did, that is the model's fault."""
    return AT_ONCE not in logits or torch.equal(logits[AT_ONCE], next(iter(logits.values())))


def lengths(case: Case) -> Story:
    """The lengths of caches that were made from one another."""
    held = case.sizes["held"]

    def story(do: Teller) -> dict[str, Handle]:
        nothing = empty(do, case, case.k.shape[1])
        some = filled(nothing, case.kv, 0, held)
        whole, longer = filled(some, case.kv, held, held + 1, case.end), filled(some, case.kv, held, held + 1)
        caches = {"no position": nothing, "the first": some, "one more": longer, "all": whole}
        caches["rows of all"] = whole.select(torch.zeros(4).long())
        return {name: cache.length for name, cache in caches.items()}

    return story


def branches(case: Case) -> Story:
    """Caches that are made from one another, each read before the others were made, or made alone, and after."""
    held, more, end, batch = case.sizes["held"], case.sizes["more"], case.end, case.k.shape[1]
    a, b = held + more, held + 2 * more

    def story(do: Teller) -> dict[str, Handle]:
        def alone(*parts: tuple[int, int]) -> Handle:
            cache = empty(do, case, batch)
            for part in parts:
                cache = filled(cache, case.kv, *part)
            return logits_after(do, case, cache)

        older = filled(empty(do, case, batch), case.kv, 0, held)
        first = filled(older, case.kv, held, a)
        logits = {name: logits_after(do, case, older) for name in ("the older, alone", AT_ONCE)}
        logits["the first, alone"] = logits_after(do, case, first)
        second = filled(older, case.kv, a, b)
        longer = filled(first, case.kv, b, end)
        caches = {"the older": older, "the first": first, "the second": second, "the longer": longer}
        logits |= {name: logits_after(do, case, cache) for name, cache in caches.items()}
        logits["the second, alone"] = alone((0, held), (a, b))
        return logits | {"the longer, alone": alone((0, held), (held, a), (b, end))}

    return story


def by_hand(case: Case) -> Story:
    """The logits after a cache that is filled by hand, in two pieces."""

    def story(do: Teller) -> Handle:
        cache = filled(empty(do, case, case.k.shape[1]), case.kv, 0, case.sizes["held"], case.end)
        return logits_after(do, case, cache)

    return story


def pieces(case: Case) -> Story:
    """A cache that is filled at once, in pieces, and one position at a time."""

    def story(do: Teller) -> dict[str, Handle]:
        nothing = empty(do, case, case.k.shape[1])
        ways = {"at once": (0, case.end), "in pieces": (0, case.sizes["held"], case.end), "singly": range(case.end + 1)}
        return {name: logits_after(do, case, filled(nothing, case.kv, *way)) for name, way in ways.items()}

    return story


def selections(case: Case, rows: Tensor) -> Story:
    """A cache before and after rows of it were selected; the rows; and both, gone on."""
    held = case.sizes["held"]

    def story(do: Teller) -> dict[str, Handle]:
        cache = filled(empty(do, case, case.k.shape[1]), case.kv, 0, held)
        logits = {name: logits_after(do, case, cache) for name in ("all rows", AT_ONCE)}
        chosen = cache.select(rows)
        logits |= {"the rows": logits_after(do, case, chosen, rows), "all, later": logits_after(do, case, cache)}
        longer = filled(chosen, (case.k[:, rows], case.v[:, rows]), held, held + 1)
        logits["all, gone on"] = logits_after(do, case, filled(cache, case.kv, held, held + 1))
        return logits | {"the rows, gone on": logits_after(do, case, longer, rows)}

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
        return {"taken": taken, "refused": refused | {"float64, for float32": do.caught(float32.append, 0, k, k)}}

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
        note = f"of this row alone, without its {n_pads} pads"
        expect_like(yours[row, whole.shape[1] - n :], expected, f"row {row} behind its pads", note)
