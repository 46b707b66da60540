"""Learners' repositories as tests make them: local, of a few files, some of them hostile."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}
DAY = "2026-09-01T12:00:00+00:00"


def git(folder: Path, *arguments: str, stdin: bytes = b"", at: str = DAY) -> str:
    """What git prints in a folder, as Ada, at this time."""
    environment = os.environ | ENVIRONMENT | {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
    run = subprocess.run(
        ["git", *arguments], cwd=folder, input=stdin, env=environment, capture_output=True, check=True, timeout=120
    )
    return run.stdout.decode().strip()


def make_repository(folder: Path, files: Mapping[str, str | bytes], at: str = DAY) -> Path:
    """A repository with one commit of these files."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    return commit(folder, files, at)


def commit(folder: Path, files: Mapping[str, str | bytes], at: str = DAY) -> Path:
    """One more commit, of these files and whatever else lies there."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--no-verify", "--allow-empty", "--message=work", at=at)
    return folder


def commit_tree(folder: Path, entries: str, at: str = DAY) -> str:
    """A commit of a tree that is written entry by entry, as `git mktree` takes them; it becomes the branch."""
    tree = git(folder, "mktree", "--missing", stdin=entries.encode())
    made = git(folder, "commit-tree", tree, "-m", "by hand", at=at)
    git(folder, "update-ref", "refs/heads/main", made)
    return made


def blob(folder: Path, content: bytes) -> str:
    """A blob's id, after it was written."""
    return git(folder, "hash-object", "-w", "--stdin", stdin=content)
