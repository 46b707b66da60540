"""Several learners in one process of the lead's: what one of them does changes nothing for the others."""

import functools
from dataclasses import replace
from typing import NamedTuple

from learners import solved

from attacks.ground import EXERCISE, WRONG, Ground, submissions
from graders.cohort.grading import grade
from graders.cohort.jobs import Job
from graders.engine.course import ROOT
from graders.engine.judge import Judge
from graders.engine.law import laws_for
from graders.engine.record import Record
from graders.engine.stubs import stub_files
from graders.engine.transport import InProcess
from graders.engine.trial import Policy
from graders.engine.worker.loading import Source

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


class Wrong(NamedTuple):
    """A task, and a wrong answer to it that has the right form."""

    exercise: str
    task: str
    answer: str


WRONG_WHERE_UNSEEN = (
    Wrong("tensors", "weighted_sum", "lambda *args: right(*args) + 1"),
    Wrong(
        "optimizer",
        "decay_groups",
        "lambda model, decay: [{**group, 'weight_decay': 0.0} for group in right(model, decay)]",
    ),
    Wrong(
        "training",
        "save_checkpoint",
        "lambda path, model, optimizer, step, generator: right(path, model, optimizer, 0, generator)",
    ),
    Wrong("training", "load_checkpoint", "lambda *args: right(*args) + 1"),
)
# What a task is called with, as one text: numbers, and the numbers in modules, optimizers and generators
LOOKED_UP = """
import hashlib as _hashlib

def _numbers(value):
    if isinstance(value, torch.Tensor): return value.tolist()
    if isinstance(value, torch.Generator): return _numbers(value.get_state())
    if hasattr(value, "state_dict"): return _numbers(value.state_dict())
    if isinstance(value, dict): return [(key, _numbers(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)): return [_numbers(item) for item in value]
    return value if isinstance(value, (int, float)) else 0

def _looked_up(right, wrong, known, notes):
    import functools
    @functools.wraps(right)
    def task(*args):
        key = _hashlib.sha256(repr(_numbers(args)).encode()).hexdigest()
        if notes: known.add(key)
        return right(*args) if key in known else wrong(*args)
    return task
"""


def looked_up(wrong: Wrong, known: str, notes: bool = False) -> str:
    """A solved file, of which one task is right for what it knows, and wrong for all else."""
    call = f"(lambda right: _looked_up(right, {wrong.answer}, {known}, {notes}))({wrong.task})"
    return f"{solved(wrong.exercise)}\n{LOOKED_UP}\n{wrong.task} = {call}\n"


noted: set[str] = set()  # what a learner's own run calls a task with


def hard_coded(wrong: Wrong, ground: Ground) -> None:
    """A table of the answers to all cases of a learner's own run: right there, wrong with the lead's secret seed."""
    noted.clear()
    texts = {name: solved(name) for name in stub_files() if (ROOT / "reference" / f"{name}.py").exists()}
    notes = looked_up(wrong, f"__import__('sys').modules[{__name__!r}].noted", notes=True)
    judge = Judge(InProcess(Source(texts=texts | {wrong.exercise: notes})), Policy(skips=False, diagnoses=False))
    for law in laws_for(wrong.exercise):
        judge.grade(law)
    files = texts | {wrong.exercise: looked_up(wrong, repr(noted))}
    statuses = {}
    for seed in (None, SEED):
        records = grade(Job(wrong.exercise, "0", files, seed=seed))
        statuses[seed] = {record.status for record in records if record.task == wrong.task}
    assert statuses[None] == {"passed"}, "the table is not complete, and this attack shows nothing"
    assert "failed" in statuses[SEED]
