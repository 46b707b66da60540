"""How long a learner waits: `pytest graders/test_<exercise>.py` over bare imports.

    python benchmarks/feedback.py [exercise] [--runs 5]

Both are whole processes, in turn, in one run: the grader's wall time over that of importing torch, pytest and
hypothesis, which is the yardstick of the goals, though no grader imports the last any more. Once for the stub, once for
the reference, once for every misconception. The goals differ by track, since later exercises have more to run: `GOALS`.
"""

import argparse
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

GOALS = {"transformer": 1.6, "fundamentals": 2.0}  # by track; 1.8 for the others
IMPORTS = [sys.executable, "-c", "import torch, pytest, hypothesis"]
# Users have bytecode caches; some build machines switch them off
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def seconds(command: list[str]) -> float:
    """The wall time of one process."""
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - began
    if done.returncode not in (0, 1):  # pytest's "some failed" is 1: anything else is no verdict
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return taken


def ratio(exercise: str, folder: Path, runs: int) -> float:
    """The median, over pairs of runs, of the grader's time over the imports' time."""
    command = [sys.executable, "-m", "pytest", f"graders/test_{exercise}.py", "--subject", str(folder)]
    return statistics.median(seconds(command) / seconds(IMPORTS) for _ in range(runs))


def subjects(exercise: str) -> dict[str, str]:
    """The text of the exercise's file, by name: the stub, the reference, every misconception."""
    solved = reference_text(exercise)
    named = {"stub": stub_files()[exercise], "reference": solved}
    return named | {m.id: m.apply(solved) for m in misconceptions_of(exercise)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("exercise", nargs="?", default="attention")
    parser.add_argument("--runs", type=int, default=5, help="pairs of runs for the stub and the reference")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        for name in stub_files():
            shutil.copy(ROOT / "reference" / f"{name}.py", folder)
        seconds(IMPORTS)  # once to fill the disk cache
        ratios = {}
        for name, text in subjects(options.exercise).items():
            (folder / f"{options.exercise}.py").write_text(text, encoding="utf-8")
            ratios[name] = ratio(options.exercise, folder, options.runs if name in ("stub", "reference") else 1)
            print(f"{ratios[name]:5.2f}  {name}", flush=True)
        worst = max(ratios, key=ratios.__getitem__)
        goal = GOALS.get(load_course()[options.exercise].track, 1.8)
        print(f"{options.exercise}: the slowest is {worst}, {ratios[worst]:.2f} times the imports (goal: {goal})")


if __name__ == "__main__":
    main()
