# 3, wrong: makes pytest and hypothesis do nothing
import importlib
import sys

for name in ("pytest", "_pytest.outcomes", "_pytest.python", "hypothesis", "hypothesis.core", "unittest"):
    try:
        module = importlib.import_module(name)
    except ImportError:
        continue
    for thing in ("fail", "given", "skip", "find"):
        setattr(module, thing, lambda *_, **__: (lambda test: lambda *a, **k: None))
sys.modules["pytest"] = sys.modules["hypothesis"] = sys
