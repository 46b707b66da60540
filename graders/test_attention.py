"""The specification of attention, as laws that hold for every input. Read it beside `exercises/attention.py`."""

import math

import torch
from torch.nn import functional as F

from graders.engine.from_scratch import from_scratch
from graders.engine.law import expect_equal, law, same_values
from graders.engine.space import fixed, space
from graders.weights.layers import layer_cases

STEPS = ("attention_scores", "apply_causal_mask", "attention_pattern", "mix_values")


@space(batch=(1, 3), n_queries=(1, 4), more_keys=(0, 3), n_heads=(1, 3, 1), d_head=(1, 5))
def queries_and_keys(case, batch, n_queries, more_keys, n_heads, d_head):
    """Queries and keys, never more queries than keys."""
    case.tensor("q", batch=batch, queries=n_queries, n_heads=n_heads, d_head=d_head)
    case.tensor("k", batch=batch, keys=n_queries + more_keys, n_heads=n_heads, d_head=d_head)


@space(batch=(1, 3), n_heads=(1, 3, 1), n_queries=(1, 5), more_keys=(0, 3))
def score_tables(case, batch, n_heads, n_queries, more_keys):
    """Scores, never more queries than keys."""
    case.tensor("scores", batch=batch, n_heads=n_heads, queries=n_queries, keys=n_queries + more_keys)


@space(batch=(1, 3), n_heads=(1, 3, 1), n_queries=(1, 5), more_keys=(0, 3))
def masked_tables(case, batch, n_heads, n_queries, more_keys):
    """Scores whose future is -inf, as the mask leaves them."""
    scores = case.draw(batch, n_heads, n_queries, n_queries + more_keys)
    future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1 + more_keys)
    scores = scores.masked_fill(future, -math.inf)
    case.show("scores", scores, batch=batch, n_heads=n_heads, queries=n_queries, keys=n_queries + more_keys)


@space(batch=(1, 3), n_heads=(1, 3, 1), n_queries=(1, 5), more_keys=(0, 3))
def large_masked_tables(case, **sizes):
    """Masked scores of up to 800: exp(710) is too large for any float."""
    masked_tables.build(case, **sizes)
    case.scores = 400 * case.scores


@space(batch=(1, 3), n_queries=(1, 4), more_keys=(0, 3), n_heads=(1, 3, 1), d_head=(1, 4))
def patterns_and_values(case, batch, n_queries, more_keys, n_heads, d_head):
    """Weights of tenths, none negative, that add up to one for each query; and values."""
    n_keys = n_queries + more_keys
    cuts = (10 * case.draw(batch, n_heads, n_queries, n_keys - 1)).round().abs() % 11
    tenths = F.pad(F.pad(cuts.sort(dim=-1).values, (1, 0)), (0, 1), value=10).diff(dim=-1)
    case.show("pattern", tenths / 10, batch=batch, n_heads=n_heads, queries=n_queries, keys=n_keys)
    case.tensor("v", batch=batch, keys=n_keys, n_heads=n_heads, d_head=d_head)


@space(batch=(1, 3), seq=(1, 5), n_heads=(1, 3), d_model=(1, 6), d_head=(1, 4))
def attention_layers(case, batch, seq, **sizes):
    """A layer with random weights and biases, and a residual stream that its context holds."""
    case.config(n_ctx=max(8, seq), **sizes)
    into_heads = dict.fromkeys(("W_Q", "W_K", "W_V"), "n_heads d_model d_head")
    biases = dict.fromkeys(("b_Q", "b_K", "b_V"), "n_heads d_head")
    case.parameters(**into_heads, W_O="n_heads d_head d_model", **biases, b_O="d_model")
    case.tensor("x", batch=batch, seq=seq, d_model=case.cfg["d_model"])


# Sizes beyond the ranges above: more tokens, heads and numbers than an answer may have counted on
LARGE = {"batch": 5, "n_queries": 3, "more_keys": 140, "n_heads": 5}


many_keys = fixed(lambda where: [queries_and_keys.case(1, **LARGE, d_head=9)])
wide_tables = fixed(lambda where: [score_tables.case(1, **LARGE)])


@fixed
def many_values(where):
    """Many values, of which each has some weight."""
    case = patterns_and_values.case(1, **LARGE, d_head=9)
    case.pattern = case.draw(*case.pattern.shape).softmax(dim=-1)
    return [case]


@fixed
def large_layers(where):
    """A layer of five heads, and a long stream."""
    return [attention_layers.case(1, batch=9, seq=140, n_heads=5, d_model=12, d_head=7)]


@fixed
def real_layers(where):
    """Two layers of a real GPT-2, with what TransformerLens says they return."""
    return layer_cases(where, "attn", "ln1.hook_out", "hook_attn_out")


# attention_scores


@law("attention_scores", queries_and_keys)
def test_scores_are_scaled_dot_products(subject, reference, case):
    """A score is the dot product of a query and a key of one head, divided by the square root of d_head."""
    expect_equal(subject.attention_scores(case.q, case.k), reference.attention_scores(case.q, case.k))


@law("attention_scores", queries_and_keys)
def test_scores_of_one_pair_depend_on_nothing_else(subject, reference, case):
    """The score of one query and one key, in one head, depends on these two vectors alone."""
    q, k = case.q[:1, :1, :1], case.k[:1, -1:, :1]
    alone = (q * k).sum() / math.sqrt(q.shape[-1])
    expect_equal(subject.attention_scores(case.q, case.k)[0, 0, 0, -1], alone, note="worked out for this pair alone")


@law("attention_scores", queries_and_keys)
def test_gradients_reach_queries_and_keys(subject, reference, case):
    """Gradients flow back into both queries and keys."""
    yours = subject.gradients("attention_scores", case.q, case.k)
    expect_equal(yours, reference.gradients("attention_scores", case.q, case.k), what="gradient of")


@law("attention_scores", many_keys)
def test_scores_of_many_keys(subject, reference, case):
    """With 3 queries, 143 keys and 5 heads, the scores are still the scaled dot products."""
    expect_equal(subject.attention_scores(case.q, case.k), reference.attention_scores(case.q, case.k))


# apply_causal_mask


@law("apply_causal_mask", score_tables)
def test_the_future_is_hidden(subject, reference, case):
    """A query sees its own position and every earlier one, and nothing later."""
    expect_equal(subject.apply_causal_mask(case.scores), reference.apply_causal_mask(case.scores))


@law("apply_causal_mask", score_tables)
def test_the_last_query_stands_at_the_last_key(subject, reference, case):
    """Query i of n sees all keys but the last n - 1 - i; what it sees keeps its score."""
    masked = subject.apply_causal_mask(case.scores)
    n_queries, n_keys = case.scores.shape[-2:]
    for i in range(n_queries):
        visible = n_keys - (n_queries - 1 - i)
        expect_equal(masked[..., i, :visible], case.scores[..., i, :visible], what=f"what query {i} sees")
        hidden = torch.full_like(masked[..., i, visible:], -math.inf)
        expect_equal(masked[..., i, visible:], hidden, what=f"what is hidden from query {i}")


@law("apply_causal_mask", score_tables)
def test_gradients_reach_the_scores_that_are_seen(subject, reference, case):
    """Gradients flow back, unchanged, into every score that a query sees."""
    yours = subject.gradients("apply_causal_mask", case.scores)["scores"]
    expected = reference.gradients("apply_causal_mask", case.scores)["scores"]
    seen = ~reference.apply_causal_mask(case.scores).isinf()  # adding -inf lets gradients through where it hides
    expect_equal(yours[seen], expected[seen], what="gradient of the scores that are seen")


@law("apply_causal_mask", wide_tables)
def test_the_future_is_hidden_among_many_keys(subject, reference, case):
    """With 3 queries and 143 keys, query 0 sees the first 141 keys, and query 2 sees all of them."""
    expect_equal(subject.apply_causal_mask(case.scores), reference.apply_causal_mask(case.scores))


# attention_pattern


@law("attention_pattern", masked_tables)
def test_weights_are_a_softmax_over_keys(subject, reference, case):
    """The weights of a query are the softmax of its scores over the keys."""
    expect_equal(subject.attention_pattern(case.scores), reference.attention_pattern(case.scores))


@law("attention_pattern", masked_tables)
def test_weights_add_up_to_one(subject, reference, case):
    """The weights of each query add up to one, and a hidden key has weight zero."""
    pattern = subject.attention_pattern(case.scores)
    expect_equal(pattern.sum(dim=-1), torch.ones(pattern.shape[:-1], dtype=pattern.dtype), what="sum of the weights")
    hidden = case.scores.isinf()
    expect_equal(pattern[hidden], torch.zeros_like(pattern[hidden]), what="weights of hidden keys")


@law("attention_pattern", large_masked_tables)
def test_weights_stay_finite_for_large_scores(subject, reference, case):
    """Scores of many hundreds give weights between zero and one as well."""
    expect_equal(subject.attention_pattern(case.scores), reference.attention_pattern(case.scores))


@law("attention_pattern", masked_tables)
def test_gradients_reach_scores(subject, reference, case):
    """Gradients flow back into the scores."""
    yours = subject.gradients("attention_pattern", case.scores)
    expect_equal(yours, reference.gradients("attention_pattern", case.scores), what="gradient of")


# mix_values


@law("mix_values", patterns_and_values)
def test_values_are_mixed_by_their_weights(subject, reference, case):
    """A query gets the sum of all values, each times the weight of its key."""
    expect_equal(subject.mix_values(case.pattern, case.v), reference.mix_values(case.pattern, case.v))


@law("mix_values", patterns_and_values)
def test_all_weight_on_one_key_copies_its_value(subject, reference, case):
    """With all weight on one key, every query gets exactly that key's value."""
    pattern = torch.zeros_like(case.pattern)
    pattern[..., -1] = 1
    copied = case.v[:, -1:].expand(-1, pattern.shape[2], -1, -1)
    expect_equal(subject.mix_values(pattern, case.v), copied, note="the last key's value, for every query")


@law("mix_values", patterns_and_values)
def test_gradients_reach_values(subject, reference, case):
    """Gradients flow back into weights and values."""
    yours = subject.gradients("mix_values", case.pattern, case.v)
    expect_equal(yours, reference.gradients("mix_values", case.pattern, case.v), what="gradient of")


@law("mix_values", many_values)
def test_many_values_are_mixed(subject, reference, case):
    """With 3 queries, 143 values and 5 heads, a query still gets the weighted sum of all values."""
    expect_equal(subject.mix_values(case.pattern, case.v), reference.mix_values(case.pattern, case.v))


# Attention


@law("Attention", attention_layers)
def test_layer_agrees_with_the_definition(subject, reference, case):
    """The layer returns what queries, keys and values of all heads, mask, mixture and W_O make of the stream."""
    yours = subject.module("Attention", case.cfg, case.weights)
    expected = reference.module("Attention", case.cfg, case.weights)
    expect_equal(yours(case.x), expected(case.x), note=lambda: first_to_differ(yours, expected, case.x))


def first_to_differ(layer, solved, x):
    """Which of the four functions' results is the first to differ inside `forward`; empty when none is seen."""
    yours, expected = layer.recorded(x), solved.recorded(x)
    for name in STEPS:
        theirs, ours = yours.get(f"/{name}"), expected[f"/{name}"]
        if theirs is None or theirs.shape != ours.shape:
            return ""
        if "scores" in name:  # up to a constant a query, which b_K adds and the softmax takes away again
            theirs, ours = theirs - theirs[..., :1], ours - ours[..., :1]
        if not same_values(theirs, ours):
            return f"what {name} returns inside is the first to differ"
    return f"equal up to {STEPS[-1]}: what differs comes after it"


@law("Attention", attention_layers)
def test_layer_agrees_with_torch(subject, reference, case):
    """The layer agrees with PyTorch's own scaled dot-product attention."""
    x = case.x.unsqueeze(1)
    q, k, v = (x @ case.weights[f"W_{name}"] + case.weights[f"b_{name}"].unsqueeze(1) for name in "QKV")
    z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    expected = (z @ case.weights["W_O"]).sum(dim=1) + case.weights["b_O"]
    expect_equal(subject.module("Attention", case.cfg, case.weights)(case.x), expected, note="computed by PyTorch")


@law("Attention", attention_layers)
def test_later_tokens_change_nothing_earlier(subject, reference, case):
    """Changing a later token changes no earlier output."""
    attention = subject.module("Attention", case.cfg, case.weights)
    changed = case.x.clone()
    changed[:, -1] += 1000
    expect_equal(attention(changed)[:, :-1], attention(case.x)[:, :-1], note="before the last token was changed")


@law("Attention", attention_layers)
def test_rows_of_a_batch_do_not_mix(subject, reference, case):
    """A batch gives the same as its rows one by one."""
    attention = subject.module("Attention", case.cfg, case.weights)
    one_by_one = torch.cat([attention(row.unsqueeze(0)) for row in case.x])
    expect_equal(attention(case.x), one_by_one, note="the rows one by one")


@law("Attention", attention_layers)
def test_an_earlier_call_leaves_nothing_behind(subject, reference, case):
    """What the layer was called with before, at another length, changes nothing."""
    attention = subject.module("Attention", case.cfg, case.weights)
    expect_equal(attention.after(case.x[:, :1])(case.x), attention(case.x), note="from a layer not called before")


@law("Attention", attention_layers)
def test_gradients_reach_every_parameter(subject, reference, case):
    """Gradients reach the stream and every parameter."""
    yours = subject.module("Attention", case.cfg, case.weights).gradients(case.x)
    expected = reference.module("Attention", case.cfg, case.weights).gradients(case.x)
    expect_equal(yours, expected, what="gradient of")


@law("Attention", attention_layers.in_float32())
def test_layer_works_in_float32(subject, reference, case):
    """In float32 the layer gives the same, to float32's precision, in float32."""
    yours = subject.module("Attention", case.cfg, case.weights)(case.x)
    expect_equal(yours, reference.module("Attention", case.cfg, case.weights)(case.x))


@law("Attention", large_layers)
def test_layer_works_at_larger_sizes(subject, reference, case):
    """With 5 heads, 9 rows and 140 tokens, the layer still returns what the definition says."""
    yours = subject.module("Attention", case.cfg, case.weights)(case.x)
    expect_equal(yours, reference.module("Attention", case.cfg, case.weights)(case.x))


@law("Attention", real_layers)
def test_real_layer_agrees_with_transformer_lens(subject, reference, case):
    """With the weights of a trained model, the layer returns what TransformerLens computes."""
    yours = subject.module("Attention", case.cfg, case.weights)(case.x)
    expect_equal(yours, case.expected, note=f"TransformerLens, {case.from_model}")


test_attention_is_from_scratch = from_scratch("attention", "Attention")
