"""`headstart run`: what a learner's own modules can do beyond texts, trained and measured."""

import importlib
import importlib.util
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

import typer

from graders.applications import APPLICATIONS, EXTRA
from graders.applications.image_data import IMAGE_DATA, settings_on
from graders.commands.naming import complete_application, complete_data
from graders.commands.options import call, expect_seed, fail, given, refuse, subject_named
from graders.engine.course import how_to_install
from graders.run_folder import alone_in
from graders.subject_code import CannotGoOn, Printed


def run(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help=f"What to run: {', '.join(APPLICATIONS)}.", autocompletion=complete_application)
    ],
    subject: Annotated[str, typer.Option(help="Whose files are run: exercises, reference, or a folder.")] = "exercises",
    seed: Annotated[int, typer.Option(help="Another seed, another run.")] = 0,
    data: Annotated[
        str | None,
        typer.Option(
            help="What vit and image_gpt learn from: digits if nothing is said; mnist or, for vit, cifar10: fetched.",
            autocompletion=complete_data,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Where it is kept, run-NAME or run-NAME-DATA otherwise; a run that is there is gone on with."
        ),
    ] = None,
) -> None:
    """Train your own modules on an application of them, and measure what they have learnt.

    It prints a table, and leaves figures (metrics.json) and pictures in its folder. Ctrl-C stops a run, and the same
    command goes on with it from its last checkpoint.
    """
    if name not in APPLICATIONS:
        close = get_close_matches(name.lower().replace("-", "_"), APPLICATIONS, n=1)
        meant = f"did you mean {close[0]}? There" if close else "there"
        refuse(f"there is no application {name!r}; {meant} are {', '.join(APPLICATIONS)}")
    expect_seed(seed)
    whose = subject_named(subject)
    fetched = _is_fetched(name, data)
    folder = Path(f"run-{name}-{data}" if fetched else f"run-{name}") if out is None else out
    application: Any = importlib.import_module(f"graders.applications.{name}")
    libraries = [*application.LIBRARIES, *(["datasets"] if fetched else [])]
    missing = [library for library in libraries if importlib.util.find_spec(library) is None]
    if missing:
        fail(f"{name} needs {', '.join(missing)}, which is not installed; {how_to_install(EXTRA)}")

    from graders.applications.run import METRICS, Run, begin, figures_in, finish

    what: dict[str, Any] = {
        "application": name,
        "subject": subject,
        "seed": seed,
        "settings": settings_on(name, data, application.SETTINGS),
    }
    printed = Printed()
    try:
        figures = figures_in(folder, what)
        if figures is None:
            with whose.explained(application.PARTS), printed.listening():
                this = Run(whose.load(application.PARTS), seed, folder, what["settings"])
                application.rehearse(this)  # before there is a folder: what is not written yet is no run
                with alone_in(folder):
                    figures = figures_in(folder, what)  # another one may have finished it since
                    if figures is None:
                        begin(folder, what)
                        figures = application.run(this)
                        finish(folder, what, figures)
        else:
            typer.echo(f"this run is done; nothing to do; for a new one use --out for another folder, not {folder}")
    except CannotGoOn as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail(f"\nstopped; to go on: {call('run', name, *given(context, 'subject', 'seed', 'data', 'out'))}")
    finally:
        if printed.told():
            typer.echo(printed.told(), err=True)
    _show(application.tables(figures, what["settings"]))
    pictures = ", ".join(sorted(path.name for path in folder.glob("*.png")))
    typer.echo(f"figures: {folder / METRICS}; pictures: {pictures or 'none'}")


def _is_fetched(name: str, data: str | None) -> bool:
    """Whether an application is to run on images that do not come with a package; refused when it cannot."""
    if data is None:
        return False
    offered = IMAGE_DATA.get(name, {})
    if data not in offered:
        takers = " and ".join(f"{taker} ({', '.join(names)})" for taker, names in IMAGE_DATA.items())
        refuse(f"--data is {data}; {name} takes {' or '.join(offered) or 'none'}; it is an option of {takers}")
    return offered[data].on_hub is not None


def _show(tables: list[Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    for one in tables:
        table = Table(title=one.title, title_justify="left")
        for number, heading in enumerate(one.header):
            table.add_column(heading, justify="right" if number else "left")
        for row in one.rows:
            table.add_row(*row)
        Console().print(table)
