"""The public report: groups of at least a minimum, none that a subtraction gives away, and nothing of any learner."""

import itertools
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reported import NASTY, cohort, hand_in, learner, written

from graders.cohort.dashboard import accounts
from graders.cohort.dashboard.grouping import OTHERS, crossed, parts, separable
from graders.cohort.dashboard.public import write_public
from graders.engine.course import load_course

from reported import NOW  # isort: skip

SECRET = b"0123456789abcdef"
COUNTS = st.integers(0, 12)


def sums(numbers):
    """Every sum of some of these numbers, each taken at most once, and of none."""
    return {sum(some) for n in range(len(numbers) + 1) for some in itertools.combinations(numbers, n)}


@given(COUNTS, st.dictionaries(st.sampled_from(["", "a", "b", "c"]), COUNTS), COUNTS, st.integers(2, 6))
@settings(max_examples=400, derandomize=True, deadline=None, database=None)
def test_no_part_of_a_cohort_is_small_and_together_they_are_everybody(passed, begun, untouched, minimum):
    total = passed + sum(begun.values()) + untouched
    if total < minimum:
        return  # of so few nothing is told at all
    told = parts(passed, begun, untouched, minimum)
    shown = [told.passed, *told.begun.values(), told.untouched]
    assert sum(shown) == total
    # Whatever is added and taken away, nobody learns of a group that is smaller
    assert not any(0 < n < minimum for n in sums(shown))
    assert not any(0 < total - n < minimum for n in sums(shown))


@given(st.dictionaries(st.sampled_from("abcd"), COUNTS, max_size=4), COUNTS, st.integers(2, 6))
@settings(max_examples=400, derandomize=True, deadline=None, database=None)
def test_groups_that_are_too_small_go_into_the_others_until_those_are_large_enough(groups, others, minimum):
    told = separable(groups, others, minimum)
    assert sum(told.values()) == sum(groups.values()) + others
    small = [n for n in told.values() if 0 < n < minimum]
    assert small == ([] if sum(told.values()) >= minimum else list(told.values()))


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=5), st.integers(2, 6))
@settings(max_examples=400, derandomize=True, deadline=None, database=None)
def test_no_section_tells_of_few_nor_does_the_whole_less_the_sections(pairs, minimum):
    sizes = {f"s{i}": done + undone for i, (done, undone) in enumerate(pairs)}
    passed = {f"s{i}": done for i, (done, _) in enumerate(pairs)}
    if any(0 < n < minimum for n in (sum(passed.values()), sum(sizes.values()) - sum(passed.values()))):
        return  # then the number of all is not told, and no section's either
    told = crossed(sizes, passed, minimum)
    if not told:
        return
    assert sum(told.values()) == sum(passed.values())
    rest = [group for group in sizes if group not in told]
    size_of = {group: sizes[group] for group in told if group != OTHERS} | {OTHERS: sum(sizes[g] for g in rest)}
    cells = [n for group, done in told.items() for n in (done, size_of[group] - done)]
    assert not any(0 < n < minimum for n in cells)


def test_parts_that_need_no_joining_are_told_as_they_are():
    told = parts(12, {"mask": 6, "scale": 2, "": 4}, 7, minimum=5)
    assert (told.passed, told.begun, told.untouched, told.joined) == (12, {"mask": 6, "": 6}, 7, ())


def test_a_column_of_few_is_joined_with_the_smallest_of_the_others():
    told = parts(20, {"mask": 3}, 9, minimum=5)
    assert told.joined == ("begun", "untouched")
    assert (told.passed, told.begun, told.untouched) == (20, {"": 12}, 0)


def public(history, out, minimum=5, secret=SECRET):
    """The text of the public page."""
    out.mkdir(parents=True)
    made, _ = written(history, out.with_name("lead"))
    write_public(made.standings, out, secret, minimum, NOW)
    return (out / "index.html").read_text(encoding="utf-8")


def numbers_of(page, heading):
    """The rows of a table of the page: first cell -> the others."""
    table = page.partition(f'<h2 id="{heading}"')[2].partition("</table>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)]
    return {row[0]: row[1:] for row in rows}


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Thirty learners in two sections, of whom twelve are stuck on attention, and two on something rare."""
    at = tmp_path_factory.mktemp("public")
    learners = [learner(i, section="Smith's class" if i < 16 else "Jones") for i in range(30)]
    history = cohort(at / "h", *learners)
    for i in range(30):
        who = f"u{i:03}"
        hand_in(history, who, "tensors", "passed", 9)
        if i < 14:
            hand_in(
                history, who, "attention", "failed", 2, "mask_hides_self" if i < 12 else "heads_in_the_place_of_tokens"
            )
        elif i < 20:
            hand_in(history, who, "attention", "passed", 2)
        else:
            hand_in(history, who, "attention", "not_started", 2, text="stub")
        hand_in(history, who, "mlp", "failed" if i < 3 else "passed", 2)
    return history, public(history, at / "out"), at / "out"


def test_an_exercise_is_told_in_parts(told):
    rows = numbers_of(told[1], "exercises")
    assert rows["tensors"][1:4] == ["30", "0", "0"]
    assert rows["attention"][1:4] == ["6", "14", "10"]
    assert rows["mlp"][1:] == ["30 passed or at work", "in &#34;passed&#34;", "0", "not told"]
    assert rows["gpt"][1:4] == ["0", "0", "30"]


def test_rare_mistakes_and_frequent_ones_that_would_give_them_away_are_not_told(told):
    # Twelve of fourteen: the other two would be what is left
    assert "wrong" not in re.findall(r'<h2 id="(\w+)"', told[1])


def test_sections_go_by_pseudonyms_of_the_secret(told, tmp_path):
    rows = numbers_of(told[1], "sections")
    assert rows["tensors"] == ["16", "14", "-"]
    heads = rows["exercise"]
    assert [re.sub(r"^[0-9a-f]{10} ", "", head) for head in heads] == ["(16)", "(14)", "all others"]
    other = public(told[0], tmp_path / "out", secret=b"another secret of the lead")
    assert not set(heads[:2]) & set(
        next(row for name, row in numbers_of(other, "sections").items() if name == "exercise")
    )


def test_nothing_of_a_learner_is_in_any_file_of_the_public_report(told):
    history, _, out = told
    of_learners = {one.learner for one in accounts.accounts(history)}
    words = {text for one in of_learners for text in (one.name, one.id, one.repository, one.section)}
    words |= {account.page for account in accounts.accounts(history)} | {"x = [1.0]", "c0ffee", "git.example"}
    for path in out.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert [word for word in words if word.encode() in content] == [], path
    assert not (out / "learners").exists()
    assert not (out / "grid-data.js").exists()


def test_of_a_cohort_smaller_than_the_minimum_nothing_is_told(tmp_path):
    history = cohort(tmp_path / "h", *(learner(i) for i in range(4)))
    for i in range(4):
        hand_in(history, f"u{i:03}", "tensors", "passed", 9)
    page = public(history, tmp_path / "out")
    assert "The cohort has fewer than 5 learners" in page
    assert "<table" not in page


def test_a_private_law_and_a_stranger_s_words_are_not_told(tmp_path):
    history = cohort(tmp_path / "h", *(learner(i, section=NASTY[0], name=NASTY[i % len(NASTY)]) for i in range(6)))
    for i in range(6):
        hand_in(history, f"u{i:03}", "mlp", "failed", 9)
    history.execute("UPDATE records SET law = 'test_secret_of_the_lead', is_private = 1 WHERE status = 'failed'")
    history.execute("UPDATE gradings SET law = 'test_secret_of_the_lead'")
    page = public(history, tmp_path / "out")
    assert numbers_of(page, "exercises")["mlp"][1:4] == ["0", "6", "0"]
    assert "secret_of" not in page
    assert 'id="wrong"' not in page
    assert "onerror" not in page


def test_below_the_sandbox_the_public_report_says_so_and_not_of_how_many(tmp_path):
    history = cohort(tmp_path / "h", *(learner(i) for i in range(6)))
    for i in range(6):
        hand_in(history, f"u{i:03}", "mlp", "passed", 9, isolation="process" if i == 0 else "sandbox")
    page = public(history, tmp_path / "out")
    assert "Some verdicts were made below the sandbox" in page
    assert "1 verdict" not in page


def test_every_exercise_of_the_course_is_told_of(told):
    rows = numbers_of(told[1], "exercises")
    assert Counter(rows.keys() - {"exercise"}) == Counter(exercise.name for exercise in load_course().exercises)
