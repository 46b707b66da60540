"""Stories of texts that are drawn: how often what comes, and by whose draws."""

from typing import Any

import torch
from torch import Tensor

from graders.cases.caching_readings import expect_like, tell
from graders.cases.caching_texts import cached, without_cache
from graders.engine.law import Broken, expect_equal
from graders.engine.script import Handle, Teller, generator, given, module
from graders.engine.space import Case
from graders.engine.subject import Subject
from reference.sampling import top_k_filter

DRAWS = {"temperature": 1.5, "top_k": 5, "frequency_penalty": 0.7}


def shares(case: Case) -> Tensor:
    """How often each pair of new tokens should come with the options of `DRAWS`, (d_vocab d_vocab)."""
    model, n = without_cache(case), case.cfg["d_vocab"]

    def of_next(tokens: Tensor) -> Tensor:
        counts = torch.nn.functional.one_hot(tokens, n).sum(dim=1)
        logits = (model(tokens)[:, -1] - DRAWS["frequency_penalty"] * counts) / DRAWS["temperature"]
        return top_k_filter(logits, int(DRAWS["top_k"])).softmax(dim=-1)

    pairs = torch.cat([case.prompt.expand(n, -1), torch.arange(n).unsqueeze(1)], dim=1)
    return of_next(case.prompt).T * of_next(pairs)


def expect_chance(subject: Subject, case: Case) -> None:
    """Hold that one state of a generator always writes the same, and its next state, or none, another text."""
    args = (case.prompt, 9, given("SamplingOptions", {"temperature": 9.0}))

    def story(do: Teller) -> dict[str, Handle]:
        model, chance = do.make(cached(case)), do.make(generator(5))
        generators = {"first": chance, "next": chance, "afresh": generator(5), "without": None, "without again": None}
        return {name: do.generate_cached(model, *args, one) for name, one in generators.items()}

    texts = tell(subject, story)
    expect_equal(texts["afresh"], texts["first"], what="what the same state writes once more")
    for before, after in (("first", "next"), ("without", "without again")):
        if torch.equal(texts[before], texts[after]):
            raise Broken("values", texts[after], "another text than the one before", what="the next text")


def expect_draws(subject: Subject, case: Case) -> None:
    """Hold that a text is made of the draws of the subject's own `next_token`, one for all rows in each step.

    With unembedding weights of 0 the logits are the bias, to the bit and in every step: no rounding decides a draw,
    whatever way of drawing `next_token` has, and the draws can be had without a model.
    """
    n_new, end, (batch, _) = case.max_new_tokens, case.seed % 7, case.prompt.shape
    bias = case.weights["unembed.b_U"]
    weights = case.weights | {"unembed.W_U": torch.zeros_like(case.weights["unembed.W_U"])}
    options: dict[str, Any] = {"temperature": 2.0, "eos_id": end}
    case.show("options", options)

    def story(do: Teller) -> list:
        model, chosen = do.make(module("CachedGPT", case.cfg, weights)), do.make(given("SamplingOptions", options))
        text = do.generate_cached(model, case.prompt, n_new, chosen, generator(case.seed))
        # A dictionary for what `next_token` takes, some of which is known there only
        taken: Any = model.state_dict()
        taken.clear()
        chance = do.make(generator(case.seed))
        for name, value in (("logits", bias.expand(batch, -1)), ("tokens", case.prompt), ("options", chosen)):
            taken.setdefault(name, value)
        taken.setdefault("generator", chance)
        return [text, [do.make(given("next_token", taken, file="sampling")) for _ in range(n_new)]]

    text, draws = tell(subject, story)
    rows = torch.stack(draws, dim=1)
    is_after = (rows == end).cumsum(dim=1) > 0
    rows = rows.masked_fill(is_after, end)[:, : int((~is_after).sum(dim=1).max()) + 1]
    expected = torch.cat([case.prompt, rows], dim=1)
    expect_like(text, expected, "", "drawn by your own next_token, one call a step with all rows")
