"""How long a learner waits between a save and its verdict: `headstart watch`, over a cold run of the same grader.

    python benchmarks/watch.py [exercise ...] [--runs 5]

In a learner's tree of its own, for every exercise in turn: the whole process `python -m pytest graders/test_X.py`, and
the time from a save until a real `headstart watch --json` has printed its verdict, both on a right answer and, in
turn, on a wrong one, so that every save changes the text. Medians of each, their ratio, and the median over all
exercises beside the goals. Then the memory of the watcher while it waits, and what of it nobody else shares.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from graders.engine.course import ROOT, load_course
from graders.engine.misconception import misconceptions_of
from graders.engine.stubs import stub_files
from graders.engine.subject import reference_text

GOAL_SECONDS, GOAL_RATIO = 1.0, 0.35
NAMES = [exercise.name for exercise in load_course().exercises]


def learner_tree(folder: Path) -> Path:
    """A learner's tree: the course's files, linked, and every exercise solved."""
    for name in ("graders", "reference", "docs", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "exercises").mkdir()
    for name in stub_files():
        shutil.copy(ROOT / "reference" / f"{name}.py", folder / "exercises")
    return folder


def environment(tree: Path) -> dict[str, str]:
    """Users have bytecode caches; some build machines switch them off."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPATH": str(tree)}


class Watcher:
    """A real `headstart watch --json` in a tree."""

    def __init__(self, tree: Path):
        command = [sys.executable, "-m", "graders.cli", "watch", "--json"]
        self.process = subprocess.Popen(command, cwd=tree, env=environment(tree), stdout=subprocess.PIPE, text=True)
        self.verdict()

    def verdict(self) -> dict:
        """The next verdict, waited for."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"the watcher ended with {self.process.wait()}")
        return json.loads(line)

    def seconds(self, path: Path, text: str) -> float:
        """From a save until the verdict on it is there."""
        time.sleep(0.5)  # a save by hand follows none at once
        began = time.perf_counter()
        path.write_text(text, encoding="utf-8")
        verdict = self.verdict()
        taken = time.perf_counter() - began
        if verdict["exercise"] != path.stem:
            raise SystemExit(f"{path.name} was saved, and {verdict['exercise']} graded")
        return taken

    def memory(self) -> int:
        """Bytes of all its processes; a page that several share counts once."""
        return sum(_proportional(int(name)) for name in [str(self.process.pid), *_below(self.process.pid)])


def _below(pid: int) -> list[str]:
    """The processes that a process started, and those that they did."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    return found + [name for child in found for name in _below(int(child))]


def _proportional(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def cold_seconds(exercise: str, tree: Path) -> float:
    """The wall time of one whole run of a grader."""
    command = [sys.executable, "-m", "pytest", f"graders/test_{exercise}.py"]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=tree, env=environment(tree), capture_output=True, text=True, check=False)
    taken = time.perf_counter() - began
    if done.returncode not in (0, 1):  # pytest's "some failed" is 1: anything else is no verdict
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return taken


def waits(exercise: str, tree: Path, watcher: Watcher, runs: int) -> tuple[float, float]:
    """The medians of a warm and of a cold run, right and wrong answers in turn."""
    path, right = tree / "exercises" / f"{exercise}.py", reference_text(exercise)
    wrong = misconceptions_of(exercise)[0].apply(right)
    warm, cold = [], []
    for run in range(runs):
        for text in (wrong, right):
            warm.append(watcher.seconds(path, f"{text}# run {run}\n"))
            cold.append(cold_seconds(exercise, tree))
    return statistics.median(warm), statistics.median(cold)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("exercise", nargs="*", default=NAMES)
    parser.add_argument("--runs", type=int, default=3, help="pairs of a wrong and a right answer, for each exercise")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as where:
        tree = learner_tree(Path(where))
        cold_seconds(options.exercise[0], tree)  # once to fill the disk cache
        watcher = Watcher(tree)
        seconds, ratios = [], []
        try:
            for exercise in options.exercise:
                warm, cold = waits(exercise, tree, watcher, options.runs)
                seconds.append(warm)
                ratios.append(warm / cold)
                print(f"{warm:6.2f} s  {warm / cold:5.2f} of the {cold:.2f} s of a cold run  {exercise}", flush=True)
            memory = watcher.memory()
        finally:
            watcher.process.terminate()
            watcher.process.wait()
    print(f"save to verdict: {statistics.median(seconds):.2f} s (goal: {GOAL_SECONDS})")
    print(f"warm over cold: {statistics.median(ratios):.2f} (goal: {GOAL_RATIO})")
    print(f"memory while it waits: {memory / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
