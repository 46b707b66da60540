"""Right answers to backprop, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "einsum",
        """
import torch


@torch.no_grad()
def linear_backward(x, W, grad):
    x_grad = torch.einsum("...o,io->...i", grad, W)
    return x_grad, torch.einsum("...i,...o->io", x, grad), torch.einsum("...o->o", grad)


def relu_backward(x, grad):
    return torch.where(x > 0, grad, 0.0)


def softmax_backward(y, grad):
    jacobian = torch.diag_embed(y) - y.unsqueeze(-1) * y.unsqueeze(-2)
    return torch.einsum("...ij,...j->...i", jacobian, grad)
""",
    ),
    Variant(
        "position_by_position",
        """
def linear_backward(x, W, grad):
    rows, arriving = x.reshape(-1, W.shape[0]), grad.reshape(-1, W.shape[1])
    W_grad, b_grad = torch.zeros_like(W), torch.zeros_like(W[0])
    x_grad = torch.zeros_like(rows)
    for i, (row, one) in enumerate(zip(rows, arriving)):
        x_grad[i] = W @ one
        W_grad += torch.outer(row, one)
        b_grad += one
    return x_grad.view(x.shape), W_grad, b_grad


def layer_norm_backward(x, w, eps, grad):
    w_grad, b_grad, x_grad = torch.zeros_like(w), torch.zeros_like(w), []
    for row, one in zip(x.reshape(-1, len(w)), grad.reshape(-1, len(w))):
        variance = row.var(correction=0)
        normalised = (row - row.mean()) * (variance + eps) ** -0.5
        w_grad, b_grad = w_grad + one * normalised, b_grad + one
        jacobian = torch.eye(len(w), dtype=x.dtype) - 1 / len(w) - torch.outer(normalised, normalised) / len(w)
        x_grad.append(jacobian @ (one * w) * (variance + eps) ** -0.5)
    return torch.stack(x_grad).reshape(x.shape), w_grad, b_grad


import torch
""",
    ),
    Variant(
        "in_place_on_copies",
        """
def relu_backward(x, grad):
    back = grad.clone()
    back[x <= 0] = 0
    return back


def cross_entropy_backward(logits, targets):
    n = logits.shape[-1]
    rows = logits.softmax(-1).reshape(-1, n)
    rows[torch.arange(len(rows)), targets.reshape(-1)] -= 1
    return rows.div_(len(rows)).reshape(logits.shape)


def softmax_backward(y, grad):
    back = y * grad
    back -= y * back.sum(-1, keepdim=True)
    return back


import torch
""",
    ),
    Variant(
        "step_by_step_through_the_variance",
        """
def layer_norm_backward(x, w, eps, grad):
    d, dims = x.shape[-1], list(range(x.dim() - 1))
    mean = x.mean(-1, keepdim=True)
    centred = x - mean
    variance = (centred * centred).sum(-1, keepdim=True) / d
    inverse = (variance + eps).rsqrt()
    normalised_grad = grad * w
    inverse_grad = (normalised_grad * centred).sum(-1, keepdim=True)
    variance_grad = inverse_grad * -0.5 * inverse**3
    centred_grad = normalised_grad * inverse + variance_grad * 2 * centred / d
    mean_grad = -centred_grad.sum(-1, keepdim=True)
    b_grad = grad.sum(dims) if dims else grad.clone()
    w_grad = (grad * centred * inverse).sum(dims) if dims else grad * centred * inverse
    return centred_grad + mean_grad / d, w_grad, b_grad
""",
    ),
    Variant(
        "log_probs_and_one_hot",
        """
def cross_entropy_backward(logits, targets):
    with torch.no_grad():
        probs = torch.exp(F.log_softmax(logits, dim=-1))
        came = F.one_hot(targets, logits.size(-1)).to(logits.dtype)
        return probs.sub(came).mul(1.0 / targets.numel())


def linear_backward(x, W, grad):
    positions = tuple(range(grad.ndim - 1))
    W_grad = torch.tensordot(x, grad, dims=(positions, positions))
    return F.linear(grad, W), W_grad, grad.sum_to_size(W.shape[1:]).reshape(-1)


import torch
from torch.nn import functional as F
""",
    ),
    Variant(
        "layer_norm_forward_by_the_library",
        """
def layer_norm_backward(x, w, eps, grad):
    normalised = torch.nn.functional.layer_norm(x, (x.shape[-1],), eps=eps)
    std = (x.var(-1, unbiased=False, keepdim=True) + eps).sqrt()
    g = w * grad
    g = g - normalised * (g * normalised).mean(-1, keepdim=True)
    g = g - g.mean(-1, keepdim=True)
    flat = (grad * normalised).flatten(0, -2) if x.ndim > 1 else (grad * normalised)[None]
    return g / std, flat.sum(0), grad.reshape(flat.shape).sum(0)


import torch
""",
    ),
)
