"""What a text that is written, or a search, leaves behind in the model: nothing."""

from copy import copy
from typing import Any

import torch

from graders.cases.caching_readings import expect_like, tell
from graders.cases.caching_stories import GREEDY, expect_texts
from graders.cases.caching_texts import cached, without_cache
from graders.engine.law import expect_equal
from graders.engine.script import Handle, Teller, parameter
from graders.engine.space import Case
from graders.engine.subject import Subject
from reference.beam_search import beam_search
from reference.sampling import SamplingOptions, generate


def expect_left_alone(subject: Subject, case: Case, task: str, *args: Any) -> None:
    """Hold that a call that reads a prompt once records no gradients, and that mode and gradients are then as before.

    Raises `Broken`.
    """

    def story(do: Teller) -> dict[str, dict[str, Handle]]:
        seen = {}
        for mode in ("train", "eval"):
            model = do.make(cached(case))
            getattr(model, mode)()
            # A dictionary for a hook: of the last norm it keeps what comes to it first
            kept = model.state_dict()
            model.ln_final.register_forward_pre_hook(kept.setdefault)
            getattr(do, task)(model, *args)
            came = kept.setdefault(model.ln_final, (do.make(parameter(torch.zeros(1))).data,))[0]
            seen[mode] = {"gradients recorded in the call": came.requires_grad}
            seen[mode]["gradients recorded after it"] = model.embed(case.prompt[..., :1]).requires_grad
            seen[mode]["training mode after it"] = model.training
            seen[mode]["training mode of its last norm after it"] = model.ln_final.training
        return seen

    for mode, seen in tell(subject, story).items():
        for what, is_so in seen.items():
            right = mode == "train" if "mode" in what else "after" in what
            expect_equal(is_so, right, what=what, note=f"{mode}() was called before")


def changed(case: Case) -> Case:
    """The same with another embedding."""
    other = copy(case)
    other.weights = case.weights | {"embed.W_E": -case.weights["embed.W_E"]}
    return other


def expect_texts_apart(subject: Subject, case: Case) -> None:
    """Hold that a model whose parameters have changed writes what the new ones write. Raises `Broken`."""
    prompt, n_new = case.prompt, case.max_new_tokens

    def story(do: Teller) -> list[Handle]:
        model = do.make(cached(case))
        first = do.generate_cached(model, prompt, n_new, GREEDY, None)
        model.embed.W_E.data.neg_()
        return [first, do.generate_cached(model, prompt, n_new, GREEDY, None)]

    for text, one, what in zip(tell(subject, story), (case, changed(case)), ("first", "second"), strict=True):
        right = generate(without_cache(one), prompt, n_new, SamplingOptions(temperature=0.0), None)
        expect_like(text, right, f"the {what} text", "the embedding is another in the second")


def expect_searches_apart(subject: Subject, case: Case) -> None:
    """Hold that a model that has searched finds what it would have found anyway. Raises `Broken`.

    The second prompt is one token longer than the longest text that was read for the first.
    """
    n_new, prompt = case.settings["max_new_tokens"], case.prompt
    short = prompt[: len(prompt) - n_new]
    asked = {"the first": (case, short), "a longer one": (case, prompt), "the first once more": (changed(case), short)}

    def story(do: Teller) -> list[Handle]:
        model = do.make(cached(case))
        found = [do.beam_search_cached(model, tokens, case.settings["n_beams"], n_new) for tokens in (short, prompt)]
        model.embed.W_E.data.neg_()
        return [*found, do.beam_search_cached(model, short, case.settings["n_beams"], n_new)]

    for (what, (one, tokens)), texts in zip(asked.items(), tell(subject, story), strict=True):
        right = [vars(text) for text in beam_search(without_cache(one), tokens, case.settings["n_beams"], n_new)]
        note = "the embedding is another by then" if one is not case else "without a cache"
        expect_texts([{name: text.get(name) for name in right[0]} for text in texts], right, note, f"{what}:")
