"""`headstart`: the commands of the course. A thin shell; what takes time to import is imported by its command."""

import os
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from graders.engine.course import ROOT, load_course
from graders.engine.stubs import differing, stub_files

EXERCISES = ROOT / "exercises"

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


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


@app.command()
def stubs(
    exercise: Annotated[str | None, typer.Argument(help="One exercise; all of them when it is left out.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when a file is not its stub.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that have work in them.")] = False,
) -> None:
    """Write the files that learners start from into `exercises/`; files that have work in them are left alone."""
    try:
        wanted = stub_files()
    except ValueError as error:
        _fail(str(error))
    if exercise is not None:
        if exercise not in wanted:
            _refuse_unknown([exercise])
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
        _fail("\n".join(map(_left_alone, kept)))


@app.command()
def audit(
    exercises: Annotated[list[str] | None, typer.Argument(help="Exercises; all of them when none is named.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Repeat variants and misconceptions on 50 seeds.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = os.cpu_count() or 1,
) -> None:
    """Prove that the graders catch every known mistake and accept every right answer."""
    known = [entry.name for entry in load_course().exercises]
    unknown = [name for name in exercises or () if name not in known]
    if unknown:
        _refuse_unknown(unknown)
    from graders.engine.audit import run_audit

    if not run_audit(exercises or known, full, jobs):
        raise typer.Exit(1)


def _texts_in(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text(encoding="utf-8", errors="replace") for path in folder.glob("*.py")}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
    typer.echo(f"wrote {_shown(path.stem)}")


def _report_check(changed: list[str]) -> None:
    if changed:
        _fail(
            f"not what reference/ generates: {', '.join(map(_shown, changed))}; "
            "run `headstart stubs --force`, which replaces what is in them, and commit the result"
        )
    typer.echo("exercises/ is what reference/ generates")


def _left_alone(name: str) -> str:
    return (
        f"{_shown(name)} differs from its stub, so there may be work in it, and it was left alone; "
        f"`headstart stubs {name} --force` replaces it"
    )


def _shown(name: str) -> str:
    return f"{EXERCISES.name}/{name}.py"


def _refuse_unknown(names: list[str]) -> NoReturn:
    known = ", ".join(entry.name for entry in load_course().exercises)
    typer.echo(f"there is no exercise {', '.join(map(repr, names))}; the exercises are {known}", err=True)
    raise typer.Exit(2)


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(1)
