"""A scripted learner at a terminal: from the stub to green, through wrong answers of three kinds, in every exercise.

Real files, real saves, one `headstart watch` for all; what stands on the screen is compared, line by line, with what
a session of this process says of the same files.
"""

import re
import termios

import pexpect
import pytest
from learners import solved
from watched import PATIENCE, command, environment, learner_tree, processes_of

from graders.engine.course import load_course
from graders.engine.law import laws_for
from graders.engine.misconception import misconceptions_of
from graders.engine.session import Session
from graders.engine.stubs import stub_text
from graders.engine.summary import without_commands
from graders.engine.trial import Policy
from graders.loop.frame import View, frame
from graders.loop.watching import KEYS

COURSE = load_course()
EXERCISES = [exercise.name for exercise in COURSE.exercises]
HEIGHT, WIDTH = 70, 130
FRAME = re.compile(r"\x1b\[H(.*?)\x1b\[J", re.DOTALL)
CODE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
UNREADABLE = "\n\ndef half_written(\n"
WRAPPED = """

_right = {place}


def _wrong(*args, **kwargs):
    {body}


{place} = _wrong
"""
RAISES = 'raise RuntimeError("half written")'
SKEWS = "return _skewed(_right(*args, **kwargs))"
SCALED = "x * 1.37 + 0.11"
# A task of each exercise, and what becomes of its right answer in a way that is on no list; of one that is not here,
# its first task is scaled
ODD = {
    "tensors": ("dot", SCALED),
    "markov": ("first_order", "x * 0.73 + 0.11"),
    "softmax": ("softmax", SCALED),
    "tokenizer": ("merge", "[*x, 17]"),
    "backprop": ("relu_backward", SCALED),
    "embedding": ("sinusoidal_positions", SCALED),
    "layer_norm": ("LayerNorm.forward", SCALED),
    "attention": ("attention_scores", SCALED),
    "mlp": ("gelu_new", SCALED),
    "block": ("TransformerBlock.forward", SCALED),
    "gpt": ("GPT.forward", SCALED),
    "sampling": ("apply_temperature", SCALED),
    "beam_search": ("banned_tokens", "x | {3}"),
    "caching": ("CachedAttention.forward", "(x[0] * 1.37 + 0.11, *x[1:])"),
    "loss": ("next_token_loss", SCALED),
    "optimizer": ("warmup_cosine", SCALED),
    "training": ("evaluate", SCALED),
    "arithmetic": ("answer_loss", SCALED),
    "patches": ("patchify", SCALED),
    "vit": ("ViT.forward", SCALED),
    "cka": ("linear_cka", SCALED),
    "image_gpt": ("bits_per_pixel", SCALED),
}


# What is told of the wrong answer of each kind
SAID = {
    "unreadable": "cannot be read by Python",
    "raises": "RuntimeError: half written",
    "odd": "None of the known mistakes",
}


class Learner:
    """Someone at a terminal, who saves files and looks at the screen."""

    def __init__(self, tree):
        self.tree = tree
        for name in EXERCISES:
            self.save(name, solved(name))
        program, *arguments = command()
        self.terminal = pexpect.spawn(
            program,
            arguments,
            cwd=str(tree),
            env=environment(tree),
            dimensions=(HEIGHT, WIDTH),
            encoding="utf-8",
            timeout=PATIENCE,
        )

    def save(self, exercise, text):
        """Write a file; whether that changes it."""
        path = self.tree / "exercises" / f"{exercise}.py"
        before = path.read_text(encoding="utf-8")
        path.write_text(text, encoding="utf-8")
        return text != before

    def screen(self, *marks):
        """The lines of the first screen whose header has each of these marks, or not, where it begins with `!`."""
        while True:
            self.terminal.expect(FRAME)
            lines = [CODE.sub("", line) for line in self.terminal.match.group(1).split("\r\n")]
            if all((mark.strip("!") in lines[0]) != mark.startswith("!") for mark in marks):
                return lines

    def verdict(self, exercise):
        """The screen with the verdict on an exercise that was saved, or turned to, just now."""
        self.screen(exercise, "grading")
        return self.screen(exercise, "!...")


@pytest.fixture(scope="module")
def learner(tmp_path_factory):
    """A learner who solved everything, in front of `headstart watch`."""
    learner = Learner(learner_tree(tmp_path_factory.mktemp("learner")))
    learner.verdict("tensors")
    yield learner
    learner.terminal.send("q")
    learner.terminal.expect(pexpect.EOF)
    learner.terminal.close()
    assert learner.terminal.exitstatus == 0
    assert processes_of(learner.tree) == []


def expected(exercise, monkeypatch, tree):
    """What a session in this process says of a learner's file: the screens, and the summary."""
    monkeypatch.chdir(tree)  # so that the folder has the name that the learner knows
    session = Session("exercises", laws_for(exercise), Policy())
    for law in laws_for(exercise):
        session.judge.grade(law)
    session.close()
    return session.screens(), without_commands(session.summary())


def assert_shown(lines, exercise, screens, summary):
    """Hold that the lines on the screen are these screens and this summary."""
    n_tasks = len(COURSE[exercise].tasks)
    n_done = sum(line.endswith(" done") for line in summary)
    following = COURSE.exercises[EXERCISES.index(exercise) + 1 :]
    way_on = f"Press n for {following[0].name}: {following[0].page}" if following else "It was the last exercise."
    notes = [f"{exercise} is done: every law holds. {way_on}"] if n_done == n_tasks else []
    view = View(exercise, n_done, n_tasks, "saved 0 s ago", "", screens, summary, notes, (), KEYS)
    header, *rest = [line for line, _style in frame(view, WIDTH - 1, HEIGHT)]
    assert [re.sub(r"saved \d+ (s|min) ago", "saved 0 s ago", lines[0]), *lines[1:]] == [header, *rest]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_from_stub_to_green_through_three_kinds_of_wrong_answers(exercise, learner, monkeypatch):
    right = solved(exercise)
    misconception = misconceptions_of(exercise)[0]
    place, odd = ODD.get(exercise, (COURSE[exercise].tasks[0].name, SCALED))
    raises = WRAPPED.format(place=place, body=RAISES)
    steps = {
        "stub": stub_text(exercise),
        **({"unreadable": right + UNREADABLE} if EXERCISES.index(exercise) % 2 else {"raises": right + raises}),
        "known": misconception.apply(right.replace("from exercises.", "from reference.")),
        "odd": right + f"\n\ndef _skewed(x):\n    return {odd}\n" + WRAPPED.format(place=place, body=SKEWS),
        "right": right,
    }
    shown = {}
    try:
        for kind, text in steps.items():
            learner.save(exercise, text)
            lines = learner.verdict(exercise)
            screens, summary = expected(exercise, monkeypatch, learner.tree)
            assert_shown(lines, exercise, screens, summary)
            shown[kind] = " ".join(" ".join(lines).split())
    finally:
        if "right" not in shown and learner.save(exercise, right):  # other exercises build on it
            learner.verdict(exercise)
    n_tasks = len(COURSE[exercise].tasks)
    for kind, told in (SAID | {"known": misconception.names}).items():
        assert told in shown.get(kind, told)
    assert f"0 of {n_tasks} tasks done" in shown["stub"]
    assert "not yet right" not in shown["stub"]
    assert f"{n_tasks} of {n_tasks} tasks done" in shown["right"]


def test_a_learner_moves_on_with_a_key_and_leaves_the_terminal_as_it_was(tmp_path):
    learner = Learner(learner_tree(tmp_path / "learner"))
    before = termios.tcgetattr(learner.terminal.child_fd)
    learner.verdict("tensors")
    assert termios.tcgetattr(learner.terminal.child_fd) != before
    learner.terminal.send("n")
    assert learner.verdict("markov")[0].startswith("markov · 6 of 6 tasks done")
    learner.terminal.sendintr()  # Ctrl-C
    learner.terminal.expect(pexpect.EOF)
    assert termios.tcgetattr(learner.terminal.child_fd) == before
    learner.terminal.close()
    assert learner.terminal.exitstatus == 0
    assert processes_of(learner.tree) == []
