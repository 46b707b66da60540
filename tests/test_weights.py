"""Checkpoints are read, or refused in one line that says what to do."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from huggingface_hub.errors import RepositoryNotFoundError
from safetensors.torch import save_file
from tokenizers import Tokenizer, models

from graders.weights.checkpoint import EMBEDDED, CheckpointError, load_checkpoint
from reference.config import GPTConfig
from reference.gpt import GPT

TINY = {"model_type": "gpt2", "vocab_size": 20, "n_positions": 8, "n_embd": 6, "n_layer": 2, "n_head": 2}
BLOCK = {"ln_1": (6,), "attn.c_attn": (6, 18), "attn.c_proj": (6, 6), "ln_2": (6,)}
BLOCK |= {"mlp.c_fc": (6, 24), "mlp.c_proj": (24, 6)}


def tiny_tensors() -> dict[str, torch.Tensor]:
    """GPT-2's tensors in the sizes of `TINY`, without the prefix, as the hub's gpt2 has them; seed 0."""
    shapes = {"wte.weight": (20, 6), "wpe.weight": (8, 6), "ln_f.weight": (6,), "ln_f.bias": (6,)}
    for layer in range(2):
        for name, shape in BLOCK.items():
            shapes |= {f"h.{layer}.{name}.weight": shape, f"h.{layer}.{name}.bias": shape[-1:]}
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def write_tiny(
    folder: Path, tensors: dict | None = None, n_tokens: int = 20, files: dict | None = None, **config
) -> Path:
    """A GPT-2-format folder. `config` overrides config.json, where None leaves an entry out; `files` replaces whole
    files by a text, where None leaves a file out."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = {name: value for name, value in (TINY | config).items() if value is not None}
    (folder / "config.json").write_text(json.dumps(entries))
    save_file(tiny_tensors() if tensors is None else tensors, folder / "model.safetensors")
    Tokenizer(models.WordLevel({f"t{i}": i for i in range(n_tokens)}, "t0")).save(str(folder / "tokenizer.json"))
    for name, text in (files or {}).items():
        (folder / name).unlink() if text is None else (folder / name).write_text(text)
    return folder


# Reading a checkpoint


def test_a_tiny_folder_loads_into_the_reference_in_float64(tmp_path):
    checkpoint = load_checkpoint(write_tiny(tmp_path))
    assert GPTConfig(**checkpoint.cfg) == GPTConfig(
        d_vocab=20, n_ctx=8, n_layers=2, n_heads=2, d_model=6, d_head=3, d_mlp=24, layer_norm_eps=1e-5
    )
    assert {tensor.dtype for tensor in checkpoint.weights.values()} == {torch.float64}
    assert torch.equal(checkpoint.weights["embed.W_E"], tiny_tensors()["wte.weight"].double())
    GPT(GPTConfig(**checkpoint.cfg)).load_state_dict(checkpoint.weights)


def test_the_prefix_the_mask_buffers_and_a_tied_lm_head_make_no_difference(tmp_path):
    plain = load_checkpoint(write_tiny(tmp_path / "plain"))
    tensors = {f"transformer.{name}": tensor for name, tensor in tiny_tensors().items()}
    tensors["lm_head.weight"] = tiny_tensors()["wte.weight"]
    tensors["transformer.h.0.attn.bias"] = torch.ones(1, 1, 8, 8)
    full = load_checkpoint(write_tiny(tmp_path / "full", tensors))
    assert plain.weights.keys() == full.weights.keys()
    assert all(torch.equal(plain.weights[name], full.weights[name]) for name in plain.weights)


def test_a_few_rows_without_a_token_are_padding(tmp_path):
    load_checkpoint(write_tiny(tmp_path, n_tokens=17))


def test_the_hash_depends_on_the_weights_and_on_the_configuration(tmp_path):
    one = load_checkpoint(write_tiny(tmp_path / "one")).sha256
    assert load_checkpoint(write_tiny(tmp_path / "same")).sha256 == one
    assert load_checkpoint(write_tiny(tmp_path / "eps", layer_norm_epsilon=1e-6)).sha256 != one
    moved = tiny_tensors() | {"wpe.weight": tiny_tensors()["wpe.weight"] + 1}
    assert load_checkpoint(write_tiny(tmp_path / "moved", moved)).sha256 != one


def without(name: str) -> dict[str, torch.Tensor]:
    return {key: tensor for key, tensor in tiny_tensors().items() if key != name}


HEAD = {"lm_head.weight": torch.zeros(20, 6)}
NAN = {"ln_f.bias": torch.full((6,), float("nan"))}
LARGE = tiny_tensors() | {"wte.weight": torch.zeros(150, 6)}
SAME_PLACE = "fetch both files again, from the same place"
# What is wrong, and the end of the message after the folder's name.
BROKEN = [
    ({"model_type": "llama"}, "another architecture: model_type is 'llama', expected 'gpt2'; use a GPT-2 checkpoint"),
    ({"model_type": None}, "another architecture: model_type is None, expected 'gpt2'; use a GPT-2 checkpoint"),
    ({"n_layer": None}, "n_layer is None; expected a whole number above 0; fetch the file again"),
    (
        {"n_head": 4},
        "n_embd 6 cannot be shared out among 4 heads; expected a multiple of n_head; fetch the file again",
    ),
    (
        {"layer_norm_epsilon": "1"},
        "layer_norm_epsilon is '1'; expected a small number such as 1e-05; fetch the file again",
    ),
    (
        {"tensors": without("h.1.ln_2.bias")},
        "model.safetensors: the checkpoint has no tensor 'transformer.h.1.ln_2.bias'; expected the tensors "
        f"that its config.json describes; {SAME_PLACE}",
    ),
    (
        {"n_positions": 9},
        "model.safetensors: 'transformer.wpe.weight' has shape (8, 6), expected (9, 6); expected the tensors "
        f"that its config.json describes; {SAME_PLACE}",
    ),
    (
        {"tensors": tiny_tensors() | NAN},
        "ln_final.b holds NaN or infinity; expected finite numbers; fetch the file again, or train again",
    ),
    (
        {"tensors": tiny_tensors() | HEAD},
        "lm_head.weight differs from the token table; expected GPT-2's unembedding, which is that table; use "
        "a checkpoint whose embeddings are tied",
    ),
    (
        {"vocab_size": 21},
        f"wrong vocabulary: the token table has 20 rows, expected the 21 that config.json says; {SAME_PLACE}",
    ),
    (
        {"n_tokens": 21},
        "wrong vocabulary: tokenizer.json has 21 tokens, expected the 20 that config.json says; use the "
        "tokenizer that the model was trained with",
    ),
    (
        {"n_tokens": 22, "vocab_size": 150, "tensors": LARGE},
        "wrong vocabulary: tokenizer.json has 22 tokens, expected the 150 that config.json says; use the "
        "tokenizer that the model was trained with",
    ),
    (
        {"files": {"config.json": None}},
        "has no config.json; expected a GPT-2-format folder (config.json, model.safetensors); save one with "
        "GPT2LMHeadModel.save_pretrained",
    ),
    ({"files": {"config.json": "{"}}, "(char 1)); expected GPT-2's configuration; fetch it again"),
    (
        {"files": {"model.safetensors": None}},
        "has no model.safetensors; expected the weights in one safetensors file; save them with "
        "GPT2LMHeadModel.save_pretrained, which writes it",
    ),
    ({"files": {"model.safetensors": "{"}}, "; expected a whole safetensors file; fetch it again"),
    ({"files": {"tokenizer.json": "[]"}}, "; expected what the tokenizers library writes; fetch it again"),
]


OTHER_OPTIONS = [
    ("activation_function", "gelu", "gelu_new"),
    ("scale_attn_weights", False, True),
    ("scale_attn_by_inverse_layer_idx", True, False),
    ("reorder_and_upcast_attn", True, False),
    ("add_cross_attention", True, False),
    ("tie_word_embeddings", False, True),
]


@pytest.mark.parametrize(("option", "value", "expected"), OTHER_OPTIONS)
def test_an_option_that_changes_what_gpt2_computes_is_refused(tmp_path, option, value, expected):
    message = (
        f"{tmp_path / 'config.json'} describes another architecture: {option} is {value!r}, expected {expected!r}; "
        "use a checkpoint that computes what GPT-2 does"
    )
    with pytest.raises(CheckpointError, match=f"^{re.escape(message)}$"):
        load_checkpoint(write_tiny(tmp_path, **{option: value}))


@pytest.mark.parametrize(("change", "message"), BROKEN, ids=[message[:40] for _, message in BROKEN])
def test_a_broken_checkpoint_is_refused_in_one_line(tmp_path, change, message):
    folder = write_tiny(tmp_path, **change)
    with pytest.raises(CheckpointError) as refused:
        load_checkpoint(folder)
    assert str(refused.value).startswith(str(folder))
    assert str(refused.value).endswith(message)
    assert "\n" not in str(refused.value)


def test_truncated_weights_are_damaged_weights(tmp_path):
    file = write_tiny(tmp_path) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(CheckpointError, match=r"model\.safetensors is damaged"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("where", [Path("nowhere"), "./nowhere", "/no/such/folder"])
def test_a_folder_that_is_not_there(where):
    message = (
        f"there is no folder {str(where)!r}; expected a GPT-2-format folder (config.json, model.safetensors) "
        "or a name of the hub such as 'gpt2'; check the path"
    )
    with pytest.raises(CheckpointError, match=f"^{re.escape(message)}$"):
        load_checkpoint(where)


# The hub, offline


def never(*_arguments: object) -> None:
    raise AssertionError("this should not have been needed")


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """An empty cache of the hub, and no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def write_snapshot(hub: Path) -> Path:
    """The tiny checkpoint as "gpt2" in the layout of the hub's cache."""
    (hub / "models--gpt2" / "refs").mkdir(parents=True)
    (hub / "models--gpt2" / "refs" / "main").write_text("0" * 40)
    return write_tiny(hub / "models--gpt2" / "snapshots" / ("0" * 40))


NO_HUB = (
    "'gpt2' is neither a folder nor in the hub's cache, and the hub cannot be reached; expected a GPT-2-format "
    "checkpoint; with a network, run `hf download gpt2 config.json model.safetensors tokenizer.json`, then try again"
)


def test_a_name_is_looked_up_in_the_hubs_cache_before_the_network(hub, monkeypatch):
    monkeypatch.setattr("graders.weights.checkpoint.downloaded_snapshot", never)
    snapshot = write_snapshot(hub)
    assert load_checkpoint("gpt2").folder == snapshot


def test_the_cache_may_be_moved_by_the_environment(tmp_path):
    snapshot = write_snapshot(tmp_path)
    code = "from graders.weights.checkpoint import load_checkpoint; print(load_checkpoint('gpt2').folder)"
    environment = os.environ | {"HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    repository = EMBEDDED.parents[2]
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    assert run.stdout.strip() == str(snapshot), run.stderr


def test_no_hub_and_no_cache(hub):
    with pytest.raises(CheckpointError, match=f"^{re.escape(NO_HUB)}$"):
        load_checkpoint("gpt2")


def test_half_a_snapshot_is_not_taken_for_a_whole_one(hub):
    (write_snapshot(hub) / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"has no config\.json or no model\.safetensors; expected both; with a"):
        load_checkpoint("gpt2")


def test_a_name_that_the_hub_does_not_know(hub, monkeypatch):
    def not_found(*_arguments: object, **_options: object) -> None:
        raise RepositoryNotFoundError.__new__(RepositoryNotFoundError)  # its constructor wants a server's response

    monkeypatch.setattr("graders.weights.checkpoint.cached_snapshot", lambda name: None)
    monkeypatch.setattr("huggingface_hub.snapshot_download", not_found)
    message = (
        "'gpt3' is neither a folder nor a public model of the hub; expected a GPT-2-format checkpoint such as 'gpt2'; "
        "check the spelling"
    )
    with pytest.raises(CheckpointError, match=f"^{re.escape(message)}$"):
        load_checkpoint("gpt3")
