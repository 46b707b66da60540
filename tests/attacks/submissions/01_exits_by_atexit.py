# 1, wrong: ends with success when the interpreter ends, and ends the interpreter
import atexit
import os
import sys

atexit.register(os._exit, 0)


def softmax(x, dim):
    sys.exit(0)
