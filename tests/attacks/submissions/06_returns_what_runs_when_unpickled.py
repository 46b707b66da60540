# 6, wrong: an object, and bytes, that make a file as soon as anybody unpickles them
import pickle


class Runs:
    def __reduce__(self):
        return open, (FOLDER + "/executed", "w")

    def __reduce_ex__(self, protocol):
        return self.__reduce__()

    def __deepcopy__(self, memo):
        return self


def softmax(x, dim):
    return Runs()


def log_softmax(x, dim):
    return pickle.dumps(Runs())


def cross_entropy(logits, targets):
    import numpy

    return numpy.array([Runs()], dtype=object)
