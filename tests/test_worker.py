"""One request performed: what is seen of a learner's call, and what is left as it was."""

import pytest
import torch
from torch import nn

from graders.engine.worker.loading import Source
from graders.engine.worker.messages import ModuleRequest, Request
from graders.engine.worker.perform import Performer, cotangent

CONFIG = "class GPTConfig:\n    def __init__(self, **sizes):\n        self.__dict__.update(sizes)\n"
IMPORTS = "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n"
LAYER = """
class Layer(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.w = nn.Parameter(torch.ones(2))
        self.unused = nn.Parameter(torch.ones(3))
    def forward(self, x):
        {0}
        return x * self.w
"""
HOLDER = """
class Layer(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.held = {0}
"""
X = torch.tensor([1.0, 2.0], dtype=torch.float64)
ONES = {"w": torch.ones(2, dtype=torch.float64), "unused": torch.ones(3, dtype=torch.float64)}


def perform(code, *args, task="f", module=None, **options):
    """The reply to one call of code that stands in a file of its own."""
    performer = Performer(Source(texts={"one": IMPORTS + code, "config": CONFIG}))
    try:
        return performer.perform(Request("one", task, args, module=module, **options))
    finally:
        performer.close()


def layer(line="pass", weights=None, **options):
    """The reply to one call of a small module whose forward begins with a line."""
    request = ModuleRequest({}, ONES if weights is None else weights)
    return perform(LAYER.format(line), X, task="Layer", module=request, **options)


def test_an_input_changed_in_place_is_named_by_its_position():
    assert perform("def f(a, x):\n    x += 1\n    return x", X, X).changed == ["1"]


def test_an_input_given_by_name_is_named_by_its_name():
    assert perform("def f(x):\n    x[0] = 5\n    return x", kwargs={"x": X}).changed == ["x"]


@pytest.mark.parametrize("change", ["x.append(1)", "x[0] = None", "x.clear()", "x[0].zero_()", "x[1]['k'] = 2"])
def test_a_change_inside_a_list_is_a_change(change):
    assert perform(f"def f(x):\n    {change}", [X, {"k": 1}]).changed == ["0"]


@pytest.mark.parametrize("change", ["x.resize_(0)", "x.neg_().neg_().sub_(x)", "x.unsqueeze_(0)"])
def test_a_change_of_form_is_a_change(change):
    assert perform(f"def f(x):\n    {change}", X).changed == ["0"]


def test_the_caller_s_own_tensors_stay_as_they_were():
    given = X.clone()
    perform("def f(x):\n    return x.zero_()", given)
    assert torch.equal(given, X)


def test_a_change_is_seen_even_where_a_gradient_is_asked_for():
    assert perform("def f(x):\n    x += 1\n    return x", X, gradients=True).changed == ["0"]


def test_nan_in_an_input_is_no_change():
    assert perform("def f(x):\n    return x", torch.tensor([torch.nan])).changed == []


def test_a_parameter_changed_in_place_is_named():
    assert layer("self.w.data.mul_(2)").changed == ["w"]


def test_gradients_are_those_of_the_weighted_sum_for_inputs_and_parameters():
    gradients = layer(gradients=True).gradients
    expected = cotangent(X)
    assert {name: g.tolist() for name, g in gradients.items()} == {
        "0": expected.tolist(),
        "w": (expected * X).tolist(),
        "unused": [0, 0, 0],
    }


@pytest.mark.parametrize(
    "code",
    [
        "def f(x):\n    return x.detach() * 2",
        "def f(x):\n    return torch.ones(2)",
        "torch.set_grad_enabled(False)\ndef f(x):\n    return torch.ones(2)",
    ],
)
def test_a_result_that_does_not_depend_on_its_input_has_gradients_of_zero(code):
    assert perform(code, X, gradients=True).gradients["0"].tolist() == [0, 0]


def test_a_parameter_that_wants_no_gradient_has_one_of_zero():
    reply = layer("self.w.requires_grad_(False)", gradients=True)
    assert (reply.failure, reply.gradients["w"].tolist()) == (None, [0, 0])


@pytest.mark.parametrize("change", ["torch.set_grad_enabled(False)", "torch.set_default_dtype(torch.float16)"])
def test_what_a_call_sets_for_the_whole_process_does_not_outlive_it(change):
    before = torch.is_grad_enabled(), torch.get_default_dtype()
    perform(f"def f():\n    {change}")
    assert (torch.is_grad_enabled(), torch.get_default_dtype()) == before


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_default_dtype_is_that_of_the_case(dtype):
    assert perform("def f(x):\n    return torch.zeros(1)", X.to(dtype)).value.dtype == dtype


WIDE = """
class Wide(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.w = nn.Parameter(torch.empty(cfg.n, cfg.n))
        nn.init.normal_(self.w, std=0.02)
        self.mask = nn.init.ones_(torch.empty(2))
    def forward(self):
        return self.w.sum() + self.mask.sum(), torch.rand(1)
"""


@pytest.mark.parametrize(("n", "is_drawn"), [(400, False), (4, True)])
def test_a_large_model_draws_no_numbers_that_its_weights_replace(n, is_drawn):
    weights = {"w": torch.ones(n, n, dtype=torch.float64)}
    total, number = perform(WIDE, task="Wide", module=ModuleRequest({"n": n}, weights), chance=7).value
    assert total == n * n + 2
    generator = torch.Generator().manual_seed(7)
    if is_drawn:
        torch.empty(n, n, dtype=torch.float64).normal_(generator=generator)
    assert torch.equal(number, torch.rand(1, generator=generator, dtype=torch.float64))


def test_parameters_take_the_dtype_of_the_case():
    assert layer(weights={name: w.float() for name, w in ONES.items()}).value.dtype == torch.float64
    assert (
        perform(LAYER.format("pass"), X.float(), task="Layer", module=ModuleRequest({}, None)).value.dtype
        == torch.float32
    )


def test_random_numbers_are_the_same_every_time():
    assert torch.equal(*[perform("def f():\n    return torch.rand(3)").value for _ in range(2)])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"w": ONES["w"]}, "unused is not in the specification"),
        (ONES | {"b": X}, "b is missing"),
        (ONES | {"w": torch.ones(1, 2)}, "w has shape (2,), expected (1, 2)"),
    ],
)
def test_parameters_that_do_not_fit_are_named(weights, message):
    failure = layer(weights=weights).failure
    assert (failure.stage, failure.message) == ("parameters", message)


def test_a_tensor_that_is_no_parameter_is_told_apart_from_one_that_is_missing():
    failure = perform(HOLDER.format("torch.ones(2)"), task="Layer", module=ModuleRequest({}, {"held": X})).failure
    assert failure.message == "held is a plain tensor, not an nn.Parameter"


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ("[nn.Identity()]", "held is a plain list, so its parameters are not the model's: use nn.ModuleList"),
        ("(nn.Identity(),)", "held is a plain tuple, so its parameters are not the model's: use nn.ModuleList"),
        ("{'a': nn.Identity()}", "held is a plain dict, so its parameters are not the model's: use nn.ModuleDict"),
    ],
)
def test_modules_in_a_plain_container_are_named(container, message):
    reply = perform(HOLDER.format(container), task="Layer", module=ModuleRequest({}, {}))
    assert reply.failure.message == message


NESTED = """
class Model(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.parts = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return x
"""
AFFINE = {"kind": "affine", "matrix": 2 * torch.eye(2, dtype=torch.float64), "bias": 0 * X, "mixes": False}


def test_probes_stand_in_for_children():
    children = {"parts.0": AFFINE, "parts.1": AFFINE}
    reply = perform(NESTED, X, task="Model", module=ModuleRequest({}, {}, children))
    assert (reply.failure, reply.value.tolist()) == (None, [4, 8])


def test_a_child_that_is_missing_is_named():
    failure = perform(NESTED, X, task="Model", module=ModuleRequest({}, {}, {"parts.2": AFFINE})).failure
    assert (failure.stage, failure.message) == ("parameters", "the submodule parts.2 is missing")


RECORDED = """
def double(x, factor=2):
    return factor * x
def helper(x):
    return double(double(x))
class Part(nn.Module):
    def forward(self, x):
        return double(x, 3) if x.sum() > 4 else helper(x)
class Model(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.a, self.b = Part(), Part()
    def forward(self, x):
        return self.b(self.a(x))
"""


def recorded():
    return perform(RECORDED, X, task="Model", module=ModuleRequest({}, {}), record=True).recorded


def test_what_parts_and_functions_took_and_returned_is_recorded():
    assert {key: tensor.tolist() for key, tensor in recorded().items()} == {
        "a:in": [1, 2],
        "a": [4, 8],
        "a/helper": [4, 8],
        "a/helper:0": [1, 2],
        "b:in": [4, 8],
        "b": [12, 24],
        "b/double": [12, 24],
        "b/double:0": [4, 8],
        ":in": [1, 2],
        "": [12, 24],
    }


def test_a_function_that_one_part_calls_twice_is_left_out():
    assert [key for key in recorded() if key.startswith("a/double")] == []


@pytest.mark.parametrize(
    "call",
    [
        "F.layer_norm(x, (2,))",
        "nn.LayerNorm(2)(x)",
        "torch.layer_norm(x, (2,))",
        "torch.native_layer_norm(x, (2,), None, None, 1e-5)[0]",
        "torch.ops.aten.native_layer_norm(x, (2,), None, None, 1e-5)[0]",
        "torch.ops.aten.native_layer_norm.default(x, (2,), None, None, 1e-5)[0]",
        "torch.ops.aten.layer_norm(x, (2,))",
        "getattr(torch, 'layer' + '_norm')(x, (2,))",
        "torch.jit.script(nn.LayerNorm(2))(x)",
        "torch.jit.trace(nn.LayerNorm(2), x)(x)",
    ],
)
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_an_operation_is_seen_however_it_is_called(call):
    operations = perform(f"def f(x):\n    return {call}", X, watch=True).operations
    assert [name for name in operations if "layer_norm" in name] != []


def test_operations_of_one_s_own_are_no_library_s():
    operations = perform("def f(x):\n    return (x - x.mean()) / x.std()", X, watch=True).operations
    assert [name for name in operations if "norm" in name] == []


def signature(code):
    return perform(code, describe=["f"]).value["f"]


@pytest.mark.parametrize("code", ["f = torch.softmax", "f = len([])", "f = nn.Linear(1, 1)"])
def test_what_has_no_signature_is_described_all_the_same(code):
    assert list(signature(code)) == [""]


def test_a_method_that_is_inherited_counts():
    assert signature("class A(nn.Module):\n    def forward(self, x): pass\nclass f(A):\n    pass")["forward"] == [
        ["self", "POSITIONAL_OR_KEYWORD", None],
        ["x", "POSITIONAL_OR_KEYWORD", None],
    ]


def test_weights_are_copied_into_the_module():
    weights = {name: w.clone() for name, w in ONES.items()}
    layer("self.w.data.mul_(2)", weights=weights)
    assert weights["w"].tolist() == nn.Parameter(torch.ones(2)).tolist()
