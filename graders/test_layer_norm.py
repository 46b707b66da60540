"""The specification of layer norm, as laws that hold for every input. Read it beside `exercises/layer_norm.py`."""

import torch
from torch.nn import functional as F

from graders.engine.from_scratch import from_scratch
from graders.engine.law import expect_equal, law
from graders.engine.space import Case, fixed, space
from graders.weights.layers import layer_cases


@space(batch=(1, 3), seq=(1, 5), d_model=(2, 6))
def vectors(case, batch, seq, d_model):
    """A stream of vectors of two numbers or more, with a random scale and shift."""
    case.config(d_model=d_model)
    case.parameters(w="d_model", b="d_model")
    case.tensor("x", batch=batch, seq=seq, d_model=d_model)


@space(batch=(1, 3), seq=(1, 5), d_model=(1, 6), n_constant=(0, 2))
def streams(case, batch, seq, d_model, n_constant):
    """A stream whose first vectors may be constant, and may be a single number each."""
    vectors.build(case, batch, seq, d_model)
    case.x[:, :n_constant] = case.x[:, :n_constant, :1]


@space(batch=(1, 3), seq=(1, 4), d_model=(2, 6))
def streams_that_end_in_a_constant(case, batch, seq, d_model):
    """Streams in which the numbers of the last vector are all equal: its variance is 0."""
    vectors.build(case, batch, seq, d_model)
    case.x[:, -1] = case.x[:, -1, :1]


@space(batch=(1, 3), seq=(1, 4), d_model=(2, 6))
def streams_that_end_nearly_constant(case, batch, seq, d_model):
    """Streams whose last vector has so small a variance that eps weighs beside it."""
    case.config(d_model=d_model)
    case.tensor("x", batch=batch, seq=seq, d_model=d_model)
    case.x[:, -1] = case.x[:, -1, :1] + case.x[:, -1] / 100


@space(batch=(1, 3), seq=(1, 5), d_model=(1, 6))
def streams_with_a_large_eps(case, batch, seq, d_model):
    """A stream with an eps so large that the rounding of a constant vector's mean does not show."""
    vectors.build(case, batch, seq, d_model)
    case.config(d_model=d_model, layer_norm_eps=0.1)


@fixed
def wide_streams(where):
    """Vectors of 300 numbers, in a batch of nine rows."""
    return [vectors.case(1, batch=9, seq=3, d_model=300)]


@fixed
def vector_worked_by_hand(where):
    """A vector with mean 10 and variance 25, and an eps that makes the root 6."""
    case = Case(0, {})
    case.config(d_model=4, layer_norm_eps=11.0)
    case.weights = {"w": torch.tensor([1.0, 2.0, 1.0, 0.5]).double(), "b": torch.tensor([0.0, 0.0, 1.0, -1.0]).double()}
    case.show("x", torch.tensor([[[3.0, 9.0, 11.0, 17.0]]]).double(), batch=1, seq=1, d_model=4)
    case.y = torch.tensor([-7 / 6, -2 / 6, 7 / 6, -5 / 12], dtype=torch.float64)
    return [case]


@fixed
def real_layers(where):
    """Two layers of a real GPT-2, with what TransformerLens says they return."""
    return layer_cases(where, "ln1", "hook_resid_pre", "ln1.hook_out")


# LayerNorm


@law("LayerNorm", vectors)
def test_every_vector_is_normalised_on_its_own(subject, reference, case):
    """What becomes of a vector depends on no other token and no other row of the batch."""
    layer_norm = subject.module("LayerNorm", case.cfg, case.weights)
    yours = layer_norm(case.x)
    alone = layer_norm(case.x[-1:, -1:])
    expect_equal(yours[-1:, -1:], alone, what="the last vector", note="the same vector on its own")


@law("LayerNorm", streams_that_end_in_a_constant)
def test_a_constant_vector_becomes_the_shift(subject, reference, case):
    """A vector whose numbers are all equal is all zeros once normalised, so that b alone is left."""
    yours = subject.module("LayerNorm", case.cfg, case.weights)(case.x)
    shift = case.weights["b"].repeat(len(case.x), 1)
    expect_equal(yours[:, -1], shift, what="the last vector of each row", note="b")


@law("LayerNorm", streams_that_end_nearly_constant)
def test_a_fresh_layer_centres_and_scales(subject, reference, case):
    """With w and b as they start, a vector has mean 0 after it, and variance v / (v + eps) if it had v before."""
    yours = subject.module("LayerNorm", case.cfg)(case.x)
    expect_equal(yours.mean(dim=-1), torch.zeros_like(yours[..., 0]), what="mean of each vector")
    before = case.x.var(dim=-1, unbiased=False)
    after = yours.square().mean(dim=-1)
    expect_equal(after, before / (before + case.cfg["layer_norm_eps"]), what="variance of each vector")


@law("LayerNorm", streams)
def test_layer_agrees_with_the_definition(subject, reference, case):
    """Each vector is centred, divided by the root of its variance plus eps, scaled by w and shifted by b."""
    yours = subject.module("LayerNorm", case.cfg, case.weights)(case.x)
    expect_equal(yours, reference.module("LayerNorm", case.cfg, case.weights)(case.x))


@law("LayerNorm", streams)
def test_layer_agrees_with_torch(subject, reference, case):
    """The layer agrees with PyTorch's own layer normalisation."""
    yours = subject.module("LayerNorm", case.cfg, case.weights)(case.x)
    w, b = case.weights["w"], case.weights["b"]
    expected = F.layer_norm(case.x, w.shape, w, b, case.cfg["layer_norm_eps"])
    expect_equal(yours, expected, note="computed by PyTorch")


@law("LayerNorm", vectors)
def test_stretching_a_vector_together_with_eps_changes_nothing(subject, reference, case):
    """A vector moved by 10 and stretched fourfold gives the same, if eps grows sixteenfold with its variance."""
    before = subject.module("LayerNorm", case.cfg, case.weights)(case.x)
    grown = case.cfg | {"layer_norm_eps": 16 * case.cfg["layer_norm_eps"]}
    after = subject.module("LayerNorm", grown, case.weights)(4 * (case.x + 10))
    expect_equal(after, before, note="before it was moved and stretched")


@law("LayerNorm", streams)
def test_gradients_reach_stream_scale_and_shift(subject, reference, case):
    """Gradients reach the stream, through mean and variance too, and w and b."""
    yours = subject.module("LayerNorm", case.cfg, case.weights).gradients(case.x)
    expect_equal(yours, reference.module("LayerNorm", case.cfg, case.weights).gradients(case.x), what="gradient of")


@law("LayerNorm", streams)
def test_an_earlier_call_leaves_nothing_behind(subject, reference, case):
    """What the layer was called with before changes nothing."""
    layer = subject.module("LayerNorm", case.cfg, case.weights)
    expect_equal(layer.after(case.x[:, :1] + 1)(case.x), layer(case.x), note="from a layer not called before")


@law("LayerNorm", streams_with_a_large_eps.in_float32())
def test_layer_works_in_float32(subject, reference, case):
    """In float32 the layer gives the same, to float32's precision, in float32."""
    yours = subject.module("LayerNorm", case.cfg, case.weights)(case.x)
    expect_equal(yours, reference.module("LayerNorm", case.cfg, case.weights)(case.x))


@law("LayerNorm", streams_with_a_large_eps.in_float32())
def test_gradients_are_right_in_float32(subject, reference, case):
    """In float32 the gradients are the same, to float32's precision."""
    yours = subject.module("LayerNorm", case.cfg, case.weights).gradients(case.x)
    expect_equal(yours, reference.module("LayerNorm", case.cfg, case.weights).gradients(case.x), what="gradient of")


@law("LayerNorm", wide_streams)
def test_layer_works_at_larger_sizes(subject, reference, case):
    """With 9 rows and vectors of 300 numbers, the layer still returns what the definition says."""
    yours = subject.module("LayerNorm", case.cfg, case.weights)(case.x)
    expect_equal(yours, reference.module("LayerNorm", case.cfg, case.weights)(case.x))


@law("LayerNorm", vector_worked_by_hand)
def test_vector_worked_by_hand(subject, reference, case):
    """The vector 3, 9, 11, 17 has mean 10 and variance 25, and the root of 25 plus an eps of 11 is 6."""
    yours = subject.module("LayerNorm", case.cfg, case.weights)(case.x)
    expect_equal(yours[0, 0], case.y, note="worked by hand")


@law("LayerNorm", real_layers)
def test_real_layer_agrees_with_transformer_lens(subject, reference, case):
    """With the weights of a trained model, the layer returns what TransformerLens computes."""
    yours = subject.module("LayerNorm", case.cfg, case.weights)(case.x)
    expect_equal(yours, case.expected, note=f"TransformerLens, {case.from_model}")


test_layer_norm_is_from_scratch = from_scratch("layer_norm", "LayerNorm")
