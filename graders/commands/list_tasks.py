"""`headstart list`: every exercise and every task, and how each stands."""

import typer

from graders.commands.naming import AsJson, print_json
from graders.loop.progress import list_data, list_lines


def list_tasks(as_json: AsJson = False) -> None:
    """List every exercise and its tasks.

    How each stands, the minutes to plan for, the difficulty. "not tried": never graded; "not started": graded,
    and still the stub; "waits": for a task that it relies on.
    """
    if as_json:
        print_json(list_data())
    else:
        typer.echo("\n".join(list_lines()))
