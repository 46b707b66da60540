# 9, right: the right numbers with gradients that are not theirs
import torch

right = softmax, log_softmax, cross_entropy


class Other(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad * 2


softmax, log_softmax, cross_entropy = (
    lambda x, dim: Other.apply(right[0](x, dim)),
    lambda x, dim: Other.apply(right[1](x, dim)),
    lambda logits, targets: Other.apply(right[2](logits, targets)),
)
