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
    from graders.cohort.regrade import jobs_again
    from graders.cohort.roster import applied_roster
    from graders.cohort.run import Run, RunError, Terms, standings
    from graders.commands.cohort.changes import change_lines
    from graders.commands.cohort.display import Display, counted, isolation_line

    learners = applied_roster(kept)
    terms = Terms(read_secret(secret), isolation, exercises, read_extras(extra))
    lost: dict[str, list[str]] = {}
    try:
        before = standings(kept, {one.id for one in learners})
        with Display(len(learners)) as display:
            run = Run(kept, terms, lambda: refuse_below(isolation, kept), display.looked_at)
            for job, records in graded_by_pool(jobs_again(run, learners, before, lost), n_processes):
                display.graded(run.keep(job, records), job)
        after = standings(kept, {one.id for one in learners})
    except (HistoryError, RunError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped; what was graded is kept, and the next run goes on from there")
    finally:
        kept.close()
    typer.echo("\n".join(change_lines(f"Graded again: {counted(run.n_graded, 'text')}.", before, after)))
    gone = [f"  {learner}: {', '.join(names)}" for learner, names in lost.items() if names]
    if gone:
        typer.echo("Not graded again, since the text is neither at the commit that was graded nor in the newest one:")
        typer.echo("\n".join(gone))
    typer.echo(isolation_line(isolation))
