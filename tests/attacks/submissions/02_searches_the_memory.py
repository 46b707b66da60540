# 2, wrong: looks for the solution among all objects that are alive
import gc
import sys


def found(name, own):
    for module in list(sys.modules.values()):
        other = getattr(module, name, None) if "softmax" in str(getattr(module, "__name__", "")) else None
        if other is not None and module.__name__ != __name__ and not module.__name__.startswith("torch"):
            return other
    for thing in gc.get_objects():
        if type(thing).__name__ == "function" and thing.__name__ == name and thing.__globals__ is not globals():
            if "torch" not in thing.__module__ and thing.__code__.co_argcount == own.__code__.co_argcount:
                return thing
    return own


softmax = found("softmax", softmax)
log_softmax = found("log_softmax", log_softmax)
cross_entropy = found("cross_entropy", cross_entropy)
