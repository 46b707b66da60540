"""What a run over the cohort shows while it lasts, and the few lines that it ends with."""

import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Collection, Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column

from graders.cohort.harmless import plain
from graders.cohort.jobs import Job
from graders.cohort.roster import Learner
from graders.cohort.run import Run

EVERY = 30.0  # seconds between two lines where there is no terminal
FEW = 10  # learners, of whom nothing can be said of how long the others take
MOST = 5  # lines of one kind
WORDS = {
    "passed": "passed",
    "failed": "not yet right",
    "not_started": "not started",
    "missing": "missing",
    "problem": "could not be read",
    "error": "errors of the graders",
}


class Display:
    """How far a run is: a bar on a terminal, a line now and then elsewhere. On the standard error.

    Texts are graded while further learners are looked at, so that the bar is not full while it runs.
    """

    def __init__(self, n_learners: int):
        self.n_learners, self.n_looked, self.n_graded, self.last = n_learners, 0, 0, ""
        self.began = self.told = time.monotonic()
        self.left = ""
        self.bar: Progress | None = None
        if sys.stderr.isatty():
            columns = (  # where a terminal is narrow, the text gives way
                BarColumn(12, table_column=Column(min_width=12)),
                TimeElapsedColumn(Column(min_width=7)),
                TextColumn("{task.description}", markup=False),
            )
            self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self.task = self.bar.add_task(self.said(), total=n_learners + 1)  # one for the texts of the last

    def __enter__(self) -> "Display":
        if self.bar:
            self.bar.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.bar:
            self.bar.stop()

    def looked_at(self, learner: Learner) -> None:
        """All that a learner has handed in is graded, or about to be."""
        self.n_looked += 1
        self.left = self._left()
        self._tell()

    def graded(self, name: str, job: Job) -> None:
        """A job is done, on the text of a learner of this name."""
        self.n_graded += 1
        self.last = f" · {plain(name, 30)}: {job.exercise}"
        self._tell()

    def said(self) -> str:
        """How far it is, in one line. `graded now` is what this run graded: much may be kept from earlier ones."""
        took = time.monotonic() - self.began
        rate = f" ({self.n_graded / took:.2f}/s)" if self.n_graded and took else ""
        graded = f"{self.n_graded} graded now{rate}"
        return f"{self.n_looked}/{self.n_learners} learners looked at, {graded}{self.left}{self.last}"

    def _left(self) -> str:
        """The time left, in minutes, so that it is quiet; nothing while too little is known."""
        if self.n_looked >= self.n_learners:
            return ", the last under way"
        took = time.monotonic() - self.began
        if self.n_looked < FEW or took < EVERY:
            return ""
        minutes = took * (self.n_learners - self.n_looked) / self.n_looked / 60
        return f", about {minutes:.0f} min left" if minutes >= 1 else ", under a minute left"

    def _tell(self) -> None:
        if self.bar:
            self.bar.update(self.task, description=self.said(), completed=self.n_looked)
        elif time.monotonic() >= self.told + EVERY:
            self.told = time.monotonic()
            sys.stderr.write(f"{self.said()}\n")
            sys.stderr.flush()


def result_lines(
    run: Run,
    learners: Collection[Learner],
    before: Mapping[tuple[str, str], sqlite3.Row],
    after: Mapping[tuple[str, str], sqlite3.Row],
) -> list[str]:
    """What a run came to, on one screen."""
    exercises, nothing = run.terms.exercises, ("missing", "problem")
    count = Counter(
        after[one.id, exercise]["status"] if (one.id, exercise) in after else nothing[one.id in run.problems]
        for one in learners
        for exercise in exercises
    )
    said = ", ".join(f"{count[status]} {word}" for status, word in WORDS.items() if count[status])
    lines = [
        f"{counted(len(learners), 'learner')}, {counted(len(exercises), 'exercise')}: {said or 'nothing'}.",
        f"Graded now: {run.n_graded} (texts that are new; the same text is graded once).",
    ]
    changed = Counter(
        row["status"]
        for key, row in after.items()
        if key[1] in exercises
        and row["status"] != "not_started"  # what is not begun is no news, though its files may have come
        and (key not in before or before[key]["status"] != row["status"])
    )
    if before:
        news = ", ".join(f"{changed[status]} {word}" for status, word in WORDS.items() if changed[status])
        lines.append(f"New since the last run: {news or 'nothing'}.")
    lines.append(isolation_line(run.terms.isolation))
    unread = [f"{who}: {why}" for who, why in run.problems.items()]
    lines += _few(counted(len(unread), "repository", "repositories"), "could not be read", unread)
    untaken = [
        f"{who}: {name}" for (who, name), row in after.items() if row["status"] == "problem" and name in exercises
    ]
    lines += _few(counted(len(untaken), "file"), "could not be read, for a reason that the report gives", untaken)
    errors = [f"{exercise}: {why}" for (exercise, _), why in run.errors.items()]
    mistake = "met a mistake of the graders, which is no learner's; it is tried again at the next run"
    return lines + _few(counted(len(errors), "text"), mistake, errors)


def counted(n: int, one: str, several: str = "") -> str:
    """`1 learner`, `2 learners`."""
    return f"{n} {one if n == 1 else several or one + 's'}"


def isolation_line(isolation: str) -> str:
    """How far the verdicts can be trusted."""
    if isolation == "sandbox":
        return "Isolation: sandbox."
    return f"Isolation: {isolation}. A verdict can be forged below the sandbox: these are advice, not marks."


def _few(how_many: str, what: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    more = [f"  and {len(lines) - MOST} more"] if len(lines) > MOST else []
    return [f"{how_many} {what}:", *(f"  {plain(line, 200)}" for line in lines[:MOST]), *more]
