"""The same answers here and in a worker; and whatever a learner's code does to its process, the next request works."""

import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import torch

from graders.engine import transport
from graders.engine.forked import Forked
from graders.engine.stubs import stub_files
from graders.engine.transport import InProcess, Worker
from graders.engine.worker.loading import Source
from graders.engine.worker.messages import ModuleRequest, Request, to_data

NAP = 0.3  # seconds
X = torch.tensor([[1.0, 2.0], [3.0, -0.0]], dtype=torch.float64)
CODE = """
import ctypes, os, re, signal, sys, time
import torch
from torch import nn
from exercises.config import GPTConfig

class Layer(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.w = nn.Parameter(torch.ones(cfg.d_model))
    def forward(self, x):
        print("layer")
        return x * self.w

def fine(x): return x + 1
def several(x): return {"a": [x, (1, None)], "b": torch.tensor(True)}
def changes(x): return x.mul_(2)
def fails(x): return x @ torch.ones(7)
def numpy(x): return x.detach().numpy()
def says(x): print("one"); os.system("echo two"); print("three", file=sys.stderr); return x
def no_number(x): return 1, float("nan"), float("inf")
def loops(x):
    while True:
        pass
def sleeps(x): time.sleep(100)
def naps(x): time.sleep(0.3); return x
def spins(x):
    until = time.process_time() + 0.3
    while time.process_time() < until:
        pass
    return x
def backtracks(x): return re.match("(a+)+$", "a" * 60 + "b")
def multiplies(x):
    return torch.linalg.matrix_power(torch.ones(6000, 6000), 10**6)
def exits(x): os._exit(3)
def is_killed(x): os.kill(os.getpid(), signal.SIGKILL)
def is_ended(x): os.kill(os.getpid(), 40)
def crashes(x): ctypes.string_at(0)
def leaves(x): sys.exit("bye")
def interrupts(x): raise KeyboardInterrupt
def recurses(x): return recurses(x)
def talks(x):
    for _ in range(100_000):
        print("x" * 80)
    return x
def grows(x): return torch.zeros(1000, 1000)
def closes(x): os.closerange(3, 1000)
def begins(x):
    for descriptor in range(3, 64):
        try: os.write(descriptor, (1000).to_bytes(8, "big"))
        except OSError: pass
    loops(x)
def writes(x): os.write(1, b"raw"); return x
def reads(x): return sys.stdin.read()
def finds(x): return sorted(name for name in sys.modules if name.partition(".")[0] == "reference")
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    (folder / "one.py").write_text(CODE)
    return Source(folder=str(folder), stubs=stub_files())


@pytest.fixture(scope="module")
def worker(source):
    worker = Worker(source)
    yield worker
    worker.close()


def ask(worker, task):
    """The failure of a request, after which the next one must work; the text of its lines."""
    failure = worker.ask(Request("one", task, (X,), seconds=0.5 if task in (*SLOW, "begins") else 10.0)).failure
    assert torch.equal(worker.ask(Request("one", "fine", (X,))).value, X + 1)
    return failure


SLOW = ("loops", "sleeps", "backtracks", "multiplies")
LAYER = ModuleRequest({"d_vocab": 1, "n_ctx": 1, "n_layers": 1, "n_heads": 1, "d_model": 2, "d_head": 1, "d_mlp": 1},
                      {"w": X[0]})  # fmt: skip


@pytest.mark.parametrize(
    "request_",
    [
        *(
            Request("one", task, (X,))
            for task in ("fine", "several", "changes", "fails", "numpy", "no_number", "leaves")
        ),
        Request("one", "Layer", (X,), module=LAYER, gradients=True, record=True, watch=True),
        Request("one", "nobody", (X,)),
        Request("one", "", describe=["fine", "Layer", "nobody"]),
        Request("two", "fine", (X,)),
    ],
    ids=lambda request: request.task or "describe",
)
def test_a_worker_answers_as_this_process_does(source, worker, request_):
    here = InProcess(source)
    answers = [to_data(where.ask(request_)) | {"printed": ""} for where in (here, worker)]
    here.close()
    assert str(answers[0]) == str(answers[1])


@pytest.mark.parametrize("task", SLOW)
def test_a_call_that_does_not_end_is_stopped_and_its_line_is_known(worker, task):
    failure = ask(worker, task)
    file, line, function, _text = failure.lines[-1]
    assert (failure.stage, file, function) == ("timeout", "one.py", task)
    assert f"def {task}(" in "\n".join(CODE.splitlines()[line - 3 : line])


@pytest.mark.parametrize(
    ("task", "how"),
    [
        ("exits", "exit code 3"),
        ("is_killed", "SIGKILL"),
        ("is_ended", "signal 40"),  # one of those that have no name
        ("crashes", "SIGSEGV"),
        ("closes", "exit code 1"),
    ],
)
def test_a_process_that_ends_is_a_crash_that_says_how(worker, task, how):
    failure = ask(worker, task)
    assert (failure.stage, failure.message) == ("crash", how)


def test_an_answer_that_begins_and_does_not_end_is_late(worker):
    assert ask(worker, "begins").stage == "timeout"


def test_a_crash_says_where_it_was(worker):
    assert ask(worker, "crashes").lines == [
        ["one.py", CODE.splitlines().index(crash := "def crashes(x): ctypes.string_at(0)") + 1, "crashes", crash]
    ]


@pytest.mark.parametrize(
    ("task", "error"), [("leaves", "SystemExit"), ("interrupts", "KeyboardInterrupt"), ("recurses", "RecursionError")]
)
def test_what_only_raises_is_a_failed_call(worker, task, error):
    failure = ask(worker, task)
    assert (failure.stage, failure.type_name) == ("call", error)


def test_a_recursion_shows_few_of_its_lines(worker):
    assert [line[2] for line in ask(worker, "recurses").lines] == ["recurses"] * 4


def test_what_is_printed_comes_along_cut_to_size(worker):
    reply = worker.ask(Request("one", "talks", (X,), seconds=30.0))
    assert (reply.failure, len(reply.printed)) == (None, 2000)


def test_what_is_printed_in_any_way_is_kept_from_the_terminal(worker, capfd):
    printed = worker.ask(Request("one", "says", (X,))).printed
    assert (printed, capfd.readouterr()) == ("one\ntwo\nthree\n", ("", ""))


def test_what_one_call_printed_does_not_come_with_the_next(worker):
    worker.ask(Request("one", "says", (X,)))
    assert worker.ask(Request("one", "fine", (X,))).printed == ""


def test_a_reply_above_the_limit_is_a_failure_of_its_own(worker, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(transport, "MAX_REPLY", 10_000)
        failure = worker.ask(Request("one", "grows", (X,))).failure
    assert failure.stage == "large"


def test_after_a_reply_above_the_limit_the_next_request_works(worker, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(transport, "MAX_REPLY", 10_000)
        worker.ask(Request("one", "grows", (X,)))
    assert ask(worker, "fine") is None


def test_reading_from_the_terminal_gives_nothing(worker):
    assert worker.ask(Request("one", "reads", (X,))).value == ""


def test_the_reference_is_not_among_the_modules_of_a_worker(worker):
    assert worker.ask(Request("one", "finds", (X,))).value == []


def test_a_worker_ends_when_its_judge_is_gone(source):
    judge = (
        "from graders.engine.transport import Worker; from graders.engine.worker.loading import Source\n"
        f"w = Worker(Source(folder={source.folder!r})); w.start(); print(w.process.pid, flush=True); input()"
    )
    process = subprocess.Popen([sys.executable, "-c", judge], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    pid = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    for _ in range(500):
        if not is_running(pid):
            break
        time.sleep(0.02)
    assert not is_running(pid)


def is_running(pid):
    """Whether a process is there and has not ended."""
    status = Path(f"/proc/{pid}/status")
    return status.exists() and re.search(r"State:\s+Z", status.read_text()) is None


def test_closing_leaves_no_process_and_no_file(source, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
    worker = Worker(source)
    worker.start()
    assert worker.process is not None
    pid = worker.process.pid
    worker.close()
    assert (is_running(pid), list(Path(tempfile.tempdir).iterdir())) == (False, [])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process is spawned, and needs a file with a name")
def test_a_judge_that_is_killed_would_leave_no_file(source, tmp_path_factory, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary")))
    worker = Worker(source)
    ask(worker, "fine")
    assert list(Path(tempfile.tempdir).iterdir()) == []
    worker.close()


def test_what_a_process_computes_is_counted_and_what_it_waits_for_is_not(worker):
    ask(worker, "fine")  # the process is there
    used = [worker.computed()]
    for task in ("naps", "spins"):
        ask(worker, task)
        used.append(worker.computed() - sum(used))
    assert used[1] < NAP <= used[2]


@pytest.mark.parametrize(
    ("task", "seconds", "share", "stage"),
    [
        ("naps", NAP / 4, 0.0, "timeout"),  # what only waits is not given more
        ("naps", NAP / 2, 0.3, None),  # a machine with four calls like this one for each core
        ("sleeps", NAP, 0.9, "timeout"),
    ],
)
def test_a_call_has_seconds_of_computing_on_a_busy_machine(source, monkeypatch, task, seconds, share, stage):
    monkeypatch.setattr(Forked, "computed", lambda process: share * (time.monotonic() - process.began))
    worker = Worker(source)
    reply = worker.ask(Request("one", task, (X,), seconds=seconds))
    worker.close()
    assert (reply.failure and reply.failure.stage) == stage


def test_an_answer_that_was_not_waited_for_is_not_taken_for_the_next(worker):
    def stops() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker.ask(Request("one", "several", (X,)), meanwhile=stops)
    assert torch.equal(worker.ask(Request("one", "fine", (X,))).value, X + 1)
