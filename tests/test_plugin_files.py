"""What a learner reads when a whole file cannot be graded, and when it can: the stub, the solved file, one of each."""

import re

import pytest
from learners import Runs, folder_with, grade, solved

FIRST, *OTHERS = ["attention_scores", "apply_causal_mask", "attention_pattern", "mix_values", "Attention"]
FILES = {
    "does not parse": "def attention_scores(q, k:\n    return 1\n",
    "does not import": solved("attention") + "\nraise ValueError('too early')\n",
    "missing": None,
    "not UTF-8": b"# caf\xe9\n" + solved("attention").encode(),
    "foreign import": "import transformers\n" + solved("attention"),
    "never ends": "while True:\n    pass\n",
}
SAID = {
    "does not parse": (
        "attention.py cannot be read by Python: line N, '(' was never closed: def attention_scores(q, k: "
        "Mend this first; nothing else can be tried."
    ),
    "does not import": (
        "attention.py stops while it is imported, with ValueError: too early. "
        "Mend this first; nothing else can be tried. in your code attention.py, line N, in <module>: "
        "raise ValueError('too early')"
    ),
    "missing": (
        "attention.py is not there. `headstart stubs` writes it anew; it leaves files with work in them alone."
    ),
    "not UTF-8": (
        "attention.py cannot be read by Python: 'utf-8' codec can't decode byte 0xe9 in position 5: invalid "
        "continuation byte. Mend this first; nothing else can be tried."
    ),
    "foreign import": (
        "attention.py imports transformers. Only torch, einops, jaxtyping and the standard library are needed here. "
        "Take this import out first; nothing else can be tried."
    ),
    "never ends": (
        "It was still running after 2 seconds, in line N (<module>), and was stopped. Look for a loop that does not "
        "end. in your code attention.py, line N, in <module>"
    ),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run for every such file, one on fresh stubs, and one with the solved file beside stubs."""
    runs = Runs()
    for name, text in FILES.items():
        folder = folder_with(tmp_path_factory.mktemp("learner") / "mine", attention=text)
        runs.begin(name, grade, "--subject", folder)
    runs.begin("stubs", grade, "graders/test_mlp.py", "--subject", folder_with(tmp_path_factory.mktemp("stubs")))
    half = folder_with(tmp_path_factory.mktemp("half"), attention=solved("attention"))
    runs.begin("one solved", grade, "graders/test_mlp.py", "--subject", half)
    return runs


@pytest.mark.parametrize("name", FILES)
def test_the_file_and_what_to_do_are_said_word_by_word(runs, name):
    words = " ".join(runs[name].screen(FIRST)[2:-1]).split()
    assert re.sub(r"line \d+", "line N", " ".join(word.rpartition("/")[2] for word in words)) == SAID[name]


def test_a_file_that_does_not_parse_says_in_which_line(runs):
    assert "attention.py cannot be read by Python: line 1, '(' was never closed" in runs["does not parse"].out


@pytest.mark.parametrize("name", FILES)
def test_it_is_said_once_and_the_other_tasks_say_why_they_were_not_tried(runs, name):
    assert [runs[name].state(task) for task in OTHERS] == ["the file could not be read"] * len(OTHERS)


@pytest.mark.parametrize("name", FILES)
def test_such_a_run_fails_without_a_word_of_the_engine(runs, name):
    text = runs[name].out + runs[name].err
    inside = [word for word in ("graders/engine", "hypothesis", "Traceback", "_subject_") if word in text]
    assert (runs[name].exit_code, inside) == (1, [])


def test_fresh_stubs_are_not_started_and_fail(runs):
    lines = [line.rstrip() for line in runs["stubs"].out.splitlines() if " · " in line]
    not_started = [line for line in lines if line.endswith("  not started")]
    assert (runs["stubs"].exit_code, len(lines), len(not_started)) == (1, 7, 7)


def test_fresh_stubs_are_told_what_to_do_next(runs):
    lines = runs["stubs"].out.splitlines()
    start = lines.index("0 of 7 tasks done.")
    assert [line.rpartition(" --subject")[0] or line.rpartition(" ")[0] for line in lines[start + 1 : start + 4]] == [
        "Next: write attention_scores in",
        "      It is explained in",
        "      Then run  pytest graders/test_attention.py",
    ]


def test_a_solved_file_over_its_stub_turns_exactly_that_exercise_green(runs):
    done = [line.split()[0] for line in runs["one solved"].out.splitlines() if line.rstrip().endswith("  done")]
    assert (runs["one solved"].exit_code, done) == (1, ["attention"] * 5)
