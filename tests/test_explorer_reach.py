"""Who reaches the Explorer, and how: phone and desk, light and dark, keyboard, servers; what it says when it cannot.

It needs Debian's Chromium: `apt-get install -y chromium`.
"""

import shutil

import pytest
from built import served, served_by_mkdocs
from explorer_site import SUB_PATH, open_explorer, texts, type_text
from readable import troubles, violations

LONG = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak. 日本\n"
NOTHING = "Nothing to show here: the line at the top of the page says why, and what to do."


@pytest.fixture(scope="module")
def page(browser, explorer):
    """A browser at the page, on a desk, in light colours."""
    open_explorer(browser, explorer)
    return browser


def test_the_page_asks_for_nothing_elsewhere_and_complains_of_nothing(page, explorer):
    assert troubles(page, 1440, explorer.removesuffix("explorer/")) == []
    assert f"{explorer}worker.js" in page.requests()
    status = "Shakespeare, the model that comes with the course: 6 layers, 6 heads, width 192, 1,024 tokens in its "
    assert texts(page, "#explorer-status") == [f"{status}vocabulary, 256 in a text."]


def test_no_other_page_loads_any_of_it(browser, explorer, page):
    html = page.value(f"fetch('{explorer}..').then((answer) => answer.text())")
    assert "A lesson" in html
    assert "explorer.js" not in html
    assert "explorer.css" not in html


def test_on_a_desk_the_buttons_of_writing_stand_in_one_line(page):
    page.show(1440, dark=False)
    tops = "[...document.querySelectorAll('#explorer-writing button')].map((b) => b.getBoundingClientRect().top)"
    assert len(page.value(tops)) == 4
    assert len(set(page.value(tops))) == 1


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_is_readable_on_a_phone_and_a_desk_in_light_and_dark(page, explorer, width, dark):
    page.show(width, dark)
    type_text(page, LONG)
    assert page.value("document.body.dataset.mdColorScheme") == ("slate" if dark else "default")
    page.value("Promise.all(document.getAnimations().map((one) => one.finished)).then(() => 1)")
    assert violations(page) == []
    assert troubles(page, width, explorer.removesuffix("explorer/")) == []


def test_a_grid_that_is_wider_than_a_phone_is_scrolled_by_its_own_keys(page):
    page.show(360, dark=False)
    type_text(page, LONG)
    grid = "document.querySelector('#explorer-residual .grid')"
    assert page.value(f"{grid}.scrollWidth > {grid}.clientWidth")
    page.value(f"{grid}.focus()")
    for _ in range(40):
        page.press("ArrowRight")
    assert page.value(f"{grid}.scrollLeft") > 0
    inside = page.value(f"""(() => {{
      const [one, all] = [{grid}.querySelector(".cursor"), {grid}].map((node) => node.getBoundingClientRect());
      return one.left >= all.left && one.right <= all.right + 1;
    }})()""")
    assert inside


def test_the_keyboard_alone_reaches_every_control_and_shows_where_it_is(page):
    page.show(1440, dark=False)
    type_text(page, LONG)
    page.value("""(() => {
      const label = (node) => node.closest("label")?.textContent ?? node.labels?.[0]?.textContent;
      window.nameOf = (node) => node.closest("fieldset")?.firstChild.textContent ?? node.ariaLabel ?? label(node)
        ?? node.textContent;
      const controls = document.querySelectorAll(".explorer :is(button, input, textarea, [tabindex])");
      window.wanted = [...new Set([...controls].filter((node) => !node.disabled).map(nameOf))];
      document.querySelector("h1").tabIndex = -1;
      document.querySelector("h1").focus();
    })()""")
    wanted, reached, unseen = page.value("wanted"), set(), []
    for _ in range(90):
        page.press("Tab")
        if page.value("document.activeElement.closest('.explorer') !== null"):
            reached.add(page.value("nameOf(document.activeElement)"))
            outline = """(() => {
              const at = document.activeElement;
              const shown = [at, at.closest("label") ?? at].map((node) => getComputedStyle(node).outlineStyle);
              return shown.some((style) => style !== "none");
            })()"""
            if not page.value(outline):
                unseen.append(page.value("nameOf(document.activeElement)"))
    assert len(wanted) > 20
    assert [name for name in wanted if name not in reached] == []
    assert unseen == []


def test_without_javascript_it_says_so_in_one_sentence(browser, explorer):
    browser.do("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(explorer, 1440, dark=False)
    said = browser.value("document.querySelector('noscript p').textContent")
    is_shown = browser.value("document.querySelector('noscript p').getClientRects().length")
    browser.do("Emulation.setScriptExecutionDisabled", value=False)
    assert said == "The explorer runs in your browser and needs JavaScript, which is switched off."
    assert is_shown == 1


def test_until_the_model_has_come_each_panel_says_that_it_is_loading(browser, explorer):
    never = "window.fetch = () => new Promise(() => {})"
    script = browser.do("Page.addScriptToEvaluateOnNewDocument", source=never)["identifier"]
    browser.open(explorer, 1440, dark=False)
    browser.do("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    assert texts(browser, "div.explorer") == ["The model is loading ..."] * 6


def test_without_a_model_or_a_server_it_says_what_to_do(browser, explorer_folder, tmp_path):
    shutil.copytree(explorer_folder / "root" / SUB_PATH, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "explorer" / "model")
    with served(tmp_path) as url:
        missing = open_explorer(browser, f"{url}explorer/")
        said = open_explorer(browser, tmp_path / "explorer" / "index.html")
        assert texts(browser, "div.explorer") == [NOTHING] * 6
    assert missing == "There is no model here yet: run headstart site, then load this page again."
    assert said == "The explorer needs a web server: run mkdocs serve, and open the page there."
    assert browser.complaints() == []


@pytest.mark.parametrize("spoilt", ["model.onnx", "tokenizer.json", "about.json"])
def test_a_spoilt_file_is_told_and_not_waited_for(browser, explorer_folder, tmp_path, spoilt):
    shutil.copytree(explorer_folder / "root" / SUB_PATH, tmp_path, dirs_exist_ok=True)
    (tmp_path / "explorer" / "model" / spoilt).write_bytes(b"{")
    with served(tmp_path) as url:
        told = open_explorer(browser, f"{url}explorer/")
    assert told.startswith("The model could not be started: ")
    assert told.endswith("run headstart site, then load this page again.")


def test_the_server_of_mkdocs_shows_it(browser, explorer_folder):
    with served_by_mkdocs("--no-livereload", "--config-file", explorer_folder / "mkdocs.yml") as url:
        assert open_explorer(browser, f"{url}{SUB_PATH}/explorer/").startswith("Shakespeare")
        runtime = "fetch('ort-wasm-simd-threaded.wasm').then((answer) => answer.headers.get('content-type'))"
        assert browser.value(runtime) == "application/wasm"
        assert browser.complaints() == []
