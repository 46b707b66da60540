"""The Explorer computes what the course defines: in a browser, beside the reference, TransformerLens and `tokenizers`.

It needs Debian's Chromium: `apt-get install -y chromium`.
"""

import hashlib
import json

import pytest
import torch
from explorer_site import open_explorer
from tokenizers import Tokenizer

from graders.engine.course import ROOT
from graders.weights.activations import activations, tokens_for
from graders.weights.checkpoint import EMBEDDED, load_checkpoint
from reference.beam_search import beam_search, extend_beams
from reference.config import GPTConfig
from reference.sampling import apply_temperature, top_k_filter, top_p_filter

pytestmark = pytest.mark.usefixtures("in_float64_without_gradients")

BUILT = ROOT / "docs" / "explorer"
ODD = [
    *("To be, or not to be", "  two  spaces   ", "\n\n tab\t\tx\r\n", "don't we'LL I'm you've 'tis", "naïve café ÀÉÎ"),
    *(
        "日本語テキスト",
        "👩‍👩‍👧 🇩🇪",
        "a\u0085b \u00a0nbsp \u2003em \ufeffx",
        "1234 5.6e-7 ½ ²",
        "مرحبا नमस्ते",
        "\x01\x7f",
    ),
    *(
        "<|endoftext|>ROMEO:<|endoftext|>x<|endoftext|",
        "a" * 60 + "!!!???",
        "e\u0301 \U0001d4b3",
        "\u1680x \u200b zero",
        "\u017f ﬁ Ⅷ",
    ),
]


@pytest.fixture(scope="module")
def page(browser, explorer):
    """A browser at the page, which is ready."""
    open_explorer(browser, explorer)
    return browser


def call(page, expression: str, *arguments):
    """What an expression of the page comes to, a function of the arguments; -Infinity crosses as None."""
    given = json.dumps(arguments).replace("-Infinity", "-1e999")
    found = page.value(
        f"(async () => JSON.stringify(await (({expression}))(...{given})))()"  # JSON has no -Infinity: null
    )
    return json.loads(found)


def row(values) -> list[float | None]:
    """A row of logits as `call` gives it."""
    return [None if value == float("-inf") else value for value in values.flatten().tolist()]


def logits_of(seed: int, n: int = 9):
    """Logits in tenths, so that some tie."""
    return torch.randint(-30, 31, (1, n), generator=torch.Generator().manual_seed(seed)) / 10


def test_the_built_files_are_those_whose_hashes_were_committed():
    """`npm run build` in explorer/ writes both."""
    sums = dict(line.split("  ")[::-1] for line in (BUILT / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    files = [path for path in BUILT.iterdir() if path.is_file() and path.name != "SHA256SUMS"]
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == sums
    assert {"explorer.js", "explorer.css", "worker.js"} < sums.keys()


def test_the_logits_patterns_and_stream_are_those_of_transformerlens(page):
    checkpoint = load_checkpoint()
    tokens, computed = tokens_for(checkpoint), activations(checkpoint)
    names = [name for name in computed if "hook_pattern" in name or "hook_resid" in name]
    assert len(names) == 4 * checkpoint.cfg["n_layers"]
    found = call(
        page,
        """async (tokens, hooks) => {
          const { logits, hooks: found } = await headstart.model.read(tokens, { hooks });
          return { logits, ...Object.fromEntries(hooks.map((name) => [name, Array.from(found[name].data)])) };
        }""",
        *(tokens.tolist(), names),
    )
    assert torch.allclose(torch.tensor(found["logits"]), computed["unembed.hook_out"][:, -1], rtol=0, atol=1e-3)
    for name in names:
        assert torch.allclose(torch.tensor(found[name]), computed[name].flatten(), rtol=0, atol=1e-3), name


def test_token_by_token_with_the_cache_and_in_two_rows_the_logits_are_those_of_all_at_once(page):
    tokens = tokens_for(load_checkpoint()).tolist()[0]
    once, by_one, rows = call(
        page,
        """async (tokens) => {
          const read = headstart.model.read;
          const once = await read([tokens]);
          let step = await read([tokens.slice(0, 1)]);
          for (const token of tokens.slice(1)) step = await read([[token]], { cache: step.cache });
          const other = [...tokens].reverse();
          const two = await read([tokens.slice(0, -1), other.slice(0, -1)]);
          const swapped = headstart.selectRows(two.cache, [1, 0]);
          const rows = await read([other.slice(-1), tokens.slice(-1)], { cache: swapped });
          return [once.logits[0], step.logits[0], rows.logits[1]];
        }""",
        tokens,
    )
    assert torch.allclose(torch.tensor(by_one), torch.tensor(once), rtol=0, atol=1e-4)
    assert torch.allclose(torch.tensor(rows), torch.tensor(once), rtol=0, atol=1e-4)


def test_odd_texts_become_the_ids_of_the_tokenizers_library_and_texts_again(page):
    theirs = Tokenizer.from_file(str(EMBEDDED / "tokenizer.json"))
    expected = [theirs.encode(text, add_special_tokens=False).ids for text in ODD]
    code = "(texts) => texts.map((text) => headstart.tokenizer.encode(text))"
    assert call(page, code, ODD) == expected
    assert call(page, "(all) => all.map((ids) => headstart.tokenizer.decode(ids))", expected) == ODD


def test_a_byte_that_is_no_character_is_shown_as_a_byte(page):
    shown = call(page, "(text) => headstart.tokenizer.encode(text).map((id) => headstart.tokenizer.text(id))", "né日!")
    assert shown == ["n", "\\xc3", "\\xa9", "\\xe6", "\\x97", "\\xa5", "!"]


@pytest.mark.parametrize("seed", range(6))
def test_filters_keep_what_the_reference_keeps(page, seed):
    logits = logits_of(seed)
    given = logits[0].tolist()
    for k in (1, 2, 4, 9, 50):
        found = call(page, "(logits, k) => headstart.sampling.topKFilter(logits, k)", given, k)
        assert found == row(top_k_filter(logits, k))
    for p in (0, 0.1, 0.5, 0.8, 0.99, 1):
        found = call(page, "(logits, p) => headstart.sampling.topPFilter(logits, p)", given, p)
        assert found == row(top_p_filter(logits, p))


def test_the_token_that_reaches_p_exactly_is_the_last_that_stays(page):
    found = call(page, "(logits) => headstart.sampling.topPFilter(logits, 0.5)", [0, 0, 0, 0])
    assert found == [0, 0, None, None]
    assert found == row(top_p_filter(torch.zeros(1, 4), 0.5))


@pytest.mark.parametrize(("temperature", "k", "p"), [(1, None, None), (0.5, 5, None), (1.7, None, 0.8), (0.8, 6, 0.7)])
def test_probabilities_after_temperature_and_filters_are_the_reference_s(page, temperature, k, p):
    logits = logits_of(7, n=30)
    expected = apply_temperature(logits, temperature)
    expected = expected if k is None else top_k_filter(expected, k)
    expected = expected if p is None else top_p_filter(expected, p)
    options = {"temperature": temperature, "topK": k, "topP": p}
    code = "(logits, options) => headstart.sampling.distribution(logits, options)"
    found = call(page, code, logits[0].tolist(), options)
    before = apply_temperature(logits, temperature).softmax(dim=1)[0]
    assert torch.allclose(torch.tensor(found["before"]), before, rtol=0, atol=1e-12)
    assert torch.allclose(torch.tensor(found["after"]), expected.softmax(dim=1)[0], rtol=0, atol=1e-12)
    assert [cut is not None for cut in found["cutBy"]] == (expected[0] == float("-inf")).tolist()


def test_at_temperature_0_the_first_of_the_largest_has_it_all(page):
    code = "(logits) => headstart.sampling.distribution(logits, { temperature: 0, topK: null, topP: null }).after"
    assert call(page, code, [0.3, 0.9, 0.9, 0.1]) == [0, 1, 0, 0]


def test_draws_come_as_often_as_they_are_likely_over_steps_and_over_seeds(page):
    shares = [0.5, 0.3, 0.15, 0.05]
    counts = call(
        page,
        """(shares) => {
          const { draw, uniform } = headstart.sampling;
          const ways = [(i) => uniform(1, i), (i) => uniform(i, 7)];
          return ways.map((way) => {
            const counts = shares.map(() => 0);
            for (let i = 0; i < 20000; i++) counts[draw(shares, way(i))]++;
            return counts;
          });
        }""",
        shares,
    )
    for seen in counts:
        chi_squared = sum((n - 20000 * share) ** 2 / (20000 * share) for n, share in zip(seen, shares, strict=True))
        assert chi_squared < 16.3  # which one in a thousand fair draws passes, at 3 degrees of freedom


def test_the_best_extensions_are_the_reference_s_and_of_equal_sums_the_earlier_goes_first(page):
    log_probs = -torch.randint(1, 5, (3, 6), generator=torch.Generator().manual_seed(0)).double() / 2
    log_probs[1, 2] = float("-inf")
    sums = torch.tensor([-1.0, -0.5, -0.5])
    for n_beams in (1, 4, 18, 40):
        found = call(
            page,
            "(sums, rows, n) => headstart.beamSearch.extendBeams(sums, rows, n).map((e) => [e.sum, e.parent, e.token])",
            *(sums.tolist(), log_probs.tolist(), n_beams),
        )
        expected = zip(*(part.tolist() for part in extend_beams(sums, log_probs, n_beams)), strict=True)
        assert found == [[None if total == float("-inf") else total, *rest] for total, *rest in expected]


class Table:
    """A model whose logits depend on the last token alone."""

    def __init__(self, logits):
        self.logits = logits
        self.cfg = GPTConfig(d_vocab=len(logits), n_ctx=64, n_layers=1, n_heads=1, d_model=1, d_head=1, d_mlp=1)

    def __call__(self, tokens):
        return self.logits[tokens]


@pytest.mark.parametrize("penalty", [0, 0.7, 1.5])
@pytest.mark.parametrize("n_beams", [1, 2, 3])
def test_beam_search_finds_the_texts_of_the_reference_with_their_scores(page, n_beams, penalty):
    tables = [torch.randn(5, 5, generator=torch.Generator().manual_seed(seed)) for seed in range(30)]
    found = call(
        page,
        """(tables, nBeams, lengthPenalty) => Promise.all(tables.map((table) => headstart.beamSearch.beamSearch(
          async (beams) => beams.map((beam) => table[beam.at(-1)]), [3, 1],
          { nBeams, maxNewTokens: 6, eosId: 0, lengthPenalty },
        ).then((all) => all.map(({ tokens, logProb, score }) => ({ tokens, logProb, score })))))""",
        *([table.tolist() for table in tables], n_beams, penalty),
    )
    for one, table in zip(found, tables, strict=True):
        expected = beam_search(Table(table), torch.tensor([3, 1]), n_beams, 6, eos_id=0, length_penalty=penalty)
        assert [text["tokens"] for text in one] == [text.tokens for text in expected]
        assert [text["logProb"] for text in one] == pytest.approx([text.log_prob for text in expected], abs=1e-12)
        assert [text["score"] for text in one] == pytest.approx([text.score for text in expected], abs=1e-12)
