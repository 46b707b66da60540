"""What several commands of the cohort take, and how what they name is read, in one place."""

import datetime
import os
import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graders.cohort import history as histories
from graders.cohort import secret as secrets
from graders.commands.naming import complete_exercise
from graders.commands.options import expect, fail, given, refuse, refuse_unknown
from graders.engine.course import load_course

if TYPE_CHECKING:
    from graders.cohort.policy import Policy

History = Annotated[Path, typer.Option("--history", metavar="FILE", help="The cohort's history, one SQLite file.")]
Secret = Annotated[
    Path, typer.Option("--secret", metavar="FILE", help="The file of the cohort's secret; made if there is none.")
]
Exercises = Annotated[
    list[str] | None,
    typer.Option("--exercise", help="Grade this exercise only; may be repeated.", autocompletion=complete_exercise),
]
Isolation = Annotated[
    str, typer.Option(help="sandbox, which is what counts, or process, from which a verdict can be forged.")
]
Extra = Annotated[
    Path | None,
    typer.Option(help="A folder with laws of your own, test_<exercise>.py (default: laws, where there is one)."),
]
Workers = Annotated[int | None, typer.Option(help="Processes that grade (default: one a core).")]
Scheduler = Annotated[
    str | None, typer.Option(help="Grade on a Dask cluster: tls://HOST:PORT, or tcp://127.0.0.1:PORT on this machine.")
]
TlsCa = Annotated[Path | None, typer.Option(help="The certificate of whoever signed the cluster's.")]
TlsCert = Annotated[Path | None, typer.Option(help="Your certificate for the cluster.")]
TlsKey = Annotated[Path | None, typer.Option(help="The key of your certificate.")]
LAWS = Path("laws")
HISTORY = Path(histories.FILE)
SECRET = Path(secrets.FILE)


def open_history(path: Path, must_exist: bool = False) -> sqlite3.Connection:
    """The history at a path; what is wrong with it is said, and ends the command."""
    if must_exist and not path.is_file():
        fail(f"there is no {path}; `headstart cohort grade` makes it, or name another with --history")
    try:
        return histories.open_history(path)
    except histories.HistoryError as error:
        fail(str(error))


def read_secret(path: Path) -> bytes:
    """The cohort's secret."""
    try:
        return secrets.read_secret(path)
    except secrets.SecretError as error:
        fail(str(error))


def exercises_named(names: list[str] | None) -> tuple[str, ...]:
    """These exercises, in the order of the course; all of them where none is named."""
    known = tuple(entry.name for entry in load_course().exercises)
    unknown = [name for name in names or () if name not in known]
    if unknown:
        refuse_unknown(unknown)
    return tuple(name for name in known if not names or name in names)


def expect_isolation(isolation: str) -> None:
    """Refuse another word than the two levels."""
    if isolation not in ("sandbox", "process"):
        refuse(f"--isolation is {isolation}; expected sandbox or process")


def refuse_below(isolation: str, kept: sqlite3.Connection | None = None) -> None:
    """End the command where the sandbox is asked for and does not work here: why, and what mends it.

    How far it does is noted in the history, if there is one.
    """
    if isolation != "sandbox":
        return
    from graders.cohort.sandbox import close_sandbox, probe

    found = probe()
    close_sandbox()
    if found.level != "sandbox":
        fail(
            f"nothing was graded: the sandbox does not work here: {found.reason}\n{found.mend}\n"
            "Or add --isolation process; every verdict then says that it can be forged."
        )
    if kept is not None:
        histories.record_probe(kept, found.reason, found.mend)


def n_workers(workers: int | None) -> int:
    """How many processes grade: as many as were asked for, or one a core."""
    expect("--workers", workers, workers is None or workers > 0, "a number above 0")
    return workers or available_cores()


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_extras(folder: Path | None) -> Mapping[str, str]:
    """The lead's own laws by exercise, tried on the solved files: of a folder, or of `laws` where there is one."""
    if folder is None and not LAWS.is_dir():
        return {}
    folder = folder or LAWS
    from graders.cohort.private import PrivateLawsError, read_private

    if not folder.is_dir():
        refuse(f"--extra {folder}: there is no such folder; expected one with test_<exercise>.py in it")
    try:
        return read_private(folder)
    except PrivateLawsError as error:
        fail(f"{error}; nothing was graded")


def read_rules(context: typer.Context, path: Path, kept: sqlite3.Connection) -> "Policy":
    """The policy by which the learners of a history have points; one that `--policy` names must be there."""
    from graders.cohort.policy import PolicyError, read_policy
    from graders.cohort.roster import everybody

    if given(context, "policy") and not path.exists():
        refuse(f"--policy {path}: there is no such file; name one that is there, or leave --policy out")
    try:
        return read_policy(path, everybody(kept))
    except PolicyError as error:
        fail(str(error))


def policy_problem(learners: Mapping[str, str]) -> str:
    """What is wrong with the policy, now rather than when points are asked for, and what it holds up; "" if nothing.

    `learners` are those whom it may name, with their sections.
    """
    from graders.cohort.policy import FILE, PolicyError, read_policy

    try:
        read_policy(Path(FILE), learners)
    except PolicyError as error:
        held_up = "`headstart cohort report` and `export` refuse until it is put right"
        return f"{error}\nGrading does not rest on the policy, and is not held up; {held_up}"
    return ""


def day_named(option: str, text: str) -> datetime.date:
    """The day that an option names."""
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        refuse(f"{option} {text}: expected a day of the calendar, as year-month-day, such as 2026-10-05")


def parse_shard(shard: str | None) -> tuple[int, int]:
    """`2/8` as numbers; all of the roster is 1/1."""
    found = re.fullmatch(r"([1-9]\d{0,4})/([1-9]\d{0,4})", shard or "1/1")
    if found is None or int(found[1]) > int(found[2]):
        refuse(f"--shard is {shard}; expected a part and their number, such as 2/8")
    return int(found[1]), int(found[2])
