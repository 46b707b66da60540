# 6, wrong: code objects, functions, modules and generators in the place of numbers
import os


def softmax(x, dim):
    return compile(f"open({FOLDER + '/executed'!r}, 'w')", "<>", "eval")


def log_softmax(x, dim):
    return [lambda: open(FOLDER + "/executed", "w"), os, (i for i in [1])]


def cross_entropy(logits, targets):
    return {"__reduce__": os.system, "eval": compile("1", "<>", "eval")}
