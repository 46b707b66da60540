"""The reference equals TransformerLens at every hook point, and a wrong model is told where it first differs."""

from pathlib import Path

import pytest
import torch
from test_weights import never, write_tiny
from tokenizers import Tokenizer

import reference.attention
import reference.mlp
from graders.weights import activations as acts
from graders.weights.checkpoint import EMBEDDED, Checkpoint, load_checkpoint
from graders.weights.divergence import first_difference, hook_points, sentence, unmasked_up_to_a_constant
from reference.block import TransformerBlock
from reference.config import GPTConfig
from reference.gpt import GPT


def reference_of(checkpoint: Checkpoint) -> GPT:
    model = GPT(GPTConfig(**checkpoint.cfg)).to(torch.float64)
    model.load_state_dict(checkpoint.weights)
    return model


FUNCTIONS = {"attn": ("attention_scores", "attention_pattern", "mix_values"), "mlp": ("gelu_new",)}


def record(model: GPT, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
    """What the worker records of a forward pass, under the worker's keys."""
    recorded, running = {}, []

    def watched(name: str, function: object) -> object:
        def call(*arguments: torch.Tensor) -> torch.Tensor:
            key = f"{running[-1]}/{name}"
            recorded.update({f"{key}:{i}": argument for i, argument in enumerate(arguments)})
            recorded[key] = function(*arguments)
            return recorded[key]

        return call

    def enter(path: str, inputs: tuple) -> None:
        running.append(path)
        recorded[f"{path}:in"] = inputs[0]

    def leave(path: str, output: torch.Tensor) -> None:
        running.pop()
        recorded[path] = output

    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        for file, names in ((reference.attention, FUNCTIONS["attn"]), (reference.mlp, FUNCTIONS["mlp"])):
            for name in names:
                patch.setattr(file, name, watched(name, getattr(file, name)))
        for path, module in model.named_modules():
            module.register_forward_pre_hook(lambda _module, inputs, path=path: enter(path, inputs))
            module.register_forward_hook(lambda _module, _inputs, output, path=path: leave(path, output))
        model(tokens)
    return recorded


@pytest.fixture(scope="module")
def embedded() -> Checkpoint:
    return load_checkpoint()


@pytest.fixture(scope="module")
def computed(embedded: Checkpoint) -> dict[str, torch.Tensor]:
    """What TransformerLens computes now: the one place that pays for importing it."""
    return acts.compute_activations(embedded)


@pytest.fixture
def tiny(tmp_path, monkeypatch) -> Checkpoint:
    """A checkpoint of which nothing is shipped, in a home with an empty cache."""
    monkeypatch.setattr(acts.platformdirs, "user_cache_dir", lambda app: str(tmp_path / "cache" / app))
    return load_checkpoint(write_tiny(tmp_path / "tiny"))


def fake_activations(checkpoint: Checkpoint, _text: str = acts.TEXT) -> dict[str, torch.Tensor]:
    return {name: torch.full((1,), i) for i, name in enumerate(acts.hook_names(checkpoint))}


def same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_the_tokens_are_the_text_and_else_ids_spread_over_the_vocabulary(embedded, tmp_path):
    tokenizer = Tokenizer.from_file(str(EMBEDDED / "tokenizer.json"))
    assert tokenizer.decode(acts.tokens_for(embedded)[0].tolist()) == acts.TEXT
    bare = load_checkpoint(write_tiny(tmp_path, files={"tokenizer.json": None}))
    assert acts.tokens_for(bare).tolist() == [[0, 2, 4, 6, 8, 10, 12, 14]]  # 10 ids from 0 to 19, cropped to n_ctx 8


def test_what_is_shipped_is_what_transformer_lens_computes_now(embedded, computed, monkeypatch):
    monkeypatch.setattr(acts, "compute_activations", never)
    shipped = acts.activations(embedded)
    assert shipped.keys() == computed.keys()
    apart = [name for name in computed if not torch.allclose(shipped[name], computed[name], atol=1e-9, rtol=1e-9)]
    assert apart == []


def test_what_is_shipped_serves_no_other_weights(tiny, monkeypatch, tmp_path):
    monkeypatch.setattr(acts, "SHIPPED", tmp_path / "shipped.safetensors")
    other = load_checkpoint(write_tiny(tmp_path / "other", layer_norm_epsilon=0.1))
    acts.write_activations(acts.SHIPPED, other, fake_activations(other))
    assert acts.read_activations(acts.SHIPPED, tiny) is None


def test_activations_are_computed_once_and_then_read(tiny, monkeypatch):
    monkeypatch.setattr(acts, "compute_activations", fake_activations)
    first = acts.activations(tiny)
    monkeypatch.setattr(acts, "compute_activations", never)
    assert same(acts.activations(tiny), first)
    assert [path.name for path in acts.cache_path(tiny).parent.iterdir()] == [acts.cache_path(tiny).name]


@pytest.mark.parametrize("damage", [lambda data: b"", lambda data: data[:-3], lambda data: b"x" * len(data)])
def test_a_corrupt_cache_is_computed_again_and_repaired(tiny, monkeypatch, damage):
    monkeypatch.setattr(acts, "compute_activations", fake_activations)
    path = acts.cache_path(tiny)
    first = acts.activations(tiny)
    path.write_bytes(damage(path.read_bytes()))
    assert same(acts.activations(tiny), first)
    assert same(acts.read_activations(path, tiny), first)


def test_a_cache_that_cannot_be_written_costs_no_verdict(tiny, monkeypatch, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setattr(acts, "compute_activations", fake_activations)
    assert same(acts.activations(tiny), fake_activations(tiny))


def test_a_write_that_is_cut_short_leaves_nothing_behind(tiny, monkeypatch):
    def full_disk(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[:9])
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    monkeypatch.setattr(acts, "compute_activations", fake_activations)
    acts.activations(tiny)
    assert list(acts.cache_path(tiny).parent.iterdir()) == []


def test_another_version_of_a_library_has_a_cache_of_its_own(tiny, monkeypatch):
    before = acts.cache_path(tiny)
    monkeypatch.setattr(acts, "version", lambda package: "0" if package == "torch" else "4.3.0")
    assert acts.cache_path(tiny) != before


# Where a model first differs


def test_the_reference_equals_transformer_lens_at_every_hook_point(embedded, computed):
    recorded = record(reference_of(embedded), acts.tokens_for(embedded))
    points = hook_points(embedded.cfg["n_layers"])
    assert {point.name for point in points} == computed.keys()
    assert {point.recorded for point in points} <= recorded.keys()
    pairs = {point.name: point.compare(recorded[point.recorded], computed[point.name]) for point in points}
    assert [name for name, pair in pairs.items() if not torch.allclose(*pair, atol=1e-9, rtol=0)] == []
    assert first_difference(recorded, computed, embedded.cfg["n_layers"]) is None


def test_the_reference_has_the_logits_of_transformers_in_float32(embedded):
    from transformers import GPT2LMHeadModel

    tokens = acts.tokens_for(embedded)
    with torch.no_grad():
        theirs = GPT2LMHeadModel.from_pretrained(EMBEDDED, dtype=torch.float32)(tokens).logits
        ours = reference_of(embedded).float()(tokens)
    # PyTorch's own tolerance for float32: logits reach 18, where either side is 1.2e-5 from its value in float64
    torch.testing.assert_close(ours, theirs)


WRONG_WEIGHTS = {
    "embed.W_E": (None, "hook_embed"),
    "pos_embed.W_pos": ("hook_embed", "hook_pos_embed"),
    "blocks.0.ln1.w": ("blocks.0.hook_resid_pre", "blocks.0.ln1.hook_out"),
    "blocks.1.attn.W_Q": ("blocks.1.ln1.hook_out", "blocks.1.attn.hook_q"),
    "blocks.1.attn.W_K": ("blocks.1.attn.hook_v", "blocks.1.attn.hook_attn_scores"),
    "blocks.1.attn.W_V": ("blocks.1.attn.hook_q", "blocks.1.attn.hook_v"),
    "blocks.3.attn.W_O": ("blocks.3.attn.hook_z", "blocks.3.hook_attn_out"),
    "blocks.4.ln2.b": ("blocks.4.hook_resid_mid", "blocks.4.ln2.hook_out"),
    "blocks.4.mlp.b_in": ("blocks.4.ln2.hook_out", "blocks.4.mlp.hook_pre"),
    "blocks.5.mlp.b_out": ("blocks.5.mlp.hook_post", "blocks.5.hook_mlp_out"),
    "ln_final.b": ("blocks.5.hook_resid_post", "ln_final.hook_out"),
    "unembed.W_U": ("ln_final.hook_out", "unembed.hook_out"),
}


@pytest.mark.parametrize("wrong", WRONG_WEIGHTS)
def test_a_wrong_weight_is_told_its_layer_and_hook(embedded, computed, wrong):
    model = reference_of(embedded)
    with torch.no_grad():
        model.get_parameter(wrong).mul_(1.001)
    difference = first_difference(record(model, acts.tokens_for(embedded)), computed, 6)
    assert (difference.last_equal, difference.name) == WRONG_WEIGHTS[wrong]
    assert difference.yours != difference.expected


def unscaled_scores(q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
    return torch.einsum("bqhd,bkhd->bhqk", q, k)


def values_of_the_query(pattern: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return torch.einsum("bhqk,bqhd->bqhd", pattern, v)


def post_norm(block: TransformerBlock, x: torch.Tensor) -> torch.Tensor:
    return block.ln2(x + block.attn(block.ln1(x)))


WRONG_CODE = {
    "blocks.0.attn.hook_attn_scores": (reference.attention, "attention_scores", unscaled_scores),
    "blocks.0.attn.hook_pattern": (reference.attention, "apply_causal_mask", lambda scores: scores),
    "blocks.0.attn.hook_z": (reference.attention, "mix_values", values_of_the_query),
    "blocks.0.mlp.hook_post": (reference.mlp, "gelu_new", torch.nn.functional.gelu),
    "blocks.0.hook_resid_post": (TransformerBlock, "forward", post_norm),
}


@pytest.mark.parametrize("hook", WRONG_CODE)
def test_wrong_code_is_told_its_hook(embedded, computed, monkeypatch, hook):
    monkeypatch.setattr(*WRONG_CODE[hook])
    assert first_difference(record(reference_of(embedded), acts.tokens_for(embedded)), computed, 6).name == hook


def test_a_forgotten_key_bias_changes_nothing_and_is_no_difference(embedded, computed):
    model = reference_of(embedded)
    with torch.no_grad():
        model.blocks[3].attn.b_K.zero_()
        model.blocks[3].attn.W_O.mul_(2)
    recorded = record(model, acts.tokens_for(embedded))
    scores = recorded["blocks.3.attn/attention_scores"]
    assert not torch.allclose(scores.tril(), computed["blocks.3.attn.hook_attn_scores"].tril(), atol=1e-6)
    assert first_difference(recorded, computed, 6).name == "blocks.3.hook_attn_out"


def test_a_value_bias_added_after_mixing_is_no_difference(embedded, computed):
    recorded = record(reference_of(embedded), acts.tokens_for(embedded))
    bias = embedded.weights["blocks.2.attn.b_V"]
    for key in ("blocks.2.attn/mix_values:1", "blocks.2.attn/mix_values"):
        recorded[key] = recorded[key] - bias
    assert first_difference(recorded, computed, 6) is None
    recorded["blocks.2.attn"] = recorded["blocks.2.attn"] + 1
    assert first_difference(recorded, computed, 6).name == "blocks.2.attn.hook_v"


def test_one_wrong_score_stands_out_whatever_its_query_adds():
    expected = torch.tensor([[[[1.0, -9.0, -9.0], [2.0, 3.0, -9.0], [4.0, 5.0, 6.0]]]])
    yours = expected + torch.tensor([10.0, 20.0, 30.0])[:, None]
    yours[..., 2, 1] += 1
    aligned, theirs = unmasked_up_to_a_constant(yours, expected)
    assert aligned.tolist() == [[[[1, 0, 0], [2, 3, 0], [4, 6, 6]]]]
    assert theirs.tolist() == [[[[1, 0, 0], [2, 3, 0], [4, 5, 6]]]]


def test_what_was_bypassed_is_passed_over():
    expected = {point.name: torch.zeros(1, 2, 2) for point in hook_points(1)}
    difference = first_difference({"embed": torch.zeros(1, 2, 2), "unembed": torch.ones(1, 2, 2)}, expected, 1)
    assert sentence(difference) == "equal up to hook_embed; unembed.hook_out is the first to differ"


def test_nan_differs_and_the_first_wrong_number_is_located():
    yours = torch.tensor([[[0.0, 1.0], [float("nan"), 5.0]]])
    difference = first_difference({"embed": yours}, {"hook_embed": torch.tensor([[[0.0, 1.0], [2.0, 3.0]]])}, 0)
    assert (difference.index, difference.expected, str(difference.yours)) == ((0, 1, 0), 2.0, "nan")
    assert sentence(difference) == "hook_embed is the first to differ"


def test_another_shape_is_a_difference_even_if_it_would_broadcast():
    difference = first_difference({"embed": torch.zeros(1, 1, 3)}, {"hook_embed": torch.zeros(1, 2, 3)}, 0)
    assert difference.index == ()
    assert sentence(difference) == "hook_embed is the first to differ: its shape is (1, 1, 3), expected (1, 2, 3)"
