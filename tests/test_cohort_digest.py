"""The weekly digest: what is new, told once, whenever reports are made."""

import datetime

from reported import NASTY, NOW, cohort, days_ago, hand_in, learner, written

from graders.cohort.dashboard.digest import remember, since_last
from graders.cohort.history import open_history, record_visit
from graders.engine.misconception import misconceptions_of

HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)


def test_a_digest_tells_what_is_new_and_nothing_older(tmp_path):
    history = cohort(tmp_path / "h", *(learner(i) for i in (1, 2, 3)))
    hand_in(history, "u001", "tensors", "passed", 20)
    hand_in(history, "u001", "markov", "passed", 3)
    hand_in(history, "u001", "tensors", "failed", 2)
    hand_in(history, "u001", "tensors", "passed", 1)  # not for the first time
    for days in (12, 11, 5):
        hand_in(history, "u002", "attention", "failed", days, "mask_hides_self")
    for days in (12, 11, 10, 4):
        hand_in(history, "u003", "attention", "failed", days, "mask_hides_self")  # stuck before
    _, text = written(history, tmp_path / "site")
    pages = {path.stem for path in (tmp_path / "site" / "learners").iterdir()}
    for page in pages:
        text = text.replace(f"learners/{page}.html", "PAGE")
    assert text == (
        "# The cohort from 13 Nov 2026 to 20 Nov 2026\n"
        "\n"
        "## For you to do\n"
        "\n"
        "- 2 learners need you today: [who, and why](index.html)\n"
        "\n"
        "## Passed for the first time\n"
        "\n"
        "- `markov`: [Name001](PAGE)\n"
        "\n"
        "## Newly stuck\n"
        "\n"
        "- [Name002](PAGE): attention: the same failure 3 times in a row. The mask hides the token itself: the "
        "diagonal is masked too. Ask: Which keys may the query at position 0 look at?\n"
        "\n"
        "## Most frequent new misconceptions\n"
        "\n"
        "None was recognised.\n"
        "\n"
        "## New in the roster\n"
        "\n"
        "Nobody.\n"
    )


def test_what_only_the_lead_can_mend_is_told_in_every_digest_until_it_is_mended(tmp_path):
    history = cohort(tmp_path / "h", *(learner(i) for i in (1, 2, 3)))
    hand_in(history, "u001", "tensors", "passed", 20)
    record_visit(
        history, "u001", days_ago(-0.1), problem="the repository 'x' could not be fetched: there is no such folder"
    )
    hand_in(
        history, "u002", "mlp", "failed", 20, told=("", "exercises/mlp.py is a link; put the text itself there", "")
    )
    history.execute("UPDATE records SET kind = 'no_file', seed = NULL WHERE status = 'failed'")
    history.execute("UPDATE gradings SET status = 'problem' WHERE status = 'failed'")
    hand_in(history, "u003", "mlp", "error", 20)
    _, text = written(history, tmp_path / "site")
    told = text.partition("## For you to do")[2].partition("\n## ")[0].strip().splitlines()
    assert [line.partition("](")[0] for line in told] == [
        "- 1 verdict could not be made, since a grader itself stopped (mlp): no mistake of the learners. Run headstart "
        "cohort grade again once it is mended.",
        "- [Name001",
        "- [Name002",
        "- 3 learners need you today: [who, and why",
    ]
    assert [line.partition(".html): ")[2] for line in told[1:-1]] == [
        "The repository 'x' could not be fetched: there is no such folder. Ask them for access to it, or put its "
        "address right in the roster.",
        "exercises/mlp\\.py is a link; put the text itself there. Ask them to put it right.",
    ]


def test_a_mistake_that_somebody_did_not_make_before_is_new(tmp_path):
    history = cohort(tmp_path / "h", *(learner(i) for i in (1, 2, 3)))
    hand_in(history, "u001", "attention", "failed", 9, "mask_hides_self")
    for who in ("u001", "u002", "u003"):
        hand_in(history, who, "attention", "failed", 2, "heads_in_the_place_of_tokens")
    hand_in(history, "u001", "mlp", "passed", 1)
    _, text = written(history, tmp_path / "site")
    (line,) = [line for line in text.splitlines() if "3 learners" in line]
    assert line.endswith(
        "(`attention`, 3 learners) Ask: Which two axes of q does the matrix product see, and which two should it see?"
    )


def test_what_there_is_to_do_agrees_with_the_first_page(tmp_path):
    history = cohort(tmp_path / "h", learner(1), learner(2))
    hand_in(history, "u001", "tensors", "passed", 9)
    hand_in(history, "u002", "tensors", "passed", 1)
    made, text = written(history, tmp_path / "site")
    assert made.summary == "2 learners, 1 of whom needs you today"
    assert "## For you to do\n\n- 1 learner needs you today: [who, and why](index.html)\n\n## Passed" in text


def test_where_nobody_needs_the_lead_there_is_nothing_to_do(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    hand_in(history, "u001", "tensors", "passed", 1)
    assert "## For you to do\n\nNothing.\n\n" in written(history, tmp_path / "site")[1]


def test_beyond_three_new_mistakes_it_says_how_many_more_there_are(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    for exercise in ("tensors", "markov", "attention", "softmax", "mlp"):
        hand_in(history, "u001", exercise, "failed", 1, misconceptions_of(exercise)[0].id)
    _, text = written(history, tmp_path / "site")
    told = text.partition("## Most frequent new misconceptions\n\n")[2].partition("\n\n")[0].splitlines()
    assert len(told) == 4
    assert told[-1] == "- and 2 more, among [all mistakes](mistakes.html)"


def test_whoever_was_never_looked_at_before_is_new_in_the_roster(tmp_path):
    history = cohort(tmp_path / "h", learner(1), learner(2))
    history.execute("DELETE FROM visits WHERE learner = 'u002'")
    record_visit(history, "u002", days_ago(3))
    _, text = written(history, tmp_path / "site")
    assert "[Name002]" in text.partition("## New in the roster")[2]
    assert "[Name001]" not in text


def test_a_text_that_was_committed_before_the_last_digest_and_seen_after_it_is_told(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    hand_in(history, "u001", "tensors", "passed", 6)
    history.execute("UPDATE submissions SET committed_at = ?", (days_ago(8),))
    _, text = written(history, tmp_path / "site")
    assert "- `tensors`: [Name001]" in text


def test_a_stranger_s_words_are_no_markdown(tmp_path):
    history = cohort(tmp_path / "h", *(learner(i, name=text) for i, text in enumerate(NASTY)))
    for i in range(len(NASTY)):
        hand_in(history, f"u{i:03}", "tensors", "passed", 1)
    _, text = written(history, tmp_path / "site")
    assert "](javascript:" not in text
    assert "<" not in text
    assert "\x1b" not in text
    assert "**b**" not in text
    assert "@everyone" not in text


def test_without_an_earlier_report_a_digest_tells_of_a_week(tmp_path):
    history = open_history(tmp_path / "h")
    assert since_last(history, NOW) == NOW - 7 * DAY


def test_digests_leave_no_day_out_whether_reports_are_nightly_weekly_or_seldom(tmp_path):
    nightly, weekly, seldom = (open_history(tmp_path / name) for name in ("nightly", "weekly", "seldom"))
    for days in range(1, 20):
        remember(nightly, NOW - days * DAY)
    assert since_last(nightly, NOW) == NOW - 6 * DAY
    for days in (7, 14):
        remember(weekly, NOW - days * DAY + HOUR)  # a run that was an hour late last week
    assert since_last(weekly, NOW) == NOW - 7 * DAY + HOUR
    remember(seldom, NOW - 40 * DAY)
    assert since_last(seldom, NOW) == NOW - 40 * DAY


def test_a_report_that_is_made_twice_in_a_day_tells_the_same(tmp_path):
    history = open_history(tmp_path / "h")
    remember(history, NOW - 30 * DAY)
    before = since_last(history, NOW)
    remember(history, NOW)
    remember(history, NOW)
    assert since_last(history, NOW + HOUR) == before
