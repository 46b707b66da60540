# 12, wrong: opens descriptors and starts threads until no more are given
import os
import threading
import time

kept = []


def softmax(x, dim):
    try:
        while True:
            kept.append(os.pipe())
    except OSError:
        return x


def log_softmax(x, dim):
    try:
        for _ in range(100_000):
            threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    except RuntimeError:
        return x


def cross_entropy(logits, targets):
    return cross_entropy(logits, targets)
