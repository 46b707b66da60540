# 11, right: sleeps in every call, always a little less than one call may take
import time

right = softmax, log_softmax, cross_entropy


def slow(task):
    return lambda *args: (time.sleep(1.7), task(*args))[1]


softmax, log_softmax, cross_entropy = map(slow, right)
