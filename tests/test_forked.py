"""A process of a learner's ends with its judge; what it is charged with where nobody tells how much it computes."""

import itertools
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from graders.engine import forked
from graders.engine.course import ROOT
from graders.engine.transport import Worker
from graders.engine.worker.loading import Source
from graders.engine.worker.messages import Request

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


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system does not end a process with its parent")
def test_a_worker_ends_with_its_judge():
    code = (
        "import sys, torch\n"
        "from graders.engine.transport import Worker\n"
        "from graders.engine.worker.loading import Source\n"
        "from graders.engine.worker.messages import Request\n"
        "worker = Worker(Source(texts={'one': 'def loops(x):\\n    while True: pass'}))\n"
        "worker.start()\n"
        "print(worker.process.pid, flush=True)\n"
        "worker.ask(Request('one', 'loops', (1,), seconds=100.0))\n"
    )
    judge = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    worker_pid = int(judge.stdout.readline())
    judge.kill()
    judge.wait()
    judge.stdout.close()
    # Not for ever, so that this test can fail; far longer than it takes
    tries = itertools.takewhile(lambda _: _runs(worker_pid), range(3000))
    assert sum(time.sleep(0.01) is None for _ in tries) < 3000


def _runs(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"
