"""Embeddings: from tokens into the residual stream, and from the residual stream back to tokens.

A token is an integer. To compute with it, a model looks up a row of a table, one row for each token
of the vocabulary, and adds a second row that says where in the text the token stands. At the far end
the unembedding turns each vector back into one number for each token: its logit.

Sources: Radford et al., "Language Models are Unsupervised Multitask Learners" (GPT-2), 2019, section
2.3, for learned positions; Vaswani et al., "Attention Is All You Need", 2017, section 3.5, for sinusoids.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from reference.config import GPTConfig


class Embed(nn.Module):
    """One learned vector for each token of the vocabulary."""

    def __init__(self, cfg: GPTConfig):
        super().__init__()
        self.W_E = nn.Parameter(torch.empty(cfg.d_vocab, cfg.d_model))
        nn.init.normal_(self.W_E, std=0.02)

    def forward(self, tokens: Int[Tensor, "batch seq"]) -> Float[Tensor, "batch seq d_model"]:
        """Look up the row of `W_E` (d_vocab d_model) that belongs to each token."""
        # 1. Pick one row of the table for each token: batch seq d_model
        return self.W_E[tokens]


class PosEmbed(nn.Module):
    """One learned vector for each position in the text."""

    def __init__(self, cfg: GPTConfig):
        super().__init__()
        self.W_pos = nn.Parameter(torch.empty(cfg.n_ctx, cfg.d_model))
        nn.init.normal_(self.W_pos, std=0.01)

    def forward(
        self, tokens: Int[Tensor, "batch seq"], start: int | Int[Tensor, "batch"] = 0
    ) -> Float[Tensor, "batch seq d_model"]:
        """Look up the row of `W_pos` (n_ctx d_model) for the position of each token.

        `tokens` matters only for its shape: positions do not depend on what stands there.
        `start` is the position of the first token, one int for all rows or one for each row (batch,).
        Positions below 0, which belong to padding on the left, read row 0.
        """
        batch, seq = tokens.shape
        # 1. The first position of each row, as a column: batch 1
        first = torch.as_tensor(start).expand(batch).unsqueeze(1)
        # 2. The position of each token, none below 0: batch seq
        positions = (first + torch.arange(seq)).clamp(min=0)
        # 3. Pick one row of the table for each position: batch seq d_model
        return self.W_pos[positions]


class Unembed(nn.Module):
    """From the residual stream to one logit for each token of the vocabulary."""

    def __init__(self, cfg: GPTConfig):
        super().__init__()
        self.W_U = nn.Parameter(torch.empty(cfg.d_model, cfg.d_vocab))
        self.b_U = nn.Parameter(torch.zeros(cfg.d_vocab))
        nn.init.normal_(self.W_U, std=0.02)

    def forward(self, x: Float[Tensor, "batch seq d_model"]) -> Float[Tensor, "batch seq d_vocab"]:
        """Compare each vector with each column of `W_U` (d_model d_vocab), then add `b_U` (d_vocab).

        The results are logits: any real number, not yet probabilities.
        """
        # 1. One dot product for each token of the vocabulary, plus its bias: batch seq d_vocab
        return x @ self.W_U + self.b_U


def sinusoidal_positions(n_ctx: int, d_model: int) -> Float[Tensor, "n_ctx d_model"]:
    """A table of positions that needs no learning: each pair of columns is a clock hand.

    Column 2i holds sin(position / 10000^(2i / d_model)), column 2i + 1 the cosine of the same angle.
    The first pair turns fastest; each later one is slower. `d_model` may be odd: then the last sine
    has no cosine. Source: Vaswani et al. 2017, section 3.5.
    """
    # 1. The positions, as a column: n_ctx 1
    position = torch.arange(n_ctx).unsqueeze(1)
    # 2. The even column numbers 0, 2, 4, ..., one for each pair: pairs
    even = torch.arange(0, d_model, 2)
    # 3. How far each pair's hand has turned at each position: n_ctx pairs
    angle = position / 10000 ** (even / d_model)
    # 4. Sines into the even columns, cosines into the odd ones: n_ctx d_model
    table = torch.zeros(n_ctx, d_model)
    table[:, 0::2] = angle.sin()
    table[:, 1::2] = angle[:, : d_model // 2].cos()
    return table
