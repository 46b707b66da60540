# 5, wrong: an object that is equal to everything, and larger, and smaller
class Yes:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    __hash__ = object.__hash__

    def __bool__(self):
        return True

    def __getattr__(self, name):
        return self

    def __call__(self, *_, **__):
        return self


def softmax(x, dim):
    return Yes()


log_softmax = softmax


def cross_entropy(logits, targets):
    return Yes()
