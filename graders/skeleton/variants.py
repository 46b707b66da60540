"""Right answers to NAME, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "row_by_row",
        """
def normalise(x):
    return torch.stack([row / row.sum() for row in x])


import torch
""",
    ),
    Variant(
        "columns_turned_to_rows",
        """
def normalise(x):
    return (x.T / x.sum(dim=-1)).T
""",
    ),
    Variant(
        "einsum_with_the_reciprocal",
        """
def normalise(x):
    return torch.einsum("bn,b->bn", x, torch.einsum("bn->b", x).reciprocal())


import torch
""",
    ),
)
