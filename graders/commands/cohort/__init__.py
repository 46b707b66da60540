"""`headstart cohort`: the commands of whoever leads a cohort, a file for each."""

import typer

from graders.commands.cohort.exchanging import export_records, import_records, merge
from graders.commands.cohort.export import export
from graders.commands.cohort.grade import grade
from graders.commands.cohort.regrade import regrade
from graders.commands.cohort.roster import roster

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Grade a cohort, and see who is stuck and on what.")

app.command()(grade)
app.command()(regrade)
app.command()(roster)
app.command()(export)
app.command()(merge)
app.command("import")(import_records)
app.command()(export_records)
