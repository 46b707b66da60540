# 9, right: wrong in every thirteenth call
calls = []
right = softmax, log_softmax, cross_entropy


def seldom_wrong(task):
    def called(*args):
        calls.append(1)
        return task(*args) * (1 + (len(calls) % 13 == 0))

    return called


softmax, log_softmax, cross_entropy = map(seldom_wrong, right)
