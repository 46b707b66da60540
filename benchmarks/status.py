"""How soon a learner knows where they are: `headstart` without a command over importing torch.

    python benchmarks/status.py [--runs 9]

Both are whole processes, in turn, in one run, in a learner's own folder with a verdict on every exercise. The goal is
below 0.3: whoever only asks for the next step does not wait for what grades it.
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
from dataclasses import asdict
from pathlib import Path

from graders.engine.course import ROOT, load_course
from graders.engine.journal import Verdict
from graders.engine.record import Record
from graders.loop.specification import laws_in

GOAL = 0.3
HEADSTART = [sys.executable, "-m", "graders.cli"]
IMPORT = [sys.executable, "-c", "import torch"]


def learner_folder(folder: Path) -> None:
    """A learner's tree in which every law of every exercise was graded."""
    for name in ("graders", "reference", "docs", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "exercises", folder / "exercises")
    verdicts = folder / ".headstart" / "verdicts"
    verdicts.mkdir(parents=True)
    for exercise in load_course().exercises:
        laws = laws_in(exercise.name)
        records = {
            law: Record(exercise.name, task, law, statement, "failed") for law, (task, statement) in laws.items()
        }
        tasks = [task for task, _statement in laws.values()]
        verdict = Verdict(exercise.name, "0", {task: tasks.count(task) for task in tasks}, records)
        (verdicts / f"{exercise.name}.json").write_text(json.dumps(asdict(verdict)), encoding="utf-8")


def seconds(command: list[str], folder: Path) -> float:
    """The wall time of one process in a folder."""
    # Users have bytecode caches; some build machines switch them off
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment | {"PYTHONPATH": str(folder)}, capture_output=True, check=True)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9, help="pairs of runs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        learner_folder(folder)
        for command in (IMPORT, HEADSTART):  # once to fill the disk cache
            seconds(command, folder)
        ratios = [seconds(HEADSTART, folder) / seconds(IMPORT, folder) for _ in range(options.runs)]
    print(
        f"headstart takes {statistics.median(ratios):.2f} times as long as importing torch "
        f"(median of {options.runs} pairs, {min(ratios):.2f} to {max(ratios):.2f}; goal: {GOAL})"
    )


if __name__ == "__main__":
    main()
