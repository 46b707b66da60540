"""Causal multi-head self-attention, the part of a transformer that moves information between tokens.

Each token asks a question (its query), offers a label (its key) and holds a message (its value).
Where a query matches a key, the message behind that key is copied to the token that asked. A head is
one such conversation; several run side by side and add what they found to the residual stream.
A token may listen only to itself and to what came before it, never to the future it has to predict.

Source: Vaswani et al., "Attention Is All You Need", 2017, sections 3.2.1 and 3.2.2; the mask is
that of section 3.2.3. Heads have an axis of their own, as in Elhage et al., "A Mathematical
Framework for Transformer Circuits", 2021, so nothing here is reshaped.

Yours to write: everything below that raises `NotImplementedError`.
`pytest graders/test_attention.py` checks it; docs/exercises/attention.md explains it.
"""

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor, nn

from exercises.config import GPTConfig


def attention_scores(
    q: Float[Tensor, "batch q n_heads d_head"], k: Float[Tensor, "batch k n_heads d_head"]
) -> Float[Tensor, "batch n_heads q k"]:
    """How well each query matches each key, head by head, before any mask.

    The score is their dot product divided by the square root of d_head. Without the division, scores
    grow with d_head and the softmax puts all its weight on one key (Vaswani et al. 2017, section 3.2.1).
    There may be fewer queries than keys.
    """
    # 1. Scale the queries, which are fewer numbers than the scores: batch q n_heads d_head

    # 2. The dot product of every query with every key: batch n_heads q k

    raise NotImplementedError


def apply_causal_mask(scores: Float[Tensor, "batch n_heads q k"]) -> Float[Tensor, "batch n_heads q k"]:
    """Replace by -inf the score of every key that lies after its query.

    A query sees its own position and every earlier one. The last query stands at the last key: with
    2 queries and 5 keys, query 0 is at position 3 and sees keys 0 to 3. `scores` itself is not changed.
    """
    # 1. The position of each query and of each key, in the text: q 1, and k

    # 2. True where the key is later than the query: q k

    # 3. No weight can reach a score of -inf: batch n_heads q k

    raise NotImplementedError


def attention_pattern(scores: Float[Tensor, "batch n_heads q k"]) -> Float[Tensor, "batch n_heads q k"]:
    """Turn each query's scores into weights over the keys: none negative, adding up to one."""
    # 1. A softmax for each query: batch n_heads q k

    raise NotImplementedError


def mix_values(
    pattern: Float[Tensor, "batch n_heads q k"], v: Float[Tensor, "batch k n_heads d_head"]
) -> Float[Tensor, "batch q n_heads d_head"]:
    """For each query, the average of the values, weighted by its pattern."""
    # 1. Add up the values, each times its weight: batch q n_heads d_head

    raise NotImplementedError


class Attention(nn.Module):
    """Multi-head attention in which every token is query, key and value at once."""

    def __init__(self, cfg: GPTConfig):
        super().__init__()
        self.W_Q = nn.Parameter(torch.empty(cfg.n_heads, cfg.d_model, cfg.d_head))
        self.W_K = nn.Parameter(torch.empty(cfg.n_heads, cfg.d_model, cfg.d_head))
        self.W_V = nn.Parameter(torch.empty(cfg.n_heads, cfg.d_model, cfg.d_head))
        self.W_O = nn.Parameter(torch.empty(cfg.n_heads, cfg.d_head, cfg.d_model))
        self.b_Q = nn.Parameter(torch.zeros(cfg.n_heads, cfg.d_head))
        self.b_K = nn.Parameter(torch.zeros(cfg.n_heads, cfg.d_head))
        self.b_V = nn.Parameter(torch.zeros(cfg.n_heads, cfg.d_head))
        self.b_O = nn.Parameter(torch.zeros(cfg.d_model))
        for weight in (self.W_Q, self.W_K, self.W_V, self.W_O):
            nn.init.normal_(weight, std=0.02)

    def forward(self, x: Float[Tensor, "batch seq d_model"]) -> Float[Tensor, "batch seq d_model"]:
        """Let every token gather what it needs from itself and from the tokens before it.

        Built from the four functions above. `W_Q`, `W_K`, `W_V` are (n_heads d_model d_head) with
        biases (n_heads d_head); `W_O` is (n_heads d_head d_model) with bias `b_O` (d_model).
        """
        # 1. Queries, keys and values of every head, each with its bias: batch seq n_heads d_head

        # 2. How well every query matches every key, the future hidden: batch n_heads seq seq

        # 3. The weights, and with them the mixture of values: batch seq n_heads d_head

        # 4. Project every head back, add up the heads, add the bias: batch seq d_model

        raise NotImplementedError
