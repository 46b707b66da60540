"""The specification of the MLP, as laws that hold for every input. Read it beside `exercises/mlp.py`."""

import torch
from torch.nn import functional as F

from graders.engine.from_scratch import from_scratch
from graders.engine.law import expect_equal, law
from graders.engine.space import Case, fixed, space
from graders.weights.layers import layer_cases


@space(n_axes=(0, 3), size=(1, 4))
def features(case, n_axes, size):
    """Numbers of any shape, a single one without any axis among them."""
    shape = {name: size + i for i, name in enumerate(("batch", "seq", "d_mlp")[:n_axes])}
    case.tensor("x", **shape)


@space(n_axes=(1, 3), size=(1, 4))
def large_features(case, n_axes, size):
    """Numbers of any shape, all of them between 8 and 108, on either side of zero."""
    features.build(case, n_axes, size)
    magnitude = 8 + case.draw(*case.x.shape).abs().clamp(max=2) * 50
    case.show("x", torch.where(case.x < 0, -magnitude, magnitude), **case.shown["x"])


@space(batch=(1, 3), seq=(1, 5), d_model=(1, 5), d_mlp=(1, 6))
def mlp_layers(case, batch, seq, d_model, d_mlp):
    """A layer with random weights and biases, and a residual stream."""
    case.config(d_model=d_model, d_mlp=d_mlp)
    case.parameters(W_in="d_model d_mlp", b_in="d_mlp", W_out="d_mlp d_model", b_out="d_model")
    case.tensor("x", batch=batch, seq=seq, d_model=d_model)


@fixed
def four_axes_and_none(where):
    """Numbers on four axes, and a single number without any."""
    case = Case(1, {})
    case.tensor("x", batch=2, n_heads=3, seq=4, d_mlp=5)
    return [features.case(1, n_axes=0, size=1), case]


@fixed
def large_layers(where):
    """A layer of 70 features, in a batch of nine rows."""
    return [mlp_layers.case(1, batch=9, seq=5, d_model=20, d_mlp=70)]


@fixed
def numbers_worked_by_hand(where):
    """Small whole numbers, both signs, and what the formula makes of them."""
    case = Case(0, {})
    case.show("x", torch.tensor([-3.0, -1.0, 0.0, 1.0, 2.0]).double(), numbers=5)
    worked = [-0.003637392082, -0.158808009392, 0.0, 0.841191990608, 1.954597694088]
    case.y = torch.tensor(worked, dtype=torch.float64)
    return [case]


@fixed
def layer_worked_by_hand(where):
    """Three features that are 1, -1 and 0 before the activation."""
    case = Case(0, {})
    case.config(d_model=2, d_mlp=3)
    W_in, b_in = [[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]], [0.0, 1.0, 0.0]
    W_out, b_out = [[1.0, 0.0], [0.0, 1.0], [5.0, 5.0]], [0.5, 0.0]
    named = {"W_in": W_in, "b_in": b_in, "W_out": W_out, "b_out": b_out}
    case.weights = {name: torch.tensor(numbers, dtype=torch.float64) for name, numbers in named.items()}
    case.show("x", torch.tensor([[[1.0, -2.0]]]).double(), batch=1, seq=1, d_model=2)
    case.y = torch.tensor([1.341191990608, -0.158808009392], dtype=torch.float64)
    return [case]


@fixed
def real_layers(where):
    """Two layers of a real GPT-2, with what TransformerLens says they return."""
    return layer_cases(where, "mlp", "ln2.hook_out", "hook_mlp_out")


# gelu_new


@law("gelu_new", features)
def test_gelu_new_is_the_tanh_formula(subject, reference, case):
    """Every number x becomes 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), whatever the shape."""
    expect_equal(subject.gelu_new(case.x), reference.gelu_new(case.x))


@law("gelu_new", large_features)
def test_large_numbers_stay_and_very_negative_ones_vanish(subject, reference, case):
    """Far from zero the gate is open or shut: a large x stays what it is, a very negative one becomes 0."""
    expect_equal(subject.gelu_new(case.x), case.x.clamp(min=0), note="x where it is positive, else 0")


@law("gelu_new", features)
def test_the_gates_of_x_and_minus_x_add_up_to_one(subject, reference, case):
    """gelu_new(x) minus gelu_new(-x) is x: what the gate keeps of one, it takes from the other."""
    expect_equal(subject.gelu_new(case.x) - subject.gelu_new(-case.x), case.x, note="x itself")


@law("gelu_new", features)
def test_gelu_new_agrees_with_torch(subject, reference, case):
    """The activation agrees with PyTorch's own tanh form of GELU."""
    expect_equal(subject.gelu_new(case.x), F.gelu(case.x, approximate="tanh"), note="computed by PyTorch")


@law("gelu_new", features)
def test_gradients_reach_x(subject, reference, case):
    """Gradients flow back into x, through the gate too."""
    yours = subject.gradients("gelu_new", case.x)
    expect_equal(yours, reference.gradients("gelu_new", case.x), what="gradient of")


@law("gelu_new", four_axes_and_none)
def test_gelu_new_takes_any_number_of_axes(subject, reference, case):
    """A tensor of four axes keeps its shape, and so does a single number without any axis."""
    expect_equal(subject.gelu_new(case.x), reference.gelu_new(case.x))


@law("gelu_new", numbers_worked_by_hand)
def test_numbers_worked_by_hand(subject, reference, case):
    """gelu_new(1) is 0.841192, and gelu_new(-1) is -0.158808."""
    expect_equal(subject.gelu_new(case.x), case.y, note="worked by hand")


test_gelu_new_is_from_scratch = from_scratch("mlp", "gelu_new")


# MLP


@law("MLP", mlp_layers)
def test_layer_agrees_with_the_definition(subject, reference, case):
    """The layer maps to d_mlp features, activates them and maps back, with a bias at either map."""
    yours = subject.module("MLP", case.cfg, case.weights)(case.x)
    expect_equal(yours, reference.module("MLP", case.cfg, case.weights)(case.x))


@law("MLP", mlp_layers)
def test_every_token_is_computed_alone(subject, reference, case):
    """A token's output depends on no other token and no other row of the batch."""
    mlp = subject.module("MLP", case.cfg, case.weights)
    alone = torch.cat([mlp(row[-1:].unsqueeze(0)) for row in case.x])
    expect_equal(mlp(case.x)[:, -1:], alone, what="the last token of each row", note="the same token on its own")


@law("MLP", mlp_layers)
def test_layer_agrees_with_torch(subject, reference, case):
    """The layer agrees with PyTorch's own linear maps and tanh GELU."""
    w = case.weights
    post = F.gelu(F.linear(case.x, w["W_in"].T, w["b_in"]), approximate="tanh")
    expected = F.linear(post, w["W_out"].T, w["b_out"])
    expect_equal(subject.module("MLP", case.cfg, w)(case.x), expected, note="computed by PyTorch")


@law("MLP", mlp_layers)
def test_gradients_reach_every_parameter(subject, reference, case):
    """Gradients reach the stream and every parameter."""
    yours = subject.module("MLP", case.cfg, case.weights).gradients(case.x)
    expect_equal(yours, reference.module("MLP", case.cfg, case.weights).gradients(case.x), what="gradient of")


@law("MLP", mlp_layers.in_float32())
def test_layer_works_in_float32(subject, reference, case):
    """In float32 the layer gives the same, to float32's precision, in float32."""
    yours = subject.module("MLP", case.cfg, case.weights)(case.x)
    expect_equal(yours, reference.module("MLP", case.cfg, case.weights)(case.x))


@law("MLP", large_layers)
def test_layer_works_at_larger_sizes(subject, reference, case):
    """With 9 rows, vectors of 20 numbers and 70 features, the layer still returns what the definition says."""
    yours = subject.module("MLP", case.cfg, case.weights)(case.x)
    expect_equal(yours, reference.module("MLP", case.cfg, case.weights)(case.x))


@law("MLP", layer_worked_by_hand)
def test_layer_worked_by_hand(subject, reference, case):
    """With features 1, -1 and 0 before the activation, the layer returns 1.341192 and -0.158808."""
    yours = subject.module("MLP", case.cfg, case.weights)(case.x)
    expect_equal(yours[0, 0], case.y, note="worked by hand")


@law("MLP", real_layers)
def test_real_layer_agrees_with_transformer_lens(subject, reference, case):
    """With the weights of a trained model, the layer returns what TransformerLens computes."""
    yours = subject.module("MLP", case.cfg, case.weights)(case.x)
    expect_equal(yours, case.expected, note=f"TransformerLens, {case.from_model}")


test_mlp_is_from_scratch = from_scratch("mlp", "MLP")
