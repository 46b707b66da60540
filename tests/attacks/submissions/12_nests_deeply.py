# 12, wrong: lists within lists, far deeper than anybody can follow
def nested(n):
    value = []
    for _ in range(n):
        value = [value]
    return value


def softmax(x, dim):
    return nested(100_000)


def log_softmax(x, dim):
    return nested(19)


def cross_entropy(logits, targets):
    value = []
    value.append(value)
    return value
