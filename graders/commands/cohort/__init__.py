"""`headstart cohort`: the commands of whoever leads a cohort, a file for each."""

import typer

from graders.commands.cohort.summary import summary
from graders.commands.cohort.template import template

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Grade a cohort, and see who is stuck and on what.")
app.command()(template)
app.command()(summary)
