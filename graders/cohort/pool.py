"""Grades jobs in the processes of a standard pool, each warm and with a sandbox of its own.

No code of a learner's runs in these processes. Should one of them die all the same, the jobs that were with the pool
are done again one at a time, so that the one that it dies of is found, and the others have their verdicts.
"""

import ctypes
import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.util import Finalize

from graders.cohort.jobs import Job, errors_of, records_of
from graders.engine.record import Record

PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>
AHEAD = 2  # jobs in the pool for each process: one that it is at, and one that it need not wait for
ATTEMPTS = 3  # that a job is given when the process that grades it dies


@dataclass
class Attempt:
    """A job and how often it was tried."""

    job: Job
    n: int = 0


def graded_by_pool(
    jobs: Iterable[Job], n_workers: int, grade: Callable[[Job], list[Record]] = records_of
) -> Iterator[tuple[Job, list[Record]]]:
    """The records of each job, as they come. No more jobs are asked for than the processes can soon begin.

    `grade` is a function that a new process can import.
    """
    fresh, suspects = iter(jobs), deque[Attempt]()
    running: dict[Future[list[Record]], Attempt] = {}
    others = multiprocessing.active_children()
    pool = _pool(n_workers)
    try:
        while True:
            died = []
            for attempt in _next(fresh, suspects, n_room=n_workers * AHEAD - len(running), is_idle=not running):
                attempt.n += 1
                try:
                    running[pool.submit(grade, attempt.job)] = attempt
                except BrokenProcessPool:
                    died.append(attempt)
            if not running and not died:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done if not died else ():
                attempt = running.pop(future)
                try:
                    records = future.result()
                except BrokenProcessPool:
                    died.append(attempt)
                else:
                    yield attempt.job, records
            if died:
                died += running.values()  # whose futures are broken, too
                running.clear()
                pool.shutdown()
                pool = _pool(n_workers)
                suspects += [attempt for attempt in died if attempt.n < ATTEMPTS]
                for attempt in died:
                    if attempt.n >= ATTEMPTS:
                        yield attempt.job, errors_of(attempt.job, f"the grading process died of it, {ATTEMPTS} times")
    except BaseException:  # Ctrl-C as well: what still runs would be waited for
        for process in set(multiprocessing.active_children()) - set(others):
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _next(fresh: Iterator[Job], suspects: deque[Attempt], n_room: int, is_idle: bool) -> Iterator[Attempt]:
    """What is handed to the pool now: one suspect alone, and new jobs only while there is none."""
    if suspects:
        if is_idle:
            yield suspects.popleft()
        return
    for _, job in zip(range(n_room), fresh, strict=False):
        yield Attempt(job)


def _pool(n_workers: int) -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")  # no copy of what we have open: no history, no roster, no secret
    return ProcessPoolExecutor(n_workers, mp_context=spawn, initializer=_warm_up)


def _warm_up() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends whoever hands out the jobs, and that ends us
    _end_with_the_parent()
    os.environ["OMP_NUM_THREADS"] = "1"
    from graders.cohort import grading, sandbox  # noqa: F401 (with torch, so that the first job need not import it)

    Finalize(None, sandbox.close_sandbox, exitpriority=1)  # `atexit` is not for processes of a pool
    gc.collect()
    gc.freeze()  # torch's million objects stay: no collection looks at them


def _end_with_the_parent() -> None:
    """See to it that this process does not outlive the one that hands out the jobs, however that ends."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    if sys.platform == "linux":  # a thread would not do: the learners' processes are forked from this one
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent.pid:
            os._exit(1)
    else:
        threading.Thread(target=lambda: (parent.join(), os._exit(1)), daemon=True).start()
