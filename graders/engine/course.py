"""The index of the course, read from `graders/course.toml`: sessions, tracks, exercises and their tasks, in order."""

import functools
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]  # the course as it travels: its repository, or where a wheel was installed
IS_REPOSITORY = (ROOT / "pyproject.toml").is_file()
INDEX = ROOT / "graders" / "course.toml"
PAGES = ROOT if IS_REPOSITORY else ROOT / "graders"  # a wheel must not put a folder `docs` beside everybody's libraries
MARKER = "[tool.headstart]"  # in pyproject.toml: the folder is one that `headstart cohort template` made
VARIABLE = "HEADSTART_HOME"  # in the environment: where to look for that folder before looking here
WHEEL = "-r requirements.txt"  # which names the wheel, in a folder that was handed out, with the extras that it wants
AFTERWARDS = "afterwards"  # when an exercise is begun that is in no session
FROM_SCRATCH = "What this task builds is built here, not called from a library."  # the law about `forbidden`


@dataclass(frozen=True)
class Task:
    """One function or class that a learner writes."""

    name: str
    needs: tuple[str, ...]  # other tasks of the same exercise that its grading relies on
    page: str  # the anchor of its section on the exercise's page


@dataclass(frozen=True)
class Exercise:
    """One file that a learner writes, and what the index says about it."""

    name: str
    track: str
    session: int | None  # in which it is begun; None after the sessions of the plan
    minutes: int
    difficulty: int  # 1 to 5
    needs: tuple[str, ...]  # earlier exercises whose files it imports
    forbidden: tuple[str, ...]  # patterns of library operations that this exercise is there to build
    tasks: tuple[Task, ...]
    run: str = ""  # the application that is complete with it: `headstart run` takes its name

    def task(self, name: str) -> Task:
        """Raises `KeyError` when the exercise has no such task."""
        return {task.name: task for task in self.tasks}[name]

    def all_needs(self, name: str) -> tuple[str, ...]:
        """The tasks that a task relies on, the nearest first, and what those rely on in turn."""
        found = list(self.task(name).needs)
        for need in found:
            found += [further for further in self.task(need).needs if further not in found]
        return tuple(found)

    @property
    def begins(self) -> str:
        """When it is begun, in words."""
        return f"session {self.session}" if self.session else AFTERWARDS

    @property
    def page(self) -> str:
        return f"docs/exercises/{self.name}.md"

    def page_of(self, task: str) -> str:
        """The page of a task, at its section. Raises `KeyError` when the exercise has no such task."""
        return f"{self.page}#{self.task(task).page}"

    @property
    def page_text(self) -> str:
        """Its page, as it came with the course."""
        return (PAGES / self.page).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Session:
    """One meeting of a cohort that goes through the course together."""

    number: int  # from 1
    title: str
    page: str  # `docs/sessions/<page>.md`
    minutes: int


@dataclass(frozen=True)
class Course:
    """All exercises, in the order in which they are done, and the sessions in which they are begun."""

    exercises: tuple[Exercise, ...]
    sessions: tuple[Session, ...] = ()

    def get(self, name: str) -> Exercise | None:
        """The exercise of this name; None where there is none."""
        return next((exercise for exercise in self.exercises if exercise.name == name), None)

    def __getitem__(self, name: str) -> Exercise:
        """Raises `KeyError`, with the names there are, when there is no such exercise."""
        exercise = self.get(name)
        if exercise is None:
            known = ", ".join(e.name for e in self.exercises)
            raise KeyError(f"there is no exercise {name!r}; the exercises are {known}")
        return exercise


@functools.cache
def load_course(path: Path = INDEX) -> Course:
    """Read the index. Raises `ValueError` when an entry is incomplete or says something unknown."""
    index = tomllib.loads(path.read_text(encoding="utf-8"))
    sessions = tuple(_session(number, entry) for number, entry in enumerate(index.get("sessions", ()), 1))
    return Course(tuple(_exercise(name, entry) for name, entry in index["exercises"].items()), sessions)


def sections(page: str) -> dict[str, str]:
    """The sections of a page's text by their anchors, in order, each with its heading; by "" what stands before."""
    found: dict[str, list[str]] = {"": []}
    for line in page.splitlines():
        if line.startswith("## "):
            found[line.removeprefix("## ").lower().replace(" ", "-")] = []
        found[next(reversed(found))].append(line)
    return {anchor: "\n".join(lines).strip() for anchor, lines in found.items()}


def _session(number: int, entry: dict) -> Session:
    try:
        return Session(number, **entry)
    except TypeError as error:
        raise ValueError(f"the entry of session {number} in {INDEX.name} is not complete: {error}") from error


def learners_folder(start: Path) -> Path | None:
    """The nearest folder, from `start` upwards, that was made for a learner; None where there is none."""
    return next((folder for folder in (start, *start.parents) if _is_marked(folder / "pyproject.toml")), None)


def how_to_install(extra: str) -> str:
    """The end of a sentence for whoever has headstart without one of its extras: where, and the command."""
    if IS_REPOSITORY:
        return f'in the course\'s folder: pip install -e ".[{extra}]"'
    return f"in the folder that was handed out: pip install {WHEEL}"


def _is_marked(project: Path) -> bool:
    try:
        return MARKER in project.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False


def _exercise(name: str, entry: dict) -> Exercise:
    try:
        tasks = tuple(Task(t["name"], tuple(t.get("needs", ())), t["page"]) for t in entry.pop("tasks"))
        needs, forbidden = tuple(entry.pop("needs", ())), tuple(entry.pop("forbidden", ()))
        session = entry.pop("session", None)
        return Exercise(name, session=session, needs=needs, forbidden=forbidden, tasks=tasks, **entry)
    except (KeyError, TypeError) as error:
        raise ValueError(f"the entry of {name!r} in {INDEX.name} is not complete: {error}") from error


def _found() -> Path | None:
    starts = [Path(os.environ.get(VARIABLE, "")).resolve(), Path.cwd()]
    return ROOT if IS_REPOSITORY else next(filter(None, map(learners_folder, starts)), None)


_FOUND = _found()
# What `pip install` is given, in that folder, so that all is there that a learner may want
INSTALL = '-e ".[notebooks]"' if IS_REPOSITORY else WHEEL
HAS_HOME = _FOUND is not None
HOME = _FOUND or Path.cwd()  # the learner's folder: `exercises/`, `notebooks/`, `.headstart/`
EXERCISES = HOME / "exercises"  # the learner's own files
