"""One sandbox of bubblewrap around one interpreter, and what this machine allows. Imports no torch.

The sandbox is an allow-list (`allowed.py`) without a network. Root starts it without a namespace of users, and it
gives up being root first thing: the numbers of processes that a learner may have do not bind root, whatever
it is called inside. Everybody else's is "nobody" inside, and they themselves outside.
"""

import functools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from graders.cohort.allowed import EXECUTABLE, LIBRARIES_FOLDER, PACKAGES, allowed, covered
from graders.engine.worker.isolation import EXERCISES, NOBODY, ROOT, STARTED

PROGRAM = "bwrap"
INSTALL = "install bubblewrap, with  apt-get install bubblewrap  on Debian and Ubuntu"
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")
FOLDERS = ("/tmp", "/dev/shm", EXERCISES, ROOT)  # empty, for what each learner gets of its own
ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "LD_LIBRARY_PATH": LIBRARIES_FOLDER,
    "OMP_NUM_THREADS": "1",  # threads of a library would keep a fork from leaving its namespaces
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
PROFILE = (
    r"abi <abi/4.0>,\ninclude <tunables/global>\nprofile bwrap /usr/bin/bwrap flags=(unconfined) {\n  userns,\n}\n"
)
SECONDS = 60.0


class SandboxError(RuntimeError):
    """A sandbox could not be made, or is gone; the text says why."""


def command(program: str, *arguments: str) -> list[str]:
    """Runs a Python `program`, given as text, in a sandbox."""
    return [PROGRAM, *_options(), "--", EXECUTABLE, "-I", "-B", "-X", "utf8", "-c", program, *arguments]


def _options() -> Iterator[str]:
    yield from ("--unshare-net", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
    yield from ("--hostname", "sandbox", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL")
    if os.geteuid() == 0:
        yield from ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
    else:
        yield from ("--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY))
    for name, value in ENVIRONMENT.items():
        yield from ("--setenv", name, value)
    # By itself it would make folders that nobody but root may enter
    above = {str(folder) for place in (*DEVICES, *allowed()) for folder in PurePosixPath(place).parents}
    for folder in sorted(above - {"/"}):
        yield from ("--dir", folder)
    yield from ("--proc", "/proc")
    for device in DEVICES:
        yield from ("--dev-bind", device, device)
    for place, path in allowed().items():
        yield from ("--ro-bind", path, place)
    for folder in covered():
        yield from ("--tmpfs", folder, "--remount-ro", folder)
    for folder in FOLDERS:
        yield from ("--dir", folder)
    yield from ("--remount-ro", "/", "--chdir", "/")


class Bubble:
    """A sandbox that runs a program of ours, which has one end of a socket; `control` is the other."""

    def __init__(self, program: str):
        self.control, theirs = socket.socketpair()
        self.control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.said = tempfile.TemporaryFile()  # noqa: SIM115 (for as long as this is open)
        with theirs:
            program = f"import sys; sys.path.append({PACKAGES!r}); {program.format(descriptor=theirs.fileno())}"
            try:
                self.process = subprocess.Popen(
                    command(program),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=self.said,
                    pass_fds=(theirs.fileno(),),
                    env={"PATH": os.environ.get("PATH", os.defpath)},
                )
            except OSError as error:
                self.control.close()
                self.said.close()
                raise SandboxError(f"bubblewrap could not be run: {error.strerror}; {INSTALL}") from error

    def last_words(self) -> str:
        """The last line that was written to the standard error."""
        self.said.seek(0)
        return (self.said.read(10_000).decode(errors="replace").strip().splitlines() or ["no reason given"])[-1]

    def close(self) -> None:
        """End everything in it."""
        self.control.close()
        self.process.kill()
        self.process.wait()
        self.said.close()


@functools.cache
def obstacle() -> tuple[str, str]:
    """Why no sandbox can be made here, and what mends it; both empty when one can. Takes a fraction of a second."""
    if sys.platform != "linux":
        return "bubblewrap, which makes sandboxes, is for Linux alone", "grade on Linux: in a virtual machine, or in CI"
    if shutil.which(PROGRAM) is None:
        return "bubblewrap is not installed", INSTALL
    try:
        look = Bubble("from worker.isolation import look; look({descriptor})")
    except (OSError, SandboxError) as error:
        return str(error), INSTALL
    try:
        look.control.settimeout(SECONDS)
        answer = look.control.recv(1000).decode(errors="replace")
        if answer == "":
            look.process.wait(SECONDS)
            answer = look.last_words()
    except (OSError, subprocess.TimeoutExpired):
        answer = f"it did not answer within {SECONDS:g} seconds"
    finally:
        look.close()
    return ("", "") if answer == STARTED.decode() else (f"bubblewrap cannot make a sandbox here: {answer}", _mend())


def _mend() -> str:
    """What most likely lets bubblewrap make its namespaces on this machine."""
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return f"printf '{PROFILE}' | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap"
    if _setting("kernel/unprivileged_userns_clone") == "0":
        return "sudo sysctl -w kernel.unprivileged_userns_clone=1"
    if _setting("user/max_user_namespaces") == "0":
        return "sudo sysctl -w user.max_user_namespaces=10000"
    return "in a container, let it make namespaces (Docker: --privileged), or grade on the machine itself"


def _setting(name: str) -> str:
    """One of the kernel's settings; empty where it has no such."""
    file = Path("/proc/sys") / name
    return file.read_text().strip() if file.exists() else ""
