"""Every place in which an exercise is written down names the tasks of the index, and the audit says which does not."""

import dataclasses
import re
import shutil

import pytest
from typer.testing import CliRunner

from graders.cli import app
from graders.commands import site
from graders.engine import agreement, audit
from graders.engine.course import ROOT, load_course

EXERCISES = [exercise.name for exercise in load_course().exercises]


def test_a_task_under_two_names_is_a_problem_and_nothing_is_graded(monkeypatch):
    entry = load_course()["layer_norm"]
    task = dataclasses.replace(entry.tasks[0], name="RMSNorm", page="rmsnorm", needs=("LayerNorm",))
    renamed = dataclasses.replace(entry, tasks=(task,))
    monkeypatch.setattr(audit, "load_course", lambda: {"layer_norm": renamed})
    shown = audit.render(audit.audit_exercise("layer_norm"))
    listed = "LayerNorm, which graders/course.toml does not list (it has RMSNorm)"
    assert shown.splitlines()[1:6] == [
        "    problem  reference/layer_norm.py has no RMSNorm, which graders/course.toml lists",
        f"    problem  in graders/course.toml, a task of layer_norm needs {listed}",
        f"    problem  graders/test_layer_norm.py has laws for {listed}",
        f"    problem  graders/misconceptions/layer_norm.py has mistakes in {listed}",
        "    note     docs/exercises/layer_norm.md has no section #rmsnorm, where graders/course.toml has RMSNorm",
    ]
    assert re.fullmatch(r"layer_norm   4 problems   \d+ s", shown.splitlines()[0])


def test_the_lines_of_pages_that_lead_to_a_task_s_old_place_or_name_are_noted(tmp_path, monkeypatch):
    pages = {
        "exercises/layer_norm.md": "# A norm\n\n## rmsnorm\n",
        "sessions/3.md": "[RMSNorm](../exercises/layer_norm.md#rmsnorm)\n\n"
        "- [LayerNorm](../exercises/layer_norm.md#layernorm), [LayerNorm](../exercises/layer_norm.md#rmsnorm)\n",
        "solutions/layer_norm.md": "[LayerNorm](../exercises/layer_norm.md#layernorm)\n",
    }
    for name, text in pages.items():
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / name).write_text(text)
    monkeypatch.setattr(agreement, "PAGES", tmp_path)
    entry = load_course()["layer_norm"]
    task = dataclasses.replace(entry.tasks[0], name="RMSNorm", page="rmsnorm")
    assert agreement.lost_on_pages(dataclasses.replace(entry, tasks=(task,))) == [
        "docs/sessions/3.md:3 leads to #layernorm, and docs/exercises/layer_norm.md has no such section",
        "docs/sessions/3.md:3 calls RMSNorm LayerNorm",
    ]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_pages_have_the_tasks_of_the_index(exercise):
    assert agreement.lost_on_pages(load_course()[exercise]) == []


def test_a_page_without_the_marks_of_a_task_is_named_in_one_line(tmp_path, monkeypatch):
    pages = tmp_path / "docs" / "exercises"
    shutil.copytree(ROOT / "docs" / "exercises", pages)
    page = (pages / "layer_norm.md").read_text(encoding="utf-8")
    (pages / "layer_norm.md").write_text(page.replace("specification of LayerNorm", "specification of RMSNorm"))
    monkeypatch.setattr(site, "ROOT", tmp_path)
    result = CliRunner().invoke(app, ["site"])
    assert (result.exit_code, result.stderr) == (
        1,
        "docs/exercises/layer_norm.md must hold '<!-- specification of LayerNorm: written by `headstart site` -->' "
        "once, and below it '<!-- end of the specification of LayerNorm -->' once; put both there, and "
        "`headstart site` writes what stands between them\n",
    )
