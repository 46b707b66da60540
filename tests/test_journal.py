"""What is remembered of the learner's own files: the newest record of every law, and nothing that could mislead."""

import json

import pytest
from learners import folder_with, solved, solved_but

from graders.engine import journal, session
from graders.engine.course import load_course
from graders.engine.journal import keep, verdict_on
from graders.engine.law import laws_for
from graders.engine.record import BROKEN, DONE, PARTLY, UNTOUCHED, UNTRIED, WAITING, Record, state_of
from graders.engine.session import Session
from graders.engine.trial import Policy

LAWS = {"first": "scores", "second": "scores", "third": "mask"}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A learner's folder of its own, with stubs, and a place beside it for what is remembered."""
    folder = folder_with(tmp_path / "exercises")
    for module in (journal, session):
        monkeypatch.setattr(module, "EXERCISES", folder)
    monkeypatch.setattr(journal, "VERDICTS", tmp_path / ".headstart" / "verdicts")
    return folder


def record(law: str, status: str = "passed", **facts) -> Record:
    return Record("attention", LAWS[law], law, "A sentence.", status, **facts)


def test_what_was_never_graded_is_not_tried(home):
    verdict = verdict_on("attention")
    assert [verdict.state(task.name) for task in load_course()["attention"].tasks] == [UNTRIED] * 5
    assert not verdict.is_edited


def test_a_run_of_some_laws_leaves_what_is_known_of_the_others(home):
    keep("attention", "text", LAWS, [record(law) for law in LAWS], {})
    keep("attention", "text", LAWS, [record("second", "failed", kind="values")], {"second": "Which width?"})
    verdict = verdict_on("attention")
    assert (verdict.state("scores"), verdict.state("mask")) == (BROKEN, DONE)
    assert verdict.questions == {"second": "Which width?"}


def test_what_held_of_another_text_says_nothing_of_this_one(home):
    keep("attention", "a text", LAWS, [record(law) for law in LAWS], {"first": "Which width?"})
    keep("attention", "another text", LAWS, [record("third")], {})
    verdict = verdict_on("attention")
    assert (verdict.state("scores"), verdict.state("mask"), verdict.questions) == (UNTRIED, DONE, {})


def test_an_exercise_that_a_run_did_not_come_to_keeps_its_verdict(home):
    keep("mlp", "a text", {"law": "MLP"}, [Record("mlp", "MLP", "law", "A sentence.", "passed")], {})
    laws = [*laws_for("attention")[:1], *laws_for("mlp")]
    session = Session(str(home), laws, Policy(examples=5))
    session.judge.grade(laws[0])
    session.close()
    assert verdict_on("mlp").file_hash == "a text"


def test_a_question_goes_with_the_mistake(home):
    keep("attention", "text", LAWS, [record("second", "failed")], {"second": "Which width?"})
    keep("attention", "text", LAWS, [record("second")], {})
    assert verdict_on("attention").questions == {}


def test_a_law_that_the_grader_no_longer_has_is_forgotten(home):
    keep("attention", "text", LAWS, [record(law) for law in LAWS], {})
    keep("attention", "text", {"first": "scores"}, [record("first")], {})
    assert list(verdict_on("attention").records) == ["first"]
    assert verdict_on("attention").state("scores") == DONE


def test_a_file_that_changed_since_is_edited(home):
    keep("attention", journal.file_hash("attention"), LAWS, [record("first")], {})
    assert not verdict_on("attention").is_edited
    (home / "attention.py").write_text("another text", encoding="utf-8")
    assert verdict_on("attention").is_edited


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"records": {}}', '{"records": {"first": {"no": 1}}}', "\0"])
def test_a_file_that_cannot_be_read_says_nothing(home, text):
    keep("attention", "text", LAWS, [record(law) for law in LAWS], {})
    (journal.VERDICTS / "attention.json").write_text(text, encoding="utf-8")
    assert verdict_on("attention").state("scores") == UNTRIED


def test_a_verdict_of_another_version_says_nothing(home):
    keep("attention", "text", LAWS, [record(law) for law in LAWS], {})
    path = journal.VERDICTS / "attention.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 0}), encoding="utf-8")
    assert verdict_on("attention").records == {}


def test_texts_are_cut_to_the_size_of_a_record(home):
    keep("attention", "text", LAWS, [record("first", yours="x" * 10**6)], {})
    assert len(verdict_on("attention").records["first"].yours) < 10**4


def test_nothing_is_left_of_a_write_that_fails(home, monkeypatch):
    keep("attention", "text", LAWS, [record("first")], {})
    monkeypatch.setattr(journal.Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        keep("attention", "text", LAWS, [record("first", "failed")], {})
    assert [path.name for path in journal.VERDICTS.iterdir()] == ["attention.json"]
    assert verdict_on("attention").records["first"].status == "passed"


@pytest.mark.parametrize(
    ("statuses", "n_laws", "state"),
    [
        ((), 2, UNTRIED),
        (("passed", "passed"), 2, DONE),
        (("passed",), 2, PARTLY),
        (("passed", "skipped"), 2, WAITING),
        (("passed", "not_started", "skipped"), 3, UNTOUCHED),
        (("passed", "failed", "not_started"), 3, BROKEN),
        (("error",), 1, BROKEN),
    ],
)
def test_a_task_is_done_when_all_its_laws_hold(statuses, n_laws, state):
    assert state_of([record("first", status) for status in statuses], n_laws) == state


def graded(subject: str) -> None:
    laws = [law for law in laws_for("attention") if law.task == "attention_scores"]
    session = Session(subject, laws, Policy(examples=5))
    try:
        for law in laws:
            session.judge.grade(law)
    finally:
        session.close()


def test_grading_the_learner_s_own_files_is_remembered(home):
    halved = solved_but("right = attention_scores\n\n\ndef attention_scores(q, k):\n    return right(q, k) * 8\n")
    (home / "attention.py").write_text(halved, encoding="utf-8")
    graded(str(home))
    verdict = verdict_on("attention")
    assert (verdict.state("attention_scores"), verdict.state("mix_values")) == (BROKEN, UNTRIED)
    (home / "attention.py").write_text(solved("attention"), encoding="utf-8")
    graded(str(home))
    assert verdict_on("attention").state("attention_scores") == DONE


def test_grading_anything_else_is_not(home, tmp_path):
    graded("reference")
    graded(str(folder_with(tmp_path / "other", attention=solved("attention"))))
    assert not journal.VERDICTS.exists()


@pytest.mark.parametrize("slip", ["def broken(", None], ids=["no Python", "no file"])
def test_a_slip_takes_back_nothing_that_was_done(home, slip):
    (home / "attention.py").write_text(solved("attention"), encoding="utf-8")
    graded(str(home))
    if slip is None:
        (home / "attention.py").unlink()
    else:
        (home / "attention.py").write_text(slip, encoding="utf-8")
    graded(str(home))
    verdict = verdict_on("attention")
    assert (verdict.state("attention_scores"), verdict.is_edited) == (DONE, True)
