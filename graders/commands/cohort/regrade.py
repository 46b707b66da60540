"""`headstart cohort regrade`: after a grader was mended, the same texts graded again, and which verdicts changed."""

import typer

from graders.commands.cohort.options import (
    HISTORY,
    SECRET,
    Exercises,
    Extra,
    History,
    Isolation,
    Secret,
    Workers,
    exercises_named,
    expect_isolation,
    n_workers,
    open_history,
    read_extras,
    read_secret,
    refuse_below,
)
from graders.commands.options import fail

HEAD = ("learner", "exercise", "before -> after", "law", "misconception")


def regrade(
    exercise: Exercises = None,
    isolation: Isolation = "sandbox",
    extra: Extra = None,
    workers: Workers = None,
    history: History = HISTORY,
    secret: Secret = SECRET,
) -> None:
    """Grade again what another version of the graders graded, and show every verdict that is another now, and why.

    The learners are those of the roster as it was last applied; their texts are fetched again.
    """
    exercises = exercises_named(exercise)
    expect_isolation(isolation)
    n_processes = n_workers(workers)
    kept = open_history(history, must_exist=True)
    from graders.cohort.history import HistoryError
    from graders.cohort.pool import graded_by_pool
    from graders.cohort.regrade import changes, jobs_again
    from graders.cohort.roster import applied_roster
    from graders.cohort.run import Run, RunError, Terms, standings
    from graders.commands.cohort.display import Display, counted, isolation_line, plain

    learners = applied_roster(kept)
    terms = Terms(read_secret(secret), isolation, exercises, read_extras(extra))
    lost: dict[str, list[str]] = {}
    try:
        before = standings(kept, {one.id for one in learners})
        with Display(len(learners)) as display:
            run = Run(kept, terms, lambda: refuse_below(isolation, kept), display.looked_at)
            for job, records in graded_by_pool(jobs_again(run, learners, before, lost), n_processes):
                run.keep(job, records)
                display.graded(job)
        found = changes(before, standings(kept, {one.id for one in learners}))
    except (HistoryError, RunError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped; what was graded is kept, and the next run goes on from there")
    finally:
        kept.close()
    typer.echo(f"Graded again: {counted(run.n_graded, 'text')}. Verdicts that are another now: {len(found)}.")
    table = [(c.learner, c.exercise, f"{c.before} -> {c.after}", c.law, c.misconception) for c in found]
    rows = [HEAD, *([plain(cell, 100) for cell in row] for row in table)] if table else []
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  " + "  ".join(map(str.ljust, row, widths)).rstrip())
    gone = [f"  {learner}: {', '.join(names)}" for learner, names in lost.items() if names]
    if gone:
        typer.echo("Not graded again, since the text is neither at the commit that was graded nor in the newest one:")
        typer.echo("\n".join(gone))
    typer.echo(isolation_line(isolation))
