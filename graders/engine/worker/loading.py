"""Loads one subject's files under a private package of its own, so that none can stand in for another.

A file says `from exercises.attention import Attention` (or `from reference....`, as a solved file does):
both mean its own sibling, whatever folder it lies in. A sibling that cannot be imported is replaced by its
stub, so that a mistake in one exercise does not redden another.
"""

import ast
import functools
import importlib
import importlib.abc
import importlib.util
import itertools
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

OWN_NAMES = ("exercises", "reference")
LIBRARIES = {"torch", "einops", "jaxtyping", "numpy", "regex"} | sys.stdlib_module_names  # all that may be imported
KEPT = 256  # codes of files: those of the reference, and of what was last tried
PARTS = ("body", "handlers", "orelse", "finalbody", "cases")  # of a statement, that hold statements, in order
PACKAGE = "_subject_"  # and a number: the private package of one subject's files
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Source:
    """Where a subject's files are: a folder, and texts that stand before it.

    `texts` replace a file of the folder; `stubs` are used for a sibling that cannot be imported, and may be made then.
    """

    folder: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    stubs: Mapping[str, str] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether there is such a module, or a stub to stand in for it."""
        return name in self.texts or Path(self.path(name)).is_file() or name in self.stubs

    def path(self, name: str) -> str:
        """The file name that tracebacks show for a module."""
        return str(Path(self.folder) / f"{name}.py") if self.folder else f"<{name}.py>"

    def read(self, name: str) -> str:
        """The text of a module. Raises `FileNotFoundError`, and `UnicodeDecodeError`."""
        if name in self.texts:
            return self.texts[name]
        if self.folder is None:
            raise FileNotFoundError(f"{name}.py")
        return Path(self.path(name)).read_text(encoding="utf-8-sig")  # some editors begin a file with a BOM

    def line(self, name: str, number: int) -> str:
        """One line of a module's text, from 1; empty when there is none."""
        try:
            return self.read(name).split("\n")[number - 1].strip()
        except (OSError, ValueError, IndexError):  # it is gone, or another by now
            return ""


class ForeignImport(ImportError):
    """A file imports a library that no exercise needs; the text is its name. Such a file is not run at all."""


class SubjectPackage(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """One private package; `target` is the file being graded, the others are its siblings."""

    def __init__(self, source: Source, target: str):
        self.source = source
        self.target = target
        self.name = f"{PACKAGE}{next(_numbers)}"
        self.notes: list[str] = []
        self.modules: dict[str, ModuleType] = {}  # the subject's files that are loaded by now, by name
        package = ModuleType(self.name)
        package.__path__ = []
        sys.modules[self.name] = package
        sys.meta_path.insert(0, self)

    def load(self, name: str) -> ModuleType:
        """Import one of the subject's files. Raises whatever the file raises."""
        return importlib.import_module(f"{self.name}.{name}")

    def close(self) -> None:
        """Forget the package and all its modules."""
        sys.meta_path.remove(self)
        for name in [name for name in sys.modules if name == self.name or name.startswith(self.name + ".")]:
            del sys.modules[name]

    def find_spec(self, fullname, path=None, target=None):
        package, _, name = fullname.partition(".")
        if package != self.name or not (name == self.target or self.source.has(name)):
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=self.source.path(name))

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__.partition(".")[2]
        module.__file__ = self.source.path(name)
        self.modules[name] = module
        if name == self.target:
            self._run(module, module.__file__, self.source.read(name))
            return
        before = dict(module.__dict__)
        try:
            self._run(module, module.__file__, self.source.read(name))
        except (Exception, SystemExit) as error:  # whatever a sibling raises: it is judged by its own graders
            if name not in self.source.stubs:
                raise
            self.notes.append(f"{name}.py could not be imported ({type(error).__name__}); its stub stands in for it")
            module.__dict__.clear()
            module.__dict__.update(before)
            self._run(module, self.source.path(name), self.source.stubs[name])

    def _run(self, module: ModuleType, file: str, text: str) -> None:
        exec(_code_anywhere(text, file) or _code(text, file, self.name), module.__dict__)


class NamesItsPackage(Exception):
    """A file says `import exercises.attention`, or changes what is relative to it: its code is for one package."""


@functools.lru_cache(KEPT)
def _code_anywhere(text: str, file: str) -> CodeType | None:
    """The code of a file in whatever package, if it is the same in all: of most suspects one file alone is new."""
    if "__package__" in text or "__spec__" in text:
        return None
    try:
        return _code(text, file, "")
    except NamesItsPackage:
        return None


def _code(text: str, file: str, package: str) -> CodeType:
    tree = ast.parse(text, filename=file)
    _turn_imports(tree.body, package)
    code: CodeType = compile(tree, file, "exec")
    return code


def _turn_imports(statements: list[Any], package: str) -> None:
    """Turn imports of `exercises` and `reference` into imports from the private package; refuse foreign ones.

    They become relative where its name is not given. Raises `NamesItsPackage` where it is needed.
    """
    turned = []
    for node in statements:
        turned.append(node)
        for part in PARTS:
            _turn_imports(getattr(node, part, []), package)
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0 and _is_own(node.module):
            _root, dot, rest = node.module.partition(".")
            node.level, node.module = (0, package + dot + rest) if package else (1, rest or None)
        if isinstance(node, ast.Import):
            turned += _named_again(node, package)
    statements[:] = turned


def _named_again(node: ast.Import, package: str) -> list[ast.stmt]:
    """Turn one `import`; what has to follow it, so that `exercises.attention` means what it says."""
    following: list[ast.stmt] = []
    for alias in node.names:
        if not _is_own(alias.name):
            continue
        if not package:
            raise NamesItsPackage
        root, dot, rest = alias.name.partition(".")
        alias.name = package + dot + rest
        if alias.asname is None:
            name = ast.Assign([ast.Name(root, ast.Store())], ast.Name(package, ast.Load()))
            following.append(ast.fix_missing_locations(ast.copy_location(name, node)))
    return following


def _is_own(module: str) -> bool:
    """Whether a module is the subject's own. Raises `ForeignImport` when it is of a library that no exercise needs."""
    root = module.partition(".")[0]
    if root not in LIBRARIES and root not in OWN_NAMES:
        raise ForeignImport(root)
    return root in OWN_NAMES
