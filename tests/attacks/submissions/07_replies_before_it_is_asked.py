# 7, wrong: sends a hundred replies before any question is put
import torch

for channel in channels():
    for _ in range(100):
        channel.send(reply(value=torch.zeros(2, dtype=torch.float64)))
