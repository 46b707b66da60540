"""Stories of whole models, for the laws of caching: texts read in pieces, written and searched, and what that costs."""

import functools
from typing import Any

import torch
from torch import Tensor

from graders.cases.caching_readings import empty, expect_like, expect_refused, tell, without
from graders.cases.caching_texts import cached, without_cache
from graders.engine.law import Broken, expect_equal
from graders.engine.script import Handle, Story, Teller, config, generator, given, module, parameter
from graders.engine.space import Case
from graders.engine.subject import Subject, form_differences
from reference.beam_search import beam_search
from reference.sampling import SamplingOptions, generate

GREEDY = given("SamplingOptions", {"temperature": 0.0})
SILENT = "all logits are -inf"
# Of reading the whole text in every step; a right answer takes at most 1/6, 1/10, 1/6
LITTLE = {"CachedGPT": 1 / 4, "generate_cached": 1 / 6, "beam_search_cached": 1 / 4}


def read(model: Handle, pieces: Any, cache: Any = None, padding: Any = None) -> tuple[list, list]:
    """The logits of pieces that are read one after the other, and the cache after each of them."""
    logits, caches = [], []
    for piece in pieces:
        result = model(piece, cache) if padding is None else model(piece, cache, padding)
        padding, cache = None, result[1]
        logits.append(result[0])
        caches.append(cache)
    return logits, caches


def expect_rows(yours: list, case: Case, tokens: Tensor, padding: Any = None, what: str = "", last: int = 0) -> None:
    """Hold that logits, in pieces, are for each row of a text those of the row alone, without cache and pads.

    `last` says at how many of the last tokens, when it is not all. Raises `Broken`.
    """
    for part in yours:
        if not isinstance(part, Tensor) or part.ndim != 3 or part.isnan().any():
            kind = "nan" if isinstance(part, Tensor) and part.ndim == 3 else "type"
            raise Broken(kind, part, case.weights["unembed.b_U"].view(1, 1, -1), what)
    logits, model = torch.cat(yours, dim=1), without_cache(case)
    seq = tokens.shape[1]
    shape = (len(tokens), last or seq, case.cfg["d_vocab"])
    if logits.shape != shape:
        raise Broken("shape", logits, logits.new_zeros(shape), what)
    pads = [0] * len(tokens) if padding is None else padding.tolist()
    for n_pads in sorted(set(pads)):
        rows = [row for row, n in enumerate(pads) if n == n_pads]
        n = min(shape[1], seq - n_pads)
        note = f"of this row {without(n_pads)}" if n_pads else "of the whole text, without a cache"
        for row, right in zip(rows, model(tokens[rows, n_pads:])[:, -n:], strict=True):
            expect_like(logits[row, -n:], right, f"{what}, row {row}".strip(", "), note)


def expect_pieces(subject: Subject, case: Case, padding: Tensor | None = None, seconds: float = 2.0) -> None:
    """Hold that a text read in its pieces has the logits of the whole, and caches as long as the pieces."""
    case.show("cache", "an empty one, in the first call" if case.seed % 2 else None)

    def story(do: Teller) -> dict[str, list]:
        cache = empty(do, case, len(case.tokens)) if case.seed % 2 else None
        pieces = case.tokens.split(case.pieces, dim=1)
        logits, caches = read(do.make(cached(case)), pieces, cache, padding)
        return {"logits": logits, "lengths": [cache.length for cache in caches]}

    found = tell(subject, story, seconds)
    expect_rows(found["logits"], case, case.tokens, padding)
    expect_equal(found["lengths"], torch.tensor(case.pieces).cumsum(dim=0).tolist(), what="the lengths, pads included")


def expect_own_dtype(subject: Subject, case: Case) -> None:
    """Hold that a model in float64 is read, and gives logits in it, where PyTorch's default is float32.

    The values are held to float32's precision: in that default, a right answer may round a constant.
    """

    def story(do: Teller) -> list:
        do.make(parameter(torch.ones(1, dtype=torch.float32)))  # the first tensor of a story says what is the default
        return read(do.make(cached(case)), case.tokens.split(case.pieces, dim=1))[0]

    right = without_cache(case)(case.tokens).split(case.pieces, dim=1)
    yours = tell(subject, story)
    for broken in form_differences(yours, list(right)):
        raise broken
    note = "of the whole text, without a cache"
    expect_equal([part.float() for part in yours], [part.float() for part in right], "the logits", note)


def expect_beams(subject: Subject, case: Case) -> None:
    """Hold that rows which were selected go on as the texts they are, and so do those they were selected from."""
    once = case.tokens[:, :1]

    def story(do: Teller) -> list:
        model = do.make(cached(case))
        cache = model(case.tokens, None, case.padding)[1]
        return [read(model, case.new.split(1, dim=1), cache.select(case.rows))[0], [model(once, cache)[0]]]

    chosen, every = tell(subject, story)
    for what, logits, rows, new in (
        ("the selected rows", chosen, case.rows, case.new),
        ("all rows, gone on later", every, torch.arange(len(once)), once),
    ):
        text = torch.cat([case.tokens[rows], new], dim=1)
        expect_rows(logits, case, text, case.padding[rows], what, last=new.shape[1])


def expect_turns(subject: Subject, case: Case) -> None:
    """Hold that two texts, read in turns from one empty cache, are read right, and one cache gone on from twice."""
    first = case.pieces[0]
    begin, end, other = case.tokens[:, :first], case.tokens[:, first:], case.tokens.flip(1)
    changed = (end + 1) % case.cfg["d_vocab"]

    def story(do: Teller) -> list:
        model, nothing = do.make(cached(case)), empty(do, case, len(other))
        padded, alone = model(begin, nothing, case.padding), model(other[:, :1], nothing)
        once, rest, twice = model(end, padded[1]), model(other[:, 1:], alone[1]), model(changed, padded[1])
        return [[padded[0], once[0]], [alone[0], rest[0]], [padded[0], twice[0]]]

    padded, alone, again = tell(subject, story)
    expect_rows(padded, case, case.tokens, case.padding, "the padded text")
    expect_rows(alone, case, other, None, "the other text")
    expect_rows(again, case, torch.cat([begin, changed], dim=1), case.padding, "the padded text, gone on anew")


def expect_edge(subject: Subject, case: Case) -> None:
    """Hold that n_ctx tokens are read, and not one more."""
    n_ctx = case.cfg["n_ctx"]
    longer = torch.cat([case.tokens] * 3, dim=1)[:, : n_ctx + 1]

    def story(do: Teller) -> dict[str, Any]:
        model = do.make(cached(case))
        logits, caches = read(model, longer[:, :n_ctx].split(max(1, n_ctx - 1), dim=1))
        refused = {"n_ctx tokens are held": do.caught(model, longer[:, -1:], caches[-1])}
        refused["one token more than n_ctx"] = do.caught(model, longer)
        refused["n_ctx tokens behind a pad"] = do.caught(model, longer, None, torch.ones(len(longer)).long())
        return {"logits": logits, "refused": refused}

    found = tell(subject, story)
    expect_rows(found["logits"], case, longer[:, :n_ctx])
    expect_refused(found["refused"])


def unreadable_calls(case: Case) -> Story:
    """What is raised by calls of a model of two layers that cannot be right."""
    tokens, one, ids = case.tokens, case.tokens[:, :1], case.tokens.clone()
    ids[1, 1] = case.cfg["d_vocab"]
    paddings = {"as long as the row": [0, 4], "longer than the row": [5, 0], "negative": [-1, 1], "of one row": [1]}
    others = {"of one layer": {"n_layers": 1}, "of three layers": {"n_layers": 3}, "of another width": {"d_head": 2}}

    def story(do: Teller) -> dict[str, Handle]:
        model = do.make(cached(case))
        held, float32 = model(tokens)[1], do.make(parameter(torch.ones(1))).dtype
        caches = {what: do.KVCache.empty(config(case.cfg | sizes), 2) for what, sizes in others.items()}
        caches |= {"in float32": do.KVCache.empty(config(case.cfg), 2, float32), "of three rows": empty(do, case, 3)}
        caches["of one row"] = held.select(torch.tensor([0]))
        caught = {f"the cache is {what}": do.caught(model, one, cache) for what, cache in caches.items()}
        for what, padding in paddings.items():
            caught[f"the padding is {what}"] = do.caught(model, tokens, None, torch.tensor(padding))
        caught["the padding comes late"] = do.caught(model, one, held, torch.tensor([0, 0]))
        for what, unknown in {"too large": ids, "-1": ids.clamp(max=-1)}.items():
            caught[f"an id is {what}"] = do.caught(model, unknown)
            caught[f"an id is {what} in a later call"] = do.caught(model, unknown[:, 1:2], model(one)[1])
        return caught

    return story


def expect_little_work(
    subject: Subject, case: Case, task: str, *args: Any, passes: int, share: float | None = None
) -> None:
    """Hold that a task makes only a share of the numbers of so many passes over the case's whole text."""

    def story(do: Teller) -> dict[str, Handle]:
        model = do.make(cached(case))
        if task == "CachedGPT":
            made = do.counted(model, case.tokens[:, -1:], model(case.tokens[:, :-1])[1])
        else:
            made = do.counted(getattr(do, task), model, *args)
        return {"task": made[1], "whole": do.counted(model, case.tokens)[1]}

    made = tell(subject, story)
    most = int((share or LITTLE[task]) * passes * made["whole"])
    if made["task"] > most:
        times = f"{passes} times the whole text makes" if passes > 1 else "the whole text once makes"
        note = f"numbers made; {times} {passes * made['whole']}"
        raise Broken("values", made["task"], f"at most {most}", what="the work", note=note)


# Texts that are written


def written(subject: Subject, case: Case, options: dict[str, Any], prompt: Any = None, **asked: Any) -> Tensor:
    """The text that the subject writes after a prompt, the case's when none is given."""
    prompt = case.prompt if prompt is None else prompt
    args = (prompt, case.max_new_tokens, given("SamplingOptions", options), generator(11))
    return tell(subject, lambda do: do.generate_cached(cached(case), *args), **asked)


def expect_text(subject: Subject, case: Case) -> None:
    """Hold that the text is the one that is written without a cache."""

    @functools.cache
    def expected() -> Tensor:
        args = (case.prompt, case.max_new_tokens, SamplingOptions(**case.options), torch.Generator())
        return generate(without_cache(case), *args)

    yours = written(subject, case, case.options, meanwhile=expected)
    expect_like(yours, expected(), "", "written without a cache")


def unreadable(case: Case) -> dict[str, Tensor]:
    """Prompts that no model can read."""
    ids = {"the prompt ends in an id too large": [0, case.cfg["d_vocab"]], "the prompt begins with -1": [-1, 1]}
    return {"the prompt is empty": case.prompt[:0]} | {what: torch.tensor(prompt) for what, prompt in ids.items()}


def silent(case: Case) -> dict[str, Any]:
    """A model that leaves no choice: all its logits are -inf."""
    bias = torch.full_like(case.weights["unembed.b_U"], float("-inf"))
    return module("CachedGPT", case.cfg, case.weights | {"unembed.b_U": bias})


def refused_prompts(case: Case) -> Story:
    """What is raised when a text should go on after such prompts, with such options, or by a model without a choice."""
    calls = {f"{what}, {n} new tokens": (prompt[None], n) for n in (0, 2) for what, prompt in unreadable(case).items()}
    unfit: tuple[dict[str, Any], ...] = ({"temperature": -1.0}, {"top_k": 0}, {"top_p": 1.5})

    def story(do: Teller) -> dict[str, Handle]:
        model = do.make(cached(case))
        caught = {what: do.caught(do.generate_cached, model, *call, GREEDY, None) for what, call in calls.items()}
        for options in unfit:
            args = (case.prompt[None], 2, given("SamplingOptions", options), None)
            caught[f"the options are {options}"] = do.caught(do.generate_cached, model, *args)
        return caught | {SILENT: do.caught(do.generate_cached, silent(case), case.prompt[None], 2, GREEDY, None)}

    return story


# Texts that are searched


def found(subject: Subject, case: Case, **asked: Any) -> list[dict[str, Any]]:
    """The texts that the subject's search finds."""
    texts = tell(subject, lambda do: do.beam_search_cached(cached(case), case.prompt, **case.settings), **asked)
    if not isinstance(texts, list) or not all(isinstance(text, dict) for text in texts):
        raise Broken("type", texts, [])
    return texts


def expect_texts(yours: list[dict], expected: list[dict], note: str, what: str = "") -> None:
    """Hold that a search found these texts, first that it found as many: long lists begin alike. Raises `Broken`."""
    expect_equal(len(yours), len(expected), what=f"{what} the number of texts".strip(), note=note)
    expect_like(yours, expected, what, note)


def expect_found(subject: Subject, case: Case) -> None:
    """Hold that a search finds what it finds without a cache."""

    @functools.cache
    def expected() -> list[dict[str, Any]]:
        return [vars(text) for text in beam_search(without_cache(case), case.prompt, **case.settings)]

    names = ("tokens", "log_prob", "score")
    yours = [{name: text.get(name) for name in names} for text in found(subject, case, meanwhile=expected)]
    expect_texts(yours, expected(), "without a cache")


def expect_numbers(subject: Subject, case: Case) -> None:
    """Hold that each text's log_prob is the sum of its tokens', as a model without a cache has them."""
    model = without_cache(case)
    for text in found(subject, case):
        tokens, total = torch.tensor(text["tokens"]), 0.0
        if len(tokens) > (most := len(case.prompt) + case.settings["max_new_tokens"]):  # each costs us a pass
            raise Broken("values", len(tokens), f"at most {most}", what="the length of a text")
        for i in range(len(case.prompt), len(tokens)):
            seen = tokens[:i][-case.cfg["n_ctx"] :]
            total += model(seen.unsqueeze(0))[0, -1].log_softmax(dim=-1)[tokens[i]].item()
        expect_equal(text["log_prob"], total, what=f"the log_prob of {text['tokens']}", note="added up without a cache")


def refused_searches(case: Case) -> Story:
    """What is raised by searches that cannot begin."""
    prompt = case.prompt
    calls = {what: (ids, 2, 0) for what, ids in unreadable(case).items()}
    calls |= {"the prompt is a batch": (prompt.view(2, -1), 2, 0), "the prompt is a batch of one": (prompt[None], 2, 0)}
    calls |= {"n_beams is 0": (prompt, 0, 0), "no_repeat_ngram_size is -1": (prompt, 2, -1)}

    def story(do: Teller) -> dict[str, Handle]:
        model, search = do.make(cached(case)), do.beam_search_cached
        caught = {what: do.caught(search, model, p, n, 3, None, 0.0, size) for what, (p, n, size) in calls.items()}
        return caught | {SILENT: do.caught(search, silent(case), prompt, 2, 3)}

    return story
