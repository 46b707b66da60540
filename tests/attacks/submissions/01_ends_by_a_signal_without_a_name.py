# 1, wrong: ends by a real-time signal, of which Python knows no name
import os


def softmax(x, dim):
    os.kill(os.getpid(), 40)
