"""Grades jobs in a child of a process that is not ours, such as a worker of Dask, which stays free of learners' code.

python -m graders.cohort.apart      for each job on its standard input, a line of JSON, a line of records
"""

import json
import os
import queue
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from graders.cohort.jobs import Job, records_of

ATTEMPTS = 3  # that a job is given when the child that grades it dies
_idle: "queue.SimpleQueue[subprocess.Popen[str]]" = queue.SimpleQueue()  # warm ones, of this process


def grade_apart(job: dict[str, Any]) -> list[dict[str, Any]]:
    """The records of a job, both as plain data. Raises `RuntimeError` when the child dies of it every time."""
    for _ in range(ATTEMPTS):
        child = _child()
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(job) + "\n")
            child.stdin.flush()
            line = child.stdout.readline()
        except BrokenPipeError:
            line = ""
        if line.endswith("\n"):
            _idle.put(child)
            records: list[dict[str, Any]] = json.loads(line)
            return records
        child.kill()
        child.wait()
    raise RuntimeError(f"the grading process died of it, {ATTEMPTS} times")


def _child() -> "subprocess.Popen[str]":
    """A warm child that nobody uses, or a new one."""
    try:
        return _idle.get_nowait()
    except queue.Empty:
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "graders.cohort.apart"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, encoding="utf-8", env=environment)


def serve() -> None:
    """Grade what comes, until whoever asks is gone; then end at once, whatever is being graded."""
    jobs: queue.SimpleQueue[str] = queue.SimpleQueue()
    asked = os.dup(0)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as replies, Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)  # a learner's process, below the sandbox, has what is at 0
        os.dup2(2, 1)  # what is printed by mistake is no reply
        threading.Thread(target=_listen, args=(asked, jobs), daemon=True).start()
        while True:
            records = records_of(Job(**json.loads(jobs.get())))
            replies.write(json.dumps([asdict(record) for record in records]) + "\n")
            replies.flush()


def _listen(asked: int, jobs: "queue.SimpleQueue[str]") -> None:
    begun = b""
    while chunk := os.read(asked, 2**16):
        *lines, begun = (begun + chunk).split(b"\n")
        for line in lines:
            jobs.put(line.decode())
    from graders.cohort.sandbox import close_sandbox

    close_sandbox()
    os._exit(0)


if __name__ == "__main__":
    serve()
