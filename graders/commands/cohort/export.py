"""`headstart cohort export`: the gradebook for other programs."""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from graders.cohort.policy import FILE as POLICY
from graders.commands.cohort.options import HISTORY, History, exercises_named, open_history, read_rules
from graders.commands.naming import complete_exercise
from graders.commands.options import fail, refuse


class Form(StrEnum):
    """What can be written."""

    canvas = "canvas"
    moodle = "moodle"
    gradescope = "gradescope"
    junit = "junit"
    summary = "summary"


def complete_form(incomplete: str) -> list[str]:
    """What can be written, where the name begins so."""
    return [form for form in Form if form.startswith(incomplete)]


def export(
    context: typer.Context,
    form: Annotated[
        str,
        typer.Argument(
            help="canvas, moodle, gradescope, junit, or summary, GitHub's job summary.",
            metavar="FORM",
            autocompletion=complete_form,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="The file to write, of gradescope a folder; without this, it is printed.", metavar="PATH"),
    ] = None,
    exercise: Annotated[
        list[str] | None,
        typer.Option(help="Only this exercise; may be repeated.", metavar="NAME", autocompletion=complete_exercise),
    ] = None,
    learner: Annotated[
        list[str] | None, typer.Option(help="Only this learner, by id; may be repeated.", metavar="NAME")
    ] = None,
    history: History = HISTORY,
    policy: Annotated[Path, typer.Option(help="Due dates, extensions and points.", metavar="FILE")] = Path(POLICY),
) -> None:
    """Write the gradebook for Canvas, Moodle, Gradescope, JUnit XML or GitHub's job summary.

    Points come from the history and the policy; nothing is graded. Of gradescope a folder is written, with
    `ID/results.json` for each learner.
    """
    chosen = _form_named(form)
    exercises = exercises_named(exercise)
    if chosen is Form.gradescope and out is None:
        refuse("gradescope writes a file for each learner; add --out FOLDER")
    try:
        told = _export(context, chosen, out, history, policy, exercises, learner or [])
    except OSError as error:
        fail(f"{error.filename or out} could not be written: {error.strerror or error}")
    typer.echo(told, err=out is None)  # beside what is printed, not in it


def _form_named(name: str) -> Form:
    if name not in list(Form):
        close = get_close_matches(name.lower(), list(Form), n=1)
        meant = f"did you mean {close[0]}? The" if close else "the"
        refuse(f"there is no form {name!r}; {meant} forms are {', '.join(Form)}")
    return Form(name)


def _export(
    context: typer.Context,
    form: Form,
    out: Path | None,
    path: Path,
    policy: Path,
    exercises: Sequence[str],
    learners: Sequence[str],
) -> str:
    """Write it, and say what was written."""
    import datetime

    from graders.cohort.exports.gradebooks import write_canvas, write_moodle
    from graders.cohort.exports.junit import write_junit
    from graders.cohort.exports.summary import summary
    from graders.cohort.gradebook import gradebook
    from graders.cohort.harmless import plain
    from graders.cohort.roster import ID, applied_roster

    history = open_history(path, must_exist=True)
    known = [one.id for one in applied_roster(history)]
    if not known:
        fail(f"{path} has no learners; `headstart cohort roster --apply` puts them there")
    for one in learners:
        if one not in known:
            fail(f"--learner {one}: the roster has no such learner; expected an id as it stands there")
    rule = read_rules(context, policy, history)
    now = datetime.datetime.now(datetime.UTC)
    rows = list(gradebook(history, rule, now, exercises, learners))
    points = [(name, rule.points_for(name)) for name in exercises]
    if form is Form.gradescope and out is not None:
        from graders.cohort.exports.gradescope import results

        for row in rows:
            if not ID.fullmatch(row.learner.id):  # one that came into the history by another way than the roster
                fail(f"the history has a learner {plain(row.learner.id)!r}, whose id cannot name a folder")
            with _written(out / row.learner.id / "results.json") as stream:
                json.dump(results(history, row), stream, ensure_ascii=False, indent=2)
    else:
        with _written(out) as stream:
            if form is Form.summary:
                stream.write(summary(rows, points))
            elif form is Form.junit:
                write_junit(history, rows, stream)
            else:
                (write_canvas if form is Form.canvas else write_moodle)(rows, points, stream)
    below = sum(standing.isolation not in ("", "sandbox") for row in rows for standing in row.standings)
    where = f" to {out}" if out else ""
    note = f"; {below} of the verdicts were made below the sandbox, and could be forged" if below else ""
    return f"wrote {len(rows)} learner{'s' * (len(rows) != 1)}{where}{note}"


@contextmanager
def _written(path: Path | None) -> Iterator[TextIO]:
    """What is written to a file in one step, or printed."""
    if path is None:
        printed = io.TextIOWrapper(typer.get_binary_stream("stdout"), encoding="utf-8", newline="\n")
        yield printed
        printed.detach()  # it stays open for what is printed after
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as stream:
            yield stream
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
