"""What a command line says, checked in one line before anything that takes time is imported."""

import re
import shlex
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

import typer

from graders.engine.course import load_course
from graders.subject_code import Subject

MAX_BEAMS = 64  # more do not fit side by side, and each costs a text
RUN_NAME = re.compile(r"(^|/)runs?([-_.\d][^/]*)?(/|$)")  # what a run's folder may be called; no name of the hub


def expect(option: str, value: float | None, holds: bool, expected: str) -> None:
    """Refuse an option's value, in one line, unless what is asked of it holds."""
    if not holds:
        shown = f"{value:g}" if isinstance(value, float) else value
        refuse(f"{option} is {shown}; expected {expected}")


def expect_seed(seed: int) -> None:
    """Refuse a seed that no generator takes."""
    expect("--seed", seed, abs(seed) < 2**63, "a number of at most 18 digits")


def refuse_without_effect(context: typer.Context, searches: bool) -> None:
    """Sampling has no say in a search with beams, nor what only beams have without them."""
    for name in ("temperature", "top_k", "top_p", "frequency_penalty", "seed") if searches else ():
        if said := given(context, name):
            refuse(f"{said[0]} has no effect with --beams; leave one out")
    for name in () if searches else ("length_penalty", "no_repeat_ngram_size"):
        if said := given(context, name):
            refuse(f"{said[0]} has no effect without --beams; leave it out, or add --beams 3")


def missing_run(where: str | None) -> str:
    """How to make a run that is not there; empty for what is there, and for other names, which may be the hub's.

    Of a name that is empty, say so.
    """
    if where == "":
        return "the name is empty; expected a training run, a GPT-2-format folder, or gpt2 from the hub"
    if where is None or Path(where).expanduser().exists():
        return ""
    if where.startswith((".", "~", "/")) or where.endswith("/") or RUN_NAME.search(where):
        out = where.rstrip("/")
        makes = "headstart train" if out == "run" else call("train", "--out", out)
        return f"there is no {out}/ yet; `{makes}` makes one"
    return ""


def refuse_unknown(names: list[str]) -> NoReturn:
    """There is no exercise of one of these names."""
    known = [entry.name for entry in load_course().exercises]
    close = dict.fromkeys(match for name in names for match in get_close_matches(name, known, n=1))
    meant = f"did you mean {', '.join(close)}? The" if close else "the"
    refuse(f"there is no exercise {', '.join(map(repr, names))}; {meant} exercises are {', '.join(known)}")


def given(context: typer.Context, *names: str) -> list[str]:
    """Those of these options that are on the command line, as they can be written there again."""
    options: list[str] = []
    for name in names:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            options += [f"--{name.replace('_', '-')}", str(context.params[name])]
    return options


def call(command: str, *arguments: object) -> str:
    """A command of ours as it is typed."""
    return f"headstart {command} {shlex.join(map(str, arguments))}".rstrip()


def subject_named(name: str) -> Subject:
    """The code that `--subject` names."""
    from graders.engine.subjects import subject_folder

    folder = subject_folder(name)
    if folder is None:
        refuse(f"--subject {name}: there is no such folder; it takes exercises, reference or a folder with exercises")
    return Subject(name, folder)


def refuse(message: str) -> NoReturn:
    """What is wrong with the command line itself; 2 is the exit code for that."""
    typer.echo(message, err=True)
    raise typer.Exit(2)


def fail(message: str) -> NoReturn:
    """What stopped a command that was understood."""
    typer.echo(message, err=True)
    raise typer.Exit(1)
