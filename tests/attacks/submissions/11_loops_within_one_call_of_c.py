# 11, wrong: endless inside single calls into C, which no exception interrupts
import re

import torch


def softmax(x, dim):
    return re.match("(a+)+$", "a" * 80 + "b")


def log_softmax(x, dim):
    return torch.linalg.matrix_power(torch.ones(4000, 4000), 10**6)


def cross_entropy(logits, targets):
    return sum(range(10**13))
