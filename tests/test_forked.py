"""What a process of a learner's is charged with, where the system does not tell how much it computes."""

import time
from types import SimpleNamespace

from graders.engine import forked
from graders.engine.transport import Worker
from graders.engine.worker.loading import Source
from graders.engine.worker.perform import Request

CODE = """
import os

def fine(x):
    return x

def exits(x):
    os._exit(3)
"""


def test_no_more_is_counted_than_has_passed_though_a_process_was_ended(monkeypatch):
    monkeypatch.setattr(forked, "sys", SimpleNamespace(platform="darwin"))
    began, worker = time.monotonic(), Worker(Source(texts={"one": CODE}))
    for task in ("fine", "exits", "fine"):  # the last in another process
        worker.ask(Request("one", task, (1,)))
    assert 0 < worker.computed() <= time.monotonic() - began
    worker.close()
