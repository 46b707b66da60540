"""`headstart site` and mkdocs make a site without a warning: every page has its place, its pictures and its tables."""

import json
import re
from base64 import b64decode
from html.parser import HTMLParser

import pytest
from built import pages_in_nav, python
from matplotlib.backends.backend_agg import FigureCanvasAgg

from benchmarks.site import compressed, needed, of_the_search, weight
from docs.all_pictures import DRAWN
from graders.engine.course import AFTERWARDS, ROOT, load_course

DOCS = ROOT / "docs"
SOLUTIONS = {f"solutions/{exercise.name}" for exercise in load_course().exercises}
PAGES = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if path.parent.name != "solutions"}
NAMES = {draw.__name__ for draw in DRAWN}
EXERCISES = load_course().exercises
TRACKS = list(dict.fromkeys(exercise.track for exercise in EXERCISES))


class OutsideCode(HTMLParser):
    """The text of a page that stands outside `code`, `pre`, `script` and `style`."""

    def __init__(self, html: str):
        super().__init__()
        self.depth, self.text = 0, ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.depth += tag in ("code", "pre", "script", "style")

    def handle_endtag(self, tag):
        self.depth -= tag in ("code", "pre", "script", "style")

    def handle_data(self, data):
        self.text += "" if self.depth else data


def test_every_picture_that_a_page_shows_is_drawn_and_every_one_drawn_is_shown():
    pages = [(DOCS / page).read_text(encoding="utf-8") for page in PAGES]
    assert {name for page in pages for name in re.findall(r"pictures/(\w+)\.svg\)", page)} == NAMES


@pytest.mark.parametrize("draw", DRAWN, ids=lambda draw: draw.__name__)
def test_nothing_of_a_picture_is_cut_off_at_its_edge(draw):
    drawn = draw()
    FigureCanvasAgg(drawn).draw()
    (left, bottom), (right, top) = drawn.get_tightbbox().get_points()
    width, height = drawn.get_size_inches()
    assert min(left, bottom, width - right, height - top) >= 0


def test_every_page_is_in_the_nav_and_exercises_are_in_the_order_of_the_course():
    listed = pages_in_nav()
    assert sorted(listed) == sorted(PAGES)
    assert [page for page in listed if page.startswith("exercises/")] == [f"exercises/{e.name}.md" for e in EXERCISES]
    assert [page for page in listed if page.startswith("tracks/")] == [f"tracks/{track}.md" for track in TRACKS]


@pytest.mark.parametrize("track", TRACKS)
def test_the_page_of_a_track_says_of_each_exercise_what_the_index_says(track):
    page = (DOCS / "tracks" / f"{track}.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-2]] for line in page.splitlines() if re.match(r"\| \d", line)]
    assert rows == [
        [
            *(str(number), f"[{e.name}](../exercises/{e.name}.md)", f"`exercises/{e.name}.py`"),
            *(str(e.session or AFTERWARDS), str(e.minutes), f"{e.difficulty} of 5"),
        ]
        for number, e in enumerate((e for e in EXERCISES if e.track == track), 1)
    ]


def test_the_site_has_every_page_and_every_picture(site):
    urls = {page.removesuffix("index.md").removesuffix(".md") for page in PAGES}
    assert {url for url in urls if not (site / url / "index.html").is_file()} == set()
    assert {path.stem for path in (site / "pictures").glob("*.svg")} == NAMES


def test_every_solution_has_a_page_that_is_marked_and_neither_in_the_menu_nor_in_the_search(site):
    pages = {path.parent.relative_to(site).as_posix(): path for path in (site / "solutions").rglob("index.html")}
    assert pages.keys() == SOLUTIONS
    found = {entry["location"] for entry in json.loads((site / "search" / "search_index.json").read_text())["docs"]}
    assert "exercises/attention/" in found
    assert {place for place in found if place.startswith("solutions/")} == set()
    for name, path in pages.items():
        assert "This is the solution of" in path.read_text(encoding="utf-8"), name
    home = (site / "index.html").read_text(encoding="utf-8")
    assert "exercises/attention/" in home
    assert "solutions/" not in home


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.name)
def test_the_page_of_an_exercise_is_small_and_leads_to_its_solution(exercise, site):
    """Half a megabyte with all that it needs to be shown; as a server sends it, with what the search fetches too."""
    page = site / "exercises" / exercise.name / "index.html"
    assert {file.suffix for file in needed(page)} == {".html", ".js", ".css", ".svg", ".png"}
    assert weight(needed(page)) < 500_000
    assert compressed(needed(page) | of_the_search(site)) < 500_000
    assert f'href="../../solutions/{exercise.name}/"' in page.read_text(encoding="utf-8")


def test_a_browser_fetches_what_a_page_is_said_to_need_and_the_search(site, address, browser):
    browser.open(address + "exercises/attention/", 1440, dark=False)
    fetched = {url.removeprefix(address) for url in browser.requests() if not url.startswith("data:")}
    page = "exercises/attention/"
    said = needed(site / page / "index.html") | of_the_search(site)
    names = {file.relative_to(site.resolve()).as_posix().removesuffix("index.html") for file in said}
    # The icon and the search come when the browser sees fit
    late = {name for name in names if name.startswith(("search/", "assets/images/", "assets/javascripts/workers/"))}
    assert names - late <= fetched <= names


def test_no_page_shows_a_backtick(site):
    """Markdown is not read inside `<details>`: what is code there has to be HTML."""
    found = {}
    for page in site.rglob("*.html"):
        shown = OutsideCode(page.read_text(encoding="utf-8")).text
        if "`" in shown:
            found[page.relative_to(site).as_posix()] = re.findall(r".*`.*", shown)
    assert found == {}


def test_the_page_of_a_session_is_printed_on_both_sides_of_one_sheet(site, browser):
    printed = {}
    for page in sorted((site / "sessions").glob("[1-9]*/index.html")):
        browser.open(page, 1000, dark=False)
        for paper, width, height in (("A4", 8.27, 11.69), ("letter", 8.5, 11.0)):
            pdf = b64decode(browser.do("Page.printToPDF", paperWidth=width, paperHeight=height)["data"])
            printed[page.parent.name, paper] = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert len(printed) == 2 * len(load_course().sessions)
    assert {sheet: sides for sheet, sides in printed.items() if sides != 2} == {}


def test_what_is_up_to_date_is_not_written_again(site):
    """A page that is being served is rebuilt whenever a file of `docs/` changes."""
    written = {path: path.stat().st_mtime_ns for path in DOCS.rglob("*") if path.suffix in (".svg", ".md")}
    expected = "nothing to write: all that is made is up to date\nNext: mkdocs serve\n"
    assert python("graders.cli", "site") == expected
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_what_no_page_has_any_more_is_removed_and_what_is_missing_is_made(site):
    made, old = ("pictures/lookup.svg", "solutions/mlp.md"), ("pictures/old.svg", "solutions/old.md")
    kept = [(DOCS / name).read_bytes() for name in made]
    for name, other in zip(made, old, strict=True):
        (DOCS / name).rename(DOCS / other)
    lines = [*(f"wrote docs/{name}" for name in made), *(f"removed docs/{name}" for name in old), "Next: mkdocs serve"]
    assert python("graders.cli", "site").splitlines() == lines
    assert [(DOCS / name).read_bytes() for name in made] == kept
