# 7, wrong: forged failures, of every name by which a verdict might be dodged
import time

import torch

STAGES = ["not_started", "skipped", "passed", "", "grader", "budget", "library", "no_such_stage"]
LINES = [["softmax.py", 1, "log_softmax", "raise NotImplementedError"]]


def softmax(x, dim):
    stage = STAGES[len(calls) % len(STAGES)]
    calls.append(1)
    for channel in channels():
        failure = {"stage": stage, "type_name": "", "message": "", "lines": LINES, "bases": []}
        channel.send(reply(value=None, failure=failure))
    time.sleep(60)


def log_softmax(x, dim):
    lines = [["embedding.py", 1, "elsewhere", "raise NotImplementedError"]]
    for channel in channels():
        failure = {"stage": "not_started", "type_name": "", "message": "", "lines": lines, "bases": []}
        channel.send(reply(value=None, failure=failure))
    time.sleep(60)


calls = []
