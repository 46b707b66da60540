"""`headstart cohort`: the commands of whoever leads a cohort, a file for each."""

import typer

from graders.commands.cohort.export import export
from graders.commands.cohort.report import report
from graders.commands.cohort.roster import roster

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Grade a cohort, and see who is stuck and on what.")

app.command()(roster)
app.command()(export)
app.command()(report)
