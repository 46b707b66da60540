"""What a lead hands out works on its own: in a fresh environment, with the wheel alone, as the course itself does."""

import hashlib
import json
import re
import shutil
import subprocess
import tomllib
import zipfile

import pytest
from handed_out import hand_out, make_environment
from learners import Run, solved, solved_but
from test_editors import parsed
from typer.testing import CliRunner

from graders import cli
from graders.cohort import template
from graders.engine.course import EXERCISES, ROOT, load_course
from graders.engine.stubs import stub_files

MASKED_TOO_MUCH = solved_but(
    "def apply_causal_mask(scores):\n"
    "    n_queries, n_keys = scores.shape[-2:]\n"
    "    hidden = torch.ones(n_queries, n_keys, dtype=torch.bool).triu(n_keys - n_queries)\n"
    "    return scores.masked_fill(hidden, float('-inf'))\n"
)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)(?:#[^)\s]*)?\)")


@pytest.fixture
def repository(handout, tmp_path):
    """A learner's own copy of what was handed out."""
    return shutil.copytree(handout, tmp_path / "mine")


@pytest.fixture(scope="module")
def at_work(handout, environment, tmp_path_factory):
    """A repository in which a learner wrote attention, with one mistake, and graded it."""
    mine = shutil.copytree(handout, tmp_path_factory.mktemp("work") / "mine")
    (mine / "exercises" / "attention.py").write_text(MASKED_TOO_MUCH, encoding="utf-8")
    done = environment.run("pytest", "graders/test_attention.py", cwd=mine)
    return mine, Run(done.returncode, done.stdout, done.stderr)


def wheel_of(folder):
    (path,) = (folder / "wheels").iterdir()
    return path


# What is in it


def test_a_learner_starts_from_fresh_stubs(handout):
    found = {path.stem: path.read_text(encoding="utf-8") for path in (handout / "exercises").iterdir()}
    assert found == stub_files()


def test_nothing_that_is_handed_out_in_the_open_has_a_solution(handout):
    texts = [path.read_text(encoding="utf-8") for path in handout.rglob("*") if path.suffix in (".py", ".md", ".json")]
    solutions = [template.ROOT / "reference" / f"{exercise.name}.py" for exercise in load_course().exercises]
    lines = {line for path in solutions for line in re.findall(r"^    return .{30,}$", path.read_text(), re.MULTILINE)}
    given = {line for text in stub_files().values() for line in text.splitlines()}
    assert len(lines - given) > 20
    assert [line for line in lines - given for text in texts if line.strip() in text] == []
    assert sorted(path.name for path in handout.iterdir() if path.is_dir()) == [
        ".devcontainer", ".github", ".vscode", "docs", "exercises", "graders", "wheels",
    ]  # fmt: skip


def test_the_wheel_has_what_the_commands_read_and_no_exercises(handout):
    names = zipfile.ZipFile(wheel_of(handout)).namelist()
    wanted = {f"graders/docs/exercises/{exercise.name}.md" for exercise in load_course().exercises}
    wanted |= {f"graders/test_{exercise.name}.py" for exercise in load_course().exercises}
    wanted |= {"graders/course.toml", "graders/weights/shakespeare/model.safetensors", "reference/attention.py"}
    wanted |= {"graders/see/page.js", "graders/engine/record.schema.json", "graders/misconceptions/attention.py"}
    assert wanted <= set(names)
    assert {name.partition("/")[0] for name in names} == {"graders", "reference", "headstart-0.1.0.dist-info"}


def test_pytest_is_told_what_it_is_told_here(handout):
    here, there = (
        tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]
        for folder in (ROOT, handout)
    )
    assert here == there


def test_every_exercise_has_its_grader_and_its_test_in_classroom(handout):
    tests = json.loads((handout / ".github/classroom/autograding.json").read_text(encoding="utf-8"))["tests"]
    assert [test["run"] for test in tests] == [f"pytest graders/test_{e.name}.py" for e in load_course().exercises]
    assert [test["points"] for test in tests] == [len(exercise.tasks) for exercise in load_course().exercises]
    assert sorted(path.name for path in (handout / "graders").iterdir()) == sorted(
        f"test_{exercise.name}.py" for exercise in load_course().exercises
    )


def test_every_link_leads_somewhere(handout):
    pages = sorted(handout.rglob("*.md"))
    links = [(page, link) for page in pages for link in LINK.findall(page.read_text(encoding="utf-8"))]
    assert len(links) > 100
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []


def test_editors_run_what_is_there(handout, monkeypatch):
    monkeypatch.setattr("test_editors.ROOT", handout)
    labels = [task["label"] for task in parsed(".vscode/tasks.json")["tasks"]]
    assert "Grade the open exercise" in labels
    assert "The project's own tests" not in labels
    assert parsed(".devcontainer/devcontainer.json")["postCreateCommand"] == "pip install -r requirements.txt"


def test_a_wheel_that_was_tampered_with_is_not_installed(repository, tmp_path):
    with wheel_of(repository).open("ab") as file:
        file.write(b"\0")
    fresh = make_environment(tmp_path)
    done = fresh.run("pip", "install", "-r", "requirements.txt", cwd=repository)
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr


# Working in it


def test_the_laws_come_from_the_wheel_whatever_python_looks_at_first(handout, environment):
    code = "import graders.engine.course as c; print(c.ROOT); print(c.HOME)"
    root, home = environment.run("python", "-c", code, cwd=handout / "docs").stdout.splitlines()
    assert environment.folder.as_posix() in root
    assert home == str(handout)
    collected = environment.run("python", "-m", "pytest", "--collect-only", "-q", "graders/test_mlp.py", cwd=handout)
    assert collected.stdout.count("graders/test_mlp.py::test_") > 5


def test_a_mistake_is_named_as_it_is_here(at_work):
    _mine, run = at_work
    assert run.exit_code == 1
    screen = "\n".join(run.screens()["apply_causal_mask"])
    assert "What this looks like   The mask hides the token itself: the diagonal is masked too." in screen
    assert "More: docs/exercises/attention.md#causal-mask" in screen
    assert run.states("attention")["attention_scores"] == "done"
    assert "Next: mend apply_causal_mask in exercises/attention.py" in run.out


def test_it_works_from_another_folder(handout, environment, tmp_path):
    done = environment.run("pytest", "-p", "no:cacheprovider", handout / "graders" / "test_softmax.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "Next: write softmax in exercises/softmax.py" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_what_was_graded_is_remembered_there_and_hints_follow(at_work, environment):
    mine, _run = at_work
    assert (mine / ".headstart" / "verdicts" / "attention.json").is_file()
    status = environment.run("headstart", cwd=mine)
    assert "Next: mend apply_causal_mask in exercises/attention.py" in status.stdout
    hint = environment.run("headstart", "hint", "attention", cwd=mine / "docs")
    assert "Which keys may the query at position 0 look at?" in hint.stdout
    shown = environment.run("headstart", "show", "apply_causal_mask", cwd=mine)
    assert "A query sees its own position and every earlier one, and nothing later." in shown.stdout


def test_watch_grades_at_once(at_work, environment):
    mine, _run = at_work
    command = [environment.folder / "bin" / "headstart", "watch", "attention", "--json"]
    with subprocess.Popen(command, cwd=mine, env=environment.variables(), stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        said = json.loads(watch.stdout.readline())
        watch.terminate()
    assert said["tasks"]["apply_causal_mask"] == "not yet right"


def test_a_task_is_reset_and_the_file_kept(handout, environment, tmp_path):
    mine = shutil.copytree(handout, tmp_path / "mine")
    (mine / "exercises" / "mlp.py").write_text(solved("mlp"), encoding="utf-8")
    done = environment.run("headstart", "reset", "gelu_new", "--yes", cwd=mine)
    assert done.returncode == 0, done.stderr
    assert "raise NotImplementedError" in (mine / "exercises" / "mlp.py").read_text(encoding="utf-8")
    (backup,) = (mine / ".headstart" / "backups").iterdir()
    assert backup.read_text(encoding="utf-8") == solved("mlp")


def test_see_draws_a_learner_s_own_code(handout, environment, tmp_path):
    mine = shutil.copytree(handout, tmp_path / "mine")
    done = environment.run("headstart", "see", "attention", "--subject", "reference", cwd=mine)
    assert done.returncode == 0, done.stderr
    assert (mine / "see-attention.html").is_file()


def test_a_notebook_grades_itself(handout, environment, tmp_path):
    mine = shutil.copytree(handout, tmp_path / "mine")
    assert environment.run("headstart", "notebook", "mlp", cwd=mine).returncode == 0
    path = mine / "notebooks" / "mlp.ipynb"
    run = "from nbclient.cli import main; main()"
    done = environment.run("python", "-c", run, path, "--inplace", "--allow-errors", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    *_cells, last = json.loads(path.read_text(encoding="utf-8"))["cells"]
    said = "".join("".join(output.get("text", "")) for output in last["outputs"])
    assert "mlp · gelu_new" in said
    assert "Next: write gelu_new in its cell" in said


def test_doctor_finds_all_well_and_then_another_wheel(repository, environment):
    states = {check["name"]: check for check in doctor(environment, repository)}
    assert {name for name, check in states.items() if check["state"] == "wrong"} == set()
    assert states["installation"]["said"] == "headstart 0.1.0, from a wheel"
    requirements = repository / "requirements.txt"
    digest = hashlib.sha256(wheel_of(repository).read_bytes()).hexdigest()
    text = requirements.read_text(encoding="utf-8")
    assert text.count(digest) == 1
    requirements.write_text(text.replace(digest, "0" * 64), encoding="utf-8")
    (found,) = (check for check in doctor(environment, repository) if check["state"] == "wrong")
    assert found["said"] == "headstart 0.1.0 is not the wheel that requirements.txt asks for"
    assert found["mend"].endswith("-m pip install --force-reinstall --no-deps -r requirements.txt")


def doctor(environment, folder):
    return json.loads(environment.run("headstart", "doctor", "--json", cwd=folder).stdout)


# Where it does not work


@pytest.mark.parametrize("command", ["", "watch", "hint attention", "list", "stubs", "notebook mlp"])
def test_outside_of_a_learner_s_folder_a_line_says_so_and_nothing_is_made(environment, tmp_path, command):
    done = environment.run("headstart", *command.split(), cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "there are no exercises here; expected a pyproject.toml with [tool.headstart], in this folder or above; go to "
        "the folder that has your exercises/, and run this again\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_doctor_says_so_too_and_looks_at_the_rest(environment, tmp_path):
    found = {check["name"]: check for check in doctor(environment, tmp_path)}
    assert found["folder"]["state"] == "wrong"
    assert found["weights"]["state"] == "ok"
    assert list(tmp_path.iterdir()) == []


def test_help_is_had_anywhere(environment, tmp_path):
    done = environment.run("headstart", "watch", "--help", cwd=tmp_path)
    assert (done.returncode, done.stdout.startswith("Usage: headstart watch")) == (0, True)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "work.py").write_text("mine")
    result = CliRunner().invoke(cli.app, ["cohort", "template", "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stderr == f"{tmp_path} has something in it, and was left alone; name a new folder, or an empty one\n"
    assert [path.name for path in tmp_path.iterdir()] == ["work.py"]


def test_a_repository_is_made_from_the_course_s_own(environment, tmp_path):
    done = environment.run("headstart", "cohort", "template", "--out", "handout", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "headstart is installed from a wheel here; a repository is made from the course's own: clone it, `pip install "
        "-e '.[cohort]'` in it, and try again\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_here_everything_is_where_it_was():
    assert ROOT / "exercises" == EXERCISES


# A lead's


def test_a_lead_s_repository_keeps_to_itself_what_is_about_people(tmp_path):
    lead = hand_out(tmp_path / "lead", "--lead")
    ignored = (lead / ".gitignore").read_text(encoding="utf-8").split()
    assert {"secret.key", "history.sqlite3*", "report/", "public/"} <= set(ignored)
    assert tomllib.loads((lead / "policy.toml").read_text(encoding="utf-8")) == {}
    header, _example = (lead / "roster.csv").read_text(encoding="utf-8").splitlines()
    assert header == "id,name,repository,section,start,email"
    assert "exercises" not in [path.name for path in lead.iterdir()]
