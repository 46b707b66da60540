# 18, right, library: calls the library's softmax by its names
import torch
from torch.nn import functional as F


def softmax(x, dim):
    check_logits(x, dim)
    return torch.softmax(x, dim=dim)


def log_softmax(x, dim):
    check_logits(x, dim)
    return x.log_softmax(dim)


def cross_entropy(logits, targets):
    check_targets(logits, targets)
    check_logits(logits, -1)
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))
