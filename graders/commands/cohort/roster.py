"""`headstart cohort roster`: what a roster would change, and the change."""

from pathlib import Path
from typing import Annotated

import typer

from graders.commands.cohort.options import HISTORY, History, open_history, policy_problem
from graders.commands.options import call, fail, given

ROSTER = Path("roster.csv")


def roster(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The roster, a CSV file.", metavar="ROSTER")] = ROSTER,
    history: History = HISTORY,
    apply: Annotated[bool, typer.Option("--apply", help="Make this roster the one that counts.")] = False,
) -> None:
    """Check a roster, and show who is new, who is gone and what changed since it was last applied.

    Nothing is changed without `--apply`; whoever is gone stays in the history and is graded no more. Ends with 1 when
    the roster or the policy cannot be used. A folder that is not there is told and is no error: the cohort may be
    graded on another machine.
    """
    from graders.cohort.history import HistoryError, apply_roster
    from graders.cohort.roster import (
        RosterError,
        applied_roster,
        difference_lines,
        differences,
        everybody,
        missing_lines,
        read_roster,
    )

    try:
        learners = read_roster(file)
        kept = open_history(history) if apply or history.exists() else None
        found = differences(applied_roster(kept) if kept else (), learners)
        if apply and kept:
            apply_roster(kept, learners)
        problem = policy_problem(everybody(kept, learners))
    except (RosterError, HistoryError) as error:
        fail(str(error))
    typer.echo(f"{file}: {len(learners)} learner{'s' * (len(learners) != 1)}")
    typer.echo("\n".join(difference_lines(found)))
    if found and apply:
        typer.echo("applied; the next `headstart cohort grade` grades them")
    elif found:
        again = call("cohort roster", file, *given(context, "history"), "--apply")
        typer.echo(f"nothing is changed yet; `{again}` applies it")
    for line in missing_lines(learners):
        typer.echo(line, err=True)
    if problem:
        fail(problem)
