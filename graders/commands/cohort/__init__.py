"""`headstart cohort`: the commands of whoever leads a cohort, a file for each."""

import typer

from graders.commands.cohort.calendar import calendar
from graders.commands.cohort.exchanging import export_records, import_records, merge
from graders.commands.cohort.export import export
from graders.commands.cohort.grade import grade
from graders.commands.cohort.regrade import regrade
from graders.commands.cohort.report import report
from graders.commands.cohort.roster import roster
from graders.commands.cohort.summary import summary
from graders.commands.cohort.template import template

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Grade a cohort, and see who is stuck and on what.")

for command in (template, roster, grade, regrade, report, export, calendar, merge, export_records, summary):
    app.command()(command)
app.command("import")(import_records)
