"""`headstart cohort grade`: every learner's repository looked at, and what is new in it graded."""

import os
from pathlib import Path
from typing import Annotated

import typer

from graders.cohort.roster import RosterError, difference_lines, differences, read_roster
from graders.commands.cohort.options import (
    HISTORY,
    SECRET,
    Exercises,
    Extra,
    History,
    Isolation,
    Scheduler,
    Secret,
    TlsCa,
    TlsCert,
    TlsKey,
    Workers,
    exercises_named,
    expect_isolation,
    open_history,
    parse_shard,
    read_extras,
    read_secret,
    refuse_below,
)
from graders.commands.options import expect, fail, given, refuse

MOST_DIFFERENCES = 12  # lines; `headstart cohort roster` shows all


def grade(
    context: typer.Context,
    roster: Annotated[Path, typer.Argument(help="The roster, a CSV file.")] = Path("roster.csv"),
    learner: Annotated[
        Path | None, typer.Option(help="Grade one learner's folder, here and now, and show what they would read.")
    ] = None,
    exercise: Exercises = None,
    isolation: Isolation = "sandbox",
    extra: Extra = None,
    workers: Workers = None,
    shard: Annotated[str | None, typer.Option(help="Grade one part of the roster: 2/8 is the second of eight.")] = None,
    scheduler: Scheduler = None,
    tls_ca: TlsCa = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    history: History = HISTORY,
    secret: Secret = SECRET,
) -> None:
    """Fetch every learner's repository and grade what is new in it, isolated, with cases that nobody foretells."""
    exercises = exercises_named(exercise)
    expect_isolation(isolation)
    expect("--workers", workers, workers is None or workers > 0, "a number above 0")
    part = parse_shard(shard)
    if learner is not None:
        if said := given(context, "roster", "shard", "scheduler", "workers"):
            refuse(f"{said[0]} has no effect with --learner; leave one out")
        from graders.commands.cohort.one_learner import grade_one

        grade_one(learner, exercises, isolation, extra, history if given(context, "history") else None, secret)
        return
    try:
        learners = read_roster(roster)
    except RosterError as error:
        fail(str(error))
    from graders.cohort.cluster import ClusterError, graded_on
    from graders.cohort.history import HistoryError, apply_roster, read_learners
    from graders.cohort.pool import graded_by_pool
    from graders.cohort.run import Run, Terms, in_shard, standings
    from graders.commands.cohort.display import Display, result_lines

    own = [one for one in learners if in_shard(one, *part)]
    terms = Terms(read_secret(secret), isolation, exercises, read_extras(extra))
    kept = open_history(history)
    known = read_learners(kept)
    news = difference_lines(differences(known, learners)) if known else []
    if known and known != list(learners):
        typer.echo("The roster has changed:")
        more = ["  ..."] if len(news) > MOST_DIFFERENCES else []
        typer.echo("\n".join([*news[:-1][:MOST_DIFFERENCES], *more, news[-1]]))
    try:
        apply_roster(kept, learners)
        before = standings(kept, {one.id for one in own})
        with Display(len(own)) as display:
            run = Run(kept, terms, lambda: refuse_below("" if scheduler else isolation), display.looked_at)
            jobs = run.jobs(own)
            done = (
                graded_on(scheduler, (tls_ca, tls_cert, tls_key), jobs)
                if scheduler
                else graded_by_pool(jobs, workers or len(os.sched_getaffinity(0)))
            )
            for job, records in done:
                run.keep(job, records)
                display.graded(job)
        after = standings(kept, {one.id for one in own})
    except (HistoryError, ClusterError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped; what was graded is kept, and the next run goes on from there")
    finally:
        kept.close()
    typer.echo("\n".join(result_lines(run, own, before, after)))
    if own and len(run.problems) == len(own):
        fail("no repository could be read: nothing was graded")
