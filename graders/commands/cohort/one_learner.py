"""`headstart cohort grade --learner DIR`: one learner's folder graded here, with the screens that they would read."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import typer

from graders.cohort.history import record_visit, transaction
from graders.cohort.run import Run, Terms, handed_in
from graders.cohort.submission import FOLDER, Submission, own_hash, read_folder
from graders.commands.cohort.display import isolation_line
from graders.commands.cohort.options import open_history, read_extras, read_secret, refuse_below
from graders.commands.options import fail, refuse
from graders.engine.course import Exercise, load_course
from graders.engine.layout import wrapped
from graders.engine.record import now, tally_of

PAGES = Path("docs/exercises")  # which a lead's own folder has not
PRIVATE = ["  One of your own laws: the learner reads its sentence and nothing else."]


def grade_one(
    folder: Path, exercises: tuple[str, ...], isolation: str, extra: Path | None, history: Path | None, secret: Path
) -> None:
    """Grade the exercises whose files are there, print what is said of them, and keep it where a history is named."""
    if not folder.is_dir():
        refuse(f"--learner {folder}: there is no such folder; expected a learner's repository, with exercises/ in it")
    submission = read_folder(folder)
    hashes = {name: text for name, text in handed_in(submission).items() if name in exercises}
    if not hashes:
        fail(
            f"{folder}/{FOLDER} has none of the files that were to be graded; expected a learner's repository, with "
            f"{FOLDER}/{exercises[0]}.py in it; nothing was graded"
        )
    extras = read_extras(extra)
    refuse_below(isolation)
    from graders.cohort.grading import outcomes
    from graders.engine.report import failure_screen
    from graders.engine.summary import summary, without_commands

    terms = Terms(read_secret(secret), isolation, exercises, extras)
    run = _run(folder, terms, submission, hashes, history)
    where, found = f"{folder}/{FOLDER}", []
    for name, text in hashes.items():
        job = terms.job(name, text, submission)
        try:
            own = list(outcomes(job))
        except RuntimeError as error:  # no process for the learner's code could be started
            fail(f"{name} could not be graded: {error}")
        found += own
        if run is not None:
            for _ in run.hand_out(folder.name, name, text, submission):
                run.keep(job, [outcome.record for outcome in own])
        for outcome in own:
            if outcome.record.status in ("failed", "error"):
                tally = tally_of(other.record.status for other in own if other.record.task == outcome.record.task)
                lines = failure_screen(outcome, tally, load_course()[name], where, _explained)
                if outcome.record.kind == "no_file" and name in submission.problems:  # it is there, and was not taken
                    lines = [name, *(f"  {line}" for line in wrapped(f"{submission.problems[name]}."))]
                _print(lines[:2] + PRIVATE if outcome.record.is_private else lines)
    # To the summary, a task has as many laws as the course gives it
    told = [outcome for outcome in found if not (outcome.record.is_private and outcome.record.status == "passed")]
    lines = without_commands(summary(told, load_course(), where))
    _print(lines if PAGES.is_dir() else [line for line in lines if PAGES.as_posix() not in line])
    typer.echo(isolation_line(isolation))
    if any(outcome.record.status != "passed" for outcome in found):
        raise typer.Exit(1)


def _run(
    folder: Path, terms: Terms, submission: Submission, hashes: Mapping[str, str], history: Path | None
) -> Run | None:
    """What keeps the verdicts, under the folder's name, which need not be in the roster."""
    if history is None:
        return None
    kept, at = open_history(history), now()
    learner = folder.resolve().name
    with transaction(kept):
        kept.execute(
            "INSERT OR IGNORE INTO learners (id, name, repository, is_active) VALUES (?, ?, ?, 0)",
            (learner, learner, str(folder.resolve())),
        )
    record_visit(kept, learner, at, hashes=hashes, own={name: own_hash(submission, name) for name in hashes})
    return Run(kept, terms)


def _explained(exercise: Exercise, task: str) -> str:
    """Where a task is explained: on its page, or, where the course's pages are not, by a command."""
    return exercise.page_of(task) if PAGES.is_dir() else f"headstart show {exercise.name} {task}"


def _print(lines: Iterable[str]) -> None:
    """Print a screen; nothing that a learner's code says moves the cursor."""
    typer.echo("\n".join("".join(c if c.isprintable() else " " for c in line) for line in lines) + "\n")
