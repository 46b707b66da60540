# 5, wrong: a thread goes on writing into the result after it was returned
import threading

import torch


def softmax(x, dim):
    out = torch.zeros_like(x)

    def on_and_on():
        for _ in range(1000):
            out.add_(0.001)

    threading.Thread(target=on_and_on, daemon=True).start()
    return out
