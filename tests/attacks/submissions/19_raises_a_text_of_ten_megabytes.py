# 19, wrong: an exception whose text has ten megabytes, and a name that is as long
def softmax(x, dim):
    raise ValueError("x" * 10_000_000)


def log_softmax(x, dim):
    raise type("N" * 10_000_000, (Exception,), {})("=1+1\n" * 1_000_000)


def cross_entropy(logits, targets):
    raise ExceptionGroup("g" * 10**6, [ValueError("y" * 10**6) for _ in range(10)])
