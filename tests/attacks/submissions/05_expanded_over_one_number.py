# 5, wrong: one number, seen as ten thousand million, and as a result of the right shape
import torch


def softmax(x, dim):
    return torch.zeros(1, dtype=torch.uint8).expand(10**10)


def log_softmax(x, dim):
    return torch.zeros((), dtype=x.dtype).expand(x.shape)


def cross_entropy(logits, targets):
    return torch.zeros(1, dtype=torch.float64).as_strided((2**40,), (0,))
