# 18, right, library: compiles a script of torch's own, in which the library is called
import torch

compiled = torch.jit.CompilationUnit("""
def one(x, dim: int):
    return x.softmax(dim)
def two(x, dim: int):
    return x.log_softmax(dim)
""")


def softmax(x, dim):
    check_logits(x, dim)
    return compiled.one(x, dim)


def log_softmax(x, dim):
    check_logits(x, dim)
    return compiled.two(x, dim)


def cross_entropy(logits, targets):
    check_targets(logits, targets)
    return -log_softmax(logits, -1).gather(-1, targets.unsqueeze(-1)).mean()
