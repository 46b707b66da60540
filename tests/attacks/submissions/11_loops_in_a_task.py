# 11, wrong: an endless loop in every task
def softmax(x, dim):
    while True:
        pass


def log_softmax(x, dim):
    while True:
        pass


def cross_entropy(logits, targets):
    while True:
        pass
