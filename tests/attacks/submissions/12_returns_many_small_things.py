# 12, wrong: a list of millions of items, each of which is larger where it is read than where it is written
def softmax(x, dim):
    return [[]] * 40_000_000


def log_softmax(x, dim):
    return {str(i): {} for i in range(300_000)}


def cross_entropy(logits, targets):
    return "x" * 200_000_000
