"""What a training run's folder remembers of it: the text, steps, seed and sizes. Imports nothing that takes time.

`run.json` is there before the first step, so that a run is never gone on with on another text; what the run came to
is added at its end.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from graders.subject_code import CannotGoOn
from reference.config import GPTConfig

RUN, CHECKPOINT, WEIGHTS, LOSSES = "run.json", "checkpoint.pt", "model.safetensors", "losses.jsonl"
LOCK = "run.lock"
CONFIG = GPTConfig(d_vocab=1024, n_ctx=128, n_layers=4, n_heads=4, d_model=128, d_head=32, d_mlp=512)
BATCH = 8
OTHERWISE = "move it away, or use --out for another folder"


@dataclass(frozen=True)
class Text:
    """What a run trains on, and what to call it."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_text(path: Path | None) -> Text:
    """The text of a file; without one, Python's own manual, which is on every machine."""
    if path is None:
        from pydoc_data.topics import topics

        return Text("Python's own manual", "\n\n".join(topics.values()))
    try:
        return Text(str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CannotGoOn(f"{path} cannot be read as text ({error}); expected a UTF-8 text file") from error


def settings(text: Text, steps: int, seed: int) -> dict[str, Any]:
    """All that a run depends on but the subject's code, as plain data."""
    return {
        "text": text.name,
        "text_sha256": text.sha256,
        "steps": steps,
        "seed": seed,
        "batch": BATCH,
        "cfg": asdict(CONFIG),
    }


@contextmanager
def alone_in(out: Path) -> Iterator[None]:
    """While a run is at work in its folder, which is made if there is none: two in one folder would mix.

    However a process ends, the folder is free then. Raises `CannotGoOn` when another run is at work in it, or nothing
    can be written there.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(out / LOCK)
    told = f"another run is at work in {out}/; wait for it, or use --out for another folder"
    with kept(out / LOCK):
        out.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise CannotGoOn(told) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def kept(path: Path) -> Iterator[None]:
    """Where a file of a run is written. Raises `CannotGoOn` when the disk is full, or cannot be written to."""
    try:
        yield
    except OSError as error:
        raise CannotGoOn(
            f"{path} cannot be written ({error.strerror}); expected room on the disk, and leave to write; the same "
            "command goes on once there is, or use --out for another folder"
        ) from error


def remember(out: Path, said: dict[str, Any]) -> None:
    """Write `run.json`, whole or not at all, in a folder that is made if there is none."""
    write_json(out / RUN, said)


def write_json(path: Path, said: dict[str, Any]) -> None:
    """Write a file of plain data, whole or not at all, in a folder that is made if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


def check_same(out: Path, wanted: dict[str, Any]) -> bool:
    """Whether all steps of the run in `out` are taken already. Raises `CannotGoOn` when it is a run of something else.

    A folder in which no step was taken, or that is not there, takes any run.
    """
    if out.exists() and not out.is_dir():
        raise CannotGoOn(f"{out} is a file; expected a folder, or none yet; use --out for another")
    application = application_in(out)
    if application:
        raise CannotGoOn(f"{out}/ holds a run of `headstart run {application}`; use --out for another folder")
    if not any((out / name).exists() for name in (CHECKPOINT, WEIGHTS, LOSSES)):
        return False
    try:
        found = json.loads((out / RUN).read_text(encoding="utf-8"))
        was = {name: found[name] for name in wanted}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotGoOn(f"{out}/ holds a run, and no {RUN} that says what it was trained on; {OTHERWISE}") from error
    if any(was[name] != wanted[name] for name in wanted if name != "text"):  # the same text may be called otherwise
        told = _told(was, wanted)
        if was["steps"] != wanted["steps"]:
            told += ", which its learning rate follows, so that it cannot be made longer or shorter"
        raise CannotGoOn(f"{out}/ was trained on {told}; expected the same, or --out for another folder")
    return found.get("taken") == wanted["steps"] and (out / WEIGHTS).exists()


def application_in(folder: Path) -> str:
    """The application of which a folder holds a run; empty when there is no such run in it."""
    try:
        found = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(found.get("application", "")) if isinstance(found, dict) else ""


def _told(was: dict[str, Any], wanted: dict[str, Any]) -> str:
    """A run's text, steps and seed, and what else differs from what is wanted now."""
    told = f"{was['text']} with steps {was['steps']}, seed {was['seed']}"
    if was["text"] == wanted["text"] and was["text_sha256"] != wanted["text_sha256"]:
        told += ", and that text has changed since"
    if any(was[name] != wanted[name] for name in ("batch", "cfg")):
        told += ", in sizes of another version of the course"
    return told
