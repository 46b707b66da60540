"""`headstart cohort roster` shows what a roster changes, applies it when it is told to, and says what is wrong."""

import csv
import io
import os

import pytest
from histories import History
from typer.testing import CliRunner

from graders.cli import app
from graders.cohort.roster import Learner

ADA = Learner("ada", "Ada Lovelace", "learners/ada", "A", None, "ada@example.org")
BO = Learner("bo", "Bo", "learners/bo", "C")
CY = Learner("cy", "Cy", "learners/cy")


@pytest.fixture
def history(tmp_path, monkeypatch):
    """One that knows all three. The current folder is that of the history."""
    monkeypatch.chdir(tmp_path)
    return History(tmp_path / "history.sqlite3", ADA, BO, CY)


def moodle(*arguments):
    """The first cells of the gradebook that an export prints."""
    result = CliRunner().invoke(app, ["cohort", "export", "moodle", *arguments])
    assert result.exit_code == 0, result.output
    return [row[0] for row in csv.reader(io.StringIO(result.stdout))]


def roster(*arguments, code=0):
    result = CliRunner().invoke(app, ["cohort", "roster", *arguments])
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.stderr


def test_a_roster_is_shown_before_it_is_applied_and_nothing_is_made_until_then(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "roster.csv").write_text("id,name,repository\nada,Ada,learners/ada\n")
    shown = "roster.csv: 1 learner\n  new      ada (Ada)\n1 new, 0 changed, 0 gone\n"
    assert roster() == shown + "nothing is changed yet; `headstart cohort roster roster.csv --apply` applies it\n"
    assert not (tmp_path / "history.sqlite3").exists()
    assert roster("--apply") == shown + "applied; the next `headstart cohort grade` grades them\n"
    assert roster() == "roster.csv: 1 learner\nnothing would change\n"


def test_a_folder_that_is_not_there_is_told_and_stops_nobody(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bo").mkdir()
    lines = "id,name,repository\nada,Ada,learners/ada\nbo,Bo,bo\ncy,Cy,https://example.org/cy\n"
    (tmp_path / "roster.csv").write_text(lines)
    result = CliRunner().invoke(app, ["cohort", "roster", "--apply"])
    assert (result.exit_code, result.stderr.splitlines()) == (
        0,
        [
            "these folders are not on this machine; put their paths right, or grade where they are:",
            "  ada: learners/ada",
        ],
    )


def test_a_policy_that_cannot_be_used_ends_the_check_of_a_roster_with_1_and_it_is_applied(history, tmp_path):
    (tmp_path / "roster.csv").write_text("id,name,repository,section\nada,Ada,https://example.org/ada,B\n")
    (tmp_path / "policy.toml").write_text("[starts]\nZ = 2026-09-01\n")
    assert roster("--apply", code=1).splitlines() == [
        "policy.toml cannot be used:",
        "[starts] has 'Z', which is no section of the roster; its sections are B, C",
        "Grading does not rest on the policy, and is not held up; `headstart cohort report` and `export` refuse until "
        "it is put right",
    ]
    assert moodle("--policy", os.devnull) == ["ID number", "ada"]


def test_a_policy_may_name_whoever_is_gone_in_the_check_of_a_roster_as_in_an_export(history, tmp_path):
    (tmp_path / "roster.csv").write_text("id,name,repository\nada,Ada,https://example.org/ada\n")
    (tmp_path / "policy.toml").write_text("[extensions.bo]\ndays = 3\n")
    roster("--apply")
    assert moodle() == ["ID number", "ada"]


def test_whoever_is_gone_stays_in_the_history_and_out_of_the_gradebook(history, tmp_path):
    (tmp_path / "roster.csv").write_text("id,name,repository\nada,Ada Lovelace,learners/ada\n")
    said = roster("--apply")
    assert "  gone     cy (Cy)\n" in said
    assert "  changed  ada (Ada Lovelace): section A -> nothing; email ada@example.org -> nothing\n" in said
    assert moodle() == ["ID number", "ada"]
    assert history.to.execute("SELECT count(*) FROM learners").fetchone()[0] == 3


def test_a_roster_with_problems_changes_nothing(history, tmp_path):
    (tmp_path / "roster.csv").write_text("id,name,repository\nada,,learners/ada\n")
    assert roster("--apply", code=1) == "roster.csv: 1 problem; nothing was applied\nline 2: no name\n"
    assert moodle() == ["ID number", "ada", "bo", "cy"]
