"""Grading: the order of checks, what is skipped and why, when a search stops, what is named and what is not."""

from dataclasses import replace

import pytest
import torch
from learners import solved, solved_but

from graders.engine import subject
from graders.engine.course import load_course
from graders.engine.form import form_of_task
from graders.engine.judge import Judge
from graders.engine.law import Broken, Law, expect_equal, laws_for
from graders.engine.misconception import misconceptions_of
from graders.engine.report import failure_screen
from graders.engine.space import Case, Fixed, given_case
from graders.engine.stubs import stub_files, stub_text
from graders.engine.subject import reference_transport, subject_with
from graders.engine.summary import summary
from graders.engine.transport import InProcess
from graders.engine.trial import UNSTEADY, Policy
from graders.engine.worker.loading import Source
from graders.engine.worker.messages import Reply, Request

FEW = Policy(examples=5)
ATTENTION = load_course()["attention"]


def judge_of(text, policy=FEW):
    """A judge of an attention file, in this process."""
    return Judge(InProcess(Source(texts=stub_files() | {"attention": text})), policy)


def graded(text, task=None, policy=FEW):
    """The outcomes of attention's laws, or of one task's."""
    judge = judge_of(text, policy)
    return [judge.grade(law) for law in laws_for("attention") if task in (None, law.task)]


def first(text, task, policy=FEW):
    """The outcome of a task's first law."""
    judge = judge_of(text, policy)
    return judge.grade(next(law for law in laws_for("attention") if law.task == task))


def statuses(outcomes):
    """Status and cause of each task's laws, each once, in order."""
    pairs = {(o.record.task, o.record.status, o.record.cause): None for o in outcomes}
    return list(pairs)


def replaced(**functions):
    """The solved attention with the lines of functions after it: name and body."""
    heads = {
        "attention_scores": "q, k",
        "attention_pattern": "scores",
        "apply_causal_mask": "scores",
        "mix_values": "pattern, v",
    }
    return solved_but("\n".join(f"def {name}({heads[name]}):\n    {body}\n" for name, body in functions.items()))


def test_a_fresh_stub_is_not_started_everywhere():
    found = {(o.record.task, o.record.status) for o in graded(stub_text("attention")) if o.record.status != "skipped"}
    assert found == {(task.name, "not_started") for task in ATTENTION.tasks}


def test_after_a_task_s_first_failure_its_other_laws_wait():
    assert statuses(graded(replaced(mix_values="return None"), "mix_values")) == [
        ("mix_values", "failed", ""),
        ("mix_values", "skipped", "waits for mix_values"),
    ]


def test_a_task_whose_need_failed_is_not_tried():
    outcomes = graded(replaced(mix_values="return None"))
    assert statuses(o for o in outcomes if o.record.task == "Attention") == [
        ("Attention", "skipped", "waits for mix_values")
    ]


def test_a_task_that_reaches_another_s_stub_waits_for_it():
    text = replaced(mix_values="raise NotImplementedError")
    assert statuses(graded(text, "Attention")) == [("Attention", "skipped", "waits for mix_values")]


def test_a_task_that_reaches_the_stub_of_another_file_waits_for_that():
    text = solved_but("from exercises.mlp import gelu_new\ndef mix_values(pattern, v):\n    return gelu_new(v)\n")
    assert statuses(graded(text, "mix_values")) == [("mix_values", "skipped", "waits for mlp: gelu_new")]


def test_a_function_of_one_s_own_that_is_not_written_leaves_the_task_not_started():
    text = solved_but("def mine():\n    raise NotImplementedError\ndef mix_values(pattern, v):\n    return mine()\n")
    assert first(text, "mix_values").record.status == "not_started"


def test_without_skipping_every_law_is_tried():
    outcomes = graded(replaced(mix_values="return None"), "mix_values", replace(FEW, skips=False))
    assert {outcome.record.status for outcome in outcomes} == {"failed"}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("1 / 0", "call"),
        ("return None", "type"),
        ("return v.float()[0]", "shape"),
        ("return v[:, :pattern.shape[2]].float() * torch.nan", "dtype"),
        ("pattern *= 0; return v[:, :pattern.shape[2]] / 0", "nan"),
        ("pattern *= 0; return v[:, :pattern.shape[2]]", "changed"),
        ("return v[:, :pattern.shape[2]]", "values"),
    ],
)
def test_of_several_mistakes_the_one_to_act_on_first_is_told(body, kind):
    assert first(replaced(mix_values=body), "mix_values").record.kind == kind


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        ({}, "missing"),
        ({"f": {}}, "missing"),
        ({"f": {"": [["q", "POSITIONAL_OR_KEYWORD", None]]}}, "signature"),
        ({"f": {"": [["k", "POSITIONAL_OR_KEYWORD", None], ["q", "POSITIONAL_OR_KEYWORD", None]]}}, "signature"),
    ],
)
def test_a_task_without_the_stub_s_form_is_not_called(found, kind):
    described = {"attention_scores" if key == "f" else key: value for key, value in found.items()}
    broken = form_of_task(ATTENTION, Reply(value=described), "attention_scores")
    assert broken is not None
    assert broken.kind == kind


def test_a_further_parameter_is_fine_when_it_is_optional():
    described = reference_transport().ask(Request("attention", "", describe=["mix_values"])).value
    described["mix_values"][""].append(["verbose", "POSITIONAL_OR_KEYWORD", "False"])
    assert form_of_task(ATTENTION, Reply(value=described), "mix_values") is None


def test_stars_are_shown_in_a_signature():
    described = {"mix_values": {"": [["args", "VAR_POSITIONAL", None], ["k", "KEYWORD_ONLY", "1"]]}}
    broken = form_of_task(ATTENTION, Reply(value=described), "mix_values")
    assert broken is not None
    assert broken.yours == "(*args, k=1)"


@pytest.mark.parametrize("m", misconceptions_of("attention")[::9], ids=lambda m: m.id)
def test_a_known_mistake_is_named(m):
    judge = Judge(subject_with("attention", (m,)), FEW)
    failed = [o for o in map(judge.grade, laws_for("attention")) if o.record.status == "failed"]
    assert failed[0].record.misconception == m.id


def test_two_mistakes_that_act_together_are_both_named():
    text = solved("attention")
    for m in misconceptions_of("attention"):
        if m.id in ("no_scaling", "q_and_k_swapped"):
            text = m.apply(text)
    assert first(text, "attention_scores").record.misconception == "no_scaling+q_and_k_swapped"


@pytest.mark.parametrize(
    "body",
    [
        'return einsum(q, k, "b q h e, b k h e -> b h q k") * 0.777',
        'raise RuntimeError("mine")',
        "return torch.zeros(q.shape[0], q.shape[2], q.shape[1], k.shape[1], dtype=q.dtype)",
    ],
)
def test_a_mistake_on_no_list_is_given_no_name(body):
    outcome = first(replaced(attention_scores=body), "attention_scores")
    assert (outcome.record.status, outcome.record.misconception) == ("failed", "")


def test_code_that_keeps_something_between_calls_is_told_so():
    text = solved_but(
        "seen = []\ndef mix_values(pattern, v):\n    seen.append(0)\n"
        '    return einsum(pattern, v, "b h q k, b k h e -> b q h e") + (len(seen) == 30)\n'
    )
    outcome = first(text, "mix_values", Policy())
    assert (outcome.record.status, UNSTEADY in outcome.broken.notes) == ("failed", True)


def test_an_exercise_has_ten_seconds_and_then_the_rest_is_left_out():
    text = solved_but(
        "import time\ndef attention_scores(q, k):\n    time.sleep(0.06)\n    return slow(q, k)\n"
    ).replace("def attention_scores(", "def slow(", 1)
    outcomes = graded(text, policy=replace(FEW, seconds=0.04))
    assert [(o.record.status, o.record.kind) for o in outcomes[:1]] == [("failed", "budget")]
    assert {o.record.cause for o in outcomes[1:]} == {"the exercise used up its 0 seconds"}


def test_only_the_time_of_the_subject_s_own_code_counts(monkeypatch):
    moments = iter(range(10**6))
    monkeypatch.setattr(subject.time, "monotonic", lambda: next(moments))  # so that a call takes one second
    calls = []
    judge = judge_of(solved("attention"))

    def ask(request, meanwhile=None):
        calls.append(request)
        return reference_transport().ask(request)

    monkeypatch.setattr(judge.transport, "ask", ask)
    judge.grade(laws_for("attention")[0])
    counted = judge.progress["attention"].seconds * subject.PATIENCE  # of which next to nothing was computed
    assert round(counted) == len(calls) - 1  # the first asked for the signatures


def grader_error():
    """The outcome of a law that is itself wrong."""

    def check(subject, reference, case):
        raise KeyError("oops")

    law = Law("test_wrong", "attention", "mix_values", "A law.", check, Fixed(lambda where: [Case(0, {})]))
    return judge_of(solved("attention")).grade(law)


def test_a_mistake_in_the_grader_is_an_error_not_the_learner_s_failure():
    outcome = grader_error()
    assert (outcome.record.status, outcome.record.kind, outcome.record.points) == ("error", "grader", 0)


def test_a_mistake_in_the_grader_is_told_as_one():
    line = " ".join(failure_screen(grader_error(), "", ATTENTION, "mine")[2:4])
    assert (
        line.split()
        == (
            "The grader itself stopped, with KeyError: 'oops' (test_judge.py, line "
            f"{grader_error.__code__.co_firstlineno + 4}). This is no mistake of yours: please report it."
        ).split()
    )


def test_the_budget_is_told_with_what_to_do(monkeypatch):
    outcome = first(replaced(mix_values="return None"), "mix_values")
    spent = replace(outcome, broken=Broken("budget"), record=replace(outcome.record, kind="budget"))
    assert failure_screen(spent, "", ATTENTION, "mine")[2:4] == [
        "  All its calls together took more than 10 seconds; the rest was left out. The cases are tiny: look for loops",
        "  that tensor operations can replace.",
    ]


def test_the_summary_says_for_which_task_another_waits():
    lines = summary(graded(replaced(mix_values="return None")), load_course(), "exercises")
    assert lines == [
        "  attention · attention_scores          done",
        "  attention · apply_causal_mask         done",
        "  attention · attention_pattern         done",
        "  attention · mix_values                not yet right",
        "  attention · Attention                 waits for mix_values",
        "",
        "3 of 5 tasks done.",
        "Next: mend mix_values in exercises/attention.py",
        "      It is explained in docs/exercises/attention.md#mix-values",
        "      Then run  pytest graders/test_attention.py",
    ]


def test_equal_nothing_is_equal_to_nan():
    with pytest.raises(Broken):
        expect_equal(torch.tensor([torch.nan]), torch.tensor([torch.nan]))


def test_an_example_from_a_larger_case_is_made_smaller():
    late = replaced(attention_pattern="return scores.softmax(-1) * (2 if scores.shape[-1] == 5 else 1)")
    outcome = first(late, "attention_pattern")
    assert outcome.case.scores.shape[:2] == (1, 1)


def test_a_tensor_with_fewer_axes_has_the_last_of_their_names():
    axes = {"logits": "batch seq d_vocab"}
    case = given_case("nothing", axes, logits=torch.zeros(3, 4), dim=1)
    assert case.shown == {"logits": {"seq": 3, "d_vocab": 4}, "dim": {}}
    assert (case.expected, case.dim) == ("nothing", 1)
    assert given_case(axes=axes, logits=torch.zeros(())).shown == {"logits": {}}


def test_what_is_broken_comes_before_what_is_not_started():
    outcomes = graded(replaced(attention_scores="raise NotImplementedError", mix_values="return None"))
    assert "Next: mend mix_values in exercises/attention.py" in summary(outcomes, load_course(), "exercises")


def test_a_task_waits_for_what_its_needs_rely_on():
    assert load_course()["sampling"].all_needs("generate")[:2] == ("next_token", "greedy")


def test_a_refusal_that_takes_its_time_is_counted():
    slow = subject.Subject("attention", InProcess(Source(texts=stub_files())))
    with pytest.raises(Broken):
        slow.error("attention_pattern", torch.ones(1, 1, 1, 1))
    assert slow.seconds > 0
