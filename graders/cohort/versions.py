"""Which grader gave a verdict: the version of headstart, and a hash of all of ours that the verdict rests on.

So that a mended grader is seen without a new release, and the verdicts of the other exercises stand. What a verdict
rests on is found by reading the imports, so that nothing has to be listed, and nothing is imported.
"""

import ast
import functools
import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from graders.engine.course import ROOT, load_course
from graders.engine.worker.loading import PARTS

OURS = ("graders", "reference")
GRADES = "graders.cohort.grading"  # from which the engine and the sandbox are reached
READS = "graders.cohort.submission"
WORKER = "graders.engine.worker"  # enters a sandbox as a folder
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
    tree = ast.parse(_file_of(module).read_bytes())
    package = module if _file_of(module).name == "__init__.py" else module.rpartition(".")[0]
    return tuple(name for node in _statements(tree) for name in _named(node, package) if _is_ours(name))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All statements below a node, and no expressions, which `ast.walk` gives as well: an import is a statement."""
    for part in PARTS:
        for statement in getattr(node, part, ()):
            yield statement
            yield from _statements(statement)


def _named(node: ast.AST, package: str) -> Iterator[str]:
    """The modules that one statement may import: `from a import b` may mean a module b."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)


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
