"""What a learner reads when a whole file cannot be graded, and when it can: the stub, the solved file, one of each."""

import re

import pytest
from learners import Runs, folder_with, solved

FILES = {
    "attention": "def attention_scores(q, k:\n    return 1\n",
    "embedding": solved("embedding") + "\nraise ValueError('too early')\n",
    "layer_norm": None,
    "mlp": b"# caf\xe9\n" + solved("mlp").encode(),
    "gpt": "import transformers\n" + solved("gpt"),
    "block": "while True: pass\n",
}
SAID = {
    "attention": (
        "attention.py cannot be read by Python: line N, '(' was never closed. Mend this first; nothing else can be "
        "tried. in your code attention.py, line N: def attention_scores(q, k"
    ),
    "embedding": (
        "embedding.py stops while it is imported, with ValueError: too early. "
        "Mend this first; nothing else can be tried. in your code embedding.py, line N, in <module>: "
        "raise ValueError('too early')"
    ),
    "layer_norm": (
        "layer_norm.py is not there. Put it back; `headstart stubs` writes the stubs anew, and leaves files with work "
        "in them alone."
    ),
    "mlp": (
        "mlp.py cannot be read by Python: 'utf-8' codec can't decode byte 0xe9 in position 5: invalid "
        "continuation byte. Mend this first; nothing else can be tried."
    ),
    "gpt": (
        "gpt.py imports transformers. Only torch, einops, jaxtyping and the standard library are needed here. "
        "Take this import out first; nothing else can be tried."
    ),
    "block": (
        "It was still running after 2 seconds and was stopped. Look for a loop that does not end. "
        "in your code block.py, line N, in <module>: while True: pass"
    ),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run in which every file is broken in another way, and one with a solved file beside stubs."""
    runs = Runs()
    runs.begin("broken", "--subject", folder_with(tmp_path_factory.mktemp("broken"), **FILES), exercises=FILES)
    half = folder_with(tmp_path_factory.mktemp("half"), attention=solved("attention"))
    runs.begin("one solved", "--subject", half, exercises=("attention", "mlp"))
    return runs


@pytest.mark.parametrize("exercise", FILES)
def test_the_file_and_what_to_do_are_said_word_by_word(runs, exercise):
    words = " ".join(runs["broken"].screens()[exercise][1:]).split()
    assert re.sub(r"line \d+", "line N", " ".join(word.rpartition("/")[2] for word in words)) == SAID[exercise]


def test_a_file_that_does_not_parse_says_in_which_line(runs):
    assert "attention.py cannot be read by Python: line 1," in " ".join(runs["broken"].out.split())


@pytest.mark.parametrize("exercise", FILES)
def test_every_task_says_why_it_was_not_tried(runs, exercise):
    assert set(runs["broken"].states(exercise).values()) == {"the file could not be read"}


def test_such_a_run_fails_without_a_word_of_the_engine(runs):
    text = runs["broken"].out + runs["broken"].err
    inside = [word for word in ("graders/engine", "hypothesis", "Traceback", "_subject_") if word in text]
    assert (runs["broken"].exit_code, inside) == (1, [])


def test_a_solved_file_over_its_stub_turns_exactly_that_exercise_green(runs):
    states = [set(runs["one solved"].states(exercise).values()) for exercise in ("attention", "mlp")]
    assert states == [{"done"}, {"not started"}]


def test_what_is_not_started_fails_the_run_and_says_what_to_do_next(runs):
    lines = runs["one solved"].out.splitlines()
    following = [line.rpartition("/")[2] for line in lines[lines.index("5 of 7 tasks done.") + 1 :][:2]]
    assert (runs["one solved"].exit_code, following) == (1, ["mlp.py", "mlp.md#gelu"])
