"""A run ends at once, with its own exit status, and after all that others do at the end."""

import os
import subprocess
import sys

import pytest

from graders.engine.course import ROOT
from graders.engine.ending import was_begun_for

PLUGIN = """
import atexit
from pathlib import Path

HERE = Path(__file__).parent
atexit.register(lambda: (HERE / "called").touch())


class Torn:
    def __init__(self):
        self.touch = (HERE / "torn").touch

    def __del__(self):
        self.touch()


torn = Torn()
"""


@pytest.mark.parametrize(("subject", "status"), [("reference", 0), ("misconception:softmax/not_shifted", 1)])
def test_a_run_ends_with_its_status_after_all_callbacks_and_takes_nothing_apart(tmp_path, subject, status):
    (tmp_path / "at_the_end.py").write_text(PLUGIN)
    command = [sys.executable, "-m", "pytest", "-p", "at_the_end", "graders/test_softmax.py", "--subject", subject]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert done.stdout.splitlines()[-1].endswith("s")  # pytest's last line: nothing that was printed is lost
    assert (tmp_path / "called").exists()
    assert not (tmp_path / "torn").exists()


@pytest.mark.parametrize(
    ("command", "arguments", "expected"),
    [
        (["-m", "pytest", "-q", "a.py"], ["-q", "a.py"], True),
        (["-m", "pytest"], [], True),
        (["/bin/pytest", "a.py"], ["a.py"], True),
        (["C:\\bin\\pytest.exe", "a.py"], ["a.py"], os.name == "nt"),
        (["/bin/coverage", "run", "-m", "pytest", "a.py"], ["a.py"], False),
        (["-m", "pytest", "tests"], ["a.py"], False),  # a run within a run
        (["/bin/editor", "a.py"], ["a.py"], False),
        (["pytest.py"], ["a.py", "b.py"], False),
        (["-c", "import pytest; pytest.main()", "a.py"], ["a.py"], False),
    ],
)
def test_only_a_process_that_was_begun_for_the_run_ends_with_it(command, arguments, expected):
    assert was_begun_for(arguments, command) is expected
