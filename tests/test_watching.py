"""`headstart watch` survives what editors and learners do to files, and leaves no process behind."""

import os
import queue
import signal
import sys
import time
from pathlib import Path

import pytest
from learners import solved
from watched import Watched, learner_tree, processes_of

from graders.engine.record import hash_of
from graders.engine.stubs import stub_text

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it looks at processes in /proc")

STUB = stub_text("mlp")
UNREADABLE = "def gelu_new(\n"
# Each call is within its limit, so that the run lasts for half a minute, whatever is done to it meanwhile
SLOW = (
    solved("mlp")
    + """

import time

right = gelu_new


def gelu_new(x):
    time.sleep(0.5)
    return right(x)
"""
)
SILENCE = 3.0  # seconds in which a verdict that must not come would have come, as the grading of a stub is quick


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """One watcher for the tests of this file; each leaves it idle."""
    watcher = Watched(learner_tree(tmp_path_factory.mktemp("learner")), "mlp")
    assert watcher.verdict()["n_done"] == 0
    yield watcher
    assert watcher.close() == (0, "")
    assert processes_of(watcher.tree) == []
    assert list((watcher.tree / "tmp").iterdir()) == []


@pytest.fixture
def stub(watched):
    """The watcher, its file a stub that was graded."""
    save_until_graded(watched, STUB + f"# {time.monotonic_ns()}\n")
    return watched


def save_until_graded(watched, text) -> None:
    """Save a file and wait for the verdict on it, whatever verdicts come before."""
    digest = watched.save("mlp", text)
    while watched.verdict()["file_hash"] != digest:
        pass


def is_silent(watched) -> bool:
    """Whether no verdict comes."""
    try:
        watched.verdict(SILENCE)
    except queue.Empty:
        return True
    return False


def test_a_save_gives_the_states_of_all_tasks(stub):
    verdict = stub.verdict_on("mlp", STUB)
    assert verdict["tasks"] == {"gelu_new": "not started", "MLP": "not started"}
    assert set(verdict["laws"].values()) <= {"not_started", "skipped"}


def test_a_file_that_python_cannot_read_has_a_screen(stub):
    [screen] = stub.verdict_on("mlp", UNREADABLE)["screens"]
    assert screen[1].startswith("  exercises/mlp.py cannot be read by Python: line 1, '(' was never closed. Mend")


def test_ten_saves_in_a_second_give_one_verdict_on_the_last_text(stub):
    stub.save("mlp", solved("mlp"))  # grading this takes longer than the next save
    for i in range(9):
        time.sleep(0.09)
        digest = stub.save("mlp", STUB + f"# save {i}\n")
    assert stub.verdict()["file_hash"] == digest
    assert is_silent(stub)


def test_a_save_during_a_run_drops_it_with_all_its_processes(stub):
    stub.save("mlp", SLOW)
    wait_for(lambda: len(processes_of(stub.tree)) >= 4)  # those that watch, grade, try laws, and run the learner's code
    assert stub.verdict_on("mlp", STUB)["tasks"]["MLP"] == "not started"
    wait_for(lambda: len(processes_of(stub.tree)) == 2)
    assert list((stub.tree / "tmp").glob("*/*")) == []


def test_a_run_whose_code_left_its_group_is_ended_too(stub):
    stub.save("mlp", "import os\nos.setsid()\n" + SLOW)
    wait_for(lambda: len(processes_of(stub.tree)) >= 4)
    stub.verdict_on("mlp", STUB)
    wait_for(lambda: len(processes_of(stub.tree)) == 2)


def test_an_editor_that_writes_by_renaming_is_seen(stub):
    fresh = stub.path("mlp").with_suffix(".new")
    fresh.write_text(UNREADABLE, encoding="utf-8")
    fresh.replace(stub.path("mlp"))
    assert stub.verdict()["file_hash"] == hash_of([stub.path("mlp")])


def test_an_editor_that_moves_the_old_file_away_first_is_seen(stub):
    stub.path("mlp").rename(stub.path("mlp~"))
    time.sleep(0.1)
    stub.verdict_on("mlp", UNREADABLE)
    assert is_silent(stub)


def test_a_file_that_went_is_waited_for(stub):
    stub.path("mlp").unlink()
    assert is_silent(stub)
    assert stub.verdict_on("mlp", UNREADABLE)["n_done"] == 0


def test_a_file_that_went_during_its_run_ends_the_run(stub):
    stub.save("mlp", SLOW)
    wait_for(lambda: len(processes_of(stub.tree)) >= 4)
    stub.path("mlp").unlink()
    wait_for(lambda: len(processes_of(stub.tree)) == 2)
    save_until_graded(stub, STUB)  # a process that came to the file too late may have said that it is not there


def test_the_whole_folder_may_go_and_come_back(stub):
    folder = stub.path("mlp").parent
    folder.rename(folder.with_name("away"))
    assert is_silent(stub)
    folder.with_name("away").rename(folder)
    stub.verdict_on("mlp", UNREADABLE)


def test_a_text_that_was_graded_is_not_graded_again(stub):
    stub.path("mlp").touch()
    assert is_silent(stub)


def test_a_file_that_the_exercise_does_not_import_has_no_say(stub):
    stub.save("softmax", stub_text("softmax") + "# mine\n")
    assert is_silent(stub)


def test_a_file_that_the_exercise_imports_has_it_graded(stub):
    stub.save("config", stub.path("config").read_text() + "# mine\n")
    assert stub.verdict()["exercise"] == "mlp"


def test_what_is_graded_is_remembered(stub):
    assert (stub.tree / ".headstart" / "verdicts" / "mlp.json").exists()


def test_where_nothing_is_forked_each_run_is_a_process_of_its_own(tmp_path):
    watched = Watched(learner_tree(tmp_path / "learner"), "mlp", "--fresh")
    assert watched.verdict()["n_done"] == 0
    assert len(watched.verdict_on("mlp", UNREADABLE)["screens"]) == 1
    watched.save("mlp", SLOW)
    wait_for(lambda: len(processes_of(watched.tree)) >= 4)
    watched.verdict_on("mlp", STUB)
    watched.save("mlp", SLOW)
    wait_for(lambda: len(processes_of(watched.tree)) >= 4)
    assert watched.close() == (0, "")
    assert processes_of(watched.tree) == []
    assert list((watched.tree / "tmp").iterdir()) == []


def test_a_watcher_that_is_killed_takes_its_processes_along(tmp_path):
    watched = Watched(learner_tree(tmp_path / "learner"), "mlp")
    watched.verdict()
    watched.save("mlp", SLOW)
    wait_for(lambda: len(processes_of(watched.tree)) >= 4)
    watched.process.kill()
    watched.process.wait()
    wait_for(lambda: processes_of(watched.tree) == [])


def test_a_grading_process_that_is_killed_is_replaced(tmp_path):
    watched = Watched(learner_tree(tmp_path / "learner"), "mlp")
    watched.verdict()
    [serving] = [int(p.name) for p in Path("/proc").glob("[0-9]*") if is_serving(p, watched.tree)]
    os.kill(serving, signal.SIGKILL)
    time.sleep(0.5)
    assert watched.verdict_on("mlp", UNREADABLE)["n_done"] == 0
    assert watched.close() == (0, "")


def is_serving(process: Path, tree: Path) -> bool:
    """Whether a process is the one that forks the gradings of a tree."""
    try:
        return (process / "cwd").resolve() == tree.resolve() and b"--serve" in (process / "cmdline").read_bytes()
    except OSError:
        return False


def wait_for(holds, patience: float = 60.0) -> None:
    """Wait until something holds."""
    until = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < until, "it did not come to hold"
        time.sleep(0.02)
