"""The report in a browser: axe-core finds nothing, no error, no request beyond its folder, from a phone to a desk.

It needs Debian's Chromium: `apt-get install -y chromium`.
"""

import datetime
import struct

import pytest
from cohort_screens import SCREENS, draw_screens
from readable import troubles, violations
from reported import NASTY, NOW, cohort, days_ago, hand_in, learner, written

from benchmarks.cohort_year import make_year
from graders.cohort.dashboard.public import write_public
from graders.cohort.history import record_visit

START = NOW.date() - datetime.timedelta(days=30)


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    """Reports: a cohort at work, the same for everybody, strangers' markup, and each empty state."""
    at = tmp_path_factory.mktemp("sites")
    busy, _ = written(make_year(at / "busy.sqlite3", 120, NOW, n_days=64), at / "busy")
    written(make_year(at / "few.sqlite3", 6, NOW, n_days=64), at / "few")  # to axe, a row is like another
    (at / "public").mkdir()
    write_public(busy.standings, at / "public", b"0123456789abcdef", 5, NOW)
    nasty = cohort(at / "nasty.sqlite3", *(learner(i, text, START, text) for i, text in enumerate(NASTY)))
    for i, text in enumerate(NASTY):
        for days in (4, 3, 2):
            told = (text, text, text * 500)
            hand_in(nasty, f"u{i:03}", "attention", "failed", days, told=told, isolation="process")
        record_visit(nasty, f"u{i:03}", days_ago(-0.1), problem=text * 20)
    written(nasty, at / "nasty")
    (at / "low").mkdir()
    write_public(written(nasty, at / "again")[0].standings, at / "low", b"0123456789abcdef", 5, NOW)
    written(cohort(at / "nobody.sqlite3"), at / "nobody")
    written(cohort(at / "ungraded.sqlite3", learner(1)), at / "ungraded")
    return at


def pages_of(site):
    """The pages of a report, and of the learners' the longest and the shortest."""
    learners = sorted((site / "learners").glob("*.html"), key=lambda path: path.stat().st_size)
    return [*sorted(site.glob("*.html")), *dict.fromkeys(learners[:1] + learners[-1:])]


@pytest.mark.parametrize("name", ["few", "public", "nasty", "low", "nobody", "ungraded"])
def test_a_page_is_readable_in_every_way_and_asks_for_nothing_else(browser, sites, name):
    for page in pages_of(sites / name):
        for width in (360, 1280):
            for dark in (False, True):
                browser.open(page, width, dark)
                where = f"{name}/{page.name} at {width}, {'dark' if dark else 'light'}"
                # Of text over a gradient axe says nothing
                browser.value("for (const box of document.querySelectorAll('.scrolled')) box.style.background = 'none'")
                if dark == (width == 1280):  # its rules are about colours and markup: each of both at one width
                    assert violations(browser) == [], where
                assert troubles(browser, width, (sites / name).as_uri()) == [], where
                scheme = browser.value("document.body.dataset.mdColorScheme")
                assert scheme == ("slate" if dark else "default"), where


def test_a_stranger_s_markup_runs_nowhere(browser, sites):
    for page in pages_of(sites / "nasty"):
        browser.open(page, 1280, False)
        assert browser.value("document.querySelectorAll('article :is(img, svg, b, iframe)').length") == 0
    browser.open(sites / "nasty" / "grid.html", 1280, False)
    names = set(browser.value("[...document.querySelectorAll('#grid th.name')].map((cell) => cell.textContent)"))
    assert "</script><img src=x onerror=alert(1)>" in names


def rows(browser):
    return browser.value("[...document.querySelectorAll('#grid tbody tr')].map((row) => row.cells[0].textContent)")


def choose(browser, name, value):
    browser.value(f"""(() => {{
      const field = document.getElementById("filters").elements[{name!r}];
      field.value = {value!r};
      field.dispatchEvent(new Event("input", {{ bubbles: true }}));
    }})()""")


def shown(browser):
    return browser.value("document.getElementById('shown').textContent")


def test_the_grid_is_filtered_by_name_section_status_exercise_and_need(browser, sites):
    browser.open(sites / "busy" / "grid.html", 1280, False)
    assert shown(browser) == "120 of 120 learners; rows 1 to 50."
    assert len(rows(browser)) == 50
    choose(browser, "section", "0")
    assert shown(browser) == "15 of 120 learners; rows 1 to 15."
    choose(browser, "exercise", "7")
    choose(browser, "status", "passed")
    statuses = "[...document.querySelectorAll('#grid tbody tr')].map((row) => row.cells[5 + 7].className)"
    assert set(browser.value(statuses)) == {"cell passed"}
    browser.value("document.querySelector('#filters [type=reset]').click()")
    assert browser.value(
        "new Promise((done) => setTimeout(() => done(document.getElementById('shown').textContent), 9))"
    ) == ("120 of 120 learners; rows 1 to 50.")
    choose(browser, "name", "U0007")
    assert len(rows(browser)) == 1
    choose(browser, "name", "nobody at all")
    assert shown(browser) == "None of 120 learners. Take a filter off, or press “Show all”."


def test_further_rows_are_reached_and_only_a_page_of_them_is_drawn(browser, sites):
    browser.open(sites / "busy" / "grid.html", 1280, False)
    seen = rows(browser)
    for _ in range(2):
        browser.value("document.getElementById('after').click()")
        seen += rows(browser)
    assert shown(browser) == "120 of 120 learners; rows 101 to 120."
    assert len(seen) == 120
    assert browser.value("document.getElementById('after').disabled")
    assert browser.value("document.querySelector('#grid tbody tr').getAttribute('aria-rowindex')") == "102"


def test_the_grid_is_sorted_by_keyboard_and_says_how(browser, sites):
    browser.open(sites / "busy" / "grid.html", 1280, False)
    sorted_by = (
        "[...document.querySelectorAll('#grid [aria-sort]')].map((h) => [h.textContent, h.getAttribute('aria-sort')])"
    )
    assert browser.value(sorted_by) == [["Needs", "descending"]]
    for _ in range(40):
        browser.press("Tab")
        if browser.value("document.activeElement.closest('th')?.textContent") == "Learner":
            break
    assert browser.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.press("Enter")
    assert browser.value(sorted_by) == [["Learner", "ascending"]]
    names = rows(browser)
    assert names == sorted(names, key=str.lower)
    browser.press("Enter")
    assert browser.value(sorted_by) == [["Learner", "descending"]]
    assert rows(browser) != names


def test_every_page_is_reached_by_keyboard_from_the_first(browser, sites):
    browser.open(sites / "busy" / "index.html", 360, False)
    reached = []
    for _ in range(20):
        browser.press("Tab")
        reached.append(browser.value("document.activeElement.getAttribute('href') ?? ''"))
    assert [href for href in reached if href in ("#content", "grid.html", "mistakes.html", "pace.html")] == [
        *("#content", "grid.html", "mistakes.html", "pace.html"),
    ]


def test_a_link_of_another_page_opens_the_grid_with_its_filter(browser, sites):
    browser.open(sites / "busy" / "index.html", 1280, False)
    browser.follow("document.querySelector('a[href=\"grid.html#need=any\"]')")
    assert browser.value("document.getElementById('filters').elements.need.value") == "any"
    n_in_need = browser.value("cohort.learners.filter((row) => row[5].length).length")
    assert shown(browser).startswith(f"{n_in_need} of 120 learners")


def test_the_learners_of_a_mistake_are_found_in_the_grid(browser, sites):
    browser.open(sites / "busy" / "mistakes.html", 1280, False)
    who = browser.value("[...document.querySelectorAll('.finding')].at(-1).querySelectorAll('.names li').length")
    browser.follow("[...document.querySelectorAll('.finding')].at(-1).querySelector('a[href*=\"#mistake=\"]')")
    assert len(rows(browser)) == who


def test_status_has_a_sign_and_a_word_and_never_colour_alone(browser, sites):
    browser.open(sites / "busy" / "grid.html", 1280, False)
    signs = """[...document.querySelectorAll("#grid td.cell")].map((cell) => [
      cell.className.split(" ")[1], cell.querySelector(".sign").textContent.split(" ")[0],
      cell.querySelector(".hidden").textContent.split(",")[0]].join(" "))"""
    assert set(browser.value(signs)) == {"passed ✓ passed", "failed ✗ failed", "not_started ○ not started"}


def test_reasons_of_one_kind_are_one_badge(browser, sites):
    browser.open(sites / "nasty" / "grid.html", 1280, False)
    browser.value("cohort.learners[0][5] = ['unreadable', 'stuck', 'unreadable', 'unreadable']; draw()")
    page = browser.value("cohort.learners[0][3]")
    badges = f"""[...document.querySelector("#grid a[href='learners/{page}.html']").closest("tr").querySelectorAll(
      ".kind")].map((badge) => badge.textContent)"""
    assert browser.value(badges) == ["unreadable \N{MULTIPLICATION SIGN}3", "stuck"]


def test_the_grid_sorts_names_with_their_numbers_as_numbers(browser, sites):
    browser.open(sites / "few" / "grid.html", 1280, False)
    browser.value("cohort.learners.forEach((row, i) => { row[0] = `Learner ${i * 5}`; row[4] = 0; }); draw()")
    expected = [f"Learner {n}" for n in (0, 5, 10, 15, 20, 25)]
    assert rows(browser) == expected
    browser.value("document.querySelector('#grid th.name button').click()")
    assert rows(browser) == expected


def test_on_a_phone_exercises_are_in_sight_and_a_shadow_says_that_there_are_more(browser, sites):
    browser.open(sites / "busy" / "grid.html", 360, False)
    first = "document.querySelector('#grid thead th.exercise').getBoundingClientRect().right"
    assert browser.value(first) <= 360 - 16
    layers = "getComputedStyle(document.querySelector('.scrolled')).backgroundAttachment"
    assert browser.value(layers) == "local, local, scroll, scroll"


def test_axe_would_find_what_is_wrong(browser, sites, tmp_path):
    page = tmp_path / "bad.html"
    text = (sites / "busy" / "index.html").read_text(encoding="utf-8")
    page.write_text(
        text.replace('<p class="made">', '<p class="made" style="color: #999"><img src="data:,">'), encoding="utf-8"
    )
    browser.open(page, 1280, False)
    found = {name.partition(":")[0] for name in violations(browser)}
    assert found >= {"serious color-contrast", "critical image-alt"}


def test_a_script_that_is_not_the_report_s_own_is_refused_by_the_browser(browser, sites, tmp_path):
    page = tmp_path / "forged.html"
    text = (sites / "busy" / "index.html").read_text(encoding="utf-8")
    page.write_text(
        text.replace("</h1>", "</h1><script>window.forged = 1</script><p onclick='window.forged = 1'>x</p>")
    )
    browser.open(page, 1280, False)
    browser.value("document.querySelector('[onclick]').click()")
    assert browser.value("window.forged ?? 0") == 0
    assert any("Content Security Policy" in said for said in browser.complaints())


def test_the_docs_show_these_pages(browser, tmp_path):
    """Drawn anew by `python tests/cohort_screens.py`: what a page looks like in detail differs between browsers."""
    draw_screens(browser, tmp_path)
    drawn, shown = ({path.name: sizes(path) for path in folder.glob("*.png")} for folder in (tmp_path, SCREENS))
    assert drawn == shown


def sizes(path):
    """The width and height that a PNG says it has."""
    return struct.unpack(">II", path.read_bytes()[16:24])
