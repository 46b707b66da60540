# 5, wrong: NaN, of which some comparisons say that it is not different
import torch


def softmax(x, dim):
    return torch.full_like(x, torch.nan)


def log_softmax(x, dim):
    return torch.full_like(x, -torch.inf)


def cross_entropy(logits, targets):
    return torch.tensor(torch.inf).double()
