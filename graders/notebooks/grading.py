"""What the last cell of a notebook calls: the learner's cells, graded as pytest grades their file.

The kernel has threads, so it is not forked: pytest runs in a process of its own, on a fresh folder that holds what was
written in this notebook, and copies of the learner's other files. Nothing is written into `exercises/`, and the
verdict is not remembered: the records that `headstart` reads are about the files there, which later exercises import.
`keep` writes what is in the notebook there, when its learner says so.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graders.engine.course import EXERCISES, HOME, ROOT, Exercise, load_course
from graders.engine.stubs import REFERENCE, stub_text
from graders.loop.files import replace_file, shown_path, tasks_written_in, with_own_imports
from graders.notebooks.written import STUB, Written, written

FOLDER = "notebook"  # what is graded, to pytest
PATIENCE = 2.0  # seconds for a run to end before it is told more firmly
RUNS_ITS_BODY = re.compile(r"%%(time|capture|prun)\b.*")  # magics after which a cell's code counts


def grade(exercise: str, beside: str = EXERCISES.name) -> None:
    """Grade what was run in this notebook, and show the verdict that pytest has for it.

    `beside` is where the files come from that it imports: the learner's `exercises`, or `reference`. Raises
    `ValueError` when there is no such exercise, and `RuntimeError` where there is no notebook.
    """
    found = _written_here(exercise)
    for line in _notes(found, load_course()[exercise]):
        print(line)
    with tempfile.TemporaryDirectory(prefix="headstart-") as home:
        folder = Path(home) / FOLDER
        folder.mkdir()
        for file in {EXERCISES.name: EXERCISES, REFERENCE.name: REFERENCE}[beside].glob("*.py"):
            shutil.copyfile(file, folder / file.name)
        (folder / f"{exercise}.py").write_text(found.text, encoding="utf-8", newline="\n")
        _show_verdict(exercise, beside, found, home)


def keep(exercise: str, force: bool = False) -> None:
    """Write what was run in this notebook into the learner's own file, which later exercises import.

    What was there is kept in `.headstart/backups/`. Work that was not run here is not replaced by its stub, unless
    `force` says so. Raises what `grade` raises.
    """
    found, path = _written_here(exercise), EXERCISES / f"{exercise}.py"
    for line in _notes(found, load_course()[exercise]):
        print(line)
    shown = f"{EXERCISES.name}/{path.name}"
    try:
        lost = [] if force else [task for task in tasks_written_in(path, exercise) if task in found.not_run]
        if lost:
            print(
                f"{shown} has {', '.join(lost)} written, so nothing was changed; run the cells of what you want to "
                f'keep, or, to have stubs in its place,  keep("{exercise}", force=True)'
            )
            return
        kept = replace_file(path, with_own_imports(found.text).encode())
    except OSError as error:
        print(error)
        return
    print(f"wrote {shown}" + (f"; what was there is kept as {shown_path(kept)}" if kept else ""))
    print(f"Next: pytest graders/test_{exercise}.py, so that `headstart` knows how far you are")


def _written_here(exercise: str) -> Written:
    course = load_course()
    if course.get(exercise) is None:
        known = ", ".join(entry.name for entry in course.exercises)
        raise ValueError(f"there is no exercise {exercise!r}; the exercises are {known}")
    tasks = [task.name for task in course[exercise].tasks]
    return written(_cells_run(exercise), stub_text(exercise), tasks)


def _cells_run(exercise: str) -> Mapping[int, str]:
    """The cells that were run since the kernel was started, by number, with plain Python in place of magics."""
    shell: Any = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        raise RuntimeError(
            f"grade() grades the cells of a notebook, and there is none here; run  pytest graders/test_{exercise}.py"
        )
    cells = {}
    for number, raw in enumerate(shell.history_manager.input_hist_raw[1:], 1):
        text = RUNS_ITS_BODY.sub("", raw, count=1) if raw.lstrip().startswith("%%") else raw
        blank = len(text) - len(text.lstrip("\n"))  # IPython leaves these out; the lines keep their numbers
        cells[number] = "\n" * blank + shell.transform_cell(text)
    return cells


def _notes(found: Written, exercise: Exercise) -> list[str]:
    notes = list(found.unreadable)
    if found.not_run:
        those = ", ".join(found.not_run) if len(found.not_run) < len(exercise.tasks) else "all tasks"
        notes.append(f"Not run since the kernel was started, so taken as not started: {those}.")
    return notes


def _show_verdict(exercise: str, beside: str, found: Written, home: str) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=yes", "--subject", FOLDER]
    command.append(str(HOME / "graders" / f"test_{exercise}.py"))
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]  # the same graders as in this kernel
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1"}
    environment |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), home)  # so that nothing is left of a run that is stopped
    with subprocess.Popen(
        command,
        cwd=home,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as grading:
        assert grading.stdout is not None
        try:
            for line in grading.stdout:
                print(as_said_here(line.rstrip("\n"), exercise, beside, found))
        except KeyboardInterrupt:
            stop(grading)
            print("Stopped, so there is no verdict.")


def stop(grading: subprocess.Popen) -> None:
    """End a run so that it can end the process that it started, and, if it does not, all the same."""
    interrupts = [] if sys.platform == "win32" else [lambda: grading.send_signal(signal.SIGINT)]
    for end in (*interrupts, grading.terminate, grading.kill):
        try:
            grading.wait(PATIENCE)  # the kernel's own interrupt may have reached it
            return
        except subprocess.TimeoutExpired:
            end()


def as_said_here(line: str, exercise: str, beside: str, found: Written) -> str:
    """A line of pytest's, with this notebook and its cells in place of the file that was graded."""

    def place(match: re.Match) -> str:
        cell, of_cell = found.origins[min(int(match[1]), len(found.origins)) - 1]
        return f"the stub, line {of_cell}" if cell == STUB else f"In [{cell}], line {of_cell}"

    line = re.sub(rf"(?<![\w/]){exercise}\.py, line (\d+)", place, line)
    file, option = f"{FOLDER}/{exercise}.py", f" --subject {FOLDER}"
    for of_file, of_cell in (
        (f"Next: mend {file}", "Next: mend that cell"),
        (f" in {file}", " in its cell"),
        (f"Then run  pytest graders/test_{exercise}.py{option}", "Then run that cell, and this one again"),
        (f"{file} stops while it is imported,", "What you ran stops before any law is tried,"),
        (file, "This notebook"),
        (f"{FOLDER}/", f"{beside}/"),
        (option, ""),
        ("Add --in-process to the command to stop there.", "Take it out, and call the task in a cell to stop there."),
    ):
        line = line.replace(of_file, of_cell)
    all_hold = r"All laws hold\.(?: Next: docs/exercises/(\w+)\.md.*)?"
    return re.sub(all_hold, lambda match: _after(match[1], exercise, beside), line)


def _after(following: str | None, exercise: str, beside: str) -> str:
    """What to do when all laws hold."""
    steps = [f"headstart notebook {following}"] if following else []
    if beside == EXERCISES.name:
        file = f"{EXERCISES.name}/{exercise}.py"
        steps.insert(0, f'keep("{exercise}"), in a new cell, writes this into {file}, which later exercises import')
    lines = [f"{word} {step}" for word, step in zip(("Next:", "      Then"), steps, strict=False)]
    return "\n".join(["All laws hold.", *lines])
