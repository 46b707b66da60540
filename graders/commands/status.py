"""`headstart`: where the learner is, and the next step."""

import typer

from graders.commands.naming import print_json
from graders.loop.progress import status_data, status_lines


def status(as_json: bool) -> None:
    """How far every exercise is, then what to do next."""
    if as_json:
        print_json(status_data())
    else:
        typer.echo("\n".join(status_lines()))
