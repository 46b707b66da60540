"""`headstart watch`: the exercise that was saved, graded at once, its verdict in place."""

import os
import sys
from typing import Annotated

import typer

from graders.commands.naming import complete_exercise, exercise_named
from graders.engine.course import load_course


def watch(
    exercise: Annotated[
        str | None,
        typer.Argument(
            help="Stay with one exercise; else the one that was saved last is shown, first your next.",
            autocompletion=complete_exercise,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a verdict, a line each; no keys are read.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start a new process for each run, as where forking is not safe.")
    ] = False,
) -> None:
    """Grade your file whenever you save it, and show the verdict in its place."""
    if exercise is not None:
        exercise_named(exercise)
    from graders.loop.progress import next_task
    from graders.loop.watching import Options, can_fork
    from graders.loop.watching import watch as watch_files

    following = next_task()
    first = exercise or (following[0] if following else load_course().exercises[-1]).name
    try:
        watch_files(Options(first, exercise is not None, as_json, fresh or not can_fork()))
    except BrokenPipeError:  # whoever read what is printed reads no more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
