"""The record: one law's verdict, the same on a laptop, in CI and in a cluster."""

import datetime
import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).with_name("record.schema.json")
VERSION = 1
MAX_TEXT = 2000  # characters of any one field
STATUSES = ("passed", "failed", "error", "not_started", "skipped")
# How a task stands, from the records of its laws
DONE, BROKEN, UNTOUCHED, WAITING = "done", "not yet right", "not started", "waits"
PARTLY, UNTRIED = "holds as far as tried", "not tried"  # when only some laws were run


@dataclass(frozen=True)
class Record:
    """The verdict on one law. Plain data; `to_line` writes it, `record.schema.json` describes it."""

    exercise: str
    task: str
    law: str
    statement: str
    status: str
    kind: str = ""  # of a failure: values, shape, timeout, ...
    cause: str = ""  # of a skip: what it waits for; of an error, in a cohort: what stopped
    misconception: str = ""  # its id
    counterexample: str = ""
    yours: str = ""
    expected: str = ""
    points: int = 0
    duration_ms: int = 0
    seed: int | None = None  # of the failing case
    subject_hash: str = ""
    grader_version: str = ""
    isolation: str = "none"
    observed_by: str = "judge"  # "worker" when only the learner's own process could see it
    is_private: bool = False  # the lead's own law, of which the learner reads the task and the statement alone
    learner: str | None = None
    time: str = ""
    schema_version: int = VERSION


def state_of(records: Collection[Record], n_laws: int) -> str:
    """How a task stands, from the records of its laws, of which there are `n_laws`."""
    if not records:
        return UNTRIED
    statuses = {record.status for record in records}
    for status, state in (("failed", BROKEN), ("error", BROKEN), ("not_started", UNTOUCHED), ("skipped", WAITING)):
        if status in statuses:
            return state
    return DONE if len(records) == n_laws else PARTLY


def tally_of(statuses: Iterable[str]) -> str:
    """How a task stands, counted: `1 law holds, 1 broken, 2 wait for it`."""
    count = Counter(statuses)
    held, broken, waiting = count["passed"], count["failed"] + count["error"], count["skipped"]
    parts = [f"{held} {'law holds' if held == 1 else 'laws hold'}", f"{broken} broken"]
    if waiting:
        parts.append(f"{waiting} {'waits' if waiting == 1 else 'wait'} for it")
    return ", ".join(parts)


def shortened(record: Record) -> Record:
    """The record with each text cut to size."""
    cut: dict[str, Any] = {name: value[:MAX_TEXT] for name, value in vars(record).items() if isinstance(value, str)}
    return replace(record, **cut)


def to_line(record: Record) -> str:
    """One line of JSON, each text cut to size."""
    return json.dumps(asdict(shortened(record)), ensure_ascii=False)


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write records as JSON Lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(to_line(record) + "\n" for record in records), encoding="utf-8")


def now() -> str:
    """The time of a record: UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def hash_of(files: Iterable[Path]) -> str:
    """One hash for some files: their names and contents."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.name.encode() + b"\0" + (path.read_bytes() if path.is_file() else b"") + b"\0")
    return digest.hexdigest()[:16]
