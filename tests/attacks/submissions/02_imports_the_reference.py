# 2, wrong: imports the solution by its name, in every way there is
import importlib
import sys


def found(name):
    for way in (importlib.import_module, __import__):
        for module in ("reference.softmax", "headstart.reference.softmax", "reference"):
            try:
                way(module)
                return getattr(sys.modules["reference.softmax"], name)
            except Exception:
                pass
    return globals()["wrong_" + name]


wrong_softmax, wrong_log_softmax, wrong_cross_entropy = softmax, log_softmax, cross_entropy
softmax, log_softmax, cross_entropy = map(found, ("softmax", "log_softmax", "cross_entropy"))
