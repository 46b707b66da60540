"""What a learner reads when one task of a file is not right, for every way in which it can be."""

import pytest
from learners import Runs, folder_with, solved, solved_but

FORMS = """
def attention_scores(q, k):
    dots = einsum(q, k, "b q h e, b k h e -> b h q k")

def apply_causal_mask(scores):
    n_queries, n_keys = scores.shape[-2:]
    future = torch.ones(n_queries, n_keys, dtype=torch.bool).triu(1 + n_keys - n_queries)
    return scores.masked_fill_(future, float("-inf"))

def attention_pattern(scores):
    return scores.detach().softmax(dim=-1).numpy()

def mix_values(pattern, v):
    return einsum(pattern, v, "b h q k, b k h e -> b q h e"), pattern
"""
NUMBERS = """
def attention_scores(q, k):
    return (einsum(q, k, "b q h e, b k h e -> b h q k") / q.shape[-1] ** 0.5).float()

def apply_causal_mask(scores):
    return scores.squeeze(0)

def attention_pattern(scores):
    return scores.softmax(dim=-1) / 0.0

def mix_values(pattern, v):
    return einsum(pattern, v, "b h q k, b k h e -> b q h e") + float("inf")
"""
CALLS = """
del attention_scores

def apply_causal_mask(scores, is_causal):
    return scores

def attention_pattern(scores):
    weights = scores.softmax(dim=-1)
    return torch.cat([weights, torch.zeros(3)], dim=-1)

def mix_values(pattern, v):
    print("mixing", tuple(v.shape))
    return einsum(pattern, v, "b h q k, b k h e -> b q h e") * 1.2345
"""
PROCESS = """
import ctypes, os, re, sys

def attention_scores(q, k):
    while True:
        pass

def apply_causal_mask(scores):
    return re.match("(a+)+$", "a" * 60 + "b")

def attention_pattern(scores):
    os._exit(0)

def mix_values(pattern, v):
    return ctypes.string_at(0)
"""
PARAMETERS = """
class Attention(Attention):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.W_query = self.W_Q
        del self.W_Q, self.b_V
        self.b_V = torch.zeros(cfg.n_heads, cfg.d_head)
        self.W_O = nn.Parameter(torch.zeros(cfg.n_heads * cfg.d_head, cfg.d_model))
"""
LIBRARY = """
class Attention(Attention):
    def forward(self, x):
        q, k, v = (torch.einsum("bsd,hde->bhse", x, w) + b.unsqueeze(1)
                   for w, b in ((self.W_Q, self.b_Q), (self.W_K, self.b_K), (self.W_V, self.b_V)))
        z = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return torch.einsum("bhse,hed->bsd", z, self.W_O) + self.b_O
"""
STUB_OF_ATTENTION = "\n\nclass Attention(Attention):\n    def forward(self, x):\n        raise NotImplementedError\n"
LEARNERS = {
    "forms": solved_but(FORMS + STUB_OF_ATTENTION),
    "numbers": solved_but(NUMBERS),
    "calls": solved_but(CALLS),
    "process": solved_but(PROCESS),
    "parameters": solved_but(PARAMETERS),
    "library": solved_but(LIBRARY),
    "scaled twice": solved("attention").replace("scaled = q / d_head**0.5", "scaled = q / d_head"),
}
ONE_LAW = {"parameters": ["-k", "test_layer_agrees_with_the_definition"], "library": ["-k", "from_scratch"]}
SCREENS = [
    ("forms", "attention_scores"), ("forms", "apply_causal_mask"), ("forms", "attention_pattern"),
    ("forms", "mix_values"), ("numbers", "attention_scores"), ("numbers", "apply_causal_mask"),
    ("numbers", "attention_pattern"), ("numbers", "mix_values"), ("calls", "attention_scores"),
    ("calls", "apply_causal_mask"), ("calls", "attention_pattern"), ("calls", "mix_values"),
    ("process", "attention_scores"), ("process", "apply_causal_mask"), ("process", "attention_pattern"),
    ("process", "mix_values"), ("parameters", "Attention"), ("library", "Attention"),
    ("scaled twice", "attention_scores"),
]  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Every learner's run, and the names of their folders."""
    runs = Runs()
    for name, text in LEARNERS.items():
        folder = folder_with(tmp_path_factory.mktemp("learner") / "mine", attention=text)
        runs.begin(name, "--subject", folder, *ONE_LAW.get(name, ()))
    return runs


def said(run, task):
    """What a screen says between the law and the link, its blanks made one, the folder's name short."""
    text = " ".join(" ".join(run.screens()[task][2:-1]).split())
    return " ".join(word.rpartition("/")[2] if word.startswith("/") else word for word in text.split())


@pytest.mark.parametrize(("learner", "task"), SCREENS)
def test_a_failure_fits_one_screen_and_shows_nothing_of_the_engine(runs, learner, task):
    screen = runs[learner].screens()[task]
    inside = [word for word in ("graders/engine", "hypothesis", "Traceback", "_subject_") if word in "\n".join(screen)]
    assert (len(screen) <= 24, max(map(len, screen)) <= 120, inside) == (True, True, [])


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_run_with_something_wrong_ends_with_exit_code_1_and_an_empty_error_stream(runs, learner):
    assert (runs[learner].exit_code, runs[learner].err) == (1, "")


def test_the_other_tasks_of_the_file_are_graded_all_the_same(runs):
    states = {
        task: runs["scaled twice"].states("attention")[task]
        for task in ("apply_causal_mask", "mix_values", "Attention")
    }
    assert states == {"apply_causal_mask": "done", "mix_values": "done", "Attention": "waits for attention_scores"}


def test_a_return_that_is_missing(runs):
    assert said(runs["forms"], "attention_scores") == (
        "It returned None, expected a tensor. Is a `return` missing? "
        "Smallest example q (batch 1, queries 2, n_heads 1, d_head 2) = [[[-1.9, 0.4]], [[-0.3, -1.1]]] "
        "k (batch 1, keys 2, n_heads 1, d_head 2) = [[[0.6, 0.9]], [[0.7, 1.4]]]"
    )


def test_an_input_changed_in_place(runs):
    assert said(runs["forms"], "apply_causal_mask") == (
        "It changed scores in place. Whoever passed that in still needs it: work on a copy. "
        "Smallest example scores (batch 1, n_heads 1, queries 2, keys 2) = [[-1.9, 0.4], [-0.3, -1.1]] "
        "What this looks like The scores that were passed in are changed in place. "
        "Think about Does `scores[...] = ...`, or a method whose name ends in an underscore, make a new tensor?"
    )


def test_a_numpy_array(runs):
    assert said(runs["forms"], "attention_pattern") == (
        "It returned a NumPy array, expected a tensor. Gradients cannot flow through NumPy: stay with torch. "
        "Smallest example scores (batch 1, n_heads 1, queries 2, keys 2) = [[-1.9, -inf], [-0.3, -1.1]]"
    )


def test_a_tuple(runs):
    assert said(runs["forms"], "mix_values") == (
        "It returned a tuple, expected a tensor. Return the result alone. "
        "Smallest example pattern (batch 1, n_heads 1, queries 2, keys 2) = [[0.8, 0.2], [0.4, 0.6]] "
        "v (batch 1, keys 2, n_heads 1, d_head 2) = [[[-0.3, -1.1]], [[0.6, 0.9]]]"
    )


def test_another_dtype(runs):
    assert said(runs["numbers"], "attention_scores") == (
        "It returned numbers of dtype float32, expected float64: that of its input, or, where it makes new numbers, "
        "PyTorch's default, which a law may set."
    )


def test_another_shape_is_shown_against_the_names_of_the_axes(runs):
    assert [line.split(maxsplit=2)[2] for line in runs["numbers"].screens()["apply_causal_mask"][-4:-2]] == [
        "(1, 2, 2)",
        "(batch 1, n_heads 1, q 2, k 2)",
    ]


def test_nan(runs):
    lines = runs["numbers"].screens()["attention_pattern"]
    assert (lines[2], lines[4]) == (
        "  The result holds NaN or infinity where a number is expected.",
        "  yours                  [[inf, nan], [inf, inf]]",
    )


def test_infinity(runs):
    lines = runs["numbers"].screens()["mix_values"]
    assert (lines[2], lines[5]) == (
        "  The result holds NaN or infinity where a number is expected.",
        "  yours                  [[[inf, inf]], [[inf, inf]]]",
    )


def test_a_task_that_is_missing(runs):
    assert said(runs["calls"], "attention_scores") == (
        "attention.py has no attention_scores. The task needs it: put it back under that name."
    )


def test_a_signature_that_has_changed(runs):
    assert said(runs["calls"], "apply_causal_mask") == (
        "The signature of apply_causal_mask has changed. Give it back the parameters of the stub. "
        "yours (scores, is_causal) expected (scores)"
    )


def test_an_exception_inside_torch_shows_the_learner_s_own_line(runs):
    line = LEARNERS["calls"].splitlines().index("    return torch.cat([weights, torch.zeros(3)], dim=-1)") + 1
    lines = runs["calls"].screens()["attention_pattern"]
    assert (lines[2], *lines[4:6]) == (
        "  It stops with RuntimeError: Tensors must have same number of dimensions: got 4 and 1.",
        f"  in your code           attention.py, line {line}, in attention_pattern:",
        "    return torch.cat([weights, torch.zeros(3)], dim=-1)",
    )


def test_a_wrong_answer_that_no_misconception_gives_is_not_given_a_name(runs):
    assert runs["calls"].screens()["mix_values"][-3:-1] == [
        "  What this looks like   None of the known mistakes. What is shown above is the best lead.",
        "  Your code printed      mixing (1, 2, 1, 2)",
    ]


@pytest.mark.parametrize(
    ("task", "code"), [("attention_scores", "        pass"), ("apply_causal_mask", '    return re.match("(a+)+$"')]
)
def test_an_endless_loop_in_python_or_in_c(runs, task, code):
    lines = runs["process"].screens()[task]
    assert lines[2] == "  It was still running after 2 seconds and was stopped. Look for a loop that does not end."
    assert lines[3].startswith("  Smallest example       ")  # on which it hung
    where = next(line for line in lines if line.startswith("  in your code"))
    number = int(where.split("line ")[1].split(",")[0])
    near = LEARNERS["process"].splitlines()[number - 2 : number + 1]
    assert where.startswith(f"  in your code           attention.py, line {number}, in {task}")
    assert any(line.startswith(code) for line in near)


def test_a_hard_exit(runs):
    assert said(runs["process"], "attention_pattern") == (
        "It ended the process it runs in (exit code 0). A task only returns its result."
    )


def test_a_crash_says_which_line_it_was(runs):
    line = LEARNERS["process"].splitlines().index("    return ctypes.string_at(0)") + 1
    assert said(runs["process"], "mix_values") == (
        "It ended the process it runs in (SIGSEGV). A task only returns its result. "
        f"in your code attention.py, line {line}, in mix_values: return ctypes.string_at(0)"
    )


def test_parameters_renamed_missing_or_of_another_shape(runs):
    assert said(runs["parameters"], "Attention") == (
        "The parameters of Attention are not those of the stub: W_O has shape (4, 2), expected (2, 2, 2); "
        "W_Q is missing; W_query is not in the specification; b_V is a plain tensor, not an nn.Parameter."
    )


def test_a_call_of_what_the_exercise_builds(runs):
    assert said(runs["library"], "Attention") == (
        "It calls the library's scaled_dot_product_attention, which this exercise builds. "
        "Write it with tensor operations."
    )


def test_a_known_mistake_is_shown_word_by_word(runs):
    assert runs["scaled twice"].screens()["attention_scores"] == [
        "attention · attention_scores                      0 laws hold, 1 broken, 3 wait for it",
        "  A score is the dot product of a query and a key of one head, divided by the square root of d_head.",
        "  Smallest example       q (batch 1, queries 2, n_heads 1, d_head 2) = [[[-1.9, 0.4]], [[-0.3, -1.1]]]",
        "                         k (batch 1, keys 2, n_heads 1, d_head 2) = [[[0.6, 0.9]], [[0.7, 1.4]]]",
        "  yours                  [[-0.39, -0.385], [-0.585, -0.875]]",
        "  expected               [[-0.5515433, -0.5444722], [-0.8273149, -1.237437]]",
        "  What this looks like   The scores are divided by d_head: by the square root twice, or by d_head itself.",
        "  Think about            The variance of a sum of d_head numbers grows like d_head: how does its standard",
        "                         deviation grow?",
        "  More: docs/exercises/attention.md#scores",
    ]
