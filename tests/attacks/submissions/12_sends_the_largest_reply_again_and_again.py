# 12, wrong: takes over the connection; each reply is just below the limit, and none of them is computed
import re

import torch

N = 33_000_000
NUMBERS = bytes(8 * N)


def softmax(x, dim):
    message = reply(value=torch.zeros(1, dtype=torch.float64))
    header = message[8 : 8 + int.from_bytes(message[:8], "little")]
    header = header.replace(b'["float64",[1]]', b'["float64",[%d]]' % N)
    for channel in channels():
        while True:
            channel.end.sendall((8 + len(header) + len(NUMBERS)).to_bytes(8, "big") + len(header).to_bytes(8, "little"))
            channel.end.sendall(header)
            channel.end.sendall(NUMBERS)
            number = re.search(rb'\["number",(\d+)\]', channel.receive())[1]
            header = re.sub(rb'\["number",\d+\]', b'["number",%s]' % number, header)
