"""Grades jobs on a cluster of Dask: the tasks are plain data, and so is what comes back.

A worker of Dask only hands a job on to a child of its own (`apart.py`), which has the sandbox: no code of a learner's
runs in a process of Dask. A port of Dask's runs what it is sent, so it is spoken to over TLS, or on this machine only.
"""

import ipaddress
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from graders.cohort.apart import grade_apart
from graders.cohort.jobs import Job, errors_of
from graders.engine.course import how_to_install
from graders.engine.record import Record

AHEAD = 2  # jobs on their way for each thread of the cluster
SECONDS = 20  # to reach the scheduler
PATIENCE = 60  # seconds in which nothing comes, after which somebody must be there to do it


class ClusterError(Exception):
    """The cluster cannot be used; the text says why, and what to do."""


@dataclass(frozen=True)
class Certificates:
    """What a cluster is spoken to with: who signed its certificate, ours, and our key."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def missing(self) -> list[str]:
        """The options that are not given."""
        return [f"--tls-{name}" for name, path in vars(self).items() if path is None]


def refusal(scheduler: str, certificates: Certificates) -> str:
    """Why a cluster is not spoken to in this way; "" when it may be."""
    try:
        address = urlsplit(scheduler)
        is_complete = bool(address.hostname and address.port)
    except ValueError:
        address, is_complete = urlsplit(""), False
    if address.scheme not in ("tls", "tcp") or not is_complete:
        return f"--scheduler is {scheduler}; expected tls://HOST:PORT"
    if address.scheme == "tls":
        missing = certificates.missing()
        return f"--scheduler {scheduler} needs {', '.join(missing)} as well" if missing else ""
    if not _is_loopback(address.hostname or ""):
        return (
            f"--scheduler {scheduler} is plain tcp to another machine: whoever reaches that port can run code there, "
            "and forge verdicts; expected tls://, with --tls-ca, --tls-cert and --tls-key"
        )
    return ""


def graded_on(scheduler: str, certificates: Certificates, jobs: Iterable[Job]) -> Iterator[tuple[Job, list[Record]]]:
    """The records of each job, as they come; those of a lost worker are done again. Raises `ClusterError`."""
    try:
        from distributed import Client, wait
        from distributed.security import Security
    except ImportError as error:
        raise ClusterError(f"Dask is not installed; {how_to_install('cluster')}") from error
    refused = refusal(scheduler, certificates)
    if refused:
        raise ClusterError(refused)
    security: Any = None
    if scheduler.startswith("tls:"):
        ca, cert, key = (str(path) for path in vars(certificates).values())
        security = Security(require_encryption=True, tls_ca_file=ca, tls_client_cert=cert, tls_client_key=key)
    try:
        client = Client(scheduler, security=security, timeout=SECONDS)
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        raise ClusterError(f"the scheduler at {scheduler} could not be reached: {error}") from error
    fresh, running = iter(jobs), dict[Any, Job]()
    try:
        while True:
            n_room = max(1, AHEAD * sum(client.nthreads().values())) - len(running)
            for job in islice(fresh, max(0, n_room)):
                # Not `pure`: the same job of two runs is two tasks
                running[client.submit(grade_apart, asdict(job), pure=False)] = job
            if not running:
                return
            try:
                done = wait(list(running), timeout=PATIENCE, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                if client.nthreads():
                    continue
                said = f"the cluster at {scheduler} has no worker; start one, and run the command again"
                raise ClusterError(said) from None
            for future in done:
                job = running.pop(future)
                if future.status in ("cancelled", "lost"):
                    raise ClusterError(f"the cluster at {scheduler} was lost; run the command again to go on")
                yield job, _records(job, future)
    except (OSError, TimeoutError, CancelledError) as error:
        raise ClusterError(f"the cluster at {scheduler} was lost ({error}); run the command again to go on") from error
    finally:
        client.close(timeout=SECONDS)


def _records(job: Job, future: Any) -> list[Record]:
    error = future.exception()
    if error is not None:  # every worker that had it was lost, or it could not be graded there
        return errors_of(job, f"on the cluster: {type(error).__name__}: {error}")
    return [Record(**record) for record in future.result()]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
