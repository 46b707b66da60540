"""The commands of a lead, as they are typed: what they do, and what they say word by word."""

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import namedtuple

import jsonschema
import pytest
from cohorts import TEXTS, cohort, command, variables
from learners import solved
from repositories import commit
from typer.testing import CliRunner

from graders.cli import app
from graders.cohort import sandbox
from graders.cohort.exchange import export_records
from graders.cohort.history import open_history
from graders.engine.misconception import misconceptions_of
from graders.engine.record import SCHEMA
from graders.engine.stubs import stub_files

HERE = ("grade", "--exercise", "layer_norm", "--isolation", "process")
GRADE = (*HERE, "--workers", "1")
VERDICTS = "SELECT learner, status, n_passed, n_laws, misconception, isolation FROM verdicts ORDER BY learner"
MISTAKE = misconceptions_of("layer_norm")[0].id
ADVICE = "Isolation: process. A verdict can be forged below the sandbox: these are advice, not marks."


def rows(folder, query, name="history.sqlite3"):
    history = sqlite3.connect(folder / name)
    try:
        return history.execute(query).fetchall()
    finally:
        history.close()


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A lead's folder after its first run, and what the run said. Not to be changed."""
    given = {"config": solved("config")}
    texts = {
        "ada": given | {"layer_norm": TEXTS["right"]},
        "bob": given | {"layer_norm": TEXTS["wrong"]},
        "cyd": given | {"layer_norm": stub_files()["layer_norm"]},
        "dan": given | {"layer_norm": stub_files()["layer_norm"]},
        "eve": given | {"layer_norm": b"\xff\xfe\xfd"},
        "fay": given,
    }
    folder = cohort(tmp_path_factory.mktemp("lead"), texts)
    with (folder / "roster.csv").open("a") as roster:
        roster.write("zoe,=Zoe,/nowhere/at/all\n")
    return folder, command(folder, *GRADE)


@pytest.fixture
def lead(graded, tmp_path):
    """The same, to be changed: the repositories stay where they are."""
    shutil.copytree(graded[0], tmp_path / "lead", ignore=shutil.ignore_patterns("repositories"))
    return tmp_path / "lead"


def test_a_run_says_what_it_came_to(graded):
    run = graded[1]
    assert run.stdout.splitlines() == [
        "7 learners, 1 exercise: 1 passed, 1 not yet right, 2 not started, 1 missing, 2 could not be read.",
        "Graded now: 4 (texts that are new; the same text is graded once).",
        ADVICE,
        "1 repository could not be read:",
        "  zoe: the repository '/nowhere/at/all' could not be fetched: there is no such folder",
        "1 file could not be read, for a reason that the report gives:",
        "  eve: layer_norm",
    ]
    assert run.returncode == 0


def test_the_history_has_a_verdict_for_whoever_handed_something_in(graded):
    assert rows(graded[0], VERDICTS) == [
        ("ada", "passed", 14, 14, "", "process"),
        (
            "bob",
            "failed",
            rows(graded[0], "SELECT n_passed FROM gradings WHERE status = 'failed'")[0][0],
            14,
            MISTAKE,
            "process",
        ),
        ("cyd", "not_started", 0, 14, "", "process"),
        ("dan", "not_started", 0, 14, "", "process"),
        ("eve", "problem", 0, 14, "", "process"),
    ]
    assert rows(graded[0], "SELECT count(*), min(length(own_hash)) FROM submissions") == [(5, 16)]
    told = "exercises/layer_norm.py is not UTF-8 (byte 1); save it as UTF-8"
    assert rows(graded[0], "SELECT yours FROM records WHERE kind = 'no_file'") == [(told,)]
    assert len(rows(graded[0], "SELECT * FROM visits WHERE problem = ''")) == 6


def test_the_secret_is_nowhere_but_in_its_file(graded):
    secret = (graded[0] / "secret.key").read_text().strip()
    assert secret not in graded[1].stdout + graded[1].stderr
    assert secret.encode() not in (graded[0] / "history.sqlite3").read_bytes()


def test_a_second_run_grades_what_is_new_and_says_so(lead, graded):
    assert command(lead, *GRADE).stdout.splitlines()[1:3] == [
        "Graded now: 0 (texts that are new; the same text is graded once).",
        "New since the last run: nothing.",
    ]
    repository = graded[0] / "repositories" / "cyd"
    commit(repository, {"exercises/layer_norm.py": TEXTS["right"] + "\n"}, at="2026-09-02T12:00:00+00:00")
    try:
        run = command(lead, *GRADE)
    finally:
        subprocess.run(["git", "-C", repository, "reset", "-q", "--hard", "HEAD~1"], check=True)
    assert run.stdout.splitlines()[:3] == [
        "7 learners, 1 exercise: 2 passed, 1 not yet right, 1 not started, 1 missing, 2 could not be read.",
        "Graded now: 1 (texts that are new; the same text is graded once).",
        "New since the last run: 1 passed.",
    ]
    times = "SELECT committed_at FROM submissions WHERE learner = 'cyd' AND exercise = 'layer_norm' ORDER BY id"
    assert rows(lead, times) == [("2026-09-01T12:00:00+00:00",), ("2026-09-02T12:00:00+00:00",)]


def test_a_changed_roster_is_shown_and_applied(lead):
    text = (lead / "roster.csv").read_text()
    (lead / "roster.csv").write_text(text.replace("ada,Ada", "ada,Ada L.").replace("zoe,=Zoe,/nowhere/at/all\n", ""))
    said = command(lead, *GRADE).stdout.splitlines()
    assert said[0] == "The roster has changed:"
    assert said[1] == "  changed  ada (Ada L.): name Ada -> Ada L."
    assert said[3] == "0 new, 1 changed, 1 gone"
    assert rows(lead, "SELECT id FROM learners WHERE NOT is_active") == [("zoe",)]


def test_shards_grade_their_part_and_are_merged_into_the_same_history(lead, graded):
    parts = []
    for part in (1, 2):
        parts.append(f"part{part}.sqlite3")
        command(lead, *GRADE, "--shard", f"{part}/2", "--history", parts[-1])
    shares = [{row[0] for row in rows(lead, "SELECT learner FROM visits", name)} for name in parts]
    assert shares[0] & shares[1] == set()
    assert shares[0] | shares[1] == {"ada", "bob", "cyd", "dan", "eve", "fay", "zoe"}
    for _ in range(2):
        assert command(lead, "merge", "all.sqlite3", *parts).returncode == 0
    assert rows(lead, "SELECT count(*) FROM visits", "all.sqlite3") == [(7,)]
    query = "SELECT learner, n_laws, misconception FROM verdicts ORDER BY learner"
    assert rows(lead, query, "all.sqlite3") == rows(graded[0], query)


def test_records_go_out_and_come_in(lead):
    run = command(lead, "export-records", "records.jsonl")
    records = [json.loads(line) for line in (lead / "records.jsonl").read_text().splitlines()]
    assert (run.returncode, run.stdout) == (0, f"wrote {len(records)} records to records.jsonl\n")
    assert {record["learner"] for record in records} == {"ada", "bob", "cyd", "dan", "eve"}
    run = command(lead, "import", "records.jsonl", "--history", "new.sqlite3")
    assert run.stdout == "records.jsonl: 4 gradings and 5 submissions are new\n"
    assert rows(lead, VERDICTS, "new.sqlite3") == rows(lead, VERDICTS)


def test_the_records_are_those_of_the_published_schema(graded):
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    history = open_history(graded[0] / "history.sqlite3")
    for line in export_records(history):
        validator.validate(json.loads(line))
    history.close()


def test_after_a_grader_was_mended_the_changed_verdicts_are_shown_with_the_reason(lead):
    history = sqlite3.connect(lead / "history.sqlite3")
    mistaken = "SET status = 'failed', n_passed = 13, n_done = 0, law = 'test_rows', misconception = 'm'"
    history.execute(f"UPDATE gradings {mistaken} WHERE status = 'passed'")
    history.execute("UPDATE gradings SET grader_version = '0.1.0+older' WHERE subject_hash IN "
                    "(SELECT subject_hash FROM submissions WHERE learner IN ('ada', 'bob'))")  # fmt: skip
    history.commit()
    history.close()
    shutil.copy(lead / "history.sqlite3", lead / "kept.sqlite3")
    told = command(lead, *GRADE).stdout
    said = "The graders have changed since: 2 verdicts given again on the same text. Verdicts that are another now: 1."
    assert said in told
    assert told.splitlines()[-1].split()[:5] == ["ada", "layer_norm", "failed", "13/14", "->"]
    shutil.copy(lead / "kept.sqlite3", lead / "history.sqlite3")
    run = command(lead, "regrade", *GRADE[1:])
    first, header, *changed = run.stdout.splitlines()
    assert first == "Graded again: 2 texts. Verdicts that are another now: 1."
    assert header.split() == ["learner", "exercise", "before", "->", "after", "law", "misconception"]
    assert [line.split() for line in changed] == [
        ["ada", "layer_norm", "failed", "13/14", "->", "passed", "14/14", "test_rows", "m"],
        ADVICE.split(),
    ]
    assert rows(lead, "SELECT count(*) FROM gradings WHERE grader_version = '0.1.0+older'") == [(2,)]
    assert command(lead, "regrade", "--isolation", "process").stdout.startswith("Graded again: 0 texts.")


def test_a_run_that_is_killed_is_gone_on_with(lead):
    (lead / "history.sqlite3").unlink()
    roster = (lead / "roster.csv").read_text().splitlines(keepends=True)
    (lead / "roster.csv").write_text("".join(line for line in roster if line[:3] in ("id,", "bob", "cyd", "eve")))
    arguments = [sys.executable, "-m", "graders.cli", "cohort", *GRADE]
    run = subprocess.Popen(arguments, cwd=lead, env=variables(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (lead / "history.sqlite3").exists() or not n_finished(lead):
        assert run.poll() is None
        time.sleep(0.01)
    run.kill()
    run.wait()
    before = n_finished(lead)
    assert command(lead, *GRADE).returncode == 0
    assert 0 < before <= n_finished(lead) == rows(lead, "SELECT count(*) FROM gradings")[0][0] == 3


def n_finished(folder):
    try:
        return rows(folder, "SELECT count(*) FROM gradings WHERE finished_at IS NOT NULL")[0][0]
    except sqlite3.OperationalError:  # it has no tables yet
        return 0


# What is refused ------------------------------------------------------------------------------------------------


def typed(*arguments):
    run = CliRunner().invoke(app, ["cohort", *map(str, arguments)])
    return run.exit_code, run.output


def test_below_the_sandbox_nothing_is_graded_unless_it_is_asked_for(graded, tmp_path, monkeypatch):
    found = namedtuple("Probe", "level reason mend")("process", "there is no bubblewrap.", "apt-get install bubblewrap")
    monkeypatch.setattr(sandbox, "probe", lambda: found)
    monkeypatch.chdir(tmp_path)
    code, said = typed("grade", graded[0] / "roster.csv", "--exercise", "layer_norm")
    assert code == 1
    assert said.splitlines()[-3:] == [
        "nothing was graded: the sandbox does not work here: there is no bubblewrap.",
        "apt-get install bubblewrap",
        "Or add --isolation process; every verdict then says that it can be forged.",
    ]
    assert rows(tmp_path, "SELECT count(*) FROM gradings") == [(0,)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--exercise", "juggling"), "there is no exercise 'juggling'; the exercises are tensors"),
        (("--isolation", "none"), "--isolation is none; expected sandbox or process"),
        (("--workers", "0"), "--workers is 0; expected a number above 0"),
        (("--shard", "3/2"), "--shard is 3/2; expected a part and their number, such as 2/8"),
        (("--shard", "0/2"), "--shard is 0/2; expected"),
        (("--extra", "nowhere"), "--extra nowhere: there is no such folder"),
        (("--scheduler", "tcp://10.0.0.7:8786"), "--scheduler tcp://10.0.0.7:8786 is plain tcp to another machine"),
        (("--learner", "nowhere"), "--learner nowhere: there is no such folder"),
        (("--learner", ".", "--shard", "1/2"), "--shard has no effect with --learner; leave one out"),
    ],
)
def test_a_command_line_that_is_wrong_is_refused_before_anything_is_done(
    graded, tmp_path, monkeypatch, arguments, said
):
    monkeypatch.chdir(tmp_path)
    roster = () if "--learner" in arguments else (graded[0] / "roster.csv",)
    code, told = typed("grade", *roster, *arguments)
    assert (code, told.startswith(said)) == (2, True), told
    assert not (tmp_path / "history.sqlite3").exists()


def test_no_roster_and_no_history_are_said_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, said = typed("grade")
    assert (code, said.startswith("there is no roster.csv; ")) == (1, True), said
    told = "there is no history.sqlite3; `headstart cohort grade` makes it, or name another with --history\n"
    assert typed("regrade") == (1, told)
    assert typed("export-records", "-") == (1, told)
    assert typed("merge", "all.sqlite3", "part.sqlite3")[0] == 2


def test_a_roster_that_lost_most_of_its_learners_is_not_taken_at_its_word(lead, monkeypatch):
    monkeypatch.chdir(lead)
    lines = (lead / "roster.csv").read_text().splitlines(keepends=True)
    (lead / "roster.csv").write_text("".join(lines[:4]))
    code, said = typed(*GRADE)
    told = "applies it; nothing was graded\n"
    assert (code, "4 of 7 learners are in roster.csv no more" in said, said.endswith(told)) == (1, True, True), said
    assert typed("roster", "--apply")[0] == 0
    assert typed(*GRADE)[0] == 0


def test_what_is_wrong_with_the_policy_is_told_before_anybody_asks_for_points(lead, monkeypatch):
    monkeypatch.chdir(lead)
    (lead / "policy.toml").write_text("[points]\nattentoin = 3\n")
    code, said = typed("roster")
    assert (code, "\npolicy.toml cannot be used:\n[points] has 'attentoin'" in said) == (1, True), said
    code, said = typed(*GRADE)
    assert (code, "\nGrading does not rest on the policy, and is not held up; `headstart" in said) == (0, True), said


def test_when_no_repository_can_be_read_nothing_was_graded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "roster.csv").write_text("id,name,repository\nada,Ada,/nowhere/at/all\n")
    code, said = typed("grade")
    assert code == 1
    assert said.endswith("no repository could be read: nothing was graded\n")
