"""`headstart notebook`: an exercise to be worked on in Jupyter or VS Code."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from graders.commands.naming import complete_exercise
from graders.commands.options import call, fail, given, refuse, refuse_unknown
from graders.engine import journal
from graders.engine.course import HOME, how_to_install, load_course
from graders.loop.files import replace_file, shown_path

FOLDER, DOCS = HOME / "notebooks", HOME / "docs"


def notebook(
    context: typer.Context,
    exercise: Annotated[str, typer.Argument(help="The exercise.", autocompletion=complete_exercise)],
    solution: Annotated[bool, typer.Option("--solution", help="The solved notebook in place of the template.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Where to write it; without this, notebooks/EXERCISE.ipynb.", metavar="FILE")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Make it anew; the one that is there is kept in .headstart/backups/.")
    ] = False,
) -> None:
    """Write an exercise as a notebook, whose last cell grades it.

    The template starts from the stub, whatever is in `exercises/`, which is neither read nor changed. A notebook that
    is there already is left alone.
    """
    if load_course().get(exercise) is None:
        refuse_unknown([exercise])
    path = out or FOLDER / (f"{exercise}-solution.ipynb" if solution else f"{exercise}.ipynb")
    if path.suffix != ".ipynb":
        refuse(f"--out {path}: expected a name that ends in .ipynb")
    again = call("notebook", exercise, *(["--solution"] if solution else []), *given(context, "out"), "--force")
    if path.exists() and not force:
        fail(
            f"{shown_path(path)} is there already, and there may be work in it, so it was left alone; `{again}` makes "
            f"it anew and keeps this one in {shown_path(journal.HOME / 'backups')}/"
        )
    try:
        import nbformat

        from graders.notebooks.make import make_notebook
    except ModuleNotFoundError as error:
        fail(f"this needs {error.name}, which is not installed; {how_to_install('notebooks')}")
    try:
        made = make_notebook(exercise, solution, _docs_from(path.parent))
        kept = replace_file(path, f"{nbformat.writes(made)}\n".encode())
    except ValueError as error:
        fail(f"{shown_path(path)} was not written: {error}")
    except OSError as error:
        fail(str(error))
    if kept:
        typer.echo(f"kept the one that was there as {shown_path(kept)}")
    what = f"the solution of {exercise}, cell by cell" if solution else f"{exercise} from its stub"
    typer.echo(f"wrote {shown_path(path)}: {what}; its last cell grades it")
    typer.echo(f"Next: open it in Jupyter or VS Code, with {sys.executable} as its kernel, and run it from the top")


def _docs_from(folder: Path) -> str:
    """What links in a folder's notebooks lead through to the pages."""
    try:
        return Path(os.path.relpath(DOCS, folder)).as_posix().replace(" ", "%20")
    except ValueError:  # on another drive
        return DOCS.as_uri()
