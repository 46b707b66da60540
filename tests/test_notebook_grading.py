"""What the last cell says after an afternoon of a learner's: cells out of order, magics, errors, trials, text."""

import signal
import subprocess
import sys
import threading

import pytest
from jupyter_client.manager import start_new_kernel
from kernels import COLOUR, run_cells, verdict_of
from learners import solved

from graders.engine import journal
from graders.engine.course import EXERCISES, ROOT
from graders.engine.stubs import stub_text
from graders.notebooks import grading
from graders.notebooks.make import make_notebook

GRADE = 'from graders.notebooks import grade, keep\n\ngrade("mlp")'


def cells_of(is_solved: bool) -> dict[str, str]:
    cells = make_notebook("mlp", is_solved, "docs").cells
    return {c.id: c.source.replace("from reference.", "from exercises.") for c in cells if c.cell_type == "code"}


STUB, SOLVED = cells_of(False), cells_of(True)
WITH_A_GAP = SOLVED["MLP"].replace("def forward(", "def forward((")
AFTERNOON = {
    "nothing was run": GRADE,
    "a task before the imports": SOLVED["MLP"],
    "a magic": "%matplotlib inline\n%config InlineBackend.figure_format = 'retina'",
    "a command": "!echo Ωß猫\nfiles = !echo a b",
    "imports": "\n\n" + STUB["given-1"],
    "a trial of what is not written": STUB["gelu_new"] + "\n\n\ngelu_new(torch.zeros(2))",
    "half of it": GRADE,
    "timed": "%%time\n" + SOLVED["gelu_new"].replace('"""', '"""Ωß猫 ', 1),
    "a trial": "import matplotlib\ny = gelu_new(torch.zeros(2))\nprint(y, 'naïve')\nassert False",
    "all of it": GRADE,
    "a slip": WITH_A_GAP,
    "with a slip": GRADE,
    "an error inside": "\n\n# mine\n" + SOLVED["gelu_new"].replace("    # 1.", "    nothing\n    # 1.", 1),
    "with an error": GRADE,
    "with a library": "import numpy\nimport matplotlib\n\n\ndef gelu_new(x):\n    return matplotlib.gelu(x)",
    "with it": GRADE,
    "with a breakpoint": SOLVED["gelu_new"].replace("    # 1.", "    breakpoint()\n    # 1.", 1),
    "at it": GRADE,
    "another exercise": 'grade("mpl")',
}


def own_files() -> list[bytes]:
    """The learner's file, and what is remembered of it."""
    paths = (EXERCISES / "mlp.py", journal.VERDICTS / "mlp.json")
    return [path.read_bytes() for path in paths if path.exists()]


BEFORE = own_files()


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What each cell shows, by its name above."""
    return dict(zip(AFTERNOON, run_cells(list(AFTERNOON.values()), tmp_path_factory.mktemp("a b")), strict=True))


def test_before_anything_is_run_nothing_is_started(shown):
    assert shown["nothing was run"].startswith(
        "Not run since the kernel was started, so taken as not started: all tasks.\n"
    )
    assert set(verdict_of(shown["nothing was run"]).states("mlp").values()) == {"not started"}


def test_a_task_that_was_run_before_the_imports_counts(shown):
    assert shown["a task before the imports"].startswith("NameError: ")
    assert verdict_of(shown["half of it"]).states("mlp") == {"gelu_new": "not started", "MLP": "waits for gelu_new"}
    assert "Not run since" not in shown["half of it"]


def test_magics_trials_and_text_in_any_alphabet_do_no_harm(shown):
    assert "Ωß猫" in shown["a command"]
    assert shown["a trial"].endswith("AssertionError: \n")
    assert set(verdict_of(shown["all of it"]).states("mlp").values()) == {"done"}


def test_when_all_is_done_the_way_on_is_shown(shown):
    assert shown["all of it"].splitlines()[-4:-1] == [
        "All laws hold.",
        'Next: keep("mlp"), in a new cell, writes this into exercises/mlp.py, which later exercises import',
        "      Then headstart notebook block",
    ]


def test_a_cell_that_is_no_python_is_named_and_what_was_run_before_counts(shown):
    assert shown["with a slip"].startswith("In [11], with the newest MLP, is no Python yet (")
    assert set(verdict_of(shown["with a slip"]).states("mlp").values()) == {"done"}


def test_an_error_is_shown_at_its_line_of_the_cell(shown):
    n_lines = (
        SOLVED["gelu_new"].splitlines().index("    # 1. " + SOLVED["gelu_new"].partition("# 1. ")[2].partition("\n")[0])
    )
    assert f"  in your code           In [13], line {n_lines + 4}, in gelu_new:  nothing\n" in shown["with an error"]


def test_a_library_that_a_task_uses_is_named(shown):
    assert (
        "  This notebook imports matplotlib. Only torch, einops, jaxtyping and the standard library" in shown["with it"]
    )


def test_a_breakpoint_is_no_riddle(shown):
    assert "  There is a breakpoint in it. Take it out, and call the task in a cell to stop there.\n" in shown["at it"]


def test_an_unknown_exercise_is_answered_with_the_names_there_are(shown):
    assert shown["another exercise"].startswith("ValueError: there is no exercise 'mpl'; the exercises are tensors, ")


def test_nothing_of_it_is_in_the_learner_s_files_or_records(shown):
    assert set(verdict_of(shown["all of it"]).states("mlp").values()) == {"done"}
    assert own_files() == BEFORE


def test_in_a_terminal_it_says_what_to_run_there():
    code = "from graders.notebooks import grade; grade('mlp')"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.stderr.splitlines()[-1] == (
        "RuntimeError: grade() grades the cells of a notebook, and there is none here; run  pytest graders/test_mlp.py"
    )


def test_a_run_that_is_stopped_says_so_and_leaves_no_process(tmp_path):
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(tmp_path))
    try:
        threads: list[threading.Timer] = []
        texts: list[str] = []

        def heard(message: dict) -> None:
            content = message["content"]
            texts.append(COLOUR.sub("", content.get("text", "")))
            if "all tasks" in texts[-1]:  # the grading begins now
                threads.append(threading.Timer(1.0, manager.interrupt_kernel))
                threads[0].start()

        client.execute_interactive(GRADE, output_hook=heard, timeout=120)
        threads[0].join()
        assert "".join(texts).endswith("Stopped, so there is no verdict.\n")
        left = "[child.cmdline() for child in __import__('psutil').Process().children(recursive=True)]"
        texts.clear()
        client.execute_interactive(f"print({left})", output_hook=heard, timeout=120)
        assert "".join(texts) == "[]\n"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


HERE = """
from graders.engine import journal
from graders.notebooks import grading, keep
from pathlib import Path
grading.ROOT = Path({!r})
grading.EXERCISES, journal.HOME = grading.ROOT / 'exercises', grading.ROOT / '.headstart'
"""


def test_keep_does_not_put_stubs_over_work_that_was_not_run(tmp_path):
    course = tmp_path / "course"
    (course / "exercises").mkdir(parents=True)
    (course / "exercises" / "mlp.py").write_text(solved("mlp"), encoding="utf-8")
    given = STUB["given-1"].replace("from exercises.", "from reference.")
    slip = SOLVED["gelu_new"].replace("def gelu_new(", "def gelu_new((")
    cells = [HERE.format(str(course)), given, slip, 'keep("mlp")', SOLVED["MLP"], 'keep("mlp")']
    *_others, first, _run, second, third = run_cells([*cells, 'keep("mlp", force=True)'], tmp_path)
    left_out = "In [3], with the newest gelu_new, is no Python yet ("
    refused = (
        "exercises/mlp.py has {} written, so nothing was changed; run the cells of what you want to keep, or, to have "
        'stubs in its place,  keep("mlp", force=True)'
    )
    assert first.splitlines()[1:] == [
        "Not run since the kernel was started, so taken as not started: all tasks.",
        refused.format("gelu_new, MLP"),
    ]
    assert first.startswith(left_out)
    assert second.splitlines()[-1] == refused.format("gelu_new")
    (backup,) = (course / ".headstart" / "backups").iterdir()  # the refusals wrote nothing
    assert backup.read_text(encoding="utf-8") == solved("mlp")
    assert third.splitlines()[-2] == (
        f"wrote exercises/mlp.py; what was there is kept as .headstart/backups/{backup.name}"
    )
    text = (course / "exercises" / "mlp.py").read_text(encoding="utf-8")
    assert "from exercises.config import GPTConfig" in text
    assert "reference" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="there, terminating is not refused")
def test_a_run_that_does_not_listen_is_ended_all_the_same(monkeypatch):
    monkeypatch.setattr(grading, "PATIENCE", 0.2)
    deaf = (
        "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (2, 15)]; print(flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE) as run:
        run.stdout.readline()
        grading.stop(run)
    assert run.returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such signal")
def test_a_run_can_end_what_it_started_before_it_ends(monkeypatch):
    monkeypatch.setattr(grading, "PATIENCE", 0.2)
    tidy = "import time\nprint(flush=True)\ntry:\n    time.sleep(600)\nexcept KeyboardInterrupt:\n    print('tidied')\n"
    with subprocess.Popen([sys.executable, "-c", tidy], stdout=subprocess.PIPE) as run:
        run.stdout.readline()
        grading.stop(run)
        assert run.stdout.read().strip() == b"tidied"


def test_keep_writes_the_file_and_keeps_what_was_there(tmp_path):
    course = tmp_path / "course"
    (course / "exercises").mkdir(parents=True)
    (course / "exercises" / "mlp.py").write_text("# work\n")
    shown = run_cells(
        [HERE.format(str(course)), STUB["given-1"], SOLVED["gelu_new"], SOLVED["MLP"], 'keep("mlp")', 'keep("mlp")'],
        tmp_path,
    )
    (kept, again) = sorted((course / ".headstart" / "backups").glob("mlp-*.py"), key=lambda path: path.stem)
    assert kept.read_text() == "# work\n"
    assert shown[-2] == (
        f"wrote exercises/mlp.py; what was there is kept as {kept.relative_to(course).as_posix()}\n"
        "Next: pytest graders/test_mlp.py, so that `headstart` knows how far you are\n"
    )
    text = (course / "exercises" / "mlp.py").read_text(encoding="utf-8")
    assert again.read_text(encoding="utf-8") == text
    assert stub_text("mlp").startswith(text.partition('"""\n\nimport')[0])
    assert text.partition('"""\n\nimport')[2] == solved("mlp").partition('"""\n\nimport')[2]
