# 7, wrong: each part of a reply is of another type than it should be
import time

PARTS = {
    "value": [[["x"]]],
    "failure": [],
    "changed": {"0": 1},
    "gradients": [1],
    "recorded": {"": 1.0},
    "operations": "none",
    "steady": "yes",
    "notes": [None],
    "printed": 7,
}
n_asked = []


def softmax(x, dim):
    name = list(PARTS)[len(n_asked) % len(PARTS)]
    n_asked.append(name)
    for channel in channels():
        channel.send(reply(**{name: PARTS[name]}))
    time.sleep(60)


def log_softmax(x, dim):
    for channel in channels():
        channel.send(reply(value=x, changed=["99"], gradients={"99": x, "²": x}))
    time.sleep(60)


def cross_entropy(logits, targets):
    for channel in channels():
        channel.send(reply(status="passed", points=1, value=logits))
    time.sleep(60)
