"""The specification of caching, as laws that hold for every input. Read it beside `exercises/caching.py`.

Nobody is told how to keep keys and values, so a cache is read as a model reads it: by the logits after one more
token. Your own parts run together here; they are held to the reference's model, which knows no cache.
"""

import torch
from torch import Tensor

from graders.draws import expect_shares
from graders.engine.law import Broken, expect_equal, law
from graders.engine.script import config, generator, given, module, parameter
from graders.engine.space import fixed
from graders.readings import (
    as_read,
    by_torch,
    cached,
    caches_to_read,
    eight,
    empty,
    expect_like,
    expect_little_work,
    expect_refused,
    expect_rows,
    few,
    filled,
    keys_and_values,
    logits_after,
    padded_texts,
    pieces_of,
    projected,
    read,
    searches,
    streams,
    tell,
    texts,
    texts_for_beams,
    texts_to_write,
    without_cache,
)
from graders.weights.layers import model_case
from reference.beam_search import beam_search
from reference.sampling import SamplingOptions, generate, top_k_filter

GREEDY = given("SamplingOptions", {"temperature": 0.0})
DRAWS = {"temperature": 1.5, "top_k": 5, "frequency_penalty": 0.7}
N_DRAWS = 3000

# Sizes beyond the ranges above, past the room that an answer may have made at first
many_positions = few(caches_to_read, 1, batch=2, held=127, more=3, n_layers=4, n_heads=3)
long_streams = few(streams, 1, batch=9, held=130, new=11, n_heads=5, d_model=7, d_head=6)
long_texts = few(texts, 4, batch=4, seq=150, more_ctx=2, n_layers=3, n_heads=3)
some_caches = few(caches_to_read, 0, 1, batch=2, held=2, more=1, n_layers=2, n_heads=2)
some_texts = few(texts, 0, 1, batch=2, seq=4, more_ctx=1, n_layers=2, n_heads=2)
work = few(texts, 0, batch=3, seq=40, more_ctx=1, n_layers=2, n_heads=2)
prompts = few(texts_to_write, 1, 2, batch=3, seq=3, n_ctx=5, new=6, n_layers=1, choice=0)
a_draw = few(texts_to_write, 1, batch=1, seq=2, n_ctx=5, new=2, n_layers=1, choice=0)
wide_searches = few(searches, 1, 2, seq=2, n_ctx=5, new=5, n_layers=2, n_beams=9, penalty=1, ngram=0)
some_searches = few(searches, 0, seq=4, n_ctx=5, new=3, n_layers=1, n_beams=2, penalty=0, ngram=0)
real_models = fixed(lambda where: [model_case(where)])


# KVCache


@law("KVCache", keys_and_values)
def test_length_counts_the_positions_held(subject, reference, case):
    """A cache is as long as all that was appended to each of its layers; an older one keeps its length."""
    held, end = case.sizes["held"], case.end

    def story(do):
        nothing = empty(do, case, case.k.shape[1])
        some = filled(nothing, case.kv, 0, held)
        more = filled(some, case.kv, held, held + 1, end)
        other = filled(some, case.kv, held, held + 1)
        caches = {"no positions": nothing, "the first": some, "all": more, "the first and one more": other}
        return {
            name: cache.length for name, cache in (caches | {"rows of all": more.select(torch.zeros(4).long())}).items()
        }

    lengths = {"no positions": 0, "the first": held, "the first and one more": held + 1}
    for name, length in tell(subject, story).items():
        expect_like(length, lengths.get(name, end), f"the length of a cache of {name}")


def expect_branches_apart(subject, case):
    """Hold that caches made from one another read like caches of the same keys and values made from nothing."""
    held, more, end = case.sizes["held"], case.sizes["more"], case.end
    a, b = held + more, held + 2 * more

    def story(do):
        def alone(*parts):
            cache = empty(do, case, case.k.shape[1])
            for part in parts:
                cache = filled(cache, case.kv, *part)
            return logits_after(do, case, cache)

        older = filled(empty(do, case, case.k.shape[1]), case.kv, 0, held)
        first = filled(older, case.kv, held, a)
        logits = {"the older, alone": logits_after(do, case, older), "the first, alone": logits_after(do, case, first)}
        second = filled(older, case.kv, a, b)
        longer = filled(first, case.kv, b, end)
        caches = {"the older": older, "the first": first, "the second": second, "the longer": longer}
        logits |= {name: logits_after(do, case, cache) for name, cache in caches.items()}
        logits["the second, alone"] = alone((0, held), (a, b))
        return logits | {"the longer, alone": alone((0, held), (held, a), (b, end))}

    logits = as_read(subject, story)
    for name in ("the older", "the first", "the second", "the longer") if logits else ():
        expect_equal(logits[name], logits[f"{name}, alone"], what=f"{name} cache", note="as it reads by itself")


@law("KVCache", eight(caches_to_read))
def test_an_older_cache_reads_unchanged(subject, reference, case):
    """However many caches are made from a cache and from one another, each reads as if there were no other."""
    expect_branches_apart(subject, case)


@law("KVCache", many_positions)
def test_a_long_cache_has_branches_too(subject, reference, case):
    """That is so too around the 128th position, with four layers."""
    expect_branches_apart(subject, case)


@law("KVCache", eight(caches_to_read))
def test_what_is_appended_in_pieces_reads_like_the_whole(subject, reference, case):
    """A cache that was filled piece by piece reads like one that was filled at once."""

    def story(do):
        nothing = empty(do, case, case.k.shape[1])
        ways = {"at once": (0, case.end), "in pieces": (0, case.sizes["held"], case.end), "singly": range(case.end + 1)}
        return {name: logits_after(do, case, filled(nothing, case.kv, *way)) for name, way in ways.items()}

    logits = as_read(subject, story)
    for name in logits:
        expect_equal(logits[name], logits["at once"], what=f"a cache filled {name}", note="filled at once")


@law("KVCache", eight(caches_to_read))
def test_selected_rows_read_as_they_did(subject, reference, case):
    """Row i of `select(rows)` reads and goes on as row `rows[i]` did, taken twice or not at all; the rest is unchanged."""
    held, batch = case.sizes["held"], case.k.shape[1]
    rows = torch.tensor([batch - 1, *range(batch - 1), 0, batch - 1][case.seed % 3 :])

    def story(do):
        cache = filled(empty(do, case, batch), case.kv, 0, held)
        before = logits_after(do, case, cache)
        chosen = cache.select(rows)
        logits = {
            "before": before,
            "chosen": logits_after(do, case, chosen, rows),
            "after": logits_after(do, case, cache),
        }
        longer = filled(chosen, (case.k[:, rows], case.v[:, rows]), held, held + 1)
        logits["unselected"] = logits_after(do, case, filled(cache, case.kv, held, held + 1))
        return logits | {"longer": logits_after(do, case, longer, rows)}

    logits = as_read(subject, story)
    if logits:
        expect_equal(logits["chosen"], logits["before"][rows], what="the selected rows", note="those rows before")
        expect_equal(
            logits["after"], logits["before"], what="the cache that was selected from", note="as it read before"
        )
        expect_equal(logits["longer"], logits["unselected"][rows], what="the selected rows, gone on", note="unselected")


@law("KVCache", some_caches)
def test_a_cache_has_the_dtype_it_is_made_with(subject, reference, case):
    """A cache made in float32 takes float32, one made without a dtype PyTorch's default, and neither takes the other."""
    once = case.k[0, :, :1]

    def story(do):
        usual = empty(do, case, 2)
        right = {"the default": do.caught(usual.append, 0, once, once)}
        small = do.make(parameter(once.float()))
        float32 = do.KVCache.empty(config(case.cfg), 2, dtype=small.dtype)
        right["float32"] = do.caught(float32.append, 0, small, small)
        wrong = {"float32 for the default": do.caught(usual.append, 0, small, small)}
        return {"right": right, "wrong": wrong | {"float64 for float32": do.caught(float32.append, 0, once, once)}}

    caught = tell(subject, story)
    for name, error in caught["right"].items():
        expect_equal(error["classes"], [], what=f"what is raised when a cache of {name} is given its own dtype")
    expect_refused(caught["wrong"])


@law("KVCache", some_caches)
def test_what_does_not_fit_is_refused(subject, reference, case):
    """A layer that is not there, keys or values of another batch, width or length, and rows not there: ValueError."""
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

    def story(do):
        cache = filled(empty(do, case, 2), case.kv, 0, 1)
        caught = {what: do.caught(cache.append, *call) for what, call in calls.items()}
        return caught | {f"there is no row {row}": do.caught(cache.select, torch.tensor([0, row])) for row in (2, -1)}

    expect_refused(tell(subject, story))


# CachedAttention


def output(case, weights=None, key_mask=None, earlier=False):
    """A story: what the layer adds at the new tokens of the case; `earlier`, after it was called for all of them."""

    def story(do):
        layer = do.make(module("CachedAttention", case.cfg, weights or case.weights))
        if earlier:
            layer(case.stream, tuple(part[:, :0] for part in case.past))
        return layer(case.x, case.past, key_mask)[0]

    return story


def expect_attention(subject, case, **how):
    """Hold that the layer gives at the new tokens what attention over the whole stream gives there."""
    expected = by_torch(case, case.stream)[:, case.held :]
    expect_like(tell(subject, output(case, **how)), expected, "", "PyTorch's attention over the whole stream")


@law("CachedAttention", streams)
def test_new_tokens_attend_to_the_past_and_to_themselves(subject, reference, case):
    """At the new tokens the layer adds what attention over the whole stream adds there."""
    expect_attention(subject, case)


@law("CachedAttention", eight(streams))
def test_where_all_match_alike_the_values_are_averaged(subject, reference, case):
    """With queries of zero, a new token takes the mean of all values: those of the past, of new ones before it, its own."""
    weights = case.weights | {name: torch.zeros_like(case.weights[name]) for name in ("W_Q", "b_Q")}
    (v,) = projected(case, "V", case.stream)
    mean = v.cumsum(dim=1) / torch.arange(1, v.shape[1] + 1).view(-1, 1, 1)
    expected = torch.einsum("bshe,hed->bsd", mean, weights["W_O"]) + weights["b_O"]
    expect_like(tell(subject, output(case, weights)), expected[:, case.held :], "", "worked out from the means")


@law("CachedAttention", streams)
def test_nobody_attends_to_a_pad(subject, reference, case):
    """What `key_mask` marks False no other token sees; a pad itself gets numbers too, though nobody asks which."""
    yours = tell(subject, output(case, key_mask=case.key_mask))
    if not isinstance(yours, Tensor) or yours.isnan().any():
        raise Broken("nan", yours, by_torch(case, case.stream)[:, case.held :])
    for row, n_pads in enumerate(case.padding.tolist()):
        begin = max(case.held, n_pads)
        expected = by_torch(case, case.stream[row : row + 1, n_pads:])[0, begin - n_pads :]
        note = f"of this row alone, without its {n_pads} pads"
        expect_like(yours[row, begin - case.held :], expected, f"row {row} behind its pads", note)


@law("CachedAttention", streams)
def test_present_holds_the_new_keys_and_values(subject, reference, case):
    """`present` is a pair: the keys and the values of the new tokens, alone or behind those of the past."""

    def story(do):
        present = do.make(module("CachedAttention", case.cfg, case.weights))(case.x, case.past)[1]
        return [present[0], present[1]]

    for name, part, whole in zip(
        ("keys", "values"), tell(subject, story), projected(case, "KV", case.stream), strict=True
    ):
        is_whole = isinstance(part, Tensor) and part.shape == whole.shape
        expect_like(part, whole if is_whole else whole[:, case.held :], f"the {name} of present")


@law("CachedAttention", eight(streams))
def test_an_earlier_call_of_the_layer_leaves_nothing_behind(subject, reference, case):
    """What the layer was called with before, at another length and without a past, changes nothing."""
    expect_attention(subject, case, earlier=True)


@law("CachedAttention", eight(streams.in_float32()))
def test_layer_works_in_float32(subject, reference, case):
    """In float32 the layer gives the same, to float32's precision, in float32."""
    expect_attention(subject, case)


@law("CachedAttention", long_streams)
def test_layer_works_at_larger_sizes(subject, reference, case):
    """With 5 heads, 9 rows, 130 past tokens and 11 new ones, it is still attention over the whole stream."""
    expect_attention(subject, case)


# CachedGPT


def expect_pieces(subject, case, padding=None):
    """Hold that the logits of a text in pieces are those of the whole text, and the lengths those of the pieces."""

    def story(do):
        cache = empty(do, case, len(case.tokens)) if case.seed % 2 else None
        logits, caches = read(do.make(cached(case)), pieces_of(case), cache, padding)
        return {"logits": logits, "lengths": [cache.length for cache in caches]}

    found = tell(subject, story)
    pads = [0] * len(case.tokens) if padding is None else padding.tolist()
    expect_rows(found["logits"], case, case.tokens, pads, "the logits")
    expect_equal(found["lengths"], torch.tensor(case.pieces).cumsum(dim=0).tolist(), what="the lengths, pads included")


@law("CachedGPT", texts)
def test_logits_do_not_depend_on_where_a_text_is_cut(subject, reference, case):
    """Read token by token, at once or in pieces, a text gets the logits that it gets without a cache."""
    expect_pieces(subject, case)


@law("CachedGPT", padded_texts)
def test_a_padded_row_is_read_as_without_its_pads(subject, reference, case):
    """Behind its pads, a row has the logits it has alone and without them, in the first call and in all later ones."""
    expect_pieces(subject, case, case.padding)


@law("CachedGPT", eight(texts_for_beams))
def test_beams_go_on_from_the_rows_they_grew_from(subject, reference, case):
    """After `select`, each row goes on as its own text behind its own pads; the cache it was taken from still reads."""

    def story(do):
        model = do.make(cached(case))
        cache = model(case.tokens, None, case.padding)[1]
        chosen = read(model, case.new.split(1, dim=1), cache.select(case.rows))[0]
        return {"the selected rows": chosen, "all rows": [model(case.tokens[:, :1], cache)[0]]}

    logits = tell(subject, story)
    rows, new, once = case.rows, case.new, case.tokens[:, :1]
    text, pads = torch.cat([case.tokens[rows], new], dim=1), case.padding[rows].tolist()
    expect_rows(logits["the selected rows"], case, text, pads, "the selected rows", last=new.shape[1])
    text, pads = torch.cat([case.tokens, once], dim=1), case.padding.tolist()
    expect_rows(logits["all rows"], case, text, pads, "all rows, gone on later", last=1)


@law("CachedGPT", eight(padded_texts))
def test_two_texts_are_read_in_turns(subject, reference, case):
    """Two texts, with pads and without, may be read in turns from one empty cache, and a cache may be gone on from twice."""
    first = case.pieces[0]
    begin, end, other = case.tokens[:, :first], case.tokens[:, first:], case.tokens.flip(1)
    changed = (end + 1) % case.cfg["d_vocab"]

    def story(do):
        model, nothing = do.make(cached(case)), empty(do, case, len(other))
        padded, alone = model(begin, nothing, case.padding), model(other[:, :1], nothing)
        once, rest, twice = model(end, padded[1]), model(other[:, 1:], alone[1]), model(changed, padded[1])
        return [[padded[0], once[0]], [alone[0], rest[0]], [padded[0], twice[0]]]

    (padded, alone, again), pads = tell(subject, story), case.padding.tolist()
    expect_rows(padded, case, case.tokens, pads, "the padded text")
    expect_rows(alone, case, other, [0] * len(other), "the other text")
    expect_rows(again, case, torch.cat([begin, changed], dim=1), pads, "the padded text, gone on anew")


@law("CachedGPT", eight(texts))
def test_a_context_may_be_filled_and_no_more(subject, reference, case):
    """A text of n_ctx tokens is read to its end, in pieces too; one more token raises ValueError."""
    n_ctx = case.cfg["n_ctx"]
    longer = torch.cat([case.tokens] * 3, dim=1)[:, : n_ctx + 1]
    pieces = longer[:, :n_ctx].split(max(1, n_ctx - 1), dim=1)

    def story(do):
        model = do.make(cached(case))
        logits, caches = read(model, pieces)
        refused = {"n_ctx tokens are held": do.caught(model, longer[:, -1:], caches[-1])}
        return {"logits": logits, "refused": refused | {"one token more than n_ctx": do.caught(model, longer)}}

    found = tell(subject, story)
    expect_rows(found["logits"], case, longer[:, :n_ctx], [0] * len(longer), "the logits")
    expect_refused(found["refused"])


@law("CachedGPT", eight(caches_to_read))
def test_a_cache_filled_by_hand_is_read(subject, reference, case):
    """What `append` was given is what each layer of the model attends to: keys as keys, in order, layer by layer."""

    def story(do):
        return logits_after(
            do, case, filled(empty(do, case, case.k.shape[1]), case.kv, 0, case.sizes["held"], case.end)
        )

    expect_like(tell(subject, story), reference.tell(story), "")


@law("CachedGPT", work)
def test_a_token_costs_little_however_many_are_held(subject, reference, case):
    """To read one more token makes few numbers: those of the tokens held are not made again."""

    def story(do):
        model = do.make(cached(case))
        cache = model(case.tokens[:, :-1])[1]
        return {"one": do.counted(model, case.tokens[:, -1:], cache)[1], "all": do.counted(model, case.tokens)[1]}

    expect_little_work(subject, story, 1)


@law("CachedGPT", some_texts)
def test_what_cannot_be_read_is_refused(subject, reference, case):
    """Caches of another batch, layer count, width or dtype, padding that is none or comes late, unknown ids: ValueError."""
    tokens, one, ids = case.tokens, case.tokens[:, :1], case.tokens.clone()
    ids[1, 1] = case.cfg["d_vocab"]
    paddings = {"as long as the row": [0, 4], "longer than the row": [5, 0], "negative": [-1, 1], "of one row": [1]}
    others = {"of one layer": {"n_layers": 1}, "of three layers": {"n_layers": 3}, "of another width": {"d_head": 2}}

    def story(do):
        model = do.make(cached(case))
        held, float32 = model(tokens)[1], do.make(parameter(torch.ones(1))).dtype
        caches = {what: do.KVCache.empty(config(case.cfg | sizes), 2) for what, sizes in others.items()}
        caches |= {"in float32": do.KVCache.empty(config(case.cfg), 2, float32), "of three rows": empty(do, case, 3)}
        caches["of one row"] = held.select(torch.tensor([0]))
        caught = {f"the cache is {what}": do.caught(model, one, cache) for what, cache in caches.items()}
        for what, padding in paddings.items():
            caught[f"the padding is {what}"] = do.caught(model, tokens, None, torch.tensor(padding))
        caught["the padding comes late"] = do.caught(model, tokens[:, :1], held, torch.tensor([0, 0]))
        for what, unknown in {"too large": ids, "-1": ids.clamp(max=-1)}.items():
            caught[f"an id is {what}"] = do.caught(model, unknown)
            caught[f"an id is {what} in a later call"] = do.caught(model, unknown[:, 1:2], model(one)[1])
        return caught

    expect_refused(tell(subject, story))


@law("CachedGPT", eight(padded_texts.in_float32()))
def test_model_works_in_float32(subject, reference, case):
    """In float32 the logits are the same, to float32's precision, in float32."""
    expect_pieces(subject, case, case.padding)


@law("CachedGPT", long_texts)
def test_a_long_text_is_read(subject, reference, case):
    """With 4 rows, 3 layers, 3 heads and 150 tokens, some one by one, the logits are those of the whole text."""
    case.pieces = [120, 7, *[1] * 6, 17]
    expect_pieces(subject, case)


@law("CachedGPT", real_models)
def test_real_logits_agree_with_transformer_lens(subject, reference, case):
    """With a real GPT-2's weights, a text read in pieces gets the logits that TransformerLens computes."""
    third = max(1, case.tokens.shape[1] // 3)
    logits = tell(subject, lambda do: read(do.make(cached(case)), case.tokens.split(third, dim=1))[0], case.seconds)
    expect_like(torch.cat(logits, dim=1), case.computed["unembed.hook_out"], "", f"TransformerLens, {case.from_model}")


# generate_cached


def written(subject, case, options, seed=0):
    """The text that the subject writes after the case's prompt."""
    args = (case.prompt, case.max_new_tokens, given("SamplingOptions", options), generator(seed))
    return tell(subject, lambda do: do.generate_cached(cached(case), *args))


@law("generate_cached", prompts)
def test_a_text_ends_with_its_rows(subject, reference, case):
    """Where the end token is all but certain, one is written and no more; without an end token the text goes on."""
    case.weights["unembed.b_U"][3] += 1000
    end = torch.full_like(case.prompt[:, :1], 3)
    for options, n_new in (({"eos_id": 3}, 1), ({}, case.max_new_tokens)):
        expected = torch.cat([case.prompt, end.expand(-1, n_new)], dim=1)
        expect_like(written(subject, case, options), expected, f"the text with {options}")


@law("generate_cached", texts_to_write)
def test_the_text_is_that_of_generate(subject, reference, case):
    """The text is the one that `generate` writes: greedy, with top-k 1, with penalties, with ends, past n_ctx."""
    args = (case.prompt, case.max_new_tokens, SamplingOptions(**case.options), torch.Generator())
    expected = generate(without_cache(case), *args)
    expect_like(written(subject, case, case.options), expected, "", "written without a cache")


@law("generate_cached", a_draw)
def test_tokens_come_as_often_as_their_options_say(subject, reference, case):
    """Over many rows, the first and the second new token come as often as penalty, temperature and top-k have it."""
    model, n, row = without_cache(case), case.cfg["d_vocab"], case.prompt
    pairs = torch.cat([row.expand(n, -1), torch.arange(n).unsqueeze(1)], dim=1)
    expected = shares(model(row)[:, -1], row).T * shares(model(pairs)[:, -1], pairs)
    case.prompt = row.expand(N_DRAWS, -1).clone()
    text = written(subject, case, DRAWS, seed=11)
    expect_equal(text[:, : row.shape[1]], case.prompt, what="the prompt")
    expect_shares(expected, "the two tokens", *text[:, row.shape[1] :].T)
    case.prompt = row


def shares(logits, tokens):
    """How often each token should come with the options of `DRAWS`."""
    counts = torch.zeros_like(logits).scatter_add(1, tokens, torch.ones_like(tokens, dtype=logits.dtype))
    logits = (logits - DRAWS["frequency_penalty"] * counts) / DRAWS["temperature"]
    return top_k_filter(logits, int(DRAWS["top_k"])).softmax(dim=-1)


@law("generate_cached", prompts)
def test_all_chance_comes_from_the_generator(subject, reference, case):
    """The same generator in the same state writes the same text; in its next state, or without one, another."""
    args = (case.prompt, 9, given("SamplingOptions", {"temperature": 9.0}))

    def story(do):
        model, chance = do.make(cached(case)), do.make(generator(5))
        generators = {"first": chance, "next": chance, "afresh": generator(5), "without": None, "without again": None}
        return {name: do.generate_cached(model, *args, one) for name, one in generators.items()}

    texts = tell(subject, story)
    expect_equal(texts["afresh"], texts["first"], what="what the same state writes once more")
    for before, after in (("first", "next"), ("without", "without again")):
        if torch.equal(texts[before], texts[after]):
            raise Broken("values", texts[after], "another text than the one before", what="the next text")


@law("generate_cached", work)
def test_a_text_is_written_with_little_work(subject, reference, case):
    """While the context has room, each new token makes few numbers: the text is not read again."""
    n_new = case.tokens.shape[1] - 8

    def story(do):
        model = do.make(cached(case))
        made = do.counted(do.generate_cached, model, case.tokens[:, :8], n_new, GREEDY, None)[1]
        return {"one": made, "all": do.counted(model, case.tokens)[1]}

    expect_little_work(subject, story, n_new)


def unreadable(case):
    """Prompts that no model can read."""
    ids = {"the prompt ends in an id too large": [0, case.cfg["d_vocab"]], "the prompt begins with -1": [-1, 1]}
    return {"the prompt is empty": case.prompt[:0]} | {what: torch.tensor(prompt) for what, prompt in ids.items()}


@law("generate_cached", some_searches)
def test_a_prompt_that_cannot_be_read_is_refused(subject, reference, case):
    """An empty prompt and ids that are not from 0 to d_vocab - 1 raise ValueError, even if nothing is to be written."""

    def story(do):
        model, write = do.make(cached(case)), do.generate_cached
        return {
            f"{what}, {n_new} new tokens": do.caught(write, model, prompt.unsqueeze(0), n_new, GREEDY, None)
            for n_new in (0, 2)
            for what, prompt in unreadable(case).items()
        }

    expect_refused(tell(subject, story))


# beam_search_cached


def found(subject, case):
    """The texts that the subject's search finds."""
    return tell(subject, lambda do: do.beam_search_cached(cached(case), case.prompt, **case.settings))


def expect_found(subject, case):
    """Hold that a search finds what it finds without a cache."""
    texts = [vars(text) for text in beam_search(without_cache(case), case.prompt, **case.settings)]
    expect_like(
        [{name: text.get(name) for name in texts[0]} for text in found(subject, case)], texts, "", "without a cache"
    )


@law("beam_search_cached", wide_searches)
def test_many_beams_change_places(subject, reference, case):
    """With nine beams, which fork, die and change places in every step, the texts are the same too."""
    expect_found(subject, case)


@law("beam_search_cached", searches)
def test_the_texts_are_those_of_beam_search(subject, reference, case):
    """The texts are those that `beam_search` finds, in their order, with their numbers, past n_ctx too."""
    expect_found(subject, case)


@law("beam_search_cached", eight(searches))
def test_numbers_belong_to_the_texts(subject, reference, case):
    """A text's log_prob is that of its tokens, each after all before it, as a model without a cache has it."""
    model = without_cache(case)
    for text in found(subject, case):
        tokens, total = torch.tensor(text["tokens"]), 0.0
        for i in range(len(case.prompt), len(tokens)):
            seen = tokens[:i][-case.cfg["n_ctx"] :]
            total += model(seen.unsqueeze(0))[0, -1].log_softmax(dim=-1)[tokens[i]].item()
        expect_equal(text["log_prob"], total, what=f"the log_prob of {text['tokens']}", note="added up without a cache")


@law("beam_search_cached", work)
def test_beams_are_searched_with_little_work(subject, reference, case):
    """While the context has room, each step makes few numbers: the beams are not read again."""
    n_new = case.tokens.shape[1] - 8

    def story(do):
        model = do.make(cached(case))
        made = do.counted(do.beam_search_cached, model, case.tokens[0, :8], len(case.tokens), n_new)[1]
        return {"one": made, "all": do.counted(model, case.tokens)[1]}

    expect_little_work(subject, story, n_new)


@law("beam_search_cached", some_searches)
def test_what_cannot_be_searched_is_refused(subject, reference, case):
    """An empty prompt, a batch of prompts, unknown ids, no beams and a negative n-gram raise ValueError."""
    prompt = case.prompt
    calls = {what: (ids, 2, 0) for what, ids in unreadable(case).items()}
    calls |= {"the prompt is a batch": (prompt.view(2, -1), 2, 0), "the prompt is a batch of one": (prompt[None], 2, 0)}
    calls |= {"n_beams is 0": (prompt, 0, 0), "no_repeat_ngram_size is -1": (prompt, 2, -1)}

    def story(do):
        model, search = do.make(cached(case)), do.beam_search_cached
        return {
            what: do.caught(search, model, ids, n_beams, 3, None, 0.0, size)
            for what, (ids, n_beams, size) in calls.items()
        }

    expect_refused(tell(subject, story))
