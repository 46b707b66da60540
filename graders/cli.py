"""`headstart`: the commands of the course. A thin shell over `commands/`."""

from typing import Annotated

import typer

from graders.commands.audit import audit
from graders.commands.cohort import app as cohort
from graders.commands.doctor import doctor
from graders.commands.explain import explain
from graders.commands.hint import hint
from graders.commands.list_tasks import list_tasks
from graders.commands.naming import AsJson
from graders.commands.notebook import notebook
from graders.commands.options import refuse
from graders.commands.reset import reset
from graders.commands.see import see
from graders.commands.show import show
from graders.commands.site import site
from graders.commands.solution import solution
from graders.commands.status import status
from graders.commands.stubs import stubs
from graders.commands.train import train
from graders.commands.watch import watch
from graders.commands.write import write

# Without markup a flag is shown plainly, not as `<bool>`
app = typer.Typer(invoke_without_command=True, pretty_exceptions_enable=False, rich_markup_mode=None)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"headstart {version('headstart')}")
        raise typer.Exit


@app.callback()
def headstart(
    context: typer.Context,
    as_json: AsJson = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Build a transformer from scratch, one exercise at a time. Without a command: where you are, and what is next."""
    if context.invoked_subcommand is None:
        status(as_json)
    elif as_json:
        refuse(f"--json has no effect before a command; write `headstart {context.invoked_subcommand} --json`")


app.command("list")(list_tasks)
for command in (watch, show, hint, solution, reset, explain, doctor, write, train, see, notebook, stubs, site, audit):
    app.command()(command)
app.add_typer(cohort, name="cohort")


if __name__ == "__main__":
    app(prog_name="headstart")
