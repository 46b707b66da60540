# 19, wrong: texts with halves of characters, which no file and no database takes
HALF = "\ud800 and \udfff"


def softmax(x, dim):
    print(HALF)
    raise ValueError(HALF)


def log_softmax(x, dim):
    return {HALF: HALF}


def cross_entropy(logits, targets):
    raise type("Half", (Exception,), {"__qualname__": "x", "__module__": HALF, "__str__": lambda self: HALF})
