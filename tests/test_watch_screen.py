"""What stands on the screen of `headstart watch`, on terminals of all sizes and on what is none."""

import io
import re

import pytest
from watched import Bench

from graders.loop.frame import Terminal, View, frame, text

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


def test_an_output_that_is_no_terminal_gets_no_codes(tmp_path):
    bench = Bench(tmp_path / "exercises")
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
    assert re.findall(r"\x1b\[[0-9;]*m", drawn["1"]) == []
    assert "\x1b[H" in drawn["1"]
