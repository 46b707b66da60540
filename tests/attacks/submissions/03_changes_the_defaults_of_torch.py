# 3, wrong: changes what every later operation of its process does
import torch
from torch.overrides import TorchFunctionMode

torch.set_default_dtype(torch.float16)
torch.set_printoptions(precision=0)
torch.set_grad_enabled(False)


class Yes(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        if getattr(func, "__name__", "") in ("equal", "allclose"):
            return True
        return func(*args, **(kwargs or {}))


Yes().__enter__()
torch.set_default_device("meta")
