"""Right answers to embedding, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "functional_embedding",
        """
def embed(self, tokens):
    return nn.functional.embedding(tokens, self.W_E)


def pos_embed(self, tokens, start=0):
    first = torch.zeros(len(tokens), dtype=torch.long) + start
    positions = first.view(-1, 1) + torch.cumsum(torch.ones_like(tokens), dim=-1) - 1
    return nn.functional.embedding(positions.maximum(torch.tensor(0)), self.W_pos)


Embed.forward, PosEmbed.forward = embed, pos_embed
""",
    ),
    Variant(
        "one_hot_matmul",
        """
def embed(self, tokens):
    return nn.functional.one_hot(tokens, self.W_E.shape[0]).to(self.W_E.dtype) @ self.W_E


def pos_embed(self, tokens, start=0):
    batch, seq = tokens.shape
    start = start if isinstance(start, Tensor) else torch.full((batch,), start)
    positions = torch.relu(start[:, None] + torch.arange(seq)[None, :])
    n_ctx = self.W_pos.shape[0]
    return (positions[..., None] == torch.arange(n_ctx)).to(self.W_pos) @ self.W_pos


Embed.forward, PosEmbed.forward = embed, pos_embed
""",
    ),
    Variant(
        "index_select_and_einsum",
        """
from einops import einsum, rearrange, repeat


def embed(self, tokens):
    return self.W_E.index_select(0, tokens.flatten()).unflatten(0, tokens.shape)


def pos_embed(self, tokens, start=0):
    batch, seq = tokens.shape
    if isinstance(start, int):
        rows = torch.tensor([max(0, start + i) for i in range(seq)])
        return repeat(self.W_pos.index_select(0, rows), "seq d_model -> batch seq d_model", batch=batch)
    positions = torch.arange(seq).unsqueeze(0) + rearrange(start, "batch -> batch 1")
    return self.W_pos[torch.where(positions < 0, 0, positions)]


def unembed(self, x):
    return einsum(x, self.W_U, "b s d, d v -> b s v") + self.b_U


Embed.forward, PosEmbed.forward, Unembed.forward = embed, pos_embed, unembed
""",
    ),
    Variant(
        "gather",
        """
def embed(self, tokens):
    ids = tokens.reshape(-1, 1).expand(-1, self.W_E.shape[1])
    return self.W_E.gather(0, ids).view(*tokens.shape, -1)


def pos_embed(self, tokens, start=0):
    steps = torch.ones_like(tokens).cumsum(dim=1) - 1
    offset = start[:, None] if torch.is_tensor(start) else start
    return torch.take_along_dim(
        self.W_pos.unsqueeze(0), torch.clamp(steps + offset, 0).unsqueeze(-1), dim=1
    )


def unembed(self, x):
    return nn.functional.linear(x, self.W_U.T, self.b_U)


Embed.forward, PosEmbed.forward, Unembed.forward = embed, pos_embed, unembed
""",
    ),
    Variant(
        "loops",
        """
import math


def embed(self, tokens):
    return torch.stack([torch.stack([self.W_E[token] for token in row]) for row in tokens])


def pos_embed(self, tokens, start=0):
    starts = start.tolist() if isinstance(start, Tensor) else [start] * len(tokens)
    rows = []
    for row, first in zip(tokens, starts):
        rows.append(torch.stack([self.W_pos[max(0, first + i)] for i in range(len(row))]))
    return torch.stack(rows)


def unembed(self, x):
    logits = [(x * self.W_U[:, token]).sum(-1) + self.b_U[token] for token in range(len(self.b_U))]
    return torch.stack(logits, dim=-1)


def sinusoidal_positions(n_ctx, d_model):
    table = torch.empty(n_ctx, d_model)
    for position in range(n_ctx):
        for column in range(d_model):
            angle = position / 10000 ** (column // 2 * 2 / d_model)
            table[position, column] = math.cos(angle) if column % 2 else math.sin(angle)
    return table


Embed.forward, PosEmbed.forward, Unembed.forward = embed, pos_embed, unembed
""",
    ),
    Variant(
        "slice_of_the_table",
        """
def pos_embed(self, tokens, start=0):
    batch, seq = tokens.shape
    if not torch.is_tensor(start):
        pads = min(seq, max(0, -start))
        first = max(start, 0)
        rows = torch.cat([self.W_pos[:1].expand(pads, -1), self.W_pos[first : first + seq - pads]])
        return rows.expand(batch, -1, -1)
    return torch.cat([pos_embed(self, tokens[i : i + 1], int(start[i])) for i in range(batch)])


def unembed(self, x):
    return torch.addmm(self.b_U, x.flatten(0, 1), self.W_U).unflatten(0, x.shape[:2])


PosEmbed.forward, Unembed.forward = pos_embed, unembed
""",
    ),
    Variant(
        "sinusoids_stacked_and_flattened",
        """
def sinusoidal_positions(n_ctx, d_model):
    pairs = (d_model + 1) // 2
    speed = 10000.0 ** (-2 * torch.arange(pairs) / d_model)
    angle = torch.outer(torch.arange(n_ctx).to(speed), speed)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :d_model]
""",
    ),
    Variant(
        "sinusoids_through_exp_and_log",
        """
import math


def sinusoidal_positions(n_ctx, d_model):
    position = torch.arange(n_ctx).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
    pe = torch.zeros(n_ctx, d_model)
    pe[:, 0::2] = torch.sin(position * div_term)
    pe[:, 1::2] = torch.cos(position * div_term[: d_model // 2])
    return pe
""",
    ),
    Variant(
        "cosine_as_a_sine_a_quarter_turn_ahead",
        """
def sinusoidal_positions(n_ctx, d_model):
    column = torch.arange(d_model)
    angle = torch.arange(n_ctx)[:, None] * torch.pow(10000.0, -(column - column % 2) / d_model)
    return torch.sin(angle + (column % 2) * torch.pi / 2)
""",
    ),
    Variant(
        "sinusoids_from_powers_of_i",
        """
def sinusoidal_positions(n_ctx, d_model):
    column = torch.arange(d_model)
    angle = torch.arange(n_ctx)[:, None] / 10000 ** ((column // 2) * 2 / d_model)
    hand = torch.polar(torch.ones_like(angle), angle)
    return torch.where(column % 2 == 0, hand.imag, hand.real)
""",
    ),
)
