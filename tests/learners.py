"""Learners' folders for the tests: the stubs, or the solved files, with code of a learner's own in them."""

import os
import subprocess
import sys
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from graders.engine.course import ROOT
from graders.engine.stubs import stub_files


def solved(exercise: str) -> str:
    """A solved file under a learner's name."""
    text = (ROOT / "reference" / f"{exercise}.py").read_text(encoding="utf-8")
    return text.replace("from reference.", "from exercises.")


def folder_with(folder: Path, **texts: str | bytes | None) -> Path:
    """A learner's folder: the stubs, with these files in place of them; None leaves a file out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**stub_files(), **texts}.items():
        if text is not None:
            (folder / f"{name}.py").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def solved_but(code: str) -> str:
    """The solved attention with other definitions after it, which take the place of its own."""
    return solved("attention") + "\n\n" + code


@dataclass(frozen=True)
class Run:
    """What one `pytest graders/test_...` came to."""

    exit_code: int
    out: str
    err: str

    def screens(self) -> dict[str, list[str]]:
        """The lines said about each task or file that is not right, by its name, without spaces at their ends."""
        parts = [part.splitlines() for part in self.out.split("\n\n")]
        parts = [[line.rstrip() for line in part if line and not line.endswith("%]")] for part in parts]
        found = [part for part in parts if len(part) > 1 and part[0][0] not in " 0123456789"]
        return {part[0].split(" · ")[-1].split()[0]: part for part in found}

    def states(self, exercise: str) -> dict[str, str]:
        """What the last list says of each of an exercise's tasks."""
        rows = [line.split(" · ")[1] for line in self.out.splitlines() if line.startswith(f"  {exercise} · ")]
        return {row.split()[0]: row.partition(" ")[2].strip() for row in rows}


def grade(*arguments: str | Path, exercises: Collection[str] = ("attention",), typed: str = "") -> Run:
    """Run pytest on the graders of exercises, in a process of its own, as a learner does."""
    graders = [f"graders/test_{exercise}.py" for exercise in exercises]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *graders, *map(str, arguments)]
    environment = os.environ | {"COLUMNS": "120", "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, input=typed, check=False)
    return Run(done.returncode, done.stdout, done.stderr)


class Runs:
    """Several runs side by side, each begun at once and waited for when its result is first asked for."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(max_workers=2)
        self.begun: dict[str, Future[Run]] = {}

    def begin(self, name: str, *arguments: str | Path, exercises: Collection[str] = ("attention",)) -> None:
        """Begin to grade exercises, under a name."""
        self.begun[name] = self.pool.submit(grade, *arguments, exercises=exercises)

    def __getitem__(self, name: str) -> Run:
        return self.begun[name].result()
