"""What a screen shows of values, and what waits for what: details that a learner trips over."""

from dataclasses import replace

import pytest
import torch
from learners import folder_with, solved, solved_but

from graders.engine.calls import calls_between
from graders.engine.course import load_course
from graders.engine.diagnosis import Diagnosis
from graders.engine.judge import Judge
from graders.engine.law import Broken, expect_equal, laws_for
from graders.engine.misconception import misconceptions_of
from graders.engine.report import comparison, example_lines, explanation, failure_screen, looks_like
from graders.engine.space import Case
from graders.engine.stubs import stub_files
from graders.engine.subject import form_differences, result_axes
from graders.engine.transport import InProcess, Worker
from graders.engine.trial import Policy
from graders.engine.wording import numbers
from graders.engine.worker.loading import Source


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([[[1.0, 2.0]]], "[1, 2]"),  # a batch of one
        ([[1.0], [2.0]], "[[1], [2]]"),  # two rows of one number each are not one row of two
        ([[True]], "[True]"),
        (3.0, "3"),
        ([[]], "[]"),
    ],
)
def test_brackets_tell_the_shape_but_for_leading_axes_of_length_one(value, text):
    assert numbers(torch.tensor(value)) == text


@pytest.mark.parametrize(("yours", "shown"), [(0.3 + 1e-9, "0.300000001"), (0.3 + 1e-15, "0.30000000000000099")])
def test_two_numbers_that_differ_are_shown_differently(yours, shown):
    lines = comparison(Broken("values", yours, 0.3))
    assert lines[0].split() == ["yours", shown]
    assert lines[1].split()[1] != shown


def test_numbers_are_short_where_that_tells_them_apart():
    assert comparison(Broken("values", 1 / 3, 2 / 3))[0].split() == ["yours", "0.3333333"]


def test_the_part_of_a_result_that_is_of_another_type_is_named():
    broken = next(form_differences([1, torch.tensor(2)], [1, 2]))
    assert explanation(broken, "exercises/mlp.py", "gelu_new") == (
        "Of what it returned, item 1 is a tensor, expected an int. `.item()` makes it a number."
    )


@pytest.mark.parametrize(
    ("yours", "expected", "said"),
    [(None, 7, "It returned None, expected 7."), (42, None, "It returned 42, expected None.")],
)
def test_where_none_is_an_answer_both_are_shown_and_no_return_is_asked_for(yours, expected, said):
    text = explanation(Broken("type", yours, expected), "exercises/arithmetic.py", "decode_answer")
    assert text.startswith(said)
    assert "missing" not in text


def test_one_of_several_results_is_counted_as_a_person_counts():
    assert next(form_differences((1, [2.0]), (1, [2]))).what == "result 2 of 2 item 0"


def test_a_pair_of_ids_is_shown_whole():
    with pytest.raises(Broken) as caught:
        expect_equal([(1, 2), (3, 5)], [(1, 2), (3, 4)])
    assert (caught.value.yours, caught.value.expected, caught.value.what) == ((3, 5), (3, 4), "item 1")


@pytest.mark.parametrize("name", ["seed", "cfg", "draw", "show"])
def test_an_input_has_no_name_that_a_case_needs_itself(name):
    with pytest.raises(ValueError, match="of its own"):
        Case(0, {}).show(name, 1)


CALLS = """
def first(x): return x
def helper(x): return first(x)
def second(x): return helper(x)
class Third:
    def forward(self, x): return second(x)
def fourth(first):
    second = first
    return second.first + first
def fifth(x): return fifth(x - 1)
"""


def test_what_a_task_calls_is_read_through_its_helpers():
    tasks = ("first", "second", "Third", "fourth", "fifth")
    found = calls_between(tasks, Source(texts={"file": CALLS}), "file")
    assert found == {"first": [], "second": ["first"], "Third": ["first", "second"], "fourth": [], "fifth": []}


@pytest.mark.parametrize("text", ["def broken(", "\0", "x = 1"])
def test_of_a_file_that_cannot_be_read_nothing_is_known(text):
    assert calls_between(("first",), Source(texts={"file": text}), "file") in ({}, {"first": []})


def test_of_a_file_that_is_not_there_nothing_is_known():
    assert calls_between(("first",), Source(), "file") == {}


TWO = misconceptions_of("attention")[:2]


def test_two_mistakes_that_act_together_are_both_told():
    told = looks_like(Diagnosis(TWO))
    assert [line.split(":")[0] for line in told if "mistake" in line or "other" in line] == [
        "  What this looks like   One of two mistakes",
        "  What this looks like   The other",
    ]


def test_of_two_mistakes_of_which_one_shows_that_one_is_told_and_that_there_is_another():
    told = " ".join(" ".join(looks_like(Diagnosis(TWO, first_is_enough=True))).split())
    assert told == (
        f"What this looks like {TWO[0].names} Think about {TWO[0].asks} "
        "Then There is a second mistake, which shows elsewhere: mend this one and look again."
    )


def test_which_of_two_mistakes_shows_is_known():
    code = (
        "def softmax(x, dim):\n"
        "    exps = x.exp()\n"  # overflows where numbers are large
        "    return exps / exps.sum(dim=dim)\n"  # stops where numbers are small too
    )
    transport = InProcess(Source(texts=stub_files() | {"softmax": solved("softmax") + "\n\n" + code}))
    judge = Judge(transport, Policy())
    outcome = judge.grade(laws_for("softmax")[0])
    assert outcome.diagnosis is not None
    assert outcome.diagnosis.first_is_enough
    assert "keepdim" in outcome.diagnosis.misconceptions[0].id


def test_two_mistakes_in_the_failing_task_are_tried_before_any_in_what_it_needs():
    code = (
        "def cross_entropy(logits, targets):\n"
        "    check_targets(logits, targets)\n"
        "    return -log_softmax(logits, dim=1)[range(len(targets)), targets].mean()\n"
    )
    transport = InProcess(Source(texts=stub_files() | {"softmax": solved("softmax") + "\n\n" + code}))
    law = next(law for law in laws_for("softmax") if law.task == "cross_entropy")
    assert (
        Judge(transport, Policy()).grade(law).record.misconception == "probabilities_along_axis_1+targets_of_one_axis"
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "    assert a.shape[0] == a.shape[1], 'not square'\n    return a.diagonal().sum()\n",
            "It raised AssertionError: not square; 2 rows and 3 columns: this was refused, but by an assert. "
            "Look first, and raise ValueError yourself.",
        ),
        (
            "    return a.flatten()[:: len(a) + 1].view(len(a)).sum() + a.matmul(a).sum() * 0\n",
            "It raised RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3); 2 rows and 3 columns: "
            "this was refused, but by an error that came up later. Look first, and raise ValueError yourself.",
        ),
    ],
)
def test_a_refusal_by_another_error_says_what_to_raise(code, said):
    transport = InProcess(Source(texts=stub_files() | {"tensors": solved("tensors") + "\n\ndef trace(a):\n" + code}))
    law = next(law for law in laws_for("tensors") if law.name == "test_a_matrix_that_is_not_square_is_refused")
    outcome = Judge(transport, Policy()).grade(law)
    assert outcome.broken is not None
    assert explanation(outcome.broken, "exercises/tensors.py", "trace") == said


def test_a_product_of_two_sizes_is_the_name_of_one_axis():
    assert result_axes("markov", "second_order") == "n*n n"
    assert result_axes("softmax", "softmax") == ""  # of any number of axes


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (torch.zeros(4, 4), "all 0"),
        (torch.full((13,), -torch.inf), "all -inf"),
        (torch.ones(13, dtype=torch.int64), "all 1"),
        (torch.arange(13), "whole numbers, too many to show"),
        (Case(1, {}).draw(13), "random tenths"),
        (Case(1, {}, torch.float32).draw(13), "random tenths"),
        (Case(4, {}).draw(13).index_fill(0, torch.tensor(3), -torch.inf), "random tenths"),
        (torch.arange(13).sqrt(), "numbers, too many to show"),
        (torch.ones(13, dtype=torch.float64).index_fill(0, torch.tensor(12), 1 + 2**-30), "numbers, too many to show"),
    ],
)
def test_a_large_input_is_called_random_only_where_it_is(value, said):
    case = Case(1, {})
    case.show("x", value)
    assert list(example_lines(case)) == [f"  Smallest example       x = {said}"]


def test_a_text_that_goes_in_is_shown_in_quotes():
    case = Case(0, {})
    case.show("text", " a\n")
    assert [line.split(" = ")[1] for line in example_lines(case)] == [repr(" a\n")]


def test_a_task_waits_for_a_broken_one_that_it_calls_though_it_need_not():
    code = (
        "def attention_pattern(scores):\n    return scores * 0\n\n\n"
        "def mix_values(pattern, v):\n    return attention_pattern(pattern)\n"
    )
    assert "attention_pattern" not in load_course()["attention"].all_needs("mix_values")
    judge = Judge(InProcess(Source(texts=stub_files() | {"attention": solved_but(code)})), Policy(examples=5))
    outcomes = [judge.grade(law) for law in laws_for("attention")]
    assert {o.record.cause for o in outcomes if o.law.task == "mix_values"} == {"waits for attention_pattern"}


@pytest.mark.parametrize(
    ("body", "yours"),
    [
        ("return undefined", "NameError: name 'undefined' is not defined (attention.py, line {}: return undefined)"),
        ("while True: pass", "attention.py, line {}: while True: pass"),
    ],
)
def test_a_record_says_what_stopped_a_call_and_where(tmp_path, body, yours):
    text = solved_but(f"def mix_values(pattern, v):\n    {body}\n")
    worker = Worker(Source(folder=str(folder_with(tmp_path, attention=text)), stubs=stub_files()))
    law = next(law for law in laws_for("attention") if law.task == "mix_values")
    try:
        record = Judge(worker, Policy()).grade(law).record
    finally:
        worker.close()
    assert record.yours == yours.format(len(text.splitlines()))


def test_what_a_terminal_obeys_is_not_on_a_screen():
    raised = """
def attention_scores(q, k):
    print("\\x1b[2J")
    raise ValueError("\\x1b]0;mine\\x07 \\u202e \\ud800")
"""
    source = Source(texts=stub_files() | {"attention": solved_but(raised)})
    judge = Judge(InProcess(source), Policy())
    outcome = judge.grade(laws_for("attention")[0])
    screen = "\n".join(failure_screen(outcome, "", load_course()["attention"], "exercises"))
    assert "ValueError: �]0;mine� � �" in screen
    assert "\x1b" not in screen + outcome.record.yours


def test_of_a_value_without_end_the_beginning_is_written_down():
    assert numbers(torch.zeros(3, 10**6)).count("0") == numbers([0.0] * 10**6).count("0") == 10**4


def test_a_reply_that_no_law_can_take_apart_is_a_failure_and_the_grader_s_own_stop_is_an_error():
    class Odd(InProcess):
        isolation = "sandbox"

    def judged(check):
        judge = Judge(Odd(Source(texts=stub_files() | {"attention": solved("attention")})), Policy())
        return judge.grade(replace(laws_for("attention")[0], check=check)).record

    def is_unlike(subject, reference, case):
        if subject.checks_form:
            raise KeyError("logits")

    def stops(subject, reference, case):
        raise KeyError("logits")

    assert (judged(is_unlike).status, judged(is_unlike).kind) == ("failed", "unlike")
    assert (judged(stops).status, judged(stops).kind) == ("error", "grader")


def test_a_text_that_python_cannot_parse_for_want_of_memory_calls_nothing():
    assert calls_between(["one"], Source(texts={"file": "-" * 200_000 + "1"}), "file") == {}
