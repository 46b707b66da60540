"""`headstart cohort report`: the lead's site, the weekly digest, and the figures that anybody may see."""

import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from graders.cohort.history import HistoryError
from graders.cohort.policy import FILE as POLICY
from graders.commands.cohort.options import (
    HISTORY,
    SECRET,
    History,
    Secret,
    day_named,
    open_history,
    read_rules,
    read_secret,
)
from graders.commands.options import expect, fail, refuse
from graders.engine.course import how_to_install


def report(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="The folder of the site, for the lead alone; an earlier one is replaced.")],
    public: Annotated[
        Path | None,
        typer.Option(help="A second folder, for figures that anybody may see; section names are pseudonyms in it."),
    ] = None,
    history: History = HISTORY,
    policy: Annotated[Path, typer.Option(help="Due dates and extensions.", metavar="FILE")] = Path(POLICY),
    secret: Secret = SECRET,
    minimum: Annotated[int, typer.Option(help="No public number stands for fewer learners than this.")] = 5,
    since: Annotated[
        str | None,
        typer.Option(help="From when the digest tells, such as 2026-10-05; else since last week's.", metavar="DAY"),
    ] = None,
) -> None:
    """Write the dashboard: who needs you today, everybody's status, what goes wrong, and what is new this week."""
    expect("--minimum", minimum, minimum >= 2, "2 or more: one learner is no group")
    _expect_folders(out, public)
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    day = day_named("--since", since) if since is not None else None
    if day is not None and day > now.date():
        refuse(f"--since {day} is in the future; expected a day that is past")
    if find_spec("material") is None:
        fail(f"the report is made with MkDocs and its theme, which are not installed; {how_to_install('cohort')}")
    from graders.cohort.dashboard.digest import Digest, remember, since_last
    from graders.cohort.dashboard.folder import replaced
    from graders.cohort.dashboard.lead import write_report
    from graders.cohort.dashboard.plan import due_of, plan_of
    from graders.cohort.dashboard.public import write_public

    opened = open_history(history, must_exist=True)
    key = read_secret(secret) if public else b""
    rules = read_rules(context, policy, opened)
    try:
        begins = datetime.datetime.combine(day, datetime.time(), datetime.UTC) if day else since_last(opened, now)
        digest = Digest(begins)
        with replaced(out) as folder:
            made = write_report(opened, folder, due_of(rules), plan_of(rules), digest, now)
            (folder / "digest.md").write_text(digest.text(now), encoding="utf-8")
        typer.echo(f"{out / 'index.html'}: {made.summary}")
        typer.echo(f"{out / 'digest.md'}: what is new since {digest.since.date()}")
        if public:
            with replaced(public) as folder:
                n_told = write_public(made.standings, folder, key, minimum, now)
            told = f"figures of {n_told:,} learners" if n_told else f"nothing: there are fewer than {minimum} learners"
            typer.echo(f"{public / 'index.html'}: {told}")
        remember(opened, now)
    except HistoryError as error:
        fail(str(error))
    except OSError as error:
        fail(f"the report could not be written ({error.strerror or error}); --out and --public name the folders")
    if made.n_low:
        were = "verdict was" if made.n_low == 1 else "verdicts were"
        typer.echo(f"{made.n_low:,} {were} made below the sandbox: each page with it says so in red", err=True)


def _expect_folders(out: Path, public: Path | None) -> None:
    """Two folders apart, and nothing in them but reports: both are replaced as a whole."""
    from graders.cohort.dashboard.folder import is_ours

    for option, folder in (("--out", out), ("--public", public)):
        if folder is not None and not is_ours(folder):
            refuse(f"{option} {folder}: expected a new or empty folder, or an earlier report; this holds other files")
    if public is not None:
        one, other = out.resolve(), public.resolve()
        if one == other or one in other.parents or other in one.parents:
            refuse(f"--public {public}: expected a folder apart from --out {out}, which has names in it")
