# 11, wrong: what it returns and raises loops when anybody looks at it
class Loops(Exception):
    def __str__(self):
        while True:
            pass

    __repr__ = __str__


class Endless(dict):
    def items(self):
        while True:
            yield "key", 1


def softmax(x, dim):
    raise Loops


def log_softmax(x, dim):
    return Endless(a=1)
