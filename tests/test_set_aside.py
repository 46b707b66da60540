"""A file whose import does not end, or ends the process: its own graders judge it, and those of no other file."""

import pytest
from learners import solved

from graders.engine.judge import Judge
from graders.engine.law import laws_for
from graders.engine.stubs import stub_files
from graders.engine.transport import Worker
from graders.engine.trial import Policy
from graders.engine.worker.loading import Source

ENDINGS = {"it does not end": "\nwhile True: pass\n", "it ends the process": "\nimport os\nos._exit(0)\n"}
SOLVED = {name: solved(name) for name in ("config", "layer_norm", "mlp", "attention", "block")}


def statuses(exercise, **texts):
    """What comes of the laws of an exercise, each once, and how the first of them is broken."""
    worker = Worker(Source(texts=stub_files() | SOLVED | texts, stubs=stub_files()))
    judge = Judge(worker, Policy(examples=3))
    try:
        outcomes = [judge.grade(law) for law in laws_for(exercise)]
    finally:
        worker.close()
    return {outcome.record.status for outcome in outcomes}, outcomes[0].record.kind


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_that_imports_it_is_judged_with_its_stub(ending):
    attention = SOLVED["attention"] + ENDINGS[ending]
    assert statuses("block", attention=attention) == ({"passed"}, "")
    assert statuses("block", attention=attention, block=stub_files()["block"])[0] == {"not_started", "skipped"}


@pytest.mark.parametrize("ending", ENDINGS)
def test_two_such_files_are_both_set_aside(ending):
    broken = {name: SOLVED[name] + ENDINGS[ending] for name in ("mlp", "attention")}
    assert statuses("block", **broken) == ({"passed"}, "")


@pytest.mark.parametrize(("ending", "kind"), list(zip(ENDINGS, ("timeout", "crash"), strict=True)))
def test_its_own_laws_see_it_as_it_is_whichever_laws_come_first(ending, kind):
    worker = Worker(
        Source(texts=stub_files() | SOLVED | {"attention": SOLVED["attention"] + ENDINGS[ending]}, stubs=stub_files())
    )
    judge = Judge(worker, Policy(examples=3))
    try:
        judge.grade(laws_for("block")[0])
        record = judge.grade(laws_for("attention")[0]).record
    finally:
        worker.close()
    assert (record.status, record.kind) == ("failed", kind)


@pytest.mark.parametrize(("ending", "kind"), list(zip(ENDINGS, ("timeout", "crash"), strict=True)))
def test_it_is_broken_itself(ending, kind):
    assert statuses("block", block=SOLVED["block"] + ENDINGS[ending]) == ({"failed", "skipped"}, kind)
