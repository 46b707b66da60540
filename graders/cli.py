"""`headstart`: the commands of the course. A thin shell over `commands/`."""

import functools
from collections.abc import Callable
from typing import Annotated, Any

import typer

from graders.commands.audit import audit
from graders.commands.cohort import app as cohort
from graders.commands.doctor import doctor
from graders.commands.explain import explain
from graders.commands.hint import hint
from graders.commands.list_tasks import list_tasks
from graders.commands.naming import AsJson
from graders.commands.notebook import notebook
from graders.commands.options import fail, refuse
from graders.commands.reset import reset
from graders.commands.run import run
from graders.commands.see import see
from graders.commands.show import show
from graders.commands.site import site
from graders.commands.solution import solution
from graders.commands.status import status
from graders.commands.stubs import stubs
from graders.commands.train import train
from graders.commands.watch import watch
from graders.commands.write import write
from graders.engine.course import HAS_HOME, MARKER

# Without markup a flag is shown plainly, not as `<bool>`
app = typer.Typer(invoke_without_command=True, pretty_exceptions_enable=False, rich_markup_mode=None)


def _at_home(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command about a learner's files, which says so in one line where there are none."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        if not HAS_HOME:
            fail(
                f"there are no exercises here; expected a pyproject.toml with {MARKER}, in this folder or above; "
                "go to the folder that has your exercises/, and run this again"
            )
        return command(*args, **options)

    return run


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
        _at_home(status)(as_json)
    elif as_json:
        refuse(f"--json has no effect before a command; write `headstart {context.invoked_subcommand} --json`")


app.command("list")(_at_home(list_tasks))
COMMANDS = (watch, show, hint, solution, reset, explain, doctor, write, train, run, see, notebook, stubs, site, audit)
ANYWHERE = (explain, doctor, site, audit)  # these have something to do where nobody's exercises are
for command in COMMANDS:
    app.command()(command if command in ANYWHERE else _at_home(command))
app.add_typer(cohort, name="cohort")


if __name__ == "__main__":
    app(prog_name="headstart")
