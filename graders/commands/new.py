"""`headstart new`: one more exercise, whole and small, for its author to replace piece by piece."""

import importlib.util
import keyword
import re
import sys
from difflib import get_close_matches
from typing import Annotated

import typer

from graders.commands.naming import complete_exercise
from graders.commands.options import expect, fail, refuse
from graders.commands.site import written_page
from graders.engine.course import IS_REPOSITORY, ROOT, Exercise, load_course
from graders.engine.stubs import GIVEN, stub_files

NAME, TRACK = re.compile(r"[a-z][a-z0-9_]*"), re.compile(r"[a-z][a-z0-9_-]*")


def _complete_track(incomplete: str) -> list[str]:
    """The tracks whose names begin so."""
    return [track for track in _tracks() if track.startswith(incomplete)]


def new(
    name: Annotated[str, typer.Argument(help="Its name, and that of its files: a Python name in lower case.")],
    track: Annotated[
        str, typer.Option(help="The track that it belongs to; a new one is made.", autocompletion=_complete_track)
    ],
    after: Annotated[
        str | None,
        typer.Option(
            help="The exercise of the track that it comes after, in the same session; without this, the last one.",
            autocompletion=complete_exercise,
        ),
    ] = None,
    minutes: Annotated[int, typer.Option(help="How long somebody takes who starts from nothing.")] = 20,
) -> None:
    """Add an exercise to the course, for authors: small and whole, so that it runs, and then replaced piece by piece.

    It has its solved file, stub, laws, misconceptions, variants and page, and its lines wherever exercises are listed.
    """
    if not IS_REPOSITORY:
        fail(
            "headstart is installed from a wheel, which has no place for a new exercise; run this in the course's own "
            "repository"
        )
    _refuse_name(name)
    expect("--minutes", minutes, minutes > 0, "at least 1")
    before = _comes_after(track, after)
    from graders.skeleton.placing import changes, new_files, place_in

    place = place_in(load_course(), name, track, before, minutes)
    made, changed = new_files(place), {}
    taken = [path for path in (*made, f"exercises/{name}.py") if (ROOT / path).exists()]
    if taken:
        refuse(f"{name} is taken: there is {taken[0]} already; choose another name, or remove what is left of it")
    for path, change in changes(place).items():
        try:
            changed[path] = change((ROOT / path).read_text(encoding="utf-8"), place)
        except (OSError, ValueError) as error:
            fail(f"nothing was written, since {path} is not as expected: {error}")
    _write(made | changed)
    load_course.cache_clear()
    stubs = {f"exercises/{file}.py": text for file, text in stub_files().items() if file in (name, "__init__")}
    _write({f"docs/exercises/{name}.md": written_page(name)} | stubs)
    for path in (*made, f"exercises/{name}.py"):
        typer.echo(f"wrote {path}")
    typer.echo(f"added it to {', '.join((*changed, 'exercises/__init__.py'))}")
    typer.echo(f'Next: headstart audit {name}; then docs/authors.md, from "Make it yours" on')


def _tracks() -> list[str]:
    """The tracks of the course, in its order."""
    return list(dict.fromkeys(exercise.track for exercise in load_course().exercises))


def _refuse_name(name: str) -> None:
    """Refuse what cannot be the name of an exercise."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        refuse(f"{name!r} cannot be the name of a file of Python's; expected a name in lower case, such as rotary")
    if load_course().get(name) or name in GIVEN:
        refuse(f"{name} is taken: exercises/{name}.py is part of the course; choose another name")
    # A file run by itself, `python exercises/...`, finds its neighbours before everything else
    if name in sys.stdlib_module_names or importlib.util.find_spec(name):
        refuse(f"{name} is the name of a module that there is; exercises/{name}.py would hide it; choose another name")


def _comes_after(track: str, after: str | None) -> Exercise:
    """The exercise that a new one of a track comes after: the one that was said, or the last."""
    course = load_course()
    tracks = _tracks()
    own = [exercise for exercise in course.exercises if exercise.track == track]
    if not own:
        if close := get_close_matches(track, tracks, n=1, cutoff=0.75):
            refuse(f"--track {track}: there is no such track; did you mean {close[0]}? A new one has to differ more")
        if not TRACK.fullmatch(track):
            refuse(f"--track {track!r}: expected one of {', '.join(tracks)}, or a new name in lower case")
        if after is not None:
            refuse(
                f"--after has no effect with a new track, which comes last; leave it out; tracks: {', '.join(tracks)}"
            )
        return course.exercises[-1]
    if after is None:
        return own[-1]
    if after not in [exercise.name for exercise in own]:
        refuse(f"--after {after}: expected an exercise of the track {track}: {', '.join(e.name for e in own)}")
    return course[after]


def _write(texts: dict[str, str]) -> None:
    for path, text in texts.items():
        try:
            (ROOT / path).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            fail(
                f"{path} could not be written: {error.strerror or error}; `git status` shows what was written before it"
            )
