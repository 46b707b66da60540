"""Small models to export, and `headstart export-web` in a site of its own."""

import json
from dataclasses import asdict
from pathlib import Path

import onnxruntime
import pytest
import torch
from safetensors.torch import save_file
from test_export_web_graph import random_weights
from tokenizers import Tokenizer, models, pre_tokenizers
from typer.testing import CliRunner

from graders.cli import app
from graders.commands import export_web, site
from reference.config import GPTConfig

FILES = {"model.onnx", "tokenizer.json", "about.json"}
CFG = GPTConfig(d_vocab=260, n_ctx=8, n_layers=2, n_heads=2, d_model=6, d_head=4, d_mlp=5)
ALPHABET = sorted(pre_tokenizers.ByteLevel.alphabet())


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


def export(*arguments):
    return invoke("export-web", *arguments)


def told(*arguments) -> tuple[int, str]:
    """The exit code, and what is said when nothing is exported."""
    result = export(*arguments)
    assert result.stdout == ""
    return result.exit_code, result.stderr


def empty_site(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder, in which the site is to get its model too."""
    monkeypatch.chdir(folder)
    for module in (export_web, site):
        monkeypatch.setattr(module, "WEB_MODEL", folder / "docs" / "explorer" / "model")
        monkeypatch.setattr(module, "PICTURES", folder / "docs" / "pictures")
    return folder


def byte_level(n_tokens: int = 260, prefix_space: bool = False) -> Tokenizer:
    """A tokenizer of GPT-2's kind that knows single bytes, the first ones only where there are few tokens."""
    tokens = [*ALPHABET, *(f"word{i}" for i in range(n_tokens))][:n_tokens]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    return tokenizer


def write_run(folder, weights=None, tokenizer=None, **said):
    """A folder as `headstart train` leaves it, with a small model in it."""
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"text": "plays/hamlet.txt", "cfg": asdict(CFG)} | said))
    save_file(random_weights(CFG) if weights is None else weights, folder / "model.safetensors")
    (tokenizer or byte_level()).save(str(folder / "tokenizer.json"))
    return folder


def logits_of(content: bytes, tokens: torch.Tensor, cfg: GPTConfig) -> torch.Tensor:
    """What the exported graph says of a text without a past."""
    nothing = torch.zeros(cfg.n_layers, len(tokens), cfg.n_heads, 0, cfg.d_head).numpy()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    feeds = {"tokens": tokens.numpy(), "past_keys": nothing, "past_values": nothing}
    return torch.from_numpy(session.run(["logits"], feeds)[0])
