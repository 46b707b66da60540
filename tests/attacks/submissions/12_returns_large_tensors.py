# 12, wrong: tensors as large as a reply may be, again and again
import torch


def softmax(x, dim):
    return torch.zeros(31_000_000, dtype=torch.float64)


def log_softmax(x, dim):
    return torch.zeros(1_900_000, dtype=torch.float64)


def cross_entropy(logits, targets):
    return torch.zeros(10**9, dtype=torch.uint8)
