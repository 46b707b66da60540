"""The processes that grade for `headstart watch`, seen from the one that watches: a warm one, or a fresh one each time.

Both take `grade(exercise)`, which ends what still runs, and put what is said about a run into a queue.
"""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from typing import Any, Protocol

from graders.engine.course import HOME

MODULE = [sys.executable, "-m", "graders.loop.grading"]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}  # a pool of threads survives no fork


class Grader(Protocol):
    """Grades one exercise at a time; everything it says goes into a queue as `("graded", {"run": number, ...})`."""

    run: int  # the newest; what is said about an older one is of no interest

    def grade(self, exercise: str) -> None: ...

    def drop(self) -> None: ...

    def close(self) -> None: ...


class Warm:
    """One process that has imported everything and forks a child for each run."""

    def __init__(self, events: queue.SimpleQueue):
        self.events = events
        self.run = 0
        self._start()

    def _start(self) -> None:
        self.is_ready = False
        errors = tempfile.TemporaryFile()  # noqa: SIM115  # the thread that listens closes it
        self.process = subprocess.Popen(
            [*MODULE, "--serve"],
            cwd=HOME,
            env=ENVIRONMENT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # Ctrl-C is for whoever watches
        )
        threading.Thread(target=self._listen, args=(self.process, errors), daemon=True).start()

    def grade(self, exercise: str) -> None:
        """Begin a run; one that is under way is ended."""
        self.run += 1
        if self.process.poll() is not None:
            self._start()
        self._say(f"{self.run} {exercise}")

    def drop(self) -> None:
        """End the run that is under way."""
        self.run += 1
        self._say("")

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{line}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:  # it is gone, and the thread that listens says so
            pass

    def _listen(self, process: subprocess.Popen, errors: Any) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said = json.loads(line)
            self.is_ready |= "ready" in said
            self.events.put(("graded", said))
        ended = {"run": self.run, "ended": process.wait(), "error": _last_line(errors)}
        self.events.put(("graded", ended))

    def close(self) -> None:
        """End the process, and with it all that it started."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()  # it ends its children, then itself
        except BrokenPipeError:
            pass
        if not self.is_ready:  # it still imports, so that it has no children, and would end late
            self.process.kill()
        self.process.wait()


class Fresh:
    """A process for each run, for where forking is not safe: it imports everything anew."""

    def __init__(self, events: queue.SimpleQueue):
        self.events = events
        self.run = 0
        self.process: subprocess.Popen | None = None
        self.folder = ""

    def grade(self, exercise: str) -> None:
        """Begin a run; one that is under way is ended."""
        self.drop()
        self.folder = tempfile.mkdtemp(prefix="headstart-")
        errors = tempfile.TemporaryFile()  # noqa: SIM115  # the thread that listens closes it
        self.process = subprocess.Popen(
            [*MODULE, exercise],
            cwd=HOME,
            env=ENVIRONMENT | dict.fromkeys(("TMPDIR", "TMP", "TEMP"), self.folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
        threading.Thread(target=self._listen, args=(self.process, errors, self.run, exercise), daemon=True).start()

    def _listen(self, process: subprocess.Popen, errors: Any, run: int, exercise: str) -> None:
        assert process.stdout is not None
        said = process.stdout.read()
        code = process.wait()
        verdict = json.loads(said) if said.endswith(b"\n") else {"ended": code, "error": _last_line(errors)}
        self.events.put(("graded", {"run": run, "exercise": exercise} | verdict))

    def drop(self) -> None:
        """End the run that is under way, with all that it started."""
        self.run += 1
        if self.process is not None:
            if self.process.poll() is None:
                _end_tree(self.process)
            shutil.rmtree(self.folder, ignore_errors=True)
            self.process = None

    def close(self) -> None:
        """End the run that is under way."""
        self.drop()


def can_fork() -> bool:
    """Whether a process that has imported torch can be forked: macOS has fork, but its libraries do not survive one."""
    return sys.platform == "linux"


def _end_tree(process: subprocess.Popen) -> None:
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(process.pid)], capture_output=True, check=False)
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(errors: Any) -> str:
    """What a process that ended by itself said last."""
    with errors:
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else ""
