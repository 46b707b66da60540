"""The record: one law's verdict, the same on a laptop, in CI and in a cluster."""

import datetime
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from graders.engine.worker.codec import Opaque

SCHEMA = Path(__file__).with_name("record.schema.json")
VERSION = 1
MAX_TEXT = 2000  # characters of any one field
STATUSES = ("passed", "failed", "error", "not_started", "skipped")


@dataclass(frozen=True)
class Record:
    """The verdict on one law. Plain data; `to_line` writes it, `record.schema.json` describes it."""

    exercise: str
    task: str
    law: str
    statement: str
    status: str
    kind: str = ""  # of a failure: values, shape, timeout, ...
    cause: str = ""  # of a skip: what it waits for
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
    learner: str | None = None
    time: str = ""
    schema_version: int = VERSION


def to_line(record: Record) -> str:
    """One line of JSON, each text cut to size."""
    fields = {k: v[:MAX_TEXT] if isinstance(v, str) else v for k, v in asdict(record).items()}
    return json.dumps(fields, ensure_ascii=False)


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


def number(value: float) -> str:
    """A number as a person writes it: 0.3, -inf, 1.414214."""
    return f"{value:.7g}"


def sizes(axes: dict[str, int]) -> str:
    """Named axes after the name of a value: ` (batch 1, queries 2)`; nothing where there are none."""
    return f" ({', '.join(f'{axis} {size}' for axis, size in axes.items())})" if axes else ""


def kind_of(value: Any) -> str:
    """A value's type as a person says it."""
    if isinstance(value, Opaque):
        name = "NumPy array" if value.type_name == "numpy.ndarray" else value.type_name
        return f"a {name}" + (f" ({value.text})" if value.text else "")
    if isinstance(value, Tensor):
        return "a tensor"
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name == 'int' else 'a'} {name}"


def numbers(value: Any) -> str:
    """A value on one line: nested brackets, axes of length one left out."""
    if isinstance(value, Tensor):
        value = value.squeeze() if value.numel() else value
        value = value.tolist()
    if isinstance(value, list):
        return "[" + ", ".join(numbers(item) for item in value) + "]"
    return number(value) if isinstance(value, float) else str(value)
