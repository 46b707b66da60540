"""Hints: one rung a call, from the last failure on, the solution only when it is asked for twice."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner
from verdicts import FAILURE, finished, graded

from graders.cli import app
from graders.engine import journal
from graders.engine.course import load_course
from graders.loop.files import solution_text
from graders.loop.hints import next_hint, take_hint
from graders.loop.specification import first_question
from graders.loop.taken import record_solution, solutions_seen

pytestmark = pytest.mark.usefixtures("exercises")
TASKS = [(exercise.name, task.name) for exercise in load_course().exercises for task in exercise.tasks]
FIRST = (  # of the section on the causal mask, as it is on the page
    "Which keys may query 0 look at, when queries and keys are equally many?"
)


def broken(**changes) -> None:
    """The causal mask fails, as FAILURE says or with changes to it."""
    graded("attention", {"apply_causal_mask": "failed"}, **(FAILURE | changes))


def ladder(exercise: str, task: str | None = None) -> list[list[str]]:
    """All the hints that there are, without their first lines."""
    rungs = take_hint(exercise, task)
    return [rungs.lines()[1:], *(next_hint(exercise, task)[1:] for _ in range(1, rungs.rungs))]


def test_a_mistake_that_was_named_gets_its_own_question_then_the_example_then_what_is_asked():
    broken()
    assert next_hint("attention") == [
        "attention · apply_causal_mask                     hint 1 of 5",
        "  Think about            Which keys?",
    ]
    assert next_hint("attention") == [
        "attention · apply_causal_mask                     hint 2 of 5",
        "  A query sees its own position and every earlier one, and nothing later.",
        "  Smallest example       scores (queries 2, keys 2) = [[-1.9, 0.4], [-0.3, -1.1]]",
        "  yours                  [[-inf, -inf], [-0.3, -inf]]",
        "  expected               [[-1.9, -inf], [-0.3, -1.1]]",
    ]
    assert next_hint("attention") == [
        "attention · apply_causal_mask                     hint 3 of 5",
        "  A query sees its own position and every earlier one, and nothing later.",
        "  What is asked          Replace by -inf the score of every key that lies after its query.",
        "  All of it              headstart show attention apply_causal_mask",
        "  Its page               docs/exercises/attention.md#causal-mask",
    ]


def test_where_the_solution_is_must_be_asked_for_twice():
    broken()
    *_others, once, twice = ladder("attention")
    assert once == [
        "  That was all that can be said without the answer. Ask once more, and you are told where it is.",
        "  Again                  headstart hint attention apply_causal_mask",
    ]
    assert twice == [
        "  What was only read is soon forgotten: read it, close it, then write your own.",
        "  The solution           headstart solution attention apply_causal_mask",
    ]
    assert next_hint("attention")[1:] == twice


def test_a_mistake_without_a_name_gets_the_question_of_the_page_and_its_answer_last():
    broken(misconception="")
    rungs = ladder("attention")
    assert rungs[0] == [f"  From the page          {FIRST}"]
    answer = "Key 0 alone. If it sees nothing, the diagonal was masked too"
    assert [answer in " ".join(" ".join(rung).split()) for rung in rungs] == [False, False, True, False, False]


@pytest.mark.parametrize("changes", [{"misconception": "other"}, {"misconception": "", "kind": "shape"}], ids=str)
def test_another_mistake_starts_the_ladder_anew_and_the_same_one_does_not(changes):
    broken()
    next_hint("attention")
    broken(yours="[[0]]")  # the same mistake on other numbers
    assert take_hint("attention").rung == 2
    broken(**changes)
    assert take_hint("attention").rung == 1


def test_an_error_that_was_mended_is_another_mistake_than_the_one_behind_it():
    broken(
        misconception="", kind="call", yours="NameError: name 'socres' is not defined (attention.py, line 41: socres)"
    )
    first = take_hint("attention")
    assert ("yours", "NameError: name 'socres' is not defined (attention.py, line 41: socres)") in first.said
    broken(misconception="", kind="shape")
    assert take_hint("attention").rung == 1


def test_a_failure_without_numbers_says_what_happened_and_where_to_look():
    broken(kind="timeout", misconception="", counterexample="", yours="", expected="")
    assert ladder("attention")[0] == [
        "  A query sees its own position and every earlier one, and nothing later.",
        "  It was still running when its time was over. Look for a loop that does not end.",
        "  More                   The screen of the grader shows where. Run pytest graders/test_attention.py",
    ]


def test_a_file_that_stopped_when_it_was_imported_is_no_matter_of_a_task_s_solution():
    facts = {"kind": "import", "misconception": "", "counterexample": "", "yours": "", "expected": "", "seed": None}
    graded("attention", {"attention_scores": "failed"}, **facts)
    (rung,) = ladder("attention")
    assert rung[1:] == [
        "  The file stopped with an error while it was imported. Mend this first; nothing else can be tried.",
        "  More                   The screen of the grader shows where. Run pytest graders/test_attention.py",
    ]


def test_after_an_edit_a_hint_says_that_it_is_about_the_text_before(exercises):
    broken()
    with (exercises / "attention.py").open("a") as file:
        file.write("# more\n")
    assert next_hint("attention")[2:] == [
        "  Note                   The file was edited since it was graded; this is about the text before. Run pytest",
        "                         graders/test_attention.py",
    ]


def test_a_task_that_is_not_started_gets_what_is_asked_and_its_first_step():
    graded("attention", {"attention_scores": "passed"})
    assert next_hint("attention") == [
        "attention · apply_causal_mask                     hint 1 of 4",
        "  What is asked          Replace by -inf the score of every key that lies after its query.",
        "  All of it              headstart show attention apply_causal_mask",
        "  Its page               docs/exercises/attention.md#causal-mask",
        "  Begin with             1. The position of each query and of each key, in the text: q 1, and k",
    ]
    assert next_hint("attention")[1] == f"  Think about            {FIRST}"


def test_a_task_that_is_done_says_so_and_takes_no_rung():
    finished("attention")
    for _ in range(2):
        assert next_hint("attention", "mix_values") == [
            "attention · mix_values                            done",
            "  All its laws hold: there is nothing to hint at. `headstart` says what is next.",
        ]


def test_a_task_that_waits_says_for_what():
    graded("attention", {"Attention": "skipped"})
    assert next_hint("attention", "Attention") == [
        "attention · Attention                             waits",
        "  Not tried yet: waits for another. That comes first.",
    ]


def test_a_file_that_python_cannot_read_comes_before_any_hint(exercises):
    broken()
    (exercises / "attention.py").write_text("def f(:\n")
    assert " ".join(" ".join(next_hint("attention")[1:]).split()) == (
        "exercises/attention.py cannot be read by Python: line 1, invalid syntax. Mend this first; nothing else can be "
        "tried."
    )
    (exercises / "attention.py").unlink()
    assert next_hint("attention")[1:] == [
        "  exercises/attention.py is not there. `headstart stubs attention` writes its stub."
    ]


def test_what_is_broken_is_hinted_at_before_what_is_not_started():
    graded("attention", {"mix_values": "failed"}, **FAILURE)
    assert take_hint("attention").task == "mix_values"


def test_hints_that_cannot_be_remembered_are_given_all_the_same():
    broken()
    journal.HOME.joinpath("help.json").mkdir()  # where the file should be
    taken = take_hint("attention")
    assert (taken.rung, taken.said[-1][0]) == (1, "Note")
    assert taken.said[-1][1].startswith("This hint could not be remembered, and comes again: ")


def test_a_damaged_record_of_the_hints_begins_anew():
    broken()
    next_hint("attention")
    (journal.HOME / "help.json").write_text('{"version": 1, "hints": []}')
    assert take_hint("attention").rung == 1


def test_what_a_later_version_remembers_is_not_erased():
    broken()
    later = '{"version": 2, "solutions": {"mlp": {"MLP": "seen"}}}'
    (journal.HOME / "help.json").write_text(later)
    note = take_hint("attention").said[-1][1]
    assert note.startswith("This hint could not be remembered, and comes again: ")
    assert note.endswith("help.json is of another version of the course")
    assert (journal.HOME / "help.json").read_text() == later


def test_a_file_that_could_not_be_read_for_once_is_not_erased(monkeypatch):
    broken()
    record_solution("mlp", ["MLP"])

    def refused(path, **_options):
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_text", refused)
        with pytest.raises(PermissionError):
            record_solution("attention", ["mix_values"])
    assert solutions_seen("mlp") == {"MLP"}


@pytest.mark.parametrize(
    "hints", ['{"attention/apply_causal_mask": 5}', '{"attention/apply_causal_mask": {"about": "", "rung": "x"}}', "7"]
)
def test_a_part_of_another_kind_is_left_out_and_the_rest_stands(hints):
    broken()
    written = f'{{"version": 1, "hints": {hints}, "solutions": {{"mlp": ["MLP"], "gpt": 5, "block": [5]}}}}'
    (journal.HOME / "help.json").write_text(written)
    assert take_hint("attention").rung == 1
    assert take_hint("attention").rung == 2
    assert [solutions_seen(name) for name in ("mlp", "gpt", "block")] == [{"MLP"}, set(), set()]
    assert CliRunner().invoke(app, []).exit_code == 0


@pytest.mark.parametrize(("exercise", "task"), TASKS, ids=[task for _exercise, task in TASKS])
def test_every_task_has_hints_and_none_has_a_line_of_the_solution(exercise, task):
    assert first_question(exercise, task) is not None
    said = "\n".join(line for rung in ladder(exercise, task) for line in rung)
    code = [line.strip() for line in solution_text(exercise, task).splitlines() if "=" in line and "#" not in line]
    assert [line for line in code if line in said] == []


def test_a_program_reads_the_same():
    broken()
    said = json.loads(CliRunner().invoke(app, ["hint", "attention", "--json"]).output)
    assert said == {
        "exercise": "attention",
        "task": "apply_causal_mask",
        "state": "not yet right",
        "said": [{"label": "Think about", "text": "Which keys?"}],
        "rung": 1,
        "rungs": 5,
        "law": "test_the_future_is_hidden",
        "misconception": "mask_hides_self",
        "edited": False,
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "hint atention",
            f"there is no exercise 'atention'; did you mean attention? The exercises are {', '.join(dict(TASKS))}",
        ),
        ("hint juggling", f"there is no exercise 'juggling'; the exercises are {', '.join(dict(TASKS))}"),
        ("hint mix_values", "mix_values is a task; expected its exercise first: attention mix_values"),
        ("hint mlp gelu", "mlp has no task 'gelu'; its tasks are gelu_new, MLP"),
    ],
)
def test_what_is_no_exercise_or_task_is_refused_in_one_line(words, said):
    result = CliRunner().invoke(app, words.split())
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", said + "\n")
