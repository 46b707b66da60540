"""However a run ends, killed, on a full disk or beside another one, nothing is lost or doubled."""

import random
import sqlite3
import sys
import time

import pytest
from cohorts import LAWS, start_quick_run, submission_of

from graders.cohort.submission import subject_hash

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals, and limits on files")

N = 200  # learners
N_KILLS = 20
TEXTS = {subject_hash(submission_of(n), "attention") for n in range(N)}


def rows(path, query):
    history = sqlite3.connect(path)
    try:
        return history.execute(query).fetchall()
    finally:
        history.close()


def expect_whole(path):
    """Hold what holds at any moment; returns how many gradings are finished."""
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "PRAGMA foreign_key_check") == []
    finished = rows(
        path,
        "SELECT g.id, n_laws, (SELECT count(*) FROM records r WHERE r.grading = g.id) FROM gradings g "
        "WHERE finished_at IS NOT NULL",
    )
    assert {(n_laws, n_records) for _, n_laws, n_records in finished} <= {(3, 3)}
    return len(finished)


def expect_complete(path):
    """Hold that every learner has the verdict that their text deserves, once."""
    assert expect_whole(path) == len(TEXTS) == rows(path, "SELECT count(*) FROM gradings")[0][0]
    assert rows(path, "SELECT count(*) FROM records") == [(len(LAWS) * len(TEXTS),)]
    assert rows(path, "SELECT learner, count(*) FROM submissions GROUP BY learner HAVING count(*) > 1") == []
    verdicts = rows(path, "SELECT learner, subject_hash, status FROM verdicts")
    assert len(verdicts) == N
    for learner, text, status in verdicts:
        submission = submission_of(int(learner[1:]))
        assert text == subject_hash(submission, "attention")
        assert status == ("failed" if "wrong" in submission.files["attention"] else "passed")


def test_killed_at_random_moments_it_goes_on_from_there_each_time(tmp_path):
    path, chance, finished = tmp_path / "history.sqlite3", random.Random(6), 0
    for _ in range(N_KILLS):
        run = start_quick_run(path, N, ends=False)
        run.stdout.readline()
        time.sleep(chance.uniform(0, 0.04))
        run.kill()
        run.communicate()
        assert run.returncode == -9
        before, finished = finished, expect_whole(path)
        assert finished >= before
    last = start_quick_run(path, N)
    assert last.communicate()[1] == ""
    expect_complete(path)


def test_two_runs_at_once_do_not_double_anything(tmp_path):
    path = tmp_path / "history.sqlite3"
    pair = [start_quick_run(path, N) for _ in range(2)]
    assert [run.communicate()[1] for run in pair] == ["", ""]
    expect_complete(path)
    assert rows(path, "SELECT count(*) FROM visits") == [(2 * N,)]


def test_on_a_full_disk_it_says_so_and_goes_on_when_there_is_room(tmp_path):
    path = tmp_path / "history.sqlite3"
    full = start_quick_run(path, N, n_bytes=200_000)
    told = full.communicate()[1]
    assert full.returncode == 1
    assert told.startswith("the history could not be written (")
    assert told.endswith("what is in it is whole: mend that, and run the command again\n")
    assert 0 < expect_whole(path) < len(TEXTS)
    again = start_quick_run(path, N)
    assert again.communicate()[1] == ""
    expect_complete(path)
