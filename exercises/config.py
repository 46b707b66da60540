"""The sizes of a GPT, given to every module that needs them.

Given: there is nothing to write in this file.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class GPTConfig:
    """Sizes of a decoder-only transformer, named as in TransformerLens.

    `n_heads * d_head` need not equal `d_model`: in GPT-2 it does, in the graders it does not.
    """

    d_vocab: int  # how many different tokens there are
    n_ctx: int  # the longest sequence, in tokens
    n_layers: int
    n_heads: int  # heads in each layer
    d_model: int  # width of the residual stream
    d_head: int  # width of one head's queries, keys and values
    d_mlp: int  # hidden width of the MLP
    layer_norm_eps: float = 1e-5
