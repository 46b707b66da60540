"""The folder of a report: made beside the old one and put in its place when it is whole."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

MARK = ".headstart-report"  # in a folder of ours: nothing else is ever replaced


def is_ours(out: Path) -> bool:
    """Whether a report may be written there: nothing is there, an empty folder, or an earlier report."""
    if not out.exists():
        return not out.is_symlink()
    return out.is_dir() and ((out / MARK).is_file() or not any(out.iterdir()))


@contextlib.contextmanager
def replaced(out: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `out` at the end; whatever stops it leaves the earlier report.

    Raises `OSError` where it cannot be written.
    """
    out = out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as beside:
        fresh, old = Path(beside) / "new", Path(beside) / "old"
        fresh.mkdir()
        (fresh / MARK).write_text("Made by headstart cohort report, which replaces this folder.\n", encoding="utf-8")
        yield fresh
        if out.exists():
            out.rename(old)
        fresh.rename(out)
        shutil.rmtree(old, ignore_errors=True)
