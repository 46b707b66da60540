"""The release gate, and that it can close: an audit that accepts anything would prove nothing."""

import dataclasses

import pytest

from graders.engine import audit
from graders.engine.course import load_course
from graders.engine.misconception import Misconception, Variant

EXERCISES = [exercise.name for exercise in load_course().exercises]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_audit_of_an_exercise_finds_no_problem(audits, exercise):
    report = audits[exercise].result()
    assert report.problems == [], audit.render(report)


@pytest.fixture
def report():
    return audit.Report("layer_norm")


def test_a_misconception_that_passes_is_a_problem(report, monkeypatch):
    harmless = Misconception("harmless", "LayerNorm", (("centred / (", "centred * 1.0 / ("),), "Nothing.", "Why?")
    monkeypatch.setattr(audit, "misconceptions_of", lambda exercise: (harmless,))
    audit._misconceptions(report, 1)
    assert report.problems == ["the misconception harmless passes (seed None)"]


def test_two_misconceptions_that_behave_alike_are_a_problem(report, monkeypatch):
    one, *_ = audit.misconceptions_of("layer_norm")
    monkeypatch.setattr(audit, "misconceptions_of", lambda exercise: (dataclasses.replace(one, id="twin"),))
    audit._misconceptions(report, 1)
    assert len(report.problems) == 1
    assert report.problems[0].startswith(f"the misconception twin is named {one.id} by ")


def test_misconceptions_that_do_not_fit_the_reference_any_more_are_named_and_nothing_else_is_tried(report, monkeypatch):
    lost = Misconception("lost", "LayerNorm", (("what is gone", "x"),), "Nothing.", "Why?")
    monkeypatch.setattr(audit, "misconceptions_of", lambda exercise: (lost,))
    audit._misconceptions(report, 1)
    assert report.problems == [
        "the misconception lost: the text to replace occurs 0 times in the reference, not once: 'what is gone'"
    ]


def test_a_wrong_variant_is_a_problem(report, monkeypatch):
    wrong = Variant("wrong", "LayerNorm.forward = lambda self, x: x * self.w + self.b")
    monkeypatch.setattr(audit, "variants_of", lambda exercise: (wrong, wrong, wrong))
    audit._variants(report, 1)
    assert report.problems[0].startswith("the variant wrong breaks test_")


def test_fewer_than_three_variants_are_a_problem(report, monkeypatch):
    monkeypatch.setattr(audit, "variants_of", lambda exercise: ())
    audit._variants(report, 1)
    assert report.problems == ["only 0 variants; at least three are wanted"]


def test_a_mutation_that_survives_is_a_problem(report, monkeypatch):
    monkeypatch.setattr(audit, "laws_for", lambda exercise: ())
    audit._mutations(report, 1)
    assert any(problem.startswith("a mutation survives: LayerNorm: ") for problem in report.problems)
    assert any(problem.startswith("only 0 of ") for problem in report.problems)


def test_a_stub_that_does_something_is_a_problem(report, monkeypatch):
    solved = {**audit.stub_files(), "layer_norm": audit.reference_text("layer_norm")}
    monkeypatch.setattr(audit, "stub_files", lambda: solved)
    audit._stub(report, 1)
    assert any("the stub of LayerNorm is" in problem for problem in report.problems)


def test_a_task_without_laws_accepts_trivial_answers(report, monkeypatch):
    monkeypatch.setattr(audit, "laws_for", lambda exercise: ())
    audit._trivial(report, 1)
    assert report.problems[0] == "LayerNorm accepts zeros"
