"""`headstart audit`: the proof of the graders."""

import os
from typing import Annotated

import typer

from graders.commands.naming import complete_exercise
from graders.commands.options import refuse_unknown
from graders.engine.course import load_course


def audit(
    exercises: Annotated[
        list[str] | None,
        typer.Argument(help="Exercises; all of them when none is named.", autocompletion=complete_exercise),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Repeat variants and misconceptions on 50 seeds.")] = False,
    jobs: Annotated[
        int, typer.Option(min=1, help="Processes at a time.", show_default="one for each core")
    ] = os.cpu_count() or 1,
) -> None:
    """Prove that the graders catch every known mistake and accept every right answer."""
    known = [entry.name for entry in load_course().exercises]
    unknown = [name for name in exercises or () if name not in known]
    if unknown:
        refuse_unknown(unknown)
    from graders.engine.audit import run_audit

    if not run_audit(exercises or known, full, jobs):
        raise typer.Exit(1)
