"""GPT-2, whole: embed, a stack of blocks, one last normalisation, unembed.

Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (GPT-2), 2019, section 2.3.

Yours to write: everything below that raises `NotImplementedError`.
`pytest graders/test_gpt.py` checks it; docs/exercises/gpt.md explains it.
"""

from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from exercises.block import TransformerBlock
from exercises.config import GPTConfig
from exercises.embedding import Embed, PosEmbed, Unembed
from exercises.layer_norm import LayerNorm


class GPT(nn.Module):
    """A decoder-only transformer that predicts, at every position, the next token."""

    def __init__(self, cfg: GPTConfig):
        super().__init__()
        self.cfg = cfg
        self.embed = Embed(cfg)
        self.pos_embed = PosEmbed(cfg)
        self.blocks = nn.ModuleList([TransformerBlock(cfg) for _ in range(cfg.n_layers)])
        self.ln_final = LayerNorm(cfg)
        self.unembed = Unembed(cfg)

    def forward(self, tokens: Int[Tensor, "batch seq"]) -> Float[Tensor, "batch seq d_vocab"]:
        """Logits for the token that follows each position."""
        # 1. What each token is, plus where it stands: batch seq d_model

        # 2. Every block adds to the residual stream: batch seq d_model

        # 3. Normalise once more, then compare with every token of the vocabulary: batch seq d_vocab

        raise NotImplementedError


def count_parameters(cfg: GPTConfig) -> int:
    """How many numbers a `GPT` of these sizes has to learn, without building one.

    Every tensor counts, biases and LayerNorms included, and the unembedding is counted apart from the
    embedding. At GPT-2's sizes that is 163,087,441; GPT-2 shares one table for both and has no `b_U`,
    which leaves the 124,439,808 that papers quote.
    """
    # 1. Token and position tables

    # 2. One LayerNorm, one attention layer, one MLP

    # 3. The blocks, the last LayerNorm, the unembedding

    raise NotImplementedError


def convert_gpt2_weights(state_dict: dict[str, Tensor], cfg: GPTConfig) -> dict[str, Tensor]:
    """From the names and layout of a GPT-2 checkpoint to those of `GPT`.

    GPT-2 keeps all linear maps as (in, out). `transformer.h.0.attn.c_attn` computes queries, keys and
    values of all heads at once: its `weight` is (d_model, 3 * n_heads * d_head), the queries first, and in each
    third the heads lie side by side; its `bias` is laid out alike. `attn.c_proj` is `W_O`, `mlp.c_fc` is
    `W_in`, `mlp.c_proj` is `W_out`, `wte` and `wpe` are the tables, `ln_1`, `ln_2` and `ln_f` the norms.
    There is no unembedding: GPT-2 uses the transposed token table, and no bias.
    Entries of `state_dict` that are not needed are ignored; `state_dict` itself is not changed.

    Raises `ValueError`, naming the tensor, when one is missing or has the wrong shape.
    """
    # 1. A way to fetch one tensor that names it when it is missing or misshapen

    # 2. Embeddings, the last norm, and the unembedding made from the token table

    # 3. For every block, queries, keys and values: cut in three, then heads apart: n_heads d_model d_head

    # 4. For every block, the way back from the heads: n_heads d_head d_model

    # 5. For every block, the MLP and the two norms, which only change their names

    raise NotImplementedError
