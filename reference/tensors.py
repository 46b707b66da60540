"""Tensors: tables of numbers with named axes, and the one notation that says what to do with them.

A word becomes a row with a single one in it. A dot product asks how alike two rows are. A matrix product
asks that of every row with every column, and with a one-hot row it looks up a row of a table. That is all
attention is made of, and Einstein summation writes each of these down in the same way:

    "batch q k, batch k d -> batch q d"

Read it by three rules. The letters name the axes. An axis that is missing after the arrow is summed over. An
axis of the same name, wherever it stands, is walked along together; all others are combined, each with each.

Sources: Einstein, "Die Grundlage der allgemeinen Relativitaetstheorie", 1916, section 5, for the convention;
Rogozhnikov, "Einops: Clear and Reliable Tensor Manipulations with Einstein-like Notation", 2022, for the notation with
whole words; Elhage et al., "A Mathematical Framework for Transformer Circuits", 2021, for a score as a bilinear form.
"""

import itertools
import math

import torch
from einops import einsum, rearrange
from jaxtyping import Float, Int
from torch import Tensor


def einsum_by_loops(pattern: str, *tensors: Tensor) -> Tensor:
    """What an einsum does, one number at a time: the three rules as loops. Slow, and easy to follow.

    `pattern` is of single letters, as in "bqk,bkd->bqd"; a letter may stand twice in one input ("ii->" is the trace).
    The arrow is needed, and there is no ellipsis.
    Raises `ValueError` when a letter stands for two lengths.
    """
    inputs, output = pattern.replace(" ", "").split("->")
    terms = inputs.split(",")
    size: dict[str, int] = {}  # of each letter, wherever it stands
    for term, tensor in zip(terms, tensors, strict=True):
        for a, n in zip(term, tensor.shape, strict=True):
            if size.setdefault(a, n) != n:
                raise ValueError(f"{a} is an axis of {size[a]} and of {n} in {pattern}; expected one length a letter")
    result = torch.zeros([size[a] for a in output], dtype=tensors[0].dtype)
    for place in itertools.product(*(range(n) for n in size.values())):
        at = dict(zip(size, place, strict=True))  # one value for each letter
        factors = (tensor[tuple(at[a] for a in term)] for term, tensor in zip(terms, tensors, strict=True))
        result[tuple(at[a] for a in output)] += math.prod(factors)
    return result


def one_hot(ids: Int[Tensor, "*axes"], n: int) -> Float[Tensor, "*axes n"]:
    """A row for each id: 0 everywhere but for a 1 in the column of that id. In PyTorch's default dtype.

    The ids may come in any shape; each becomes a row of `n`, and none at all become no rows.
    Raises `ValueError` when an id is not from 0 to n - 1.
    """
    # 1. Refuse ids that have no column
    if ids.numel() and not 0 <= ids.min() <= ids.max() < n:
        raise ValueError(f"ids run from {ids.min()} to {ids.max()}; expected none below 0 and all below n, {n}")
    # 2. The number of each column, compared with every id: *axes n
    is_id = ids.unsqueeze(-1) == torch.arange(n)
    # 3. True becomes 1, False 0: *axes n
    return is_id.to(torch.get_default_dtype())


def dot(a: Float[Tensor, "d"], b: Float[Tensor, "d"]) -> Float[Tensor, ""]:
    """The sum of the products of what stands in the same place: large when `a` and `b` point the same way.

    Raises `ValueError` when one is longer than the other.
    """
    # 1. Refuse vectors that do not match: a length of 1 would be stretched to the other's
    if a.shape != b.shape:
        raise ValueError(f"the vectors have lengths {len(a)} and {len(b)}; expected two of one length")
    # 2. Multiply place by place, then add up: a single number
    return (a * b).sum()


def lookup_by_matmul(table: Float[Tensor, "n d"], ids: Int[Tensor, "*axes"]) -> Float[Tensor, "*axes d"]:
    """The rows of `table` that belong to `ids`, found by a matrix product: this is what an embedding is.

    In the dtype of the table, and ids in any shape, as in `one_hot`.
    Raises `ValueError` when an id is not from 0 to n - 1.
    """
    # 1. A one-hot row for each id, in the table's dtype: *axes n
    rows = one_hot(ids, len(table)).to(table.dtype)
    # 2. Every row of the table times 0, but for one: *axes d
    return rows @ table


def batch_matmul(a: Float[Tensor, "batch i j"], b: Float[Tensor, "batch j k"]) -> Float[Tensor, "batch i k"]:
    """The matrix product of the first matrix of `a` with the first of `b`, of the second with the second, and so on.

    Sizes that fit are the caller's duty: an axis of length 1 would be stretched to the other's.
    """
    # 1. Walk along batch together, sum over j: batch i k
    return einsum(a, b, "batch i j, batch j k -> batch i k")


def outer(a: Float[Tensor, "i"], b: Float[Tensor, "j"]) -> Float[Tensor, "i j"]:
    """Every number of `a` times every number of `b`: nothing is summed."""
    # 1. Each with each: i j
    return einsum(a, b, "i, j -> i j")


def trace(a: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    """The sum along the diagonal of a square matrix; 0 when it has no rows.

    Raises `ValueError` when it is not square.
    """
    # 1. Refuse a matrix without a diagonal from corner to corner
    if a.ndim != 2 or a.shape[0] != a.shape[1]:
        raise ValueError(f"the matrix is {tuple(a.shape)}; expected as many rows as columns")
    # 2. One name for both axes walks along the diagonal; after the arrow it is missing: a single number
    return einsum(a, "n n ->")


def bilinear(
    x: Float[Tensor, "batch i"], W: Float[Tensor, "i j"], y: Float[Tensor, "batch j"]
) -> Float[Tensor, "batch"]:
    """How well `W` thinks that each row of `x` goes with the same row of `y`: x W y, one number a row.

    An attention score is just this, with W made of query and key weights (Elhage et al. 2021, "QK circuit").
    Sizes that fit are the caller's duty: an axis of length 1 would be stretched to the other's.
    """
    # 1. Three inputs, and only batch is named after the arrow: batch
    return einsum(x, W, y, "batch i, i j, batch j -> batch")


def split_heads(x: Float[Tensor, "batch seq d"], n_heads: int) -> Float[Tensor, "batch seq n_heads d_head"]:
    """Cut each vector into `n_heads` pieces of equal width: head 0 gets the first d_head numbers, and so on.

    Raises `ValueError` when `n_heads` is below 1 or does not divide d.
    """
    # 1. Refuse heads of unequal width
    d = x.shape[-1]
    if n_heads < 1 or d % n_heads:
        raise ValueError(f"d is {d} and n_heads is {n_heads}; expected a d that n_heads divides")
    # 2. Name two axes in the place of one, heads outside: batch seq n_heads d_head
    return rearrange(x, "batch seq (n_heads d_head) -> batch seq n_heads d_head", n_heads=n_heads)


def merge_heads(x: Float[Tensor, "batch seq n_heads d_head"]) -> Float[Tensor, "batch seq d"]:
    """Put the pieces of each vector side by side again: the inverse of `split_heads`."""
    # 1. One axis in the place of two, heads outside: batch seq d
    return rearrange(x, "batch seq n_heads d_head -> batch seq (n_heads d_head)")


def weighted_sum(weights: Float[Tensor, "batch q k"], values: Float[Tensor, "batch k d"]) -> Float[Tensor, "batch q d"]:
    """For each query, the values of all keys added up, each times the weight that this query gives it.

    Sizes that fit are the caller's duty: an axis of length 1 would be stretched to the other's.
    """
    # 1. Walk along batch together, sum over the keys: batch q d
    return einsum(weights, values, "batch q k, batch k d -> batch q d")
