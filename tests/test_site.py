"""`headstart site` and mkdocs make a site without a warning: every page has its place, its pictures and its tables."""

import json
import re
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser

import pytest
import yaml

from docs.all_pictures import DRAWN
from graders.engine.course import AFTERWARDS, ROOT, load_course

DOCS = ROOT / "docs"
SOLUTIONS = {f"solutions/{exercise.name}" for exercise in load_course().exercises}
PAGES = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if path.parent.name != "solutions"}
NAMES = {draw.__name__ for draw in DRAWN}
EXERCISES = load_course().exercises
TRACKS = list(dict.fromkeys(exercise.track for exercise in EXERCISES))


def run(*command) -> str:
    """What a command of Python's prints. Raises `AssertionError`, with all of it, when the command fails."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the whole site, built."""
    folder = tmp_path_factory.mktemp("site")
    run("graders.cli", "site")
    run("mkdocs", "build", "--strict", "--quiet", "--site-dir", folder)
    return folder


def in_nav(entries) -> list[str]:
    """The pages that a part of mkdocs's `nav` leads to, in order."""
    found = []
    for entry in entries:
        (target,) = entry.values()
        found += [target] if isinstance(target, str) else in_nav(target)
    return found


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


def test_every_page_is_in_the_nav_and_exercises_are_in_the_order_of_the_course():
    listed = in_nav(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
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
    """With its pictures and all that it needs before it can be read: half a megabyte."""
    page = site / "exercises" / exercise.name / "index.html"
    html = page.read_text(encoding="utf-8")
    needed = re.findall(r'<(?:script|img)[^>]* src="([^"]*)"|<link[^>]* href="([^"]*)" rel="stylesheet"', html)
    needed += [(href, "") for href in re.findall(r'<link rel="stylesheet" href="([^"]*)"', html)]
    files = {(page.parent / (one or other)).resolve() for one, other in needed}
    assert {file.suffix for file in files} == {".js", ".css", ".svg"}
    assert page.stat().st_size + sum(file.stat().st_size for file in files) < 500_000
    assert f'href="../../solutions/{exercise.name}/"' in html


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
    assert run("graders.cli", "site") == expected
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_what_no_page_has_any_more_is_removed_and_what_is_missing_is_made(site):
    made, old = ("pictures/lookup.svg", "solutions/mlp.md"), ("pictures/old.svg", "solutions/old.md")
    kept = [(DOCS / name).read_bytes() for name in made]
    for name, other in zip(made, old, strict=True):
        (DOCS / name).rename(DOCS / other)
    lines = [*(f"wrote docs/{name}" for name in made), *(f"removed docs/{name}" for name in old), "Next: mkdocs serve"]
    assert run("graders.cli", "site").splitlines() == lines
    assert [(DOCS / name).read_bytes() for name in made] == kept
