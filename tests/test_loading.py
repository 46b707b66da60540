"""Loading a subject's files: each under a private package, a broken sibling replaced by its stub."""

import sys

import pytest

from graders.engine.worker.loading import Source
from graders.engine.worker.messages import Request
from graders.engine.worker.perform import Performer

CONFIG = "class GPTConfig:\n    def __init__(self, **sizes):\n        pass\n"


def subject(**texts):
    """A performer for files given as text; `stubs` and `folder` as in `Source`."""
    stubs, folder = texts.pop("stubs", {}), texts.pop("folder", None)
    return Performer(Source(folder=folder, texts=texts, stubs=stubs))


def answer(performer, exercise="one", task="f", *args):
    return performer.perform(Request(exercise, task, args))


def value(performer, exercise="one", task="f", *args):
    reply = answer(performer, exercise, task, *args)
    assert reply.failure is None, reply.failure
    return reply.value


def test_two_subjects_do_not_see_each_other():
    first = subject(one="from exercises import two\ndef f(): return two.NAME", two="NAME = 'first'")
    second = subject(one="from exercises import two\ndef f(): return two.NAME", two="NAME = 'second'")
    assert [value(first), value(second), value(first)] == ["first", "second", "first"]


def test_two_subjects_of_the_same_text_do_not_see_each_other_s_files():
    text = "import exercises.two\ndef f(): return exercises.two.NAME"
    first, second = subject(one=text, two="NAME = 'first'"), subject(one=text, two="NAME = 'second'")
    assert [value(first), value(second), value(first)] == ["first", "second", "first"]


@pytest.mark.parametrize("package", ["exercises", "reference"])
@pytest.mark.parametrize(
    "code",
    [
        "__package__ = '{0}'\nfrom {0}.two import g\ndef f(): return g()",
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    from {0}.two import g\ndef f(): return g()",
        "for _ in '':\n    pass\nelse:\n    from {0}.two import g\ndef f(): return g()",
        "try:\n    pass\nfinally:\n    from {0}.two import g\ndef f(): return g()",
        "with open(__import__('os').devnull):\n    from {0}.two import g\ndef f(): return g()",
        "match 1:\n    case 1:\n        from {0}.two import g\ndef f(): return g()",
        "class C:\n    from {0}.two import g\ndef f(): return C.g()",
        "for _ in '1':\n    if not _:\n        pass\n    elif _:\n        import {0}.two as y\ndef f(): return y.g()",
        "from {0}.two import g\ndef f(): return g()",
        "from {0} import two\ndef f(): return two.g()",
        "import {0}.two\ndef f(): return {0}.two.g()",
        "import {0}.two as y\ndef f(): return y.g()",
        "def f():\n    from {0}.two import g\n    return g()",
        "def f():\n    import {0}.two\n    return {0}.two.g()",
        "from .two import g\ndef f(): return g()",
        "from . import two\ndef f(): return two.g()",
    ],
)
def test_a_sibling_can_be_imported_in_every_way(package, code):
    assert value(subject(one=code.format(package), two="def g(): return 'g'")) == "g"


def test_importing_a_sibling_leaves_the_real_packages_alone():
    before = set(sys.modules)
    value(subject(one="from exercises.two import g\ndef f(): return g()", two="def g(): return 'g'"))
    assert {name for name in set(sys.modules) - before if not name.startswith("_subject_")} == set()


def test_closing_forgets_all_modules():
    before = set(sys.modules), list(sys.meta_path)
    performer = subject(one="def f(): return 1")
    value(performer)
    performer.close()
    assert (set(sys.modules), sys.meta_path) == before


@pytest.mark.parametrize(
    "broken", ["def g(:", "raise ValueError", "import transformers", "import sys; sys.exit(1)", "from . import nobody"]
)
def test_a_sibling_that_cannot_be_imported_is_replaced_by_its_stub_with_one_note(broken):
    performer = subject(
        one="from exercises.two import g\ndef f(): return g()", two=broken, stubs={"two": "def g(): return 'stub'"}
    )
    replies = [answer(performer) for _ in range(2)]
    assert [(reply.value, len(reply.notes)) for reply in replies] == [("stub", 1)] * 2


def test_the_note_names_the_file_and_what_happened():
    performer = subject(one="import exercises.two\ndef f(): return 1", two="1 / 0", stubs={"two": ""})
    assert answer(performer).notes == ["two.py could not be imported (ZeroDivisionError); its stub stands in for it"]


def test_a_sibling_that_is_not_there_is_replaced_by_its_stub(tmp_path):
    (tmp_path / "one.py").write_text("from exercises.two import g\ndef f(): return g()")
    assert value(subject(folder=str(tmp_path), stubs={"two": "def g(): return 'stub'"})) == "stub"


def test_the_graded_file_itself_is_never_replaced():
    reply = answer(subject(one="1 / 0", stubs={"one": "def f(): return 1"}))
    assert (reply.failure.stage, reply.failure.type_name) == ("import", "ZeroDivisionError")


def test_a_name_that_is_no_sibling_is_an_import_error_in_the_learner_s_line(tmp_path):
    (tmp_path / "one.py").write_text("\nfrom exercises import nobody\n")
    failure = answer(subject(folder=str(tmp_path))).failure
    assert (failure.stage, failure.type_name, failure.lines) == (
        "import",
        "ImportError",
        [["one.py", 2, "<module>", "from exercises import nobody"]],
    )


@pytest.mark.parametrize(
    "code", ["import transformers", "import torchvision.ops", "def f():\n    from numba import jit", "import graders"]
)
def test_a_foreign_library_is_refused_before_anything_runs(code):
    failure = answer(subject(one="raise ValueError('it ran')\n" + code)).failure
    assert (failure.stage, failure.message in ("transformers", "torchvision", "numba", "graders")) == ("foreign", True)


@pytest.mark.parametrize("code", ["import torch.nn", "import math, json", "import einops", "import numpy as np"])
def test_a_library_of_the_field_may_be_imported(code):
    assert value(subject(one=f"{code}\ndef f(): return 1")) == 1


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "one.py").write_bytes(b"\xef\xbb\xbfdef f(): return 1")
    assert value(subject(folder=str(tmp_path))) == 1


@pytest.mark.parametrize(
    ("content", "stage"),
    [(b"def f(", "parse"), (b"# \xff", "parse"), (b"x = 1\0", "parse"), (None, "no_file"), (b"open('no')", "import")],
    ids=["syntax", "encoding", "null byte", "no file", "file not found by its own code"],
)
def test_what_keeps_a_file_from_running_has_a_stage_of_its_own(tmp_path, content, stage):
    if content is not None:
        (tmp_path / "one.py").write_bytes(content)
    assert answer(subject(folder=str(tmp_path))).failure.stage == stage


def test_a_traceback_holds_the_subject_s_own_lines_only(tmp_path):
    (tmp_path / "one.py").write_text("from exercises.two import g\nclass A:\n    def f(self): return g()\nf = A().f\n")
    (tmp_path / "two.py").write_text("import torch\ndef g():\n    return torch.zeros(2) @ torch.zeros(3)\n")
    assert answer(subject(folder=str(tmp_path))).failure.lines == [
        ["one.py", 3, "A.f", "def f(self): return g()"],
        ["two.py", 3, "g", "return torch.zeros(2) @ torch.zeros(3)"],
    ]


def test_a_misconception_s_lines_have_names_and_texts_too():
    assert answer(subject(one="def f(): return 1 / 0")).failure.lines == [["one.py", 1, "f", "def f(): return 1 / 0"]]


@pytest.mark.parametrize("before", ["", "/home/cara"])
def test_of_a_path_in_a_message_the_folder_alone_is_left_out(tmp_path, before):
    code = f"raise OSError({str(before)!r} + __file__ + ' is not there')"
    told = answer(subject(folder=str(tmp_path), one=code)).failure.message
    assert told == (f"{before}{tmp_path}/one.py is not there" if before else "one.py is not there")


def test_a_message_calls_a_sibling_by_the_name_that_a_learner_knows():
    message = answer(subject(one="from exercises.two import g", two="")).failure.message
    assert message == "cannot import name 'g' from 'exercises.two' (<two.py>)"
