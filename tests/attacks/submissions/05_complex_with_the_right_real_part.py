# 5, wrong: complex numbers, halves and gradients' own views in the place of floats
import torch


def softmax(x, dim):
    right = (x - x.amax(dim=dim, keepdim=True)).exp()
    return torch.complex(right / right.sum(dim=dim, keepdim=True), torch.ones_like(x))


def log_softmax(x, dim):
    return x.half()


def cross_entropy(logits, targets):
    return torch.view_as_complex(torch.ones(2).double()).conj().imag
