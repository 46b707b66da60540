"""What the whole cohort gets wrong, and how long it takes: gathered learner by learner, kept small."""

import datetime
import hashlib
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from graders.cohort.dashboard.accounts import Account, Cell, Standing
from graders.cohort.dashboard.needs import Broken, Due
from graders.cohort.dashboard.wording import natural
from graders.engine.course import Exercise
from graders.engine.kinds import KINDS
from graders.engine.record import Record
from graders.loop.failures import mistakes_in

DAY = 86400
MEND_FIRST = ("parse", "import", "foreign")  # kinds of failure that are of a whole file, and of no law


@dataclass
class Finding:
    """A law that is broken, or a mistake that is made, and by whom."""

    kind: str  # law, mistake
    exercise: str
    name: str  # of the law, or the mistake's id
    task: str
    says: str
    asks: str = ""  # of a mistake
    is_private: bool = False
    learners: list[tuple[str, str]] = field(default_factory=list)  # name and page
    example: Record | None = None  # the smallest, somebody's newest

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.exercise}/{self.name}"

    @property
    def anchor(self) -> str:
        """Where it is on its page."""
        return f"{self.kind}-{hashlib.sha256(self.key.encode()).hexdigest()[:10]}"

    def add(self, account: Account, record: Record) -> None:
        """One more learner; their example is kept if it is the smallest so far."""
        if (account.learner.name, account.page) not in self.learners[-1:]:
            self.learners.append((account.learner.name, account.page))
        if record.counterexample and (self.example is None or _size(record) < _size(self.example)):
            self.example = record


@dataclass
class Pace:
    """How one exercise went for everybody, against the plan."""

    exercise: Exercise
    n_begun: int = 0
    n_passed: int = 0  # at some time
    tries: list[int] = field(default_factory=list)  # of those who passed
    days: list[float] = field(default_factory=list)  # from the first try to the first pass
    n_due: int = 0  # whose date has come
    n_in_time: int = 0  # of these, who had passed by then

    @property
    def median_days(self) -> float:
        return statistics.median(self.days)

    @property
    def most_days(self) -> float:
        """What nine in ten needed at most."""
        return sorted(self.days)[(9 * len(self.days) - 1) // 10]

    @property
    def median_tries(self) -> int:
        return round(statistics.median(self.tries))


class Findings:
    """All laws, mistakes and paces of a cohort, as far as they were added."""

    def __init__(self, exercises: Sequence[Exercise], due: Due, today: datetime.date):
        self.due, self.today = due, today
        self.by_law: dict[str, Finding] = {}
        self.by_mistake: dict[str, Finding] = {}
        self.paces = {exercise.name: Pace(exercise) for exercise in exercises}

    def add(self, standing: Standing, broken: Mapping[str, Broken]) -> list[str]:
        """Add one learner; the keys of all that they get wrong, by which a page finds them again."""
        for name, cell in standing.cells.items():
            self._add_pace(self.paces[name], standing.account, cell)
        keys = []
        for record in (one for of_exercise in broken.values() for one in of_exercise):
            if (
                record.status == "error" or record.kind == "no_file"
            ):  # the grader stopped, or there was nothing to judge
                continue
            law = Finding(
                "law", record.exercise, record.law, record.task, record.statement, is_private=record.is_private
            )
            if record.kind in MEND_FIRST:  # the law that met it first says nothing of what is wrong
                law = Finding("law", record.exercise, record.kind, "", KINDS[record.kind].happened)
            found = [self.by_law.setdefault(law.key, law)]
            for one in mistakes_in(record):
                mistake = Finding("mistake", record.exercise, one.id, one.task, one.names, one.asks)
                found.append(self.by_mistake.setdefault(mistake.key, mistake))
            for finding in found:
                finding.add(standing.account, record)
                keys.append(finding.key)
        return list(dict.fromkeys(keys))

    @property
    def laws(self) -> list[Finding]:
        """The laws that are broken, most often broken first."""
        return _by_frequency(self.by_law)

    @property
    def mistakes(self) -> list[Finding]:
        """The known mistakes that are made, most frequent first."""
        return _by_frequency(self.by_mistake)

    def _add_pace(self, pace: Pace, account: Account, cell: Cell) -> None:
        pace.n_begun += cell.first_try is not None
        if cell.first_try and cell.first_pass:
            pace.n_passed += 1
            pace.tries.append(cell.tries_to_pass)
            pace.days.append((cell.first_pass - cell.first_try).total_seconds() / DAY)
        date = self.due(account.learner, pace.exercise)
        if date and date < self.today:
            pace.n_due += 1
            pace.n_in_time += cell.first_pass is not None and cell.first_pass.date() <= date


def _by_frequency(found: Mapping[str, Finding]) -> list[Finding]:
    for finding in found.values():
        finding.learners.sort(key=lambda one: (natural(one[0]), one[1]))
    return sorted(found.values(), key=lambda finding: (-len(finding.learners), finding.key))


def _size(record: Record) -> int:
    return len(record.counterexample) + len(record.yours) + len(record.expected)
