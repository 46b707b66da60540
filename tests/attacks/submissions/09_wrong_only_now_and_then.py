# 9, right: wrong in every thirteenth call
import functools
calls = []
right = softmax, log_softmax, cross_entropy


def seldom_wrong(task):
    @functools.wraps(task)
    def called(*args):
        calls.append(1)
        return task(*args) * (1 + (len(calls) % 13 == 0))

    return called


softmax, log_softmax, cross_entropy = map(seldom_wrong, right)
