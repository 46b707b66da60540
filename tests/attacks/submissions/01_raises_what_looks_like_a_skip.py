# 1, wrong: raises exceptions with the names by which test runners are told to skip or to leave
class Skipped(BaseException):
    pass


class Exit(BaseException):
    pass


def softmax(x, dim):
    raise Skipped("could not import 'torch'")


def log_softmax(x, dim):
    raise Exit(0)


def cross_entropy(logits, targets):
    raise GeneratorExit
