"""What a learner handed in: the texts of the files that the index names, and nothing else of their repository.

They come from the objects of a commit or from a folder. A link, a folder, a large file or one that is no text is not
taken, and the sentence that says so is part of the submission.
"""

import errno
import functools
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from graders.cohort.fetch import MAX_BLOB, MAX_BYTES, SECONDS, Fetched, FetchError, fetch, git
from graders.engine.course import load_course
from graders.engine.stubs import GIVEN

FOLDER = "exercises"
LFS = "version https://git-lfs.github.com/spec/"
NO_FILE = "is not a plain file but {}; put the text itself there"
KINDS = {"120000": "a link", "040000": "a folder", "160000": "a submodule"}  # by the mode that git has for them


@dataclass(frozen=True)
class Submission:
    """The texts of `exercises/<name>.py` by name, and by name why a file that is there was not taken."""

    files: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)  # one sentence each
    commit: str = ""
    committed_at: str = ""  # UTC, to the second


def file_names() -> tuple[str, ...]:
    """The files of a submission that are read: the given ones, then one for each exercise of the index."""
    return (*GIVEN, *(exercise.name for exercise in load_course().exercises))


@functools.cache
def names_for(exercise: str) -> tuple[str, ...]:
    """The files that a verdict on this exercise rests on: its own, all that it needs, and the given ones, in order.

    Raises `KeyError` when there is no such exercise.
    """
    course = load_course()
    names = [exercise]
    for name in names:
        names += [need for need in course[name].needs if need not in names]
    return tuple(name for name in file_names() if name in names or name in GIVEN)


def subject_hash(submission: Submission, exercise: str) -> str:
    """What tells one state of the files that an exercise rests on from another: 16 hexadecimal digits."""
    return _digest(submission, names_for(exercise))


def own_hash(submission: Submission, exercise: str) -> str:
    """The same of the exercise's own file alone: another one is another attempt."""
    return _digest(submission, (exercise,))


def _digest(submission: Submission, names: Iterable[str]) -> str:
    said = [[name, submission.files.get(name), submission.problems.get(name)] for name in names]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def fetch_submission(
    repository: str, limit: int = MAX_BYTES, seconds: float = SECONDS, commit: str = "HEAD"
) -> Submission:
    """Fetch a learner's repository, read the submission, and leave nothing behind. Raises `FetchError`."""
    with tempfile.TemporaryDirectory(prefix="headstart-", ignore_cleanup_errors=True) as folder:
        return read_repository(Path(folder), fetch(repository, Path(folder), limit, seconds, commit))


def read_repository(folder: Path, fetched: Fetched) -> Submission:
    """Read a submission from the objects of a fetched commit. Raises `FetchError` when git cannot read them."""
    paths = {f"{FOLDER}/{name}.py": name for name in file_names()}
    try:
        above = _tree(folder, fetched.commit, [FOLDER])
        mode = above[FOLDER][0] if FOLDER in above else ""
        if mode not in ("", "040000"):
            return _without_folder(KINDS.get(mode, "a file"), fetched)
        entries = {paths[path]: entry for path, entry in _tree(folder, fetched.commit, list(paths)).items()}
        problems = {name: _sentence(name, NO_FILE.format(KINDS[m])) for name, (m, _) in entries.items() if m in KINDS}
        objects = {name: entry[1] for name, entry in entries.items() if name not in problems}
        sizes = _sizes(folder, objects)
        # One that is missing was too large to be sent
        large = {name for name in objects if not 0 <= sizes.get(name, -1) <= MAX_BLOB}
        contents = _contents(folder, {name: oid for name, oid in objects.items() if name not in large})
    except FetchError as error:
        raise FetchError(f"the repository was fetched but could not be read: {error}") from error
    problems |= {name: _sentence(name, _too_large(sizes.get(name))) for name in large}
    return _submission(contents, problems, fetched.commit, fetched.committed_at)


def read_folder(path: Path) -> Submission:
    """Read a submission from a folder with `exercises/` in it, following no link."""
    folder = path / FOLDER
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        return _without_folder("a link" if folder.is_symlink() else "a file")
    contents, problems = {}, {}
    for name in file_names():
        try:
            content = _plain_file(folder / f"{name}.py")
        except FileNotFoundError:
            continue
        except ValueError as error:
            problems[name] = _sentence(name, str(error))
        except OSError as error:
            problems[name] = _sentence(name, f"could not be read: {error.strerror or error}")
        else:
            contents[name] = content
    return _submission(contents, problems)


def _submission(
    contents: Mapping[str, bytes], problems: Mapping[str, str], commit: str = "", committed_at: str = ""
) -> Submission:
    """The texts that these bytes are, and what is wrong with those that are none, in the order of the index."""
    files, wrong = {}, dict(problems)
    for name, content in contents.items():
        try:
            text = content.decode("utf-8-sig")  # some editors begin a file with a BOM
        except UnicodeDecodeError as error:
            wrong[name] = _sentence(name, f"is not UTF-8 (byte {error.start + 1}); save it as UTF-8")
            continue
        if text.startswith(LFS):
            wrong[name] = _sentence(name, "is a pointer of Git LFS, which is not fetched; commit the text itself")
        else:
            files[name] = text.replace("\r\n", "\n").replace("\r", "\n")
    ordered = {name: wrong[name] for name in file_names() if name in wrong}
    return Submission(files, ordered, commit, committed_at)


def _without_folder(kind: str, fetched: Fetched | None = None) -> Submission:
    told = f"{FOLDER} is not a folder but {kind}, so no file was taken from it; make it a folder"
    problems = dict.fromkeys(file_names(), told)
    return Submission({}, problems, fetched.commit if fetched else "", fetched.committed_at if fetched else "")


def _sentence(name: str, said: str) -> str:
    return f"{FOLDER}/{name}.py {said}"


def _too_large(size: int | None) -> str:
    known = f"{-(-size // 1000)} kB" if size and size > 0 else "too large"
    return f"is {known}; expected at most {MAX_BLOB // 1000} kB"


def _plain_file(path: Path) -> bytes:
    """The content of a plain file. Raises `OSError`, and `ValueError` with the end of a sentence when it is none."""
    try:
        # Without waiting: a named pipe would make us wait for whoever writes into it
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK):  # what systems say of a link that is not followed
            raise ValueError(NO_FILE.format("a link")) from error
        if path.is_dir():  # Windows opens none
            raise ValueError(NO_FILE.format("a folder")) from error
        raise
    try:
        status = os.fstat(descriptor)
        if path.is_symlink():  # where links are followed whatever we say
            raise ValueError(NO_FILE.format("a link"))
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(NO_FILE.format("a folder" if stat.S_ISDIR(status.st_mode) else "a device or a pipe"))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(MAX_BLOB + 1)
    finally:
        os.close(descriptor)
    if len(content) > MAX_BLOB:
        raise ValueError(_too_large(status.st_size))
    return content


def _tree(folder: Path, commit: str, paths: list[str]) -> dict[str, tuple[str, str]]:
    """Mode and object of those of these paths that the commit has."""
    listed = git(folder, "ls-tree", "-z", "--full-tree", commit, "--", *paths).decode(errors="replace")
    entries = {}
    for line in filter(None, listed.split("\0")):
        facts, _, path = line.partition("\t")
        mode, _, oid = facts.split(" ")
        if path in paths:
            entries[path] = (mode, oid)
    return entries


def _sizes(folder: Path, objects: Mapping[str, str]) -> dict[str, int]:
    """Sizes of blobs in bytes, by the names of their files, without those that are not there."""
    asked = "".join(f"{oid}\n" for oid in objects.values()).encode()
    replies = [line.split(" ") for line in git(folder, "cat-file", "--batch-check", stdin=asked).decode().splitlines()]
    return {name: int(reply[2]) for name, reply in zip(objects, replies, strict=True) if reply[1] == "blob"}


def _contents(folder: Path, objects: Mapping[str, str]) -> dict[str, bytes]:
    """Contents of blobs, by the names of their files."""
    asked = "".join(f"{oid}\n" for oid in objects.values()).encode()
    printed, found = git(folder, "cat-file", "--batch", stdin=asked), {}
    for name in objects:
        head, _, printed = printed.partition(b"\n")
        size = int(head.split(b" ")[2])
        found[name], printed = printed[:size], printed[size + 1 :]
    return found
