"""What `headstart watch` makes of saves and of keys; nothing is graded here."""

import sys
from types import ModuleType

import pytest
from watched import COURSE, Bench

from graders.engine.stubs import stub_files
from graders.loop.saves import GONE_AFTER
from graders.loop.watching import KEYS


@pytest.fixture
def bench(tmp_path):
    """A watch on mlp, which was graded: nothing is done."""
    bench = Bench(tmp_path / "exercises")
    bench.grade()
    return bench


@pytest.fixture
def loop(monkeypatch, tmp_path):
    """What the keys call, in place of the real ones; the calls are kept."""
    calls = []

    def module(name, **functions):
        made = ModuleType(f"graders.loop.{name}")
        vars(made).update(functions)
        monkeypatch.setitem(sys.modules, made.__name__, made)

    def reset(exercise, task):
        calls.append((exercise, task))
        return tmp_path / "backup.py"

    module("files", reset=reset, shown_path=lambda path: path.name)
    module("hints", next_hint=lambda exercise, task: [f"Think about {task} of {exercise}."])
    module("progress", status_lines=lambda: ["so far", "", "all of them", "", "what is next"])
    return calls


# Saves


def test_what_is_shown_comes_first_when_several_are_saved_at_once(bench):
    bench.save("softmax", "mlp", "attention")
    bench.grade()
    bench.grade()
    assert bench.grader.asked[1:] == ["mlp", "softmax", "attention"]
    assert bench.watch.shown == "mlp"


def test_what_was_saved_unchanged_does_not_hide_what_was_changed(bench):
    (bench.folder / "mlp.py").write_text(stub_files()["mlp"], encoding="utf-8")
    bench.save("softmax")
    assert (bench.watch.shown, bench.grader.asked[-1]) == ("softmax", "softmax")


def test_without_an_exercise_the_one_that_was_saved_is_shown(bench):
    bench.save("softmax")
    assert (bench.watch.shown, bench.grader.asked[-1]) == ("softmax", "softmax")


def test_with_an_exercise_only_what_it_imports_has_it_graded(tmp_path):
    bench = Bench(tmp_path / "exercises", is_pinned=True)
    bench.grade()
    bench.save("softmax")
    assert (bench.grader.asked, bench.watch.notes) == (["mlp"], [])
    bench.save("config")
    assert bench.grader.asked == ["mlp", "mlp"]


def test_a_save_during_a_run_drops_it(bench):
    bench.save("mlp", text="# one\n")
    bench.save("mlp", text="# two\n")
    assert bench.grader.asked == ["mlp", "mlp", "", "mlp"]


def test_saves_that_follow_each_other_closely_are_graded_after_the_last(bench):
    for text in ("# one\n", "# two\n", "# three\n"):
        (bench.folder / "mlp.py").write_text(text, encoding="utf-8")
        bench.watch.happened("files")
    assert bench.grader.asked == ["mlp", "mlp", ""]  # the first of them at once, and it is dropped
    assert bench.watch.runs.seconds_to_wait() is not None
    bench.watch.runs.due = 0.0
    bench.watch.happened("tick")
    assert bench.grader.asked == ["mlp", "mlp", "", "mlp"]


def test_a_verdict_on_a_text_that_is_no_longer_there_is_not_shown(bench):
    bench.save("mlp", text="# one\n")
    (bench.folder / "mlp.py").write_text("# two\n")
    bench.grade(2)
    assert bench.watch.runs.n_done("mlp") == 0


def test_a_text_that_was_graded_already_is_said_to_be_unchanged(bench):
    bench.save("mlp", text=stub_files()["mlp"])
    assert bench.grader.asked == ["mlp"]
    assert bench.watch.notes == ["exercises/mlp.py is unchanged: the verdict on it stands."]


def test_a_file_that_is_gone_is_named_once_with_what_to_do(bench):
    (bench.folder / "mlp.py").unlink()
    clock = [0.0]
    bench.watch.saves.clock = lambda: clock[0]
    for _ in range(4):
        bench.watch.happened("tick")
        clock[0] += GONE_AFTER
    assert bench.watch.notes == ["exercises/mlp.py is gone. Put it back, or write its stub: `headstart stubs mlp`."]
    assert bench.watch.view("mlp").saved == "no file"


def test_a_moment_without_a_file_is_not_told(bench):
    bench.watch.saves.clock = lambda: 0.0
    (bench.folder / "mlp.py").rename(bench.folder / "mlp.py~")
    bench.watch.happened("files")
    assert bench.watch.notes == []
    bench.save("mlp")
    assert (bench.watch.notes, bench.grader.asked) == ([], ["mlp", "mlp"])


def test_a_text_of_the_same_length_is_a_new_one(bench):
    bench.save("mlp", text="# one\n")
    bench.grade()
    bench.save("mlp", text="# two\n")
    assert bench.grader.asked == ["mlp", "mlp", "mlp"]


def test_a_grading_that_ends_without_a_verdict_is_told(bench):
    bench.save("mlp")
    bench.watch.happened("graded", {"run": bench.grader.run, "ended": -9, "error": "Killed"})
    assert bench.watch.notes == [
        "The grading of mlp ended without a verdict (-9). Save again to repeat it. It said: Killed"
    ]


# Keys


def test_an_exercise_that_is_done_says_which_key_leads_on(bench):
    bench.watch.terminal.takes_keys = True
    bench.save("mlp")
    bench.grade(2)
    assert bench.watch.view("mlp").notes == ["mlp is done: every law holds. Press n for block: docs/exercises/block.md"]


def test_n_and_p_turn_to_the_neighbours_and_grade_what_is_not_known(bench):
    bench.press("n")
    assert (bench.watch.shown, bench.grader.asked) == ("block", ["mlp", "block"])
    bench.grade()
    bench.press("p")
    assert (bench.watch.shown, bench.grader.asked) == ("mlp", ["mlp", "block"])


def test_there_is_nothing_before_the_first_and_after_the_last(bench):
    bench.watch.shown = "tensors"
    assert bench.press("p") == ["tensors is the first exercise."]
    bench.watch.shown = last = COURSE.exercises[-1].name
    assert bench.press("n") == [f"{last} is the last exercise."]


def test_h_shows_a_hint_for_what_is_to_be_mended_first(bench, loop):
    bench.press("h")
    assert bench.watch.panel == ["Think about gelu_new of mlp."]


def test_l_shows_the_list_and_takes_it_away(bench, loop):
    bench.press("l")
    assert bench.watch.panel == ["all of them"]
    bench.press("l")
    assert bench.watch.panel == []


def test_escape_leads_back_to_the_verdict_and_means_no(bench, loop):
    bench.press("h\x1b")
    assert bench.watch.panel == []
    bench.press("r\x1b")
    assert (bench.watch.view("mlp").keys, loop) == (KEYS, [])


def test_r_asks_naming_the_task_and_does_nothing_without_a_yes(bench, loop):
    bench.press("r")
    assert bench.watch.view("mlp").keys == "Reset gelu_new of mlp to its stub? Your text is kept.  y/n"
    assert (bench.press("n"), loop) == (["Nothing was changed."], [])
    assert bench.watch.view("mlp").keys == KEYS


def test_r_and_y_reset_the_task_and_say_where_the_text_is(bench, loop):
    assert bench.press("ry") == ["gelu_new is its stub again. What you had is kept in backup.py."]
    assert loop == [("mlp", "gelu_new")]


def test_a_says_how_far_everything_is_when_all_were_graded(bench):
    bench.press("a")
    while bench.watch.runs.running:
        bench.grade(1)
    assert bench.grader.asked == ["mlp", *(e.name for e in COURSE.exercises if e.name != "mlp")]
    n_tasks = sum(len(e.tasks) for e in COURSE.exercises)
    assert bench.watch.panel[-1] == f"In all {len(COURSE.exercises) - 1} of {n_tasks}."


def test_a_save_while_all_are_graded_comes_first_and_the_rest_goes_on(bench):
    bench.press("a")
    bench.save("gpt")
    assert bench.grader.asked == ["mlp", "tensors", "", "gpt"]
    bench.grade()
    assert bench.grader.asked[-1] == "tensors"


@pytest.mark.parametrize("key", ["q", "\x03", "\x04"])
def test_q_and_its_like_end_it_even_while_a_question_is_open(bench, key):
    bench.press("r")
    bench.press(key)
    assert bench.watch.is_over


def test_keys_that_mean_nothing_change_nothing(bench):
    bench.press("xyz\t ")
    assert (bench.watch.notes, bench.watch.panel, bench.watch.shown) == ([], [], "mlp")
