"""The authors' guide does what it says: its commands are run word for word in a copy of the course, as an author would.

And so does `headstart new` elsewhere than on that page: in the middle of a track, and in a track that it makes.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from graders import cli
from graders.commands import new
from graders.engine.course import ROOT, load_course

GUIDE = (ROOT / "docs" / "authors.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)
BETWEEN = "<<< next >>>"
LEFT_OUT = (".git", "__pycache__", "site", ".headstart", ".*_cache", ".hypothesis", ".venv")


def copy_of_the_course(folder):
    """A copy of the repository, and the environment in which its own code is run and `headstart` is a command."""
    shutil.copytree(ROOT, folder / "course", ignore=shutil.ignore_patterns(*LEFT_OUT))
    commands = folder / "bin"
    commands.mkdir()
    for name, module in (("headstart", "graders.cli"), ("pytest", "pytest")):
        (commands / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        (commands / name).chmod(0o755)
    path = f"{commands}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(folder / "course"), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("HEADSTART_HOME", None)  # that of the run that is going on
    return folder / "course", environment


def run_in(course, environment, script) -> str:
    """What a script prints. Raises `AssertionError`, with all of it, when it fails."""
    done = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{script}"],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """The course after the guide was followed, and what each of its blocks printed."""
    course, environment = copy_of_the_course(tmp_path_factory.mktemp("guide"))
    return course, run_in(course, environment, f"\necho '{BETWEEN}'\n".join(BLOCKS)).split(BETWEEN)


def test_a_new_exercise_passes_the_audit_as_it_is(followed):
    made, *_rest = followed[1]
    (shown,) = re.findall(r"^rows  .*$", GUIDE, re.MULTILINE)
    (audited,) = re.findall(r"^rows  .*$", made, re.MULTILINE)
    assert re.sub(r"\d+ s$", "", audited) == re.sub(r"\d+ s$", "", shown)
    assert "problem" not in made


def test_its_stub_is_not_started_its_mistake_is_named_and_its_solution_passes(followed):
    said = followed[1][1]
    assert "rows · normalise                      not started" in said
    assert "The sums run down the columns: it is these that add up to one, and not the rows." in " ".join(said.split())
    assert "1 of 1 tasks done." in said


def test_the_audit_says_what_the_guide_shows_of_a_law_that_is_missing(followed):
    (shown,) = re.findall(r"^    problem  .*$", GUIDE, re.MULTILINE)
    assert re.findall(r"^    problem  .*$", followed[1][2], re.MULTILINE) == [shown]


def test_one_mistake_more_passes_too_and_the_page_and_the_stub_follow_the_reference(followed):
    course, said = followed
    assert "6 misconceptions" in said[3]
    assert "wrote docs/exercises/rows.md" in said[3]
    for path in ("exercises/rows.py", "docs/exercises/rows.md"):
        assert "holds numbers above zero" in (course / path).read_text(encoding="utf-8")
    assert sorted(file.name for file in course.rglob("*.bak")) == []


def test_what_looks_at_all_exercises_finds_nothing(followed):
    said = followed[1][4]
    assert "exercises/ is what reference/ generates" in said
    assert re.search(r"\d+ passed", said)


def test_everything_that_new_says_it_wrote_is_there(followed):
    course, said = followed
    paths = re.findall(r"^wrote (\S+)$", said[0], re.MULTILINE)
    assert len(paths) == 6
    assert [path for path in paths if not (course / path).is_file()] == []
    capitals = re.compile(r"\b(NAME|TRACK|BEFORE)\b|_NAME")
    assert [path for path in paths if capitals.search((course / path).read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "options", ["--track training --after loss --minutes 35", "--track rotations"], ids=["middle", "new-track"]
)
def test_an_exercise_elsewhere_has_its_place_in_every_list(options, tmp_path):
    course, environment = copy_of_the_course(tmp_path)
    held = "test_sessions or of_a_track or is_drawn or in_the_nav or leads_somewhere or (turned and not solution)"
    said = run_in(
        course,
        environment,
        f"headstart new turned {options}\nheadstart stubs --check\n"
        f"pytest -q tests/test_lessons.py tests/test_sessions.py tests/test_site.py tests/test_readme.py -k '{held}'",
    )
    assert "wrote docs/exercises/turned.md" in said
    assert ("wrote docs/tracks/rotations.md" in said) == ("rotations" in options)
    first, readme = ((course / path).read_text(encoding="utf-8") for path in ("docs/index.md", "README.md"))
    assert ("(tracks/rotations.md)" in first) == ("rotations" in options)
    assert "(docs/exercises/turned.md)" in readme
    assert re.search(r"\d+ passed", said)


KNOWN = ", ".join(dict.fromkeys(exercise.track for exercise in load_course().exercises))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "Rows --track training",
            "'Rows' cannot be the name of a file of Python's; expected a name in lower case, such as rotary",
        ),
        (
            "class --track training",
            "'class' cannot be the name of a file of Python's; expected a name in lower case, such as rotary",
        ),
        ("mlp --track training", "mlp is taken: exercises/mlp.py is part of the course; choose another name"),
        ("config --track training", "config is taken: exercises/config.py is part of the course; choose another name"),
        (
            "random --track training",
            "random is the name of a module that there is; exercises/random.py would hide it; choose another name",
        ),
        (
            "torch --track training",
            "torch is the name of a module that there is; exercises/torch.py would hide it; choose another name",
        ),
        (
            "rows --track tranformer",
            "--track tranformer: there is no such track; did you mean transformer? A new one has to differ more",
        ),
        ("rows --track A/B", f"--track 'A/B': expected one of {KNOWN}, or a new name in lower case"),
        (
            "rows --track rotations --after mlp",
            f"--after has no effect with a new track, which comes last; leave it out; tracks: {KNOWN}",
        ),
        (
            "rows --track training --after mlp",
            "--after mlp: expected an exercise of the track training: loss, optimizer, training",
        ),
        ("rows --track training --minutes 0", "--minutes is 0; expected at least 1"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_line(words, said):
    result = CliRunner().invoke(cli.app, ["new", *words.split()])
    assert (result.exit_code, result.stderr) == (2, f"{said}\n")


def test_files_that_are_there_already_are_not_written_over(tmp_path, monkeypatch):
    (tmp_path / "docs" / "exercises").mkdir(parents=True)
    (tmp_path / "docs" / "exercises" / "rows.md").write_text("mine")
    monkeypatch.setattr(new, "ROOT", tmp_path)
    result = CliRunner().invoke(cli.app, ["new", "rows", "--track", "training"])
    said = "rows is taken: there is docs/exercises/rows.md already; choose another name, or remove what is left of it\n"
    assert (result.exit_code, result.stderr) == (2, said)


def test_a_list_that_is_not_as_expected_is_named_and_nothing_is_written(tmp_path, monkeypatch):
    (tmp_path / "graders").mkdir()
    (tmp_path / "graders" / "course.toml").write_text("[exercises.other]\n")
    monkeypatch.setattr(new, "ROOT", tmp_path)
    result = CliRunner().invoke(cli.app, ["new", "rows", "--track", "training"])
    said = (
        "nothing was written, since graders/course.toml is not as expected: expected one line that begins with "
        "'[exercises.training]', found 0\n"
    )
    assert (result.exit_code, result.stderr) == (1, said)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["course.toml"]


def test_in_a_wheel_there_is_no_place_for_one(monkeypatch):
    monkeypatch.setattr(new, "IS_REPOSITORY", False)
    result = CliRunner().invoke(cli.app, ["new", "rows", "--track", "training"])
    said = (
        "headstart is installed from a wheel, which has no place for a new exercise; run this in the course's own "
        "repository\n"
    )
    assert (result.exit_code, result.stderr) == (1, said)
