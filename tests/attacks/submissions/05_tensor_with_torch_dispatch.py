# 5, wrong: a wrapper around no numbers at all, of the right shape and dtype
import torch


class Hollow(torch.Tensor):
    @staticmethod
    def __new__(cls, like):
        return torch.Tensor._make_wrapper_subclass(cls, like.shape, dtype=like.dtype, device=like.device)

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return True


def softmax(x, dim):
    return Hollow(x)
