"""The roster: who is in the cohort, from a CSV file that a lead keeps by hand or exports from elsewhere."""

import csv
import datetime
import io
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path

from graders.cohort.fetch import SCP, URL, is_missing, refusal, shown
from graders.cohort.harmless import plain

REQUIRED = ("id", "name", "repository")
MAX_FILE = 16 * 2**20  # bytes; a roster of 5,000 has half of one
MAX_SHOWN = 20  # problems in one message
# An id names pages and files, and stands in gradebooks
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
PLACEHOLDER = "your-organisation"  # in the address that a new roster's example has
HOST = re.compile(r"(?:www\.)?(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org)/")  # without its https://
EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+")


@dataclass(frozen=True)
class Learner:
    """One line of the roster."""

    id: str
    name: str
    repository: str  # a path is one from the current folder
    section: str = ""
    start: datetime.date | None = None
    email: str = ""


COLUMNS = tuple(field.name for field in fields(Learner))
SPELLINGS = {"e-mail": "email", "start date": "start", "start_date": "start"}


class RosterError(Exception):
    """The roster cannot be used; the text has every problem, each with its line."""


@dataclass(frozen=True)
class Difference:
    """What applying a roster does to one learner."""

    kind: str  # "new", "gone", "changed"
    learner: Learner  # as they will be; of one who is gone, as they were
    changes: Mapping[str, tuple[str, str]]  # by column: before, after


def read_roster(path: Path) -> tuple[Learner, ...]:
    """Read a roster, in its order. Raises `RosterError`, with every problem and its line.

    The first line names the columns: id, name, repository, and, where they are wanted, section, start (2026-09-01)
    and email; others are refused. UTF-8; commas, or the semicolons of some spreadsheets.
    """
    rows = _rows(path)
    header = [SPELLINGS.get(cell.strip().lower(), cell.strip().lower()) for cell in next(rows, (0, []))[1]]
    problems = _header_problems(header)
    if problems:
        _fail(path, problems)
    learners: list[Learner] = []
    seen: dict[tuple[str, str], int] = {}
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in cells[len(header) :]):
            told = f"{len(cells)} values for {len(header)} columns; quote a value that has the separator in it"
            problems.append(f"line {line}: {told}")
            continue
        values = dict.fromkeys(header, "") | {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
        found = _value_problems(values, path.parent)
        for column, key in (("id", values["id"].lower()), ("repository", _sameness(values["repository"]))):
            first = seen.setdefault((column, key), line)
            if key and first != line:
                found.append(f"the {column} {plain(values[column], 60)!r} is that of line {first} already")
        problems += [f"line {line}: {problem}" for problem in found]
        if not found:
            learners.append(_learner(values, path.parent))
    if not learners and not problems:
        problems.append("there is a header but no learner below it; write one line for each")
    if problems:
        _fail(path, problems)
    return tuple(learners)


def applied_roster(history: sqlite3.Connection) -> tuple[Learner, ...]:
    """The roster as it was last applied to a history: the active learners, by id."""
    rows = history.execute(f"SELECT {', '.join(COLUMNS)} FROM learners WHERE is_active ORDER BY id")
    return tuple(Learner(**{**dict(row), "start": _date(row["start"] or "")}) for row in rows)


def everybody(history: sqlite3.Connection | None, roster: Iterable[Learner] = ()) -> dict[str, str]:
    """Whom a policy may name, by id, each with their section: a history's learners, gone ones too, and a roster's."""
    rows = history.execute("SELECT id, section FROM learners") if history else ()
    return {row["id"]: row["section"] for row in rows} | {learner.id: learner.section for learner in roster}


def differences(before: Iterable[Learner], after: Iterable[Learner]) -> list[Difference]:
    """What becomes of each learner when one roster takes the place of another: new and changed ones, then gone."""
    old, new = ({learner.id: learner for learner in roster} for roster in (before, after))
    found = []
    for learner in new.values():
        was = old.get(learner.id)
        changes = {c: (_text(was, c), _text(learner, c)) for c in COLUMNS if was and _text(was, c) != _text(learner, c)}
        if was is None or changes:
            found.append(Difference("changed" if was else "new", learner, changes))
    return found + [Difference("gone", learner, {}) for key, learner in old.items() if key not in new]


def difference_lines(found: Sequence[Difference]) -> list[str]:
    """Differences for a terminal, a line each, and the numbers of each kind last."""
    lines = []
    for difference in found:
        who = f"{difference.learner.id} ({plain(difference.learner.name, 40)})"
        said = "; ".join(
            f"{column} {plain(a, 60) or 'nothing'} -> {plain(b, 60) or 'nothing'}"
            for column, (a, b) in difference.changes.items()
        )
        lines.append(f"  {difference.kind:8} {who}" + (f": {said}" if said else ""))
    counts = [(kind, sum(d.kind == kind for d in found)) for kind in ("new", "changed", "gone")]
    return [*lines, ", ".join(f"{n} {kind}" for kind, n in counts)] if lines else ["nothing would change"]


def missing_lines(learners: Iterable[Learner]) -> list[str]:
    """The learners whose repositories are folders that are not there, for a terminal, a line each."""
    missing = [f"  {one.id}: {plain(one.repository, 100)}" for one in learners if is_missing(one.repository)]
    first = ["these folders are not on this machine; put their paths right, or grade where they are:"]
    more = [f"  and {len(missing) - MAX_SHOWN} more"] if len(missing) > MAX_SHOWN else []
    return [*first, *missing[:MAX_SHOWN], *more] if missing else []


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of the file, each with the number of its first line."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except FileNotFoundError as error:
        raise RosterError(
            f"there is no {path}; `headstart cohort template --lead --out DIR`, in the course's folder, makes a folder "
            "with a roster to fill in, or name another file"
        ) from error
    except OSError as error:
        raise RosterError(f"{path}: the roster could not be read: {error.strerror or error}") from error
    if len(content) > MAX_FILE:
        raise RosterError(f"{path}: larger than {MAX_FILE // 2**20} MB; expected one line for each learner")
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise RosterError(f"{path}, line {line}: not UTF-8; save it as CSV UTF-8") from error
    if not text.strip():
        raise RosterError(f"{path}: the file is empty; expected a header, {','.join(COLUMNS)}, and a line a learner")
    first = text.lstrip().splitlines()[0]
    delimiter = max(",;\t", key=first.count)
    return _parsed(path, text, delimiter)


def _parsed(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        told = "a quote is open to the end, or stands inside a value; quote the whole value, and double the quote in it"
        raise RosterError(f"{path}, line {line}: {told}") from error


def _header_problems(header: Sequence[str]) -> list[str]:
    missing = [column for column in REQUIRED if column not in header]
    unknown = list(dict.fromkeys(column for column in header if column not in COLUMNS))
    doubled = sorted({column for column in header if header.count(column) > 1} - set(unknown))
    known = ", ".join(COLUMNS)
    told = [f"line 1: the header has no column {', '.join(missing)}; the columns are {known}"] if missing else []
    if unknown:
        names = ", ".join(repr(plain(column, 30)) for column in unknown[:5])
        meant = f"did you mean {', '.join(close)}? The" if (close := _meant(unknown[:5], header)) else "the"
        told.append(f"line 1: the header has {names}, which is no column; {meant} columns are {known}")
    return told + [f"line 1: the header has {column} more than once" for column in doubled]


def _meant(unknown: Iterable[str], header: Sequence[str]) -> list[str]:
    """The columns that a header does not have and seems to mean."""
    free = [column for column in COLUMNS if column not in header]
    close = (
        [column for column in free if len(name) > 2 and column.startswith(name)] or get_close_matches(name, free, n=1)
        for name in unknown
    )
    return list(dict.fromkeys(found[0] for found in close if found))


def _value_problems(values: Mapping[str, str], folder: Path) -> list[str]:
    """What is wrong with one line, as ends of sentences."""
    found = [f"no {column}" for column in REQUIRED if not values[column]]
    if values["id"] and not ID.fullmatch(values["id"]):
        told = "expected at most 64 of A-Z a-z 0-9 . _ - @, a letter or a digit first"
        found.append(f"the id {plain(values['id'], 60)!r} cannot name a page; {told}")
    if values["repository"] and (refused := refusal(values["repository"])):
        found.append(f"the repository {shown(values['repository'])} {refused}")
    elif PLACEHOLDER in values["repository"]:
        told = "is the example's; write your learner's own, or take the line out"
        found.append(f"the repository {shown(values['repository'])} {told}")
    elif HOST.match(values["repository"]) and is_missing(str(folder / values["repository"])):
        told = f"is no folder here, and has no https://; expected {plain('https://' + values['repository'], 108)}"
        found.append(f"the repository {shown(values['repository'])} {told}, or ./ before a folder's path")
    if (start := values.get("start")) and _date(start) is None:
        found.append(f"the start {plain(start, 30)!r} is no date; expected a form like 2026-09-01")
    if (email := values.get("email")) and not EMAIL.fullmatch(email):
        found.append(f"the email {plain(email, 60)!r} is no address")
    return found


def _learner(values: Mapping[str, str], folder: Path) -> Learner:
    repository = values["repository"]
    if not (URL.fullmatch(repository) or SCP.fullmatch(repository)):
        repository = str(folder / repository)  # a path in a roster is one from the roster's own folder
    name, section = plain(values["name"], 200), plain(values.get("section", ""), 100)
    return Learner(values["id"], name, repository, section, _date(values.get("start", "")), values.get("email", ""))


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else None
    except ValueError:
        return None


def _sameness(repository: str) -> str:
    """What the ways to write one repository have in common: with https or ssh, with `.git` or without."""
    whole = repository.rstrip("/").removesuffix(".git").rstrip("/")
    if SCP.fullmatch(repository):
        return whole.partition("@")[2].replace(":", "/", 1).lower()
    url = URL.fullmatch(repository)
    return whole[url.start("host") :].lower() if url else whole


def _text(learner: Learner, column: str) -> str:
    value = getattr(learner, column)
    return "" if value is None else str(value)


def _fail(path: Path, problems: Sequence[str]) -> None:
    more = [f"and {len(problems) - MAX_SHOWN} more"] if len(problems) > MAX_SHOWN else []
    n = f"{len(problems)} problem{'s' * (len(problems) > 1)}"
    raise RosterError("\n".join([f"{path}: {n}; nothing was applied", *problems[:MAX_SHOWN], *more]))
