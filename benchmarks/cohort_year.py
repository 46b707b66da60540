"""A year of a generated cohort, written straight into a history: as many learners as asked for, none of them real.

They begin in eight intakes, have weeks and speeds of their own, make the listed mistakes (some again and again), pass,
fall silent or leave. `benchmarks/cohort_report.py`, the pictures of the docs and the tests of the dashboard use it.
"""

import datetime
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from graders.cohort.history import open_history
from graders.engine.course import Exercise, load_course
from graders.engine.misconception import misconceptions_of
from graders.loop.specification import laws_in

GIVEN = (
    *("Ada", "Ben", "Chidi", "Dina", "Emre", "Fatou", "Goran", "Hana", "Ilya", "Jun"),
    *("Kofi", "Lena", "Mei", "Nils", "Oya", "Priya", "Quim", "Rosa", "Sami", "Tea"),
)
FAMILY = (
    *("Abe", "Bauer", "Castro", "Diallo", "Eriksen", "Farah", "Gupta", "Haas", "Ito"),
    *("Jansen", "Kaya", "Lind", "Moreau", "Novak", "Okafor", "Petit", "Rossi"),
)
DAY = datetime.timedelta(days=1)
VERSION, SEEDS = "0.1.0+00000000", "secret:00000000"
STUB = "stub"
INTAKES = 8


@dataclass
class Made:
    """The rows so far that are shared by learners: of each text its grading."""

    gradings: dict[tuple[str, str], int] = field(default_factory=dict)
    laws: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)  # by exercise: law, task, statement


def make_year(
    path: Path | str,
    n_learners: int,
    now: datetime.datetime,
    seed: int = 0,
    n_days: int = 365,
    isolation: str = "sandbox",
) -> sqlite3.Connection:
    """Write a year that ends now, and return the history."""
    history, chance, made = open_history(path), random.Random(seed), Made()
    history.execute("PRAGMA synchronous = OFF")  # it is made anew if the machine is lost
    history.execute("BEGIN")
    for i in range(n_learners):
        start = (now - n_days * DAY + (i % INTAKES) * n_days * DAY / INTAKES + chance.randrange(3) * DAY).date()
        name = f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}"
        learner = f"u{i:04}"
        history.execute(
            "INSERT INTO learners (id, name, repository, section, start, email) VALUES (?, ?, ?, ?, ?, ?)",
            (learner, name, f"https://git.example/cohort/{learner}.git", f"Group {'ABCDEFGH'[i % INTAKES]}",
             start.isoformat(), f"{learner}@example.org"),
        )  # fmt: skip
        _work(
            history,
            chance,
            made,
            learner,
            datetime.datetime.combine(start, datetime.time(3), now.tzinfo),
            now,
            isolation,
        )
    history.execute("COMMIT")
    return history


def _work(
    history: sqlite3.Connection,
    chance: random.Random,
    made: Made,
    learner: str,
    start: datetime.datetime,
    now: datetime.datetime,
    isolation: str,
) -> None:
    """One learner's weeks, from one exercise to the next."""
    at, leaves, pace = start, start + chance.triangular(20, 200, 75) * DAY, chance.uniform(0.5, 1.3)
    visits = [start + day * DAY for day in range(max(0, min((now - start).days, 120)) + 1)]
    history.executemany(
        "INSERT INTO visits (learner, at, commit_id, committed_at) VALUES (?, ?, ?, ?)",
        [(learner, _text(visit), "c0ffee", _text(visit)) for visit in visits],
    )
    rows = [(exercise.name, STUB, start) for exercise in load_course().exercises]
    for exercise in load_course().exercises:
        if exercise.session is None:  # after the plan
            continue
        due = start + (7 * exercise.session - 7) * pace * DAY
        at = max(at, due + chance.uniform(-2, 1) * DAY)
        for text in _texts(chance, exercise):
            at += chance.choice((0.2, 0.4, 0.6, 1, 1, 2)) * pace * DAY
            if at > min(leaves, now):
                break
            rows.append((exercise.name, text, at.replace(hour=3)))
        else:
            continue
        break
    for exercise_name, text, when in rows:
        subject_hash = text if text == STUB else f"{learner} {text}"
        key = (exercise_name, subject_hash)
        if key not in made.gradings:
            made.gradings[key] = _grade(history, chance, made, exercise_name, subject_hash, text, when, isolation)
        if text != STUB:
            del made.gradings[key]  # nobody else has this text
        history.execute(
            "INSERT INTO submissions (learner, exercise, subject_hash, commit_id, committed_at, first_seen, last_seen) "
            "VALUES (?, ?, ?, 'c0ffee', ?, ?, ?)",
            (learner, exercise_name, subject_hash, _text(when), _text(when), _text(now)),
        )


def _texts(chance: random.Random, exercise: Exercise) -> Iterator[str]:
    """The texts of one exercise in turn: `<number> <mistake>`, `<number> unnamed`, and at last `<number> passed`."""
    number = 0
    known = [mistake.id for mistake in misconceptions_of(exercise.name)]
    favourites = known[: max(3, len(known) // 4)]  # some mistakes are made by many
    while chance.random() < 0.45 + 0.06 * exercise.difficulty and number < 12:
        mistake = "unnamed" if chance.random() < 0.3 else chance.choice(favourites if chance.random() < 0.6 else known)
        for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5))):
            yield f"{number} {mistake}"
            number += 1
    yield f"{number} passed"


def _grade(
    history: sqlite3.Connection,
    chance: random.Random,
    made: Made,
    exercise: str,
    subject_hash: str,
    text: str,
    when: datetime.datetime,
    isolation: str,
) -> int:
    """The grading of a text, with a record of every law."""
    laws = made.laws.setdefault(exercise, [(law, task, says) for law, (task, says) in laws_in(exercise).items()])
    mistake = text.partition(" ")[2]
    status = "not_started" if text == STUB else "passed" if mistake == "passed" else "failed"
    task = next((one.task for one in misconceptions_of(exercise) if one.id == mistake), laws[-1][1])
    of_task = [i for i, law in enumerate(laws) if law[1] == task]
    broken = of_task[hash_of(mistake) % len(of_task)] if status == "failed" else -1
    states = {
        "passed": ["passed"] * len(laws),
        "not_started": ["not_started"] * len(laws),
        "failed": [
            "failed" if i == broken else "skipped" if i > broken and i in of_task else "passed"
            for i in range(len(laws))
        ],
    }[status]
    named = "" if mistake in ("unnamed", "passed") or status != "failed" else mistake
    tasks = {law[1] for law in laws}
    not_done = {law[1] for law, state in zip(laws, states, strict=True) if state != "passed"}
    grading = history.execute(
        "INSERT INTO gradings (exercise, subject_hash, grader_version, seed_policy, isolation, began_at, finished_at, "
        "asked_at, status, n_laws, n_passed, n_tasks, n_done, law, misconception) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (exercise, subject_hash, VERSION, SEEDS, isolation, _text(when), _text(when), _text(when), status, len(laws),
         states.count("passed"), len(tasks), len(tasks - not_done), laws[broken][0] if broken >= 0 else "", named),
    ).lastrowid  # fmt: skip
    size = chance.randrange(2, 5)
    numbers = [f"{chance.randrange(-30, 30) / 10}" for _ in range(2 * size)]
    told = (f"x (batch 1, positions {size}) = [{', '.join(numbers[:size])}]", f"[{', '.join(numbers[size:])}]",
            f"[{', '.join(reversed(numbers[:size]))}]")  # fmt: skip
    history.executemany(
        "INSERT INTO records (grading, position, task, law, statement, status, kind, cause, misconception, "
        "counterexample, yours, expected, points, duration_ms, seed, observed_by, is_private, time, schema_version) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, ?, 120, ?, 'judge', 0, ?, 1)",
        [
            (grading, i, law[1], law[0], law[2], state, "values" if state == "failed" else "",
             named if state == "failed" else "", *(told if state == "failed" else ("", "", "")), int(state == "passed"),
             i if state == "failed" else None, _text(when))
            for i, (law, state) in enumerate(zip(laws, states, strict=True))
        ],
    )  # fmt: skip
    assert grading is not None
    return grading


def hash_of(text: str) -> int:
    """A number that a text has on every machine."""
    return sum(text.encode())


def _text(at: datetime.datetime) -> str:
    return at.isoformat(timespec="seconds")
