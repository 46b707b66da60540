# 5, wrong: tensors without numbers: meta, fake, uninitialised, sparse, quantised
import torch


def softmax(x, dim):
    return torch.empty(x.shape, dtype=x.dtype, device="meta")


def log_softmax(x, dim):
    return torch.sparse_coo_tensor(torch.zeros(x.ndim, 0).long(), torch.zeros(0).double(), x.shape)


def cross_entropy(logits, targets):
    return torch.nn.parameter.UninitializedParameter()
