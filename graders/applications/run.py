"""One run of an application: what it is given, and what its folder remembers.

A folder holds run.json (what is run: application, subject, seed, settings), for every training its checkpoint and its
curve (`training.py`), and in the end metrics.json (the figures) and pictures.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure

from graders.run_folder import OTHERWISE, RUN, kept, write_json
from graders.subject_code import CannotGoOn

METRICS = "metrics.json"
OURS = {".json", ".jsonl", ".pt", ".png", ".partial", ".lock"}  # endings of what runs leave


@dataclass(frozen=True)
class Run:
    """What an application works with."""

    parts: Mapping[str, Any]  # the subject's modules by the names of their files, `config` among them
    seed: int
    out: Path  # where checkpoints, curves and pictures go
    settings: Mapping[str, Any]  # the application's own

    def generator(self, number: int = 0) -> torch.Generator:
        """A source of chance of its own for every number, the same whenever a run of this seed asks for it."""
        return torch.Generator().manual_seed((self.seed * 1_000_003 + number) % 2**63)


@dataclass(frozen=True)
class Table:
    """Figures as they are printed in the end."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def figures_in(out: Path, what: dict[str, Any]) -> dict[str, Any] | None:
    """The figures of the run in a folder when it is done; None when it is not, or not yet begun.

    `what` says which run is wanted: its `application`, `subject`, `seed` and `settings`. Raises `CannotGoOn` when the
    folder holds another run, a damaged one, or something else.
    """
    if out.exists() and not out.is_dir():
        raise CannotGoOn(f"{out} is a file; expected a folder, or none yet; use --out for another")
    if not (out / RUN).exists():
        others = [path.name for path in out.iterdir() if path.suffix not in OURS] if out.is_dir() else []
        if others:
            raise CannotGoOn(f"{out}/ holds {min(others)}, and no run; expected a folder of a run's own; use --out")
        if not any(out.glob("*.pt")):
            return None
    found = _read(out / RUN, f", so that nobody knows what the run in {out}/ is; {OTHERWISE}")
    wanted = json.loads(json.dumps(what))
    if found != wanted:
        raise CannotGoOn(f"{out}/ holds {_told(found, wanted)}; use --out for another folder")
    if not (out / METRICS).exists():
        return None
    again = "; delete it, and the same command makes it and the pictures anew from what was trained"
    done = _read(out / METRICS, again)
    if not isinstance(done, dict) or not isinstance(done.get("figures"), dict):
        raise CannotGoOn(f"{out / METRICS} has no figures{again}")
    figures: dict[str, Any] = done["figures"]
    return figures


def _read(path: Path, what_now: str) -> Any:
    """What a file of plain data says. Raises `CannotGoOn`, with what to do, when it says nothing."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CannotGoOn(f"{path} is missing or damaged{what_now}") from error


def begin(out: Path, what: dict[str, Any]) -> None:
    """Remember in a folder, which is made if there is none, which run it holds. Raises `CannotGoOn`, as `kept` does."""
    keep(out / RUN, what)


def finish(out: Path, what: dict[str, Any], figures: dict[str, Any]) -> None:
    """Write what a run came to, beside what was run. Raises `CannotGoOn`, as `kept` does."""
    keep(out / METRICS, what | {"figures": figures})


def keep(path: Path, said: dict[str, Any]) -> None:
    """Write a file of plain data, whole or not at all. Raises `CannotGoOn`, as `kept` does."""
    with kept(path):
        write_json(path, said)


def keep_picture(path: Path, drawn: Figure) -> None:
    """Write a picture. Raises `CannotGoOn`, as `kept` does."""
    with kept(path):
        drawn.savefig(path, dpi=120)


def _told(found: Any, wanted: dict[str, Any]) -> str:
    """What another run is, and what is asked for, by what differs between the two."""
    if not isinstance(found, dict) or "application" not in found:
        return "another kind of run"
    was, asked = ({**run, "data": (run.get("settings") or {}).get("data")} for run in (found, wanted))
    differing = [name for name in ("application", "subject", "seed", "data") if was.get(name) != asked[name]]
    if not differing:
        return "a run with settings of another version of the course"
    one, other = (", ".join(f"{name} {run.get(name)}" for name in differing) for run in (was, asked))
    return f"a run of {one}; asked for is {other}"
