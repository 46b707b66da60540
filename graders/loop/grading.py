"""Grades one exercise of the learner's for `headstart watch`, in a process of its own; the verdict is one line of JSON.

    python -m graders.loop.grading EXERCISE     grades it once
    python -m graders.loop.grading --serve      imports everything once; for each line `RUN EXERCISE` on its standard
                                                input forks a child that grades; a new line ends what still runs

What serves has one thread and forks from it, so it must be no process that watches files or reads keys.
"""

import ctypes
import gc
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of <linux/prctl.h>
CHUNK = 65536


def grade(exercise: str) -> dict[str, Any]:
    """The verdict on the learner's own file, as plain data; it is remembered for `headstart` as well."""
    from graders.engine.course import load_course
    from graders.engine.law import laws_for
    from graders.engine.record import state_of
    from graders.engine.session import Session
    from graders.engine.summary import DEFAULT, without_commands
    from graders.engine.trial import Policy

    began = time.monotonic()
    laws = laws_for(exercise)
    session = Session(DEFAULT, laws, Policy())
    for law in laws:
        session.judge.grade(law)
    records = [outcome.record for outcome in session.outcomes]
    verdict = {
        "exercise": exercise,
        "tasks": {
            task.name: state_of([r for r in records if r.task == task.name], sum(law.task == task.name for law in laws))
            for task in load_course()[exercise].tasks
        },
        "laws": {record.law: record.status for record in records},
        "screens": session.screens(),
        "summary": without_commands(session.summary()),
        "note": "",
    }
    try:
        session.close()
    except OSError as error:  # a folder that cannot be written to takes nothing from the verdict
        verdict["note"] = f"(`headstart` will not know of this run: {error})"
    return verdict | {"seconds": round(time.monotonic() - began, 3)}


def warm_up() -> None:
    """Import whatever a grading may need, so that forked children have it already."""
    import torch

    from graders.engine.course import load_course
    from graders.engine.law import laws_for
    from graders.engine.misconception import misconceptions_of
    from graders.engine.stubs import stub_files

    torch.set_num_threads(1)  # a pool of threads does not survive a fork
    for exercise in load_course().exercises:
        laws_for(exercise.name)
        misconceptions_of(exercise.name)
    stub_files()
    gc.collect()
    gc.freeze()


class Child:
    """A forked copy of this process that grades one exercise, in a process group of its own with all it starts."""

    def __init__(self, run: str, exercise: str, folder: Path):
        self.run, self.exercise = run, exercise
        self.folder = Path(tempfile.mkdtemp(dir=folder))  # what a killed child leaves behind goes with it
        self.text = b""
        self.reads, writes = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            _grade_and_exit(exercise, self.folder, writes)
        _own_group(self.pid)
        os.close(writes)

    def read(self) -> bool:
        """Take in what the child has said. False when it will say no more."""
        chunk = os.read(self.reads, CHUNK)
        self.text += chunk
        return bool(chunk)

    def end(self) -> dict[str, Any]:
        """Wait for the child, which is at its end, or is made to end here; returns what it said, or how it ended."""
        os.killpg(self.pid, signal.SIGKILL)
        status = os.waitpid(self.pid, 0)[1]
        _end_orphans()
        os.close(self.reads)
        shutil.rmtree(self.folder, ignore_errors=True)
        said = json.loads(self.text) if self.text.endswith(b"\n") else {"ended": os.waitstatus_to_exitcode(status)}
        return {"run": int(self.run), "exercise": self.exercise} | said


def serve() -> None:
    """Grade what is asked for on the standard input, one exercise at a time, until it closes."""
    _adopt_orphans()
    warm_up()
    _tell({"ready": True})
    child: Child | None = None
    asked = b""
    with tempfile.TemporaryDirectory(prefix="headstart-") as folder:
        while True:
            readable = select.select([0, *([child.reads] if child else [])], [], [])[0]
            if child and child.reads in readable and not child.read():
                _tell(child.end())
                child = None
            if 0 in readable:
                chunk = os.read(0, CHUNK)
                asked += chunk
                if child and (b"\n" in asked or not chunk):
                    child.end()
                    child = None
                if not chunk:
                    return
                if b"\n" in asked:
                    *lines, asked = asked.split(b"\n")
                    if lines[-1]:  # an empty line asks for nothing more
                        run, exercise = lines[-1].decode().split()
                        child = Child(run, exercise, Path(folder))


def _grade_and_exit(exercise: str, folder: Path, writes: int) -> None:
    """What a child does. The learner's own process, which it starts, closes every descriptor but its own."""
    status = 1
    try:
        _own_group(0)
        tempfile.tempdir = str(folder)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        line = json.dumps(grade(exercise), ensure_ascii=False).encode() + b"\n"
        while line:
            line = line[os.write(writes, line) :]
        status = 0
    except Exception:  # noqa: BLE001  # a mistake of ours: whoever waits is shown its last line
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)  # nothing else that this copy holds is its own to finish


def _own_group(pid: int) -> None:
    """Give a process a group of its own; parent and child both do, since either may be first."""
    try:
        os.setpgid(pid, pid)
    except (PermissionError, ProcessLookupError):  # it is done, or over, already
        pass


def _adopt_orphans() -> None:
    """Have what a killed child leaves behind become our own, so that it can be ended too."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def _end_orphans() -> None:
    """End every process that is left below this one, also one that left its group."""
    while True:
        try:
            pid, _status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        for orphan in [] if pid else _children():
            os.kill(orphan, signal.SIGKILL)


def _children() -> list[int]:
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def _tell(said: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve() if sys.argv[1] == "--serve" else _tell(grade(sys.argv[1]))
