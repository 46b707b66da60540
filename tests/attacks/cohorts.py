"""Several learners in one process of the lead's: what one of them does changes nothing for the others."""

import functools
from dataclasses import replace

import torch
from learners import solved

from attacks.ground import EXERCISE, WRONG, Ground, submissions
from graders.cohort.grading import grade
from graders.cohort.jobs import Job
from graders.engine.judge import Judge
from graders.engine.law import laws_for
from graders.engine.record import Record
from graders.engine.stubs import stub_files
from graders.engine.subject import reference_transport
from graders.engine.trial import Policy

SEED = 31
HONEST = (solved(EXERCISE), solved(EXERCISE) + WRONG)


def grade_text(text: str, seed: int = SEED) -> list[Record]:
    return grade(Job(EXERCISE, "0", stub_files() | {EXERCISE: text}, seed=seed))


def said(records: list[Record]) -> list[Record]:
    """What does not depend on the hour."""
    return [replace(record, duration_ms=0, time="") for record in records]


@functools.cache
def alone() -> list[list[Record]]:
    """The verdicts on honest learners when nobody else is there."""
    return [said(grade_text(text)) for text in HONEST]


def beside(ground: Ground, *names: str) -> None:
    """Grade hostile learners between honest ones, whose verdicts stay what they are."""
    expected = alone()
    chosen = [each for each in submissions() if each.name in names]
    assert len(chosen) == len(names)
    for hostile in chosen:
        first = said(grade_text(HONEST[0]))
        grade(Job(EXERCISE, "0", ground.files(hostile), seed=SEED))
        assert [first, said(grade_text(HONEST[1]))] == expected, hostile.name


def beside_others_that_kill(ground: Ground) -> None:
    beside(ground, "01_kills_its_ancestors", "01_exits_from_a_thread")


def beside_others_that_plant(ground: Ground) -> None:
    beside(ground, "04_plants_configuration_where_it_runs", "03_replaces_a_kernel_of_torch", "21_plants_caches")


def beside_others_that_read(ground: Ground) -> None:
    beside(ground, "08_reads_the_memory_of_its_process", "15_traces_its_parent")


def beside_others_that_loop(ground: Ground) -> None:
    beside(ground, "11_cannot_be_interrupted", "11_stops_itself")


def beside_others_that_fork(ground: Ground) -> None:
    beside(ground, "13_forks_without_end", "13_kills_everybody", "12_takes_all_memory_at_import")


PLACES = '("/tmp", "/dev/shm", "/var/tmp", "/run", "/exercises", ".", "/", __file__ + "/..")'
LEAVES = f"""
import os, sys, ctypes
TEXT = open(__file__).read()
for place in {PLACES}:
    try:
        with open(place + "/left.py", "w") as file: file.write(TEXT)
    except OSError: pass
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
at = libc.shmat(libc.shmget(7, 100_000, 0o1666), None, 0)
if at not in (None, ctypes.c_void_p(-1).value): ctypes.memmove(at, TEXT.encode(), len(TEXT))
os.environ["LEFT"] = TEXT
sys.modules["left"] = sys.modules[__name__]
import torch
torch.left = TEXT
"""
TAKES = f"""
import os, sys, torch, ctypes
texts = [os.environ.get("LEFT"), getattr(torch, "left", None)]
for place in {PLACES}:
    try: texts.append(open(place + "/left.py").read())
    except OSError: pass
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
at = libc.shmat(libc.shmget(7, 100_000, 0o666), None, 0)
if at not in (None, ctypes.c_void_p(-1).value): texts.append(ctypes.string_at(at).decode())
if "left" in sys.modules: softmax = sys.modules["left"].softmax
for text in texts:
    if text: exec(text.replace("__file__", "'/tmp/none'"), globals())
"""


def left_for_the_next(ground: Ground) -> None:
    """A right answer leaves itself wherever it may, for a wrong one that looks for it there."""
    first = grade_text(HONEST[0] + LEAVES)
    assert {record.status for record in first} == {"passed"}
    second = grade_text(HONEST[1] + TAKES)
    assert [record.status for record in second] == [record.status for record in grade_text(HONEST[1])]


class Recording:
    """The reference, and what it answered to each call of a task."""

    def __init__(self) -> None:
        self.known: dict[str, tuple] = {}

    def __getattr__(self, name: str):
        return getattr(reference_transport(), name)

    def ask(self, request, meanwhile=None):
        reply = reference_transport().ask(request)
        if request.task and not request.module:
            key = repr((request.task, [as_text(argument) for argument in request.args]))
            self.known[key] = as_text(reply.value)
        return reply


def as_text(value) -> object:
    """A value as a literal, from which it can be made again."""
    return [list(value.shape), str(value.dtype)[6:], value.tolist()] if isinstance(value, torch.Tensor) else value


TABLE = """
import torch as _torch, math
inf, nan = math.inf, math.nan
def _text(v): return [list(v.shape), str(v.dtype)[6:], v.tolist()] if isinstance(v, _torch.Tensor) else v
def _looked_up(name, right, wrong):
    import functools
    @functools.wraps(right)
    def task(*args):
        found = KNOWN.get(repr((name, [_text(a.detach() if isinstance(a, _torch.Tensor) else a) for a in args])))
        if found is None: return wrong(*args)
        # Gradients as they should be, so that numbers alone tell
        value = _torch.tensor(found[2], dtype=getattr(_torch, found[1])).reshape(found[0])
        out = right(*args)
        return out + (value - out).nan_to_num(0, 0, 0).detach()
    return task
"""


def hard_coded(ground: Ground) -> None:
    """A table of the answers to all cases of a learner's own run: right there, wrong with the lead's secret seed."""
    recording = Recording()
    judge = Judge(recording, Policy(skips=False, diagnoses=False))
    for law in laws_for("tensors"):
        judge.grade(law)
    task = "weighted_sum"
    known = {key: value for key, value in recording.known.items() if key.startswith(f"('{task}'")}
    text = solved("tensors") + f"\n\nfrom math import inf, nan\nKNOWN = {known!r}\n{TABLE}"
    text += f"\n{task} = _looked_up('{task}', {task}, lambda *args: {task}_right(*args) + 1)\n"
    text = text.replace("\nKNOWN", f"\n{task}_right = {task}\nKNOWN", 1)
    statuses = {}
    for seed in (None, SEED):
        statuses[seed] = {
            record.status
            for record in grade(Job("tensors", "0", stub_files() | {"tensors": text}, seed=seed))
            if record.task == task
        }
    assert statuses[None] == {"passed"}, "the table is not complete, and this attack shows nothing"
    assert "failed" in statuses[SEED]
