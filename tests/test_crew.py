"""Laws tried side by side: the same verdicts as one after another, and nothing of the judge open to the subject."""

import sys
from dataclasses import replace

import pytest
from learners import solved, solved_but

from graders.engine.crew import Crew
from graders.engine.judge import Judge
from graders.engine.law import laws_for
from graders.engine.space import fixed, space
from graders.engine.stubs import stub_files, stub_text
from graders.engine.transport import Worker
from graders.engine.trial import Policy
from graders.engine.worker.loading import Source

POLICY = Policy(examples=5)
LAWS = laws_for("attention")
SUBJECTS = {
    "right": solved("attention"),
    "stub": stub_text("attention"),
    "a mistake": solved_but("def mix_values(pattern, v):\n    return None\n"),
    "chance": solved_but("def mix_values(pattern, v):\n    return torch.rand(1) * v\n"),
    "unreadable": "def attention_scores(q, k:\n",
    "ends its process": solved_but("def mix_values(pattern, v):\n    import os\n    os._exit(0)\n"),
}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nothing is forked elsewhere")


def transport_of(text):
    return Worker(Source(texts=stub_files() | {"attention": text}))


def verdicts(judge):
    """All that the records of attention's laws say, but for the time they took."""
    return [replace(judge.grade(law).record, time="", duration_ms=0) for law in LAWS]


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_verdicts_are_those_of_one_law_after_another(name):
    in_order = Judge(transport_of(SUBJECTS[name]), POLICY)
    crew = Crew(transport_of(SUBJECTS[name]), POLICY, LAWS, size=3)
    try:
        assert verdicts(Judge(in_order.transport, POLICY, verdict=crew.verdict)) == verdicts(in_order)
    finally:
        crew.close()
        in_order.transport.close()


def test_laws_of_a_task_that_failed_are_not_tried_ahead():
    crew = Crew(transport_of(SUBJECTS["stub"]), POLICY, LAWS, size=1)
    try:
        crew.verdict(LAWS[-1])  # asked for out of turn, so that all others could be tried meanwhile
        assert [outcome.law for outcome in crew.known] == [LAWS[-1]]
        crew.verdict(LAWS[0])
        assert LAWS[1] in crew.waiting
    finally:
        crew.close()


class Copy:
    """A member that has been begun on laws, and is done with all of them."""

    def __init__(self):
        self.law = None
        self.tried, self.made = [], set()

    def begin(self, law):
        self.tried.append(law.name)
        self.made.add(law.cases)


def test_drawn_laws_come_first_and_cases_are_shared_by_laws_of_one_copy():
    given, drawn, other = fixed(lambda where: []), space(seq=(1, 3))(print), space(seq=(1, 3))(print)
    cases = {"given": given, "drawn": drawn, "other": other, "drawn again": drawn, "given again": given}
    laws = [replace(LAWS[0], name=name, cases=some) for name, some in cases.items()]
    crew = Crew(transport_of(""), POLICY, laws, size=0)
    crew.members = [Copy(), Copy()]
    for _ in range(3):
        crew._hand_out([])
    assert [copy.tried for copy in crew.members] == [["drawn", "drawn again", "given again"], ["other", "given"]]


def test_a_subject_has_no_descriptor_of_the_judge_but_the_one_it_answers_on():
    listing = (
        "def mix_values(pattern, v):\n    import os\n    print(len(os.listdir('/proc/self/fd')))\n    return None\n"
    )
    crew = Crew(transport_of(solved_but(listing)), POLICY, LAWS, size=3)
    law = next(law for law in LAWS if law.task == "mix_values")
    try:
        # Standard streams, a null device, the connection, the two files of the worker, and the listing itself
        assert int(crew.verdict(law).broken.printed.split()[0]) <= 8
    finally:
        crew.close()


def test_closing_ends_a_law_that_is_being_tried():
    endless = solved_but("def attention_scores(q, k):\n    while True:\n        pass\n")
    crew = Crew(transport_of(endless), POLICY, LAWS, size=2)
    crew.members[0].begin(LAWS[0])
    crew.close()
    assert [member.process.is_alive() for member in crew.members] == [False, False]
