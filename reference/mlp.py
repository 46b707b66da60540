"""The MLP: after attention has moved information between tokens, each token thinks about it alone.

Widen, bend, narrow: a linear map to d_mlp features, a smooth gate on each, a linear map back.

Sources: Vaswani et al., "Attention Is All You Need", 2017, section 3.3; the activation is the tanh
approximation of section 2 of Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, as in GPT-2.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from reference.config import GPTConfig


def gelu_new(x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """GPT-2's activation: each number times, roughly, the chance that a standard normal lies below it.

    0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). Large x stay, very negative x become 0.
    """
    # 1. What goes into the tanh: same shape as x
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x.pow(3))
    # 2. The gate, between 0 and 1, times x: same shape as x
    return 0.5 * x * (1 + inner.tanh())


class MLP(nn.Module):
    """Two linear maps with `gelu_new` between them."""

    def __init__(self, cfg: GPTConfig):
        super().__init__()
        self.W_in = nn.Parameter(torch.empty(cfg.d_model, cfg.d_mlp))
        self.b_in = nn.Parameter(torch.zeros(cfg.d_mlp))
        self.W_out = nn.Parameter(torch.empty(cfg.d_mlp, cfg.d_model))
        self.b_out = nn.Parameter(torch.zeros(cfg.d_model))
        for weight in (self.W_in, self.W_out):
            nn.init.normal_(weight, std=0.02)

    def forward(self, x: Float[Tensor, "batch seq d_model"]) -> Float[Tensor, "batch seq d_model"]:
        """Map to d_mlp features, activate them, map back.

        `W_in` is (d_model d_mlp) with bias `b_in` (d_mlp), `W_out` (d_mlp d_model) with `b_out` (d_model).
        """
        # 1. The features, before the activation: batch seq d_mlp
        pre = x @ self.W_in + self.b_in
        # 2. The features, after it: batch seq d_mlp
        post = gelu_new(pre)
        # 3. Back into the residual stream's width: batch seq d_model
        return post @ self.W_out + self.b_out
