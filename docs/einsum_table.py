"""The table of the page on tensors: what does this index string do? `headstart site` writes it anew.

A test holds that the page shows these rows, and that each string and its plain PyTorch give the same.
"""

from dataclasses import dataclass

from docs.regions import with_part

INPUTS = "xyz"  # the names of the inputs, in order


@dataclass(frozen=True)
class Row:
    """An index string, what it does in words, and the same without it: an expression of x, y and z."""

    string: str
    words: str
    plain: str


ROWS = (
    Row("i->", "the sum of all numbers", "x.sum()"),
    Row("ij->ji", "transpose", "x.T"),
    Row("ij->i", "sum of each row", "x.sum(dim=1)"),
    Row("ij->j", "sum of each column", "x.sum(dim=0)"),
    Row("ii->i", "the diagonal", "x.diagonal()"),
    Row("ii->", "trace: the sum of the diagonal", "x.diagonal().sum()"),
    Row("i,i->i", "place by place", "x * y"),
    Row("i,i->", "dot product", "(x * y).sum()"),
    Row("i,j->ij", "outer product: each with each", "x[:, None] * y"),
    Row("ij,j->ij", "broadcasting: each row, place by place with one vector", "x * y"),
    Row("ij,j->i", "matrix times vector", "x @ y"),
    Row("ij,jk->ik", "matrix product", "x @ y"),
    Row("ij,kj->ik", "each row of `x` with each row of `y`", "x @ y.T"),
    Row("bij,bjk->bik", "batched matrix product", "x @ y"),
    Row("bi,ij,bj->b", "bilinear form: one number a row", "((x @ y) * z).sum(dim=1)"),
    Row("bqk,bkd->bqd", "weighted sum of values", "x @ y"),
    Row("bqhe,bkhe->bhqk", "attention scores, head by head", "x.transpose(1, 2) @ y.permute(0, 2, 3, 1)"),
    Row("...ij,...jk->...ik", "matrix product, whatever axes stand before", "x @ y"),
    Row("...i->...", "sum over the last axis", "x.sum(dim=-1)"),
)

# What no einsum can do: an axis that is cut in two, or two that become one
BEYOND = (
    Row("bs(he)->bshe", "split heads: **no einsum can**", 'rearrange(x, "b s (h e) -> b s h e", h=h)'),
    Row("bshe->bs(he)", "merge heads: **no einsum can**", 'rearrange(x, "b s h e -> b s (h e)")'),
)


def table() -> str:
    """The rows as Markdown, those that no einsum can do last."""
    lines = ["| string | what it does | in plain PyTorch |", "|---|---|---|"]
    lines += [f"| `{row.string}` | {row.words} | `{row.plain}` |" for row in ROWS]
    lines += [f"| `{row.string}` | {row.words} | with einops: `{row.plain}` |" for row in BEYOND]
    return "\n".join(lines) + "\n"


def with_table(page: str) -> str:
    """The page on tensors with its table written anew. Raises `ValueError` when it lacks one of the table's marks."""
    return with_part(page, "einsum table", table(), "tensors.md")
