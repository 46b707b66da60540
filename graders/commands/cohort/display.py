"""What a run over the cohort shows while it lasts, and the few lines that it ends with."""

import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Collection, Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from graders.cohort.harmless import plain
from graders.cohort.jobs import Job
from graders.cohort.roster import Learner
from graders.cohort.run import Run

EVERY = 30.0  # seconds between two lines where there is no terminal
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
    """How far a run is: a bar on a terminal, a line now and then elsewhere. On the standard error."""

    def __init__(self, n_learners: int):
        self.n_learners, self.n_looked, self.n_graded = n_learners, 0, 0
        self.began = self.told = time.monotonic()
        self.bar: Progress | None = None
        if sys.stderr.isatty():
            columns = (
                TextColumn("{task.fields[learner]} · {task.fields[exercise]}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("learners, {task.fields[rate]}, left:"),
                TimeRemainingColumn(),
            )
            self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self.task = self.bar.add_task("", total=n_learners, learner="", exercise="", rate=self.rate())

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
        if self.bar:
            self.bar.update(self.task, advance=1, learner=plain(learner.name, 30), rate=self.rate())
        self._tell_now_and_then()

    def graded(self, job: Job) -> None:
        """A job is done."""
        self.n_graded += 1
        if self.bar:
            self.bar.update(self.task, exercise=job.exercise, rate=self.rate())
        self._tell_now_and_then()

    def rate(self) -> str:
        """How fast it goes."""
        if self.n_graded == 0:
            return "none graded yet"
        return f"{self.n_graded / (time.monotonic() - self.began):.2f} exercises/s"

    def _tell_now_and_then(self) -> None:
        if self.bar or time.monotonic() < self.told + EVERY:
            return
        self.told = time.monotonic()
        left = (self.told - self.began) * (self.n_learners - self.n_looked) / max(self.n_looked, 1)
        sys.stderr.write(
            f"{self.n_looked} of {counted(self.n_learners, 'learner')}, {counted(self.n_graded, 'exercise')} graded, "
            f"{self.rate()}{f', about {left / 60:.0f} min left' if self.n_graded and left >= EVERY else ''}\n"
        )
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
