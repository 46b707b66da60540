"""A learner's code in the sandbox reaches nothing, and leaves nothing behind: each test is a file that tries."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from graders.cohort import sandbox as sandboxes
from graders.cohort.sandbox import Sandboxed, close_sandbox, probe
from graders.engine.course import ROOT
from graders.engine.worker.isolation import FILES, N_DESCRIPTORS, N_FILES, N_PROCESSES
from graders.engine.worker.loading import Source
from graders.engine.worker.perform import Reply, Request

X = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
PRELUDE = """
import ctypes, os, resource, signal, socket, sys, tempfile, threading, time
from pathlib import Path
import torch
def fine(x): return x + 1
def tries(call, *args):
    try:
        return call(*args)
    except OSError as error:
        return type(error).__name__
"""
LIBC = "libc = ctypes.CDLL(None, use_errno=True)\n"


@pytest.fixture(scope="module", autouse=True)
def _the_sandbox():
    yield
    close_sandbox()


def asks(code: str, *args, seconds: float = 20.0, before: str = "") -> Reply:
    """The reply to one call of `f`, whose body is `code`, in a fresh process."""
    body = "\n    ".join(code.strip("\n").split("\n"))
    learner = Sandboxed(Source(texts={"one": f"{PRELUDE}{before}\ndef f(*args):\n    {body}\n"}))
    try:
        return learner.ask(Request("one", "f", args, seconds=seconds))
    finally:
        learner.close()


def sees(code: str, *args, **options):
    """What one call returns."""
    reply = asks(code, *args, **options)
    assert reply.failure is None, reply.failure
    return reply.value


def test_the_probe_finds_a_sandbox():
    assert (probe().level, probe().reason.partition(";")[0]) == ("sandbox", "bubblewrap")


def test_the_probe_names_what_can_be_reached(monkeypatch, tmp_path):
    look = tmp_path / "reach.py"
    look.write_text("def reached(judge): return ['files outside', 'the network']\n")
    monkeypatch.setattr(sandboxes, "REACH", look)
    found = probe.__wrapped__()
    assert (found.level, found.reason) == (
        "process",
        "the sandbox was made, but from inside it could be reached: files outside, the network",
    )


def test_without_bubblewrap_the_probe_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sandboxes, "obstacle", lambda: ("bubblewrap is not installed", "install it"))
    found = probe.__wrapped__()
    assert (found.level, found.reason, found.mend) == ("process", "bubblewrap is not installed", "install it")


def test_an_answer_comes_from_a_sandbox():
    learner = Sandboxed(Source(texts={"one": PRELUDE}))
    value = learner.ask(Request("one", "fine", (X,))).value
    learner.close()
    assert (learner.isolation, value.tolist()) == ("sandbox", [[2.0, 3.0]])


# Files


def test_the_root_holds_what_is_on_the_list_and_nothing_else():
    assert sees("return sorted(os.listdir('/'))") == sorted(
        ["dev", "exercises", "learner", "lib64", "libraries", "packages", "proc", "python", "tmp"]
    )


def test_only_the_libraries_of_the_exercises_can_be_imported():
    names = [
        "torch",
        "einops",
        "graders",
        "reference",
        "exercises",
        "transformers",
        "pytest",
        "hypothesis",
        "headstart",
    ]
    code = f"return [name for name in {names} if importlib.util.find_spec(name)]"
    assert sees(code, before="import importlib.util") == ["torch", "einops"]


def test_no_text_of_the_graders_is_among_the_files():
    code = """
ours = [path for path in Path('/').rglob('*.py') if not str(path).startswith(('/python', '/packages'))]
return sorted(map(str, ours)), sorted(path.name for path in Path('/packages/worker').glob('*.py'))
"""
    there = sorted(path.name for path in (ROOT / "graders" / "engine" / "worker").glob("*.py"))
    assert sees(code) == (["/exercises/one.py"], there)


@pytest.mark.parametrize("path", [str(ROOT), str(Path.home()), "/etc/passwd", "/home", "/usr", "/sys", "/var", "/run"])
def test_the_machine_s_own_files_are_not_there(path):
    assert sees(f"return os.path.exists({path!r})") is False


def test_only_folders_of_its_own_can_be_written_to():
    code = """
found = []
for folder, _folders, files in os.walk('/'):
    found += [folder] if os.access(folder, os.W_OK) else []
    found += [os.path.join(folder, name) for name in files if os.access(os.path.join(folder, name), os.W_OK)]
return sorted(set(found) - {'/dev/null', '/dev/zero', '/dev/urandom'})
"""
    assert sees(code) == ["/dev/shm", "/tmp"]


@pytest.mark.parametrize(
    "attempt",
    [
        "Path('/exercises/one.py').write_text('')",
        "os.chmod('/exercises/one.py', 0o777)",
        "os.chmod('/packages', 0o777)",
        "Path('/python/bin/more').write_text('')",
        "os.mkdir('/more')",
        "os.mknod('/tmp/disk', 0o60666, 0x0800)",
        "os.link('/packages/torch/version.py', '/packages/more.py')",
    ],
)
def test_no_other_file_is_changed(attempt):
    assert sees(f"return tries(lambda: {attempt})") in ("PermissionError", "OSError")


def test_what_one_learner_leaves_another_does_not_find():
    code = """
for folder in ('/tmp', '/dev/shm'):
    Path(folder, 'left').write_text('here')
return sorted(os.listdir('/tmp') + os.listdir('/dev/shm'))
"""
    assert (sees(code), sees(code)) == (["left", "left"], ["left", "left"])
    assert sees("return sorted(os.listdir('/tmp') + os.listdir('/dev/shm'))") == []


SEARCH = """
libc, found = ctypes.CDLL(None), set()
class Part(ctypes.Structure):
    _fields_ = [('at', ctypes.c_void_p), ('n', ctypes.c_size_t)]
page = ctypes.create_string_buffer(2**16)
own, near = Part(ctypes.addressof(page), 2**16), id(object()) & ~0xffff
for at in range(near - 2**27, near + 2**27, 2**16):
    n = libc.process_vm_readv(os.getpid(), ctypes.byref(own), 1, ctypes.byref(Part(at, 2**16)), 1, 0)
    found |= set(re.findall(b'ma' + b'rk-[0-9a-f]{16}', page.raw[: max(n, 0)]))
return sorted(mark.decode() for mark in found)
"""


def test_another_learner_s_text_is_not_in_memory():
    marks = [f"mark-{os.urandom(8).hex()}" for _ in range(2)]
    found = [sees(SEARCH, before=f"import re\nMARKS = {[mark] * 100!r}") for mark in marks]
    assert found == [[mark] for mark in marks]


# Processes


def test_the_environment_is_empty_of_what_is_the_judge_s(monkeypatch):
    monkeypatch.setenv("HEADSTART_COHORT_SECRET", "s3cret")
    names = sees("return sorted(os.environ)")
    assert names == ["LC_ALL", "LD_LIBRARY_PATH", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PWD"]


def test_there_is_no_proc():
    assert sees("return os.listdir('/proc'), tries(os.listdir, '/proc/self')") == ([], "FileNotFoundError")


def test_the_judge_s_process_cannot_be_seen():
    assert sees("return tries(os.kill, args[0], 0), os.getpid(), os.getppid()", os.getpid()) == (
        "ProcessLookupError",
        2,
        1,
    )


def test_it_runs_as_nobody_without_a_capability():
    code = f"""
{LIBC.strip()}
sets = (ctypes.c_uint32 * 6)()
libc.capget((ctypes.c_uint32 * 2)(0x20080522, 0), sets)
bounding = [n for n in range(64) if libc.prctl(23, n, 0, 0, 0) == 1]
return os.getresuid(), os.getresgid(), os.getgroups(), list(sets), bounding, libc.prctl(39, 0, 0, 0, 0)
"""
    nobody = (65534, 65534, 65534)
    uids, gids, groups, *rights = sees(code)
    assert (uids, gids, rights) == (nobody, nobody, [[0] * 6, [], 1])
    assert set(groups) <= {65534}


@pytest.mark.parametrize(
    "attempt",
    [
        "libc.mount(b'tmpfs', b'/tmp', b'tmpfs', 0, None)",
        "libc.umount2(b'/proc', 2)",
        "libc.unshare(0x10000000)",  # CLONE_NEWUSER
        "libc.unshare(0x00020000)",  # CLONE_NEWNS
        "libc.setuid(0)",
        "libc.chroot(b'/tmp')",
        "libc.ptrace(16, 1, 0, 0)",  # PTRACE_ATTACH
        "libc.process_vm_readv(1, None, 0, None, 0, 0) or libc.ptrace(0x4206, 1, 0, 0)",  # PTRACE_SEIZE
        "libc.pivot_root(b'/', b'/tmp') if hasattr(libc, 'pivot_root') else -1",
        "libc.setns(os.open('/', os.O_RDONLY), 0)",
        "libc.sethostname(b'x', 1)",
    ],
)
def test_what_needs_a_right_is_refused(attempt):
    assert sees(f"{LIBC}return {attempt}") == -1


def test_a_signal_to_everybody_reaches_nobody_else():
    learner = Sandboxed(Source(texts={"one": PRELUDE + "def f():\n    os.kill(-1, signal.SIGKILL)\n"}))
    other = Sandboxed(Source(texts={"one": PRELUDE}))
    other.start()
    there = other.process
    assert learner.ask(Request("one", "f")).failure.type_name == "ProcessLookupError"
    assert other.ask(Request("one", "fine", (X,))).failure is None
    assert other.process is there
    learner.close()
    other.close()


def test_the_first_process_is_not_ended_by_those_it_looks_after():
    code = "for number in range(1, 32):\n    tries(os.kill, 1, number)\nreturn os.getppid()"
    assert sees(code) == 1


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
    for _ in range(500):
        if not any(is_running(pid) for pid in pids):
            break
        time.sleep(0.02)
    assert [is_running(pid) for pid in pids] == [False, False]


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_no_descriptor_but_its_own_is_open():
    code = """
found = []
for number in range(3, 1024):
    try:
        found.append(os.fstat(number).st_mode & 0o170000)
    except OSError:
        pass
return sorted(found)
"""
    files, sockets, devices = 0o100000, 0o140000, 0o020000  # what is printed, and the stack; the channel; /dev/null
    assert sees(code) == [devices, files, files, sockets]


# The network


@pytest.mark.parametrize("address", [("127.0.0.1", 0), ("192.0.2.1", 80)])
def test_no_address_is_reached(address):
    with socket.create_server(("127.0.0.1", 0)) as service:  # one of the judge's machine
        port = address[1] or service.getsockname()[1]
        assert sees(f"return tries(socket.create_connection, ({address[0]!r}, {port}), 2.0)") == "OSError"


def test_an_abstract_socket_of_the_machine_is_not_reached():
    with socket.socket(socket.AF_UNIX) as service:
        service.bind("\0headstart-test")
        service.listen()
        code = "end = socket.socket(socket.AF_UNIX)\nreturn tries(end.connect, '\\0headstart-test')"
        assert sees(code) == "ConnectionRefusedError"


def test_two_learners_cannot_speak_to_each_other():
    listens = "end = socket.socket(socket.AF_UNIX)\nend.bind('\\0here')\nend.listen()\nf.kept = end\nreturn 1"
    source = PRELUDE + "def f():\n    " + listens.replace("\n", "\n    ") + "\n"
    listener = Sandboxed(Source(texts={"one": source}))
    assert listener.ask(Request("one", "f")).value == 1
    code = "end = socket.socket(socket.AF_UNIX)\nreturn tries(end.connect, '\\0here')"
    assert sees(code) == "ConnectionRefusedError"
    listener.close()


# Bombs


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


def test_memory_of_many_processes_is_that_learner_s_failure_alone():
    code = """
for _ in range(6):
    if os.fork() == 0:
        held = b'x' * (3 * 2**28)
        time.sleep(100)
return os.waitstatus_to_exitcode(os.wait()[1])
"""
    failure_or_signal = asks(code, seconds=60.0)
    assert failure_or_signal.value == -9 or failure_or_signal.failure.stage == "crash"
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


# What the judge reads


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
