"""The workflows are what GitHub takes, ask for as little as they can, and their steps do what they say."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from learners import solved, solved_but

from graders.engine.course import ROOT

OURS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
HANDED_OUT = sorted((ROOT / "graders" / "cohort" / "handout").glob("*/.github/workflows/*.yml"))
GRADE, COHORT = (path for name in ("grade", "cohort") for path in HANDED_OUT if path.stem == name)
PINNED = re.compile(r"^ +(?:- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
SECRET = "a secret of thirty-two characters"
WRONG = solved_but("def attention_scores(q, k):\n    return einops.einsum(q, k, 'b q h d, b k h d -> b h q k')\n")


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
    for grader in (mine / "graders").iterdir():
        if grader.stem not in ("test_attention", "test_mlp"):
            grader.unlink()
    return mine


@pytest.mark.parametrize(
    ("attention", "codes", "told"),
    [
        (None, [0, 0, 0], "## 2 of 7 tasks done"),
        (solved("attention"), [0, 0, 0], "## 7 of 7 tasks done"),
        (WRONG, [0, 0, 1], "| attention | 3 of 5 | `attention_scores` |"),
    ],
    ids=["not started", "right", "wrong"],
)
def test_a_push_is_answered_on_the_run_s_page(repository, environment, attention, codes, told):
    (repository / "exercises" / "mlp.py").write_text(solved("mlp"), encoding="utf-8")
    if attention:
        (repository / "exercises" / "attention.py").write_text(attention, encoding="utf-8")
    page = repository.parent / "summary.md"
    variables = environment.variables(GITHUB_STEP_SUMMARY=str(page))
    done = [run_step(step, repository, variables) for step in steps_of(GRADE, "grade")]
    assert [step.returncode for step in done] == codes, [step.stderr for step in done]
    shown = page.read_text(encoding="utf-8")
    assert told in shown
    assert ("What this looks like" in shown) == (attention is WRONG)
    assert (repository / "records.jsonl").is_file()  # which the last step keeps


def test_a_grader_that_cannot_run_ends_the_push_s_run(repository, environment):
    (repository / "graders" / "test_mlp.py").write_text("this is no Python", encoding="utf-8")
    step = next(step for step in steps_of(GRADE, "grade") if step.get("name") == "Grade")
    assert run_step(step, repository, environment.variables()).returncode != 0
