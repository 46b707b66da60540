"""Loads one subject's files under a private package of its own, so that none can stand in for another.

A file says `from exercises.attention import Attention` (or `from reference....`, as a solved file does):
both mean its own sibling, whatever folder it lies in. A sibling that cannot be imported is replaced by its
stub, so that a mistake in one exercise does not redden another.
"""

import ast
import importlib
import importlib.abc
import importlib.util
import itertools
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

OWN_NAMES = ("exercises", "reference")
LIBRARIES = {"torch", "einops", "jaxtyping", "numpy", "regex"} | sys.stdlib_module_names  # all that may be imported
PACKAGE = "_subject_"  # and a number: the private package of one subject's files
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Source:
    """Where a subject's files are: a folder, and texts that stand before it; plain data.

    `texts` replace a file of the folder; `stubs` are used for a sibling that cannot be imported.
    """

    folder: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    stubs: Mapping[str, str] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        """Whether there is such a module, or a stub to stand in for it."""
        return name in self.texts or name in self.stubs or Path(self.path(name)).is_file()

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
        tree = _Imports(self.name).visit(ast.parse(text, filename=file))
        exec(compile(ast.fix_missing_locations(tree), file, "exec"), module.__dict__)


class _Imports(ast.NodeTransformer):
    """Turns imports of `exercises` and `reference` into imports from the private package; refuses foreign ones."""

    def __init__(self, package: str):
        self.package = package

    def rename(self, module: str) -> str:
        root, dot, rest = module.partition(".")
        if root in OWN_NAMES:
            return self.package + dot + rest
        if root not in LIBRARIES:
            raise ForeignImport(root)
        return module

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        if node.module and node.level == 0:
            node.module = self.rename(node.module)
        return node

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        statements: list[ast.stmt] = [node]
        for alias in node.names:
            root = alias.name.partition(".")[0]
            alias.name = self.rename(alias.name)
            if root in OWN_NAMES and alias.asname is None:
                package = ast.Name(self.package, ast.Load())
                statements.append(ast.copy_location(ast.Assign([ast.Name(root, ast.Store())], package), node))
        return statements
