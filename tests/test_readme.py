"""The README shows what a learner really sees, and links to what is there."""

import re

import pytest
from learners import grade

from graders.engine.course import ROOT, load_course, sections

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_failure_it_shows_is_the_one_that_is_printed():
    shown = README.split("```")[1].strip().splitlines()
    printed = grade("--subject", "misconception:attention/mask_hides_self").screens()["apply_causal_mask"]
    assert printed == shown


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page):
    made = r"(?:\.\./)?(?:pictures|solutions)/"  # by `headstart site`; a test of the site holds these
    targets = re.findall(rf"\]\((?!https?:|{made})([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_leads_and_authors_find_their_pages_from_the_first_page():
    first = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    wanted = {"cohort.md", "authors.md", "verdicts.md", "engine.md", "records.md"}
    assert wanted - set(re.findall(r"\]\(([\w/-]+\.md)\)", first)) == set()


def test_every_section_that_a_screen_names_is_on_its_page():
    missing = []
    for exercise in load_course().exercises:
        anchors = sections((ROOT / exercise.page).read_text(encoding="utf-8"))
        missing += [f"{exercise.page}#{task.page}" for task in exercise.tasks if task.page not in anchors]
    assert missing == []
