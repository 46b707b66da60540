"""A learner's file is replaced in one step, and never lost: not where the disk is full, nor where it is a link."""

import errno
import io
from pathlib import Path

import pytest
from typer.testing import CliRunner

from graders.cli import app
from graders.engine import journal
from graders.loop.files import back_up, replace_file

RIGHT = "def gelu_new(x):\n    return x\n"


@pytest.fixture
def mlp(exercises):
    """The learner's `mlp.py`."""
    return exercises / "mlp.py"


class FullDisk(io.BytesIO):
    """A file that takes half of what is written to it, and holds that."""

    def __init__(self, path: Path):
        super().__init__()
        path.touch(exist_ok=False)

    def write(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")


def files_in(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_where_no_copy_can_be_kept_the_file_is_left_as_it_is_and_no_half_copy_stays(mlp, monkeypatch):
    mlp.write_text(RIGHT)
    before = files_in(journal.HOME.parent)
    usual = Path.open
    monkeypatch.setattr(Path, "open", lambda path, mode, *a: FullDisk(path) if mode == "xb" else usual(path, mode, *a))
    with pytest.raises(
        OSError, match=r"^exercises/mlp\.py was left as it was, since no copy of it could be kept: No space left"
    ):
        replace_file(mlp, b"new")
    monkeypatch.undo()
    assert files_in(mlp.parents[1]) == before
    assert mlp.read_text() == RIGHT


def test_a_file_that_is_not_there_leaves_no_empty_backup(mlp):
    mlp.unlink()
    with pytest.raises(FileNotFoundError):
        back_up(mlp)
    assert not (journal.HOME / "backups").exists()


def test_where_the_disk_is_full_the_file_stays_whole_and_its_copy_is_named(mlp, monkeypatch):
    mlp.write_text(RIGHT)

    def half(path: Path, content: bytes) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    result = CliRunner().invoke(app, ["reset", "gelu_new", "--yes"])
    (backup,) = (journal.HOME / "backups").iterdir()
    assert (result.exit_code, result.stderr) == (
        1,
        "exercises/mlp.py could not be written, so it is as it was "
        f"(a copy is .headstart/backups/{backup.name}): No space left on device\n",
    )
    assert (mlp.read_text(), backup.read_text()) == (RIGHT, RIGHT)
    assert [path.name for path in mlp.parent.iterdir() if path.suffix != ".py"] == []


def test_a_link_stays_a_link_and_the_file_behind_it_keeps_its_permissions(mlp, tmp_path):
    real = tmp_path / "elsewhere.py"
    real.write_text(RIGHT)
    real.chmod(0o600)
    mode = real.stat().st_mode
    mlp.unlink()
    mlp.symlink_to(real)
    backup = replace_file(mlp, b"new")
    assert (mlp.is_symlink(), real.read_bytes(), backup.read_text()) == (True, b"new", RIGHT)
    assert real.stat().st_mode == mode


def test_a_file_that_was_not_there_is_written_as_any_other(tmp_path, mlp):
    (tmp_path / "beside").touch()
    assert replace_file(tmp_path / "new" / "a.ipynb", b"new") is None
    made = tmp_path / "new" / "a.ipynb"
    assert (made.read_bytes(), made.stat().st_mode) == (b"new", (tmp_path / "beside").stat().st_mode)
