"""What a repository may cost: time, disk and memory have limits, and whoever passes one is told which."""

import os
import subprocess
import sys
import time

import pytest
from repositories import blob, commit_tree, make_repository
from repositories import git as as_ada

from graders.cohort.fetch import FetchError, fetch, git
from graders.cohort.submission import fetch_submission, read_repository

on_posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no shell that limits and no process groups")
FILES = {"exercises/attention.py": "x = 1\n"}


@pytest.fixture
def refused(tmp_path):
    """Why a repository cannot be fetched."""

    def _refused(repository, **options):
        into = tmp_path / "fetched"
        into.mkdir()
        with pytest.raises(FetchError) as error:
            fetch(str(repository), into, **options)
        return str(error.value)

    return _refused


@on_posix
def test_a_repository_that_is_too_large_is_refused_at_the_limit(tmp_path, refused):
    ada = make_repository(tmp_path / "ada", FILES | {"weights.bin": os.urandom(3 * 2**20)})
    said = refused(ada, limit=2**20)
    assert said.endswith("its newest commit is larger than 1 MB; take out what is no code")
    assert max(path.stat().st_size for path in (tmp_path / "fetched").rglob("*")) <= 2**20


@pytest.fixture
def git_is(tmp_path, monkeypatch):
    """Puts a shell script in the place of git."""

    def _git_is(script):
        tools = tmp_path / "bin"
        tools.mkdir()
        (tools / "git").write_text(f"#!/bin/sh\n{script}\n")
        (tools / "git").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")

    return _git_is


@on_posix
def test_a_fetch_that_takes_too_long_ends_with_all_that_it_started(tmp_path, git_is, refused):
    pid = tmp_path / "pid"
    git_is(f"sleep 600 &\necho $! > {pid}\nwait")
    # Long enough for a shell to begin on a busy machine
    assert refused(tmp_path, seconds=5.0).endswith("could not be fetched: it took longer than 5 s")
    for _ in range(3000):  # until whoever adopts orphans has taken it away
        if not is_running(int(pid.read_text())):
            break
        time.sleep(0.01)
    assert not is_running(int(pid.read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="macOS limits no memory, and Windows has no ulimit")
def test_git_gets_so_much_memory_and_disk_and_no_more(tmp_path, git_is):
    git_is("ulimit -v; ulimit -f")
    assert git(tmp_path, "version", limit=2**20).split() == [b"2097152", b"2048"]


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return state.strip() != "" and not state.startswith("Z")


def test_a_machine_without_git_says_what_to_do(tmp_path, monkeypatch, refused):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "git is not installed on this machine; install it" in refused(tmp_path)


def test_a_hundred_thousand_files_cost_a_listing_and_no_more(tmp_path):
    ada = make_repository(tmp_path / "ada", FILES)
    content = blob(ada, b"x = 3\n")
    names = "".join(f"100644 blob {content}\tf{n}.py\n" for n in range(100_000))
    folder = as_ada(ada, "mktree", stdin=f"{names}100644 blob {content}\tattention.py\n".encode())
    commit_tree(ada, f"040000 tree {folder}\texercises\n")
    assert fetch_submission(str(ada)).files == {"attention": "x = 3\n"}


def test_a_small_pack_that_unfolds_into_a_large_file_is_not_unfolded(tmp_path):
    ada = make_repository(tmp_path / "ada", FILES | {"exercises/mlp.py": bytes(64 * 2**20)})
    found = fetch_submission(str(ada))
    assert found.files == {"attention": "x = 1\n"}
    assert found.problems == {"mlp": "exercises/mlp.py is 67109 kB; expected at most 256 kB"}


def test_a_file_that_the_server_left_out_was_too_large(tmp_path):
    ada = make_repository(tmp_path / "ada", FILES | {"exercises/mlp.py": os.urandom(300_000)})
    as_ada(ada, "config", "uploadpack.allowFilter", "true")
    found = read_repository(tmp_path, fetch(str(ada), tmp_path))
    assert found.files == {"attention": "x = 1\n"}
    assert found.problems == {"mlp": "exercises/mlp.py is too large; expected at most 256 kB"}
