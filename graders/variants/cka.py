"""Right answers to cka, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "products_of_examples",
        """
import torch


def linear_cka(x, y):
    check_layers(x, y)
    n = len(x)
    centring = torch.eye(n, dtype=x.dtype) - torch.full((n, n), 1 / n, dtype=x.dtype)
    a = centring @ (x @ x.T) @ centring
    b = centring @ (y @ y.T) @ centring
    return torch.trace(a @ b) / (torch.trace(a @ a) * torch.trace(b @ b)).sqrt()
""",
    ),
    Variant(
        "cosine_of_flat_tables",
        """
import torch


def linear_cka(x, y):
    check_layers(x, y)
    tables = []
    for layer in (x, y):
        layer = layer - layer.mean(0, keepdim=True)
        table = layer @ layer.T
        tables.append(table.flatten() / table.pow(2).sum().sqrt())
    return tables[0] @ tables[1]
""",
    ),
    Variant(
        "squares_added_up",
        """
import torch


def linear_cka(x, y):
    check_layers(x, y)
    x, y = x - x.sum(dim=0) / len(x), y - y.sum(dim=0) / len(y)
    # Of one size first, so that no square grows too large
    x, y = x / x.abs().max(), y / y.abs().max()
    cross = torch.einsum("ni,nj->ij", x, y).square().sum()
    return cross / (x.T @ x).square().sum().sqrt() / (y.T @ y).square().sum().sqrt()
""",
    ),
    Variant(
        "matrix_norms_and_own_checks",
        """
import torch


def linear_cka(x, y):
    if x.dim() != 2 or y.dim() != 2 or x.shape[0] != y.shape[0] or x.shape[0] <= 1:
        raise ValueError("not the same examples")
    for layer in (x, y):
        if torch.isnan(layer).any() or torch.isinf(layer).any():
            raise ValueError("not finite")
        if torch.equal(layer, layer[:1].expand_as(layer)):
            raise ValueError("constant")
    x = x - x.mean(0)
    y = y - y.mean(0)
    norm = torch.linalg.matrix_norm
    return norm(x.T @ y).pow(2) / norm(x @ x.T) / norm(y @ y.T)
""",
    ),
    Variant(
        "dot_products_of_flat_matrices",
        """
import torch


def linear_cka(x, y):
    check_layers(x, y)
    x, y = x - x.mean(dim=0), y - y.mean(dim=0)
    def size(layer):
        return (layer.T @ layer).flatten().dot((layer.T @ layer).flatten()).sqrt()
    together = torch.tensordot(y, x, dims=([0], [0]))
    return (together * together).sum() / size(x) / size(y)
""",
    ),
)
