"""Every page of the course site in a browser: phone and desk, light and dark, by keyboard, on paper, without a network.

Each page is loaded once, on a phone in light colours, and then shown in the other three ways. With
HEADSTART_EVERY_WAY=1, as every night, it is loaded anew for each, and axe-core looks at all four.

It needs Debian's Chromium: `apt-get install -y chromium`.
"""

import os
import re
from base64 import b64decode
from html import unescape
from io import BytesIO

import pytest
from built import served_by_mkdocs
from pypdf import PdfReader
from readable import troubles, violations

from graders.engine.course import ROOT, load_course

DOCS = ROOT / "docs"
EXERCISES = [exercise.name for exercise in load_course().exercises]
WRITTEN = sorted(path.relative_to(DOCS) for path in DOCS.rglob("*.md") if path.parent.name != "solutions")
ADDRESSES = [re.sub(r"(^|/)index/$", r"\1", f"{page.with_suffix('').as_posix()}/") for page in WRITTEN]
ADDRESSES += [path.relative_to(DOCS).as_posix().removesuffix("index.html") for path in DOCS.rglob("*.html")]
ADDRESSES += [f"solutions/{exercise}/" for exercise in EXERCISES] + ["404.html"]
PHONE, DESK = 360, 1440
WAYS = [(PHONE, False), (DESK, True), (PHONE, True), (DESK, False)]  # axe-core looks at the first two
DRAWN = """new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
  const ending = document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < Infinity);
  Promise.allSettled(ending.map((one) => one.finished)).then(() => done(true));
})))"""
EVERY_WAY = os.environ.get("HEADSTART_EVERY_WAY") == "1"
PAPER = 711  # pixels: A4, 8.27 inches, without the margins of print.css
CUT = """[...document.querySelectorAll("article *")].filter((node) => {
  const box = node.getBoundingClientRect();
  const hidden = getComputedStyle(node).overflowX !== "visible" && node.scrollWidth > node.clientWidth + 1;
  return box.width > 1 && (hidden || box.right > window.innerWidth + 1);
}).map((node) => node.outerHTML.slice(0, 90))"""

BESIDE = """[".md-header", ".md-sidebar", ".md-footer", ".md-skip", ".headerlink"].filter((name) =>
  [...document.querySelectorAll(name)].some((node) => node.getClientRects().length))"""


@pytest.mark.parametrize("page", ADDRESSES)
def test_a_page_is_readable_in_every_way_and_asks_for_nothing_elsewhere(page, browser, address):
    for number, (width, dark) in enumerate(WAYS):
        where = f"{page or 'the first page'} at {width}, {'dark' if dark else 'light'}"
        if EVERY_WAY or number == 0:
            browser.open(address + page, width, dark)
            browser.value("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
        browser.show(width, dark)
        browser.value(DRAWN)
        assert browser.value("document.body.dataset.mdColorScheme") == ("slate" if dark else "default"), where
        assert troubles(browser, width, address) == [], where
        if EVERY_WAY or number < 2:
            assert [one for one in violations(browser) if one.startswith(("serious", "critical"))] == [], where


def test_no_page_is_left_out(site):
    built = {path.relative_to(site).as_posix().removesuffix("index.html") for path in site.rglob("*.html")}
    assert built == set(ADDRESSES)


def test_what_is_wrong_with_a_page_is_noticed(browser, site, tmp_path):
    page = tmp_path / "bad.html"
    bad = '<p style="color: #ccc">pale</p><img src="http://198.51.100.7/x.png"><p style="width: 999px">wide</p></body>'
    page.write_text((site / "404.html").read_text(encoding="utf-8").replace("</body>", bad), encoding="utf-8")
    browser.open(page, PHONE, dark=False)
    found = troubles(browser, PHONE, "file:")
    assert "asked for http://198.51.100.7/x.png" in found
    assert [one for one in found if one.endswith("pixels wide")] != []
    assert {"serious color-contrast", "critical image-alt"} <= {one.partition(":")[0] for one in violations(browser)}


def test_the_button_in_the_header_goes_from_the_system_s_colours_to_light_to_dark_and_back(browser, address):
    browser.open(address, DESK, dark=True)
    seen = []
    for _ in range(4):
        seen.append(browser.value("document.body.dataset.mdColorScheme"))
        browser.value("document.querySelector('[data-md-component=palette] label:not([hidden])').click()")
    assert seen == ["slate", "default", "slate", "slate"]
    browser.open(address, DESK, dark=True)
    assert browser.value("document.body.dataset.mdColorScheme") == "default"  # kept, on the next page too
    browser.value("localStorage.clear()")


def test_a_box_that_is_cut_at_the_edge_says_that_it_scrolls(browser, address):
    said = "[...document.querySelectorAll('article .scrolls')].map((b) => getComputedStyle(b, '::before').content)"
    browser.open(address + "exercises/attention/", PHONE, dark=False)
    found = browser.value(said)
    assert len(found) > 2
    assert {text.partition(" /")[0] for text in found} == {'"scroll \N{RIGHTWARDS ARROW}"'}
    picture = "document.querySelector('article p:has(> img)').matches('.scrolls')"
    assert browser.value(picture)
    browser.open(address + "exercises/attention/", DESK, dark=False)
    assert not browser.value(picture)


FOCUS = """(() => {
  const at = document.activeElement;
  const isMarked = (node) => getComputedStyle(node).outline.includes("solid 2px");
  const marked = isMarked(at) || (at.matches(".md-option") && isMarked(at.nextElementSibling));
  return [at.outerHTML.slice(0, 90), at.closest("article") !== null, marked];
})()"""


def test_the_keyboard_skips_to_the_text(browser, address):
    browser.open(address + "exercises/attention/", DESK, dark=False)
    browser.press("Tab")
    browser.value(DRAWN)
    at = "document.activeElement"
    assert browser.value(f"{at}.textContent.trim()") == "Skip to content"
    assert browser.value(f"getComputedStyle({at}).opacity") == "1"
    assert browser.value(f"{at}.getBoundingClientRect().top >= 0")
    browser.press("Enter")
    browser.press("Tab")
    assert browser.value(FOCUS)[1], "the first stop after that is in the text"


@pytest.mark.parametrize("dark", [False, True])
def test_the_keyboard_shows_where_it_is_at_every_stop_of_a_page(browser, address, dark):
    browser.open(address + "exercises/attention/", DESK, dark)
    stops = []
    for _ in range(200):
        browser.press("Tab")
        stop = browser.value(FOCUS)
        if stop[0].startswith("<body"):  # past the end
            break
        stops.append(stop)
    assert sum(in_text for _, in_text, _ in stops) > 20
    assert [html for html, _, is_marked in stops if not is_marked] == []


def found_for(browser, words: str) -> list[str]:
    """Type into the search; the addresses of what it finds."""
    browser.value("document.querySelector('[data-md-component=search-query]').focus()")
    browser.do("Input.insertText", text=words)
    said = "document.querySelector('.md-search-result__meta').textContent.trim()"
    browser.value(f"""new Promise((done) => {{
      const look = (left) => /^(\\d|No|One)/.test({said}) || !left ? done(1) : setTimeout(() => look(left - 1), 100);
      look(100);
    }})""")
    return browser.value("[...document.querySelectorAll('.md-search-result__link')].map((link) => link.href)")


def test_the_search_finds_a_task_and_no_solution(browser, address):
    browser.open(address, DESK, dark=False)
    found = [url.removeprefix(address).partition("?")[0] for url in found_for(browser, "causal mask")]
    assert "exercises/attention/" in found
    assert troubles(browser, DESK, address) == []
    browser.open(address, DESK, dark=False)
    found = [url.removeprefix(address) for url in found_for(browser, "soon forgotten")]
    assert found  # the end of the pages that lead to the solutions
    assert [url for url in found if url.startswith("solutions/")] == []


ON_PAPER = [f"exercises/{name}/" for name in EXERCISES] + [url for url in ADDRESSES if url.startswith("sessions/")]


@pytest.mark.parametrize("page", ON_PAPER)
def test_on_paper_a_page_has_its_text_and_nothing_is_cut(page, browser, address):
    browser.open(address + page, PAPER, dark=True)
    browser.show(PAPER, dark=True, on_paper=True)
    assert browser.value(CUT) == []
    assert browser.value(BESIDE) == []
    colours = "(({color, backgroundColor}) => [color, backgroundColor])(getComputedStyle(document.body))"
    assert browser.value(colours)[1] in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")


@pytest.mark.parametrize(
    ("page", "last"),
    [
        ("exercises/backprop/", "close it, then write your own."),
        ("sessions/5-the-whole-gpt/", "whoever starts from nothing"),
    ],
)
def test_a_lesson_and_a_facilitator_s_sheet_are_whole_as_pdf(page, last, browser, address, site):
    browser.open(address + page, DESK, dark=True)
    pdf = PdfReader(BytesIO(b64decode(browser.do("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)["data"])))
    printed = "".join("".join(sheet.extract_text() for sheet in pdf.pages).split())
    html = (site / page / "index.html").read_text(encoding="utf-8")
    drawings = "".join(re.findall(r"<pre>(?:<span></span>)?<code[^>]*>(.*?)</code>", html, re.DOTALL))
    title = re.search(r"<h1[^>]*>(.*?)</h1>", html)[1]
    wanted = ["".join(unescape(line).split()) for line in (title, *drawings.splitlines(), last)]
    assert [line for line in wanted if line not in printed] == []
    assert [name for name in ("Tableofcontents", "Forcohortleads", "Search") if name in printed] == []


def test_the_server_of_the_readme_shows_the_pages(browser, site):
    """The README's line, word for word but for the installation and for a port of its own."""
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    line = re.search(r"`([^`]*mkdocs serve)` draws the pictures", readme)[1]
    install, draw, serve = line.split(" && ")
    assert install == "pip install -e '.[docs]'"
    assert draw == "headstart site"  # which the site of these tests was made with
    assert serve == "mkdocs serve"
    with served_by_mkdocs() as own:
        browser.open(f"{own}exercises/attention/", DESK, dark=False)
        assert browser.value("document.querySelector('h1').textContent").startswith("Attention: each token")
        assert browser.value("[...document.images].filter((image) => !image.naturalWidth).length") == 0
        assert troubles(browser, DESK, own) == []
