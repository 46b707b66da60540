"""What the release gate costs: seconds of audit for each exercise, and the whole over the bare imports.

python benchmarks/audit.py [exercise ...] [--jobs 2]
"""

import argparse
import concurrent.futures
import multiprocessing
import time

from feedback import IMPORTS, seconds

from graders.engine.audit import audit_exercise
from graders.engine.course import load_course


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("exercises", nargs="*", default=[e.name for e in load_course().exercises])
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    seconds(IMPORTS)
    imports = seconds(IMPORTS)
    began = time.perf_counter()
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(options.jobs, mp_context=context) as pool:
        for report in pool.map(audit_exercise, options.exercises):
            print(f"{report.seconds:6.0f} s  {report.exercise}  ({len(report.problems)} problems)", flush=True)
    took = time.perf_counter() - began
    print(f"all: {took:.0f} s with {options.jobs} jobs, {took / imports:.0f} times the imports ({imports:.1f} s)")


if __name__ == "__main__":
    main()
