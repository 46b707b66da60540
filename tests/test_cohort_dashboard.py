"""What the lead's pages say: what goes wrong, how everybody stands, what to mend first; and nobody's markup."""

import datetime
import json
import re

import pytest
from reported import NASTY, NOW, cohort, days_ago, hand_in, learner, page_of, said, written

from graders.cohort.dashboard import folder
from graders.cohort.history import record_visit
from graders.engine.course import load_course
from graders.engine.kinds import KINDS
from graders.loop.specification import laws_in

START = NOW.date() - datetime.timedelta(days=10)


def grid_of(site):
    text = (site / "grid-data.js").read_text(encoding="utf-8")
    return json.loads(text.removeprefix("const cohort = ").removesuffix(";\n"))


def test_a_grader_that_stopped_is_no_mistake_of_a_learner(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    hand_in(history, "u001", "tensors", "passed", 1)
    for days in (4, 3, 2):
        hand_in(history, "u001", "attention", "error", days)
    written(history, tmp_path / "site")
    assert "1 verdict could not be made, since a grader itself stopped (attention)" in said(
        tmp_path / "site/index.html"
    )
    assert "No law is broken." in said(tmp_path / "site/mistakes.html")


def test_why_a_file_was_not_taken_is_on_the_learner_s_page_and_is_no_broken_law(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    hand_in(history, "u001", "mlp", "failed", 1, told=("", "exercises/mlp.py is a link", ""))
    history.execute("UPDATE records SET kind = 'no_file' WHERE status = 'failed'")
    history.execute("UPDATE gradings SET status = 'problem'")
    written(history, tmp_path / "site")
    page = said(page_of(tmp_path / "site", history, "u001"))
    assert "What happened exercises/mlp.py is a link." in page
    assert "The file was not there" not in page
    assert "No law is broken." in said(tmp_path / "site/mistakes.html")


def test_a_file_that_python_cannot_read_is_a_finding_of_its_own_and_breaks_no_law(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    hand_in(history, "u001", "mlp", "failed", 1, told=("", "", ""))
    history.execute("UPDATE records SET kind = 'parse' WHERE status = 'failed'")
    written(history, tmp_path / "site")
    (first, *_), mistakes = laws_in("mlp").values(), said(tmp_path / "site/mistakes.html")
    assert KINDS["parse"].happened in mistakes
    assert first[1] not in mistakes


def test_a_sandbox_without_a_bound_on_all_memory_is_told_until_a_run_has_one(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    hand_in(history, "u001", "mlp", "passed", 1)
    history.execute(
        "INSERT INTO probes VALUES (?, 'bubblewrap; no bound for all together', 'run it as root')", (days_ago(2),)
    )
    written(history, tmp_path / "weak")
    told = "not bounded as it can be (bubblewrap; no bound for all together): run it as root."
    assert told in said(tmp_path / "weak/index.html")
    history.execute("INSERT INTO probes VALUES (?, 'bubblewrap; control groups', '')", (days_ago(1),))
    written(history, tmp_path / "strong")
    assert "not bounded" not in said(tmp_path / "strong/index.html")


@pytest.fixture(scope="module")
def some(tmp_path_factory):
    """Three learners with one mistake in common, and their report."""
    at = tmp_path_factory.mktemp("some")
    history = cohort(at / "h", *(learner(i, section="Mon" if i < 3 else "Tue", start=START) for i in (1, 2, 3)))
    for who, told in (
        ("u001", ("x = [1.0, 2.0]", "[2.0]", "[3.0]")),
        ("u002", ("x = [1.0]", "[2.0]", "[3.0]")),
    ):
        hand_in(history, who, "attention", "failed", 2, "mask_hides_self", told=told)
    hand_in(history, "u003", "attention", "not_started", 9, text="stub")
    hand_in(history, "u003", "tensors", "failed", 6)
    hand_in(history, "u003", "tensors", "passed", 2)
    hand_in(history, "u003", "mlp", "failed", 1, isolation="process")
    made, digest = written(history, at / "site")
    return history, at / "site", made, digest


def test_a_mistake_has_everybody_who_makes_it_and_the_smallest_example(some):
    page = said(some[1] / "mistakes.html")
    mistake = page[page.index("The mask hides") :]
    assert "2 learners · attention · apply_causal_mask · mask_hides_self" in mistake
    assert "Smallest example x = [1.0] theirs [2.0] expected [3.0]" in mistake.partition("Who:")[0]
    assert "Who: 2 learners Name001 Name002" in mistake


def test_the_grid_has_status_attempts_and_days_of_every_exercise(some):
    grid = grid_of(some[1])
    names = [name for name, *_ in grid["statuses"]]
    row = next(row for row in grid["learners"] if row[1] == "u003")
    cells = {e: (names[c[0]], *c[1:]) for e, c in zip(grid["exercises"], row[8], strict=True)}
    assert cells["tensors"] == ("passed", 2, 2)
    assert cells["attention"] == ("not_started", 0, None)
    assert cells["mlp"] == ("failed", 1, 1)
    assert cells["gpt"] == ("missing", 0, None)
    assert grid["sections"] == ["Mon", "Tue"]


def test_a_learner_s_page_says_their_newest_failure_as_their_screen_does(some):
    page = said(page_of(some[1], some[0], "u001"))
    assert "attention · apply_causal_mask" in page
    assert "1 broken" in page
    assert "What this looks like The mask hides the token itself: the diagonal is masked too." in page
    assert "Think about Which keys may the query at position 0 look at?" in page


def test_a_learner_s_page_says_every_failing_task_with_the_counts_of_that_task(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    hand_in(history, "u001", "mlp", "failed", 5)
    hand_in(history, "u001", "attention", "failed", 1, "mask_hides_self")
    laws = [(law, task) for law, (task, _) in laws_in("attention").items()]
    history.execute(
        "UPDATE records SET status = 'failed', kind = 'values', counterexample = 'q = [0.1]', yours = '[4.0]', "
        "expected = '[5.0]', seed = 2 WHERE law = ?", laws[0][:1]
    )  # fmt: skip
    history.execute("UPDATE records SET status = 'skipped' WHERE task = ? AND status = 'passed'", laws[0][1:])
    written(history, tmp_path / "site")
    page = said(page_of(tmp_path / "site", history, "u001"))
    of_attention, of_mlp = page.partition("attention, handed in yesterday:")[2].split("mlp, handed in 5 days ago")
    n = {name: sum(task == name for _, task in laws) for _, name in laws}
    first, second = of_attention.split(f"attention · {laws[0][1]} ")[1].split("attention · apply_causal_mask ")
    assert first.startswith(f"0 laws hold, 1 broken, {n[laws[0][1]] - 1} wait for it What is asked ")
    assert f"Law {laws[0][0]} Smallest example q = [0.1] yours [4.0] expected [5.0] " in first
    assert second.startswith(f"{n['apply_causal_mask'] - 1} laws hold, 1 broken What is asked ")
    assert "What this looks like The mask hides the token itself" in second
    assert of_mlp.startswith(": 1 broken law mlp · ")


def test_of_a_file_that_cannot_be_read_no_task_is_blamed(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    hand_in(history, "u001", "mlp", "failed", 1, told=("", "", ""))
    history.execute("UPDATE records SET kind = 'parse', seed = NULL WHERE status = 'failed'")
    written(history, tmp_path / "site")
    page = said(page_of(tmp_path / "site", history, "u001"))
    assert f"mlp, handed in yesterday: mlp What happened {KINDS['parse'].happened}" in page
    assert "What is asked" not in page


def test_what_is_not_graded_yet_is_no_attempt(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    hand_in(history, "u001", "mlp", "failed", 2)
    record_visit(history, "u001", days_ago(1), hashes={"mlp": "mended", "block": "on top of that"})
    written(history, tmp_path / "site")
    grid = grid_of(tmp_path / "site")
    names = [name for name, *_ in grid["statuses"]]
    (row,) = grid["learners"]
    cells = {e: (names[c[0]], c[1]) for e, c in zip(grid["exercises"], row[8], strict=True)}
    assert (cells["mlp"], cells["block"]) == (("waiting", 1), ("waiting", 0))


def test_the_pace_is_from_the_first_try_to_the_first_pass_and_against_the_plan(some):
    page = said(some[1] / "pace.html")
    assert "tensors 1 45 min 1 1 2 4 days 4 days 0 of 3" in page


def test_the_level_of_isolation_is_on_every_page_and_red_below_the_sandbox(some):
    history, site, made, _ = some
    assert made.n_low == 1
    for name in ("index", "grid", "mistakes", "pace"):
        assert "Isolation: process. 1 verdict on this page was made below the sandbox" in said(site / f"{name}.html")
        assert 'class="isolation low"' in (site / f"{name}.html").read_text()
    assert "Isolation: sandbox, for every verdict on this page." in said(page_of(site, history, "u001"))
    assert "Isolation: process." in said(page_of(site, history, "u003"))


def test_the_example_of_a_private_law_is_marked_as_one(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    hand_in(history, "u001", "mlp", "failed", 1)
    history.execute("UPDATE records SET is_private = 1 WHERE status = 'failed'")
    written(history, tmp_path / "site")
    expected = "This is one of your private laws: the learner is told its task and its first sentence, and nothing else"
    assert expected in said(page_of(tmp_path / "site", history, "u001"))


def test_an_empty_roster_says_what_to_do(tmp_path):
    written(cohort(tmp_path / "h"), tmp_path / "site")
    assert "Nobody is in the roster yet. Write" in said(tmp_path / "site" / "index.html")
    assert "Isolation: no verdict yet." in said(tmp_path / "site" / "index.html")


def test_a_roster_of_which_nothing_is_graded_says_what_to_do(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    written(history, tmp_path / "site")
    assert "Nothing is graded yet. Run" in said(tmp_path / "site" / "index.html")
    assert "Nothing was handed in yet" in said(page_of(tmp_path / "site", history, "u001"))


def test_a_cohort_that_has_passed_everything_is_told_so(tmp_path):
    history = cohort(tmp_path / "h", learner(1, start=START))
    for exercise in load_course().exercises:
        hand_in(history, "u001", exercise.name, "passed", 9)
    written(history, tmp_path / "site")
    assert "Everybody has passed every exercise." in said(tmp_path / "site" / "index.html")
    assert "Every exercise is passed." in said(page_of(tmp_path / "site", history, "u001"))


def test_whoever_left_the_roster_is_on_no_page(tmp_path):
    history = cohort(tmp_path / "h", learner(1), learner(2), learner(3))
    hand_in(history, "u002", "mlp", "failed", 1)
    hand_in(history, "u003", "mlp", "failed", 1)
    history.execute("UPDATE learners SET is_active = 0 WHERE id = 'u002'")
    written(history, tmp_path / "site")
    pages = [
        path.read_text(encoding="utf-8") for path in (tmp_path / "site").rglob("*") if path.suffix in (".html", ".js")
    ]
    assert not any("Name002" in page for page in pages)
    assert [row[0] for row in grid_of(tmp_path / "site")["learners"]] == ["Name001", "Name003"]
    assert "1 of 1" not in said(page_of(tmp_path / "site", history, "u001"))


def test_markup_of_a_stranger_is_text_everywhere(tmp_path):
    history = cohort(tmp_path / "h", *(learner(i, section=text, name=text) for i, text in enumerate(NASTY)))
    for i, text in enumerate(NASTY):
        for days in (4, 3, 2):
            hand_in(history, f"u{i:03}", "attention", "failed", days, told=(text, text, text * 1000))
        record_visit(history, f"u{i:03}", days_ago(-0.1), problem=text)
    written(history, tmp_path / "site")
    own = {"__config"}
    for path in (tmp_path / "site").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        content = text.partition('<h1 id="content"')[2]
        assert not re.search(r"<(img|b|svg onload)\b", content), path
        assert "HEADSTARTTITLE" not in text.replace("HEADSTARTCONTENT HEADSTARTTITLE", "")
        assert set(re.findall(r'<script id="(\w+)"', text)) == own
        assert "javascript:" not in re.findall(r'href="([^"]*)"', content)
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]", text), path
        assert len(content) < 60_000
    data = (tmp_path / "site" / "grid-data.js").read_text(encoding="utf-8")
    assert "<" not in data
    assert data.isascii()
    assert data.count("\n") == 1


def test_a_page_s_file_is_never_named_after_an_id(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    written(history, tmp_path / "site")
    (name,) = [path.name for path in (tmp_path / "site" / "learners").iterdir()]
    assert re.fullmatch(r"[0-9a-f]{16}\.html", name)


def test_a_report_replaces_a_report_and_nothing_else(tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    assert folder.is_ours(mine)
    (mine / "thesis.txt").write_text("years of work")
    assert not folder.is_ours(mine)
    out = tmp_path / "out"
    with folder.replaced(out) as fresh:
        (fresh / "old.html").write_text("")
    assert folder.is_ours(out)
    with folder.replaced(out) as fresh:
        (fresh / "index.html").write_text("")
    assert sorted(path.name for path in out.iterdir()) == [folder.MARK, "index.html"]
    with pytest.raises(RuntimeError), folder.replaced(out):
        raise RuntimeError
    assert sorted(path.name for path in out.iterdir()) == [folder.MARK, "index.html"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out"]
