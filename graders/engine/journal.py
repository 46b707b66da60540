"""What became of the learner's own files so far: the newest record of every law, kept beside the files, sent nowhere.

Whoever only wants to know how far the learner is reads this, and need not import torch.
"""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from graders.engine.course import EXERCISES, Exercise
from graders.engine.record import DONE, VERSION, Record, hash_of, shortened, state_of

HOME = EXERCISES.parent / ".headstart"  # the learner's own; not in the repository
VERDICTS = HOME / "verdicts"


@dataclass(frozen=True)
class Verdict:
    """What is known of one exercise of the learner's."""

    exercise: str
    file_hash: str = ""  # of the file, as it was graded last
    n_laws: Mapping[str, int] = field(default_factory=dict)  # by task; nothing for a task that was never tried
    records: Mapping[str, Record] = field(default_factory=dict)  # by law
    questions: Mapping[str, str] = field(default_factory=dict)  # by broken law: what leads to the mistake found
    version: int = VERSION

    def state(self, task: str) -> str:
        """How a task stands: one of the states of `record.py`."""
        return state_of(self.of_task(task), self.n_laws.get(task, 0))

    def of_task(self, task: str) -> list[Record]:
        """The records of a task's laws."""
        return [record for record in self.records.values() if record.task == task]

    @property
    def is_edited(self) -> bool:
        """Whether the file was changed since."""
        return bool(self.file_hash) and self.file_hash != file_hash(self.exercise)

    def n_done(self, exercise: Exercise) -> int:
        """How many of the exercise's tasks are done."""
        return sum(self.state(task.name) == DONE for task in exercise.tasks)


def file_hash(exercise: str) -> str:
    """What tells one text of the learner's file from another."""
    return hash_of([EXERCISES / f"{exercise}.py"])


def verdict_on(exercise: str) -> Verdict:
    """What is known of an exercise; of one that was never graded, and from a file that cannot be read, nothing."""
    try:
        fields = json.loads(_path(exercise).read_text(encoding="utf-8"))
        records = {law: Record(**record) for law, record in fields.pop("records").items()}
        verdict = Verdict(**fields, records=records)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # the next grading writes it anew
        return Verdict(exercise)
    return verdict if verdict.version == VERSION else Verdict(exercise)


def keep(
    exercise: str, graded_hash: str, laws: Mapping[str, str], records: Sequence[Record], questions: Mapping[str, str]
) -> None:
    """Remember records beside what is known already of the same text. `laws` are the tasks of all laws, by law."""
    before = verdict_on(exercise)
    if before.file_hash != graded_hash:
        before = Verdict(exercise)  # what held of another text says nothing of this one
    newest = {**before.records, **{record.law: shortened(record) for record in records}}
    asked = {law: question for law, question in before.questions.items() if law not in {r.law for r in records}}
    tasks = list(laws.values())
    verdict = Verdict(
        exercise,
        graded_hash,
        {task: tasks.count(task) for task in tasks},
        {law: newest[law] for law in laws if law in newest},
        asked | dict(questions),
    )
    write(_path(exercise), json.dumps(asdict(verdict), ensure_ascii=False))


def forget(exercise: str, task: str) -> None:
    """Forget what became of a task, whose text is about to be another."""
    verdict = verdict_on(exercise)
    rest = {law: record for law, record in verdict.records.items() if record.task != task}
    if len(rest) < len(verdict.records):
        write(_path(exercise), json.dumps(asdict(replace(verdict, records=rest)), ensure_ascii=False))


def write(path: Path, text: str) -> None:
    """Write a file of ours in one step: whoever reads it meanwhile, or is stopped, finds the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:  # Ctrl-C as well
        Path(name).unlink(missing_ok=True)
        raise


def _path(exercise: str) -> Path:
    return VERDICTS / f"{exercise}.json"
