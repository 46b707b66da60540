# 1, wrong: ends its process in the middle of a task
import os


def softmax(x, dim):
    os._exit(0)
