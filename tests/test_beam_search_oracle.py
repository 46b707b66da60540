"""The reference of beam search against all texts of a tiny vocabulary, and against `transformers`' beam search."""

import itertools
import math
import re

import pytest
import torch
from tokenizers import Tokenizer

from graders.weights.checkpoint import EMBEDDED, load_checkpoint
from reference.beam_search import Hypothesis, banned_tokens, beam_search, extend_beams
from reference.config import GPTConfig
from reference.gpt import GPT
from reference.sampling import SamplingOptions, generate


class RandomText(torch.nn.Module):
    """A model whose logits depend, at random, on all it sees: a text of n tokens picks a row of a table."""

    def __init__(self, d_vocab: int, n_ctx: int, seed: int):
        super().__init__()
        self.cfg = GPTConfig(d_vocab, n_ctx, n_layers=1, n_heads=1, d_model=1, d_head=1, d_mlp=1)
        generator = torch.Generator().manual_seed(seed)
        self.table = 2 * torch.randn(997, d_vocab, generator=generator, dtype=torch.float64)
        self.seen = []  # the shape of what was passed in each call

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        self.seen.append(tuple(tokens.shape))
        row = torch.zeros(len(tokens), dtype=torch.long)
        rows = []
        for column in tokens.T:
            row = (31 * row + column + 7) % 997
            rows.append(row)
        return self.table[torch.stack(rows, dim=1)]


def all_texts(model, prompt, max_new_tokens, eos_id, length_penalty, ngram_size) -> list[Hypothesis]:
    """Every text that ends with `eos_id` or is `max_new_tokens` long and repeats no n-gram at its end, best first."""
    texts = []

    def go_on(tokens: list[int], log_prob: float) -> None:
        n_new = len(tokens) - len(prompt)
        grams = [tuple(tokens[i : i + ngram_size]) for i in range(len(tokens) - ngram_size + 1)] if ngram_size else []
        if n_new and grams and grams[-1] in grams[:-1]:
            return
        if n_new == max_new_tokens or (n_new and tokens[-1] == eos_id):
            texts.append(Hypothesis(tokens, log_prob, log_prob / n_new**length_penalty))
            return
        seen = torch.tensor([tokens[-model.cfg.n_ctx :]])
        for token, more in enumerate(model(seen)[0, -1].log_softmax(dim=0).tolist()):
            go_on([*tokens, token], log_prob + more)

    go_on(prompt, 0.0)
    return sorted(texts, key=lambda text: text.score, reverse=True)


# All texts


@pytest.mark.parametrize("ngram_size", [0, 1, 2, 3])
@pytest.mark.parametrize("length_penalty", [-0.5, 0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("eos_id", [None, 0, 1])
def test_where_no_beam_is_pruned_it_finds_all_texts(eos_id, length_penalty, ngram_size):
    for seed, (d_vocab, max_new_tokens) in enumerate(itertools.product((2, 3), (1, 3, 4))):
        model = RandomText(d_vocab, n_ctx=3, seed=seed)
        prompt = [1, 0, 1, 1][: 1 + seed % 4]
        expected = all_texts(model, prompt, max_new_tokens, eos_id, length_penalty, ngram_size)
        enough = d_vocab**max_new_tokens
        found = beam_search(
            model, torch.tensor(prompt), enough, max_new_tokens, eos_id, length_penalty, no_repeat_ngram_size=ngram_size
        )
        assert [text.tokens for text in found] == [text.tokens for text in expected]
        close = [math.isclose(a.score, b.score, abs_tol=1e-9) for a, b in zip(found, expected, strict=True)]
        assert all(close)


def test_a_pruned_search_finds_texts_that_exist_with_their_probabilities():
    for seed in range(30):
        model = RandomText(3, n_ctx=4, seed=seed)
        known = {tuple(t.tokens): t for t in all_texts(model, [2], 5, 0, 0.7, 0)}
        found = beam_search(model, torch.tensor([2]), 2, 5, eos_id=0, length_penalty=0.7)
        assert len(found) == len({tuple(text.tokens) for text in found}) == 2
        for text in found:
            assert text.log_prob == pytest.approx(known[tuple(text.tokens)].log_prob, abs=1e-9)
            assert text.score == pytest.approx(known[tuple(text.tokens)].score, abs=1e-9)


def test_one_beam_without_an_end_token_is_greedy_choice():
    for seed in range(10):
        model, prompt = RandomText(5, n_ctx=3, seed=seed), torch.tensor([seed % 5])
        (text,) = beam_search(model, prompt, 1, 8)
        assert text.tokens == generate(model, prompt.unsqueeze(0), 8, SamplingOptions(temperature=0), None)[0].tolist()


# transformers


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_file(str(EMBEDDED / "tokenizer.json"))


@pytest.fixture(scope="module")
def model():
    checkpoint = load_checkpoint()
    model = GPT(GPTConfig(**checkpoint.cfg)).to(torch.float64)
    model.load_state_dict(checkpoint.weights)
    return model


@pytest.fixture(scope="module")
def theirs():
    from transformers import GPT2LMHeadModel

    model = GPT2LMHeadModel.from_pretrained(EMBEDDED, dtype=torch.float64)
    model.generation_config.eos_token_id = None
    return model


SETTINGS = [  # n_beams, end, length_penalty, no_repeat_ngram_size
    (2, None, 0.0, 0),
    (4, None, 1.0, 2),
    (3, "\n", 0.0, 0),
    (5, "\n", 1.0, 3),
    (3, ",", 0.6, 0),
    (2, ",", 2.0, 1),
    (4, ",", -0.5, 0),
    (5, ".", 1.0, 0),
]


@pytest.mark.parametrize("text", ["To be, or", "ROMEO:\n", "Enter the king"])
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_beams_of_the_embedded_checkpoint_are_those_of_transformers(model, theirs, tokenizer, settings, text):
    """`early_stopping="never"` is their name for our rule: to stop only when no live beam can still win.

    Their scores are in float32 and reach -60, where float32 is 4e-6 apart.
    """
    n_beams, end, length_penalty, ngram_size = settings
    prompt = torch.tensor(tokenizer.encode(text).ids)
    eos_id = tokenizer.encode(end).ids[0] if end else None
    found = beam_search(model, prompt, n_beams, 12, eos_id, length_penalty, ngram_size)
    pad = model.cfg.d_vocab - 1  # which no text below holds
    expected = theirs.generate(
        prompt.unsqueeze(0),
        attention_mask=torch.ones(1, len(prompt)),
        num_beams=n_beams,
        num_return_sequences=n_beams,
        max_new_tokens=12,
        do_sample=False,
        eos_token_id=eos_id,
        pad_token_id=pad,
        length_penalty=length_penalty,
        no_repeat_ngram_size=ngram_size,
        early_stopping="never",
        return_dict_in_generate=True,
        output_scores=True,
    )
    texts = [[token for token in row if token != pad] for row in expected.sequences.tolist()]
    assert [text.tokens for text in found] == texts
    assert [text.score for text in found] == pytest.approx(expected.sequences_scores.tolist(), abs=1e-4)


# What neither of them shows


def test_extensions_are_sorted_and_ties_go_to_the_earlier_beam_then_to_the_lower_token():
    sums, log_probs = torch.tensor([-1.0, -2.0]), torch.tensor([[-1.0, -3.0, -1.0], [0.0, -1.0, -5.0]])
    extended = extend_beams(sums, log_probs, 4)
    assert [part.tolist() for part in extended] == [[-2, -2, -2, -3], [0, 0, 1, 1], [0, 2, 0, 1]]
    assert [len(part) for part in extend_beams(sums, log_probs, 100)] == [6, 6, 6]


def test_all_live_beams_are_one_batch_and_none_is_padded():
    model = RandomText(2, n_ctx=4, seed=0)
    beam_search(model, torch.tensor([0, 1]), 3, 4)
    assert model.seen == [(1, 2), (2, 3), (3, 4), (3, 4)]


def test_the_search_stops_when_no_live_beam_can_win():
    model = RandomText(3, n_ctx=4, seed=1)
    model.table = torch.tensor([0.0, 0.0, 9.0]).expand(997, 3)
    (text,) = beam_search(model, torch.tensor([0]), 1, 10_000, eos_id=2)
    assert (text.tokens, len(model.seen)) == ([0, 2], 1)


def test_a_search_that_cannot_go_on_returns_what_it_has_finished():
    model = RandomText(2, n_ctx=4, seed=0)
    assert beam_search(model, torch.tensor([0]), 2, 3, no_repeat_ngram_size=1) == []
    (text,) = beam_search(model, torch.tensor([0]), 2, 3, eos_id=1, no_repeat_ngram_size=1)
    assert text.tokens == [0, 1]


def test_nothing_new_is_the_prompt():
    prompt = torch.tensor([0, 1])
    assert beam_search(RandomText(2, 4, 0), prompt, 3, 0, length_penalty=1.0) == [Hypothesis([0, 1], 0.0, 0.0)]


REFUSED = {  # prompt, n_beams, no_repeat_ngram_size
    "no prompt": (([], 2, 0), "the prompt has shape (0,); expected one row of at least one token"),
    "a batch": (([[0, 1]], 2, 0), "the prompt has shape (1, 2); expected one row of at least one token"),
    "an id too large": (([2], 2, 0), "2 is no token id; expected ids from 0 to 1"),
    "no beams": (([0], 0, 0), "n_beams is 0; expected at least 1"),
    "a negative n-gram": (([0], 2, -1), "no_repeat_ngram_size is -1; expected 0, which bans nothing, or more"),
}


@pytest.mark.parametrize("max_new_tokens", [3, 0])
@pytest.mark.parametrize("what", REFUSED)
def test_bad_input_is_refused_in_words(what, max_new_tokens):
    (prompt, n_beams, ngram_size), message = REFUSED[what]
    prompt = torch.tensor(prompt, dtype=torch.long)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        beam_search(RandomText(2, 4, 0), prompt, n_beams, max_new_tokens, no_repeat_ngram_size=ngram_size)


def test_a_model_without_a_next_token_is_refused():
    model = RandomText(2, 4, 0)
    model.table = torch.full((997, 2), -math.inf)
    with pytest.raises(ValueError, match="a row of logits is all -inf"):
        beam_search(model, torch.tensor([0]), 2, 3)


def test_nothing_is_banned_after_too_short_a_text():
    assert banned_tokens([], 1) == banned_tokens([3], 3) == banned_tokens([3, 3], 0) == set()
