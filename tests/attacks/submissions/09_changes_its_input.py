# 9, right: the right answer, and the caller's numbers are gone
import functools
right = softmax, log_softmax, cross_entropy


def changing(task):
    @functools.wraps(task)
    def called(x, *rest):
        out = task(x, *rest)
        x.data.zero_()
        return out

    return called


softmax, log_softmax, cross_entropy = map(changing, right)
