"""A run over the cohort: every repository is looked at, what is new in it is graded, and all of it is kept.

The history has one writer, this process; repositories are fetched by a few threads, and graded elsewhere. The jobs
are handed out one by one, so that a cohort of any size takes the same memory.
"""

import hashlib
import re
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice

from graders.cohort.fetch import FetchError, newest_commit
from graders.cohort.history import (
    NOTHING,
    Key,
    begin_grading,
    finish_grading,
    graded,
    last_visit,
    record_law,
    record_visit,
)
from graders.cohort.jobs import Job
from graders.cohort.roster import Learner
from graders.cohort.secret import seed_of, seed_policy
from graders.cohort.submission import Submission, fetch_submission, names_for, own_hash, subject_hash
from graders.cohort.versions import grader_version, reader_version
from graders.engine.course import load_course
from graders.engine.record import Record, now

N_FETCHES = 8  # repositories that are fetched at a time
COMMIT = re.compile(r"[0-9a-f]{40,64}")
Seen = Submission | FetchError | None  # None: the commit that is known


class RunError(Exception):
    """A run cannot go on; the text says why, and what to do."""


@dataclass(frozen=True)
class Terms:
    """How a cohort is graded: the same for every learner."""

    secret: bytes
    isolation: str
    exercises: tuple[str, ...]  # those that are graded
    extras: Mapping[str, str] = field(default_factory=lambda: NOTHING)  # the lead's own laws, by exercise

    def key(self, exercise: str, text: str) -> Key:
        """What a grading of the text of this hash is kept under."""
        version = grader_version(exercise, self.extras.get(exercise, ""))
        return Key(exercise, text, version, seed_policy(self.secret), self.isolation)

    def job(self, exercise: str, text: str, submission: Submission) -> Job:
        """What is to be graded for it: the files that the exercise rests on, and no others."""
        names = names_for(exercise)
        files = {name: submission.files[name] for name in names if name in submission.files}
        problems = {name: submission.problems[name] for name in names if name in submission.problems}
        seed = seed_of(self.secret, exercise, text)
        return Job(exercise, text, files, problems, seed, self.isolation, self.extras.get(exercise, ""))


@dataclass
class Run:
    """One run over some learners, and what it has come to so far."""

    history: sqlite3.Connection
    terms: Terms
    before_the_first: Callable[[], None] = lambda: None  # job: may raise, and nothing is graded
    looked_at: Callable[[Learner], None] = lambda learner: None  # called when a learner's jobs are all handed out
    problems: dict[str, str] = field(default_factory=dict)  # of repositories, by learner
    begun: dict[tuple[str, str], int] = field(default_factory=dict)  # exercise and text: the grading that is filled in
    whose: dict[tuple[str, str], str] = field(default_factory=dict)  # what is graded now: the first one's name
    handed_out: set[Key] = field(default_factory=set)
    last_visits: dict[str, tuple[sqlite3.Row | None, dict[str, str]]] = field(default_factory=dict)  # by learner
    n_graded: int = 0
    errors: dict[tuple[str, str], str] = field(default_factory=dict)  # of ours, by exercise and text

    def jobs(self, learners: Iterable[Learner]) -> Iterator[Job]:
        """What is to be graded: the texts that are new since they were graded last."""
        for learner, seen in looks(learners, self._known):
            yield from self._jobs_of(learner, seen)
            self.looked_at(learner)

    def keep(self, job: Job, records: list[Record]) -> str:
        """Write down what came of a job, and give the name of whose text it was.

        Raises `HistoryError` when it cannot be written, and `RunError`.
        """
        version = self.terms.key(job.exercise, job.subject_hash).grader_version
        others = {record.grader_version for record in records} - {version}
        if others:
            raise RunError(
                f"a machine of the cluster has other graders ({others.pop()}) than this one ({version}): install the "
                "same headstart on all of them"
            )
        grading = self.begun.pop((job.exercise, job.subject_hash))
        for position, record in enumerate(records):
            record_law(self.history, grading, position, record)
            if record.status == "error":
                self.errors.setdefault((job.exercise, job.subject_hash), record.cause)
        finish_grading(self.history, grading, [record.law for record in records])
        self.n_graded += 1
        return self.whose.pop((job.exercise, job.subject_hash))

    def hand_out(self, name: str, exercise: str, text: str, submission: Submission) -> Iterator[Job]:
        """The job of one text, of a learner of this name, unless it is graded already, or is being graded."""
        key = self.terms.key(exercise, text)
        if key in self.handed_out or graded(self.history, [key]):
            return
        if not self.handed_out:
            self.before_the_first()
        self.handed_out.add(key)
        grading = begin_grading(self.history, key)
        if grading is not None:
            self.begun[exercise, text], self.whose[exercise, text] = grading, name
            yield self.terms.job(exercise, text, submission)

    def _jobs_of(self, learner: Learner, seen: Seen) -> Iterator[Job]:
        at, reader = now(), reader_version()
        visit, hashes = self.last_visits.pop(learner.id)
        if isinstance(seen, FetchError):
            self.problems[learner.id] = str(seen)
            record_visit(self.history, learner.id, at, problem=str(seen), reader=reader)
        elif seen is None:
            assert visit is not None  # or no commit was known
            facts = {"commit_id": visit["commit_id"], "committed_at": visit["committed_at"]}
            record_visit(self.history, learner.id, at, **facts, reader=reader, hashes=hashes)
        else:
            hashes = handed_in(seen)
            facts = {"commit_id": seen.commit, "committed_at": seen.committed_at}
            own = {exercise: own_hash(seen, exercise) for exercise in hashes}
            record_visit(self.history, learner.id, at, **facts, reader=reader, hashes=hashes, own=own)
            for exercise in self.terms.exercises:
                if exercise in hashes:
                    yield from self.hand_out(learner.name, exercise, hashes[exercise], seen)

    def _known(self, learner: Learner) -> str:
        """The commit of a learner's last visit, when all that was handed in then is graded; else ""."""
        visit, hashes = self.last_visits[learner.id] = last_visit(self.history, learner.id)
        if visit is None or visit["problem"] or visit["reader"] != reader_version():
            return ""
        keys = {self.terms.key(exercise, hashes[exercise]) for exercise in self.terms.exercises if exercise in hashes}
        return visit["commit_id"] if graded(self.history, keys) == keys else ""


def handed_in(submission: Submission) -> dict[str, str]:
    """The hash of every exercise whose file is there, taken or not."""
    names = [exercise.name for exercise in load_course().exercises]
    there = {*submission.files, *submission.problems}
    return {name: subject_hash(submission, name) for name in names if name in there}


def looks(learners: Iterable[Learner], known: Callable[[Learner], str]) -> Iterator[tuple[Learner, Seen]]:
    """What each learner's repository holds, as it comes; None where its newest commit is the one that is `known`."""
    waiting = iter(learners)
    looking: dict[Future[Seen], Learner] = {}
    threads = ThreadPoolExecutor(N_FETCHES)
    try:
        while True:
            for learner in islice(waiting, N_FETCHES - len(looking)):
                looking[threads.submit(look, learner.repository, known(learner))] = learner
            if not looking:
                return
            for future in wait(looking, return_when=FIRST_COMPLETED).done:
                yield looking.pop(future), future.result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def look(repository: str, known: str) -> Seen:
    """What a repository holds; None where its newest commit is the known one; else why it cannot be read."""
    try:
        if known and newest_commit(repository) == known:
            return None
        return fetch_submission(repository)
    except FetchError as error:
        return error


def in_shard(learner: Learner, part: int, n_parts: int) -> bool:
    """Whether a learner is in this part, from 1, of the roster: the same whoever else is in it."""
    return int(hashlib.sha256(learner.id.encode()).hexdigest(), 16) % n_parts == part - 1


def standings(history: sqlite3.Connection, learners: Collection[str]) -> dict[tuple[str, str], sqlite3.Row]:
    """The verdicts on these learners, by learner and exercise, where there is one."""
    rows = history.execute("SELECT * FROM verdicts WHERE status IS NOT NULL")
    return {(row["learner"], row["exercise"]): row for row in rows if row["learner"] in learners}
