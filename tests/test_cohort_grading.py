"""One job graded: every law has its record, the lead's own last, and no mistake of ours is the learner's."""

import os

import pytest
import typer
from cohorts import TEXTS
from learners import solved

from graders.cohort import grading
from graders.cohort.grading import grade
from graders.cohort.jobs import Job, records_of
from graders.cohort.private import PrivateLawsError, read_private
from graders.cohort.versions import grader_version
from graders.commands.cohort.options import read_extras
from graders.engine.law import laws_for
from graders.engine.misconception import misconceptions_of
from graders.engine.stubs import stub_files

EXTRA = '''
from graders.engine.law import expect_equal, law
from graders.engine.space import space

@space(batch=(1, 2))
def numbers(case, batch):
    case.tensor("x", batch=batch)

@law("gelu_new", numbers)
def test_secret_of_the_lead(subject, reference, case):
    """A large number stays as it is."""
    expect_equal(subject.gelu_new(case.x + 100), case.x + 100)
'''


def job(exercise, text=None, problem=None, **facts):
    names = ("config", "chain", *(() if text is None else (exercise,)))
    files = {name: text if name == exercise else solved(name) for name in names}
    problems = {} if problem is None else {exercise: problem}
    return Job(exercise, "0" * 16, files, problems, seed=7, isolation="process", **facts)


def statuses(records):
    return {record.status for record in records}


def test_every_law_has_its_record_with_all_that_the_history_keeps():
    records = grade(job("layer_norm", TEXTS["right"]))
    assert [record.law for record in records] == [law.name for law in laws_for("layer_norm")]
    assert statuses(records) == {"passed"}
    kept = {(r.isolation, r.subject_hash, r.grader_version, r.is_private) for r in records}
    assert kept == {("process", "0" * 16, grader_version("layer_norm"), False)}


def test_a_known_mistake_is_named_and_a_stub_is_not_started():
    assert misconceptions_of("layer_norm")[0].id in {r.misconception for r in grade(job("layer_norm", TEXTS["wrong"]))}
    assert "passed" not in statuses(grade(job("layer_norm", stub_files()["layer_norm"])))


def test_a_file_that_was_not_taken_is_told_and_fails():
    told = "exercises/mlp.py is not a plain file but a link; put the text itself there"
    first, *others = grade(job("mlp", problem=told))
    assert (first.status, first.kind, first.yours) == ("failed", "no_file", told)
    assert statuses(others) == {"skipped"}


COUNTS = """

import os
_earlier = globals().setdefault("_processes", [])
_own_gelu_new = gelu_new
def gelu_new(x):
    with open(PATH, "a") as file:
        file.write(f"{os.getpid()} ")
    return _own_gelu_new(x)
"""


def test_every_task_has_a_process_of_its_own(tmp_path):
    path = tmp_path / "pids"
    text = solved("mlp") + COUNTS.replace("PATH", repr(str(path)))
    assert statuses(grade(job("mlp", text))) == {"passed"}
    assert len(set(path.read_text().split())) == 2  # the tasks of the exercise


def test_another_seed_draws_other_cases(tmp_path):
    def inputs(name, seed):
        path = tmp_path / name
        shown = "\n_own = gelu_new\ndef gelu_new(x):\n    open(PATH, 'a').write(f'{x.tolist()};')\n    return _own(x)\n"
        text = solved("mlp") + shown.replace("PATH", repr(str(path)))
        grade(Job("mlp", "0" * 16, {"config": solved("config"), "mlp": text}, {}, seed, "process"))
        return set(path.read_text().split(";"))

    first, again, other = inputs("a", 1), inputs("b", 1), inputs("c", 2)
    assert first == again
    assert len(other - first) > 20


def test_the_lead_s_own_laws_come_last_and_are_private(tmp_path):
    (tmp_path / "test_mlp.py").write_text(EXTRA)
    assert dict(read_private(tmp_path)) == {"mlp": EXTRA}
    *public, own = grade(job("mlp", solved("mlp"), extra=EXTRA))
    assert (own.law, own.is_private, own.status) == ("test_secret_of_the_lead", True, "passed")
    assert {record.is_private for record in public} == {False}
    assert own.grader_version == grader_version("mlp", EXTRA) != grader_version("mlp")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("test_juggling.py", EXTRA, "test_juggling.py is of no exercise; the exercises are tensors"),
        ("test_mlp.py", "1 / 0", "test_mlp.py stops with ZeroDivisionError: division by zero"),
        ("test_mlp.py", "x = 1", "test_mlp.py has no law"),
        ("test_mlp.py", EXTRA.replace("gelu_new", "relu"), "is about relu; expected one of gelu_new, MLP"),
        (
            "test_mlp.py",
            EXTRA.replace("+ 100)\n", "+ 99)\n"),
            r"hold for the solved files: for x .*\] it is given \[.*\], and expects \[.*\] \(test_mlp.py, line ",
        ),
        (
            "test_mlp.py",
            EXTRA.replace("subject.gelu_new", "subject.gelu_nwe", 1),
            r"solved files: AttributeError: module 'exercises.mlp' has no attribute 'gelu_nwe' \(test_mlp.py, line ",
        ),
        ("test_mlp.py", EXTRA.replace("case.x + 100)", "case.y)", 1), "does not hold for the solved files: Attribute"),
        ("notes.txt", "", "has no test_<exercise>.py"),
    ],
)
def test_a_law_of_the_lead_that_cannot_be_used_is_refused_before_anything_runs(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(PrivateLawsError, match=said) as refused:
        read_private(tmp_path)
    assert str(refused.value).startswith(str(tmp_path))  # which is the default's name where none was given


def test_what_is_wrong_with_a_law_in_the_default_folder_names_that_folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "laws").mkdir()
    (tmp_path / "laws" / "test_mlp.py").write_text("1 / 0")
    with pytest.raises(typer.Exit):
        read_extras(None)
    told = "laws/test_mlp.py stops with ZeroDivisionError: division by zero; nothing was graded\n"
    assert capsys.readouterr().err.replace(os.sep, "/") == told


def test_a_law_of_the_lead_has_a_name_of_its_own(tmp_path):
    taken = laws_for("mlp")[0].name
    (tmp_path / "test_mlp.py").write_text(EXTRA.replace("test_secret_of_the_lead", taken))
    with pytest.raises(PrivateLawsError, match=f"the course has a law {taken} already"):
        read_private(tmp_path)


def test_a_grading_that_stops_is_an_error_of_ours_for_every_law(monkeypatch):
    def stops(source):
        raise RuntimeError("no process could be started")

    monkeypatch.setitem(grading.TRANSPORTS, "process", stops)
    records = records_of(job("mlp", solved("mlp")))
    assert len(records) == len(laws_for("mlp"))
    assert {(r.status, r.kind, r.cause) for r in records} == {
        ("error", "grader", "RuntimeError: no process could be started")
    }


def test_a_law_that_stops_says_where_to_the_lead():
    broken = EXTRA.replace("subject.gelu_new(case.x + 100)", "1 / 0")
    own = grade(job("mlp", solved("mlp"), extra=broken))[-1]
    assert (own.status, own.kind) == ("error", "grader")
    assert own.cause.startswith("ZeroDivisionError: division by zero (test_mlp.py, line ")
