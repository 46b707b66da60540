"""What a learner's code in the sandbox can reach: each test is a file that tries."""

import os
import socket
from pathlib import Path

import pytest
import torch
from hostile import PRELUDE, sees

from graders.cohort import sandbox as sandboxes
from graders.cohort.sandbox import Sandboxed, close_sandbox, probe
from graders.engine.course import ROOT
from graders.engine.worker.loading import Source
from graders.engine.worker.messages import Request

X = torch.tensor([[1.0, 2.0]], dtype=torch.float64)
LIBC = "libc = ctypes.CDLL(None, use_errno=True)\n"


@pytest.fixture(scope="module", autouse=True)
def _the_sandbox():
    yield
    close_sandbox()


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
libc.sbrk.restype = ctypes.c_void_p
own, small, heap = Part(ctypes.addressof(page), 2**16), id(object()) & ~0xffff, libc.sbrk(0) & ~0xffff
for at in (*range(small - 2**27, small + 2**27, 2**16), *range(heap - 2**29, heap + 2**16, 2**16)):
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
