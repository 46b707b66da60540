"""Whoever has nothing but the pages gets to a green attention: their commands, run as they stand there.

`pip install` lines are recognised and not run: the environment of these tests has what they install.
"""

import ast
import os
import re
import subprocess
import sysconfig

import pytest
from watched import environment, learner_tree

from graders.engine.course import ROOT, load_course, sections

FIRST = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
STEPS = sections(FIRST)["your-first-exercise"]
STUCK = "Stuck? [The end of its page](exercises/attention.md#solution)"
TASKS = [task.name for task in load_course()["attention"].tasks]


def commands(markdown: str) -> list[str]:
    """The lines of the blocks of a page, but those that install."""
    blocks = re.findall(r"^```\n(.*?)^```", markdown, re.DOTALL | re.MULTILINE)
    return [line for line in "".join(blocks).splitlines() if not line.startswith("pip install")]


class Learner:
    """Someone in a copy of the course's folder, who types what a page says."""

    def __init__(self, folder):
        self.tree = learner_tree(folder)
        self.file = self.tree / "exercises" / "attention.py"

    def types(self, command: str) -> tuple[int, str]:
        """The exit code of a command, and what it prints."""
        path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.tree,
            env=environment(self.tree) | {"PATH": path, "COLUMNS": "120"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def copies(self, task: str, code: str) -> None:
        """Put what stands on a page in the place of the function or class of that name."""
        text = self.file.read_text(encoding="utf-8")
        (node,) = [node for node in ast.parse(text).body if getattr(node, "name", "") == task]
        lines = text.splitlines()
        lines[node.lineno - 1 : node.end_lineno] = code.splitlines()
        self.file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def shown_solutions(page: str) -> dict[str, str]:
    """Of the page of a solution as it is written for the site: what a learner copies for each task."""
    parts = re.findall(r"^## (\w+)\n.*?^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    return {name: code.strip("\n") for name, code in parts if name in TASKS}


@pytest.fixture(scope="module")
def learner(tmp_path_factory):
    return Learner(tmp_path_factory.mktemp("learner") / "headstart")


def test_the_steps_of_the_first_page_lead_to_a_green_attention(learner, site):
    before, stuck, after = STEPS.partition(STUCK)
    assert stuck
    first, *others = commands(before)
    code, said = learner.types(first)
    assert code == 1
    assert said.count("not started") >= len(TASKS)
    for command in others:
        code, said = learner.types(command)
        assert code == (1 if command.startswith("pytest") else 0), (command, said)
    solutions = shown_solutions((ROOT / "docs" / "solutions" / "attention.md").read_text(encoding="utf-8"))
    assert list(solutions) == TASKS
    green, following = commands(after)
    for n_done, copied in ((1, TASKS[:1]), (len(TASKS), TASKS[1:])):
        for task in copied:
            learner.copies(task, solutions[task])
        code, said = learner.types(green)
        assert code == (0 if n_done == len(TASKS) else 1), said
        assert f"{n_done} of {len(TASKS)} tasks done" in said
    code, said = learner.types(following)
    assert code == 0, said
    assert "Next" in said


def test_the_command_of_the_exercise_s_page_is_that_of_the_first_page():
    page = (ROOT / "docs" / "exercises" / "attention.md").read_text(encoding="utf-8")
    assert commands(page)[0] == commands(STEPS)[0] == "pytest graders/test_attention.py"
