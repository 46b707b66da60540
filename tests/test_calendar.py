"""`headstart cohort calendar` writes what a calendar reads: every session, its time, its title, its page."""

import datetime
import sys
import zoneinfo

import pytest
from icalendar import Calendar
from typer.testing import CliRunner

from graders.cli import app
from graders.engine.course import load_course

SESSIONS = load_course().sessions
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def run(*arguments):
    return CliRunner().invoke(app, ["cohort", "calendar", *map(str, arguments)])


@pytest.fixture
def written(tmp_path):
    """What makes a calendar from options, and reads it back: its events."""

    def made(*options):
        done = run("--out", tmp_path / "sessions.ics", *options)
        assert done.exit_code == 0, done.output
        return Calendar.from_ical((tmp_path / "sessions.ics").read_bytes()).events

    return made


def test_every_session_has_its_title_its_length_and_a_link_a_week_after_the_one_before(written):
    events = written("--start", "2026-10-05", "--site", "https://course.example/")
    first = datetime.datetime(2026, 10, 5, 18)
    assert [(str(e["summary"]), e.start, e.duration, str(e["url"])) for e in events] == [
        (
            f"Headstart, session {s.number}: {s.title}",
            first + datetime.timedelta(weeks=s.number - 1),
            datetime.timedelta(minutes=s.minutes),
            f"https://course.example/sessions/{s.page}/",
        )
        for s in SESSIONS
    ]


def test_in_a_zone_the_hour_stays_when_the_clocks_change(written):
    events = written("--start", "2026-10-19", "--time", "09:30", "--zone", "Europe/Berlin")
    starts = [event.start for event in events]
    assert {f"{start:%H:%M}" for start in starts} == {"09:30"}
    assert starts[0] == datetime.datetime(2026, 10, 19, 9, 30, tzinfo=BERLIN)
    assert [start.utcoffset() for start in starts[:2]] == [datetime.timedelta(hours=2), datetime.timedelta(hours=1)]


def test_without_a_zone_the_hour_floats(written):
    assert {event.start.tzinfo for event in written("--start", "2026-10-05")} == {None}


def test_sessions_may_be_any_number_of_days_apart(written):
    days = [event.start.date() for event in written("--start", "2026-10-05", "--every", "14")]
    assert days[1] - days[0] == days[-1] - days[-2] == datetime.timedelta(days=14)


def test_another_hour_moves_the_same_events_and_another_first_day_makes_others(written):
    uids = [str(event["uid"]) for event in written("--start", "2026-10-05")]
    assert len(set(uids)) == len(SESSIONS)
    assert uids == [str(event["uid"]) for event in written("--start", "2026-10-05", "--time", "19:00", "--zone", "UTC")]
    assert set(uids).isdisjoint(str(event["uid"]) for event in written("--start", "2026-10-06"))


def test_two_cohorts_that_begin_on_the_same_day_have_each_their_own_sessions(written, tmp_path, monkeypatch):
    def uids(folder, *options):
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / folder)
        return {str(event["uid"]) for event in written("--start", "2026-10-05", *options)}

    assert uids("autumn") == uids("autumn")
    assert uids("autumn").isdisjoint(uids("evening"))
    assert uids("autumn", "--cohort", "evening") == uids("evening")


def test_it_says_what_it_wrote_and_what_comes_next(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("--start", "2026-10-05", "--zone", "Europe/Berlin").output == (
        "wrote sessions.ics: from Monday, 2026-10-05 18:00, Europe/Berlin time\n"
        "Its links are for this machine, where `mkdocs serve` has the pages; --site says where others find them\n"
        "Next: import it into your calendar, and send it to the cohort\n"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ["--start", "2026-02-30"],
            "--start 2026-02-30: expected a day of the calendar, as year-month-day, such as 2026-10-05",
        ),
        (
            ["--start", "5.10.2026"],
            "--start 5.10.2026: expected a day of the calendar, as year-month-day, such as 2026-10-05",
        ),
        (["--time", "25:00"], "--time 25:00: expected an hour and a minute, from 00:00 to 23:59"),
        (
            ["--zone", "Europe"],
            "--zone Europe: there is no such time zone; expected a name such as Europe/Berlin or UTC",
        ),
        (
            ["--zone", "Berlin"],
            "--zone Berlin: there is no such time zone; expected a name such as Europe/Berlin or UTC",
        ),
        (["--every", "0"], "--every is 0; expected 1 day or more"),
        (
            ["--every", "10000000"],
            "from 2026-10-05, every 10000000 days, the last session is after the year 9999; expected an earlier one",
        ),
        (["--site", "course"], "--site course: expected an address that begins with https:// or http://"),
        (["--out", "sessions.txt"], "--out sessions.txt: expected a name that ends in .ics"),
        (["--out", "nowhere/sessions.ics"], "--out nowhere/sessions.ics: expected a file in a folder that is there"),
    ],
)
def test_what_makes_no_calendar_is_refused_in_a_line(options, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused = run("--start", "2026-10-05", *options)
    assert (refused.exit_code, refused.output) == (2, f"{said}\n")
    assert list(tmp_path.iterdir()) == []


def test_without_the_library_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "icalendar", None)
    monkeypatch.delitem(sys.modules, "graders.cohort.calendar", raising=False)
    done = run("--start", "2026-10-05", "--out", tmp_path / "sessions.ics")
    assert done.exit_code == 1
    assert (
        done.output
        == 'this needs icalendar, which is not installed; in the course\'s folder: pip install -e ".[cohort]"\n'
    )
