# 1, wrong: its result ends the process as soon as nobody holds it any more
import os


class Last:
    def __del__(self):
        os._exit(0)


def softmax(x, dim):
    return Last()
