"""A transformer block: attention, then an MLP, each adding its result to the residual stream.

The stream is never replaced, only added to. Each part reads a normalised copy of it and writes a
correction, so a signal (and a gradient) can pass straight through any number of blocks.

Sources: He et al., "Deep Residual Learning", 2015; normalising before each part rather than after it is
GPT-2's change (Radford et al. 2019, section 2.3), explained in Xiong et al. 2020, "On Layer
Normalization in the Transformer Architecture".

Yours to write: everything below that raises `NotImplementedError`.
`pytest graders/test_block.py` checks it; docs/exercises/block.md explains it.
"""

from jaxtyping import Float
from torch import Tensor, nn

from exercises.attention import Attention
from exercises.config import GPTConfig
from exercises.layer_norm import LayerNorm
from exercises.mlp import MLP


class TransformerBlock(nn.Module):
    """Pre-LayerNorm attention and MLP on the residual stream."""

    def __init__(self, cfg: GPTConfig):
        super().__init__()
        self.ln1 = LayerNorm(cfg)
        self.attn = Attention(cfg)
        self.ln2 = LayerNorm(cfg)
        self.mlp = MLP(cfg)

    def forward(self, resid_pre: Float[Tensor, "batch seq d_model"]) -> Float[Tensor, "batch seq d_model"]:
        """Return the residual stream after this block; `resid_pre` itself is not changed.

        Each of `attn` and `mlp` reads the stream through a LayerNorm of its own, `ln1` and `ln2`.
        """
        # 1. What attention adds to the stream: batch seq d_model

        # 2. What the MLP adds to that: batch seq d_model

        raise NotImplementedError
