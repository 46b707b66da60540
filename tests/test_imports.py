"""The direction of imports, and the few other rules of the house that a machine can hold."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from graders.engine.course import ROOT, load_course

LIBRARIES = {"torch", "einops", "jaxtyping", "regex"}
FOLDERS = ("benchmarks", "docs", "exercises", "graders", "reference", "tests")
ENGINE = ROOT / "graders" / "engine"
MAX_LINES = 300
MAX_LINES_OF_LAWS = 700  # a grader is read law by law, not from top to bottom
LISTS = ("misconceptions", "variants")  # data, looked up by name and never read from top to bottom


def python_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """The full names of all modules that a file imports, anywhere in it; its own folder's as `.name`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def strays(folder: Path, allowed: set[str]) -> list[str]:
    """The imports of a folder's files that are neither allowed nor of the standard library: `file: module`."""
    allowed = allowed | sys.stdlib_module_names
    return [
        f"{path.relative_to(folder)}: {module}"
        for path in python_files(folder)
        for module in imported(path)
        if module.partition(".")[0] not in allowed
    ]


@pytest.mark.parametrize("folder", ["reference", "exercises"])
def test_what_learners_read_and_write_imports_the_field_s_libraries_and_its_siblings(folder):
    assert strays(ROOT / folder, LIBRARIES | {folder}) == []


def test_graders_know_the_exercises_only_by_name():
    found = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in python_files(ROOT / "graders")
        for module in imported(path)
        if module.partition(".")[0] == "exercises"
    ]
    assert found == []


def test_the_worker_imports_torch_and_itself():
    found = strays(ENGINE / "worker", {"torch", ""})
    above = [f"{path.name}: {m}" for path in python_files(ENGINE / "worker") for m in imported(path) if m[:2] == ".."]
    assert found + above == []


def test_the_engine_names_no_exercise_and_no_task():
    names = {name for e in load_course().exercises for name in (e.name, *(task.name for task in e.tasks))}
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {node.value}"
        for path in python_files(ENGINE)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names
    ]
    assert found == []


def longest(name: str) -> int:
    """How many lines a file may have."""
    return MAX_LINES_OF_LAWS if name.startswith("graders/test_") else MAX_LINES


def test_no_file_is_longer_than_can_be_read_in_one_sitting():
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for folder in FOLDERS
        for path in python_files(ROOT / folder)
        if path.parent.name not in LISTS
    }
    assert {name: length for name, length in lengths.items() if length > longest(name)} == {}


def test_an_import_inside_a_function_is_seen(tmp_path):
    (tmp_path / "a.py").write_text("import os.path\nfrom . import b\ndef f():\n    from graders.engine import law\n")
    assert list(imported(tmp_path / "a.py")) == ["os.path", ".", "graders.engine"]
    assert strays(tmp_path, {""}) == ["a.py: graders.engine"]


def test_an_optimizer_of_one_s_own_does_not_import_the_compiler():
    code = (
        "import sys\n"
        "from graders.engine.worker.perform import spare_the_compiler\n"
        "from reference.optimizer import AdamW\n"
        "import torch\n"
        "spare_the_compiler()\n"
        "weight = torch.nn.Parameter(torch.ones(1))\n"
        "weight.grad = torch.ones(1)\n"
        "optimizer = AdamW([weight])\n"
        "optimizer.step()\n"
        "optimizer.zero_grad()\n"
        "optimizer.load_state_dict(optimizer.state_dict())\n"
        "print('torch._dynamo' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.strip() == "False"
