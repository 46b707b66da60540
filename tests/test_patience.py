"""A call has seconds of computing, and the judge some patience on a busy machine: no code makes it wait for longer."""

import sys
from types import SimpleNamespace

import pytest

from graders.engine import transport
from graders.engine.transport import LOOKS_EVERY, PATIENCE, Worker
from graders.engine.worker.loading import Source
from graders.engine.worker.messages import Request

CODE = """
import os, signal, socket, threading, time

def fine(x): return x

def spins(seconds=3600.0):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass

def stops(x): os.kill(os.getpid(), signal.SIGSTOP)

def computes_and_stops(x):
    spins(0.1)
    os.kill(os.getpid(), signal.SIGSTOP)

def waits_for_a_child(x):
    parent, child = os.getpid(), os.fork()
    if not child:
        while os.getppid() == parent:  # and no longer: no test leaves a process at work
            pass
        os._exit(0)
    os.waitpid(child, 0)

def waits_for_a_thread(x):
    thread = threading.Thread(target=spins)
    thread.start()
    thread.join()

def naps_between(x):
    while True:
        spins(0.01)
        time.sleep(0.02)

def leaves_a_child_with_the_socket(x):
    if os.fork():
        os._exit(0)
    time.sleep(30)

def drips(x):
    ends = []
    for number in map(int, os.listdir("/proc/self/fd")):
        try:
            ends.append(socket.socket(fileno=os.dup(number)))
        except OSError:
            pass
    while True:
        for end in ends:
            try:
                end.send(bytes(8))
            except OSError:
                pass
        time.sleep(0.01)
"""
ENDLESS = (
    "stops",
    "computes_and_stops",
    "waits_for_a_child",
    "waits_for_a_thread",
    "naps_between",
    "leaves_a_child_with_the_socket",
)


@pytest.fixture(scope="module")
def worker():
    worker = Worker(Source(texts={"one": CODE}))
    yield worker
    worker.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells what a process has computed")
@pytest.mark.parametrize("task", ENDLESS)
def test_no_way_of_not_answering_is_waited_for_without_end(worker, task):
    reply = worker.ask(Request("one", task, (1,), seconds=0.3))
    assert reply.failure.stage == "timeout"
    assert worker.ask(Request("one", "fine", (1,))).value == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing tells what a process has computed")
def test_an_answer_that_never_becomes_one_is_not_waited_for_without_end(worker):
    """Its first eight bytes say that nothing follows, which is no answer; what comes then is not read.

    It has long enough for these eight on a busy machine: an answer that does not begin in time is a late one.
    """
    assert worker.ask(Request("one", "drips", (1,), seconds=60)).failure.stage == "crash"
    assert worker.ask(Request("one", "fine", (1,))).value == 1


class Waiting:
    """A process that never answers, on a clock of its own, and that computes `share` of the time."""

    def __init__(self, share: float):
        self.share, self.now, self.looks = share, 0.0, 0
        self.channel = self

    def has_begun(self, until: float) -> bool:
        self.now, self.looks = max(self.now, until), self.looks + 1
        return False

    def computed(self) -> float:
        return self.share * self.now


@pytest.mark.parametrize("share", [0.0, 0.1, 0.24, 0.25, 0.26, 0.5, 0.9, 1.0, 8.0])
def test_patience_ends_and_the_judge_does_not_spin_meanwhile(share, monkeypatch):
    process, worker = Waiting(share), Worker(Source())
    worker.process = process
    monkeypatch.setattr(transport, "time", SimpleNamespace(monotonic=lambda: process.now))
    with pytest.raises(TimeoutError):
        worker._wait(2.0, 0.0)
    assert process.now <= PATIENCE * 2.0 + LOOKS_EVERY
    assert process.now >= 2.0  # nobody has less than the seconds of the request
    assert process.looks < 30
    if share > 1 / PATIENCE:
        assert process.computed() >= 2.0
