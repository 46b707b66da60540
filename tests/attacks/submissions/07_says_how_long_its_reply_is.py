# 7, wrong: announces a reply of more bytes than there are
import os
import time


def softmax(x, dim):
    for channel in channels():
        os.write(channel.end.fileno(), b"\x7f" + b"\xff" * 7)
    time.sleep(60)


def log_softmax(x, dim):
    for channel in channels():
        os.write(channel.end.fileno(), (2**28).to_bytes(8, "big") + b"x" * 1000)
    time.sleep(60)
