"""The ground on which hostile submissions are graded: what they must not touch, and what came of each."""

import ctypes
import hashlib
import os
import re
import secrets
import socket
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from learners import solved

from graders.cohort.secret import VARIABLE
from graders.engine.course import ROOT
from graders.engine.record import Record, to_line
from graders.engine.stubs import stub_files

HERE = Path(__file__).parent
PRELUDE = (HERE / "prelude.py").read_text(encoding="utf-8")
HEADER = re.compile(r"# (\d+), (wrong|right)(?:, (library))?: (.+)")
EXERCISE = "softmax"
WRONG = """

def softmax(x, dim):
    return x.exp()


def log_softmax(x, dim):
    return x * 2


def cross_entropy(logits, targets):
    return logits.sum()


"""
OUTSIDE = (Path("/"), Path("/tmp"), Path("/dev/shm"), Path.home(), Path.cwd())
PLANTED = (
    "sitecustomize.py",
    "usercustomize.py",
    "torch.py",
    "numpy.py",
    "headstart.pth",
    "pytest.ini",
    "records.jsonl",
)
PLANTED += (
    "results.json",
    "junit.xml",
    "large",
    "small0",
    "sparse",
    "calls",
    "link",
    "hard.py",
    ".hypothesis/examples/0",
)
PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER = 36, 37  # of <linux/prctl.h>
IN_A_SECRET = "swordfish-"  # how every secret begins that no submission may tell


@dataclass(frozen=True)
class Submission:
    """A hostile file: the line of the list that it belongs to, and what it tries.

    `base` is what it would be without its trick, a `right` or a `wrong` answer; where `delegates`, it has the library
    do what it is to build.
    """

    name: str
    line: int
    base: str
    delegates: bool
    tries: str
    trick: str

    def text(self, ground: "Ground") -> str:
        """The whole of what it hands in."""
        before = PRELUDE.replace("$COURSE", str(ROOT)).replace("$FOLDER", str(ground.folder))
        text = solved(EXERCISE) + (WRONG if self.base == "wrong" else "\n\n")
        return text + before.replace("$PORT", str(ground.port)) + self.trick


def submissions() -> list[Submission]:
    """All hostile files, in the order of the list."""
    found = []
    for file in sorted((HERE / "submissions").glob("*.py")):
        text = file.read_text(encoding="utf-8")
        header = HEADER.match(text)
        if header is None:
            raise ValueError(f"{file.name} does not begin with its line, its base and what it tries")
        line, base, library, tries = header.groups()
        found.append(Submission(file.stem, int(line), base, bool(library), tries, text))
    return found


class Ground:
    """Files, a service and secrets that a submission must not reach; `damage` says which it did."""

    def __init__(self, folder: Path, folders: Any = None):
        self.folder, self.folders = folder, folders
        self.secret = IN_A_SECRET + secrets.token_hex(16)
        for name in ("roster.csv", "secret.key", "history.sqlite3", "other/exercises/softmax.py"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(self.secret, encoding="utf-8")
        self.before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = self.secret
        self.adopted = _adopt_orphans(1)
        self.n_connections = 0
        self.services = [_service(socket.AF_INET, ("127.0.0.1", 0)), _service(socket.AF_UNIX, f"{folder}/socket")]
        self.services.append(_service(socket.AF_UNIX, f"\0{folder}"))
        self.port = self.services[0].getsockname()[1]
        for service in self.services:
            threading.Thread(target=self._accept, args=(service,), daemon=True).start()
        self.state = self._state()
        self.processes = descendants()

    def fresh_folder(self) -> Path:
        """A folder of one attack's own."""
        return self.folders.mktemp("attack")

    def close(self) -> None:
        _adopt_orphans(self.adopted)  # tests that come later look whether others' processes are gone
        for service in self.services:
            service.close()
        os.environ.pop(VARIABLE)
        if self.before is not None:
            os.environ[VARIABLE] = self.before

    def files(self, submission: Submission) -> dict[str, str]:
        """What a learner hands in: the stubs, and one hostile file among them."""
        return stub_files() | {EXERCISE: submission.text(self)}

    def damage(self, records: list[Record]) -> list[str]:
        """What was reached that is nobody's to reach, in words."""
        found = ["a secret was told"] if any(IN_A_SECRET in to_line(record) for record in records) else []
        found += ["the network was reached"] if any("reached the network" in r.yours for r in records) else []
        found += [f"{self.n_connections} connections to services of the host"] if self.n_connections else []
        now = self._state()
        found += [f"{name} is another" for name, _ in sorted(self.state.items() ^ now.items())]
        found += [f"process {pid} was left: {what}" for pid, what in descendants().items() if pid not in self.processes]
        return found

    def _accept(self, service: socket.socket) -> None:
        while True:
            try:
                service.accept()[0].close()
            except OSError:  # it is closed
                return
            self.n_connections += 1

    def _state(self) -> dict[str, str]:
        """All files that matter, and what is in them; whether files are where submissions plant some."""
        places = [self.folder, *(ROOT / name for name in ("graders", "reference", "exercises"))]
        files = {str(file): _digest(file) for place in places for file in place.rglob("*") if ours(file)}
        return files | {str(place / name): "" for place in OUTSIDE for name in PLANTED if (place / name).exists()}


def _adopt_orphans(adopts: int) -> int:
    """Whether a process that its parent leaves becomes our child, where it can be seen (1) or not (0); what was so."""
    libc, before = ctypes.CDLL(None), ctypes.c_int()
    libc.prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(before), 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, adopts, 0, 0, 0)
    return before.value


def ours(file: Path) -> bool:
    """Whether nobody but us has a reason to write it: Python itself writes bytecode, first under another name."""
    return "__pycache__" not in file.parts or not (file.name == "__pycache__" or ".pyc" in file.name)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _service(family: int, address) -> socket.socket:
    service = socket.socket(family)
    service.bind(address)
    service.listen(100)
    return service


def descendants() -> dict[int, str]:
    """All processes that this one started, and those that they did, and that run: what, by number.

    One that has ended and whose parent has not asked how is none: what git leaves so when it is killed becomes our
    child, and nobody here asks.
    """
    parents, names = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat, names[int(entry.name)] = (entry / "stat").read_text(), (entry / "cmdline").read_text()[:80]
            except OSError:  # it has ended meanwhile
                continue
            state, parent = stat.rpartition(")")[2].split()[:2]
            if state not in "ZX":  # it has ended, and nobody has asked how
                parents[int(entry.name)] = int(parent)
    found: set[int] = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: names[pid] for pid in found - {os.getpid()}}
