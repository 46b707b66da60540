# 5, wrong: a plain tensor until it is looked at, and then one that lies
import torch


class Liar(torch.Tensor):
    @property
    def shape(self):
        return torch.Size([2])

    def detach(self):
        return self

    def cpu(self):
        return torch.zeros(1)


def softmax(x, dim):
    out = x.exp()
    out.__class__ = Liar
    return out


class Pretends:
    __class__ = torch.Tensor
    dtype, layout = torch.float64, torch.strided


def log_softmax(x, dim):
    return Pretends()
