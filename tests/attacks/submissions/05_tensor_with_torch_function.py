# 5, wrong: a tensor whose operations all answer yes
import torch


class Yes(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        if name in ("equal", "allclose", "isclose", "eq", "all", "__bool__"):
            return True
        return super().__torch_function__(func, types, args, kwargs or {})


def softmax(x, dim):
    return x.exp().as_subclass(Yes)


def log_softmax(x, dim):
    return x.as_subclass(Yes)
