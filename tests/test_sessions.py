"""The pages of the sessions keep to the index: exercises, minutes and tasks; and to what is known of mistakes."""

import re
import shlex
from itertools import pairwise

import pytest
import yaml

from graders.commands.pages import all_commands
from graders.engine.course import ROOT, load_course, sections
from graders.engine.misconception import misconceptions_of

FOLDER = ROOT / "docs" / "sessions"
COURSE = load_course()
TASKS = {(e.name, task.page): task.name for e in COURSE.exercises for task in e.tasks}
COMMANDS = all_commands()
PARTS = [
    *("", "overview", "learning-objectives", "reading", "minute-by-minute"),
    *("discussion-prompts", "when-half-the-room-is-stuck", "wrap-up", "homework"),
]
FOUNDING = COURSE.sessions[3]
# What the founding session was given to read, watch and try
RESOURCES = {
    "ARENA": "https://arena-chapter1-transformer-interp.streamlit.app/",
    "Neel Nanda's walkthrough": "https://www.youtube.com/watch?v=dsjUDacBw8o",
    "Karpathy's lectures": "https://www.youtube.com/watch?v=kCc8FmEb1nY",
    "3Blue1Brown": "https://www.3blue1brown.com/lessons/attention",
    "Transformer Explainer": "https://poloclub.github.io/transformer-explainer/",
    "the GPT Learning Hub": "https://www.gptlearninghub.ai",
    "Write with Transformer": "https://transformer.huggingface.co",
    "Alammar": "https://jalammar.github.io/illustrated-transformer/",
    "Lilian Weng": "https://lilianweng.github.io/posts/2023-01-27-the-transformer-family-v2/",
    "Vaswani et al.": "https://arxiv.org/abs/1706.03762",
}
each_session = pytest.mark.parametrize("session", COURSE.sessions, ids=lambda session: session.page)


def text(page: str) -> str:
    return (FOLDER / f"{page}.md").read_text(encoding="utf-8")


def part(session, anchor: str) -> str:
    """A part of a session's page."""
    return sections(text(session.page))[anchor]


def begun_in(session):
    """The exercises of the index that belong to a session."""
    return [exercise for exercise in COURSE.exercises if exercise.session == session.number]


def tables(markdown: str) -> list[list[list[str]]]:
    """The rows of each table, cell by cell, without its heading."""
    found = re.findall(r"(?:^\|.*\n?)+", markdown, re.MULTILINE)
    return [[[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()[2:]] for table in found]


def link(exercise) -> str:
    return f"[{exercise.name}](../exercises/{exercise.name}.md)"


def minutes(clock: str) -> int:
    """The minutes since midnight, or since the beginning. Raises `ValueError` when it is no such time."""
    hours, rest = clock.split(":")
    return 60 * int(hours) + int(rest)


def times(table) -> list[tuple[int, int, int]]:
    """From when, to when and for how many minutes each row of a plan says that it lasts."""
    return [(*map(minutes, when.split("-")), int(lasts)) for when, lasts, *_ in table]


def ill_timed(table) -> list[str]:
    """Where a plan does not add up: a row that is not as long as it says, or does not begin where the last ended."""
    rows = [(row[0], *span) for row, span in zip(table, times(table), strict=True)]
    wrong = [f"{when} is not {lasts}" for when, start, end, lasts in rows if end - start != lasts]
    return wrong + [f"{then[0]} after {now[0]}" for now, then in pairwise(rows) if now[2] != then[1]]


def test_every_session_has_a_page_a_place_in_the_menu_and_exercises_in_the_order_of_the_course():
    pages = [session.page for session in COURSE.sessions]
    assert {path.stem for path in FOLDER.glob("*.md")} == {"index", "workshop", *pages}
    nav = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]
    (listed,) = [entry["Sessions"] for entry in nav if "Sessions" in entry]
    assert listed[1:-1] == [{f"{s.number} {s.title}": f"sessions/{s.page}.md"} for s in COURSE.sessions]
    afterwards = len(COURSE.sessions) + 1
    numbers = [exercise.session or afterwards for exercise in COURSE.exercises]
    assert numbers == sorted(numbers)
    assert sorted({*numbers} - {afterwards}) == [session.number for session in COURSE.sessions]


def test_a_session_of_the_index_that_is_not_complete_is_refused(tmp_path):
    (tmp_path / "course.toml").write_text('[[sessions]]\ntitle = "Counting"\npage = "1-counting"\n[exercises]\n')
    with pytest.raises(ValueError, match=r"the entry of session 1 in course\.toml is not complete: .*'minutes'"):
        load_course(tmp_path / "course.toml")


@each_session
def test_a_page_says_what_the_index_says_and_has_all_its_parts(session):
    assert list(sections(text(session.page))) == PARTS
    homework = sum(exercise.minutes for exercise in begun_in(session))
    heading, line = part(session, "").splitlines()[0], part(session, "").splitlines()[2]
    assert heading == f"# Session {session.number}: {session.title}"
    assert line.startswith(f"*{session.minutes} minutes together · homework {homework} minutes · ")


def test_the_sessions_at_a_glance_are_those_of_the_index():
    (glance,) = tables(sections(text("index"))["the-eight-sessions-at-a-glance"])
    assert glance == [
        [
            f"[{session.number}. {session.title}]({session.page}.md)",
            str(session.minutes),
            ", ".join(map(link, begun_in(session))),
            str(sum(exercise.minutes for exercise in begun_in(session))),
        ]
        for session in COURSE.sessions
    ]


@each_session
def test_the_minutes_of_a_session_add_up(session):
    plan = tables(part(session, "minute-by-minute"))[0]
    assert ill_timed(plan) == []
    assert (times(plan)[0][0], times(plan)[-1][1]) == (0, session.minutes)
    assert [row for row in plan if not all(row)] == []


def test_the_founding_session_overran_by_two_minutes_and_its_page_says_so():
    founded = tables(part(FOUNDING, "minute-by-minute"))[1]
    assert [row[:2] for row in founded] == [["0:00-0:10", "10"], ["0:10-0:25", "15"], ["0:25-0:30", "7"]]
    overrun = sum(int(row[1]) for row in founded) - FOUNDING.minutes
    assert f"the session overruns by {overrun}" in part(FOUNDING, "minute-by-minute")


def test_a_plan_that_does_not_add_up_is_noticed():
    assert ill_timed([["0:00-0:10", "10"], ["0:10-0:25", "15"], ["0:25-0:30", "7"]]) == ["0:25-0:30 is not 7"]
    assert ill_timed([["0:00-0:10", "10"], ["0:15-0:20", "5"]]) == ["0:15-0:20 after 0:00-0:10"]


@each_session
def test_every_objective_names_tasks_that_show_it_and_every_exercise_shows_one(session):
    objectives = re.findall(r"^- .*", part(session, "learning-objectives"), re.MULTILINE)
    to_a_task = re.compile(r"\[(\w+)\]\(\.\./exercises/(\w+)\.md#([\w-]+)\)")
    assert [objective for objective in objectives if not to_a_task.search(objective)] == []
    shown = to_a_task.findall("\n".join(objectives))
    unknown = [(task, exercise) for task, exercise, page in shown if TASKS.get((exercise, page)) != task]
    assert unknown == [], f"docs/sessions/{session.page}.md names these under its objectives"
    assert {exercise.name for exercise in begun_in(session)} <= {exercise for _, exercise, _ in shown}


@each_session
def test_what_a_stuck_room_is_asked_is_what_the_graders_ask(session):
    known = {
        (f"[{m.task}](../exercises/{e.name}.md#{e.task(m.task).page})", m.asks, m.names)
        for e in begun_in(session)
        for m in misconceptions_of(e.name)
    }
    (asked,) = tables(part(session, "when-half-the-room-is-stuck"))
    unknown = [row for row in asked if tuple(row[:3]) not in known or not row[3]]
    assert unknown == [], f"docs/sessions/{session.page}.md asks a stuck room what no misconception of the tasks asks"
    named = {re.findall(r"exercises/(\w+)\.md", row[0])[0] for row in asked}
    assert named == {exercise.name for exercise in begun_in(session)}


@each_session
def test_everything_to_read_is_named_and_says_why(session):
    assigned, optional = tables(part(session, "reading"))
    assert [row for row in assigned + optional if len(row) != 2 or not all(row)] == []


def test_what_the_founding_session_gave_to_read_and_watch_is_linked():
    linked = set(re.findall(r"\((https://[^)]*)\)", "".join(text(session.page) for session in COURSE.sessions)))
    assert {name for name, address in RESOURCES.items() if address not in linked} == set()


@each_session
def test_the_homework_is_that_of_the_index(session):
    (rows,) = tables(part(session, "homework"))
    assert rows == [[link(exercise), str(exercise.minutes)] for exercise in begun_in(session)]
    assert f"\n{sum(exercise.minutes for exercise in begun_in(session))} minutes for whoever" in part(
        session, "homework"
    )


def unknown_parts(typed: str) -> list[str]:
    """What a command line of ours names that there is not: the command, or its options."""
    _, *words = shlex.split(typed)
    name = next((name for name in (" ".join(words[:2]), *words[:1]) if name in COMMANDS), None)
    if name is None:
        return words[:1]
    known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    return [word for word in words if word.startswith("--") and word not in known]


@pytest.mark.parametrize("page", sorted(FOLDER.glob("*.md")), ids=lambda page: page.stem)
def test_every_command_on_a_page_is_one_that_there_is(page):
    typed = re.findall(r"^headstart .+|(?<=`)headstart [^`\n]+", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert [line for line in typed if unknown_parts(line)] == []


def test_a_command_or_an_option_that_there_is_not_is_noticed():
    assert unknown_parts("headstart look attention") == ["look"]
    assert unknown_parts("headstart cohort calendar --start 2026-10-05 --weekly") == ["--weekly"]


def days():
    """The timetables of the workshop, and what it leaves for afterwards."""
    first, second, afterwards = tables(text("workshop"))
    return (first, second), afterwards


def test_the_days_of_the_workshop_add_up():
    (first, second), _ = days()
    assert ill_timed(first) + ill_timed(second) == []


def test_the_workshop_has_every_exercise_once_and_as_long_as_the_index_says():
    timetables, afterwards = days()
    named = re.compile(r"\[\w+\]\(\.\./exercises/(\w+)\.md\)")
    timed = [(named.findall(row[2]), int(row[1])) for day in timetables for row in day]
    given = [(names[0], lasts) for names, lasts in timed if names]
    later = [(named.findall(row[0])[0], int(row[1])) for row in afterwards]
    assert max(len(names) for names, _ in timed) == 1
    assert sorted(given + later) == sorted((e.name, e.minutes) for e in COURSE.exercises if e.session)
    order = [exercise.name for exercise in COURSE.exercises]
    assert [name for name, _ in given] == sorted((name for name, _ in given), key=order.index)
    assert f"{sum(lasts for _, lasts in later)} minutes in all" in text("workshop")
