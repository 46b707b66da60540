"""Cohorts as tests make them: a few learners with local repositories, graded quickly or for real."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from learners import solved
from repositories import make_repository

from graders.cohort import run as runs
from graders.cohort.history import HistoryError, apply_roster, open_history
from graders.cohort.jobs import Job
from graders.cohort.roster import Learner
from graders.cohort.run import Run, Terms
from graders.cohort.submission import Submission
from graders.cohort.versions import grader_version
from graders.engine.course import ROOT
from graders.engine.misconception import misconceptions_of
from graders.engine.record import Record, now

LAWS = ("test_a", "test_b", "test_c")
TEXTS = {  # a small exercise: right, wrong in a known way, not begun
    "right": solved("layer_norm"),
    "wrong": misconceptions_of("layer_norm")[0].apply(solved("layer_norm")),
}


def cohort(folder: Path, texts: Mapping[str, Mapping[str, str | bytes]]) -> Path:
    """A lead's folder with a roster, and a repository for each learner: the texts of their exercises, by name."""
    lines = ["id,name,repository"]
    for learner, files in texts.items():
        named = {f"exercises/{name}.py": text for name, text in files.items()}
        repository = make_repository(folder / "repositories" / learner, named)
        lines.append(f"{learner},{learner.title()},{repository}")
    (folder / "roster.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def command(folder: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """`headstart cohort ...` in a lead's folder."""
    return subprocess.run(
        [sys.executable, "-m", "graders.cli", "cohort", *map(str, arguments)],
        cwd=folder,
        env=variables(**environment),
        capture_output=True,
        text=True,
        check=False,
    )


def variables(**more: str) -> dict[str, str]:
    """The environment of a command of ours that runs in another folder."""
    return os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests"))), "OMP_NUM_THREADS": "1"} | more


def quickly(job: Job) -> list[Record]:
    """A grading that takes no time: the text of the file says what comes of it."""
    text = job.files.get(job.exercise, "")
    if "dies" in text:
        os._exit(3)
    facts = {"isolation": job.isolation, "grader_version": grader_version(job.exercise), "time": now()}
    facts |= {"subject_hash": job.subject_hash}
    status = "failed" if "wrong" in text else "passed"
    return [
        Record(job.exercise, "task", law, "A sentence.", status, points=int(status == "passed"), **facts)
        for law in LAWS
    ]


def quick_run(path: str, n_learners: int, n_bytes: int = 0, ends: bool = True) -> None:
    """A run over learners that are not there, graded quickly; of every fourth the text is that of the one before.

    With `n_bytes`, no file can grow beyond, as on a full disk. One that does not end waits for the last learner's
    repository, however quick this machine is.
    """

    def look(repository: str, known: str) -> Submission:
        if not ends and int(repository) == n_learners - 1:
            time.sleep(1000)
        return submission_of(int(repository))

    if n_bytes:
        import resource  # Windows has none

        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))
    try:
        history = open_history(path)
        apply_roster(history, learners := [Learner(f"l{n}", f"Learner {n}", str(n)) for n in range(n_learners)])
        runs.look = look
        run = Run(history, Terms(b"secret", "process", ("attention",)))
        print("begun", flush=True)  # noqa: T201
        for job in run.jobs(learners):
            run.keep(job, quickly(job))
    except HistoryError as error:
        sys.exit(str(error))


def submission_of(n: int) -> Submission:
    """What the n-th learner hands in."""
    n -= n % 4 == 3
    return Submission({"attention": f"{'wrong' if n % 3 == 0 else 'right'} {n}"}, {}, f"{n:040x}", "")


def start_quick_run(path: Path, n_learners: int, n_bytes: int = 0, ends: bool = True) -> subprocess.Popen[str]:
    """The same in a process of its own."""
    code = f"from cohorts import quick_run; quick_run({str(path)!r}, {n_learners}, {n_bytes}, {ends})"
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code], env=variables(), stdout=pipe, stderr=pipe, text=True)
