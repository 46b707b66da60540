"""What the pictures of the Explorer say is what the reference and TransformerLens compute.

It needs Debian's Chromium: `apt-get install -y chromium`.
"""

import re

import pytest
import torch
from explorer_site import (
    TOKENIZER,
    drawn,
    ids,
    inert,
    open_explorer,
    press,
    seen,
    set_seed,
    slide,
    texts,
    type_text,
)

from graders.weights.activations import activations
from graders.weights.checkpoint import load_checkpoint
from reference.sampling import apply_temperature, top_k_filter, top_p_filter

pytestmark = pytest.mark.usefixtures("in_float64_without_gradients")

TEXT = "All:\nSpeak, speak."


@pytest.fixture(scope="module")
def page(browser, explorer):
    """A browser at the page, on a desk, in light colours."""
    open_explorer(browser, explorer)
    return browser


@pytest.fixture(scope="module")
def computed():
    """What TransformerLens computed for the embedded checkpoint on TEXT, by its names."""
    return activations(load_checkpoint(), TEXT)


def shade(share: float) -> str:
    """The colour that stands for a share from 0 to 1, as page.js of `headstart see` mixes it."""
    low = share < 0.5
    part = 100 * (2 * share if low else 2 * share - 1)
    return f"fill: color-mix(in oklab, var(--scale-{1 if low else 2}) {part:.1f}%, var(--scale-{0 if low else 1}))"


def fills(page, panel: str) -> dict[tuple[int, int], str]:
    """The colours of a grid's squares, by row and column."""
    found = page.value(f"""[...document.querySelectorAll("#explorer-{panel} .grid rect[data-at]")]
      .map((square) => [square.dataset.at, square.getAttribute("style")])""")
    return {tuple(map(int, at.split())): style for at, style in found}


def share_of(style: str) -> float:
    """The share that a colour stands for."""
    scale, part = re.search(r"var\(--scale-(\d)\) ([\d.]+)%", style).groups()
    return float(part) / 200 + (0 if scale == "1" else 0.5)


def test_the_tokens_stand_below_the_text_with_their_ids(page):
    type_text(page, TEXT)
    assert texts(page, "#explorer-text li .token") == [seen(TOKENIZER.decode([i])) for i in ids(TEXT)]
    assert [int(told) for told in texts(page, "#explorer-text li small")] == ids(TEXT)
    assert texts(page, "#explorer-count") == [f"{len(ids(TEXT))} tokens for {len(TEXT)} characters."]
    type_text(page, "")
    told = "There is no token yet; expected at least one for the model to continue: type something."
    assert texts(page, "#explorer-count") == [told]


def test_without_a_token_what_is_drawn_of_another_text_is_switched_off_until_there_is_one(page):
    type_text(page, TEXT)
    assert inert(page) == []
    type_text(page, "")
    assert inert(page) == ["attention", "residual", "next", "writing", "beams"]
    faded = "[...document.querySelectorAll('div.explorer[inert]')].map((panel) => getComputedStyle(panel).opacity)"
    assert {float(opacity) < 0.5 for opacity in page.value(faded)} == {True}
    type_text(page, TEXT)
    assert inert(page) == []


def test_the_grid_of_a_head_has_its_pattern_and_tells_it_by_keyboard(page, computed):
    type_text(page, TEXT)
    press(page, "attention", "head 2")
    page.value("document.querySelectorAll('#explorer-attention input')[3].click()")
    pattern = computed["blocks.3.attn.hook_pattern"][0, 2]
    found, n = fills(page, "attention"), len(pattern)
    assert found.keys() == {(q, k) for q in range(n) for k in range(q + 1)}
    assert {at: share_of(style) for at, style in found.items()} == pytest.approx(
        {(q, k): pattern[q, k].item() for q, k in found}, abs=1e-3
    )
    page.value("document.querySelector('#explorer-attention .grid').focus()")
    for key in ["ArrowLeft"] * n + ["ArrowUp"] * n + ["ArrowDown"] * 4 + ["ArrowRight"] * 2:
        page.press(key)
    names = [seen(TOKENIZER.decode([i])) for i in ids(TEXT)]
    told = f"Query {names[4]} at 4 gives {round(pattern[4, 2].item(), 2):g} of its attention to {names[2]} at 2."
    assert texts(page, "#explorer-attention .said") == [told]
    page.press("ArrowRight")
    page.press("ArrowRight")
    page.press("ArrowRight")  # the future is no place to look at
    assert texts(page, "#explorer-attention .said")[0].endswith(f"to {names[4]} at 4.")
    strip = page.value("[...document.querySelectorAll('#explorer-attention .strip span')].map((s) => s.className)")
    assert strip == ["token"] * 4 + ["token asks"] + ["token later"] * (n - 5)


def test_the_heads_of_a_layer_are_drawn_small_and_one_is_picked(page):
    type_text(page, TEXT)
    for head in range(6):
        press(page, "attention", f"head {head}")
        pressed = (
            "[...document.querySelectorAll('#explorer-attention .heads [aria-pressed=true]')].map((b) => b.textContent)"
        )
        assert page.value(pressed) == [f"head {head}"]
        small = page.value(f"""[...[...document.querySelectorAll("#explorer-attention .heads svg")][{head}].children]
          .map((square) => [+square.getAttribute("y"), +square.getAttribute("x"), square.getAttribute("style")])""")
        large = fills(page, "attention")
        drawn = {(q, k): style for q, k, style in small}
        assert drawn.items() <= large.items()
        assert all(share_of(large[at]) < 0.021 for at in large.keys() - drawn.keys())


def test_the_stream_s_lengths_are_transformerlens_s(page, computed):
    type_text(page, TEXT)
    names = ["blocks.0.hook_resid_pre"]
    names += [f"blocks.{layer}.hook_resid_{where}" for layer in range(6) for where in ("mid", "post")]
    lengths = torch.stack([computed[name][0].norm(dim=-1) for name in names])
    expected = (lengths / lengths.max()).tolist()
    assert {at: share_of(style) for at, style in fills(page, "residual").items()} == pytest.approx(
        {(i, j): value for i, row in enumerate(expected) for j, value in enumerate(row)}, abs=1e-3
    )
    page.value("document.querySelector('#explorer-residual .grid').focus()")
    for key in ["ArrowUp"] * 13 + ["ArrowLeft"] * 20 + ["ArrowDown"] * 4:
        page.press(key)
    first, length = seen(TOKENIZER.decode(ids(TEXT)[:1])), round(lengths[4, 0].item(), 2)
    told = f"After layer 1's MLP the stream of {first} at 0 is {length:g} long."
    assert texts(page, "#explorer-residual .said") == [told]


def test_the_stream_begins_at_the_token_that_has_grown_most(page, explorer):
    open_explorer(page, explorer)
    (told,) = texts(page, "#explorer-residual .said")
    token = page.value("document.querySelectorAll('#explorer-residual .token.here')[1].textContent")
    end = max(share_of(style) for (row, _), style in fills(page, "residual").items() if row == 12)
    at = int(told.split(" at ")[1].split()[0])
    assert told.startswith(f"After layer 5's MLP the stream of {token} at {at} is ")
    assert share_of(fills(page, "residual")[12, at]) == end


@pytest.fixture
def logits(page):
    """The logits that the page has for what follows TEXT, (1, d_vocab)."""
    type_text(page, TEXT)
    return torch.tensor(page.value(f"headstart.model.read([{ids(TEXT)}]).then(({{ logits }}) => logits)"))


@pytest.fixture
def sliders(page):
    """Move sliders of the next token's panel; they are put back."""
    first = {"Temperature": 1, "Top-k": 51, "Top-p": 1}
    yield lambda **values: [slide(page, "next", name.replace("_", "-"), value) for name, value in values.items()]
    for name, value in first.items():
        slide(page, "next", name, value)


def percent(share: float) -> str:
    return "< 0.1%" if 0 < share < 0.0005 else f"{100 * share:.1f}%"


@pytest.mark.parametrize(
    ("settings", "filters"),
    [
        ({}, ()),
        ({"Temperature": 1.7}, ()),
        ({"Top_k": 4}, (lambda row: top_k_filter(row, 4),)),
        (
            {"Temperature": 1.5, "Top_k": 8, "Top_p": 0.6},
            (lambda row: top_k_filter(row, 8), lambda row: top_p_filter(row, 0.6)),
        ),
    ],
    ids=["as it is", "hot", "top-k", "all three"],
)
def test_the_bars_are_the_reference_s_probabilities_and_what_is_cut_is_grey_and_says_by_whom(
    page, logits, sliders, settings, filters
):
    sliders(**settings)
    scaled = apply_temperature(logits, settings.get("Temperature", 1.0))
    steps = [scaled]
    for cut in filters:
        steps.append(cut(steps[-1]))
    before, after = scaled.softmax(dim=1)[0], steps[-1].softmax(dim=1)[0]
    rows = page.value("""[...document.querySelectorAll("#explorer-next .bars li")].map((row) => [
      row.querySelector(".token").textContent, row.querySelector(".logit").textContent,
      row.querySelector(".share").textContent, row.querySelector(".mark").textContent,
      row.querySelector("i").style.width, row.classList.contains("cut")])""")
    scale = float(texts(page, "#explorer-next .scale .ends span")[1].rstrip("%")) / 100
    likeliest = logits[0].argsort(descending=True, stable=True).tolist()[:12]
    assert [row[0] for row in rows[:12]] == [seen(TOKENIZER.decode([i])) for i in likeliest]
    for i, (_, logit, share, mark, width, is_cut) in zip(likeliest, rows, strict=False):
        assert logit == f"{logits[0, i].item():.2f}"  # whatever the sliders say
        value = (before if is_cut else after)[i].item()
        assert is_cut == (steps[-1][0, i] == float("-inf"))
        assert share == percent(value)
        assert float(width.rstrip("%")) == pytest.approx(100 * value / scale, abs=0.01)
        by = "top-k" if len(filters) > 0 and steps[1][0, i] == float("-inf") else "top-p"
        assert (mark == f"cut by {by}") == is_cut


def test_a_seed_draws_the_same_again_and_another_something_else(page, logits):
    found = [drawn(page)]
    for _ in range(7):
        press(page, "next", "Draw again")
        found.append(drawn(page))
    assert texts(page, "#explorer-next > output") == [f"Seed 8 draws {found[-1]}."]
    assert texts(page, "#explorer-next .drawn .token") == [found[-1]]
    set_seed(page, "1")
    assert drawn(page) == found[0]
    assert len(set(found)) > 1


@pytest.mark.parametrize(
    ("written", "stands"), [("-3", "3"), ("1.5", "1"), ("9999999", "999999"), ("007", "7"), ("", "")]
)
def test_the_field_of_the_seed_holds_the_seed_that_draws(page, written, stands):
    type_text(page, TEXT)
    try:
        assert set_seed(page, written) == stands
        (said,) = texts(page, "#explorer-next > output")
        assert said.startswith(f"Seed {stands or 0} draws ")
    finally:
        set_seed(page, "1")


def test_a_field_of_the_seed_that_is_left_empty_is_filled_and_behind_the_last_comes_the_first(page):
    assert set_seed(page, "", "change") == "0"
    set_seed(page, "999999")
    press(page, "next", "Draw again")
    assert page.value("document.querySelector('#explorer-next input[type=number]').value") == "0"
    set_seed(page, "1")


def test_what_is_kept_is_counted_in_whole_sentences(page, sliders):
    type_text(page, TEXT)
    sliders(Top_k=1)
    assert texts(page, "#explorer-next .rest")[0].endswith(" 1 of 1,024 tokens is kept.")
    sliders(Top_k=2)
    assert texts(page, "#explorer-next .rest")[0].endswith(" 2 of 1,024 tokens are kept.")
