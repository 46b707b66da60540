"""`headstart site`: what the pages show and nobody wrote by hand, made before `mkdocs build` or `mkdocs serve`."""

from pathlib import Path

import typer

from graders.commands.options import fail
from graders.engine.course import IS_REPOSITORY, ROOT, how_to_install, load_course
from graders.loop.files import shown_path

DOCS = ROOT / "docs"
PICTURES, SOLUTIONS = DOCS / "pictures", DOCS / "solutions"  # nothing but what is made here
ENGINE = DOCS / "engine.md"
WEB_MODEL = DOCS / "explorer" / "model"  # what the page Explorer runs
EINSUM = "tensors"  # the exercise whose page has the table of index strings


def site() -> None:
    """Make the pages' pictures, specifications, tables and solutions, the engine's API and the Explorer's model."""
    if not IS_REPOSITORY:
        fail("headstart is installed from a wheel, which has no pages to draw; run this in the course's own repository")
    try:
        from graders.web.export import own_title
    except ModuleNotFoundError as error:
        fail(f"this needs {error.name}, which is not installed; {how_to_install('docs')}")
    try:
        pages = written_pages()
    except ValueError as error:
        fail(str(error))
    files = pictures() | pages
    own = own_title(WEB_MODEL)
    if not own:
        files |= explorer_model()
    # What is the same is left alone: a page that is being served is rebuilt whenever a file is written
    changed = [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]
    for folder in (PICTURES, SOLUTIONS, WEB_MODEL):
        folder.mkdir(parents=True, exist_ok=True)
    for path in changed:
        path.write_bytes(files[path])
    left_over = [path for folder in (PICTURES, SOLUTIONS) for path in sorted(folder.iterdir()) if path not in files]
    for path in left_over:
        path.unlink()
    for done, paths in (("wrote", changed), ("removed", left_over)):
        for path in paths:
            typer.echo(f"{done} {shown_path(path)}")
    if not changed + left_over:
        typer.echo("nothing to write: all that is made is up to date")
    if own:
        typer.echo(f"kept {shown_path(WEB_MODEL)}/: {own}; `headstart export-web` puts the course's own there")
    typer.echo("Next: mkdocs serve")


def written_pages() -> dict[Path, bytes]:
    """Every page that is made, or has a part that is, as it should be.

    Raises `ValueError`, naming the file, when a page lacks the marks of such a part or a solved file one of its tasks.
    """
    from docs.engine_api import with_api
    from docs.lessons import solution_page

    files = {ENGINE: with_api(ENGINE.read_text(encoding="utf-8")).encode()}
    for exercise in load_course().exercises:
        files[ROOT / exercise.page] = written_page(exercise.name).encode()
        files[SOLUTIONS / f"{exercise.name}.md"] = solution_page(exercise).encode()
    return files


def pictures() -> dict[Path, bytes]:
    """Every picture of the pages, by where it belongs."""
    # matplotlib and the model take seconds to import
    from docs.all_pictures import DRAWN
    from docs.drawing import svg

    return {PICTURES / f"{draw.__name__}.svg": svg(draw()) for draw in DRAWN}


def explorer_model() -> dict[Path, bytes]:
    """The files of the embedded checkpoint, for the page Explorer."""
    from graders.model_folder import read_model
    from graders.web.export import web_model

    return {WEB_MODEL / name: content for name, content in web_model(read_model(None), None).files.items()}


def written_page(exercise: str) -> str:
    """The page of an exercise with all its generated parts. Raises `ValueError` when it lacks one of their marks."""
    from docs.einsum_table import with_table
    from docs.lessons import with_specifications

    entry = load_course()[exercise]
    page = with_specifications((ROOT / entry.page).read_text(encoding="utf-8"), entry)
    return with_table(page) if exercise == EINSUM else page
