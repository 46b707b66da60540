"""Tries laws side by side, in a few forked copies of this process, each with a process of its own for the subject.

What comes of a law depends neither on the copy that tries it nor on what is tried beside it; only the seconds of an
exercise are counted by each copy for itself, so that slow code may take longer, in all, before it is stopped. What
follows from a law (after a task's first broken one, the others are skipped) is left to the judge.
"""

import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import Any

from graders.engine.law import Law, laws_for
from graders.engine.space import Fixed, Space
from graders.engine.transport import Transport
from graders.engine.trial import Outcome, Policy, Trial
from graders.engine.worker.serve import end_with_the_judge

MAX_MEMBERS = 4
UNSENT: Any = None  # in place of a law, which is not plain data: whoever asked for it knows it


class Member:
    """One copy of this process, and the law that it is trying."""

    def __init__(self, trial: Trial, judges_ends: list[Connection]):
        context: Any = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_try_laws, args=(theirs, [*judges_ends, self.connection], trial))
        self.process.start()
        theirs.close()
        self.law: Law | None = None
        self.made: set[Space | Fixed] = set()  # the cases that it has, and keeps

    def begin(self, law: Law) -> None:
        """Have a law tried."""
        self.law = law
        self.made.add(law.cases)
        self.connection.send_bytes(f"{law.exercise} {law.name}".encode())

    def finish(self) -> Outcome:
        """What came of the law, waited for. Raises `EOFError` when the copy is gone."""
        outcome: Outcome = pickle.loads(self.connection.recv_bytes())  # written by a copy of ourselves
        assert self.law is not None
        outcome, self.law = replace(outcome, law=self.law), None
        return outcome

    def end(self) -> None:
        """Have the copy end, and with it the subject's process."""
        self.connection.close()  # which ends a copy that waits for a law; a signal may come just before it waits
        if self.law is not None:
            self.process.terminate()


class Crew:
    """What comes of laws, tried ahead of the moment at which the judge asks."""

    def __init__(self, transport: Transport, policy: Policy, laws: Sequence[Law], size: int):
        self.waiting = list(laws)
        self.known: list[Outcome] = []
        self.failed: set[tuple[str, str]] = set()  # exercise and task; without a task, the whole file
        self.members: list[Member] = []
        for _ in range(size):
            ends = [member.connection for member in self.members]
            self.members.append(Member(Trial(transport, policy), ends))

    def verdict(self, law: Law) -> Outcome:
        """What came of a law, waited for if need be."""
        while not (found := [outcome for outcome in self.known if outcome.law is law]):
            trying = [member.law for member in self.members]
            self._hand_out([] if law in trying else [law])
            busy = {member.connection: member for member in self.members if member.law}
            for connection in wait(list(busy)):
                self._remember(busy[connection].finish())
        self._hand_out([])
        return found[0]

    def _hand_out(self, urgent: list[Law]) -> None:
        """Give every idle member a law: the urgent one, or the next whose task has not failed yet.

        Laws of which many cases are drawn come first, so that no member is left at a long one when the others are done.
        Of those, one whose cases the member has made already, or at least no other has: a case and what the reference
        answers about it are made once by each.
        """
        for member in self.members:
            ahead = [law for law in self.waiting if not {(law.exercise, law.task), (law.exercise, "")} & self.failed]
            if member.law is None and (urgent or ahead):
                law = min(urgent or ahead, key=lambda law: self._cost(member, law))
                urgent = []
                self.waiting = [other for other in self.waiting if other is not law]
                member.begin(law)

    def _cost(self, member: Member, law: Law) -> tuple[bool, int]:
        is_short = isinstance(law.cases, Fixed)
        if law.cases in member.made:
            return is_short, 0
        return is_short, 2 if any(law.cases in other.made for other in self.members) else 1

    def _remember(self, outcome: Outcome) -> None:
        self.known.append(outcome)
        if outcome.record.status != "passed":
            self.failed.add((outcome.law.exercise, "" if outcome.is_of_the_whole_file else outcome.law.task))

    def close(self) -> None:
        """End all copies, side by side."""
        for member in self.members:
            member.end()
        for member in self.members:
            member.process.join()


def crew_size() -> int:
    """How many laws are worth trying at a time; 1 where no process can be forked safely."""
    return min(MAX_MEMBERS, len(os.sched_getaffinity(0))) if sys.platform == "linux" else 1


def _try_laws(connection: Connection, judges_ends: list[Connection], trial: Trial) -> None:
    """Try one law after another, until the judge is gone or says so."""
    signal.signal(signal.SIGTERM, lambda *_: _end(trial))
    end_with_the_judge()
    for end in judges_ends:
        end.close()  # our copies would keep us alive after the judge is gone
    try:
        while True:
            exercise, name = connection.recv_bytes().decode().split()
            law = next(law for law in laws_for(exercise) if law.name == name)
            outcome = trial.verdict(law)
            connection.send_bytes(pickle.dumps(replace(outcome, law=UNSENT)))
    except (EOFError, OSError, KeyboardInterrupt):
        _end(trial)


def _end(trial: Trial) -> None:
    trial.transport.close()
    os._exit(0)  # whatever else this copy holds is not its own to finish
