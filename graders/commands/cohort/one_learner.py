"""`headstart cohort grade --learner DIR`: one learner's folder graded here, with the screens that they would read."""

from pathlib import Path

import typer

from graders.cohort.harmless import plain
from graders.commands.cohort.display import isolation_line
from graders.commands.cohort.options import open_history, read_extras, read_secret, refuse_below
from graders.commands.options import fail, refuse


def grade_one(
    folder: Path, exercises: tuple[str, ...], isolation: str, extra: Path | None, history: Path | None, secret: Path
) -> None:
    """Grade the exercises whose files are there, print what is said of them, and keep it where a history is named."""
    from graders.cohort.submission import read_folder

    if not folder.is_dir():
        refuse(f"--learner {folder}: there is no such folder; expected a learner's repository, with exercises/ in it")
    submission = read_folder(folder)
    from graders.cohort.run import Run, Terms, handed_in

    hashes = {name: text for name, text in handed_in(submission).items() if name in exercises}
    if not hashes:
        fail(f"{folder}/exercises has none of the files that were to be graded; nothing was graded")
    extras = read_extras(extra)
    refuse_below(isolation)
    from graders.cohort.grading import outcomes
    from graders.engine.summary import summary, without_commands
    from graders.engine.course import load_course

    terms = Terms(read_secret(secret), isolation, exercises, extras)
    kept = open_history(history) if history else None
    found = []
    for name, text in hashes.items():
        own = list(outcomes(terms.job(name, text, submission)))
        found += own
        for lines in screens(own, f"{folder}/exercises"):
            typer.echo("\n".join(harmless(line) for line in lines) + "\n")
    typer.echo("\n".join(map(harmless, without_commands(summary(found, load_course(), f"{folder}/exercises")))))
    typer.echo(isolation_line(isolation))
    if any(outcome.record.status != "passed" for outcome in found):
        raise typer.Exit(1)
