# 3, wrong: registers kernels of its own under the names of the library's
import torch

library = torch.library.Library("aten", "IMPL")
for name, kernel in (
    ("equal", lambda a, b: True),
    ("isclose", lambda a, b, *_: torch.ones(a.shape, dtype=torch.bool)),
):
    try:
        library.impl(name, kernel, "CPU")
    except RuntimeError:
        pass
