"""The Explorer's tree and list of beams are those of the reference's beam search, and what is said of them is so.

It needs Debian's Chromium: `apt-get install -y chromium`.
"""

import math
import re

import pytest
import torch
from explorer_site import STILL, TOKENIZER, ids, open_explorer, seen, slide, texts, type_text

from reference.beam_search import extend_beams
from reference.caching import beam_search_cached

pytestmark = pytest.mark.usefixtures("in_float64_without_gradients")

TEXT = "All:\nSpeak, speak."


@pytest.fixture(scope="module")
def page(browser, explorer):
    """A browser at the page, on a desk, in light colours."""
    open_explorer(browser, explorer)
    return browser


def test_the_tree_and_the_list_hold_what_the_reference_s_beam_search_finds(page, embedded_gpt):
    type_text(page, TEXT)
    for name, value in {"Beams": 4, "Tokens": 6, "Length penalty": 0.5}.items():
        slide(page, "beams", name, value)
    prompt = torch.tensor(ids(TEXT))
    end = TOKENIZER.token_to_id("<|endoftext|>")
    found = beam_search_cached(embedded_gpt, prompt, 4, 6, eos_id=end, length_penalty=0.5)
    words = [[seen(TOKENIZER.decode([i])) for i in one.tokens[len(prompt) :]] for one in found]
    told = [
        f"{''.join(word)} log-probability {round(one.log_prob, 2):g}, score {one.score:#.3g}"
        for one, word in zip(found, words, strict=True)
    ]
    assert texts(page, "#explorer-beams .texts li") == [f"{told[0]} ★ best", *told[1:]]
    best = page.value("""[...document.querySelectorAll("#explorer-beams .node.best")]
      .map((node) => [...node.querySelectorAll("text")].map((text) => text.textContent))""")
    with_all = torch.tensor(found[0].tokens)
    log_probs = embedded_gpt(with_all.unsqueeze(0))[0][0].log_softmax(dim=-1)
    gained = [log_probs[i - 1, with_all[i]].item() for i in range(len(prompt), len(with_all))]
    sums = torch.tensor(gained).cumsum(dim=0).tolist()
    cut = [word if len(word) <= 8 else word[:7] + "…" for word in words[0]]
    assert best == [[word, f"★ {total:.2f}"] for word, total in zip(cut, sums, strict=True)]
    n_nodes, n_edges, n_best = (
        page.value(f"document.querySelectorAll('#explorer-beams .{kind}').length")
        for kind in ("node", "edge", "edge.best")
    )
    assert (n_nodes, n_edges, n_best) == (4 * 6, 4 * 6, 6)  # four live beams on each of six levels
    n_dead, beams, sums = 0, prompt.unsqueeze(0), torch.zeros(1)
    for _ in range(6):
        sums, parents, tokens = extend_beams(sums, embedded_gpt(beams)[0][:, -1].log_softmax(dim=-1), 4)
        assert (tokens != end).all()
        n_dead += len(beams) - len(parents.unique())
        beams = torch.cat([beams[parents], tokens.unsqueeze(1)], dim=1)
    assert n_dead > 0
    assert [told[:2] for told in texts(page, "#explorer-beams .node.dead .sum")] == ["\u00d7 "] * n_dead


def test_how_often_the_best_text_is_written_is_told_in_words_that_can_be_imagined(page):
    slide(page, "beams", "Length penalty", 0)
    slide(page, "beams", "Tokens", 8)
    type_text(page, "and the")
    (rare,) = texts(page, "#explorer-beams p.said")
    type_text(page, TEXT)
    slide(page, "beams", "Tokens", 1)
    (often,) = texts(page, "#explorer-beams p.said")
    told = "The best of [2-5] texts has log-probability (-[\\d.]+): the model would write it "
    log_prob, times, unit = re.fullmatch(f"{told}once in ([\\d.]+)( thousand| million|) times.", rare).groups()
    scale = {" million": 1e6, " thousand": 1e3, "": 1}[unit]
    assert float(times) * scale == pytest.approx(math.exp(-float(log_prob)), rel=0.06)  # two digits of each
    log_prob, share = re.fullmatch(rf"{told}([\d.]+)% of the time.", often).groups()
    assert float(share) == pytest.approx(100 * math.exp(float(log_prob)), rel=0.02)


def test_while_the_beams_grow_no_text_of_another_search_stands_below(page):
    type_text(page, TEXT)
    said, n_texts = page.value("""(() => {
      const slider = document.querySelector("#explorer-beams input");
      slider.dispatchEvent(new Event("input"));
      const [said, list] = ["p.said", ".texts"].map((name) => document.querySelector(`#explorer-beams ${name}`));
      return [said.textContent, list.children.length];
    })()""")
    page.value(STILL)
    assert (said, n_texts) == ("Searching ...", 0)
    assert len(texts(page, "#explorer-beams .texts li")) > 0


def test_fewer_beams_make_a_narrower_tree(page):
    type_text(page, TEXT)
    for beams, depth in ((2, 3), (5, 1)):
        slide(page, "beams", "Beams", beams)
        slide(page, "beams", "Tokens", depth)
        assert page.value("document.querySelectorAll('#explorer-beams .node').length") == beams * depth
        assert len(texts(page, "#explorer-beams .texts li")) == beams


def test_beams_that_grow_past_the_window_are_the_reference_s(page, embedded_gpt):
    n_ctx = embedded_gpt.cfg.n_ctx
    text = TOKENIZER.decode(ids("\n".join(["To be, or not to be: that is the question."] * 30))[: n_ctx - 1])
    assert len(ids(text)) == n_ctx - 1
    for name, value in {"Beams": 2, "Tokens": 4, "Length penalty": 0}.items():
        slide(page, "beams", name, value)
    type_text(page, text)
    end = TOKENIZER.token_to_id("<|endoftext|>")
    found = beam_search_cached(embedded_gpt, torch.tensor(ids(text)), 2, 4, eos_id=end)
    words = ["".join(seen(TOKENIZER.decode([i])) for i in one.tokens[n_ctx - 1 :]) for one in found]
    told = [f"{word} log-probability {round(one.log_prob, 2):g}" for one, word in zip(found, words, strict=True)]
    assert texts(page, "#explorer-beams .texts li") == [f"{told[0]} ★ best", told[1]]
