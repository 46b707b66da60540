"""Verdicts of an older grader, given again by this one: the same texts, fetched once more."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from graders.cohort.fetch import FetchError
from graders.cohort.jobs import Job
from graders.cohort.roster import Learner
from graders.cohort.run import COMMIT, Run
from graders.cohort.submission import Submission, fetch_submission, subject_hash


@dataclass(frozen=True)
class Change:
    """One verdict that is another now."""

    learner: str
    exercise: str
    before: str  # its status, and how many of the laws held
    after: str
    law: str  # the first that is broken now, or, when none is, that was
    misconception: str


def jobs_again(
    run: Run, learners: Iterable[Learner], verdicts: Mapping[tuple[str, str], sqlite3.Row], lost: dict[str, list[str]]
) -> Iterator[Job]:
    """What is graded again: the newest text of each exercise whose verdict another grader gave.

    `lost` receives the exercises, by learner, whose text is neither at the commit that is known nor in the newest.
    """
    for learner in learners:
        old = {
            exercise: verdicts[learner.id, exercise]
            for exercise in run.terms.exercises
            if (learner.id, exercise) in verdicts and _is_of_another_grader(run, verdicts[learner.id, exercise])
        }
        for commit in sorted({row["commit_id"] for row in old.values()}):
            rows = {exercise: row for exercise, row in old.items() if row["commit_id"] == commit}
            for exercise, submission in _found_again(learner.repository, commit, rows, lost.setdefault(learner.id, [])):
                yield from run.hand_out(learner.name, exercise, rows[exercise]["subject_hash"], submission)
        run.looked_at(learner)


def changes(
    before: Mapping[tuple[str, str], sqlite3.Row], after: Mapping[tuple[str, str], sqlite3.Row]
) -> list[Change]:
    """The verdicts that are another now, whichever grader gave them before."""
    said = ("status", "n_passed", "n_laws", "law", "misconception")
    return [
        Change(
            *key,
            _said(before[key]),
            _said(row),
            row["law"] or before[key]["law"],
            row["misconception"] or before[key]["misconception"],
        )
        for key, row in after.items()
        if key in before
        and _was_begun(before[key], row)
        and [before[key][name] for name in said] != [row[name] for name in said]
    ]


def regraded(
    before: Mapping[tuple[str, str], sqlite3.Row], after: Mapping[tuple[str, str], sqlite3.Row]
) -> dict[tuple[str, str], sqlite3.Row]:
    """Those of the verdicts before that another grader has given again since, on the same text."""
    same = {key: row for key, row in before.items() if key in after and _of(after[key])[0] == _of(row)[0]}
    return {key: row for key, row in same.items() if _of(after[key]) != _of(row)}


def _of(row: sqlite3.Row) -> tuple[str, str]:
    return row["subject_hash"], row["grader_version"]


def _was_begun(*rows: sqlite3.Row) -> bool:
    """Whether there is anything to tell of: a stub is a stub, however many laws there are."""
    return any(row["status"] != "not_started" for row in rows)


def _said(row: sqlite3.Row) -> str:
    return f"{row['status'].replace('_', ' ')} {row['n_passed']}/{row['n_laws']}"


def _is_of_another_grader(run: Run, row: sqlite3.Row) -> bool:
    key = run.terms.key(row["exercise"], row["subject_hash"])
    return row["grader_version"] != key.grader_version and key not in run.handed_out


def _found_again(
    repository: str, commit: str, rows: Mapping[str, sqlite3.Row], lost: list[str]
) -> Iterator[tuple[str, Submission]]:
    """The exercises whose text is there again, from the commit that is known, or else from the newest."""
    wanted = dict(rows)
    for name in (commit, "HEAD"):
        if not wanted or not (name == "HEAD" or COMMIT.fullmatch(name)):
            continue
        try:
            submission = fetch_submission(repository, commit=name)
        except FetchError:  # a server need not give an older commit
            continue
        for exercise, row in list(wanted.items()):
            if subject_hash(submission, exercise) == row["subject_hash"]:
                del wanted[exercise]
                yield exercise, submission
    lost += wanted
