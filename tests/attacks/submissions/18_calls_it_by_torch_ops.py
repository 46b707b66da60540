# 18, right, library: calls the kernels themselves
import torch


def softmax(x, dim):
    check_logits(x, dim)
    return torch.ops.aten._softmax(x, dim, False)


def log_softmax(x, dim):
    check_logits(x, dim)
    return torch.ops.aten._log_softmax.default(x, dim, False)


def cross_entropy(logits, targets):
    check_targets(logits, targets)
    check_logits(logits, -1)
    return torch._C._nn.cross_entropy_loss(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))
