"""What was run in a notebook comes to the file that its learner means, in whatever order it was run."""

import pytest

from graders.notebooks.written import Written, written

STUB = '''"""What it is."""

import math

from exercises.config import GPTConfig

LIMIT = 3


def check(x: "int") -> None:
    """Given."""


def first(x, y=math.pi):
    """The first task."""
    raise NotImplementedError


class Second:
    """The second task."""

    def forward(self, cfg: GPTConfig):
        """The second task."""
        raise NotImplementedError
'''
IMPORTS = "import math\n\nfrom exercises.config import GPTConfig"
FIRST = "def first(x, y=math.pi):\n    return x * LIMIT"


def file_of(*cells: str) -> Written:
    """What cells come to, numbered from 1 in the order in which they were run."""
    return written(dict(enumerate(cells, 1)), STUB, ["first", "Second"])


def names_in(text: str) -> dict:
    """What a file's text defines when it is run from top to bottom."""
    found: dict = {}
    exec(compile(text.replace("from exercises.config import GPTConfig", "GPTConfig = dict"), "<file>", "exec"), found)
    return found


def test_before_anything_is_run_it_is_the_stub():
    found = file_of()
    assert found.text == STUB
    assert found.not_run == ["first", "Second"]


def test_a_stub_s_cells_come_to_the_stub():
    cells = [part.strip("\n") for part in STUB.split("\n\n\n")]
    found = file_of(cells[0].partition("\n\n")[2], *cells[1:])
    assert found.text == file_of().text
    assert found.not_run == []


def test_what_was_run_last_counts():
    found = file_of(IMPORTS, FIRST, "def first(x):\n    return 1", "def first(x):\n    return 2")
    assert names_in(found.text)["first"](0) == 2
    assert found.text.count("def first") == 1
    assert found.not_run == ["Second"]


def test_a_task_run_before_the_imports_or_without_them_finds_them():
    assert names_in(file_of(FIRST, IMPORTS).text)["first"](2) == 6
    assert names_in(file_of(FIRST).text)["first"](2) == 6


def test_what_is_run_again_after_what_reads_it_comes_before_it():
    found = file_of(IMPORTS, FIRST, "LIMIT = 5", IMPORTS)
    assert names_in(found.text)["first"](2) == 10


def test_helpers_of_one_s_own_come_along_with_what_they_use():
    found = file_of(
        "from itertools import pairwise",
        "def pairs(x):\n    return list(pairwise(x))",
        "def first(x):\n    return pairs(x)",
    )
    assert names_in(found.text)["first"]([1, 2, 3]) == [(1, 2), (2, 3)]


def test_an_import_of_everything_comes_along():
    found = file_of(
        "from itertools import *", "from operator import *", "def first(x):\n    return list(chain(x, [add(1, 1)]))"
    )
    assert names_in(found.text)["first"]([1]) == [1, 2]


TRIALS = (
    "import matplotlib.pyplot as plt",
    "x = first(1)",
    "first(2)",
    "plt.plot([first(x) for x in range(3)])",
    "for x in range(3):\n    y = first(x)",
    "get_ipython().run_line_magic('matplotlib', 'inline')",
    "get_ipython().system('pip list')",
    "files = get_ipython().getoutput('ls')",
    "from graders.notebooks import grade\n\ngrade('attention')",
    "await anything",
)


@pytest.mark.parametrize("trial", TRIALS)
def test_trials_and_magics_are_no_part_of_it(trial):
    found = file_of(IMPORTS, FIRST, trial)
    assert found.text == file_of(IMPORTS, FIRST).text
    assert found.unreadable == []


def test_a_local_name_does_not_bring_in_a_trial_of_that_name():
    cells = (IMPORTS, "x = first(1)", "def first(x):\n    cfg = x\n    return [x for x in cfg]", "cfg = 1 / 0")
    assert "1 / 0" not in file_of(*cells).text
    assert "first(1)" not in file_of(*cells).text


def test_a_value_is_built_up_in_the_order_in_which_it_was():
    found = file_of("LIMIT = 1", "LIMIT += 1", "LIMIT *= 10", FIRST)
    assert names_in(found.text)["first"](1) == 20
    found = file_of("LIMIT = {}", "LIMIT[0] = 'a'", "LIMIT[0] += 'b'", "def first(x):\n    return LIMIT[0]")
    assert names_in(found.text)["first"](1) == "ab"


def test_a_name_that_is_given_anew_is_not_built_up_from_what_it_was():
    found = file_of("LIMIT = 1 / 0", "LIMIT += 1", "LIMIT = 7", FIRST)
    assert names_in(found.text)["first"](1) == 7
    assert "1 / 0" not in found.text


def test_what_wraps_a_task_keeps_the_task():
    found = file_of(
        "def twice(f):\n    return lambda x: f(f(x))", "def first(x):\n    return x + 1", "first = twice(first)"
    )
    assert names_in(found.text)["first"](1) == 3


def test_a_cell_that_is_no_python_is_told_and_what_was_run_before_counts():
    found = file_of(IMPORTS, FIRST, "def first(x):\n    return (")
    assert names_in(found.text)["first"](2) == 6
    assert found.unreadable == [
        "In [3], with the newest first, is no Python yet ('(' was never closed, line 2), and was left out."
    ]


def test_a_cell_that_was_mended_is_not_told_of():
    assert file_of(IMPORTS, "def first(x):\n    return (", FIRST).unreadable == []
    assert file_of("first thoughts: none", "def trial(x:\n    return x").unreadable == []


def test_every_line_is_known_by_its_cell():
    found = file_of(
        IMPORTS, "# why\n@staticmethod\ndef helper(x):\n    return x\n\n\ndef first(x):  # häppy\n    return helper(x)"
    )
    lines = found.text.splitlines()
    assert found.origins[lines.index("    return helper(x)")] == (2, 8)
    assert found.origins[lines.index("# why")] == (2, 1)
    assert found.origins[lines.index("import math")] == (1, 1)
    assert found.origins[lines.index("class Second:")] == (0, 19)
    assert len(found.origins) == len(lines)


def test_two_statements_on_one_line_are_two():
    found = file_of("LIMIT = 9; print('über'); y = 3", FIRST)
    assert names_in(found.text)["first"](1) == 9
    assert "print" not in found.text
    assert "y = 3" not in found.text


def test_text_in_any_alphabet_stays_as_it_is():
    found = file_of('LIMIT = "Ωß猫\u2028"; y = "é"', "def first(x):\n    '''na\u2028ïve'''\n    return LIMIT")
    assert names_in(found.text)["first"](1) == "Ωß猫\u2028"
