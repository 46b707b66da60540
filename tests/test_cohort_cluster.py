"""A cluster of Dask gives the table that the pool gives, a killed worker or not, and is spoken to in no open way."""

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from cohorts import TEXTS, variables
from learners import solved

from graders.cohort import apart
from graders.cohort.apart import grade_apart
from graders.cohort.cluster import Certificates, ClusterError, graded_on, refusal
from graders.cohort.grading import grade
from graders.cohort.jobs import Job

N_JOBS = 6


@contextmanager
def started(*commands):
    quietly = {"env": variables(), "stderr": subprocess.DEVNULL}
    running = []
    try:
        running += [subprocess.Popen([sys.executable, "-m", *command], **quietly) for command in commands]
        yield running
    finally:
        for process in running:
            process.kill()
            process.wait()


def written_address(file):
    """What a scheduler has written, once it is whole."""
    until = time.monotonic() + 60
    while True:
        try:
            return json.loads(file.read_text())["address"]
        except (OSError, ValueError):
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


@contextmanager
def cluster(folder, *options, n_workers=2):
    """A scheduler and workers, each a process of its own: its address, and the workers."""
    file = folder / "scheduler.json"
    local = ("--host", "127.0.0.1", "--no-dashboard", *map(str, options))
    if options:
        local = ("--host", "tls://127.0.0.1", *local[2:])
    with started(("distributed.cli.dask_scheduler", "--port", "0", "--scheduler-file", str(file), *local)):
        address = written_address(file)
        worker = ("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", *local)
        with started(*[(*worker, "--local-directory", str(folder))] * n_workers) as workers:
            yield address, workers


def jobs():
    texts = [f"{TEXTS['wrong' if n % 2 else 'right']}\n# {n}\n" for n in range(N_JOBS)]
    return [
        Job("layer_norm", f"{n:016x}", {"layer_norm": text, "config": solved("config")}, {}, n, "process")
        for n, text in enumerate(texts)
    ]


def table(records):
    return [replace(record, duration_ms=0, time="") for record in records]


def test_a_cluster_of_two_with_one_killed_midway_gives_the_table_that_this_process_gives(tmp_path):
    found = {}
    with cluster(tmp_path) as (address, workers):
        for job, records in graded_on(address, Certificates(), jobs()):
            found[job.subject_hash] = table(records)
            if len(found) == 1:
                workers[0].kill()
        assert workers[1].poll() is None
    assert found == {job.subject_hash: table(grade(job)) for job in jobs()}


def test_a_cluster_is_spoken_to_over_tls_with_both_sides_certified(tmp_path, monkeypatch):
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1")
    run = ["openssl", "req", *made, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert]
    subprocess.run(run, check=True, capture_output=True)
    options = ("--tls-ca-file", cert, "--tls-cert", cert, "--tls-key", key)
    with cluster(tmp_path, *options, n_workers=1) as (address, _):
        assert address.startswith("tls://")
        ((job, records),) = graded_on(address, Certificates(cert, cert, key), jobs()[:1])
        assert table(records) == table(grade(job))
        other = tmp_path / "other.pem"
        other_key = tmp_path / "other-key.pem"
        subprocess.run([*run[:-4], "-keyout", other_key, "-out", other], check=True, capture_output=True)
        monkeypatch.setattr("graders.cohort.cluster.SECONDS", 5)
        with pytest.raises(ClusterError, match="could not be reached"):
            next(graded_on(address, Certificates(cert, other, other_key), jobs()))


def test_a_cluster_without_workers_is_not_waited_for_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr("graders.cohort.cluster.PATIENCE", 0.1)
    told = pytest.raises(ClusterError, match="has no worker; start one, and run the command again")
    with cluster(tmp_path, n_workers=0) as (address, _workers), told:
        next(graded_on(address, Certificates(), jobs()))


def test_a_job_that_its_process_dies_of_is_given_up_and_the_next_has_a_new_one(monkeypatch):
    started = []

    def dying():
        started.append(
            subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        return started[-1]

    monkeypatch.setattr(apart, "_child", dying)
    with pytest.raises(RuntimeError, match="the grading process died of it, 3 times"):
        grade_apart({})
    assert len(started) == 3


def test_a_scheduler_that_is_not_there_is_said_so(monkeypatch):
    monkeypatch.setattr("graders.cohort.cluster.SECONDS", 1)
    with pytest.raises(ClusterError, match=r"the scheduler at tcp://127\.0\.0\.1:1 could not be reached"):
        next(graded_on("tcp://127.0.0.1:1", Certificates(), jobs()))


@pytest.mark.parametrize(
    ("scheduler", "said"),
    [
        ("tcp://10.0.0.7:8786", "plain tcp to another machine: whoever reaches that port can run code there"),
        ("tcp://localhost.example.org:8786", "plain tcp to another machine"),
        ("tls://10.0.0.7:8786", "needs --tls-ca, --tls-cert, --tls-key as well"),
        ("10.0.0.7:8786", "expected tls://HOST:PORT"),
        ("tls://10.0.0.7", "expected tls://HOST:PORT"),
        ("ucx://10.0.0.7:8786", "expected tls://HOST:PORT"),
        ("tls://[::1", "expected tls://HOST:PORT"),
        ("tcp://127.0.0.1:8786", ""),
        ("tcp://[::1]:8786", ""),
        ("tcp://localhost:8786", ""),
    ],
)
def test_a_cluster_is_spoken_to_with_certificates_or_on_this_machine(scheduler, said):
    told = refusal(scheduler, Certificates())
    assert said in told
    assert bool(said) == bool(told)


def test_without_dask_the_course_s_own_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError) as refused:
        next(graded_on("tcp://127.0.0.1:1", Certificates(), []))
    assert str(refused.value) == """Dask is not installed; in the course's folder: pip install -e ".[cluster]\""""
