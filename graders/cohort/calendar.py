"""The sessions of the plan as a calendar file, iCalendar (RFC 5545), that every calendar can import."""

import datetime
import hashlib

from icalendar import Calendar, Event

from graders.engine.course import load_course

PRODUCT = "-//Headstart//sessions//EN"


def calendar_file(begins: datetime.datetime, every: int, site: str, cohort: str, now: datetime.datetime) -> bytes:
    """All sessions, the first when `begins` says and each `every` days after the one before, at the same hour.

    A time without a zone floats: it is that hour wherever the calendar is read. `site` is the address of the course's
    pages, without a slash at its end; `now` is told as the time at which the file was made. A session's UID is made of
    the cohort's name, the first day and its number, so that a file made again with another hour moves the sessions of a
    calendar that has them, and adds none, and two cohorts that begin together have each their own. Raises
    `OverflowError` when a session lies beyond the year 9999.
    """
    # Of the name its hash: not every calendar takes every sign in a UID
    key = f"{begins:%Y-%m-%d}-{hashlib.sha256(cohort.encode()).hexdigest()[:12]}"
    calendar = Calendar.new(prodid=PRODUCT, name="Headstart", uid=f"{key}@headstart")
    for session in load_course().sessions:
        start = begins + datetime.timedelta(days=every * (session.number - 1))
        event = Event.new(
            summary=f"Headstart, session {session.number}: {session.title}",
            start=start,
            end=start + datetime.timedelta(minutes=session.minutes),
            stamp=now,
            uid=f"{key}-session-{session.number}@headstart",
            url=f"{site}/sessions/{session.page}/",
            description=f"The plan, the reading and the homework: {site}/sessions/{session.page}/",
        )
        calendar.add_component(event)
    # Not the rules of a zone's whole history, which are most of the file
    calendar.add_missing_timezones(first_date=begins.date(), last_date=start.date() + datetime.timedelta(days=1))
    return calendar.to_ical()
