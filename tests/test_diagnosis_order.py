"""Of a suspect as little is tried as shows that it is another mistake."""

from graders.engine import diagnosis
from graders.engine.course import load_course
from graders.engine.diagnosis import Witness, diagnose
from graders.engine.law import laws_for
from graders.engine.misconception import misconceptions_of
from graders.engine.subject import subject_with


def test_a_dear_case_comes_last_and_before_it_those_that_fail():
    def witness(breaks: str, seconds: float) -> Witness:
        return Witness(laws_for("softmax")[0], None, [], breaks, seconds)  # type: ignore[arg-type]

    dear, fails, holds, fails_later = (witness(*one) for one in [("x", 1.0), ("x", 0.01), ("", 0.001), ("x", 0.02)])
    assert sorted([dear, holds, fails_later, fails], key=Witness.order) == [fails, fails_later, holds, dear]


def test_what_fails_alone_is_what_most_suspects_are_tried_on(monkeypatch):
    law = next(law for law in laws_for("gpt") if law.name == "test_a_misshapen_tensor_is_named")
    mistake = next(m for m in misconceptions_of("gpt") if m.id == "shapes_not_checked")
    tried = []
    replay = diagnosis.replay
    monkeypatch.setattr(diagnosis, "replay", lambda *one: tried.append(one[0]) or replay(*one))
    found = diagnose(law, law.cases.load(None)[0], load_course()["gpt"], subject_with("gpt", (mistake,)))
    assert found.id == mistake.id
    of_suspects = tried[25:]  # what comes first is the subject's own
    assert of_suspects.count(law) > len(of_suspects) / 2
