"""The pool: every job has its records, whichever process dies, and a process dies with whoever hands out jobs."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cohorts import quickly, variables

from graders.cohort import pool
from graders.cohort.jobs import Job
from graders.cohort.pool import ATTEMPTS, graded_by_pool


@pytest.fixture(autouse=True)
def without_torch(monkeypatch):
    """No process need import what grades, since none does; they still end with this one."""
    monkeypatch.setattr(pool, "errors_of", lambda job, reason: reason)
    monkeypatch.setattr(pool, "_warm_up", pool._end_with_the_parent)


def jobs(*texts):
    return [Job("attention", f"{n:016x}", {"attention": text}) for n, text in enumerate(texts)]


def test_every_job_has_its_records_and_no_more_are_asked_for_than_can_be_begun():
    asked = []

    def handed_out():
        for job in jobs(*["right"] * 20):
            asked.append(job)
            yield job

    done = []
    for job, records in graded_by_pool(handed_out(), 2, quickly):
        done.append(job)
        assert {record.subject_hash for record in records} == {job.subject_hash}
        assert len(asked) <= len(done) + 2 * pool.AHEAD
    assert sorted(done, key=str) == sorted(asked, key=str)


def test_a_job_that_a_process_dies_of_is_given_up_and_the_others_have_their_verdicts():
    given = jobs("right", "dies", "right", "wrong", "dies", "right")
    done = {job.subject_hash: records for job, records in graded_by_pool(given, 2, quickly)}
    assert len(done) == len(given)
    given_up = f"the grading process died of it, {ATTEMPTS} times"
    assert [job.files["attention"] for job in given if done[job.subject_hash] == given_up] == ["dies", "dies"]


def test_whoever_stops_asking_leaves_no_process_behind():
    before = set(multiprocessing.active_children())
    results = graded_by_pool(jobs(*["right"] * 20), 2, quickly)
    next(results)
    results.close()
    assert set(multiprocessing.active_children()) <= before


SCRIPT = """
import os, sys
from cohorts import quickly
from graders.cohort.jobs import Job
from graders.cohort.pool import graded_by_pool
if __name__ == "__main__":
    import multiprocessing
    for _ in graded_by_pool((Job("attention", str(n)) for n in range(10**9)), 2, quickly):
        print(*[child.pid for child in multiprocessing.active_children()], flush=True)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_killed_run_leaves_no_process_behind(tmp_path):
    script = tmp_path / "endless.py"
    script.write_text(SCRIPT)
    run = subprocess.Popen([sys.executable, script], env=variables(), stdout=subprocess.PIPE, text=True)
    pids = run.stdout.readline().split()
    run.kill()
    run.wait()
    assert len(pids) > 0
    until = time.monotonic() + 60
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < until:
        time.sleep(0.01)
    left = [int(pid) for pid in pids if Path(f"/proc/{pid}").exists()]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert left == []
