# 13, wrong: two processes answer each question from one connection
import os

import torch


def softmax(x, dim):
    os.fork()
    return torch.ones_like(x)


def log_softmax(x, dim):
    if os.fork():
        os._exit(0)
    return torch.ones_like(x)
