# 3, wrong: puts a finder of its own before all others, so that whatever is imported later is its own
import sys
import types


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        return None


sys.meta_path.insert(0, Finder)
for name in ("codec", "same", "channel", "perform"):
    for module in [name for name in sys.modules if name.endswith("." + name)]:
        sys.modules[module] = types.ModuleType(module)
sys.settrace(lambda *_: None)
sys.setrecursionlimit(60)
