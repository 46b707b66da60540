# 12, wrong: prints gigabytes, in Python and below it
import os


def softmax(x, dim):
    while True:
        print("x" * 10**6)


def log_softmax(x, dim):
    while True:
        os.write(2, b"x" * 10**6)
