"""NAME: numbers become shares, which add up to one along each row.

Counts turn into frequencies so, and votes into a mixture: whatever the numbers of a row add up to, each is divided by
it. What was twice another number is still twice as much.

Source: Shannon, "A Mathematical Theory of Communication", 1948, section 2: how often a letter follows another, as a
probability.
"""

from jaxtyping import Float
from torch import Tensor


def normalise(x: Float[Tensor, "batch n"]) -> Float[Tensor, "batch n"]:
    """Each number over the sum of its row: shares that add up to one along each row.

    `x` holds positive numbers, and is not changed. Gradients flow through it. Source: Shannon 1948, section 2.
    """
    # 1. What each row adds up to: batch 1
    total = x.sum(dim=1, keepdim=True)
    # 2. The share that each number has in its row: batch n
    return x / total
