"""What the Explorer writes is what the reference writes, with its cache and without, and past the end of the window.

It needs Debian's Chromium: `apt-get install -y chromium`.
"""

import re

import pytest
import torch
from explorer_site import STILL, TOKENIZER, drawn, ids, inert, open_explorer, press, seen, slide, texts, type_text

from graders.weights.checkpoint import load_checkpoint
from reference.caching import generate_cached
from reference.sampling import SamplingOptions

pytestmark = pytest.mark.usefixtures("in_float64_without_gradients")

TEXT = "All:\nSpeak, speak."
GREEDY = SamplingOptions(temperature=0.0)
WRITTEN = """new Promise((done) => {
  const all = (kind) => [...document.querySelectorAll(`#explorer-writing ${kind}`)];
  const look = () => all("button").some((button) => button.textContent === "Stop")
    ? setTimeout(look, 10) : done(all(".written")[0].textContent);
  look();
})"""


@pytest.fixture(scope="module")
def page(browser, explorer):
    """A browser at the page, on a desk, in light colours."""
    open_explorer(browser, explorer)
    return browser


@pytest.fixture
def sliders(page):
    """Move sliders of the next token's panel; they are put back."""
    first = {"Temperature": 1, "Top-k": 51, "Top-p": 1}
    yield lambda **values: [slide(page, "next", name.replace("_", "-"), value) for name, value in values.items()]
    for name, value in first.items():
        slide(page, "next", name, value)


def write(page, n: int, cache: bool) -> str:
    """Write so many tokens; the text so far."""
    page.value(f"document.querySelectorAll('#explorer-writing input')[{0 if cache else 1}].click()")
    text = ""
    for _ in range(n):
        press(page, "writing", "Write one token")
        text = page.value(WRITTEN)
    return text


def test_greedy_writing_is_the_reference_s_with_the_cache_and_without(page, embedded_gpt, sliders):
    type_text(page, TEXT)
    sliders(Temperature=0)
    expected = TOKENIZER.decode(generate_cached(embedded_gpt, torch.tensor([ids(TEXT)]), 9, GREEDY, None)[0].tolist())
    assert write(page, 9, cache=True) == expected
    assert texts(page, "#explorer-writing [role=status]")[0].startswith("Read 1 token in ")
    press(page, "writing", "Begin again")
    assert write(page, 9, cache=False) == expected
    n = len(ids(TEXT)) + 9
    assert texts(page, "#explorer-writing [role=status]")[0].startswith(f"Read {n} tokens in ")
    rates = texts(page, "#explorer-writing .rates td")
    assert all(re.fullmatch(r"[\d.]+ tokens/s \([\d.]+ ms a token\)", rate) for rate in rates), rates
    assert page.value("['how-0', 'how-1'].map((how) => document.querySelectorAll(`circle.${how}`).length)") == [9, 9]


def test_drawn_writing_is_the_same_with_the_cache_and_without_and_goes_into_the_text(page):
    type_text(page, TEXT)
    first = drawn(page)
    text = write(page, 6, cache=True)
    assert seen(text).startswith(seen(TEXT) + first)
    press(page, "writing", "Begin again")
    half = write(page, 3, cache=False)
    assert text.startswith(half)
    assert write(page, 3, cache=True) == text  # what is in no cache yet is read first
    press(page, "writing", "Take it into the text")
    page.value(STILL)
    assert page.value("document.getElementById('explorer-area').value") == text
    assert [int(told) for told in texts(page, "#explorer-text li small")] == ids(text)


def test_go_on_writes_until_it_is_stopped(page):
    type_text(page, TEXT)
    press(page, "writing", "Go on")
    page.value("""new Promise((done) => {
      const writes = () => [...document.querySelectorAll("button")].some((button) => button.textContent === "Stop");
      const look = () => document.querySelectorAll("circle").length > 4 || !writes() ? done(1) : setTimeout(look, 5);
      look();
    })""")
    press(page, "writing", "Stop")
    n = len(page.value(WRITTEN))
    assert len(TEXT) < n == len(page.value(WRITTEN))


def test_after_200_tokens_it_rests_and_says_so(page):
    type_text(page, TEXT)
    press(page, "writing", "Go on")
    page.value(WRITTEN)
    assert texts(page, "#explorer-writing [role=status]") == ["200 tokens are written; Go on writes more."]
    assert len(page.value("[...document.querySelectorAll('#explorer-writing circle')].map(() => 1)")) == 200


def test_a_text_that_is_deleted_is_not_gone_on_with(page):
    type_text(page, TEXT)
    press(page, "writing", "Go on")
    type_text(page, "")
    assert texts(page, "#explorer-writing button")[1] == "Go on"
    assert "writing" in inert(page)


def test_at_the_end_of_the_window_it_slides_and_everything_is_read_again(page, embedded_gpt, sliders):
    n_ctx = load_checkpoint().cfg["n_ctx"]
    text = TOKENIZER.decode(ids("\n".join(["To be, or not to be: that is the question."] * 30))[: n_ctx - 2])
    assert len(ids(text)) == n_ctx - 2
    type_text(page, text)
    sliders(Temperature=0)
    expected = generate_cached(embedded_gpt, torch.tensor([ids(text)]), 4, GREEDY, None)[0].tolist()
    assert write(page, 2, cache=True) == TOKENIZER.decode(expected[:n_ctx])
    assert texts(page, "#explorer-writing [role=status]")[0].startswith("Read 1 token in ")
    assert write(page, 2, cache=True) == TOKENIZER.decode(expected)
    told = (
        f"The text has {n_ctx + 2} tokens, the model sees the last {n_ctx}. In each step all positions change, so that "
    )
    assert texts(page, "#explorer-writing [role=status]") == [
        f"{told}the cache is of no use: all {n_ctx} are read again."
    ]
    type_text(page, f"{text} And by opposing end them.")
    n = len(ids(f"{text} And by opposing end them."))
    told = f"The model sees {n_ctx} at most, the last ones; the first {n - n_ctx} are lost to it."
    assert texts(page, "#explorer-count")[0].endswith(told)
    assert page.value("document.querySelectorAll('#explorer-text .unseen').length") == n - n_ctx
    assert page.value("document.querySelectorAll('#explorer-residual rect[data-at]').length") == 13 * 64
    assert page.value("document.getElementById('explorer-cut').hidden") is False


def test_stopped_and_begun_again_in_one_breath_it_writes_the_same_text(page, sliders):
    type_text(page, TEXT)
    sliders(Temperature=0)
    expected = write(page, 4, cache=True)
    press(page, "writing", "Begin again")
    page.value("""(() => {
      const [one, go] = document.querySelectorAll("#explorer-writing button");
      for (const button of [go, go, one]) button.click(); // go on, stop, one token: the first is still being read
    })()""")
    page.value(WRITTEN)
    assert write(page, 3, cache=True) == expected


def test_behind_the_end_of_the_text_nothing_is_written_until_it_begins_again(page, embedded_gpt, sliders):
    type_text(page, TEXT)
    sliders(Temperature=0)
    expected = generate_cached(embedded_gpt, torch.tensor([ids(TEXT)]), 3, GREEDY, None)[0].tolist()
    page.value(f"void ([headstart.eos, headstart.about.eos] = [headstart.about.eos, {expected[-1]}])")
    try:
        press(page, "writing", "Go on")
        assert page.value(WRITTEN) == TOKENIZER.decode(expected)
        assert texts(page, "#explorer-writing [role=status]") == ["The model has ended its text."]
        can_write = "[...document.querySelectorAll('#explorer-writing button')].map((button) => !button.disabled)"
        assert page.value(can_write) == [False, False, True, True]
        press(page, "writing", "Begin again")
        assert page.value(can_write) == [True, True, False, False]
    finally:
        page.value("void (headstart.about.eos = headstart.eos)")


def test_a_character_of_which_the_text_has_a_part_is_written_once(page):
    half = "\ufffd"  # what such a part is taken into the text as
    type_text(page, f"All{half}")
    text = write(page, 1, cache=True)
    assert text.startswith(f"All{half}")
    assert text.count(half) == 1


def test_a_button_that_was_pressed_by_keyboard_can_be_pressed_again(page):
    type_text(page, TEXT)
    page.value("document.querySelector('#explorer-writing button').focus()")
    page.press("Enter")
    page.value(WRITTEN)
    assert page.value("document.activeElement.textContent") == "Write one token"
