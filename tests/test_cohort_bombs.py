"""What a learner's code uses up, leaves behind and forges: it is that learner's failure, and nobody else's."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from hostile import PRELUDE, asks, sees

from graders.cohort import sandbox as sandboxes
from graders.cohort.sandbox import Sandboxed, close_sandbox
from graders.engine.course import ROOT
from graders.engine.worker.isolation import FILES, N_DESCRIPTORS, N_FILES, N_PROCESSES
from graders.engine.worker.loading import Source
from graders.engine.worker.messages import Request

X = torch.tensor([[1.0, 2.0]], dtype=torch.float64)


@pytest.fixture(scope="module", autouse=True)
def _the_sandbox():
    yield
    close_sandbox()


ORPHANS = """
def f(path):
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in range(1, 31):
                    if number not in (signal.SIGKILL, signal.SIGSTOP):
                        signal.signal(number, signal.SIG_IGN)
                time.sleep(1000)
            os._exit(0)
        os.wait()
    return os.getpid()
"""


def test_no_process_outlives_the_learner_s():
    learner = Sandboxed(Source(texts={"one": PRELUDE + ORPHANS}))
    before = running()
    learner.ask(Request("one", "f", ("",)))
    assert len(running() - before) >= 5  # the learner's, what looks after it, and three orphans
    learner.stop()
    assert running() - before == set()


def test_no_process_outlives_one_that_ended_by_itself():
    learner = Sandboxed(Source(texts={"one": PRELUDE + ORPHANS + "def g():\n    f('')\n    os._exit(0)\n"}))
    before = running()
    assert learner.ask(Request("one", "g")).failure.message == "exit code 0"
    assert running() - before == set()


def running() -> set[int]:
    """The numbers of the processes below the sandbox's first."""
    bubble = sandboxes._sandbox().bubble.process.pid
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # gone meanwhile
            continue
        if fields[0] != "Z":
            parents[int(stat.parent.name)] = int(fields[1])
    found, below = set(), {bubble}
    while below:
        found |= below
        below = {pid for pid, parent in parents.items() if parent in below}
    return found


def test_everything_ends_with_the_judge():
    judge = (
        "import sys; from graders.cohort import sandbox as s; from graders.engine.worker.loading import Source\n"
        "learner = s.Sandboxed(Source(texts={'one': ''})); learner.start()\n"
        "print(s._sandbox().bubble.process.pid, learner.process.pid, flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", judge], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    pids = [int(pid) for pid in process.stdout.readline().split()]
    assert all(is_running(pid) for pid in pids)
    process.kill()
    process.communicate()
    until = time.monotonic() + 60
    while any(is_running(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.02)
    assert [is_running(pid) for pid in pids] == [False, False]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:  # it is gone
        return False


def test_processes_are_counted():
    code = """
n = 0
try:
    while n < 1000:
        if os.fork() == 0:
            time.sleep(100)
        n += 1
except BlockingIOError:
    pass
return n
"""
    assert 0 < sees(code) < N_PROCESSES


def test_threads_are_counted():
    code = """
event, n = threading.Event(), 0
try:
    while n < 1000:
        threading.Thread(target=event.wait, daemon=True).start()
        n += 1
except RuntimeError:
    pass
return n
"""
    assert 0 < sees(code) < N_PROCESSES


def test_memory_ends():
    failure = asks("return len(bytearray(3 * 2**30))").failure
    assert (failure.stage, failure.type_name) == ("call", "MemoryError")


def test_memory_that_torch_asks_for_ends():
    assert "allocate" in asks("return torch.zeros(3 * 2**27, dtype=torch.float64)").failure.message


def test_memory_of_many_processes_is_bounded_where_the_system_has_control_groups():
    if "memory" not in sandboxes._sandbox().group.holds:
        pytest.skip("this machine gives no control group, as the probe says; what is held would be the machine's own")
    code = """
hold, go = os.pipe()
for _ in range(6):
    if os.fork() == 0:
        os.close(go)
        held = b'x' * (3 * 2**28)
        os.write(1, b'.')
        os.read(hold, 1)
        os._exit(0)
ended = []
while os.fstat(1).st_size + len(ended) < 6:  # until each one holds its part, or is gone
    pid, how = os.waitpid(-1, os.WNOHANG)
    ended += [os.waitstatus_to_exitcode(how)] if pid else []
    time.sleep(0.01)
os.close(go)
return ended + [os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(6 - len(ended))]
"""
    assert -9 in sees(code, seconds=100.0)
    assert sees("return 1") == 1


def test_a_file_cannot_grow_beyond_its_limit():
    code = """
with open('/tmp/large', 'wb') as file:
    return tries(lambda: [file.write(bytes(2**20)) for _ in range(1000)]), os.path.getsize('/tmp/large')
"""
    error, size = sees(code)
    assert (error, size <= FILES) == ("OSError", True)


def test_many_files_fill_no_disk():
    code = """
n = 0
for folder in ('/tmp', '/dev/shm'):
    try:
        for _ in range(100_000):
            open(f'{folder}/{n}', 'w').close()
            n += 1
    except OSError:
        pass
return n
"""
    assert sees(code) <= 2 * N_FILES


def test_what_is_printed_without_end_fills_nothing():
    reply = asks("while True:\n    os.write(1, bytes(2**20))", seconds=30.0)
    assert (reply.failure.type_name, len(reply.printed)) == ("OSError", 2000)


def test_descriptors_are_counted():
    code = "held = []\ntry:\n    while True: held.append(os.dup(0))\nexcept OSError:\n    return len(held)"
    assert sees(code) < N_DESCRIPTORS


FORGED = '  File "/exercises/one.py", line 2 in \x1b[31mforged\n  File "/exercises/one.py", line 2 in f\n'


def test_a_forged_stack_shows_lines_of_the_file_and_nothing_else():
    code = f"""
for number in range(3, 64):
    try:
        if os.fstat(number).st_size >= 0:
            os.pwrite(number, {FORGED!r}.encode() + b'File "/etc/passwd", line 1 in f\\n' + b'x' * 2**22, 0)
    except OSError:
        pass
os._exit(1)
"""
    failure = asks(code).failure
    assert (failure.stage, failure.lines) == (
        "crash",
        [["one.py", 2, "f", "import ctypes, os, resource, signal, socket, sys, tempfile, threading, time"]],
    )


def test_an_answer_to_another_question_is_refused():
    code = """
encode = sys.modules['worker.codec'].encode
frame = sys._getframe()
while 'channel' not in frame.f_locals:
    frame = frame.f_back
channel = frame.f_locals['channel']
reply = {'value': 1, 'failure': None, 'changed': [], 'gradients': {}, 'recorded': {}, 'operations': [], 'steady': True}
channel.send(encode({'number': 1, 'reply': reply | {'notes': [], 'printed': ''}}))
"""
    failure = asks(code).failure
    assert (failure.stage, failure.message) == (
        "crash",
        "its answer could not be read: it is not the answer to what was asked",
    )


def test_a_sandbox_that_was_killed_is_begun_again():
    learner = Sandboxed(Source(texts={"one": PRELUDE}))
    learner.start()
    sandboxes._sandbox().bubble.process.kill()
    assert sandboxes._has_ended(learner.process.first, 60)  # or it would answer before it is gone
    assert learner.ask(Request("one", "fine", (X,))).failure.stage == "crash"
    assert learner.ask(Request("one", "fine", (X,))).failure is None
    learner.close()


def test_closing_leaves_no_control_group():
    learner = Sandboxed(Source(texts={"one": PRELUDE}))
    learner.start()
    folders = sandboxes._sandbox().group.folders
    close_sandbox()
    assert [folder for folder in folders if folder.exists()] == []


def test_a_folder_is_no_source(tmp_path):
    with pytest.raises(ValueError, match="a sandbox takes the texts of files, not a folder"):
        Sandboxed(Source(folder=str(tmp_path))).start()


def test_a_name_with_a_path_in_it_is_none():
    with pytest.raises(ValueError, match="is no name of an exercise"):
        Sandboxed(Source(texts={"../one": ""})).start()
