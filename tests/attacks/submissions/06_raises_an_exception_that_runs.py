# 6, wrong: exceptions whose text, class and attributes are code
class Runs(Exception):
    def __reduce__(self):
        return open, (FOLDER + "/executed", "w")

    @property
    def msg(self):
        return self

    def __str__(self):
        raise SystemExit(0)


def softmax(x, dim):
    raise Runs


def log_softmax(x, dim):
    raise type("__import__('os')._exit(0)", (Exception,), {"__str__": lambda self: "{0.__class__}{x!r:%s}"})
