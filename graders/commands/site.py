"""`headstart site`: what the pages show and nobody wrote by hand, made before `mkdocs build` or `mkdocs serve`."""

from pathlib import Path

import typer

from graders.commands.options import fail
from graders.engine.course import IS_REPOSITORY, ROOT

DOCS = ROOT / "docs"
PICTURES = DOCS / "pictures"


def pictures() -> dict[Path, bytes]:
    """Every picture of the pages, by where it belongs."""
    # matplotlib and the model take seconds to import
    from docs.all_pictures import DRAWN
    from docs.drawing import svg

    return {PICTURES / f"{draw.__name__}.svg": svg(draw()) for draw in DRAWN}


def site() -> None:
    """Draw the pictures of the pages and write their tables into `docs/`; then `mkdocs serve` shows them."""
    if not IS_REPOSITORY:
        fail("headstart is installed from a wheel, which has no pages to draw; run this in the course's own repository")
    from docs.einsum_table import PAGE, with_table

    files = pictures()
    files[PAGE] = with_table(PAGE.read_text(encoding="utf-8")).encode()
    # What is the same is left alone: a page that is being served is rebuilt whenever a file is written
    changed = [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]
    PICTURES.mkdir(exist_ok=True)
    for path in changed:
        path.write_bytes(files[path])
    left_over = [path for path in sorted(PICTURES.iterdir()) if path not in files]
    for path in left_over:
        path.unlink()
    for done, paths in (("wrote", changed), ("removed", left_over)):
        for path in paths:
            typer.echo(f"{done} {path.relative_to(ROOT).as_posix()}")
    if not changed + left_over:
        typer.echo("nothing to write: every picture and table is up to date")
    typer.echo("Next: mkdocs serve")
