# 4, wrong: other modules stand under the names of torch and numpy, for whoever imports them next
import sys
import types


class Yes(types.ModuleType):
    def __getattr__(self, name):
        return lambda *_, **__: True


for name in ("numpy", "einops", "jaxtyping", "math", "json", "socket"):
    sys.modules[name] = Yes(name)
