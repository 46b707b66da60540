"""The specification of caching, as laws that hold for every input. Read it beside `exercises/caching.py`.

Nobody is told how to keep keys and values: a cache is read by `cache[layer]`, and held to what it was given. From
`CachedGPT` on your own parts run together; they are held to the reference's model, which knows no cache.
"""

import torch
from torch import Tensor

from graders.cases import caching_chance as chance
from graders.cases import caching_readings as readings
from graders.cases import caching_stories as continuations
from graders.cases import caching_texts as texts
from graders.cases import caching_traces as traces
from graders.cases.caching_readings import expect_attention, expect_like, expect_refused, tell
from graders.cases.caching_texts import caches, streams, two_and
from graders.cases.sampling_draws import expect_shares
from graders.engine.law import expect_equal, law
from graders.engine.space import fixed
from graders.weights.layers import model_case

N_DRAWS = 3000
N_READ = 24  # tokens of a real text
real_models = fixed(lambda where: [model_case(where)])


# KVCache


@law("KVCache", two_and(4, texts.keys_and_values))
def test_length_counts_the_positions_held(subject, reference, case):
    """A cache is as long as what every one of its layers holds; an older one keeps its length."""
    readings.expect_lengths(subject, case)


@law("KVCache", texts.some_caches)
def test_what_does_not_fit_is_refused(subject, reference, case):
    """A layer that is not there, keys or values of another batch, width or length, and rows not there: ValueError."""
    expect_refused(tell(subject, readings.misfits(case)))


@law("KVCache", texts.some_caches)
def test_a_cache_has_the_dtype_it_is_made_with(subject, reference, case):
    """A cache made in float32 takes float32, one made without a dtype PyTorch's default; another dtype: ValueError."""
    caught = tell(subject, readings.dtypes(case))
    for name, error in caught["taken"].items():
        expect_equal(error["classes"], [], what=f"what a cache of {name} raises for its own dtype")
    expect_refused(caught["refused"])


@law("KVCache", texts.keys_and_values)
def test_what_is_appended_is_held(subject, reference, case):
    """`cache[layer]` gives the keys and values appended to this layer, in their order, at once or piece by piece."""
    readings.expect_pieces_held(subject, case)


@law("KVCache", texts.keys_and_values)
def test_an_older_cache_reads_unchanged(subject, reference, case):
    """However many caches are made from a cache and from one another, each holds what it would hold alone."""
    readings.expect_branches(subject, case)


@law("KVCache", texts.long_caches)
def test_a_long_cache_has_branches_too(subject, reference, case):
    """That is so too around the 128th position, with four layers."""
    readings.expect_branches(subject, case)


@law("KVCache", texts.keys_and_values)
def test_selected_rows_hold_what_they_held(subject, reference, case):
    """Row i of `select(rows)` holds and goes on as row `rows[i]` did, pads too; rows may repeat, or be none at all."""
    readings.expect_selected(subject, case)


# CachedAttention


@law("CachedAttention", streams)
def test_new_tokens_attend_to_the_past_and_to_themselves(subject, reference, case):
    """At the new tokens the layer adds what attention over the whole stream adds there."""
    expect_attention(subject, case)


@law("CachedAttention", two_and(3, streams))
def test_where_all_match_alike_the_values_are_averaged(subject, reference, case):
    """With queries of zero, a new token takes the mean of the values of all tokens before it and of its own."""
    zeros = {name: torch.zeros_like(case.weights[name]) for name in ("W_Q", "b_Q")}
    (v,) = texts.projected(case, "V", case.stream)
    mean = (v.cumsum(dim=1) / torch.arange(1, v.shape[1] + 1).view(-1, 1, 1))[:, case.held :]
    expected = torch.einsum("bshe,hed->bsd", mean, case.weights["W_O"]) + case.weights["b_O"]
    expect_like(tell(subject, readings.layer(case, weights=zeros)), expected, "", "worked out from the means")


@law("CachedAttention", streams)
def test_nobody_attends_to_a_pad(subject, reference, case):
    """What `key_mask` marks False no other token sees; a pad itself gets numbers too, though nobody asks which."""
    case.show("key_mask", case.key_mask, batch=len(case.stream), keys=case.stream.shape[1])
    readings.expect_unpadded(tell(subject, readings.layer(case, key_mask=case.key_mask)), case)


@law("CachedAttention", streams)
def test_present_holds_the_new_keys_and_values(subject, reference, case):
    """`present` is a pair: the keys and the values of the new tokens, alone or behind those of the past."""
    present = tell(subject, readings.layer(case, item=1))
    for name, part, whole in zip(("keys", "values"), present, texts.projected(case, "KV", case.stream), strict=True):
        is_whole = isinstance(part, Tensor) and part.shape == whole.shape
        expect_like(part, whole if is_whole else whole[:, case.held :], f"the {name} of present")


@law("CachedAttention", two_and(3, streams))
def test_an_earlier_call_of_the_layer_leaves_nothing_behind(subject, reference, case):
    """What the layer was called with before, at another length and without a past, changes nothing."""
    expect_attention(subject, case, earlier=True)


@law("CachedAttention", two_and(3, streams.in_float32()))
def test_layer_works_in_float32(subject, reference, case):
    """In float32 the layer gives the same, to float32's precision, in float32."""
    expect_attention(subject, case)


@law("CachedAttention", texts.long_streams)
def test_layer_works_at_larger_sizes(subject, reference, case):
    """With 5 heads, 9 rows, 130 past tokens and 11 new ones, it is still attention over the whole stream."""
    expect_attention(subject, case)


# CachedGPT


@law("CachedGPT", texts.whole)
def test_logits_do_not_depend_on_where_a_text_is_cut(subject, reference, case):
    """Read token by token, at once or in pieces, a text gets the logits that it gets without a cache."""
    continuations.expect_pieces(subject, case)


@law("CachedGPT", texts.padded)
def test_a_padded_row_is_read_as_without_its_pads(subject, reference, case):
    """Behind its pads, a row has the logits it has alone and without them, in the first call and in all later ones."""
    continuations.expect_pieces(subject, case, case.padding)


@law("CachedGPT", texts.beams)
def test_beams_go_on_from_the_rows_they_grew_from(subject, reference, case):
    """After `select`, each row goes on as its own text behind its own pads, and so do the rows it was taken from."""
    continuations.expect_beams(subject, case)


@law("CachedGPT", two_and(3, texts.padded))
def test_two_texts_are_read_in_turns(subject, reference, case):
    """Two texts, with pads and without, may be read in turns from one empty cache, and one cache gone on from twice."""
    continuations.expect_turns(subject, case)


@law("CachedGPT", two_and(3, texts.whole))
def test_a_context_may_be_filled_and_no_more(subject, reference, case):
    """A text of n_ctx tokens is read to its end, in pieces too; one more token raises ValueError."""
    continuations.expect_edge(subject, case)


@law("CachedGPT", two_and(3, caches))
def test_a_cache_filled_by_hand_is_read(subject, reference, case):
    """What `append` was given is what each layer of the model attends to: keys as keys, layer by layer."""
    expect_like(tell(subject, readings.by_hand(case)), reference.tell(readings.by_hand(case)))


@law("CachedGPT", texts.for_work)
def test_a_token_costs_little_however_many_are_held(subject, reference, case):
    """To read one more token makes few numbers: those of the tokens held are not made again."""
    continuations.expect_little_work(subject, case, "CachedGPT", passes=1)


@law("CachedGPT", texts.some_texts)
def test_what_cannot_be_read_is_refused(subject, reference, case):
    """Caches of another batch, layer count, width or dtype, wrong or late padding, unknown ids: ValueError."""
    expect_refused(tell(subject, continuations.unreadable_calls(case)))


@law("CachedGPT", two_and(3, texts.padded.in_float32()))
def test_model_works_in_float32(subject, reference, case):
    """In float32 the logits are the same, to float32's precision, in float32."""
    continuations.expect_pieces(subject, case, case.padding)


@law("CachedGPT", texts.one_text)
def test_a_model_may_have_another_dtype_than_the_default(subject, reference, case):
    """A model in float64 reads a text in float64, and keeps it so, where PyTorch's default is float32."""
    continuations.expect_own_dtype(subject, case)


@law("CachedGPT", texts.long_texts)
def test_a_long_text_is_read(subject, reference, case):
    """With 4 rows, 3 layers, 3 heads and 150 tokens, some one by one, the logits are those of the whole text."""
    continuations.expect_pieces(subject, case, seconds=10.0)  # one that loops over heads and keys takes two


@law("CachedGPT", real_models)
def test_real_logits_agree_with_transformer_lens(subject, reference, case):
    """With a real GPT-2's weights, a text read in pieces gets the logits that TransformerLens computes."""
    pieces = case.tokens[:, :N_READ].split(N_READ // 3, dim=1)  # no later token changes what is computed here
    seconds = 4 * case.seconds  # a model is built and called three times, and all of it twice, to see that it is steady
    logits = tell(subject, lambda do: continuations.read(do.make(texts.cached(case)), pieces)[0], seconds)
    computed = case.computed["unembed.hook_out"][:, :N_READ]
    expect_like(torch.cat(logits, dim=1), computed, "", f"TransformerLens, {case.from_model}")


# generate_cached


@law("generate_cached", texts.some_prompts)
def test_a_text_ends_with_its_rows(subject, reference, case):
    """Where the end token is all but certain, one is written and no more; without an end token the text goes on."""
    end = case.seed % 3
    bias = case.weights["unembed.b_U"].index_fill(0, torch.tensor(end), 1000)
    case.weights = case.weights | {"unembed.b_U": bias}
    for options, n_new in (({"eos_id": end}, 1), ({}, case.max_new_tokens)):
        expected = torch.cat([case.prompt, torch.full_like(case.prompt[:, :1], end).expand(-1, n_new)], dim=1)
        expect_like(continuations.written(subject, case, options), expected, f"the text with {options}")


@law("generate_cached", texts.to_write)
def test_the_text_is_that_of_generate(subject, reference, case):
    """The text is the one that `generate` writes: greedy, with top-k 1, with penalties, with ends, past n_ctx."""
    continuations.expect_text(subject, case)


@law("generate_cached", texts.past_n_ctx)
def test_past_n_ctx_the_window_slides(subject, reference, case):
    """Past n_ctx the model sees the last n_ctx tokens, and penalties count the whole text, as in `generate`."""
    continuations.expect_text(subject, case)


@law("generate_cached", texts.one_prompt)
def test_tokens_come_as_often_as_their_options_say(subject, reference, case):
    """Over many rows, the first and the second new token come as often as penalty, temperature and top-k have it."""
    prompt = case.prompt.expand(N_DRAWS, -1).clone()
    text = continuations.written(subject, case, chance.DRAWS, prompt)
    expect_equal(text[:, :2], prompt, what="the prompt")
    expect_shares(chance.shares(case), "the two tokens", *text[:, 2:].T)


@law("generate_cached", texts.some_prompts)
def test_all_chance_comes_from_the_generator(subject, reference, case):
    """The same generator in the same state writes the same text; in its next state, or without one, another."""
    chance.expect_chance(subject, case)


@law("generate_cached", texts.prompts_to_end)
def test_each_step_draws_once_for_all_rows(subject, reference, case):
    """Each step draws once, by your `next_token` and for all rows, ended ones too, as in `generate`."""
    chance.expect_draws(subject, case)


@law("generate_cached", texts.one_prompt)
def test_the_model_is_left_as_it_was(subject, reference, case):
    """No gradients are recorded; afterwards they are again, and the model is in the mode it was in."""
    traces.expect_left_alone(subject, case, "generate_cached", case.prompt, 1, continuations.GREEDY, None)


@law("generate_cached", texts.with_room)
def test_an_earlier_text_leaves_nothing_behind(subject, reference, case):
    """A model that has written a text, and whose parameters have changed since, writes what the new ones write."""
    traces.expect_texts_apart(subject, case)


@law("generate_cached", texts.for_steps_of_work)
def test_a_text_is_written_with_little_work(subject, reference, case):
    """While the context has room, each new token makes few numbers: the text is not read again."""
    args = (case.tokens[:, :8], 22, continuations.GREEDY, None)
    continuations.expect_little_work(subject, case, "generate_cached", *args, passes=22)


@law("generate_cached", texts.for_one_step)
def test_the_last_place_of_the_context_is_used(subject, reference, case):
    """The token that fills the context is read alone as well: the window slides only when there are more than n_ctx."""
    args = (case.tokens[:, :-1], 2, continuations.GREEDY, None)
    continuations.expect_little_work(subject, case, "generate_cached", *args, passes=1, share=1.5)


@law("generate_cached", texts.some_searches)
def test_a_prompt_that_cannot_be_read_is_refused(subject, reference, case):
    """An empty prompt and unknown ids raise ValueError, even if nothing is to be written; so do unfit options.

    Unfit is what `next_token` refuses, logits of nothing but -inf included.
    """
    expect_refused(tell(subject, continuations.refused_prompts(case)))


# beam_search_cached


@law("beam_search_cached", texts.many_beams)
def test_many_beams_change_places(subject, reference, case):
    """With nine beams, which fork, die and change places in every step, the texts are those of `beam_search`."""
    continuations.expect_found(subject, case)


@law("beam_search_cached", texts.searches)
def test_the_texts_are_those_of_beam_search(subject, reference, case):
    """The texts are those that `beam_search` finds, in their order, with their numbers, past n_ctx too."""
    continuations.expect_found(subject, case)


@law("beam_search_cached", texts.long_beams)
def test_beams_that_end_alike_are_told_apart(subject, reference, case):
    """In texts of 22 tokens, many of which are alike but at the beginning, each beam goes on from its own."""
    continuations.expect_found(subject, case)


@law("beam_search_cached", texts.some_searches)
def test_the_search_leaves_the_model_as_it_was(subject, reference, case):
    """No gradients are recorded; afterwards they are again, and the model is in the mode it was in."""
    traces.expect_left_alone(subject, case, "beam_search_cached", case.prompt, 2, 1)


@law("beam_search_cached", texts.two_prompts)
def test_an_earlier_search_leaves_nothing_behind(subject, reference, case):
    """A model that has searched finds for another prompt, and with other parameters, what it would find anyway."""
    traces.expect_searches_apart(subject, case)


@law("beam_search_cached", two_and(3, texts.searches))
def test_numbers_belong_to_the_texts(subject, reference, case):
    """A text's log_prob is that of its tokens, each after all before it, as a model without a cache has it."""
    continuations.expect_numbers(subject, case)


@law("beam_search_cached", texts.for_steps_of_work)
def test_beams_are_searched_with_little_work(subject, reference, case):
    """While the context has room, each step makes few numbers: the beams are not read again."""
    continuations.expect_little_work(subject, case, "beam_search_cached", case.tokens[0, :8], 3, 22, passes=22)


@law("beam_search_cached", texts.some_searches)
def test_what_cannot_be_searched_is_refused(subject, reference, case):
    """An empty prompt, a batch of them, unknown ids, no beams, a negative n-gram and logits of -inf: ValueError."""
    expect_refused(tell(subject, continuations.refused_searches(case)))
