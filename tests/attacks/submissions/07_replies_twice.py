# 7, wrong: two replies to one question: what it said of the last one is the answer to the next
import torch

earlier = []


def softmax(x, dim):
    for channel in channels():
        channel.send(reply(value=earlier[-1] if earlier else x.exp()))
    earlier.append(torch.ones_like(x) / x.shape[dim])
    return earlier[-1]
