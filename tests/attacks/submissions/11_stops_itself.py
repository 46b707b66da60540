# 11, wrong: stops its own process, and all in its group
import os
import signal


def softmax(x, dim):
    os.kill(os.getpid(), signal.SIGSTOP)


def log_softmax(x, dim):
    os.killpg(0, signal.SIGSTOP)
