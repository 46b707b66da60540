"""`headstart`: the commands of the course. A thin shell over `commands/`."""

from importlib.metadata import version
from typing import Annotated

import typer

from graders.commands.audit import audit
from graders.commands.stubs import stubs
from graders.commands.train import train
from graders.commands.watch import watch
from graders.commands.write import write

# Without markup a flag is shown plainly, not as `<bool>`
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"headstart {version('headstart')}")
        raise typer.Exit


@app.callback()
def headstart(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Build a transformer from scratch, one exercise at a time."""


app.command()(stubs)
app.command()(audit)
app.command()(watch)
app.command()(write)
app.command()(train)


if __name__ == "__main__":
    app(prog_name="headstart")
