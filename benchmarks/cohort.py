"""What grading a cohort costs: seconds an exercise, an endless loop, a second worker, a second run, memory.

    python benchmarks/cohort.py [right wrong core loop workers again memory] [--learners 200] [--workers 2]
                                [--isolation sandbox]

Learners are generated: the variants and the solution of attention are right, the misconceptions wrong, stubs are stubs;
no two texts are the same, since the same text is graded once. Seconds are of the whole run, the start of the processes
included, over the exercises graded in it. Two processes that only count tell what the machine has to give to a second
worker: where its cores are shared, that is less than 2, and not the same from minute to minute. Each piece can be run
alone; all together take twenty minutes.
"""

import argparse
import itertools
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from graders.cohort.jobs import Job
from graders.cohort.pool import graded_by_pool
from graders.engine.course import ROOT, load_course
from graders.engine.misconception import misconceptions_of, variants_of
from graders.engine.stubs import stub_files

EXERCISE = "attention"
GOALS = {"right": 1.0, "wrong": 2.0, "workers": 1.7, "again": 100.0, "memory": 1.1}
N_CORE, N_WORKERS = 12, 40  # learners
N_PAIRS = 3  # of runs with one worker and with two: a machine's own speed is not the same from minute to minute
COUNT = 100_000_000  # some seconds


def solved(name: str) -> str:
    """A solved file under a learner's name."""
    text = (ROOT / "reference" / f"{name}.py").read_text(encoding="utf-8")
    return text.replace("from reference.", "from exercises.")


def right_texts(exercise: str) -> Iterator[str]:
    """The solution and the variants, over and over, each another text."""
    texts = [solved(exercise), *(variant.apply(solved(exercise)) for variant in variants_of(exercise))]
    for n, text in enumerate(itertools.cycle(texts)):
        yield f"{text}\n# learner {n}\n"


def wrong_texts(exercise: str) -> Iterator[str]:
    """The misconceptions, over and over, each another text."""
    texts = [wrong.apply(solved(exercise)) for wrong in misconceptions_of(exercise)]
    for n, text in enumerate(itertools.cycle(texts)):
        yield f"{text}\n# learner {n}\n"


def jobs(texts: Iterable[str], isolation: str, exercise: str = EXERCISE) -> Iterator[Job]:
    """A job for each text, the other files solved."""
    names = ("config", "chain", *(entry.name for entry in load_course().exercises))
    files = {name: solved(name) for name in names}
    for n, text in enumerate(texts):
        yield Job(exercise, f"{n:016x}", files | {exercise: text}, {}, n, isolation)


def seconds_each(given: Iterable[Job], n_workers: int) -> tuple[float, Counter[str]]:
    """Wall seconds a job, and how many jobs came to what."""
    began, count = time.perf_counter(), Counter[str]()
    for _, records in graded_by_pool(given, n_workers):
        statuses = {record.status for record in records}
        order = ("error", "failed", "not_started", "skipped")
        count[next((status for status in order if status in statuses), "passed")] += 1
    return (time.perf_counter() - began) / count.total(), count


def show(what: str, value: float, unit: str, goal: str = "") -> None:
    """One line, the goal beside it."""
    print(f"{what:58} {value:8.2f} {unit}{f'   (goal: {goal})' if goal else ''}", flush=True)


def right(options: argparse.Namespace) -> None:
    texts = itertools.islice(right_texts(EXERCISE), options.learners // 4)
    taken, count = seconds_each(jobs(texts, options.isolation), options.workers)
    show(f"{EXERCISE}, right ({count})", taken, "s an exercise", f"at most {GOALS['right']}")


def wrong(options: argparse.Namespace) -> None:
    texts = itertools.islice(wrong_texts(EXERCISE), options.learners // 2)
    taken, count = seconds_each(jobs(texts, options.isolation), options.workers)
    show(f"{EXERCISE}, wrong ({count})", taken, "s an exercise", f"at most {GOALS['wrong']}")


def core(options: argparse.Namespace) -> None:
    exercises = [entry.name for entry in load_course().exercises]
    for kind, texts in (("right", right_texts), ("wrong", wrong_texts)):
        given = itertools.chain.from_iterable(
            jobs(itertools.islice(texts(name), N_CORE // 2), options.isolation, name) for name in exercises
        )
        taken, count = seconds_each(given, options.workers)
        show(f"the whole course, {kind} ({count})", taken, "s an exercise", f"at most {GOALS[kind]}")


def loop(options: argparse.Namespace) -> None:
    text = solved(EXERCISE)
    endless = stub_files()[EXERCISE].replace("raise NotImplementedError", "while True:\n        pass")
    plain, _ = seconds_each(jobs([f"{text}\n# 1\n", f"{text}\n# 2\n"], options.isolation), 1)
    taken, _ = seconds_each(jobs([f"{endless}\n# 1\n", f"{endless}\n# 2\n"], options.isolation), 1)
    at_import, _ = seconds_each(jobs([f"while True: pass\n# {n}\n" for n in range(2)], options.isolation), 1)
    n_tasks, n_laws = len(load_course()[EXERCISE].tasks), len(stub_laws(options.isolation))
    show(f"an endless loop in each of {n_tasks} tasks ({n_laws} laws), over a right one", taken - plain, "s more")
    show("an endless loop at the import, over a right one", at_import - plain, "s more")


def stub_laws(isolation: str) -> list[str]:
    """The laws of the exercise."""
    ((_, records),) = graded_by_pool(jobs([stub_files()[EXERCISE]], isolation), 1)
    return [record.law for record in records]


def workers(options: argparse.Namespace) -> None:
    def taken(n_workers: int) -> float:
        return seconds_each(jobs(itertools.islice(right_texts(EXERCISE), N_WORKERS), options.isolation), n_workers)[0]

    told, ratios = f"two workers over one, {N_WORKERS} learners", []
    for pair in range(N_PAIRS):
        ceiling = 2 * seconds_counting(1) / seconds_counting(2)
        show("two processes that only count, over one", ceiling, "times")
        seconds = {n: taken(n) for n in ((1, 2), (2, 1))[pair % 2]}
        ratios.append(seconds[1] / seconds[2])
        show(told, ratios[-1], "times")
    show(f"{told}, median of {N_PAIRS}", statistics.median(ratios), "times", f"at least {GOALS['workers']}")


def seconds_counting(n_processes: int) -> float:
    """Wall seconds in which so many processes at once count to a number each: two cores need no longer for two."""
    counting = [sys.executable, "-c", f"for _ in range({COUNT}): pass"]
    began = time.perf_counter()
    running = [subprocess.Popen(counting) for _ in range(n_processes)]
    for process in running:
        process.wait()
    return time.perf_counter() - began


def again(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_cohort(folder, options.learners)
        arguments = ("--exercise", EXERCISE, "--isolation", options.isolation, "--workers", str(options.workers))
        command = [sys.executable, "-m", "graders.cli", "cohort", "grade", *arguments]
        taken = []
        for _ in range(2):
            began = time.perf_counter()
            subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
            taken.append(time.perf_counter() - began)
        show(f"{options.learners} learners, all of it", taken[0], "s")
        show("the second run, with nothing changed", taken[1], "s")
        show("the first run over the second", taken[0] / taken[1], "times", f"at least {GOALS['again']:.0f}")


def make_cohort(folder: Path, n_learners: int) -> None:
    """A roster, and a repository for each learner: a quarter right, half wrong, a quarter stubs."""
    others = {name: solved(name) for name in ("config", "chain")}
    wrong = wrong_texts(EXERCISE)
    kinds = {0: right_texts(EXERCISE), 1: wrong, 2: wrong}
    lines = ["id,name,repository"]
    identity = {f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for n in range(n_learners):
        text = next(kinds[n % 4]) if n % 4 in kinds else f"{stub_files()[EXERCISE]}\n# learner {n}\n"
        repository = folder / f"l{n}"
        (repository / "exercises").mkdir(parents=True)
        for name, said in (others | {EXERCISE: text}).items():
            (repository / "exercises" / f"{name}.py").write_text(said, encoding="utf-8")
        for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "work")):
            subprocess.run(["git", *arguments], cwd=repository, env=os.environ | identity, check=True)
        lines.append(f"l{n},Learner {n},{repository}")
    (folder / "roster.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def memory(options: argparse.Namespace) -> None:
    texts = (next(kind) for kind in itertools.cycle((right_texts(EXERCISE), wrong_texts(EXERCISE))))
    given = jobs(itertools.islice(texts, options.learners), options.isolation)
    sizes = {}
    for n, _ in enumerate(graded_by_pool(given, options.workers), 1):
        if n in (options.learners // 4, options.learners - options.workers * 2):
            sizes[n] = sum(resident(child.pid) for child in multiprocessing.active_children())
    (few, before), (many, after) = sizes.items()
    show(f"memory of the grading processes after {few}", before / 2**20, "MB")
    show(f"after {many}, over that", after / before, "times", f"at most {GOALS['memory']}")


def resident(pid: int | None) -> int:
    """Bytes of a process that are in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


PIECES = {piece.__name__: piece for piece in (right, wrong, core, loop, workers, again, memory)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pieces", nargs="*", choices=[*PIECES, []], help="which to measure (default: all)")
    parser.add_argument("--learners", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--isolation", default="sandbox", choices=["sandbox", "process"])
    options = parser.parse_args()
    for name in options.pieces or PIECES:
        PIECES[name](options)


if __name__ == "__main__":
    main()
