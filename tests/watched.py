"""`headstart watch` for the tests: a real one, in a learner's tree of files, and one with nothing around it."""

import io
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

from graders.engine.course import ROOT, load_course
from graders.engine.record import hash_of
from graders.engine.stubs import stub_files
from graders.loop.frame import Terminal
from graders.loop.saves import Saves
from graders.loop.watching import Options, Watch

COURSE = load_course()
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


class Silent:
    """In place of what grades: keeps what it was asked for."""

    def __init__(self):
        self.run, self.asked = 0, []

    def grade(self, exercise):
        self.run += 1
        self.asked.append(exercise)

    def drop(self):
        self.run += 1
        self.asked.append("")

    def close(self):
        """Nothing to end."""


class Bench:
    """A watch on files of its own, with nothing around it."""

    def __init__(self, folder, **options):
        folder.mkdir()
        self.folder, self.grader, self.out = folder, Silent(), io.StringIO()
        for name, stub in stub_files().items():
            (folder / f"{name}.py").write_text(stub, encoding="utf-8")
        terminal = Terminal(takes_keys=True, out=self.out)
        self.watch = Watch(Options("mlp", is_fresh=False, **options), self.grader, Saves(folder, COURSE), terminal)
        self.watch.happened("tick")

    def save(self, *names, text="# mine\n"):
        """Save files at once, and let the watch see it, after the time in which more saves may follow."""
        for name in names:
            (self.folder / f"{name}.py").write_text(text, encoding="utf-8")
        self.watch.happened("files")
        self.watch.runs.due = 0.0
        self.watch.happened("tick")

    def grade(self, done=0):
        """Finish the run that is under way, so many of the tasks done."""
        tasks = [task.name for task in COURSE[self.watch.runs.running].tasks]
        states = {task: "done" if i < done else "not yet right" for i, task in enumerate(tasks)}
        self.watch.happened("graded", {"run": self.grader.run, "tasks": states, "screens": [], "summary": []})

    def press(self, keys):
        """Press keys; the last lines that were said."""
        for key in keys:
            self.watch.happened("key", key)
        return self.watch.notes
