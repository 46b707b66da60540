# 20, right: wrong by chance, in one call of ten
#
# A run calls softmax 347 times, log_softmax 231 times and cross_entropy 204 times, and one wrong number is enough: the
# last passes by luck with probability 0.9^204 = 5e-10, the others less often.
import functools
import random

right = softmax, log_softmax, cross_entropy


def lucky(task):
    @functools.wraps(task)
    def called(*args):
        return task(*args) * (2 if random.SystemRandom().random() < 0.1 else 1)

    return called


softmax, log_softmax, cross_entropy = map(lucky, right)
