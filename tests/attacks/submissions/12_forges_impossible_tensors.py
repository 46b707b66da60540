# 12, wrong: headers with tensors of 10^9 axes, NaN numbers, negative sizes, more digits than an integer may have
import time

FORGED = [
    b'{"$tensor":["float64",[NaN]]}',
    b'{"$tensor":["float64",[Infinity,2]]}',
    b'{"$tensor":["float64",[1e308]]}',
    b'{"$tensor":["float64",[-1,-1]]}',
    b'{"$tensor":["float64",[true]]}',
    b'{"$tensor":["float64",[0,' + b"9" * 4000 + b"]]}",
    b'{"$tensor":["float64",[' + b"1," * 400_000 + b"0]]}",
    b'{"$tensor":["float64",[' + b"0," * 100 + b"1]]}",
    b'{"$tensor":["object",[0]]}',
    b'{"$tensor":["float64",[1000000000]]}',
    b"9" * 5000,
    b'{"$float":"1e999"}',
    b"1e999",
    b"NaN",
    b'"\\ud800\\udfff\\u0000"',
    b"\xff\xfe",
    b'{"$dict":[["a",1],["a"]]}',
    b'{"$set":[[1],[2]]}',
    b"{" * 300,
]
sent = []


def softmax(x, dim):
    value = FORGED[len(sent) % len(FORGED)]
    sent.append(value)
    head, tail = reply(value="HERE")[8:].split(b'"HERE"')
    header = head + value + tail
    for channel in channels():
        channel.send(len(header).to_bytes(8, "little") + header)
    time.sleep(60)


log_softmax = softmax


def cross_entropy(logits, targets):
    return softmax(logits, 0)
