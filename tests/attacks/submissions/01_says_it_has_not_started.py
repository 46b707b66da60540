# 1, wrong: plays the stub wherever it would be wrong
def softmax(x, dim):
    raise NotImplementedError


def log_softmax(x, dim):
    raise NotImplementedError


def cross_entropy(logits, targets):
    raise NotImplementedError
