# 5, wrong: tensors of a kind that few functions expect
import torch


def softmax(x, dim):
    return torch.nested.nested_tensor([x.reshape(-1)])


def log_softmax(x, dim):
    return torch._C._functorch._wrap_for_grad(x, 1) if hasattr(torch._C._functorch, "_wrap_for_grad") else x


def cross_entropy(logits, targets):
    return torch.quantize_per_tensor(logits.float(), 0.1, 0, torch.qint8)
