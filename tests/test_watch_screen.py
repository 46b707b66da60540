"""What `headstart watch` shows, and what its keys do; nothing is graded here."""

import io
import sys
from types import ModuleType

import pytest

from graders.engine.course import load_course
from graders.engine.stubs import stub_files
from graders.loop.frame import Terminal, View, frame, text
from graders.loop.saves import GONE_AFTER, Saves
from graders.loop.watching import KEYS, Options, Watch

COURSE = load_course()
BROKEN = ["mlp · gelu_new      0 laws hold, 1 broken", "  The middle is not linear.", "  yours      0.3"]
WAITS = ["mlp · MLP      0 laws hold, 1 broken", "  It is two layers."]
SUMMARY = [
    "  mlp · gelu_new     not yet right",
    "  mlp · MLP          done",
    "",
    "1 of 2 tasks done.",
    "Next: mend gelu_new",
]
VIEW = View("mlp", 1, 2, "saved 3 s ago", "grading ...", (BROKEN, WAITS), SUMMARY, (), (), "q quit")


class Silent:
    """In place of what grades: keeps what it was asked for."""

    def __init__(self):
        self.run, self.asked = 0, []

    def grade(self, exercise):
        self.run += 1
        self.asked.append(exercise)

    def drop(self):
        self.run += 1
        self.asked.append("")

    def close(self):
        """Nothing to end."""


class Bench:
    """A watch on files of its own, with nothing around it."""

    def __init__(self, folder, **options):
        folder.mkdir()
        self.folder, self.grader, self.out = folder, Silent(), io.StringIO()
        for name, stub in stub_files().items():
            (folder / f"{name}.py").write_text(stub, encoding="utf-8")
        terminal = Terminal(takes_keys=True, out=self.out)
        self.watch = Watch(Options("mlp", is_fresh=False, **options), self.grader, Saves(folder, COURSE), terminal)
        self.watch.happened("tick")

    def save(self, *names, text="# mine\n"):
        """Save files at once, and let the watch see it, after the time in which more saves may follow."""
        for name in names:
            (self.folder / f"{name}.py").write_text(text, encoding="utf-8")
        self.watch.happened("files")
        self.watch.runs.due = 0.0
        self.watch.happened("tick")

    def grade(self, done=0):
        """Finish the run that is under way, so many of the tasks done."""
        tasks = [task.name for task in COURSE[self.watch.runs.running].tasks]
        states = {task: "done" if i < done else "not yet right" for i, task in enumerate(tasks)}
        self.watch.happened("graded", {"run": self.grader.run, "tasks": states, "screens": [], "summary": []})

    def press(self, keys):
        """Press keys; the last lines that were said."""
        for key in keys:
            self.watch.happened("key", key)
        return self.watch.notes


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
    module("progress", list_lines=lambda: ["all of them"])
    return calls


def lines(view, width=80, height=24):
    """The lines of a frame."""
    return [line for line, _style in frame(view, width, height)]


# The frame


def test_a_frame_holds_the_header_the_screens_the_tasks_and_the_keys():
    assert lines(VIEW) == [
        "mlp · 1 of 2 tasks done · saved 3 s ago · grading ...",
        "",
        *BROKEN,
        "",
        *WAITS,
        "",
        *SUMMARY,
        "",
        "q quit",
    ]


@pytest.mark.parametrize("height", range(6, 20))
@pytest.mark.parametrize("width", [20, 33, 80])
def test_a_frame_is_never_larger_than_the_terminal(width, height):
    shown = lines(VIEW, width, height)
    assert len(shown) <= height
    assert max(map(len, shown)) <= width


def test_what_does_not_fit_is_counted_and_the_first_screen_stays_whole():
    shown = lines(VIEW, height=12)
    assert shown[2:] == [*BROKEN, "(1 more below; mend this one first)", "", *SUMMARY[3:], "", "q quit"]


def test_a_terminal_too_small_for_one_screen_says_how_much_is_missing():
    assert lines(VIEW, height=7)[2:5] == [*BROKEN[:2], "(5 lines do not fit: make the terminal higher)"]


def test_a_hint_comes_before_the_screens():
    assert lines(View(**vars(VIEW) | {"panel": ["Look at 0."]}))[2:5] == ["Look at 0.", "", BROKEN[0]]


def test_what_a_learner_prints_moves_no_cursor():
    view = View("mlp", 0, 2, screens=(["mlp", "  printed  \x1b[2J\x07\rwell"],))
    assert "  printed  ?[2J??well" in lines(view)
    assert "  printed  ?[2J??well" in text(view)


def test_wide_characters_count_as_two():
    view = View("mlp", 0, 2, screens=(["x" * 5, "日" * 30],))
    assert [len(line) for line in lines(view, width=20) if "日" in line] == [10, 10, 10]


def test_an_output_that_is_no_terminal_gets_no_codes(bench):
    bench.save("mlp")
    bench.grade(2)
    assert "\x1b" not in bench.out.getvalue()
    assert "mlp · 2 of 2 tasks done" in bench.out.getvalue()


def test_no_color_leaves_the_drawing_and_takes_the_colours(monkeypatch):
    class Tty(io.StringIO):
        def isatty(self):
            return True

    drawn = {}
    for value in ("", "1"):
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("NO_COLOR", value)
        terminal = Terminal(takes_keys=True, out=Tty())
        terminal.draw(VIEW)
        drawn[value] = terminal.out.getvalue()
    assert "\x1b[31m" in drawn[""]
    assert "m" not in {code[0].lstrip("0123456789;") for code in drawn["1"].split("\x1b[")[1:]}


# Saves


def test_what_is_shown_comes_first_when_several_are_saved_at_once(bench):
    bench.save("softmax", "mlp", "attention")
    bench.grade()
    bench.grade()
    assert bench.grader.asked[1:] == ["mlp", "softmax", "attention"]
    assert bench.watch.shown == "mlp"


def test_without_an_exercise_the_one_that_was_saved_is_shown(bench):
    bench.save("softmax")
    assert (bench.watch.shown, bench.grader.asked[-1]) == ("softmax", "softmax")


def test_with_an_exercise_only_what_it_imports_has_it_graded(tmp_path):
    bench = Bench(tmp_path / "exercises", is_pinned=True)
    bench.grade()
    bench.save("softmax")
    assert bench.grader.asked == ["mlp"]
    bench.save("config")
    assert bench.grader.asked == ["mlp", "mlp"]


def test_a_save_during_a_run_drops_it(bench):
    bench.save("mlp", text="# one\n")
    bench.save("mlp", text="# two\n")
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
    bench.watch.shown = "training"
    assert bench.press("n") == ["training is the last exercise."]


def test_h_shows_a_hint_for_what_is_to_be_mended_first(bench, loop):
    bench.press("h")
    assert bench.watch.panel == ["Think about gelu_new of mlp."]


def test_l_shows_the_list_and_takes_it_away(bench, loop):
    bench.press("l")
    assert bench.watch.panel == ["all of them"]
    bench.press("l")
    assert bench.watch.panel == []


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
