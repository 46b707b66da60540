"""Whatever a hostile submission tries, it ends as a failure of its learner alone, in bounded time.

Each attack belongs to a line of the list (`LINES`). It succeeds when a wrong task passes, or when something is touched
that is nobody's to touch: a file, a secret, a service, a process, another learner's verdict, the judge's time.
`tests/attacks/submissions/` has the hostile files; what is no file is a function.
"""

import collections
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
from attacks import cohorts, replies, repositories, servers
from attacks.ground import EXERCISE, Ground, Submission, submissions

from graders.cohort.grading import grade
from graders.cohort.jobs import Job
from graders.cohort.sandbox import close_sandbox
from graders.engine.record import Record, to_line

LINES = {
    1: "early exit",
    2: "reaching the answer",
    3: "patching",
    4: "configuration",
    5: "objects that lie",
    6: "executable data sent back",
    7: "forged results",
    8: "reading what is hidden",
    9: "remembering calls",
    10: "hard-coding the visible cases",
    11: "endless loops",
    12: "bombs",
    13: "processes",
    14: "the network",
    15: "tracing, and the memory of processes",
    16: "what is no file, and what is no repository",
    17: "edited graders",
    18: "delegation",
    19: "escapes and formulas",
    20: "luck",
    21: "planted caches",
    22: "open ports",
}
# Tricks whose traces can be cleared away, for a look at whether the ground sees them
WITHOUT_HARM = {
    "06_executes_where_it_runs": "open(FOLDER + '/executed', 'w').close()\n",
    "13_leaves_one_process_behind": "import subprocess\nsubprocess.Popen(['sleep', '3'])\n",
}
MAX_TIMEOUTS = 3  # of one submission: one for each task of the exercise
SEED = 20_261_122


@dataclass(frozen=True)
class Attack:
    """One attempt; `succeeds` raises `AssertionError` when it does."""

    name: str
    line: int
    tried: Callable[[Ground], object]


def submitted(submission: Submission, ground: Ground, isolation: str = "sandbox") -> None:
    """Grade a hostile file as a lead would, and look at what it came to."""
    records = grade(Job(EXERCISE, "0", ground.files(submission), seed=SEED, isolation=isolation))
    by_task = collections.defaultdict(list)
    for record in records:
        by_task[record.task].append(record.status)
    passed = [task for task, statuses in by_task.items() if set(statuses) == {"passed"}]
    if submission.delegates:  # of some tasks the answer is its own
        assert "library" in {record.kind for record in records}, "nobody said that it calls the library"
        passed = [task for task in passed if task != "cross_entropy"]
    assert not passed, f"a wrong answer passed: {passed}"
    assert "error" not in {record.status for record in records}, "the grader was made to stop"
    assert sum(record.kind == "timeout" for record in records) <= MAX_TIMEOUTS
    assert ground.damage(records) == []
    for record in records:
        assert_readable(record)


def assert_readable(record: Record) -> None:
    """A record can be written, and what a learner's code said in it does nothing to whoever reads it."""
    to_line(record).encode("utf-8")
    for text in (record.yours, record.expected, record.counterexample, record.cause, record.misconception):
        assert text.replace("\n", "").replace("\t", "").isprintable(), text[:80]


def attacks() -> list[Attack]:
    """All of them, by line."""
    found = [Attack(each.name[3:], each.line, partial(submitted, each)) for each in submissions()]
    found += [
        Attack(f"hard_coded_{each.task}", 10, partial(cohorts.hard_coded, each)) for each in cohorts.WRONG_WHERE_UNSEEN
    ]
    for line, module, names in (
        (1, cohorts, "beside_others_that_kill"),
        (4, cohorts, "beside_others_that_plant"),
        (8, cohorts, "left_for_the_next beside_others_that_read"),
        (11, cohorts, "beside_others_that_loop"),
        (13, cohorts, "beside_others_that_fork"),
        (
            16,
            repositories,
            "links a_linked_folder traversal no_plain_files huge_in_git code_of_git pointers_of_lfs urls",
        ),
        (17, repositories, "edited_graders"),
        (19, repositories, "names_that_are_escapes"),
        (21, repositories, "planted_caches"),
        (7, replies, "refuse_forged_parts forge_all_replies"),
        (12, replies, "refuse_forged_headers parse_what_cannot_be_parsed"),
        (22, servers, "open_schedulers_are_not_spoken_to a_scheduler_takes_nothing_from_outside"),
    ):
        tried = [getattr(module, name) for name in names.split()]
        on_the_ground = tried if module is cohorts else [partial(_in_a_folder, each) for each in tried]
        found += [Attack(name, line, each) for name, each in zip(names.split(), on_the_ground, strict=True)]
    return sorted(found, key=lambda attack: attack.line)


def _in_a_folder(tried: Callable, ground: Ground) -> None:
    tried(ground.fresh_folder())


repelled: set[str] = set()  # the names of the attacks that failed


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    close_sandbox()
    grade(Job(EXERCISE, "0"))  # the warm process is there from now on
    ground = Ground(tmp_path_factory.mktemp("hosts"), tmp_path_factory)
    yield ground
    ground.close()
    close_sandbox()


@pytest.mark.parametrize("attack", attacks(), ids=lambda attack: f"{attack.line:02}-{attack.name}")
def test_attack(attack, ground):
    attack.tried(ground)
    repelled.add(f"{attack.line} {attack.name}")


@pytest.mark.parametrize(
    ("name", "reached"),
    [
        ("02_reads_by_path", "a wrong answer passed"),
        ("02_searches_the_memory", "a wrong answer passed"),
        ("08_reads_files_of_others", "a secret was told"),
        ("14_connects_to_the_host", "connections to services of the host"),
        ("06_executes_where_it_runs", "executed is another"),
        ("13_leaves_one_process_behind", "was left: sleep"),
    ],
)
def test_without_a_sandbox_it_is_seen_what_is_reached(name, reached, tmp_path, tmp_path_factory):
    """The attacks are none of straw, and the ground sees what they do."""
    trick = WITHOUT_HARM.get(name) or next(each.trick for each in submissions() if each.name == name)
    unguarded = Ground(tmp_path, tmp_path_factory)
    try:
        with pytest.raises(AssertionError, match=reached):
            submitted(Submission(name, 0, "wrong", False, "", trick), unguarded, "process")
    finally:
        unguarded.close()


def test_every_line_has_an_attack():
    assert {attack.line for attack in attacks()} == set(LINES)


def test_names_of_attacks_are_their_own():
    names = [(attack.line, attack.name) for attack in attacks()]
    assert len(set(names)) == len(names)


def test_score(capsys, request):
    """The last one: how many were tried, and how many of them failed."""
    tried = [item.callspec.params["attack"] for item in request.session.items if item.name.startswith("test_attack[")]
    with capsys.disabled():
        print(f"\nAttacks repelled: {len(repelled)} of {len(tried)}")  # noqa: T201 (CI shows it)
        for line, what in LINES.items():
            own = [attack for attack in tried if attack.line == line]
            n_repelled = sum(f"{line} {attack.name}" in repelled for attack in own)
            print(f"  {line:>2} {what:<44} {n_repelled} of {len(own)}")  # noqa: T201
    assert len(repelled) == len(tried)
