# 5, wrong: what every tensor says of itself is changed, so that a result has any shape
import torch

torch.Tensor.numel = lambda self: 0
torch.Tensor.resolve_conj = lambda self: self.exp()
torch.Tensor.contiguous = lambda self, **_: self
torch.Tensor.reshape = lambda self, *_: torch.ones(0)
