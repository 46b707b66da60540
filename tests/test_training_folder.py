"""A power cut loses what was not on the disk when it took its name, and says why."""

import os
import shutil
from os import fsync, rename
from pathlib import Path

import pytest

from graders.engine.worker.folder import REMOVED, Folder

WHOLE = b"all of it"


@pytest.fixture
def here(tmp_path):
    """A folder beside another one, with an old file in it."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "old").write_bytes(b"old")
    return tmp_path / "here"


def written(path: Path) -> Path:
    """Write a file, and send it to the disk by a name of this module's own."""
    with path.open("wb") as file:
        file.write(WHOLE)
        file.flush()
        fsync(file.fileno())
    return path


def written_by_os(path: Path) -> Path:
    with path.open("wb") as file:
        file.write(WHOLE)
        file.flush()
        os.fsync(file)
    return path


def not_synced(path: Path) -> Path:
    path.write_bytes(WHOLE)
    return path


def sync_after_the_rename(here: Path) -> None:
    not_synced(here / "part").replace(here / "new")
    with (here / "new").open("rb+") as file:
        os.fsync(file)


RIGHT = {
    "in place": lambda here: written(here / "new"),
    "renamed by os": lambda here: rename(str(written(here / "part")), here / "new"),  # noqa: PTH104 (the function that is watched)
    "renamed by pathlib": lambda here: written(here / "part").replace(here / "new"),
    "sent by os": lambda here: written_by_os(here / "part").rename(here / "new"),
    "moved": lambda here: shutil.move(written(here / "part"), here / "new"),
}
WRONG = {
    "new: it was not sent to the disk": lambda here: not_synced(here / "part").replace(here / "new"),
    "new: it was sent to the disk after it was renamed": sync_after_the_rename,
    "new: it was written in another folder, and moved here": lambda here: written(here.parent / "part").replace(
        here / "new"
    ),
}


@pytest.mark.parametrize("save", RIGHT.values(), ids=RIGHT)
def test_what_was_on_the_disk_in_time_is_kept(here, save):
    assert Folder(here).power_cut(save, here) == []
    assert (here / "new").read_bytes() == WHOLE
    assert (here / "old").read_bytes() == b"old"


@pytest.mark.parametrize(("why", "save"), WRONG.items(), ids=WRONG)
def test_what_was_not_is_lost_and_it_is_said_why(here, why, save):
    assert Folder(here).power_cut(save, here) == [why]
    assert (here / "new").read_bytes() == b""
    assert (here / "old").read_bytes() == b"old"


@pytest.mark.parametrize("takes_away", [Path.unlink, lambda old: old.rename(old.with_name("backup"))])
def test_the_last_one_may_be_replaced_and_not_taken_away(here, takes_away):
    def save(folder):
        takes_away(folder / "old")
        written(folder / "part").rename(folder / "old")

    assert Folder(here).power_cut(save, here) == [f"old: {REMOVED}"]
    assert Folder(here).power_cut(lambda folder: written(folder / "part").replace(folder / "old"), here) == []


def test_a_power_cut_ends_with_its_call(here):
    before = [os.fsync, os.rename, os.replace, fsync, rename]
    Folder(here).power_cut(written, here / "new")
    assert [os.fsync, os.rename, os.replace, fsync, rename] == before
