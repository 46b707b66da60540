"""What a sandbox holds: an allow-list of files, by the place where a learner's code finds each. Imports no torch."""

import functools
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import graders.engine.worker
from graders.engine.worker.loading import LIBRARIES

PYTHON = "/python"  # the interpreter and its standard library
PACKAGES = "/packages"  # what may be imported
LIBRARIES_FOLDER = "/libraries"  # shared libraries of the system
EXECUTABLE = f"{PYTHON}/bin/python3"
LOADER = "ld-linux"
SCREENS = ("_tkinter", "_curses", "readline")  # modules that need libraries, and nobody who is in a sandbox does
NOT_CODE = (".pth", ".dist-info", ".egg-info")


@functools.cache
def allowed() -> dict[str, str]:
    """Files and folders of this machine, by their place in a sandbox, where they are read-only."""
    executable = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]
    library = Path(sysconfig.get_path("stdlib", vars={"base": sys.base_prefix, "installed_base": sys.base_prefix}))
    packages = dict(_packages())
    modules = [file for file in library.glob("lib-dynload/*.so") if not file.name.startswith(SCREENS)]
    binaries = [executable, *modules, *_shared(packages.values())]
    found = {EXECUTABLE: str(executable), f"{PYTHON}/{sys.platlibdir}/{library.name}": str(library)}
    found |= {f"{PACKAGES}/{name}": str(path) for name, path in packages.items()}
    found |= {f"{PACKAGES}/worker": str(Path(graders.engine.worker.__file__).parent)}
    return found | dict(_needed_by(binaries, inside=packages.values()))


def covered() -> Iterator[str]:
    """Folders inside those that are allowed which are not, and are empty in a sandbox."""
    for place, path in allowed().items():
        if place.startswith(PYTHON):
            yield from (
                f"{place}/{name}" for name in ("site-packages", "dist-packages") if (Path(path) / name).is_dir()
            )


def _packages() -> Iterator[tuple[str, Path]]:
    """Every file or folder that can be imported of the libraries that exercises use, and of those that they need."""
    for found in _distributions():
        names = {file.parts[0] for file in found.files or ()}
        if not names:  # a distribution's package, which keeps no list of its files
            spec = find_spec(found.metadata["Name"])
            names = {Path(spec.origin).parent.name} if spec and spec.origin else set()
        for name in names - {"..", "__pycache__"}:
            path = Path(str(found.locate_file(name)))
            if path.suffix not in NOT_CODE and path.exists():
                yield name, path
            elif path.suffix in NOT_CODE and (path / "METADATA").is_file():  # by which a library finds its version
                yield f"{name}/METADATA", path / "METADATA"


def _distributions() -> Iterator[Distribution]:
    waiting, seen = sorted(LIBRARIES - sys.stdlib_module_names), set()
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in seen:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:  # not on this machine, or of another name: then the import will say so
            continue
        yield found
        needed = [Requirement(text) for text in found.requires or ()]
        waiting += [need.name for need in needed if need.marker is None or need.marker.evaluate({"extra": ""})]


def _shared(packages: Iterable[Path]) -> Iterator[Path]:
    """The shared libraries in packages."""
    for path in packages:
        yield from (file for file in path.rglob("*.so*") if ".so" in file.suffixes) if path.is_dir() else ()


def _needed_by(binaries: Iterable[Path], inside: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """The system's libraries that these need, as the system's own loader finds them."""
    command = ["ldd", *map(str, binaries)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    folders = tuple(f"{path.parent}/" for path in inside)
    for line in done.stdout.splitlines():
        name, _, rest = line.strip().partition(" => ")
        path = rest.rpartition(" (")[0] or name.rpartition(" (")[0]
        if not line.startswith("\t") or not path.startswith("/") or path.startswith(folders):
            continue
        yield (path if LOADER in name else f"{LIBRARIES_FOLDER}/{name}"), path
