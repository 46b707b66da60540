"""A learner's tree of files, and `headstart watch` running in it, for the tests."""

import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

from graders.engine.course import ROOT
from graders.engine.record import hash_of
from graders.engine.stubs import stub_files

PATIENCE = 120  # seconds for what must come, so that a test that fails ends


def learner_tree(folder: Path) -> Path:
    """A tree of a learner's own: the course's files, linked, and fresh stubs."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("graders", "reference", "docs", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "exercises").mkdir()
    for name, text in stub_files().items():
        (folder / "exercises" / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def command(*arguments: str) -> list[str]:
    """The command line of `headstart watch`."""
    return [sys.executable, "-m", "graders.cli", "watch", *arguments]


def environment(tree: Path) -> dict[str, str]:
    """The environment of a learner who works in a tree; temporary files lie in it too."""
    (tree / "tmp").mkdir(exist_ok=True)
    own = {"PYTHONPATH": str(tree), "TMPDIR": str(tree / "tmp"), "HF_HUB_OFFLINE": "1", "TERM": "xterm"}
    return {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | own


class Watched:
    """`headstart watch --json` in a learner's tree, and the verdicts that it printed."""

    def __init__(self, tree: Path, *arguments: str):
        self.tree = tree
        self.process = subprocess.Popen(
            command("--json", *arguments),
            cwd=tree,
            env=environment(tree),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def path(self, exercise: str) -> Path:
        """A file of the learner's."""
        return self.tree / "exercises" / f"{exercise}.py"

    def save(self, exercise: str, text: str) -> str:
        """Write a file as a plain editor does; returns what tells this text from others."""
        self.path(exercise).write_text(text, encoding="utf-8")
        return hash_of([self.path(exercise)])

    def verdict(self, patience: float = PATIENCE) -> dict:
        """The next verdict. Raises `queue.Empty` when none comes."""
        return json.loads(self.lines.get(timeout=patience))

    def verdict_on(self, exercise: str, text: str) -> dict:
        """Save a file; the verdict on it, which must be the next there is."""
        digest = self.save(exercise, text)
        verdict = self.verdict()
        assert (verdict["exercise"], verdict["file_hash"]) == (exercise, digest)
        return verdict

    def close(self) -> tuple[int, str]:
        """Ask it to end; its exit code and what it said on its error output."""
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        assert self.process.stderr is not None
        return code, self.process.stderr.read()


def processes_of(tree: Path) -> list[str]:
    """The command lines of all processes that work in a tree."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and (folder / "cwd").resolve() == tree.resolve():
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # it ended meanwhile, or is another user's
            pass
    return [line for line in found if line]
