"""Which grader gave a verdict: the version of headstart, and a hash of all of ours that the verdict rests on.

So that a mended grader is seen without a new release, and the verdicts of the other exercises stand. What a verdict
rests on is found by reading the imports, so that nothing has to be listed, and nothing is imported.
"""

import functools
import hashlib
import re
from importlib.metadata import version
from pathlib import Path

from graders.engine.course import ROOT, load_course

OURS = ("graders", "reference")
GRADES = "graders.cohort.grading"  # from which the engine and the sandbox are reached
READS = "graders.cohort.submission"
WORKER = "graders.engine.worker"  # enters a sandbox as a folder
IMPORT = re.compile(r"^ *(?:from +(\.*)([\w.]*) +)?import +(\([^)]*\)|.*)", re.MULTILINE)
NAME = re.compile(r"[\w.]+")
CHECKPOINT = ROOT / "graders" / "weights" / "shakespeare"


@functools.cache
def grader_version(exercise: str, extra: str = "") -> str:
    """The version of what grades an exercise; `extra` is the text of the lead's own laws, if there are any."""
    digest = hashlib.sha256(repr((load_course()[exercise], extra)).encode())
    starts = [f"graders.test_{exercise}", f"graders.misconceptions.{exercise}", f"reference.{exercise}"]
    modules = _closure(tuple(starts)) | _closure((GRADES, *_modules_in(WORKER)))
    for module in sorted(modules):
        digest.update(_file_digest(_file_of(module)))
    if any(module.startswith("graders.weights.") for module in modules):
        for path in sorted(CHECKPOINT.iterdir()):
            digest.update(_file_digest(path))
    return f"{version('headstart')}+{digest.hexdigest()[:8]}"


@functools.cache
def reader_version() -> str:
    """The version of what reads submissions, the index included: another one may see other files in them."""
    digest = hashlib.sha256(repr(load_course()).encode())
    for module in sorted(_closure((READS,))):
        digest.update(_file_digest(_file_of(module)))
    return digest.hexdigest()[:8]


@functools.cache
def _closure(starts: tuple[str, ...]) -> frozenset[str]:
    """These modules, and all of ours that they import, anywhere in their text, or that those import."""
    found = list(starts)
    for module in found:
        found += [name for name in dict.fromkeys(_imports(module)) if name not in found]
    return frozenset(found)


@functools.cache
def _imports(module: str) -> tuple[str, ...]:
    """What of ours a module may import: `from a import b` may mean a module b.

    Lines that look like imports are taken for imports, in a text within the text as well: to parse some 60 files would
    take a tenth of the time of a run in which nothing is new.
    """
    path = _file_of(module)
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    found = []
    for dots, base, names in IMPORT.findall(path.read_text(encoding="utf-8")):
        above = package[: len(package) - len(dots) + 1] if dots else []
        prefix = ".".join([*above, *([base] if base else [])])
        found += [prefix, *(f"{prefix}.{name}" if prefix else name for name in NAME.findall(names))]
    return tuple(name for name in found if _is_ours(name))


@functools.cache
def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in OURS and _file_of(module).is_file()


def _modules_in(package: str) -> list[str]:
    return [f"{package}.{path.stem}" for path in sorted(_file_of(package).parent.glob("*.py"))]


@functools.cache
def _file_of(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@functools.cache
def _file_digest(path: Path) -> bytes:
    return hashlib.sha256(path.name.encode() + b"\0" + path.read_bytes()).digest()
