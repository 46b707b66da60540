"""`headstart stubs`: the files that learners start from."""

from collections.abc import Iterable
from typing import Annotated

import typer

from graders.commands.naming import complete_exercise
from graders.commands.options import fail, refuse_unknown
from graders.engine.course import EXERCISES
from graders.engine.stubs import differing, stub_files
from graders.loop.files import replace_file, shown_path


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
    present = _texts_of(wanted)
    changed = differing(present, wanted)
    if check:
        _report_check(changed)
        return
    kept = [name for name in changed if name in present and not force]
    for name in changed:
        if name not in kept:
            _write(name, wanted[name])
    if not changed:
        typer.echo("nothing to write: every stub is there, untouched")
    if kept:
        fail("\n".join(map(_left_alone, kept)))


def _texts_of(names: Iterable[str]) -> dict[str, str]:
    """What stands in the learner's files of these names, as far as they are there."""
    texts = {}
    for name in names:
        path = EXERCISES / f"{name}.py"
        if path.is_symlink() or path.exists():
            try:
                texts[name] = path.read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                fail(
                    f"{_shown(name)} could not be read: {error.strerror}; move it elsewhere, or make it a file again, "
                    "then try again"
                )
    return texts


def _write(name: str, text: str) -> None:
    try:
        kept = replace_file(EXERCISES / f"{name}.py", text.encode())
    except OSError as error:
        fail(str(error))
    typer.echo(f"wrote {_shown(name)}" + (f"; the file as it was is {shown_path(kept)}" if kept else ""))


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
