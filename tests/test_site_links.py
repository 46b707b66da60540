"""The site as MkDocs and as Zensical build it: links lead somewhere, nothing comes from elsewhere, all is there."""

import json

import pytest
from built import dead_ends, html_of, leads_nowhere, pages_in_nav, strangers, told

from graders.engine.course import ROOT, load_course

DOCS = ROOT / "docs"
EXERCISES = [exercise.name for exercise in load_course().exercises]


@pytest.fixture(params=["mkdocs", "zensical"])
def built(request):
    """The site as each of the two builds it."""
    return request.getfixturevalue({"mkdocs": "site", "zensical": "zensical_site"}[request.param])


def test_every_link_of_a_page_leads_somewhere(built):
    assert dead_ends(built) == []


def test_every_place_that_the_search_knows_is_there(built):
    """MkDocs and Zensical keep their indexes under different names."""
    (index,) = (path for path in (built / "search" / "search_index.json", built / "search.json") if path.is_file())
    known = json.loads(index.read_text(encoding="utf-8"))
    places = [entry["location"] for entry in known.get("docs") or known["items"]]
    assert len(places) > 100
    assert [place for place in places if leads_nowhere(built, built / "index.html", place)] == []


def test_nothing_is_loaded_from_another_host(built):
    assert strangers(built) == []


def test_no_page_has_a_diagram_that_the_theme_would_fetch_a_library_for(built):
    """Material's script knows an address of Mermaid's, and asks for it on a page with such a diagram."""
    assert [page for page in html_of(built) if 'class="mermaid"' in page.read_text(encoding="utf-8")] == []


def test_a_link_that_leads_nowhere_is_noticed(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "index.html").write_text(
        '<h1 id="here"><a href="../b/#there">1</a><a href="#here">2</a><a href="../c/">3</a><img src="x.svg">'
    )
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "index.html").write_text('<a href="/a/#here">1</a><a href="https://example.org/none">2</a>')
    assert dead_ends(tmp_path) == [
        "a/index.html: ../b/#there is no place on that page",
        "a/index.html: ../c/ is not there",
        "a/index.html: x.svg is not there",
    ]


def test_what_is_loaded_from_another_host_is_noticed(tmp_path):
    (tmp_path / "a.html").write_text(
        '<link rel="stylesheet" href="//cdn.example.org/a.css"><a href="https://example.org/">a plain link</a>'
        '<p style="background: url(https://example.org/b.png)"><script>import("https://example.org/c.js")</script>'
    )
    (tmp_path / "d.css").write_text('@import "https://example.org/d.css"; @font-face { src: url(local.woff2) }')
    (tmp_path / "e.js").write_text('fetch("https://example.org/e.json"); const plain = "https://example.org/"')
    assert strangers(tmp_path) == [
        "a.html: //cdn.example.org/a.css",
        "a.html: https://example.org/b.png",
        "a.html: https://example.org/c.js",
        "d.css: https://example.org/d.css",
        "e.js: https://example.org/e.json",
    ]


def test_zensical_has_every_page_of_the_menu_and_every_solution(zensical_site):
    pages = [page.removesuffix("index.md").removesuffix(".md") for page in pages_in_nav()]
    pages += [f"solutions/{name}" for name in EXERCISES]
    assert [page for page in pages if not (zensical_site / page / "index.html").is_file()] == []
    home = {link.removeprefix("./") for link in told(zensical_site / "index.html").links}
    assert [page for page in pages[1:] if (f"{page.rstrip('/')}/" in home) == page.startswith("solutions/")] == []


def test_zensical_has_every_picture_and_no_source(site, zensical_site):
    pictures = {path.relative_to(site) for path in site.rglob("*") if path.suffix in (".svg", ".png")}
    assert {path for path in pictures if path.parts[0] != "assets" and not (zensical_site / path).is_file()} == set()
    assert list(zensical_site.rglob("*.py")) == []


def test_zensical_has_the_same_folds_and_pictures_on_every_page(site, zensical_site):
    def shown(folder):
        pages = {page.relative_to(folder).as_posix(): told(page) for page in html_of(folder)}
        return {
            name: (page.folds, sorted(load for load in page.loads if "pictures/" in load))
            for name, page in pages.items()
        }

    assert shown(zensical_site) == shown(site)


def test_zensical_marks_the_solutions_and_keeps_them_out_of_the_search(zensical_site):
    for name in EXERCISES:
        page = zensical_site / "solutions" / name / "index.html"
        assert f'This is the solution of <a href="../../exercises/{name}/">' in page.read_text(encoding="utf-8")
    index = json.loads((zensical_site / "search.json").read_text(encoding="utf-8"))
    found = {entry["location"].partition("#")[0] for entry in index["items"]}
    assert {f"exercises/{name}/" for name in EXERCISES} <= found
    assert [place for place in found if place.startswith("solutions/")] == []
