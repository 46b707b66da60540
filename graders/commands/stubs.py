"""`headstart stubs`: the files that learners start from."""

from pathlib import Path
from typing import Annotated

import typer

from graders.commands.naming import complete_exercise
from graders.commands.options import fail, refuse_unknown
from graders.engine.course import EXERCISES
from graders.engine.stubs import differing, stub_files
from graders.loop.files import back_up, shown_path


def stubs(
    exercise: Annotated[
        str | None,
        typer.Argument(help="One exercise; all of them when it is left out.", autocompletion=complete_exercise),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="The maintainers' check: write nothing; fail when a file is not its stub.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace files that have work in them; they are kept in .headstart/backups/."),
    ] = False,
) -> None:
    """Write the files that learners start from into `exercises/`; files that have work in them are left alone."""
    try:
        wanted = stub_files()
    except ValueError as error:
        fail(str(error))
    if exercise is not None:
        if exercise not in wanted:
            refuse_unknown([exercise])
        wanted = {exercise: wanted[exercise]}
    present = _texts_in(EXERCISES)
    changed = differing(present, wanted)
    if check:
        _report_check(changed)
        return
    kept = [name for name in changed if name in present and not force]
    for name in changed:
        if name not in kept:
            _write(EXERCISES / f"{name}.py", wanted[name])
    if not changed:
        typer.echo("nothing to write: every stub is there, untouched")
    if kept:
        fail("\n".join(map(_left_alone, kept)))


def _texts_in(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("*.py")}


def _write(path: Path, text: str) -> None:
    kept = f"; the file as it was is {shown_path(back_up(path))}" if path.is_file() else ""
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    typer.echo(f"wrote {_shown(path.stem)}{kept}")


def _report_check(changed: list[str]) -> None:
    if changed:
        fail(
            f"not what reference/ generates: {', '.join(map(_shown, changed))}; this is the maintainers' check, and a "
            "learner's work is expected to differ; `headstart stubs EXERCISE` writes a file that is missing, and with "
            "--force also replaces what is in one"
        )
    typer.echo("exercises/ is what reference/ generates")


def _left_alone(name: str) -> str:
    return (
        f"{_shown(name)} differs from its stub, so there may be work in it, and it was left alone; "
        f"`headstart stubs {name} --force` replaces it, and keeps a backup"
    )


def _shown(name: str) -> str:
    return f"{EXERCISES.name}/{name}.py"
