"""The graph that the browser runs computes what the reference does, at every hook point, with a past and without."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_divergence import record

from graders.web.graph import gpt_graph
from graders.weights.activations import activations, tokens_for
from graders.weights.checkpoint import load_checkpoint
from graders.weights.divergence import hook_points
from reference.attention import apply_causal_mask
from reference.caching import CachedGPT
from reference.config import GPTConfig
from reference.gpt import GPT

# Of the largest number at a hook point. Both are float32, which carries 6e-8; what is added up in another order was off
# by 2e-6 at most in 750 models. The smallest mistake we know, the other GELU, moves numbers by 5e-4
CLOSE = 1e-5
CFG = GPTConfig(d_vocab=11, n_ctx=9, n_layers=2, n_heads=3, d_model=8, d_head=2, d_mlp=10)


def random_weights(cfg: GPTConfig, seed: int = 0) -> dict[str, torch.Tensor]:
    """All parameters random, biases and scales included, in float32; few enough digits that float16 holds them."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {name: w.shape for name, w in GPT(cfg).state_dict().items()}
    return {name: torch.randn(shape, generator=generator).mul(0.5).half().float() for name, shape in shapes.items()}


def loaded(weights: dict[str, torch.Tensor], cfg: GPTConfig, kind: type[GPT] = GPT) -> GPT:
    model = kind(cfg)
    model.load_state_dict(weights)
    return model.requires_grad_(False)


class Session:
    """The graph of a model, run as the page runs it."""

    def __init__(self, cfg: GPTConfig, weights: dict[str, torch.Tensor], half: bool = False):
        self.cfg = cfg
        self.graph, self.hooks = gpt_graph(cfg, weights, half)
        self.content = self.graph.SerializeToString(deterministic=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.runtime = onnxruntime.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])

    def nothing(self, batch: int) -> torch.Tensor:
        """Keys, or values, of no past."""
        return torch.zeros(self.cfg.n_layers, batch, self.cfg.n_heads, 0, self.cfg.d_head)

    def __call__(
        self, tokens: torch.Tensor, keys: torch.Tensor | None = None, values: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        """Every output by name, of tokens behind a past."""
        past = [self.nothing(len(tokens)) if held is None else held for held in (keys, values)]
        feeds = {"tokens": tokens.numpy(), "past_keys": past[0].numpy(), "past_values": past[1].numpy()}
        names = [output.name for output in self.runtime.get_outputs()]
        return {name: torch.from_numpy(out) for name, out in zip(names, self.runtime.run(names, feeds), strict=True)}


def expected_of(weights: dict[str, torch.Tensor], cfg: GPTConfig, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
    """What the reference computes of a text, by the names of the graph's outputs; every hook point of the course."""
    recorded = record(loaded(weights, cfg), tokens)
    expected = {point.name: recorded[point.recorded] for point in hook_points(cfg.n_layers)}
    expected["logits"] = expected.pop("unembed.hook_out")
    for layer in range(cfg.n_layers):
        attn = f"blocks.{layer}.attn"
        expected[f"{attn}.hook_k"] = recorded[f"{attn}/attention_scores:1"]
        expected[f"{attn}.hook_attn_scores"] = apply_causal_mask(expected[f"{attn}.hook_attn_scores"])
    for name, hook in (("keys", "hook_k"), ("values", "hook_v")):
        layers = [expected[f"blocks.{layer}.attn.{hook}"] for layer in range(cfg.n_layers)]
        expected[name] = torch.stack(layers).transpose(2, 3)
    return expected


def of_the_new(name: str, value: torch.Tensor, past: int) -> torch.Tensor:
    """The part of an output that is about the tokens behind a past."""
    if name in ("keys", "values"):
        return value
    return value[:, :, past:] if name.endswith(("hook_attn_scores", "hook_pattern")) else value[:, past:]


def assert_close(name: str, found: torch.Tensor, expected: torch.Tensor, bound: float = CLOSE) -> None:
    """Equal shapes, -inf in the same places, and every other number within `bound` of the largest that is expected."""
    assert found.shape == expected.shape, name
    assert torch.equal(found.isinf(), expected.isinf()), name
    largest = max(1.0, expected[expected.isfinite()].abs().max().item())
    off = (found - expected)[expected.isfinite()].abs().max().item()
    assert off <= bound * largest, f"{name}: {off} of {largest}"


@st.composite
def calls(draw) -> tuple[GPTConfig, dict[str, torch.Tensor], torch.Tensor, int]:
    """Sizes, parameters, a text (batch, past+new) and how much of it is the past; nothing that must not be is equal."""
    batch, past, new = (draw(st.integers(*ends)) for ends in ((1, 3), (0, 4), (1, 4)))
    least = {"d_vocab": 2, "n_ctx": past + new, "n_layers": 1, "n_heads": 1, "d_model": 4, "d_head": 1, "d_mlp": 1}
    # Of two numbers, or three, LayerNorm makes much of a small difference: a width of 4 at least
    sizes = {name: draw(st.integers(low, low + 7 if name != "n_layers" else 3)) for name, low in least.items()}
    cfg = GPTConfig(**sizes, layer_norm_eps=draw(st.sampled_from([1e-5, 1e-2])))
    seed = draw(st.integers(0, 10**6))
    weights = random_weights(cfg, seed)
    if draw(st.booleans()):  # as in GPT-2
        weights["unembed.W_U"] = weights["embed.W_E"].T.clone()
    generator = torch.Generator().manual_seed(seed)
    return cfg, weights, torch.randint(cfg.d_vocab, (batch, past + new), generator=generator), past


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(call=calls(), half=st.booleans())
def test_every_output_is_what_the_reference_computes_of_the_whole_text(call, half):
    cfg, weights, tokens, past = call
    session, expected = Session(cfg, weights, half), expected_of(weights, cfg, tokens)
    held = (expected["keys"][:, :, :, :past], expected["values"][:, :, :, :past])
    found = session(tokens[:, past:], *held)
    assert found.keys() == expected.keys()
    for name, value in found.items():
        assert_close(name, value, of_the_new(name, expected[name], past))


def test_hook_points_are_named_in_the_order_in_which_they_are_computed():
    hooks = Session(CFG, random_weights(CFG)).hooks
    of_the_course = [point.name for point in hook_points(CFG.n_layers) if point.name != "unembed.hook_out"]
    assert [hook for hook in hooks if not hook.endswith("hook_k")] == of_the_course
    keys = [hooks[hooks.index(f"blocks.{layer}.attn.hook_q") + 1] for layer in range(CFG.n_layers)]
    assert keys == [f"blocks.{layer}.attn.hook_k" for layer in range(CFG.n_layers)]


def test_token_by_token_with_the_cache_is_all_at_once():
    session = Session(CFG, random_weights(CFG))
    tokens = torch.randint(CFG.d_vocab, (2, CFG.n_ctx), generator=torch.Generator().manual_seed(0))
    whole, held = session(tokens), {"keys": None, "values": None}
    for position in range(CFG.n_ctx):
        held = session(tokens[:, position : position + 1], held["keys"], held["values"])
        for name in ("logits", "ln_final.hook_out", "blocks.1.attn.hook_z"):
            assert_close(name, held[name][:, 0], whole[name][:, position])
    assert_close("keys", held["keys"], whole["keys"])
    assert_close("values", held["values"], whole["values"])


def test_the_cache_holds_what_the_learner_s_would():
    weights = random_weights(CFG)
    tokens = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]])
    found = Session(CFG, weights)(tokens)
    logits, cache = loaded(weights, CFG, CachedGPT)(tokens)
    assert_close("logits", found["logits"], logits)
    for layer in range(CFG.n_layers):
        for name, kept in zip(("keys", "values"), cache[layer], strict=True):
            assert_close(name, found[name][layer], kept.transpose(1, 2))


def test_the_embedded_checkpoint_is_what_transformer_lens_computed_of_it():
    """Float32 against float64; `hook_attn_scores` where it is not masked."""
    checkpoint = load_checkpoint()
    found = Session(GPTConfig(**checkpoint.cfg), checkpoint.weights, half=True)(tokens_for(checkpoint))
    for name, expected in activations(checkpoint).items():
        value = found["logits" if name == "unembed.hook_out" else name]
        if name.endswith("hook_attn_scores"):
            expected = expected.masked_fill(value.isinf(), float("-inf"))
        assert_close(name, value.double(), expected)


def test_a_text_longer_than_the_context_and_a_token_outside_the_vocabulary_are_refused():
    session = Session(CFG, random_weights(CFG))
    for tokens in (torch.zeros(1, CFG.n_ctx + 1, dtype=torch.long), torch.tensor([[CFG.d_vocab]])):
        with pytest.raises(onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument, match="out of data bounds"):
            session(tokens)


@pytest.mark.parametrize("half", [False, True])
def test_the_same_model_is_the_same_graph_to_the_byte_and_a_valid_one(half):
    one, other = (Session(CFG, random_weights(CFG), half) for _ in range(2))
    assert one.content == other.content
    onnx.checker.check_model(one.graph, full_check=True)


def test_the_declared_shapes_are_those_that_are_computed():
    session = Session(CFG, random_weights(CFG))
    tokens = torch.zeros(2, 3, dtype=torch.long)
    first = session(tokens)
    lengths = {"batch": 2, "new": 3, "past": 3, "past+new": 6}
    found = session(tokens, first["keys"], first["values"])
    for output in session.runtime.get_outputs():
        assert tuple(lengths.get(size, size) for size in output.shape) == found[output.name].shape, output.name


def test_float16_halves_the_file_and_a_shared_table_is_stored_once():
    weights = random_weights(CFG)
    tied = weights | {"unembed.W_U": weights["embed.W_E"].T.clone()}
    n_parameters, n_table = sum(w.numel() for w in weights.values()), weights["embed.W_E"].numel()

    def stored(weights: dict[str, torch.Tensor], half: bool, kind: int) -> int:
        tensors = Session(CFG, weights, half).graph.graph.initializer
        return sum(int(np.prod(t.dims)) for t in tensors if t.data_type == kind and not t.name.startswith("constant"))

    full, float16 = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
    assert (stored(weights, False, full), stored(weights, False, float16)) == (n_parameters, 0)
    assert (stored(weights, True, full), stored(weights, True, float16)) == (0, n_parameters)
    assert stored(tied, True, float16) == n_parameters - n_table
