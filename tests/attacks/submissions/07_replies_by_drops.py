# 7, wrong: a byte of its reply at a time, each long before anybody gives up on a single one
import os
import time


def softmax(x, dim):
    while True:
        for channel in channels():
            os.write(channel.end.fileno(), b"\0")
        time.sleep(0.05)
