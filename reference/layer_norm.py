"""Layer normalisation: each token's vector is centred, scaled to unit variance, then stretched and shifted.

Every vector is normalised on its own: no token, and no row of the batch, sees another.

Source: Ba, Kiros and Hinton, "Layer Normalization", 2016, section 3.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from reference.config import GPTConfig


class LayerNorm(nn.Module):
    """(x - mean) / sqrt(variance + eps) * w + b, over the last axis."""

    def __init__(self, cfg: GPTConfig):
        super().__init__()
        self.eps = cfg.layer_norm_eps
        self.w = nn.Parameter(torch.ones(cfg.d_model))
        self.b = nn.Parameter(torch.zeros(cfg.d_model))

    def forward(self, x: Float[Tensor, "batch seq d_model"]) -> Float[Tensor, "batch seq d_model"]:
        """Normalise each vector of `x`, scale it by `w` (d_model), shift it by `b` (d_model).

        The variance is the mean of the squared deviations (divided by d_model, not by d_model - 1),
        and `self.eps` is added to it inside the root, so that a constant vector stays finite.
        """
        # 1. Centre each vector on zero: batch seq d_model
        centred = x - x.mean(dim=-1, keepdim=True)
        # 2. The variance of each vector: batch seq 1
        variance = centred.pow(2).mean(dim=-1, keepdim=True)
        # 3. Divide by the standard deviation: batch seq d_model
        normalised = centred / (variance + self.eps).sqrt()
        # 4. Stretch and shift, column by column: batch seq d_model
        return normalised * self.w + self.b
