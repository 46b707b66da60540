# 9, right: behaves well for the first forty calls only
import functools
calls = []
right = softmax, log_softmax, cross_entropy


def first_calls(task):
    @functools.wraps(task)
    def called(*args):
        calls.append(1)
        return task(*args) if len(calls) < 40 else task(*args) * 1.5

    return called


softmax, log_softmax, cross_entropy = map(first_calls, right)
