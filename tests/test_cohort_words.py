"""In what words the lead's pages tell of things, and in what order they name people."""

import datetime
import re

from reported import NOW, cohort, hand_in, learner, page_of, said, written

from graders.loop.specification import laws_in

START = NOW.date() - datetime.timedelta(days=10)


def test_how_many_can_never_be_behind_is_on_the_first_page(tmp_path):
    history = cohort(tmp_path / "h", learner(1, start=START), learner(2), learner(3))
    written(history, tmp_path / "some")
    assert (
        "2 learners have no start date in the roster: nothing is ever due for them, so they are never behind."
        in said(tmp_path / "some" / "index.html")
    )
    history.execute("UPDATE learners SET start = '2026-11-02'")
    written(history, tmp_path / "all")
    assert "no start date" not in said(tmp_path / "all" / "index.html")


def test_names_are_sorted_with_their_numbers_as_numbers(tmp_path):
    history = cohort(tmp_path / "h", *(learner(i, name=f"Learner {12 - i}") for i in range(1, 12)))
    for i in range(1, 12):
        hand_in(history, f"u{i:03}", "tensors", "failed", 8)
    written(history, tmp_path / "site")
    expected = [f"Learner {n}" for n in range(1, 12)]
    for name in ("index", "mistakes"):
        page = (tmp_path / "site" / f"{name}.html").read_text(encoding="utf-8")
        assert re.findall(r"<bdi>(Learner \d+)</bdi>", page) == expected, name


def test_a_timeline_says_what_was_wrong_in_the_course_s_words_and_names_a_private_law(tmp_path):
    history = cohort(tmp_path / "h", learner(1))
    hand_in(history, "u001", "softmax", "failed", 3)
    hand_in(history, "u001", "attention", "failed", 2, "mask_hides_self")
    hand_in(history, "u001", "mlp", "failed", 1)
    history.execute("UPDATE gradings SET law = 'test_ours' WHERE exercise = 'mlp'")
    written(history, tmp_path / "site")
    told = said(page_of(tmp_path / "site", history, "u001")).partition("Timeline")[2]
    assert " ".join(next(iter(laws_in("softmax").values()))[1].replace("`", "").split()) in told
    assert next(iter(laws_in("softmax"))) not in told
    assert "The mask hides the token itself: the diagonal is masked too." in told
    assert "test_ours" in told
