"""The pages of `headstart see` in a browser: no error, no request, light and dark, from a phone to a desk, by keyboard.

They need Debian's Chromium: `apt-get install -y chromium`.
"""

from functools import partial

import pytest
from chromium import chromium
from seeing import PICTURES, WRONG, learner_with, see

from graders.weights import activations

NASTY = 'O </script><b>x &lt; "y"'
WAIT = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"  # until it is drawn
CONTRAST = """(() => {  // the smallest contrast (WCAG 2) of the texts with what they stand on
  const rgb = (colour) => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return rgb("Canvas");
  };
  const names = "h1, h2, h3, p, button, th, dt, dd, output, .share, .key span, td.token, .strip span";
  const texts = document.querySelectorAll(names);
  return Math.min(...[...texts].filter((node) => node.textContent.trim()).map((node) => {
    const pair = [light(rgb(getComputedStyle(node).color)), light(ground(node))].sort((a, b) => b - a);
    return (pair[0] + 0.05) / (pair[1] + 0.05);
  }));
})()"""

SHADES = """(() => {  // every shade that a cell may have, with a text on it
  const box = el("p", { class: "strip" });
  for (let i = -100; i <= 100; i++) {
    const colours = i < 0 ? [signed(i / 100)] : [signed(i / 100), shade(i / 100)];
    box.append(...colours.map((colour) => el("span", { class: "token", style: painted(colour) }, "text")));
  }
  document.getElementById("main").append(box);
})()"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Every picture of the reference and of a learner's wrong code, those partly drawn, and a text full of markup."""
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    for picture in PICTURES:
        file, old, new, _ = WRONG[picture]
        learner = learner_with(folder / f"wrong-{picture}", file, old, new)
        for name, subject in ((picture, "reference"), (f"{picture}, wrong", learner)):
            made[name] = folder / f"{name.replace(', ', '-')}.html"
            assert see(picture, subject, made[name]).exit_code == 0
    learner = learner_with(folder / "flat", "sampling", "return logits / temperature", "return logits * temperature")
    made["sampling, flat"] = folder / "sampling-flat.html"
    assert see("sampling", learner, made["sampling, flat"]).exit_code == 0
    places = {
        "attention": "    # 1. The position of each query",
        "sampling": "    # 1. Refuse to keep nothing",
    }
    for picture, place in places.items():
        learner = learner_with(folder / f"part-{picture}", picture, place, f"    raise NotImplementedError\n{place}")
        made[f"{picture}, partly"] = folder / f"part-{picture}.html"
        assert see(picture, learner, made[f"{picture}, partly"]).exit_code == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(activations.platformdirs, "user_cache_dir", lambda _app: str(folder / "cache"))
        for picture in ("attention", "gpt"):
            made[f"{picture}, markup"] = folder / f"markup-{picture}.html"
            assert see(picture, "reference", made[f"{picture}, markup"], "--text", NASTY).exit_code == 0
    return made


NAMES = [name for p in PICTURES for name in (p, f"{p}, wrong")]
NAMES += ["attention, partly", "sampling, partly", "attention, markup", "gpt, markup"]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_opens_without_an_error_and_asks_for_nothing(browser, pages, name):
    for width in (360, 768, 1280):
        for dark in (False, True):
            browser.open(pages[name], width, dark)
            browser.value(WAIT)
            assert browser.complaints() == []
            assert browser.requests() == [pages[name].as_uri()]
            # The page itself never scrolls sideways; a wide table does, in its own box
            assert browser.value("document.scrollingElement.scrollWidth") <= width
            assert browser.value("document.querySelectorAll('main section').length") >= 2
            ground = browser.value("getComputedStyle(document.body).backgroundColor")
            lightness = float(ground.split("(")[1].split()[0])  # of oklch
            assert lightness < 0.3 if dark else lightness > 0.9


@pytest.mark.parametrize("name", [*PICTURES, *(f"{p}, wrong" for p in PICTURES)])
def test_texts_can_be_read_in_light_and_dark(browser, pages, name):
    for dark in (False, True):
        browser.open(pages[name], 1280, dark)
        browser.value(WAIT)
        browser.value(SHADES)
        assert browser.value(CONTRAST) > 4.5  # what WCAG 2 asks for, level AA


def test_every_pattern_is_drawn_twice_and_what_is_wrong_is_framed(browser, pages):
    browser.open(pages["attention"], 1280, False)
    assert browser.value("document.querySelectorAll('.heads button').length") == 36
    assert browser.value("[...document.querySelectorAll('.map')].map((m) => m.querySelectorAll('g rect').length)") == [
        100,
        100,
    ]
    assert browser.value("document.querySelectorAll('.wrong').length") == 0
    browser.open(pages["attention, wrong"], 1280, False)
    assert browser.value("document.querySelectorAll('.heads .wrong').length") == 36
    framed = browser.value("[...document.querySelectorAll('.map')].map((m) => m.querySelectorAll('.wrong').length)")
    assert framed[0] > 50
    assert framed[1] == 0


def test_no_mark_lies_beside_its_bar(browser, pages):
    for name in ("sampling, flat", "gpt, wrong", "caching, wrong"):
        browser.open(pages[name], 360, False)
        browser.value(WAIT)
        beside = """[...document.querySelectorAll(".track i")].filter((mark) => {
          const [one, all] = [mark, mark.parentElement].map((node) => node.getBoundingClientRect());
          return one.left < all.left - 3 || one.right > all.right + 3;  // marks are 3 pixels wide
        }).length"""
        assert browser.value(beside) == 0


@pytest.mark.parametrize(
    ("picture", "key"), [("attention", "ArrowLeft"), ("block", "ArrowLeft"), ("caching", "ArrowUp")]
)
def test_a_picture_is_read_by_keyboard(browser, pages, picture, key):
    browser.open(pages[picture], 768, False)
    browser.value(WAIT)
    said = partial(browser.value, "[...document.querySelectorAll('output')].map((o) => o.textContent).join()")
    for _ in range(60):
        browser.press("Tab")
        if browser.value("document.activeElement.className") == "map":
            break
    before = said()
    browser.press(key)
    assert said() != before
    browser.press({"ArrowLeft": "ArrowRight", "ArrowUp": "ArrowDown"}[key])
    assert said() == before


def test_heads_are_picked_by_keyboard(browser, pages):
    browser.open(pages["attention"], 768, False)
    browser.value("document.querySelector('.heads button').click(); document.querySelector('.heads button').focus()")
    for key in ("ArrowRight", "ArrowDown", "ArrowDown"):
        browser.press(key)
    assert browser.value("document.querySelectorAll('h2')[1].textContent") == "Layer 2, head 1"
    assert browser.value("document.activeElement.getAttribute('aria-label')") == "layer 2, head 1"


def test_a_touch_tells_the_weight(browser, pages):
    browser.open(pages["attention"], 360, False)
    browser.value("document.querySelector('.heads button').click()")
    browser.value("document.querySelector('.map').scrollIntoView()")
    square = browser.value("""(() => {
      const box = document.querySelectorAll(".map g rect")[11].getBoundingClientRect();  // query 1, key 1
      return [box.x + box.width / 2, box.y + box.height / 2];
    })()""")
    browser.do("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": square[0], "y": square[1]}])
    browser.do("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    shown = browser.value("document.querySelector('.map').closest('section').querySelector('output').textContent")
    assert shown.startswith("Query ll at 1, key ll at 1: yours 0.")


def test_markup_in_a_text_is_text(browser, pages):
    for name in ("attention, markup", "gpt, markup"):
        browser.open(pages[name], 768, False)
        # All bold text is the page's own, told of what a pointer is over: a test before may have left one there
        assert browser.value("[...document.querySelectorAll('b')].every(bold => bold.closest('output'))")
        assert browser.value("document.querySelector('footer dd').textContent") == NASTY
        assert browser.complaints() == []


def test_a_page_that_fails_would_be_noticed(browser, tmp_path):
    path = tmp_path / "bad.html"
    path.write_text(
        '<body style="width: 900px"><script>console.error("no"); fetch("http://127.0.0.1:9/x"); oops()</script>'
    )
    browser.open(path, 360, False)
    assert len(browser.complaints()) >= 2
    assert "http://127.0.0.1:9/x" in browser.requests()
    assert browser.value("document.scrollingElement.scrollWidth") > 360


def test_without_a_browser_the_line_that_installs_it_is_said(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match="install it: apt-get install -y chromium"), chromium():
        pass
