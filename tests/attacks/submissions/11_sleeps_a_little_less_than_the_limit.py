# 11, right: sleeps in every call, always a little less than one call may take
import functools
import time

right = softmax, log_softmax, cross_entropy


def slow(task):
    @functools.wraps(task)
    def called(*args):
        time.sleep(1.7)
        return task(*args)

    return called


softmax, log_softmax, cross_entropy = map(slow, right)
