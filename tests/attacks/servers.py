"""Ports that run what they are sent: none is open to anybody who has no certificate, and none to a submission."""

import json
import os
import pickle
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from graders.cohort.cluster import Certificates, ClusterError, graded_on

OPEN = ["tcp://10.0.0.7:8786", "tcp://0.0.0.0:8786", "tcp://[::]:8786", "tcp://localhost.evil.example:8786"]
OPEN += [
    "tcp://127.0.0.1.evil.example:1",
    "ws://127.0.0.1:8786",
    "inproc://x/1/1",
    "tls://10.0.0.7:8786",
    "10.0.0.7:8786",
]
START_SECONDS = 60
SILENT_SECONDS = 5
TLS_ALERT = b"\x15"


class Runs:
    """Unpickled, it makes a file."""

    def __init__(self, canary: Path):
        self.canary = canary

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.canary),)


def open_schedulers_are_not_spoken_to(_folder: Path) -> None:
    """To a scheduler that anybody can reach, and forge verdicts on, no job is sent."""
    for address in OPEN:
        with pytest.raises(ClusterError, match="--scheduler"):
            next(graded_on(address, Certificates(), []))


@contextmanager
def scheduler(folder: Path) -> Iterator[tuple[str, int]]:
    """A scheduler of Dask with certificates, as the lead's guide starts it: its host and port."""
    key, cert, file = folder / "key.pem", folder / "cert.pem", folder / "scheduler.json"
    made = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1")
    subprocess.run(["openssl", "req", *made, "-keyout", key, "-out", cert], check=True, capture_output=True)
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "tls://127.0.0.1", "--port", "0"]
    command += ["--no-dashboard", "--scheduler-file", file, "--tls-ca-file", cert, "--tls-cert", cert, "--tls-key", key]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until, said = time.monotonic() + START_SECONDS, {}
        while not said and time.monotonic() < until:
            time.sleep(0.05)
            with suppress(OSError, ValueError):  # it is not there, or not whole
                said = json.loads(file.read_text())
        address = urlsplit(said["address"])
        assert address.hostname is not None
        assert address.port is not None
        yield address.hostname, address.port
    finally:
        process.kill()
        process.wait()


def a_scheduler_takes_nothing_from_outside(folder: Path) -> None:
    """Pickled tasks, sent plainly or over TLS without a certificate, are not read."""
    assert shutil.which("openssl"), "openssl makes the certificates: install it"
    canary = folder / "executed"
    task = pickle.dumps(Runs(canary))
    message = (1).to_bytes(8, "little") + len(task).to_bytes(8, "little") + task
    with scheduler(folder) as address:
        with socket.create_connection(address, 10) as plain:
            assert _answer_to(message, plain)[:1] in (b"", TLS_ALERT), "it speaks to who is nobody"
        anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection(address, 10) as plain, anybody.wrap_socket(plain) as secured:
            assert _answer_to(message, secured) == b"", "it speaks to who has no certificate"
    assert not canary.exists()


def _answer_to(message: bytes, connection: socket.socket) -> bytes:
    """What is said to who sends this; nothing where the connection is closed, or stays silent."""
    connection.settimeout(SILENT_SECONDS)
    try:
        connection.sendall(message)
        return connection.recv(100)
    except (ssl.SSLError, ConnectionError, TimeoutError):
        return b""
