"""The workflows are what GitHub takes, ask for as little as they can, and their steps do what they say."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from handed_out import hand_out
from learners import solved

from graders.engine.course import ROOT
from graders.engine.misconception import misconceptions_of

OURS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
HANDED_OUT = sorted((ROOT / "graders" / "cohort" / "handout").glob("*/.github/workflows/*.yml"))
GRADE, COHORT = (path for name in ("grade", "cohort") for path in HANDED_OUT if path.stem == name)
INSTALL = "pip install -r requirements.txt"
PINNED = re.compile(r"^ +(?:- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
SECRET = "a secret of thirty-two characters"
RIGHT = solved("layer_norm")
WRONG = misconceptions_of("layer_norm")[0].apply(RIGHT)


def read(path: Path) -> dict[Any, Any]:
    """A workflow; YAML takes its `on` for a truth value."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs_of(paths: list[Path]) -> list[Any]:
    return [
        pytest.param(path, job, id=f"{path.stem}-{name}") for path in paths for name, job in read(path)["jobs"].items()
    ]


# What they ask for


def test_github_s_own_schema_holds():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run([*command, *OURS, *HANDED_OUT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert len(HANDED_OUT) == 2


@pytest.mark.parametrize("path", [*OURS, *HANDED_OUT], ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_and_say_their_version(path):
    uses = [line for line in path.read_text(encoding="utf-8").splitlines() if re.match(r" +(- )?uses:", line)]
    assert uses
    assert [line for line in uses if not PINNED.match(line)] == []


@pytest.mark.parametrize("path", [*OURS, *HANDED_OUT], ids=lambda path: path.stem)
def test_nothing_may_be_written_and_nobody_else_s_text_is_run(path):
    workflow = read(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert "concurrency" in workflow
    assert "pull_request_target" not in path.read_text(encoding="utf-8")
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    keeps = [step for step in steps if "actions/checkout" in step.get("uses", "")]
    assert [step["with"].get("persist-credentials") for step in keeps] == [False] * len(keeps)


@pytest.mark.parametrize("path", HANDED_OUT, ids=lambda path: path.stem)
def test_no_package_index_is_named_but_by_a_variable_of_the_repository(path):
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"\w*INDEX_URL: (.*)", text) == ["${{ vars.PIP_EXTRA_INDEX_URL }}"]
    assert re.findall(r"https?://\S+", text) == []


@pytest.mark.parametrize("path", HANDED_OUT, ids=lambda path: path.stem)
def test_no_expression_stands_in_a_command(path):
    steps = [step for job in read(path)["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []


@pytest.mark.parametrize(("path", "job"), jobs_of([*OURS, *HANDED_OUT]))
def test_every_job_ends_some_day(path, job):
    assert 0 < job["timeout-minutes"] < 360


def test_only_the_job_that_publishes_may_do_more_than_read():
    permissions = {name: job.get("permissions") for name, job in read(COHORT)["jobs"].items()}
    assert permissions == {"grade": None, "report": None, "publish": {"pages": "write", "id-token": "write"}}


@pytest.mark.parametrize(("path", "job"), jobs_of(OURS))
def test_the_project_s_own_checks_leave_a_fork_alone(path, job):
    assert job["if"] == "${{ !github.event.repository.fork }}"


def test_a_learner_s_repository_has_none_of_them(handout):
    found = [path.name for path in (handout / ".github" / "workflows").iterdir()]
    assert found == ["grade.yml"]


# What their steps do


def run_step(step: dict[str, Any], cwd: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub does: `bash -e` on a file."""
    script = cwd.parent / "step.sh"
    script.write_text(step["run"], encoding="utf-8")
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", script],
        cwd=cwd,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


def steps_of(path: Path, job: str) -> list[dict[str, Any]]:
    return [step for step in read(path)["jobs"][job]["steps"] if "run" in step]


@pytest.fixture
def repository(handout, tmp_path):
    """A learner's repository; exercises that this test does not need are not graded again and again."""
    mine = shutil.copytree(handout, tmp_path / "mine")
    for grader in (mine / "graders").glob("*.py"):
        if grader.stem not in ("test_layer_norm", "test_mlp"):
            grader.unlink()
    return mine


@pytest.mark.parametrize(
    ("layer_norm", "codes", "told"),
    [
        (None, [0, 0], "## 2 of 3 tasks done"),
        (WRONG, [0, 1], "| layer_norm | 0 of 1 | `LayerNorm` |"),
    ],
    ids=["not started", "wrong"],
)
def test_a_push_is_answered_on_the_run_s_page(repository, environment, layer_norm, codes, told):
    (repository / "exercises" / "mlp.py").write_text(solved("mlp"), encoding="utf-8")
    if layer_norm:
        (repository / "exercises" / "layer_norm.py").write_text(layer_norm, encoding="utf-8")
    page = repository.parent / "summary.md"
    variables = environment.variables(GITHUB_STEP_SUMMARY=str(page))
    install, *steps = steps_of(GRADE, "grade")
    assert install["run"] == INSTALL  # as in the environment it was
    done = [run_step(step, repository, variables) for step in steps]
    assert [step.returncode for step in done] == codes, [step.stderr for step in done]
    shown = page.read_text(encoding="utf-8")
    assert told in shown
    assert ("What this looks like" in shown) == (layer_norm is WRONG)
    assert (repository / "records.jsonl").is_file()  # which the last step keeps


def test_a_grader_that_cannot_run_ends_the_push_s_run(repository, environment):
    (repository / "graders" / "test_mlp.py").write_text("this is no Python", encoding="utf-8")
    step = next(step for step in steps_of(GRADE, "grade") if step.get("name") == "Grade")
    assert run_step(step, repository, environment.variables()).returncode != 0


# A lead's night

SUDO = '#!/bin/sh\n{ echo "sudo $*"; case "$1" in tee) cat;; esac; } >> "$LOG"\n'
SHARDS = read(COHORT)["jobs"]["grade"]["strategy"]["matrix"]["shard"]


def evaluated(env: dict[str, str], values: dict[str, str]) -> dict[str, str]:
    """What the variables of a job or a step are where its expressions have these values."""
    return {name: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: values[found[1]], str(text)) for name, text in env.items()}


def committed(folder: Path, handout: Path, layer_norm: str) -> Path:
    """A learner's repository in which one exercise alone is left, so that nothing else is graded."""
    exercises = shutil.copytree(handout / "exercises", folder / "exercises")
    for path in exercises.glob("*.py"):
        if path.stem not in ("layer_norm", "config", "__init__"):
            path.unlink()
    (exercises / "layer_norm.py").write_text(layer_norm, encoding="utf-8")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Layer norm"]):
        name = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *name, *command], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def night(handout, environment, tmp_path_factory):
    """What the steps of `cohort.yml` left behind: the folder of the last job, and what `sudo` was asked."""
    home = tmp_path_factory.mktemp("night")
    lead = hand_out(home / "lead", "--lead")
    learners = {"ada": RIGHT, "bob": WRONG}
    rows = [f"{n},{n.title()},{committed(home / n, handout, text)}" for n, text in learners.items()]
    (lead / "roster.csv").write_text("\n".join(["id,name,repository", *rows, ""]), encoding="utf-8")
    (home / "bin").mkdir()
    (home / "bin" / "sudo").write_text(SUDO, encoding="utf-8")
    (home / "bin" / "sudo").chmod(0o755)
    values = {
        "secrets.HEADSTART_COHORT_SECRET": SECRET,
        "secrets.HEADSTART_GIT_TOKEN": "",
        "github.event.repository.visibility": "private",
        "strategy.job-total": str(len(SHARDS)),
    }
    base = environment.variables(LOG=str(home / "sudo.log"), GITHUB_STEP_SUMMARY=str(home / "summary.md"))
    base["PATH"] = os.pathsep.join([str(home / "bin"), base["PATH"]])

    installed = set[str]()

    def job(name: str, cwd: Path, **more: str) -> None:
        for step in steps_of(COHORT, name):
            if step["run"] in installed:  # the jobs have one environment here
                continue
            env = evaluated({**read(COHORT)["jobs"][name]["env"], **step.get("env", {})}, values | more)
            done = run_step(step, cwd, base | env)
            assert done.returncode == 0, (step["run"], done.stdout, done.stderr)
            installed.update({INSTALL} & {step["run"]})

    report = shutil.copytree(lead, home / "report-job" / "lead")
    for shard in map(str, SHARDS):
        here = shutil.copytree(lead, home / f"shard-{shard}" / "lead")
        job("grade", here, **{"matrix.shard": shard})
        (report / "shards" / f"history-{shard}").mkdir(parents=True)
        shutil.copy(here / "history.sqlite3", report / "shards" / f"history-{shard}")
    job("report", report)
    return report, (home / "sudo.log").read_text(encoding="utf-8"), (home / "summary.md").read_text(encoding="utf-8")


def test_every_learner_is_graded_once_in_the_sandbox(night):
    report, _sudo, _summary = night
    query = "SELECT learner, status, isolation FROM verdicts WHERE exercise = 'layer_norm' ORDER BY learner"
    with sqlite3.connect(report / "history.sqlite3") as history:
        found = history.execute(query).fetchall()
    assert found == [("ada", "passed", "sandbox"), ("bob", "failed", "sandbox")]


def test_the_private_report_names_them_and_the_public_one_does_not(night):
    report, _sudo, summary = night
    private, public = (
        "".join(path.read_text(encoding="utf-8") for path in (report / name).rglob("*.html"))
        for name in ("report", "public")
    )
    assert "Ada" in private
    assert public
    assert "Ada" not in public
    assert "Ada" in summary  # of a run that only the lead sees


def test_bubblewrap_gets_the_profile_that_ubuntu_asks_for(night):
    _report, sudo, _summary = night
    assert sudo.splitlines()[: len(sudo.splitlines()) // len(SHARDS)] == [
        "sudo apt-get update",
        "sudo apt-get install -y --no-install-recommends bubblewrap",
        "sudo tee /etc/apparmor.d/bwrap",
        "abi <abi/4.0>,",
        "include <tunables/global>",
        "profile bwrap /usr/bin/bwrap flags=(unconfined) {",
        "  userns,",
        "}",
        "sudo apparmor_parser -r /etc/apparmor.d/bwrap",
    ]


def test_the_project_s_own_ci_loads_the_same_profile():
    ours = (ROOT / ".ci" / "bubblewrap").read_text(encoding="utf-8")
    profiles = [
        re.findall(r"<<'END'\n(.*?)\nEND", text, re.DOTALL) for text in (ours, steps_of(COHORT, "grade")[1]["run"])
    ]
    assert len(profiles[0]) == 1
    assert profiles[0] == profiles[1]


@pytest.mark.parametrize(
    ("visibility", "secret", "said"),
    [
        ("public", SECRET, "::error::This repository is public, and the results would be. Make it private."),
        ("private", "", "::error::There is no secret HEADSTART_COHORT_SECRET. Add one: openssl rand -hex 32"),
    ],
)
def test_a_night_does_not_begin_where_results_would_be_public_or_cases_foretold(tmp_path, visibility, secret, said):
    (tmp_path / "lead").mkdir()
    variables = os.environ | {"VISIBILITY": visibility, "HEADSTART_COHORT_SECRET": secret}
    done = run_step(steps_of(COHORT, "grade")[0], tmp_path / "lead", variables)
    assert (done.returncode, done.stdout) == (1, f"{said}\n")


def test_a_night_ends_where_the_sandbox_cannot_be_had(environment, handout, tmp_path):
    lead = hand_out(tmp_path / "lead", "--lead")
    row = f"ada,Ada,{committed(tmp_path / 'ada', handout, RIGHT)}"
    (lead / "roster.csv").write_text(f"id,name,repository\n{row}\n", encoding="utf-8")
    (tmp_path / "bwrap").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    variables = environment.variables(HEADSTART_COHORT_SECRET=SECRET, SHARD="1/1")
    variables["PATH"] = os.pathsep.join([str(tmp_path), variables["PATH"]])
    (step,) = (step for step in steps_of(COHORT, "grade") if step.get("name") == "Grade")
    done = run_step(step, lead, variables)
    assert done.returncode == 1
    assert "sandbox" in done.stderr
