"""Cases of vectors, matrices and ids, for the laws of tensors."""

from typing import Any

from torch import Tensor

from graders.engine.space import Case, Fixed, Space, fixed, given_case, space

FEW = 3  # cases of a law on gradients
# Of ids of up to three axes: the last varies
OUTER_AXES = {"blocks": 2, "batch": 3}


def ids_below(case: Case, n: int, axes: int, length: int) -> Tensor:
    """Ids from 0 to n - 1: a single one without axes, or of up to three axes, the last of any length, 0 included."""
    lengths = [*OUTER_AXES.items(), ("seq", length)][3 - axes :]
    return case.integers("ids", below=n, **dict(lengths))


@space(axes=(0, 3, 1), length=(0, 4, 2), n=(1, 6, 3))
def words(case, axes, length, n):
    """Ids of any number of axes, none included, and how many ids there are."""
    ids_below(case, n, axes, length)
    case.show("n", n)


@space(axes=(0, 3, 1), length=(0, 4, 2), n=(1, 6, 3), d=(1, 4))
def tables(case, axes, length, n, d):
    """A table of n rows, and ids of any number of axes."""
    case.tensor("table", n=n, d=d)
    ids_below(case, n, axes, length)


@space(d=(1, 7))
def vectors(case, d):
    """Two vectors of one length."""
    case.tensor("a", d=d)
    case.tensor("b", d=d)


@space(batch=(1, 3), i=(1, 4), j=(1, 4), k=(1, 4))
def stacks(case, batch, i, j, k):
    """Two stacks of matrices that can be multiplied, square or not."""
    case.tensor("a", batch=batch, i=i, j=j)
    case.tensor("b", batch=batch, j=j, k=k)


@space(i=(1, 5), j=(1, 5))
def two_vectors(case, i, j):
    """Two vectors of any two lengths."""
    case.tensor("a", i=i)
    case.tensor("b", j=j)


@space(n=(0, 5, 2))
def squares(case, n):
    """A square matrix, down to the one without a number in it."""
    case.tensor("a", rows=n, columns=n)


@space(batch=(1, 3), i=(1, 4), j=(1, 4))
def forms(case, batch, i, j):
    """Rows on both sides of a matrix."""
    case.tensor("x", batch=batch, i=i)
    case.tensor("W", i=i, j=j)
    case.tensor("y", batch=batch, j=j)


@space(batch=(1, 3), seq=(1, 4), n_heads=(1, 4), d_head=(1, 4))
def streams(case, batch, seq, n_heads, d_head):
    """Vectors to be cut into heads."""
    case.tensor("x", batch=batch, seq=seq, d=n_heads * d_head)
    case.show("n_heads", n_heads)


@space(batch=(1, 3), seq=(1, 4), n_heads=(1, 4), d_head=(1, 4))
def heads(case, batch, seq, n_heads, d_head):
    """Vectors that are cut into heads."""
    case.tensor("x", batch=batch, seq=seq, n_heads=n_heads, d_head=d_head)


@space(batch=(1, 3), q=(1, 4), k=(1, 4), d=(1, 4))
def mixtures(case, batch, q, k, d):
    """Weights of any size and sign, and values."""
    case.tensor("weights", batch=batch, q=q, k=k)
    case.tensor("values", batch=batch, k=k, d=d)


def few(cases: Space) -> Fixed:
    """Three cases of a space, of sizes that differ."""
    return fixed(lambda where: list(cases.further(FEW)))


def large(cases: Space, **sizes: int) -> Fixed:
    """One case beyond the sizes of a space, in float32."""
    return fixed(lambda where: [cases.in_float32().case(1, **sizes)])


def examples(*inputs: dict[str, Any]) -> Fixed:
    """Cases that are not drawn, each as what goes in and, as `expected`, what comes of it or is wrong with it."""
    return fixed(lambda where: [given_case(**given) for given in inputs])
