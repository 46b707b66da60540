"""Exercises and tasks as they are named on a command line: looked up, completed, refused in one line."""

import json
from difflib import get_close_matches
from typing import Annotated, Any

import typer

from graders.applications import APPLICATIONS
from graders.applications.image_data import IMAGE_DATA
from graders.commands.options import fail, refuse, refuse_unknown
from graders.engine.course import Exercise, Task, load_course
from graders.engine.journal import verdict_on

AsJson = Annotated[bool, typer.Option("--json", help="Print it for a program to read.")]


def complete_exercise(incomplete: str) -> list[str]:
    """The exercises whose names begin so."""
    return [e.name for e in load_course().exercises if e.name.startswith(incomplete)]


def complete_task(context: typer.Context, incomplete: str) -> list[str]:
    """The tasks, of the exercise that is named already, whose names begin so."""
    named = context.params.get("exercise") or context.params.get("name")
    exercise = load_course().get(named or "")
    return [t.name for t in exercise.tasks if t.name.startswith(incomplete)] if exercise else []


def complete_either(incomplete: str) -> list[str]:
    """The exercises, then the tasks, whose names begin so."""
    tasks = [t.name for e in load_course().exercises for t in e.tasks if t.name.startswith(incomplete)]
    return list(dict.fromkeys([*complete_exercise(incomplete), *tasks]))


def complete_graded(incomplete: str) -> list[str]:
    """The tasks of the course, then the laws of the learner's last verdicts, whose names begin so."""
    course = load_course().exercises
    laws = [law for exercise in course for law in verdict_on(exercise.name).records]
    names = [*(task.name for exercise in course for task in exercise.tasks), *laws]
    return [name for name in dict.fromkeys(names) if name.startswith(incomplete)]


def complete_application(incomplete: str) -> list[str]:
    """What `headstart run` runs, where the name begins so."""
    return [name for name in APPLICATIONS if name.startswith(incomplete)]


def complete_data(context: typer.Context, incomplete: str) -> list[str]:
    """The images that the application which is named already may be trained on, where the name begins so."""
    return [name for name in IMAGE_DATA.get(context.params.get("name") or "", {}) if name.startswith(incomplete)]


def exercise_named(name: str) -> Exercise:
    """The exercise of this name; refused, with the names there are, when there is none."""
    found = load_course().get(name)
    if found is None:
        owners = exercises_with(name)
        if owners:
            refuse(f"{name} is a task; expected its exercise first: {owners[0].name} {name}")
        refuse_unknown([name])
    return found


def task_named(exercise: Exercise, name: str) -> Task:
    """A task of an exercise; refused, with the names there are, when there is none."""
    found = next((task for task in exercise.tasks if task.name == name), None)
    if found is None:
        refuse(f"{exercise.name} has no task {name!r}; its tasks are {', '.join(t.name for t in exercise.tasks)}")
    return found


def one_task(command: str, name: str, task: str | None) -> tuple[Exercise, Task]:
    """A task, named alone or after its exercise."""
    if task is not None:
        exercise = exercise_named(name)
        return exercise, task_named(exercise, task)
    owners = exercises_with(name)
    if len(owners) > 1:
        which = " or ".join(f"`headstart {command} {owner.name} {name}`" for owner in owners)
        refuse(f"several exercises have a task {name}; say which: {which}")
    if not owners:
        close = get_close_matches(name, complete_either(""), n=1)
        meant = f"did you mean {close[0]}? " if close else ""
        refuse(f"there is no exercise or task {name!r}; {meant}`headstart list` shows all of them")
    return owners[0], owners[0].task(name)


def exercises_with(task: str) -> list[Exercise]:
    """The exercises that have a task of this name."""
    return [e for e in load_course().exercises if task in (t.name for t in e.tasks)]


def print_json(data: Any) -> None:
    """Print plain data for a program."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2))


def ask(question: str, otherwise: str) -> None:
    """Go on if the answer is yes; else say what was not done, and stop."""
    typer.echo(f"{question} [y/N] ", nl=False, err=True)  # what is asked is no part of what is printed
    try:
        answer = input()
    except KeyboardInterrupt:
        typer.echo(err=True)
        fail(otherwise)
    except EOFError:
        typer.echo(err=True)
        fail(f"{otherwise}; without anybody to ask, --yes stands for yes")
    if answer.strip().lower() not in ("y", "yes"):
        fail(otherwise)
