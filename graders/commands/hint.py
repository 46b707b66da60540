"""`headstart hint`: the next rung of the ladder of help."""

from typing import Annotated

import typer

from graders.commands.naming import AsJson, complete_exercise, complete_task, exercise_named, print_json, task_named
from graders.loop.hints import take_hint


def hint(
    exercise: Annotated[str, typer.Argument(help="An exercise.", autocompletion=complete_exercise)],
    task: Annotated[
        str | None,
        typer.Argument(help="One of its tasks; the first that is not right, if none.", autocompletion=complete_task),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Give the next hint on what went wrong.

    A question, then an example, then the line of the specification, then where the solution is: one a call, on
    what the last run of the graders found; when that finds another mistake, the hints begin anew.
    """
    entry = exercise_named(exercise)
    if task is not None:
        task_named(entry, task)
    taken = take_hint(exercise, task)
    if as_json:
        print_json(taken.data())
    else:
        typer.echo("\n".join(taken.lines()))
