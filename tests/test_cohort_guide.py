"""The lead's guide does what it says: its commands are run word for word, one after the other, as a lead would."""

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from graders.engine.course import ROOT, load_course

GUIDE = ROOT / "docs" / "cohort.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
BETWEEN = "=" * 9


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    """The folder that holds all that the guide makes, and what each of its blocks printed."""
    folder = tmp_path_factory.mktemp("guide")
    course = folder / "course"
    course.mkdir()
    (course / "reference").symlink_to(ROOT / "reference")
    commands = folder / "bin"
    commands.mkdir()
    (commands / "headstart").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m graders.cli "$@"\n')
    (commands / "headstart").chmod(0o755)
    environment = os.environ | {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    environment.pop("HEADSTART_COHORT_SECRET", None)
    script = f"\necho {BETWEEN}\n".join(["set -euo pipefail", *BLOCKS])
    done = subprocess.run(
        ["bash", "-c", script], cwd=course, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout.split(BETWEEN)[1:]


def test_two_learners_are_graded_and_reported(night):
    folder, said = night
    n = len(load_course().exercises)
    assert f"2 learners, {n} exercises: 1 passed, 1 not yet right, {2 * n - 2} not started." in said[1]
    assert "Isolation: sandbox." in said[1]
    assert "Ben Bitdiddle" in (folder / "lead" / "report" / "index.html").read_text(encoding="utf-8")


def test_the_question_that_the_guide_quotes_is_the_one_that_lead_and_learner_read(night):
    folder, said = night
    quoted = re.search(r'for Ben\'s: "([^"]+)"', GUIDE.read_text(encoding="utf-8").replace("\n", " "))
    assert quoted
    assert quoted[1] in said[2]
    assert quoted[1] in (folder / "lead" / "report" / "mistakes.html").read_text(encoding="utf-8")


def test_what_did_not_change_is_not_graded_again(night):
    assert "Graded now: 0" in night[1][3]


def test_a_law_of_the_lead_s_own_is_one_that_a_right_answer_keeps(night):
    folder, said = night
    assert "2 learners, 1 exercise: 1 not yet right, 1 not started." in said[4]
    history = sqlite3.connect(folder / "lead" / "history.sqlite3")
    private = history.execute("SELECT law, status FROM records WHERE is_private ORDER BY status").fetchall()
    history.close()
    assert private == [("test_a_constant_changes_nothing", status) for status in ("passed", "skipped")]


def test_no_verdict_of_an_unchanged_grader_changes(night):
    folder, said = night
    assert said[5].strip()
    assert (folder / "lead" / "secret.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", GUIDE.read_text(encoding="utf-8"))))
)
def test_what_the_guide_shows_is_there(path):
    assert Path(GUIDE.parent, path).is_file()
