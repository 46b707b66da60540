"""`headstart site` and mkdocs make a site without a warning: every page has its place, its pictures and its tables."""

import re
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser

import pytest
import yaml
from chromium import chromium

from docs.all_pictures import DRAWN
from graders.engine.course import ROOT, load_course

DOCS = ROOT / "docs"
PAGES = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
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
            *(str(e.session), str(e.minutes), f"{e.difficulty} of 5"),
        ]
        for number, e in enumerate((e for e in EXERCISES if e.track == track), 1)
    ]


def test_the_site_has_every_page_and_every_picture(site):
    urls = {page.removesuffix("index.md").removesuffix(".md") for page in PAGES}
    assert {url for url in urls if not (site / url / "index.html").is_file()} == set()
    assert {path.stem for path in (site / "pictures").glob("*.svg")} == NAMES


def test_no_page_shows_a_backtick(site):
    """Markdown is not read inside `<details>`: what is code there has to be HTML."""
    found = {}
    for page in site.rglob("*.html"):
        shown = OutsideCode(page.read_text(encoding="utf-8")).text
        if "`" in shown:
            found[page.relative_to(site).as_posix()] = re.findall(r".*`.*", shown)
    assert found == {}


def test_the_page_of_a_session_is_printed_on_both_sides_of_one_sheet(site):
    printed = {}
    with chromium() as browser:
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
    expected = "nothing to write: every picture and table is up to date\nNext: mkdocs serve\n"
    assert run("graders.cli", "site") == expected
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_a_picture_that_no_page_has_any_more_is_removed_and_one_that_is_missing_is_drawn(site):
    kept = (DOCS / "pictures" / "lookup.svg").read_bytes()
    (DOCS / "pictures" / "lookup.svg").rename(DOCS / "pictures" / "old.svg")
    expected = "wrote docs/pictures/lookup.svg\nremoved docs/pictures/old.svg\nNext: mkdocs serve\n"
    assert run("graders.cli", "site") == expected
    assert (DOCS / "pictures" / "lookup.svg").read_bytes() == kept
