"""Whether this machine is ready for the course: each check says ok, or what is wrong and the command that mends it."""

import errno
import json
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, metadata, requires, version
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

from graders.engine import journal
from graders.engine.course import HAS_HOME, HOME, IS_REPOSITORY, MARKER, ROOT, WHEEL, load_course
from graders.engine.layout import wrapped
from graders.engine.stubs import GIVEN
from graders.weights.sums import EMBEDDED, wrong_files

OK, WRONG, NOTE = "ok", "wrong", "note"  # a note is no failure: nothing that a learner needs is missing
PIP = f'"{sys.executable}" -m pip'
INSTALL = f'{PIP} install -e "{ROOT}"' if IS_REPOSITORY else f"{PIP} install {WHEEL}"
AGAIN = f"{PIP} install --force-reinstall --no-deps {WHEEL}"
SECONDS = 60.0  # for a look that takes a second or three
REINSTALL = f"{PIP} uninstall -y torch && {INSTALL}"
LOOK_AT_TORCH = (
    "import torch; torch.ones(2, 2) @ torch.ones(2, 2); "
    "print(torch.__version__, 'cuda' if torch.cuda.is_available() else '')"
)
SMALL = 1e9  # bytes of disk: less than one installation of torch takes


@dataclass(frozen=True)
class Check:
    """What one look found. `mend` is a command, or a line about what to do."""

    name: str
    state: str  # OK, WRONG or NOTE
    said: str
    mend: str = ""


def checks() -> list[Check]:
    """Look at everything that a learner needs, then at what only a cohort's lead does."""
    python, dependencies = _asked_for()
    return [
        check_python(python, platform.python_version()),
        check_install() if IS_REPOSITORY else check_wheel(HOME / "requirements.txt"),
        check_dependencies(dependencies),
        check_torch(),
        *((check_exercises(), check_writable("records", journal.HOME)) if HAS_HOME else (check_folder(Path.cwd()),)),
        check_weights(EMBEDDED),
        check_cache(),
        check_disk(shutil.disk_usage(HOME).free),
        check_sandbox(),
    ]


def _asked_for() -> tuple[str, list[str]]:
    """The range of Python and the libraries that the course asks for."""
    if IS_REPOSITORY:  # what was noted when it was installed may be older
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        return project["requires-python"], project["dependencies"]
    libraries = [text for text in requires("headstart") or [] if "extra ==" not in text]
    return metadata("headstart")["Requires-Python"], libraries


def check_lines(found: Iterable[Check]) -> list[str]:
    """Each check on a line, and under it what mends what is wrong."""
    lines = []
    for check in found:
        first, *rest = wrapped(check.said, 90) or [""]
        lines.append(f"{check.state:7}{check.name:14}{first}")
        lines += [" " * 21 + line for line in rest]
        lines += [" " * 21 + f"to mend it:  {check.mend}"] if check.mend else []
    return lines


def check_python(wanted: str, found: str) -> Check:
    """`found` is a version of Python, `wanted` the range of `requires-python`."""
    try:
        from packaging.specifiers import SpecifierSet
    except ImportError:  # the libraries' line says so
        return Check("python", NOTE, f"{found}, expected {wanted}")
    if SpecifierSet(wanted).contains(found, prereleases=True):
        return Check("python", OK, f"{found}, expected {wanted}")
    mend = f"make a virtual environment with a Python {wanted}, then  {INSTALL}"
    return Check("python", WRONG, f"{found}; expected {wanted}", mend)


def check_dependencies(requirements: Iterable[str], installed: Callable[[str], str] = version) -> Check:
    """Hold every installed version to the range that the course asks for."""
    try:
        from packaging.requirements import Requirement
    except ImportError as error:
        return Check("libraries", WRONG, f"packaging cannot be imported: {error}", INSTALL)
    wrong, n = [], 0
    for text in requirements:
        requirement, n = Requirement(text), n + 1
        try:
            found = installed(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is not installed, expected {requirement.specifier}")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            wrong.append(f"{requirement.name} is {found}, expected {requirement.specifier}")
    if wrong:
        return Check("libraries", WRONG, "; ".join(wrong), INSTALL)
    return Check("libraries", OK, f"all {n} within the ranges that the course asks for")


def check_torch(command: tuple[str, ...] = (sys.executable, "-c", LOOK_AT_TORCH)) -> Check:
    """Whether torch can be imported and used: in a process of its own, since a broken one may take it down."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return Check("torch", WRONG, f"it cannot be used: it did not answer within {SECONDS:g} seconds", REINSTALL)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"the process ended with {done.returncode}"])[-1]
        return Check("torch", WRONG, f"it cannot be used: {last}", REINSTALL)
    found, _, other = done.stdout.strip().partition(" ")
    there = " (there is CUDA too; `--device cuda` is not needed, since the cases are tiny)" if other else ""
    return Check("torch", OK, f"{found}; the graders compute on the CPU{there}")


def check_install() -> Check:
    """Whether the commands run the code of this folder, and not that of another copy."""
    try:
        text = distribution("headstart").read_text("direct_url.json")
    except PackageNotFoundError:
        return Check("installation", WRONG, "headstart is not installed", INSTALL)
    origin: dict[str, Any] = json.loads(text) if text else {}
    path = Path(url2pathname(unquote(urlparse(origin.get("url", "")).path)))
    if not origin.get("dir_info", {}).get("editable"):
        said = "headstart is installed as a copy; expected an editable one, that runs what you edit"
        return Check("installation", WRONG, said, INSTALL)
    if path.resolve() != ROOT.resolve():
        return Check("installation", WRONG, f"headstart runs from {path}, not from here", INSTALL)
    return Check("installation", OK, "editable, from this folder")


def check_wheel(requirements: Path) -> Check:
    """Whether what is installed is the wheel that the learner's folder asks for, to the byte."""
    try:
        here = distribution("headstart")
    except PackageNotFoundError:
        return Check("installation", WRONG, "headstart is not installed", INSTALL)
    origin: dict[str, Any] = json.loads(here.read_text("direct_url.json") or "{}")
    found = origin.get("archive_info", {}).get("hashes", {}).get("sha256")
    text = requirements.read_text(encoding="utf-8", errors="replace") if requirements.is_file() else ""
    wanted = re.findall(r"#sha256=([0-9a-f]{64})", text)
    if wanted and found not in wanted:
        said = f"headstart {here.version} is not the wheel that requirements.txt asks for"
        return Check("installation", WRONG, said, AGAIN)
    return Check("installation", OK, f"headstart {here.version}, from a wheel")


def check_folder(folder: Path) -> Check:
    """Whether a folder in which there are no exercises is at least a lead's."""
    if (folder / "roster.csv").is_file():
        return Check("folder", OK, "a lead's: a roster, and no exercises")
    said = f"nothing here to grade; expected a pyproject.toml with {MARKER}, here or in a folder above"
    return Check("folder", WRONG, said, "cd into the folder with your exercises/, and run this again")


def check_exercises() -> Check:
    """Whether every file that a learner starts from is there."""
    names = ("__init__", *GIVEN, *(exercise.name for exercise in load_course().exercises))
    missing = [f"{name}.py" for name in names if not (journal.EXERCISES / f"{name}.py").is_file()]
    if missing:
        return Check("exercises", WRONG, f"exercises/ has no {', '.join(missing)}", "headstart stubs")
    return Check("exercises", OK, f"all {len(names)} files are there")


def check_weights(folder: Path) -> Check:
    """Whether the embedded checkpoint is what was made."""
    mend = f"git checkout -- {EMBEDDED.relative_to(ROOT).as_posix()}" if IS_REPOSITORY else AGAIN
    try:
        wrong = wrong_files(folder)
    except (OSError, ValueError) as error:
        return Check("weights", WRONG, f"their sums cannot be read: {error}", mend)
    if wrong:
        return Check("weights", WRONG, f"{', '.join(wrong)}: missing, or damaged", mend)
    return Check("weights", OK, "the checkpoint that comes with the course is whole")


def check_writable(name: str, folder: Path) -> Check:
    """Whether files can be written to a folder, which is made if it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        return Check(name, WRONG, f"{folder} cannot be written to: {reason}", _mend_of(error, folder))
    return Check(name, OK, f"{folder} can be written to")


def check_cache() -> Check:
    """Whether what is computed once can be kept."""
    try:
        import platformdirs
    except ImportError as error:
        return Check("libraries", WRONG, f"platformdirs cannot be imported: {error}", INSTALL)
    return check_writable("cache", Path(platformdirs.user_cache_dir("headstart")))


def _mend_of(error: OSError, folder: Path) -> str:
    """What makes a folder one that can be written to."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if error.errno == errno.ENOSPC:
        return "free some space on that disk"
    if not there.is_dir():
        return shlex.join(["mv", str(there), f"{there}.old"])
    if isinstance(error, PermissionError):
        return shlex.join(["chmod", "u+rwx", str(there)])
    return "see that it is a folder, on a disk that can be written to"


def check_disk(free: float) -> Check:
    """`free` is in bytes."""
    said = f"{free / 1e9:.1f} GB free"
    return Check("disk", OK, said) if free >= SMALL else Check("disk", NOTE, f"{said}; a training run may not fit")


def check_sandbox() -> Check:
    """Whether bubblewrap can make a sandbox, which the lead of a cohort needs to grade others' code."""
    need = "only who grades other people's code needs it"
    try:
        from graders.cohort import bubblewrap
    except ImportError as error:  # the libraries' line says so
        return Check("sandbox", NOTE, f"it cannot be looked at: {error}; {need}")
    reason, mend = bubblewrap.obstacle()
    if reason:
        return Check("sandbox", NOTE, f"{reason}; {need}", mend)
    return Check("sandbox", OK, "bubblewrap can make one")
