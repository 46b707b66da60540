"""`headstart cohort grade --learner DIR`: one folder graded where the lead stands, with its learner's screens."""

import sqlite3

import pytest
from cohorts import TEXTS
from learners import solved
from typer.testing import CliRunner

from graders.cli import app

ADVICE = "Isolation: process. A verdict can be forged below the sandbox: these are advice, not marks."


@pytest.fixture
def typed(tmp_path, monkeypatch):
    """What the command says of a learner's folder with this file in it, typed in a folder of the lead's."""
    (tmp_path / "lead").mkdir()
    monkeypatch.chdir(tmp_path / "lead")

    def graded(text, *options):
        exercises = tmp_path / "bob" / "exercises"
        exercises.mkdir(parents=True)
        (exercises / "config.py").write_text(solved("config"))
        if text is not None:
            (exercises / "layer_norm.py").write_bytes(text if isinstance(text, bytes) else text.encode())
        common = ("cohort", "grade", "--exercise", "layer_norm", "--isolation", "process", "--learner", "../bob")
        done = CliRunner().invoke(app, [*common, *options])
        return done.exit_code, done.output

    return graded


def test_the_screens_are_those_of_the_learner_and_lead_on_where_the_lead_stands(typed, tmp_path):
    code, said = typed(TEXTS["wrong"])
    assert code == 1
    assert said.startswith("layer_norm · LayerNorm")
    assert "  What this looks like   " in said
    assert "  More: headstart show layer_norm LayerNorm\n" in said
    assert "docs/" not in said  # a lead's folder has no pages
    assert "\nNext: mend LayerNorm in ../bob/exercises/layer_norm.py\n" in said
    assert said.splitlines()[-1] == ADVICE
    assert [path.name for path in (tmp_path / "lead").iterdir()] == ["secret.key"]


def test_where_the_course_s_pages_are_a_screen_leads_to_them(typed, tmp_path):
    (tmp_path / "lead" / "docs" / "exercises").mkdir(parents=True)
    assert "  More: docs/exercises/layer_norm.md#" in typed(TEXTS["wrong"])[1]


def test_the_verdicts_are_kept_where_a_history_is_named(typed):
    typed(TEXTS["wrong"], "--history", "own.sqlite3")
    history = sqlite3.connect("own.sqlite3")
    assert history.execute("SELECT learner, status FROM verdicts").fetchall() == [("bob", "failed")]
    assert history.execute("SELECT count(*) FROM submissions WHERE own_hash = ''").fetchone() == (0,)
    history.close()


def test_why_a_file_was_not_taken_is_said_in_place_of_that_it_is_not_there(typed):
    code, said = typed(b"\xff\xfe\xfd")
    told = ["layer_norm", "  exercises/layer_norm.py is not UTF-8 (byte 1); save it as UTF-8."]
    assert (code, said.splitlines()[:2]) == (1, told)


def test_a_folder_without_the_files_is_told_what_was_expected(typed):
    assert typed(None) == (
        1,
        "../bob/exercises has none of the files that were to be graded; expected a learner's repository, with "
        "exercises/layer_norm.py in it; nothing was graded\n",
    )
