# 2, wrong: takes the expected value from whoever called it
import sys


def softmax(x, dim):
    frame = sys._getframe()
    while frame is not None:
        for names in (frame.f_locals, frame.f_globals):
            for name in ("expected", "reference", "answers", "expect"):
                if name in names:
                    value = names[name]
                    return value.softmax(x, dim) if hasattr(value, "softmax") else value
        frame = frame.f_back
    return x.exp()
