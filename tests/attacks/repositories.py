"""Repositories that try more than their files: links, huge files, hooks, filters, caches, and URLs that are options."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from graders.cohort.fetch import FetchError, newest_commit
from graders.cohort.submission import Submission, fetch_submission, read_folder
from graders.engine.stubs import stub_files

WRONG = "def softmax(x, dim):\n    return x\n"
URLS = [
    "--upload-pack=touch {canary}",
    "-oProxyCommand=touch {canary}",
    "--config=core.fsmonitor=touch {canary}",
    "ext::sh -c 'touch {canary}'",
    "ext::touch% {canary}",
    "ext::",
    "fd::0",
    "file:///{folder}",
    "http://127.0.0.1:9/x.git",
    "git://127.0.0.1/x.git",
    "ftp://127.0.0.1/x.git",
    "ssh://-oProxyCommand=touch {canary}/x",
    "ssh://user@-oProxyCommand=touch/x",
    "git@-oProxyCommand=touch:x",
    "-u touch {canary}",
    "https://user:password@127.0.0.1/x",
    "../../../../etc",
    "/etc/passwd",
    "/dev/zero",
    "",
    "\n--upload-pack=touch",
    "https://127.0.0.1/x\n--upload-pack=touch",
    "$(touch {canary})",
    "`touch {canary}`",
    "; touch {canary}",
    "transport::helper::x",
]

CONFIGURED = (
    "core.fsmonitor", "core.sshCommand", "core.pager", "filter.evil.smudge", "filter.evil.process",
    "uploadpack.packObjectsHook", "core.alternateRefsCommand", "credential.helper", "diff.evil.textconv",
)  # fmt: skip
EDITED = (
    "graders/test_softmax.py", "graders/engine/trial.py", "reference/softmax.py", "graders/course.toml",
    ".github/workflows/grade.yml", "conftest.py", "pyproject.toml", "pytest.ini", "exercises/conftest.py",
)  # fmt: skip
CACHED = (
    "exercises/__pycache__/softmax.cpython-311.pyc", ".hypothesis/examples/0/0", ".pytest_cache/v/x",
    "exercises/softmax.so", "exercises/softmax/__init__.py", ".headstart/verdicts/softmax.json",
)  # fmt: skip


def _git(folder: Path, *arguments: str) -> None:
    names = {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = os.environ | names | {"GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, env=environment)


def repository(folder: Path, **texts: str) -> Path:
    """A learner's repository with a wrong answer in it."""
    (folder / "exercises").mkdir(parents=True)
    for name, text in {**stub_files(), "softmax": WRONG, **texts}.items():
        (folder / "exercises" / f"{name}.py").write_text(text, encoding="utf-8")
    _git(folder, "init", "-q", "-b", "main")
    return folder


def committed(folder: Path) -> Submission:
    """The submission of all that is in a folder now."""
    _git(folder, "add", "-A", "-f")
    _git(folder, "commit", "-q", "--allow-empty", "-m", "all")
    return fetch_submission(str(folder))


def both(folder: Path) -> list[Submission]:
    """The submission as its repository gives it, and as its folder does."""
    return [committed(folder), read_folder(folder)]


def links(folder: Path) -> None:
    """A link to a file of the lead's, to a device, to the way out: none is followed."""
    secret = folder / "secret.csv"
    secret.write_text("swordfish", encoding="utf-8")
    mine = repository(folder / "mine")
    for target in (secret, Path("/dev/zero"), Path("/proc/self/environ"), Path("../../secret.csv"), Path("softmax.py")):
        (mine / "exercises/softmax.py").unlink()
        (mine / "exercises/softmax.py").symlink_to(target)
        for handed_in in both(mine):
            assert "softmax" not in handed_in.files
            assert "a link" in handed_in.problems["softmax"]


def a_linked_folder(folder: Path) -> None:
    """The whole folder of exercises is a link to somebody else's: nothing is taken."""
    other = repository(folder / "other")
    mine = repository(folder / "mine")
    for file in (mine / "exercises").iterdir():
        file.unlink()
    (mine / "exercises").rmdir()
    (mine / "exercises").symlink_to(other / "exercises")
    for handed_in in both(mine):
        assert (dict(handed_in.files), "a link" in handed_in.problems["softmax"]) == ({}, True)


def traversal(folder: Path) -> None:
    """Files beside and above the folder, and names that lead out of it: only what the index names is taken."""
    mine = repository(folder / "mine")
    for name in (
        "../reference.py",
        "..\\up.py",
        "sitecustomize.py",
        "torch.py",
        "conftest.py",
        "softmax.py.pth",
        "__init__.pyc",
    ):
        (mine / "exercises" / name).write_text("raise SystemExit", encoding="utf-8")
    for handed_in in both(mine):
        assert set(handed_in.files) <= set(stub_files())


def no_plain_files(folder: Path) -> None:
    """A folder, a pipe, a file of a gigabyte, no UTF-8, no bytes at all: each is a problem that has its sentence."""
    mine = repository(folder / "mine")
    file = mine / "exercises/softmax.py"
    for make in _ODD_FILES:
        file.unlink()
        make(file)
        handed_in = read_folder(mine)
        assert "softmax" not in handed_in.files
        assert handed_in.problems["softmax"].startswith("exercises/softmax.py")
        if file.is_dir():
            (file / "x").unlink()
            file.rmdir()
            file.touch()


def _folder(path: Path) -> None:
    path.mkdir()
    (path / "x").touch()


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**30)


_ODD_FILES: list[Callable[[Path], object]] = [
    _folder,
    os.mkfifo,
    _huge,
    lambda path: path.write_bytes(b"\xff\xfe\x00"),
    lambda path: path.write_bytes(b"x = 1\n" * 100_000),
]


def huge_in_git(folder: Path) -> None:
    """A commit that unfolds to far more than it weighs is not taken, and nor is it waited for."""
    mine = repository(folder / "mine", softmax="x = 1\n" * 2_000_000)
    handed_in = committed(mine)
    assert "softmax" not in handed_in.files
    assert "expected at most 256 kB" in handed_in.problems["softmax"]


def code_of_git(folder: Path) -> None:
    """Hooks, filters, LFS, submodules, attributes and helpers of the repository: nothing of them runs."""
    canary = folder / "canary"
    runs = f"touch {canary}"
    mine = repository(folder / "mine")
    (mine / ".gitattributes").write_text("*.py filter=evil diff=evil merge=evil ident\n", encoding="utf-8")
    (mine / ".lfsconfig").write_text("[lfs]\n\turl = http://127.0.0.1:9\n", encoding="utf-8")
    inner = repository(folder / "inner")
    committed(inner)
    _git(mine, "-c", "protocol.file.allow=always", "submodule", "add", str(inner), "evil")
    with (mine / ".gitmodules").open("a", encoding="utf-8") as modules:
        modules.write(f'[submodule "x"]\n\tpath = x\n\turl = --upload-pack={runs}\n\tupdate = !{runs}\n')
    committed(mine)
    for key in CONFIGURED:
        _git(mine, "config", key, runs)
    hooks = mine / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "post-merge", "reference-transaction", "post-index-change", "pre-receive", "update"):
        (hooks / name).write_text(f"#!/bin/sh\n{runs}\n", encoding="utf-8")
        (hooks / name).chmod(0o755)
    handed_in = fetch_submission(str(mine))
    assert newest_commit(str(mine)) == handed_in.commit
    assert (handed_in.files["softmax"], canary.exists()) == (WRONG, False)


def pointers_of_lfs(folder: Path) -> None:
    """A pointer of LFS is not fetched: it is a problem, not a text."""
    mine = repository(folder / "mine", softmax="version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    for handed_in in both(mine):
        assert ("softmax" in handed_in.files, "LFS" in handed_in.problems["softmax"]) == (False, True)


def urls(folder: Path) -> None:
    """A clone URL that is an option, another transport or a command is refused, and nothing runs."""
    canary = folder / "canary"
    for url in URLS:
        with pytest.raises(FetchError):
            fetch_submission(url.format(canary=canary, folder=folder), seconds=5.0)
        with pytest.raises(FetchError):
            newest_commit(url.format(canary=canary, folder=folder), seconds=5.0)
        assert not canary.exists()


def edited_graders(folder: Path) -> None:
    """Graders, index and workflow edited in the fork, and a reference of its own, have no part in a submission."""
    mine = repository(folder / "mine")
    for name in EDITED:
        (mine / name).parent.mkdir(parents=True, exist_ok=True)
        (mine / name).write_text("raise SystemExit(0)\n", encoding="utf-8")
    expected = repository(folder / "plain")
    for handed_in, honest in zip(both(mine), both(expected), strict=True):
        assert dict(handed_in.files) == dict(honest.files)


def planted_caches(folder: Path) -> None:
    """Bytecode, examples and activations planted in the repository are not taken along."""
    mine = repository(folder / "mine")
    for name in CACHED:
        (mine / name).parent.mkdir(parents=True, exist_ok=True)
        (mine / name).write_bytes(b"planted")
    for handed_in in both(mine):
        assert (set(handed_in.files) <= set(stub_files()), "planted" in str(handed_in)) == (True, False)


def names_that_are_escapes(folder: Path) -> None:
    """Names of files and of the repository that a terminal obeys are shown without what it would obey."""
    with pytest.raises(FetchError) as refused:
        fetch_submission(f"{folder}/\x1b]0;owned\x07\x1b[2J\u202egpj")
    assert str(refused.value).isprintable()
