"""What a new exercise adds to the course, file by file: files from this folder, and lines where exercises are listed.

Nothing is read or written here but this folder: texts go in, texts come out.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from graders.engine.course import AFTERWARDS, Course, Exercise, Session
from graders.skeleton.misconceptions import MISCONCEPTIONS

FOLDER = Path(__file__).parent
NEW = {
    "reference.py": "reference/NAME.py",
    "grader.py": "graders/test_NAME.py",
    "misconceptions.py": "graders/misconceptions/NAME.py",
    "variants.py": "graders/variants/NAME.py",
    "page.md": "docs/exercises/NAME.md",
}
TASK, DIFFICULTY = "normalise", 1
ADDS = "shares that add up to one"  # what a learner has after it


@dataclass(frozen=True)
class Place:
    """Where a new exercise stands in the course, and how long it takes."""

    name: str
    track: str
    minutes: int
    before: Exercise  # it comes right after this one, in the same session
    session: Session | None  # None: after the plan
    homework: int  # minutes of the session's exercises so far
    is_new_track: bool

    def filled(self, text: str) -> str:
        """A text of this folder with the words in capitals replaced."""
        for word, value in (("NAME", self.name), ("TRACK", self.track), ("BEFORE", self.before.name)):
            text = re.sub(rf"\b{word}\b|(?<=_){word}\b", value, text)
        return text


def place_in(course: Course, name: str, track: str, before: Exercise, minutes: int) -> Place:
    """The place of a new exercise after another one of a course."""
    homework = sum(exercise.minutes for exercise in course.exercises if exercise.session == before.session)
    is_new = track not in {exercise.track for exercise in course.exercises}
    session = None if before.session is None else course.sessions[before.session - 1]
    return Place(name, track, minutes, before, session, homework, is_new)


def new_files(place: Place) -> dict[str, str]:
    """The texts of the files that are made, by path; the page lacks its specification until `headstart site` ran."""
    made = {place.filled(path): place.filled(_read(file)) for file, path in NEW.items()}
    if place.is_new_track:
        made[f"docs/tracks/{place.track}.md"] = _with_row_of_track(place.filled(_read("track.md")), place)
    return made


def changes(place: Place) -> dict[str, Callable[[str, Place], str]]:
    """By path, how each file that lists exercises gets its lines: a function of its text and the place.

    Each function raises `ValueError`, with what it looked for, when the text is not as expected.
    """
    of_session: dict[str, Callable[[str, Place], str]] = {"docs/sessions/index.md": _after_the_plan}
    if place.session:
        of_session = {
            f"docs/sessions/{place.session.page}.md": _in_session,
            "docs/sessions/index.md": _at_a_glance,
            "docs/sessions/workshop.md": _in_workshop,
        }
    of_track = {"docs/index.md": _with_track} if place.is_new_track else {f"docs/tracks/{place.track}.md": _in_track}
    return {
        "graders/course.toml": _in_index,
        "mkdocs.yml": _in_nav,
        "README.md": _in_readme,
        **of_track,
        **of_session,
    }


def _read(file: str) -> str:
    return (FOLDER / file).read_text(encoding="utf-8")


def _in_index(text: str, place: Place) -> str:
    """A block after that of the exercise before; a comment above the next one stays with the next one."""
    lines = text.splitlines(keepends=True)
    begin = _only(lines, f"[exercises.{place.before.name}]")
    end = next((i for i in range(begin + 1, len(lines)) if lines[i].startswith("[")), len(lines))
    while not lines[end - 1].strip() or lines[end - 1].startswith("#"):
        end -= 1
    of_session = f"session = {place.session.number}\n" if place.session else ""
    block = (
        f"\n[exercises.{place.name}]\n"
        f'track = "{place.track}"\n'
        f"{of_session}minutes = {place.minutes}\n"
        f"difficulty = {DIFFICULTY}\n"
        'forbidden = ["normalize"]\n'
        f'tasks = [{{ name = "{TASK}", page = "{TASK}" }}]\n'
    )
    return "".join([*lines[:end], block, *lines[end:]])


def _in_nav(text: str, place: Place) -> str:
    line = f"      - {place.name}: exercises/{place.name}.md"
    if place.is_new_track:
        title = place.track.replace("_", " ").capitalize()
        line = f"  - {title}:\n      - The track: tracks/{place.track}.md\n{line}"
    return _after(text, f"      - {place.before.name}: exercises/", line)


def _in_readme(text: str, place: Place) -> str:
    row = f"| [{place.name}](docs/exercises/{place.name}.md) | {ADDS} | `pytest graders/test_{place.name}.py` |"
    return _after(text, f"| [{place.before.name}](docs/exercises/", row)


def _with_track(text: str, place: Place) -> str:
    """The table of the tracks on the first page."""
    return _at_end(text, "## The tracks", "|", f"| [{place.track}](tracks/{place.track}.md) | {ADDS} |")


def _in_track(text: str, place: Place) -> str:
    """A row in the table of the track, its rows numbered anew."""
    row = re.escape(f"[{place.before.name}](../exercises/")
    found = re.findall(rf"^\| \d+ \| {row}.*$", text, re.MULTILINE)
    if len(found) != 1:
        raise ValueError(f"expected one row that begins with a number and {place.before.name}, found {len(found)}")
    numbers = iter(range(1, text.count("\n")))
    with_row = text.replace(found[0], f"{found[0]}\n{_row_of_track(place)}")
    return re.sub(r"^\| \d+ \|", lambda _old: f"| {next(numbers)} |", with_row, flags=re.MULTILINE)


def _with_row_of_track(text: str, place: Place) -> str:
    return _at_end(text, "## The order", "|", _row_of_track(place))


def _row_of_track(place: Place) -> str:
    link, file = f"[{place.name}](../exercises/{place.name}.md)", f"`exercises/{place.name}.py`"
    number = place.session.number if place.session else AFTERWARDS
    return f"| 1 | {link} | {file} | {number} | {place.minutes} | {DIFFICULTY} of 5 | {ADDS} |"


def _in_session(text: str, place: Place) -> str:
    """An objective, a question for a stuck room, and the homework, with its sum."""
    link = f"../exercises/{place.name}.md"
    mistake = MISCONCEPTIONS[0]
    stuck = f"| [{TASK}]({link}#{TASK}) | {mistake.asks} | {mistake.names} | Two rows at the board: add them up aloud |"
    objective = f"- turn numbers into shares that add up to one: [{TASK}]({link}#{TASK});"
    homework = place.homework + place.minutes
    text = _once(text, f"· homework {place.homework} minutes ·", f"· homework {homework} minutes ·")
    text = _once(text, f"\n{place.homework} minutes for whoever", f"\n{homework} minutes for whoever")
    text = _at_end(text, "## Learning objectives", "- ", objective, before_last=True)  # which ends with a full stop
    text = _at_end(text, "## When half the room is stuck", "|", stuck)
    row = f"| [{place.before.name}](../exercises/{place.before.name}.md) | {place.before.minutes} |"
    return _after(text, row, f"| [{place.name}]({link}) | {place.minutes} |")


def _at_a_glance(text: str, place: Place) -> str:
    """The session's row: one more exercise, and the sum of the homework."""
    assert place.session is not None
    lines = text.splitlines(keepends=True)
    at = _only(lines, f"| [{place.session.number}. ")
    link = f"[{place.before.name}](../exercises/{place.before.name}.md)"
    row = _once(lines[at], link, f"{link}, [{place.name}](../exercises/{place.name}.md)")
    lines[at] = _once(row, f"| {place.homework} |\n", f"| {place.homework + place.minutes} |\n")
    return "".join(lines)


def _after_the_plan(text: str, place: Place) -> str:
    """A row in the table of what is in no session."""
    row = f"| [{place.name}](../exercises/{place.name}.md) | {place.minutes} | {ADDS} |"
    return _after(text, f"| [{place.before.name}](../exercises/", row)


def _in_workshop(text: str, place: Place) -> str:
    """What is not in the timetable is for afterwards."""
    found = re.findall(r"(\d+) minutes in all", text)
    if len(found) != 1:
        raise ValueError(f"expected one sum, '... minutes in all', found {len(found)}")
    text = _once(text, f"{found[0]} minutes in all", f"{int(found[0]) + place.minutes} minutes in all")
    row = f"| [{place.name}](../exercises/{place.name}.md) | {place.minutes} | the two days are full |"
    return _at_end(text, "## For afterwards", "|", row)


def _only(lines: list[str], start: str) -> int:
    """The number of the only line that begins so. Raises `ValueError` when there is none, or another."""
    found = [i for i, line in enumerate(lines) if line.startswith(start)]
    if len(found) != 1:
        raise ValueError(f"expected one line that begins with {start.strip()!r}, found {len(found)}")
    return found[0]


def _after(text: str, start: str, new: str) -> str:
    """A text with new lines after the only one that begins so. Raises `ValueError` when there is no such one."""
    lines = text.splitlines()
    at = _only(lines, start)
    return "\n".join([*lines[: at + 1], new, *lines[at + 1 :], ""])


def _at_end(text: str, heading: str, sign: str, new: str, before_last: bool = False) -> str:
    """A text with a new line after, or before, the last line of a section that begins with a sign."""
    lines = text.splitlines()
    begin = _only(lines, heading)
    end = next((i for i in range(begin + 1, len(lines)) if lines[i].startswith("## ")), len(lines))
    last = max((i for i in range(begin, end) if lines[i].startswith(sign)), default=None)
    if last is None:
        raise ValueError(f"expected a line that begins with {sign!r} under {heading!r}, found none")
    at = last if before_last else last + 1
    return "\n".join([*lines[:at], new, *lines[at:], ""])


def _once(text: str, old: str, new: str) -> str:
    """A text with a part replaced. Raises `ValueError` unless that part occurs exactly once."""
    if text.count(old) != 1:
        raise ValueError(f"expected {old.strip()!r} once, found it {text.count(old)} times")
    return text.replace(old, new)
