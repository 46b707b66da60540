"""Every template and every solution is run in a kernel, and its last cell says what pytest says."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from kernels import run_all, run_cells, shown_by, verdict_of
from learners import folder_with, grade, solved

from graders.engine.course import ROOT, load_course, sections
from graders.engine.stubs import stub_text
from graders.notebooks.make import CHECK, make_notebook
from graders.notebooks.written import written

NAMES = [exercise.name for exercise in load_course().exercises]
BOTH = [(name, is_solved) for name in NAMES for is_solved in (False, True)]


def code_of(exercise: str, is_solved: bool) -> dict[str, str]:
    """The code cells of a notebook that come to the exercise's file, by name."""
    cells = make_notebook(exercise, is_solved, "docs").cells
    return {c.id: c.source for c in cells if c.cell_type == "code" and c.id not in ("course", "grade")}


def source_of(exercise: str, is_solved: bool) -> str:
    return (ROOT / "reference" / f"{exercise}.py").read_text(encoding="utf-8") if is_solved else stub_text(exercise)


def without_docstring(text: str) -> str:
    return "\n".join(text.split("\n")[ast.parse(text).body[0].end_lineno :])


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Kernels and graders run side by side."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Every notebook, run in a folder far from the course, and graded without limits of time.

    So that it is no matter how busy the machine is; `wrong_ones` below are graded as learners' are.
    """
    notebooks = {f"{name}-{is_solved}": make_notebook(name, is_solved, "docs") for name, is_solved in BOTH}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_ADDOPTS", "--in-process")
        return run_all(notebooks, tmp_path_factory.mktemp("elsewhere"))


@pytest.fixture(scope="module")
def by_pytest(tmp_path_factory):
    """What pytest says of all stubs, and of all solved files: is_solved -> run."""
    stubs = folder_with(tmp_path_factory.mktemp("stubs") / "exercises")
    return {False: grade("--subject", stubs, exercises=NAMES), True: grade("--subject", "reference", exercises=NAMES)}


@pytest.mark.parametrize(("exercise", "is_solved"), BOTH)
def test_a_notebook_shows_the_verdict_of_pytest(exercise, is_solved, executed, by_pytest):
    notebook = executed[f"{exercise}-{is_solved}"]
    states = verdict_of(shown_by(notebook.cells[-1])).states(exercise)
    assert states == by_pytest[is_solved].states(exercise)
    assert set(states.values()) == {"done" if is_solved else "not started"}
    assert states.keys() == {task.name for task in load_course()[exercise].tasks}


@pytest.mark.parametrize(("exercise", "is_solved"), BOTH)
def test_no_other_cell_shows_anything(exercise, is_solved, executed):
    cells = executed[f"{exercise}-{is_solved}"].cells[:-1]
    assert [shown_by(cell) for cell in cells if cell.get("outputs")] == []


@pytest.mark.parametrize(("exercise", "is_solved"), BOTH)
def test_the_cells_are_the_file_and_come_to_it_again(exercise, is_solved):
    cells = code_of(exercise, is_solved)
    wanted = source_of(exercise, is_solved)
    assert ast.dump(ast.parse("\n".join(cells.values()))) == ast.dump(ast.parse(without_docstring(wanted)))
    come_to = written(dict(enumerate(cells.values(), 1)), stub_text(exercise), [])
    assert without_docstring(come_to.text) == without_docstring(wanted)


@pytest.mark.parametrize("exercise", NAMES)
def test_a_task_s_section_stands_above_its_cell(exercise):
    cells = make_notebook(exercise, False, "docs").cells
    names = [cell.id for cell in cells]
    page = (ROOT / "docs" / "exercises" / f"{exercise}.md").read_text(encoding="utf-8")
    for task in load_course()[exercise].tasks:
        section = cells[names.index(task.name) - 1].source
        assert list(sections(section)) == ["", task.page]
        assert section.splitlines()[-1] in page
    assert cells[0].source.startswith(page.partition("\n")[0])
    assert "exercises/" + exercise + ".py`. " not in cells[0].source  # where the page says to write
    assert names[-1] == "grade"
    assert "## Check yourself before coding" in cells[0].source
    assert cells[0].source.splitlines()[-1].endswith(f"(docs/tracks/{load_course()[exercise].track}.md)")


@pytest.mark.parametrize("exercise", NAMES)
def test_every_section_of_the_page_is_in_the_notebook_and_every_link_leads_somewhere(exercise, tmp_path):
    docs = Path(os.path.relpath(ROOT / "docs", tmp_path)).as_posix()
    text = "\n".join(cell.source for cell in make_notebook(exercise, False, docs).cells)
    page = (ROOT / "docs" / "exercises" / f"{exercise}.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## .+$", page, re.MULTILINE)
    assert [heading for heading in headings if text.count(heading + "\n") != 1] == []
    links = re.findall(r"\]\((?!https?:)([^)#]*)", text)
    made = [link for link in links if re.search(r"/docs/(pictures|solutions)/", link)]  # by `headstart site`
    assert [link for link in links if link not in made and not (tmp_path / link).is_file()] == []
    assert len(links) == len(re.findall(r"\]\((?!https?:)", page))


def test_the_same_sources_give_the_same_notebook():
    first, second = (nbformat.writes(make_notebook("mlp", False, "docs")) for _ in range(2))
    assert first == second
    nbformat.validate(make_notebook("mlp", True, "docs"))


def test_a_kernel_without_the_course_is_told_which_command_gives_it():
    bare = subprocess.run([sys.executable, "-I", "-S", "-c", CHECK], capture_output=True, text=True, check=False)
    assert bare.stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: this notebook runs on {sys.executable}, which does not have the course. Choose the "
        "Python that has it as the kernel, or run, in the folder of the course:  "
        f'"{sys.executable}" -m pip install -e ".[notebooks]"'
    )


WRONG = {
    "a known mistake": ("k_pos > q_pos", "k_pos >= q_pos"),
    "an error": ("n_queries, n_keys = scores.shape[-2:]", "n_queries, n_keys = scores.shape"),
    "no result": ("return scores.masked_fill(is_future", "scores.masked_fill(is_future"),
    "an error on import": ("def apply_causal_mask(scores:", "def apply_causal_mask(scores=[][0], *, other:"),
}
TASK, MASK = "def apply_causal_mask", "apply_causal_mask"


@pytest.fixture(scope="module")
def wrong_ones(tmp_path_factory):
    """What a notebook shows, in one kernel, of wrong answers in turn, and pytest of the same texts, by kind."""
    folder, cells = tmp_path_factory.mktemp("wrong"), code_of("attention", True)
    turned = {name: cell.replace("from reference.", "from exercises.") for name, cell in cells.items()}
    run = list(turned.values())
    for old, new in WRONG.values():
        run += [cells[MASK].replace(old, new), 'from graders.notebooks import grade\ngrade("attention")']
    shown = run_cells(run, folder)[len(turned) + 1 :: 2]
    printed = [
        grade("--subject", folder_with(folder / str(i) / "notebook", attention=solved("attention").replace(*change)))
        for i, change in enumerate(WRONG.values())
    ]
    return {kind: (verdict_of(text), run) for kind, text, run in zip(WRONG, shown, printed, strict=True)}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_answer_has_the_states_and_the_screen_that_pytest_gives_it(kind, wrong_ones):
    here, there = wrong_ones[kind]
    name = MASK if MASK in there.screens() else "attention"
    assert here.states("attention") == there.states("attention")
    assert here.screens()[name][0] == there.screens()[name][0]
    place = r"(In \[\d+\]|attention\.py), line \d+"
    told, printed = ([re.sub(place, "HERE", line) for line in run.screens()[name]] for run in (here, there))
    if kind == "an error on import":  # which says what is wrong with the file, and a notebook is none
        told, printed = told[-1:], printed[-1:]
    assert told == printed


def test_a_screen_names_the_cell_and_its_line(wrong_ones):
    n_cells = len(code_of("attention", True))
    told = wrong_ones["an error"][0].screens()[MASK]
    assert (
        f"  in your code           In [{n_cells + 3}], line 7, in apply_causal_mask:  n_queries, n_keys = scores.shape"
        in told
    )


def test_what_to_do_next_is_said_of_cells(wrong_ones):
    assert wrong_ones["a known mistake"][0].out.splitlines()[-4:-1] == [
        "Next: mend apply_causal_mask in its cell",
        "      It is explained in docs/exercises/attention.md#causal-mask",
        "      Then run that cell, and this one again",
    ]
    assert not any("notebook/" in here.out or "--subject" in here.out for here, _there in wrong_ones.values())
