# 12, wrong: a right form, and beside it hundreds of megabytes that nobody asked for
import torch

LARGE = torch.zeros(8_000_000, dtype=torch.float64)


def softmax(x, dim):
    for channel in channels():
        channel.send(reply(value=x, gradients={"0": LARGE, "x": LARGE}, recorded={"": LARGE}))
    return x
