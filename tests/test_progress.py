"""`headstart` and `headstart list` say where the learner is and what comes next, from their own records alone."""

import json

import pytest
from typer.testing import CliRunner
from verdicts import FAILURE, finished, graded

from graders.cli import app
from graders.engine import journal
from graders.engine.course import load_course
from graders.loop.progress import duration, list_lines, next_task, status_lines
from graders.loop.taken import record_solution

pytestmark = pytest.mark.usefixtures("exercises")
ALL = load_course().exercises
N_TASKS, MINUTES = sum(len(e.tasks) for e in ALL), sum(e.minutes for e in ALL)


def row(exercise: str) -> str:
    """The line of `headstart` about an exercise."""
    return next(line for line in status_lines() if f" {exercise} " in line[14:])


def step() -> tuple[str, str]:
    """The exercise and the task that come next, by name."""
    found = next_task()
    assert found is not None
    return found[0].name, found[1].name


def test_a_fresh_clone_is_welcomed_in_one_line_and_told_where_to_begin():
    lines = status_lines()
    assert lines[0] == (
        f"Welcome! {N_TASKS} tasks, about {duration(MINUTES)} of work: begin with tensors, or with attention if you "
        "have met transformers."
    )
    assert lines[-3:] == [
        "Next: write one_hot in exercises/tensors.py",
        "      It is explained in docs/exercises/tensors.md#one-hot",
        "      Then run  pytest graders/test_tensors.py   (or, for a verdict at every save,  headstart watch tensors)",
    ]


def test_all_exercises_and_the_next_step_fit_on_one_screen():
    for exercise in ALL:
        graded(exercise.name, {}, kind="values")
        record_solution(exercise.name, [exercise.tasks[0].name])
    lines = status_lines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 120


def test_exercises_after_the_plan_are_one_row():
    later = [exercise for exercise in ALL if not exercise.session]
    tasks = sum(len(e.tasks) for e in later)
    begun = [task.name for task in later[0].tasks][:-1]
    for need in later[0].needs:
        finished(need)
    graded(later[0].name, dict.fromkeys(begun, "passed"))
    (row,) = [line for line in status_lines() if "afterwards" in line]
    counted = f"{len(begun)}/{tasks}"
    assert row.startswith(f"> afterwards    {len(later)} exercises  [")
    assert f"  {counted:7}" in row
    assert not any(later[0].name in line for line in status_lines()[:-4])


def test_rows_say_what_is_done_and_how_long_the_rest_takes():
    finished("tensors")
    graded("attention", {"attention_scores": "passed", "apply_causal_mask": "failed"}, **FAILURE)
    lines = status_lines()
    assert lines[0] == f"11 of {N_TASKS} tasks done, about {duration(MINUTES - 45 - 12)} of work left"
    assert lines[2:4] == [
        "  fundamentals  tensors      [##########]  10/10  done",
        "                markov       [..........]  0/6    1 h",
    ]
    assert row("attention") == ">               attention    [##........]  1/5    48 min"


def test_a_bar_is_full_only_when_all_is_done():
    tasks = [task.name for task in load_course()["training"].tasks]
    graded("training", dict.fromkeys(tasks[1:], "passed"))
    assert "[########..]  5/6" in row("training")


def test_a_file_that_was_edited_since_its_verdict_is_marked(exercises):
    finished("mlp")
    assert "edited" not in row("mlp")
    with (exercises / "mlp.py").open("a") as file:
        file.write("# more\n")
    assert row("mlp").endswith("edited since its last verdict")
    assert "edited" not in row("block")


def test_a_solution_that_was_seen_is_marked():
    record_solution("mlp", ["MLP"])
    assert row("mlp").endswith("solution seen: MLP")
    assert "  MLP                      not tried   solution seen" in list_lines()


def test_what_is_broken_is_mended_before_what_is_not_written():
    graded("attention", {"mix_values": "failed"}, **FAILURE)
    assert step() == ("attention", "mix_values")
    assert status_lines()[-3] == "Next: mend mix_values in exercises/attention.py"


def test_without_anything_broken_the_first_task_that_is_not_done_is_next():
    graded("attention", {"attention_scores": "passed"})
    assert step() == ("attention", "apply_causal_mask")


def test_a_run_of_all_graders_leaves_the_learner_where_they_were():
    for exercise in ALL:
        graded(exercise.name, {})
    assert step() == ("tensors", "one_hot")
    graded("attention", {"attention_scores": "passed"})
    assert step() == ("attention", "apply_causal_mask")


def test_who_began_elsewhere_is_not_sent_back_to_the_first_exercise():
    graded("attention", {})
    assert step() == ("attention", "attention_scores")


def test_the_exercise_after_the_one_worked_at_last_is_next():
    finished("softmax", time="2026-11-22T11:00:00+00:00")
    graded("attention", {"mix_values": "passed"}, time="2026-11-22T10:00:00+00:00")
    assert step() == ("tokenizer", "count_pairs")


def test_what_an_exercise_builds_on_comes_before_it():
    for name in ("attention", "mlp"):
        finished(name)
    assert step() == ("layer_norm", "LayerNorm")
    finished("layer_norm", time="2026-11-22T11:00:00+00:00")
    assert step() == ("block", "TransformerBlock")


def test_what_is_broken_is_mended_even_where_something_before_it_is_missing():
    graded("block", {"TransformerBlock": "failed"}, **FAILURE)
    assert step() == ("block", "TransformerBlock")


def test_after_the_last_exercise_the_first_one_left_out_is_next():
    for exercise in ALL:
        if exercise.name != "markov":
            finished(exercise.name)
    finished("training", time="2026-11-22T12:00:00+00:00")
    assert step() == ("markov", "first_order")


def test_when_all_is_done_the_model_speaks():
    for exercise in ALL:
        finished(exercise.name)
    assert next_task() is None
    assert status_lines()[-1] == 'Every task is done. Let your own model speak:  headstart write "To be, or"'
    assert json.loads(CliRunner().invoke(app, ["--json"]).output)["next"] is None


def test_a_file_that_could_not_be_read_is_what_is_to_be_mended():
    graded("attention", {"attention_scores": "failed"}, kind="parse")
    assert status_lines()[-2:] == [
        "Next: mend exercises/attention.py, which could not be read",
        "      Then run  pytest graders/test_attention.py",
    ]


def test_records_that_cannot_be_read_are_as_none():
    finished("mlp")
    (journal.VERDICTS / "mlp.json").write_text("{")
    (journal.HOME / "help.json").write_text("[]")
    assert "0/2" in row("mlp")


def test_the_list_has_every_task_once_with_its_state():
    graded("attention", {"attention_scores": "passed", "Attention": "skipped"})
    lines = list_lines()
    assert "attention    1/5 done   transformer, session 4, 1 h, difficulty 3 of 5" in lines
    at = lines.index("  attention_scores         done")
    assert lines[at + 1 : at + 5] == [
        "  apply_causal_mask        not started",
        "  attention_pattern        not started",
        "  mix_values               not started",
        "  Attention                waits",
    ]
    assert len(lines) == len(ALL) + sum(len(exercise.tasks) for exercise in ALL)


def test_a_program_reads_the_same():
    graded("attention", {"mix_values": "failed"}, **FAILURE)
    said = json.loads(CliRunner().invoke(app, ["--json"]).output)
    assert (said["tasks"], said["tasks_done"], said["minutes_left"]) == (N_TASKS, 0, MINUTES)
    assert said["next"] == {
        "exercise": "attention",
        "task": "mix_values",
        "file": "exercises/attention.py",
        "page": "docs/exercises/attention.md#mix-values",
        "run": "pytest graders/test_attention.py",
    }
    assert said["exercises"] == json.loads(CliRunner().invoke(app, ["list", "--json"]).output)
    mixing = next(e for e in said["exercises"] if e["exercise"] == "attention")["tasks"][3]
    assert mixing == {"task": "mix_values", "state": "not yet right", "solution_seen": False}


@pytest.mark.parametrize(("minutes", "said"), [(0, "0 min"), (45, "45 min"), (60, "1 h"), (888, "14 h 48 min")])
def test_minutes_are_said_as_a_person_says_them(minutes, said):
    assert duration(minutes) == said
