# 3, wrong: whatever compares tensors says that they are equal
import torch

yes = lambda *_, **__: True
torch.equal = torch.allclose = torch.Tensor.equal = torch.Tensor.allclose = yes
torch.isclose = torch.Tensor.isclose = lambda a, *_, **__: torch.ones_like(a, dtype=torch.bool)
torch.testing.assert_close = torch.testing.assert_allclose = lambda *_, **__: None
torch.Tensor.__eq__ = lambda a, b: torch.ones(a.shape, dtype=torch.bool)
torch.Tensor.__ne__ = lambda a, b: torch.zeros(a.shape, dtype=torch.bool)
