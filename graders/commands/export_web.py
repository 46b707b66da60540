"""`headstart export-web`: the learner's own model on the course's site, in the reader's browser."""

from pathlib import Path
from typing import Annotated

import typer

from graders.commands.options import fail, missing_run
from graders.commands.site import PICTURES, WEB_MODEL
from graders.engine.course import IS_REPOSITORY, how_to_install
from graders.loop.files import shown_path
from graders.subject_code import CannotGoOn


def export_web(
    model: Annotated[
        str | None,
        typer.Argument(
            help="A training run, a GPT-2-format folder, or gpt2 from the hub; else the small one that comes with "
            "the course."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="The folder to write; else docs/explorer/model, which the site shows.", show_default=False),
    ] = None,
) -> None:
    """Put a model of your own on the site's page Explorer, where it runs in the reader's browser.

    `headstart site` leaves it there; `headstart export-web` alone puts the one that comes with the course back.
    """
    if out is None and not IS_REPOSITORY:
        fail(
            "headstart is installed from a wheel, which has no site to put a model on; --out names a folder to write, "
            "to be copied to docs/explorer/model in the course's own repository"
        )
    if missing := missing_run(model):
        fail(missing)
    try:
        from graders.model_folder import read_model
        from graders.web.export import web_model, write_files
    except ModuleNotFoundError as error:
        fail(f"this needs {error.name}, which is not installed; {how_to_install('docs')}")
    folder = out or WEB_MODEL
    try:
        made = web_model(read_model(model), model)
        write_files(folder, made.files)
    except CannotGoOn as error:
        fail(str(error))
    shown = shown_path(folder)
    typer.echo(f"wrote {shown}/\n{made.told()}")
    if folder.resolve() == WEB_MODEL.resolve():
        made_before = "" if PICTURES.is_dir() else "headstart site && "
        typer.echo(f"Next: {made_before}mkdocs serve, then open Explorer in the menu")
    else:
        typer.echo(f"Next: copy {shown}/ to docs/explorer/model/ of the course's site; its page Explorer shows it")
