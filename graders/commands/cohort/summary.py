"""`headstart cohort summary`: records as a page of GitHub's."""

from pathlib import Path
from typing import Annotated

import typer

from graders.commands.options import fail
from graders.loop.explain import NotARecord, records_in


def summary(records: Annotated[Path, typer.Argument(help="A file that pytest's --records wrote.")]) -> None:
    """Print what records say, in Markdown, for the page that GitHub shows of a run.

    Ends with 1 when something that was written is not right; what is not started yet is no mistake.
    """
    from graders.cohort.summary import is_broken, job_summary

    try:
        found = list(records_in(records).values())
    except NotARecord as error:
        fail(str(error))
    typer.echo(job_summary(found))
    if any(is_broken(record) for record in found):
        raise typer.Exit(1)
