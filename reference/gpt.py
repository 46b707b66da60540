"""GPT-2, whole: embed, a stack of blocks, one last normalisation, unembed.

Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (GPT-2), 2019, section 2.3.
"""

from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from reference.block import TransformerBlock
from reference.config import GPTConfig
from reference.embedding import Embed, PosEmbed, Unembed
from reference.layer_norm import LayerNorm


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
        residual = self.embed(tokens) + self.pos_embed(tokens)
        # 2. Every block adds to the residual stream: batch seq d_model
        for block in self.blocks:
            residual = block(residual)
        # 3. Normalise once more, then compare with every token of the vocabulary: batch seq d_vocab
        return self.unembed(self.ln_final(residual))


def count_parameters(cfg: GPTConfig) -> int:
    """How many numbers a `GPT` of these sizes has to learn, without building one.

    Every tensor counts, biases and LayerNorms included, and the unembedding is counted apart from the
    embedding. At GPT-2's sizes that is 163,087,441; GPT-2 shares one table for both and has no `b_U`,
    which leaves the 124,439,808 that papers quote.
    """
    # 1. Token and position tables
    embeddings = cfg.d_vocab * cfg.d_model + cfg.n_ctx * cfg.d_model
    # 2. One LayerNorm, one attention layer, one MLP
    layer_norm = 2 * cfg.d_model
    attention = 4 * cfg.n_heads * cfg.d_model * cfg.d_head + 3 * cfg.n_heads * cfg.d_head + cfg.d_model
    mlp = 2 * cfg.d_model * cfg.d_mlp + cfg.d_mlp + cfg.d_model
    # 3. The blocks, the last LayerNorm, the unembedding
    blocks = cfg.n_layers * (2 * layer_norm + attention + mlp)
    unembedding = cfg.d_model * cfg.d_vocab + cfg.d_vocab
    return embeddings + blocks + layer_norm + unembedding


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
    d_model, d_mlp, d_attn = cfg.d_model, cfg.d_mlp, cfg.n_heads * cfg.d_head

    # 1. A way to fetch one tensor that names it when it is missing or misshapen
    def fetch(name: str, *shape: int) -> Tensor:
        if name not in state_dict:
            raise ValueError(f"the checkpoint has no tensor {name!r}")
        tensor = state_dict[name]
        if tensor.shape != shape:
            raise ValueError(f"{name!r} has shape {tuple(tensor.shape)}, expected {shape}")
        return tensor

    # 2. Embeddings, the last norm, and the unembedding made from the token table
    W_E = fetch("transformer.wte.weight", cfg.d_vocab, d_model)
    weights = {
        "embed.W_E": W_E,
        "pos_embed.W_pos": fetch("transformer.wpe.weight", cfg.n_ctx, d_model),
        "ln_final.w": fetch("transformer.ln_f.weight", d_model),
        "ln_final.b": fetch("transformer.ln_f.bias", d_model),
        "unembed.W_U": W_E.T.clone(),
        "unembed.b_U": W_E.new_zeros(cfg.d_vocab),
    }
    for layer in range(cfg.n_layers):
        theirs, ours = f"transformer.h.{layer}.", f"blocks.{layer}."
        # 3. For every block, queries, keys and values: cut in three, then heads apart: n_heads d_model d_head
        qkv = fetch(theirs + "attn.c_attn.weight", d_model, 3 * d_attn).chunk(3, dim=1)
        qkv_bias = fetch(theirs + "attn.c_attn.bias", 3 * d_attn).chunk(3)
        for letter, weight, bias in zip("QKV", qkv, qkv_bias, strict=True):
            weights[ours + f"attn.W_{letter}"] = rearrange(weight, "d (h e) -> h d e", h=cfg.n_heads)
            weights[ours + f"attn.b_{letter}"] = rearrange(bias, "(h e) -> h e", h=cfg.n_heads)
        # 4. For every block, the way back from the heads: n_heads d_head d_model
        W_O = fetch(theirs + "attn.c_proj.weight", d_attn, d_model)
        weights[ours + "attn.W_O"] = rearrange(W_O, "(h e) d -> h e d", h=cfg.n_heads)
        weights[ours + "attn.b_O"] = fetch(theirs + "attn.c_proj.bias", d_model)
        # 5. For every block, the MLP and the two norms, which only change their names
        weights[ours + "mlp.W_in"] = fetch(theirs + "mlp.c_fc.weight", d_model, d_mlp)
        weights[ours + "mlp.b_in"] = fetch(theirs + "mlp.c_fc.bias", d_mlp)
        weights[ours + "mlp.W_out"] = fetch(theirs + "mlp.c_proj.weight", d_mlp, d_model)
        weights[ours + "mlp.b_out"] = fetch(theirs + "mlp.c_proj.bias", d_model)
        for theirs_norm, ours_norm in (("ln_1", "ln1"), ("ln_2", "ln2")):
            weights[f"{ours}{ours_norm}.w"] = fetch(f"{theirs}{theirs_norm}.weight", d_model)
            weights[f"{ours}{ours_norm}.b"] = fetch(f"{theirs}{theirs_norm}.bias", d_model)
    return weights
