"""The same verdicts in this process, in one of the learner's own and in a sandbox.

A few subjects of a few exercises in every run; every reference, variant and misconception of the course, which takes
half an hour, where HEADSTART_EVERY_SUBJECT is set, as it is every night.
"""

import os

import pytest
from isolations import TRANSPORTS, reference_files, subjects_of, verdicts

from graders.cohort.sandbox import Sandboxed, close_sandbox
from graders.engine.course import load_course
from graders.engine.misconception import misconceptions_of
from graders.engine.transport import Worker
from graders.engine.trial import Policy
from graders.engine.worker.loading import Source

EVERY = bool(os.environ.get("HEADSTART_EVERY_SUBJECT"))
SOME = ("attention", "sampling", "tokenizer", "training")  # the last writes files
EXERCISES = tuple(exercise.name for exercise in load_course().exercises) if EVERY else SOME
QUICK = Policy(seed=1, examples=4)


@pytest.fixture(scope="module", autouse=True)
def _the_sandbox():
    yield
    close_sandbox()


def names_of(exercise: str) -> list[str]:
    """Every subject, or the reference and the first mistakes in its first tasks."""
    if EVERY:
        return [name for name, _source in subjects_of(exercise)]
    first = {m.task: m.id for m in reversed(misconceptions_of(exercise))}
    return ["reference", *(first[task.name] for task in load_course()[exercise].tasks if task.name in first)][:3]


@pytest.mark.parametrize(
    ("exercise", "name"), [(exercise, name) for exercise in EXERCISES for name in names_of(exercise)]
)
def test_a_verdict_is_the_same_in_a_sandbox(exercise, name):
    source = dict(subjects_of(exercise))[name]
    here, there = (verdicts(TRANSPORTS[kind](source), exercise, QUICK) for kind in ("none", "sandbox"))
    assert there == here


ENDINGS = {
    "loops": "while True: pass",  # on one line: on two, it is chance which of them it is at
    "sleeps": "import time\n    time.sleep(100)",
    "exits": "import os\n    os._exit(0)",
    "leaves": "raise SystemExit('bye')",
    "interrupts": "raise KeyboardInterrupt",
    "recurses": "return attention_scores(q, k)",
    "is_killed": "import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)",
    "crashes": "import ctypes\n    ctypes.string_at(0)",
    "is_foreign": "import requests",
    "is_unreadable": "return ((",
    "compiles": "return torch.jit.script(lambda x: x)(q)",
    "prints": "print('\\x1b[31m' + 'x' * 5000)\n    return q",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_lead_s_verdict_has_the_words_of_the_learner_s_own(ending, tmp_path):
    text = f"import torch\n\n\ndef attention_scores(q, k):\n    {ENDINGS[ending]}\n"
    texts = reference_files() | {"attention": text}
    for name, file in texts.items():
        (tmp_path / f"{name}.py").write_text(file, encoding="utf-8")
    own = verdicts(Worker(Source(folder=str(tmp_path))), "attention", QUICK)
    assert verdicts(Sandboxed(Source(texts=texts)), "attention", QUICK) == own
