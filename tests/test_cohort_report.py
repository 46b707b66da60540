"""`headstart cohort report`: two folders, what is said, and what is refused before anything is written."""

import re
import sys

import pytest
from reported import cohort, hand_in, learner
from typer.testing import CliRunner

from graders.cli import app
from graders.cohort.history import open_history
from graders.cohort.sandbox import Probe
from graders.commands.cohort.options import refuse_below


@pytest.fixture
def lead(tmp_path, monkeypatch):
    """A lead's folder, with six learners who have handed something in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEADSTART_COHORT_SECRET", raising=False)
    history = cohort(tmp_path / "history.sqlite3", *(learner(i) for i in range(6)))
    for i in range(6):
        # So long ago that by anybody's clock they have left, and nobody needs the lead
        hand_in(history, f"u{i:03}", "tensors", "passed", 4000, isolation="process" if i == 0 else "sandbox")
    history.close()
    return tmp_path


def report(*arguments):
    """The exit code of the command, and all that it says."""
    run = CliRunner().invoke(app, ["cohort", "report", *arguments])
    return run.exit_code, run.output


def test_a_report_is_written_into_both_folders_and_noted(lead):
    code, said = report("--out", "site", "--public", "public")
    assert code == 0
    since = re.search(r"since (\d{4}-\d\d-\d\d)", said)[1]
    assert said == (
        "site/index.html: 6 learners, none of whom need you today\n"
        f"site/digest.md: what is new since {since}\n"
        "public/index.html: figures of 6 learners\n"
        "1 verdict was made below the sandbox: each page with it says so in red\n"
    )
    assert len(list((lead / "site" / "learners").iterdir())) == 6
    history = open_history(lead / "history.sqlite3")
    assert history.execute("SELECT count(*) FROM digests").fetchone()[0] == 1


def test_what_a_run_found_out_about_its_sandbox_is_on_the_first_page(lead, monkeypatch):
    found = Probe("sandbox", "no bound for all together", "run it as root")
    monkeypatch.setattr("graders.cohort.sandbox.probe", lambda: found)
    refuse_below("sandbox", open_history(lead / "history.sqlite3"))
    assert report("--out", "site")[0] == 0
    page = (lead / "site" / "index.html").read_text(encoding="utf-8")
    assert "not bounded as it can be (no bound for all together): run it as root." in page


def test_a_second_report_takes_the_place_of_the_first(lead):
    assert report("--out", "site")[0] == 0
    (lead / "site" / "learners" / "left.html").write_text("of somebody who left")
    assert report("--out", "site")[0] == 0
    assert not (lead / "site" / "learners" / "left.html").exists()
    assert sorted(path.name for path in lead.iterdir() if path.suffix not in (".sqlite3-shm", ".sqlite3-wal")) == [
        *("history.sqlite3", "site"),
    ]


def test_a_folder_with_other_files_is_never_replaced(lead):
    (lead / "site").mkdir()
    (lead / "site" / "thesis.txt").write_text("years of work")
    expected = "--out site: expected a new or empty folder, or an earlier report; this holds other files\n"
    assert report("--out", "site") == (2, expected)
    assert (lead / "site" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    ("is_repository", "how"),
    [
        (True, 'in the course\'s folder: pip install -e ".[cohort]"'),
        (False, "in the folder that was handed out: pip install -r requirements.txt"),
    ],
)
def test_without_the_theme_it_says_what_to_install(lead, monkeypatch, is_repository, how):
    monkeypatch.setattr(sys.modules["graders.commands.cohort.report"], "find_spec", lambda name: None)
    monkeypatch.setattr("graders.engine.course.IS_REPOSITORY", is_repository)
    expected = f"the report is made with MkDocs and its theme, which are not installed; {how}\n"
    assert report("--out", "site") == (1, expected)


@pytest.mark.parametrize("public", ["site", "site/public", "."])
def test_the_public_figures_go_nowhere_near_the_names(lead, public):
    code, said = report("--out", "site", "--public", public)
    assert code == 2
    assert "--public" in said
    assert not (lead / "site").exists()


def test_one_learner_is_no_group(lead):
    expected = "--minimum is 1; expected 2 or more: one learner is no group\n"
    assert report("--out", "site", "--minimum", "1") == (2, expected)


def test_without_a_history_the_command_says_what_makes_one(lead):
    expected = "there is no none.sqlite3; `headstart cohort grade` makes it, or name another with --history\n"
    assert report("--out", "site", "--history", "none.sqlite3") == (1, expected)
    assert not (lead / "none.sqlite3").exists()


def test_a_policy_that_cannot_be_used_is_told_and_nothing_is_written(lead):
    (lead / "policy.toml").write_text("dew = 1\n")
    code, said = report("--out", "site")
    assert code == 1
    assert "policy.toml" in said
    assert not (lead / "site").exists()


def test_a_policy_that_is_named_must_be_there(lead):
    said = "--policy nope.toml: there is no such file; name one that is there, or leave --policy out\n"
    assert report("--out", "site", "--policy", "nope.toml") == (2, said)
    assert not (lead / "site").exists()


def test_an_extension_for_nobody_is_told_as_exports_do(lead):
    (lead / "policy.toml").write_text("[extensions.nobody]\ndays = 3\n")
    code, said = report("--out", "site")
    assert code == 1
    assert "[extensions.nobody]: the roster has no such learner" in said


def test_a_digest_can_be_told_from_when_to_tell(lead):
    code, said = report("--out", "site", "--since", "2026-01-31")
    assert code == 0
    assert "site/digest.md: what is new since 2026-01-31" in said
    assert (lead / "site" / "digest.md").read_text().startswith("# The cohort from 31 Jan 2026 to ")
    assert report("--out", "site", "--since", "2999-01-01") == (
        2,
        "--since 2999-01-01 is in the future; expected a day that is past\n",
    )
    assert report("--out", "site", "--since", "yesterday") == (
        2,
        "--since yesterday: expected a day of the calendar, as year-month-day, such as 2026-10-05\n",
    )


def test_a_folder_that_cannot_be_written_to_is_told(lead):
    (lead / "file").write_text("")
    code, said = report("--out", "file/site")
    assert code == 1
    assert said.startswith("the report could not be written (")
    assert said.endswith("--out and --public name the folders\n")
