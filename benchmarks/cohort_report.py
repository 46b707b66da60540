"""How long the report of a large cohort takes, and in how much memory: a generated year, then the command as it is run.

python benchmarks/cohort_report.py                     5,000 learners; writes some 3 GB, in about five minutes
python benchmarks/cohort_report.py --learners 500      a tenth of it
python benchmarks/cohort_report.py --history FILE      keep the generated year there, and use it again
"""

import argparse
import datetime
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cohort_year import make_year

from graders.cohort.history import open_history
from graders.engine.course import ROOT

SECONDS, MEGABYTES, LEARNERS = 60, 1000, 5000  # the goals, for a year of so many learners


def main() -> None:
    """Print seconds, memory and pages beside the goals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--learners", type=int, default=LEARNERS)
    parser.add_argument("--history", type=Path, help="the generated year; made if it is not there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        history = options.history or Path(folder) / "history.sqlite3"
        if not history.exists():
            make_year(history, options.learners, datetime.datetime.now(datetime.UTC).replace(microsecond=0)).close()
        _count(history)
        _report(history, Path(folder), options.learners)


def _count(path: Path) -> None:
    history = open_history(path)
    tables = ("learners", "submissions", "gradings", "records", "visits")
    counts = [(table, history.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in tables]
    history.close()
    print(", ".join(f"{n:,} {table}" for table, n in counts) + f"; {path.stat().st_size / 1e6:,.0f} MB")


def _report(history: Path, folder: Path, n_learners: int) -> None:
    """One run of the command, both outputs."""
    command = [sys.executable, "-m", "graders.cli", "cohort", "report", "--history", str(history)]
    command += [
        "--out",
        str(folder / "report"),
        "--public",
        str(folder / "public"),
        "--secret",
        str(folder / "secret.key"),
    ]
    began = time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    # Of whatever has ended: one process
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    memory = used.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    pages = list(folder.glob("*/**/*.html"))
    size = sum(path.stat().st_size for path in folder.glob("*/**/*") if path.is_file())
    goal = "" if n_learners == LEARNERS else f" (the goals are for {LEARNERS:,} learners)"
    print(f"report        {seconds:6.1f} s    goal under {SECONDS} s: {seconds / SECONDS:.2f} of it{goal}")
    print(f"of a core     {used.ru_utime + used.ru_stime:6.1f} s    without waiting for whatever else the machine does")
    print(f"peak memory   {memory:6.0f} MB   goal under {MEGABYTES} MB: {memory / MEGABYTES:.2f} of it")
    print(f"pages         {len(pages):6,}      {size / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
