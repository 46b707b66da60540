"""`headstart doctor`: whether this machine is ready."""

from dataclasses import asdict

import typer

from graders.commands.naming import AsJson, print_json


def doctor(as_json: AsJson = False) -> None:
    """Check that this machine is ready for the course.

    Each line says ok, or what is wrong and the command that mends it. Python, the installation, libraries, PyTorch,
    your files, the weights, the folders that are written to; bubblewrap is a note only.
    """
    from graders.loop.doctor import WRONG, check_lines, checks

    found = checks()
    if as_json:
        print_json([asdict(check) for check in found])
    else:
        typer.echo("\n".join(check_lines(found)))
    if any(check.state == WRONG for check in found):
        raise typer.Exit(1)
