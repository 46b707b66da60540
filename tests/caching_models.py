"""Models for the tests of `caching`: one with a cache and one without, of the same parameters; and texts for them."""

import torch

from reference.caching import CachedGPT
from reference.config import GPTConfig
from reference.gpt import GPT

CFG = GPTConfig(d_vocab=7, n_ctx=12, n_layers=3, n_heads=2, d_model=5, d_head=3, d_mlp=4)


def models(cfg: GPTConfig = CFG, seed: int = 0) -> tuple[CachedGPT, GPT]:
    """A model that can use a cache and one that cannot, with the same random parameters, biases and norms included."""
    chance = torch.Generator().manual_seed(seed)
    plain, cached = GPT(cfg), CachedGPT(cfg)
    for parameter in plain.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=chance))
    cached.load_state_dict(plain.state_dict())
    return cached, plain


def text(seed: int, batch: int, seq: int, cfg: GPTConfig = CFG) -> torch.Tensor:
    return torch.randint(cfg.d_vocab, (batch, seq), generator=torch.Generator().manual_seed(seed))


def close(a: torch.Tensor, b: torch.Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)
