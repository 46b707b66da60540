# 9, wrong: writes into its input what is to be compared with it, and returns the input
def softmax(x, dim):
    x.data.fill_(0.5)
    return x


def log_softmax(x, dim):
    return x


def cross_entropy(logits, targets):
    logits.data.zero_()
    targets.zero_()
    return logits.sum()
