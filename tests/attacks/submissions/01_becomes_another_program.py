# 1, wrong: becomes another program, which says that all is well
import os
import sys


def softmax(x, dim):
    os.execv(sys.executable, [sys.executable, "-c", "print('{\"status\": \"passed\"}')"])
