"""`headstart cohort grade`: every learner's repository looked at, and what is new in it graded."""

from pathlib import Path
from typing import Annotated

import typer

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
    n_workers,
    open_history,
    parse_shard,
    policy_problem,
    read_extras,
    read_secret,
    refuse_below,
)
from graders.commands.options import call, fail, given, refuse

ROSTER = Path("roster.csv")
MOST_DIFFERENCES = 12  # lines; `headstart cohort roster` shows all


def grade(
    context: typer.Context,
    roster: Annotated[Path, typer.Argument(help="The roster, a CSV file.", metavar="ROSTER")] = ROSTER,
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
    """Fetch every learner's repository and grade what is new in it, isolated, with cases that nobody foretells.

    What is wrong with the policy is said, and holds nothing up: it has a say in points, and none in verdicts.
    """
    exercises = exercises_named(exercise)
    expect_isolation(isolation)
    n_processes = n_workers(workers)
    part = parse_shard(shard)
    if learner is not None:
        if said := given(context, "roster", "shard", "scheduler", "workers"):
            refuse(f"{said[0]} has no effect with --learner; leave one out")
        from graders.cohort.history import HistoryError
        from graders.commands.cohort.one_learner import grade_one

        try:
            grade_one(learner, exercises, isolation, extra, history if given(context, "history") else None, secret)
        except HistoryError as error:
            fail(str(error))
        return
    from graders.cohort.roster import RosterError, applied_roster, difference_lines, differences, everybody, read_roster

    try:
        learners = read_roster(roster)
    except RosterError as error:
        fail(str(error))
    from graders.cohort.cluster import Certificates, ClusterError, graded_on, refusal
    from graders.cohort.history import HistoryError, apply_roster
    from graders.cohort.pool import graded_by_pool
    from graders.cohort.regrade import regraded
    from graders.cohort.run import Run, RunError, Terms, in_shard, standings
    from graders.commands.cohort.changes import change_lines
    from graders.commands.cohort.display import Display, counted, result_lines

    tls = Certificates(tls_ca, tls_cert, tls_key)
    if scheduler and (refused := refusal(scheduler, tls)):
        refuse(refused)
    own = [one for one in learners if in_shard(one, *part)]
    terms = Terms(read_secret(secret), isolation, exercises, read_extras(extra))
    kept = open_history(history)
    if problem := policy_problem(everybody(kept, learners)):
        typer.echo(problem, err=True)
    known = applied_roster(kept)
    changes = differences(known, learners) if known else []
    if changes:
        *news, counts = difference_lines(changes)
        more = ["  ..."] if len(news) > MOST_DIFFERENCES else []
        typer.echo("\n".join(["The roster has changed:", *news[:MOST_DIFFERENCES], *more, counts]))
    n_gone = len({one.id for one in known} - {one.id for one in learners})
    if n_gone > len(known) / 2:  # a file that was cut short, more likely than half a cohort that left
        kept.close()
        fail(
            f"{n_gone} of {len(known)} learners are in {roster} no more; if that is meant, "
            f"`{call('cohort roster', roster, *given(context, 'history'), '--apply')}` applies it; nothing was graded"
        )
    try:
        apply_roster(kept, learners)
        before = standings(kept, {one.id for one in own})
        with Display(len(own)) as display:
            run = Run(kept, terms, lambda: refuse_below("" if scheduler else isolation, kept), display.looked_at)
            jobs = run.jobs(own)
            done = graded_on(scheduler, tls, jobs) if scheduler else graded_by_pool(jobs, n_processes)
            for job, records in done:
                display.graded(run.keep(job, records), job)
        after = standings(kept, {one.id for one in own})
    except (HistoryError, RunError, ClusterError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("stopped; what was graded is kept, and the next run goes on from there")
    finally:
        kept.close()
    typer.echo("\n".join(result_lines(run, own, before, after)))
    if again := regraded(before, after):
        told = f"The graders have changed since: {counted(len(again), 'verdict')} given again on the same text."
        typer.echo("\n".join(change_lines(told, again, after)))
    if own and len(run.problems) == len(own):
        fail("no repository could be read: nothing was graded")
