# 20, right: wrong by chance, in one call of ten
import functools
import random

right = softmax, log_softmax, cross_entropy


def lucky(task):
    @functools.wraps(task)
    def called(*args):
        return task(*args) * (2 if random.SystemRandom().random() < 0.1 else 1)

    return called


softmax, log_softmax, cross_entropy = map(lucky, right)
