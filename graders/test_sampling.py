"""The specification of sampling, as laws that hold for every input. Read it beside `exercises/sampling.py`.

Filters and greedy choice are held to exact distributions, draws to what chance allows, and sampled texts to your own
`next_token`. The model that writes them is a toy of two tables.
"""

import math

import torch

from graders.cases.sampling_draws import (
    DRAWS,
    SHARES,
    choices,
    exact_rows,
    expect_chance_of_the_generator,
    expect_shares,
    prompts,
    rows,
    rows_and_k,
    rows_and_p,
    rows_and_temperatures,
    rows_and_texts,
    wide_vocabularies,
    with_largest,
    worked_out,
)
from graders.engine.law import Broken, expect_equal, expect_refusals, law
from graders.engine.script import generator, given
from graders.engine.worker.probes import build

# greedy


@law("greedy", rows)
def test_the_first_of_the_largest_is_taken(subject, reference, case):
    """Each row's token is the one with the largest logit, the lowest id where several tie."""
    expect_equal(subject.greedy(case.logits), torch.tensor([row.index(max(row)) for row in case.logits.tolist()]))


@law("greedy", wide_vocabularies)
def test_a_thousand_millionth_is_larger(subject, reference, case):
    """Of 5,000 tokens the last is taken when its logit is the largest, if only by a thousand-millionth."""
    expect_equal(subject.greedy(case.logits), torch.tensor([4999, 4999]), note="logit 4999 is larger by 2 ** -30")


@law("greedy", worked_out)
def test_greedy_refuses_bad_input(subject, reference, case):
    """A row of nothing but -inf raises ValueError, wherever it stands."""
    calls = {f"the {which} row is all -inf": (logits,) for which, logits in case.no_choice.items()}
    expect_refusals(subject, "greedy", calls)


# apply_temperature


@law("apply_temperature", rows_and_temperatures)
def test_logits_are_divided(subject, reference, case):
    """Every logit is divided by the temperature; at 1 nothing changes."""
    expect_equal(subject.apply_temperature(case.logits, case.temperature), case.logits / case.temperature)
    expect_equal(subject.apply_temperature(case.logits, 1.0), case.logits, what="at temperature 1")


@law("apply_temperature", worked_out)
def test_extreme_temperatures(subject, reference, case):
    """A temperature just above 0 divides as it is, and so does a very large one."""
    for temperature in (1e-9, 1e9):
        yours = subject.apply_temperature(case.logits, temperature)
        expect_equal(yours, case.logits / temperature, what=f"at temperature {temperature}")


@law("apply_temperature", worked_out)
def test_apply_temperature_refuses_bad_input(subject, reference, case):
    """A temperature of 0, a negative one, an infinite one and NaN raise ValueError."""
    calls = {f"temperature {t}": (case.logits, t) for t in (0.0, -1.0, math.inf, math.nan)}
    expect_refusals(subject, "apply_temperature", calls)


# apply_frequency_penalty


@law("apply_frequency_penalty", rows_and_texts)
def test_each_occurrence_costs_one_penalty(subject, reference, case):
    """A token's logit falls by the penalty once for each time it stands in its own row's text."""
    counts = torch.stack([torch.bincount(row, minlength=case.logits.shape[1]) for row in case.tokens])
    yours = subject.apply_frequency_penalty(case.logits, case.tokens, case.penalty)
    expect_equal(yours, case.logits - case.penalty * counts, note=f"the counts are {counts.tolist()}")


@law("apply_frequency_penalty", worked_out)
def test_three_hundred_occurrences(subject, reference, case):
    """A token that was written three hundred times costs three hundred penalties."""
    tokens = torch.tensor([[3] * 300, [1] * 100 + [4] * 200])
    counts = torch.tensor([[0, 0, 0, 300, 0], [0, 100, 0, 0, 200]])
    yours = subject.apply_frequency_penalty(case.logits, tokens, 0.5)
    expect_equal(yours, case.logits - 0.5 * counts, note=f"the counts are {counts.tolist()}")


@law("apply_frequency_penalty", worked_out)
def test_apply_frequency_penalty_refuses_bad_input(subject, reference, case):
    """An id below 0 or above d_vocab - 1 raises ValueError, at a penalty of 0 too."""
    calls = {}
    for penalty in (0.5, 0.0):
        for wrong, tokens in case.wrong_ids.items():
            calls[f"token id {wrong}, the penalty is {penalty}"] = (case.logits, tokens, penalty)
    expect_refusals(subject, "apply_frequency_penalty", calls)


# top_k_filter


@law("top_k_filter", rows_and_k)
def test_the_k_largest_are_kept(subject, reference, case):
    """Just the k largest logits stay as they are, all if there are fewer; of equal ones the lower id goes first."""
    expect_equal(subject.top_k_filter(case.logits, case.k), with_largest(case.logits, [case.k] * len(case.logits)))


@law("top_k_filter", wide_vocabularies)
def test_the_k_largest_of_a_wide_vocabulary(subject, reference, case):
    """Of 5,000 logits the last is kept when it is larger by a thousand-millionth, and of the others the first."""
    kept = torch.full_like(case.logits, -math.inf)
    kept[:, [0, -1]] = case.logits[:, [0, -1]]
    expect_equal(subject.top_k_filter(case.logits, 2), kept, note="logit 4999 is larger by 2 ** -30")


@law("top_k_filter", worked_out)
def test_top_k_filter_refuses_bad_input(subject, reference, case):
    """A k of 0 and a negative one raise ValueError."""
    calls = {f"k is {k}": (case.logits, k) for k in (0, -1)}
    expect_refusals(subject, "top_k_filter", calls)


# top_p_filter


@law("top_p_filter", rows_and_p)
def test_the_nucleus_is_kept(subject, reference, case):
    """The fewest of the likeliest tokens that reach p together stay as they are, and the others are -inf."""
    arguments = (case.logits, case.p, case.min_tokens_to_keep)
    expect_equal(subject.top_p_filter(*arguments), reference.top_p_filter(*arguments))


@law("top_p_filter", exact_rows)
def test_a_sum_of_exactly_p_is_enough(subject, reference, case):
    """A token with which the sum is exactly p is the last of the nucleus, unless min_tokens_to_keep asks for more."""
    sums = case.parts.sort(descending=True).values.cumsum(dim=-1)
    n_kept = ((sums < 8 * case.p).sum(dim=-1) + 1).clamp(min=case.min_tokens_to_keep).tolist()
    yours = subject.top_p_filter(case.logits, case.p, case.min_tokens_to_keep)
    expect_equal(yours, with_largest(case.logits, n_kept), note=f"worked out in eighths: {n_kept} tokens are kept")


@law("top_p_filter", rows_and_p)
def test_what_is_kept_keeps_its_odds(subject, reference, case):
    """The probabilities of what is kept are to each other as they were, and those of the others are 0."""
    yours = subject.top_p_filter(case.logits, case.p).softmax(dim=1)
    left = case.logits.softmax(dim=1) * (yours > 0)
    expect_equal(yours, left / left.sum(dim=1, keepdim=True), what="softmax of what comes back")


@law("top_p_filter", rows_and_k)
def test_p_of_0_keeps_one_and_p_of_1_all(subject, reference, case):
    """At p = 0 the likeliest token stays alone, at p = 1 all stay, however unlikely."""
    alone = with_largest(case.logits, [1] * len(case.logits))
    expect_equal(subject.top_p_filter(case.logits, 0.0), alone, what="at p = 0")
    expect_equal(subject.top_p_filter(20 * case.logits, 1.0), 20 * case.logits, what="at p = 1")


@law("top_p_filter", worked_out)
def test_top_p_filter_refuses_bad_input(subject, reference, case):
    """A p outside 0 to 1 or NaN, a min_tokens_to_keep below 1 and a row of nothing but -inf raise ValueError."""
    calls: dict[str, tuple] = {f"p is {p}": (case.logits, p) for p in (-0.1, 1.1, math.nan)}
    for p in (0.5, 1.0):
        calls |= {f"p is {p} and min_tokens_to_keep {n}": (case.logits, p, n) for n in (0, -1)}
        calls |= {f"p is {p} and the {which} row all -inf": (logits, p) for which, logits in case.no_choice.items()}
    expect_refusals(subject, "top_p_filter", calls)


# sample


@law("sample", rows)
def test_what_is_certain_is_drawn(subject, reference, case):
    """A logit of 1000 leaves no chance to any other token of its row, and neither does the only one that is finite."""
    certain = (case.seed + 2 * torch.arange(len(case.logits))) % case.logits.shape[1]
    others, sure = (case.logits, 1000.0) if case.seed % 2 else (torch.full_like(case.logits, -math.inf), -2.5)
    case.logits = others.scatter(1, certain.unsqueeze(1), sure)
    expect_equal(subject.sample(case.logits, generator(case.seed)), certain)


@law("sample", worked_out)
def test_chance_comes_from_the_generator(subject, reference, case):
    """The generator's state, or without one that of PyTorch's own, decides the tokens; its next state draws others."""
    expect_chance_of_the_generator(subject, "sample", case.logits)


@law("sample", worked_out)
def test_tokens_come_as_often_as_they_are_likely(subject, reference, case):
    """Each token comes with its probability, whatever is drawn in other rows and calls.

    Looked at are 2 x 60 shares, so a right answer is refused with a probability of 240 exp(-25), which is 3.4e-9.
    """

    def story(do):
        chance = do.make(generator(11))
        return {str(call): do.sample(case.logits, chance) for call in range(DRAWS)}

    in_one_call = subject.sample(case.logits.repeat(15 * DRAWS, 1), generator(12)).view(-1, 2)
    for first, second in (in_one_call.T, torch.stack([*subject.tell(story).values()]).T):
        expect_shares(SHARES[0], "token", first)
        expect_shares(SHARES[1], "token", second)
        expect_shares(SHARES[0].outer(SHARES[1]), "the neighbours", first, second)
        expect_shares(SHARES[0].outer(SHARES[0]), "one after the other", first[::2], first[1::2])


@law("sample", worked_out)
def test_sample_refuses_bad_input(subject, reference, case):
    """A row of nothing but -inf raises ValueError, wherever it stands."""
    calls = {f"the {which} row is all -inf": (logits, None) for which, logits in case.no_choice.items()}
    expect_refusals(subject, "sample", calls)


# next_token


@law("next_token", choices)
def test_every_option_shapes_the_draw(subject, reference, case):
    """A token comes with the probability that penalty, temperature, top-k and top-p, in this order, leave to it.

    Looked at are at most 59 x 2 x 107 shares, so a right answer is refused with a probability of 3.6e-7 at most.
    """
    subject.repeats = False  # that chance comes from the generator is a law of its own
    texts = (case.logits.repeat(DRAWS, 1), case.tokens.repeat(DRAWS, 1))
    drawn = subject.next_token(*texts, given("SamplingOptions", case.options), generator(case.seed))
    for row, shares in enumerate(case.shares):
        expect_shares(shares, "token", drawn[row :: len(case.shares)])


@law("next_token", choices)
def test_temperature_0_is_greedy_after_the_penalty(subject, reference, case):
    """At temperature 0 the token is the first of the largest logits that the penalty leaves; nothing is drawn."""
    greedily = given("SamplingOptions", case.options | {"temperature": 0.0})

    def story(do):
        chance = do.make(generator(1))
        token = do.next_token(case.logits, case.tokens, greedily, chance)
        return {"token": token, "state of the generator": chance.get_state()}

    token = reference.greedy(reference.apply_frequency_penalty(case.logits, case.tokens, case.penalty))
    state = torch.Generator().manual_seed(1).get_state()
    expect_equal(subject.tell(story), {"token": token, "state of the generator": state})


@law("next_token", worked_out)
def test_just_above_temperature_0_is_a_draw(subject, reference, case):
    """Just above temperature 0, of two largest logits that tie each is drawn half of the time; only 0 is greedy."""
    subject.repeats = False  # as above
    # The largest are 0, to which noise can be added: beside 1e9 it would be rounded away
    logits = case.logits.new_tensor([[-2, 0, -1, 0, -3]])
    texts = (logits.repeat(DRAWS, 1), case.tokens[:1].repeat(DRAWS, 1))
    drawn = subject.next_token(*texts, given("SamplingOptions", {"temperature": 1e-9}), generator(3))
    expect_shares(torch.tensor([0, 0.5, 0, 0.5, 0]), "token", drawn)


@law("next_token", worked_out)
def test_the_generator_is_passed_on(subject, reference, case):
    """The generator's state, or without one that of PyTorch's own, decides the tokens; its next state draws others."""
    options = given("SamplingOptions", {"top_k": 5, "top_p": 1.0})
    expect_chance_of_the_generator(subject, "next_token", case.logits, case.tokens, options)


@law("next_token", worked_out)
def test_next_token_refuses_bad_input(subject, reference, case):
    """A negative or infinite temperature, a k of 0 and a p above 1 raise ValueError here as well."""
    wrong: dict[str, tuple] = {"temperature": (-1.0, math.inf, math.nan), "top_k": (0,), "top_p": (1.5,)}
    calls = {}
    for name, value in ((name, value) for name, values in wrong.items() for value in values):
        calls[f"{name} is {value}"] = (case.logits, case.tokens, given("SamplingOptions", {name: value}), None)
    expect_refusals(subject, "next_token", calls)


# generate


@law("generate", prompts)
def test_greedy_text_is_the_only_one(subject, reference, case):
    """At temperature 0 the text is prompt and new tokens, each the greedy choice after the last n_ctx, to its end."""
    arguments = (case.model, case.prompt, case.max_new_tokens, given("SamplingOptions", case.options), generator(1))
    expect_equal(subject.generate(*arguments), reference.generate(*arguments))


@law("generate", worked_out)
def test_a_model_that_counts_writes_numbers(subject, reference, case):
    """A model that counts continues 3, 0 by 1, 2, 3, and 3, 2 by 3, which is the end token here and fills the row."""
    options = given("SamplingOptions", {"temperature": 0.0, "eos_id": 3})
    expected = torch.tensor([[3, 0, 1, 2, 3], [3, 2, 3, 3, 3]])
    expect_equal(subject.generate(case.model, case.tokens, 9, options, None), expected, note="worked out by hand")


@law("generate", prompts)
def test_the_model_reads_each_context_once(subject, reference, case):
    """Each step calls the model once, on the last n_ctx tokens of all rows, without gradients, in the mode it is in.

    Afterwards gradients are recorded again, as before.
    """

    def story(do):
        model, options = do.make(case.model), given("SamplingOptions", case.options)
        model.train(case.seed % 3 > 0)
        text = do.generate(model, case.prompt, case.max_new_tokens, options, None)
        model(case.prompt[:1, :1])
        seen = {"text": text.tolist(), "lengths": model.lengths, "gradients": model.grads}
        return seen | {"training": model.training}

    told = subject.tell(story)
    lengths = [min(n, len(case.places)) for n in range(case.prompt.shape[1], len(told["text"][0]))]
    expect_equal(told["lengths"][:-1], lengths, what="how many tokens the model read, call by call")
    expect_equal(any(told["gradients"][:-1]), False, what="whether gradients are recorded in a call of the model")
    expect_equal(told["gradients"][-1], True, what="whether gradients are recorded afterwards")
    expect_equal(told["training"], case.seed % 3 > 0, what="whether the model is in training mode afterwards")


@law("generate", prompts)
def test_a_drawn_text_is_what_your_next_token_draws(subject, reference, case):
    """A drawn text is what your `next_token` gives, step by step, with one generator; ended rows are filled."""
    subject.repeats = False  # as above
    options = given("SamplingOptions", case.options | {"temperature": 1.5, "top_k": 4, "top_p": 0.97})
    arguments, seq = (case.model, case.prompt, case.max_new_tokens, options), case.prompt.shape[1]
    text = torch.tensor(subject.tell(lambda do: do.generate(*arguments, generator(2)).tolist()))
    expect_equal(text, text.clamp(0, len(case.table) - 1), what="token ids")
    expect_equal(text[:, :seq], case.prompt, what="the prompt")
    if text.shape[1] > (most := seq + case.max_new_tokens):  # each of them is asked for again, and costs memory here
        raise Broken("values", text.shape[1], f"at most {most}", what="the length of the text")
    model = build(case.model["probe"])
    logits = [model(text[:, :n][:, -len(case.places) :])[:, -1].detach() for n in range(seq, text.shape[1])]

    def story(do):
        chance = do.make(generator(2))
        return {str(i): do.next_token(row, text[:, : seq + i], options, chance) for i, row in enumerate(logits)}

    eos_id, expected = case.options["eos_id"], case.prompt
    for new in subject.tell(story).values():
        if eos_id is not None:
            new = new.masked_fill((expected[:, seq:] == eos_id).any(dim=1), eos_id)
        expected = torch.cat([expected, new.unsqueeze(1)], dim=1)
    expect_equal(text, expected, note="from your own next_token")


@law("generate", worked_out)
def test_each_text_is_drawn_anew(subject, reference, case):
    """The generator's state, or without one that of PyTorch's own, decides the texts; its next state draws others."""
    options = given("SamplingOptions", {"temperature": 100.0})
    expect_chance_of_the_generator(subject, "generate", case.model, case.tokens, 8, options, calls=2)


@law("generate", worked_out)
def test_generate_refuses_bad_input(subject, reference, case):
    """An empty prompt and ids outside the vocabulary raise ValueError, even if nothing is to be written."""
    calls, greedily = {}, given("SamplingOptions", {"temperature": 0.0})
    for n in (0, 2):
        calls[f"the prompt is empty, max_new_tokens is {n}"] = (case.model, case.tokens[:, :0], n, greedily, None)
        for wrong, tokens in case.wrong_ids.items():
            calls[f"token id {wrong}, max_new_tokens is {n}"] = (case.model, tokens, n, greedily, None)
    expect_refusals(subject, "generate", calls)
