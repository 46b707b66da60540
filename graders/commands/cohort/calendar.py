"""`headstart cohort calendar`: the sessions of a cohort as a file for everybody's calendar."""

import datetime
import re
import zoneinfo
from pathlib import Path
from typing import Annotated

import typer

from graders.commands.cohort.options import day_named
from graders.commands.options import expect, fail, refuse
from graders.engine.course import how_to_install

SUFFIX = ".ics"
SERVED = "http://127.0.0.1:8000"  # where `mkdocs serve` shows the pages


def calendar(
    start: Annotated[str, typer.Option(help="The day of the first session, such as 2026-10-05.")],
    time: Annotated[str, typer.Option(help="When each session begins, from 00:00 to 23:59.")] = "18:00",
    zone: Annotated[
        str | None,
        typer.Option(help="The zone of that time, such as Europe/Berlin; else it is that hour wherever one is."),
    ] = None,
    every: Annotated[int, typer.Option(help="Days from one session to the next; 7 is weekly.")] = 7,
    site: Annotated[
        str, typer.Option(help="Where the course's pages are; else where `mkdocs serve` has them.")
    ] = SERVED,
    cohort: Annotated[
        str | None,
        typer.Option(help="What tells this cohort from another of the same first day (default: this folder's name)."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The calendar's file.")] = Path(f"sessions{SUFFIX}"),
) -> None:
    """Write the sessions of the plan as a calendar file.

    Each has its title, its time and a link to its page. Made again with another time or zone and imported again, the
    file moves the sessions that a calendar has already; another first day, or another name, is another cohort.
    """
    begins = datetime.datetime.combine(day_named("--start", start), _hour(time), _zone(zone))
    expect("--every", every, every >= 1, "1 day or more")
    if not re.match(r"https?://\S+$", site):
        refuse(f"--site {site}: expected an address that begins with https:// or http://")
    if out.suffix != SUFFIX:
        refuse(f"--out {out}: expected a name that ends in {SUFFIX}")
    if out.is_dir() or not out.parent.is_dir():
        refuse(f"--out {out}: expected a file in a folder that is there")
    name = Path.cwd().name if cohort is None else cohort
    try:
        from graders.cohort.calendar import calendar_file
    except ModuleNotFoundError as error:
        fail(f"this needs {error.name}, which is not installed; {how_to_install('cohort')}")
    try:
        out.write_bytes(calendar_file(begins, every, site.rstrip("/"), name, datetime.datetime.now(datetime.UTC)))
    except OverflowError:
        refuse(f"from {start}, every {every} days, the last session is after the year 9999; expected an earlier one")
    except OSError as error:
        fail(f"{out} was not written: {error.strerror or error}")
    where = f"{zone} time" if zone else "in no zone: that hour wherever the calendar is read"
    typer.echo(f"wrote {out}: from {begins:%A, %Y-%m-%d %H:%M}, {where}")
    if site == SERVED:
        typer.echo(
            "Its links are for this machine, where `mkdocs serve` has the pages; --site says where others find them"
        )
    typer.echo("Next: import it into your calendar, and send it to the cohort")


def _hour(text: str) -> datetime.time:
    try:
        return datetime.datetime.strptime(text, "%H:%M").time()
    except ValueError:
        refuse(f"--time {text}: expected an hour and a minute, from 00:00 to 23:59")


def _zone(name: str | None) -> zoneinfo.ZoneInfo | None:
    try:
        return zoneinfo.ZoneInfo(name) if name is not None else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, such as Europe
        refuse(f"--zone {name}: there is no such time zone; expected a name such as Europe/Berlin or UTC")
