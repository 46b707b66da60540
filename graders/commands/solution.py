"""`headstart solution`: the solved file, or one task of it."""

import sys
from typing import Annotated

import typer

from graders.commands.naming import ask, complete_exercise, complete_task, exercise_named, task_named
from graders.commands.options import call
from graders.loop.files import solution_text
from graders.loop.taken import record_solution


def solution(
    exercise: Annotated[str, typer.Argument(help="An exercise.", autocompletion=complete_exercise)],
    task: Annotated[
        str | None, typer.Argument(help="One of its tasks; all, if none.", autocompletion=complete_task)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
) -> None:
    """Print the solution of a task.

    `headstart` and `headstart list` then mark it as seen. On the site, the end of an exercise's page leads to it.
    """
    entry = exercise_named(exercise)
    tasks = [task_named(entry, task).name] if task is not None else [t.name for t in entry.tasks]
    if not yes:
        hint = call("hint", exercise, *([task] if task else []))
        ask(f"The hints may be enough (`{hint}`). Show the solution?", "nothing was shown")
    text = solution_text(exercise, task)
    try:
        record_solution(exercise, tasks)
    except OSError as error:
        typer.echo(f"(This will not be marked as seen: {error})", err=True)
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.syntax import Syntax

        colours = Syntax("", "python", theme="ansi_dark", background_color="default")  # readable on light too
        Console().print(colours.highlight(text), soft_wrap=True, end="")  # it may be copied: lines stay what they are
    else:
        typer.echo(text, nl=False)
