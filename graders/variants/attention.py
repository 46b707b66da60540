"""Right answers to attention, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "matmul_with_transposes",
        """
def attention_scores(q, k):
    return q.transpose(1, 2) @ k.permute(0, 2, 3, 1) * q.size(-1) ** -0.5


def mix_values(pattern, v):
    return (pattern @ v.transpose(1, 2)).transpose(1, 2)
""",
    ),
    Variant(
        "torch_einsum_with_ellipsis",
        """
def attention_scores(q, k):
    return torch.einsum("...qhe,...khe->...hqk", q, k).div(math.sqrt(k.shape[-1]))


def mix_values(pattern, v):
    return torch.einsum("bhqk,bkhe->bqhe", pattern, v)


import math
""",
    ),
    Variant(
        "scores_scaled_last",
        """
def attention_scores(q, k):
    return einsum(q, k, "b q h e, b k h e -> b h q k") / q.shape[-1] ** 0.5
""",
    ),
    Variant(
        "triangle_added",
        """
def apply_causal_mask(scores):
    n_queries, n_keys = scores.shape[-2:]
    return scores + torch.full((n_queries, n_keys), float("-inf"), dtype=scores.dtype).triu(1 + n_keys - n_queries)
""",
    ),
    Variant(
        "tril_where",
        """
def apply_causal_mask(scores):
    n_queries, n_keys = scores.shape[-2:]
    visible = torch.ones(n_queries, n_keys, dtype=torch.bool).tril(n_keys - n_queries)
    return torch.where(visible, scores, -torch.inf)
""",
    ),
    Variant(
        "softmax_by_hand",
        """
def attention_pattern(scores):
    powers = (scores - scores.max(dim=-1, keepdim=True).values).exp()
    return powers / powers.sum(-1, keepdim=True)
""",
    ),
    Variant(
        "softmax_through_logsumexp",
        """
def attention_pattern(scores):
    return (scores - scores.logsumexp(-1, keepdim=True)).exp()
""",
    ),
    Variant(
        "heads_folded_into_one_projection",
        """
def forward(self, x):
    n_heads, d_model, d_head = self.W_Q.shape
    folded = torch.cat([W.permute(1, 0, 2).reshape(d_model, -1) for W in (self.W_Q, self.W_K, self.W_V)], dim=1)
    bias = torch.cat([self.b_Q.flatten(), self.b_K.flatten(), self.b_V.flatten()])
    q, k, v = (x @ folded + bias).unflatten(-1, (3, n_heads, d_head)).unbind(-3)
    z = mix_values(attention_pattern(apply_causal_mask(attention_scores(q, k))), v)
    return z.flatten(-2) @ self.W_O.reshape(-1, d_model) + self.b_O


Attention.forward = forward
""",
    ),
    Variant(
        "loop_over_heads",
        """
def forward(self, x):
    out = self.b_O
    for head in range(self.W_Q.shape[0]):
        q = x @ self.W_Q[head] + self.b_Q[head]
        k = x @ self.W_K[head] + self.b_K[head]
        v = x @ self.W_V[head] + self.b_V[head]
        scores = q @ k.mT / k.shape[-1] ** 0.5
        future = torch.ones(x.shape[1], x.shape[1]).triu(1).bool()
        out = out + scores.masked_fill(future, float("-inf")).softmax(-1) @ v @ self.W_O[head]
    return out


Attention.forward = forward
""",
    ),
    Variant(
        "loops_over_tokens",
        """
def forward(self, x):
    rows = []
    for row in x:
        outs = []
        for q_pos in range(len(row)):
            seen = row[: q_pos + 1]
            out = self.b_O
            for W_Q, W_K, W_V, W_O, b_Q, b_K, b_V in zip(
                self.W_Q, self.W_K, self.W_V, self.W_O, self.b_Q, self.b_K, self.b_V
            ):
                scores = (seen @ W_K + b_K) @ (row[q_pos] @ W_Q + b_Q) / W_Q.shape[-1] ** 0.5
                out = out + scores.softmax(0) @ (seen @ W_V + b_V) @ W_O
            outs.append(out)
        rows.append(torch.stack(outs))
    return torch.stack(rows)


Attention.forward = forward
""",
    ),
    Variant(
        "masked_after_softmax_then_renormalised",
        """
def forward(self, x):
    q, k, v = (einsum(x, W, "b s d, h d e -> b s h e") + b for W, b in (
        (self.W_Q, self.b_Q), (self.W_K, self.b_K), (self.W_V, self.b_V)))
    scores = attention_scores(q, k)
    seen = torch.ones(x.shape[1], x.shape[1]).tril()
    # each query's largest *visible* score is taken off first, or what is left could all underflow
    largest = scores.masked_fill(seen == 0, float("-inf")).amax(-1, keepdim=True)
    weights = (scores - largest).clamp(max=0).exp() * seen
    z = mix_values(weights / weights.sum(-1, keepdim=True), v)
    return einsum(z, self.W_O, "b s h e, h e d -> b s d") + self.b_O


Attention.forward = forward
""",
    ),
    Variant(
        "key_bias_left_out",
        """
def forward(self, x):
    q = einsum(x, self.W_Q, "b s d, h d e -> b s h e") + self.b_Q
    k = einsum(x, self.W_K, "b s d, h d e -> b s h e")
    v = einsum(x, self.W_V, "b s d, h d e -> b s h e") + self.b_V
    z = mix_values(attention_pattern(apply_causal_mask(attention_scores(q, k))), v)
    return einsum(z, self.W_O, "b s h e, h e d -> b s d") + self.b_O


Attention.forward = forward
""",
    ),
    Variant(
        "scaled_after_the_mask",
        """
def forward(self, x):
    q = einsum(x, self.W_Q, "b s d, h d e -> b s h e") + self.b_Q
    k = einsum(x, self.W_K, "b s d, h d e -> b s h e") + self.b_K
    v = einsum(x, self.W_V, "b s d, h d e -> b s h e") + self.b_V
    scores = apply_causal_mask(torch.einsum("bqhe,bkhe->bhqk", q, k)) / q.shape[-1] ** 0.5
    z = mix_values(attention_pattern(scores), v)
    return einsum(z, self.W_O, "b s h e, h e d -> b s d") + self.b_O


Attention.forward = forward
""",
    ),
    Variant(
        "value_bias_added_to_the_mixture",
        """
def forward(self, x):
    q = torch.einsum("bsd,hde->bhse", x, self.W_Q) + self.b_Q[:, None]
    k = torch.einsum("bsd,hde->bhse", x, self.W_K) + self.b_K[:, None]
    v = torch.einsum("bsd,hde->bhse", x, self.W_V)
    scores = (q @ k.mT) / math.sqrt(q.shape[-1])
    future = torch.triu(torch.ones_like(scores, dtype=torch.bool), diagonal=1)
    z = torch.softmax(scores.masked_fill(future, -math.inf), -1) @ v + self.b_V[:, None]
    return torch.einsum("bhse,hed->bsd", z, self.W_O) + self.b_O


import math

Attention.forward = forward
""",
    ),
)
