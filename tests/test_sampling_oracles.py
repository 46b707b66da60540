"""The reference of sampling against `transformers`, where nothing ties, and its draws against their distribution."""

import math
import re

import pytest
import torch
from tokenizers import Tokenizer

from graders.weights.checkpoint import EMBEDDED, load_checkpoint
from reference.beam_search import banned_tokens
from reference.config import GPTConfig
from reference.gpt import GPT
from reference.sampling import (
    SamplingOptions,
    apply_frequency_penalty,
    apply_temperature,
    generate,
    greedy,
    next_token,
    sample,
    top_k_filter,
    top_p_filter,
)

INF = math.inf
SIZES = [(1, 1), (1, 7), (3, 2), (4, 50)]  # batch, d_vocab


def without_ties(batch: int, d_vocab: int, seed: int = 0) -> torch.Tensor:
    """Logits of which no two are equal, in float64."""
    return 3 * torch.randn(batch, d_vocab, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def some_hidden(logits: torch.Tensor) -> torch.Tensor:
    """The same logits, every third of them -inf, the first of each row excepted."""
    places = torch.arange(logits.shape[1])
    return logits.masked_fill((places % 3 == 0) & (places > 0), -INF)


NO_TOKENS = torch.zeros(1, 0, dtype=torch.long)  # what the processors below do not look at


# Filters


@pytest.mark.parametrize("temperature", [0.1, 0.7, 1.0, 3.0])
@pytest.mark.parametrize("size", SIZES)
def test_temperature_is_that_of_transformers(size, temperature):
    from transformers import TemperatureLogitsWarper

    logits = some_hidden(without_ties(*size))
    theirs = TemperatureLogitsWarper(temperature)(NO_TOKENS, logits)
    torch.testing.assert_close(apply_temperature(logits, temperature), theirs, rtol=0, atol=0)


@pytest.mark.parametrize("k", [1, 2, 5, 50, 1000])
@pytest.mark.parametrize("size", SIZES)
def test_top_k_is_that_of_transformers(size, k):
    from transformers import TopKLogitsWarper

    logits = some_hidden(without_ties(*size))
    assert torch.equal(top_k_filter(logits, k), TopKLogitsWarper(k)(NO_TOKENS, logits))


@pytest.mark.parametrize("min_tokens", [1, 2, 5])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 0.99, 1.0])
@pytest.mark.parametrize("size", SIZES)
def test_top_p_is_that_of_transformers(size, p, min_tokens):
    from transformers import TopPLogitsWarper

    logits = without_ties(*size)
    theirs = TopPLogitsWarper(p, min_tokens_to_keep=min_tokens)(NO_TOKENS, logits)
    assert torch.equal(top_p_filter(logits, p, min_tokens), theirs)


def test_a_chain_of_filters_is_that_of_transformers():
    from transformers import LogitsProcessorList, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

    chain = LogitsProcessorList([TemperatureLogitsWarper(0.8), TopKLogitsWarper(20), TopPLogitsWarper(0.9)])
    logits = without_ties(8, 100)
    ours = top_p_filter(top_k_filter(apply_temperature(logits, 0.8), 20), 0.9)
    assert torch.equal(ours, chain(NO_TOKENS, logits))
    options = SamplingOptions(temperature=0.8, top_k=20, top_p=0.9)
    drawn = next_token(logits, NO_TOKENS.expand(8, 0), options, torch.Generator().manual_seed(0))
    assert drawn.equal(sample(ours, torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("penalty", [-0.5, 0.0, 0.3, 2.0])
def test_the_frequency_penalty_counts_as_bincount_does(penalty):
    logits = without_ties(3, 5)
    tokens = torch.tensor([[0, 0, 0, 4], [1, 2, 3, 4], [2, 4, 2, 4]])
    counts = torch.stack([torch.bincount(row, minlength=5) for row in tokens])
    torch.testing.assert_close(apply_frequency_penalty(logits, tokens, penalty), logits - penalty * counts)


@pytest.mark.parametrize("ngram_size", [1, 2, 3, 4])
def test_the_banned_tokens_are_those_of_transformers(ngram_size):
    from transformers import NoRepeatNGramLogitsProcessor

    generator = torch.Generator().manual_seed(ngram_size)
    for length in range(1, 30):
        tokens = torch.randint(3, (2, length), generator=generator)
        theirs = NoRepeatNGramLogitsProcessor(ngram_size)(tokens, torch.zeros(2, 3))
        ours = [banned_tokens(row, ngram_size) for row in tokens.tolist()]
        assert ours == [set(row.nonzero().flatten().tolist()) for row in theirs.isinf()]


# Texts


@pytest.fixture(scope="module")
def model():
    checkpoint = load_checkpoint()
    model = GPT(GPTConfig(**checkpoint.cfg))
    model.load_state_dict(checkpoint.weights)
    return model


@pytest.fixture(scope="module")
def theirs():
    from transformers import GPT2LMHeadModel

    model = GPT2LMHeadModel.from_pretrained(EMBEDDED, dtype=torch.float32)
    model.generation_config.eos_token_id = None
    return model


PROMPT = "ROMEO:\nTo be, or not"
TEXTS = {
    "greedy": (SamplingOptions(temperature=0), {"do_sample": False}),
    "drawn": (SamplingOptions(), {"do_sample": True, "top_k": 0}),
    "filtered": (
        SamplingOptions(temperature=0.8, top_k=40, top_p=0.9),
        {"do_sample": True, "temperature": 0.8, "top_k": 40, "top_p": 0.9},
    ),
}


@pytest.mark.parametrize("how", TEXTS)
def test_texts_of_the_embedded_checkpoint_are_those_of_transformers(model, theirs, how):
    """Both draw with `torch.multinomial` from PyTorch's global generator, here seeded with 3."""
    prompt = torch.tensor([Tokenizer.from_file(str(EMBEDDED / "tokenizer.json")).encode(PROMPT).ids] * 2)
    options, settings = TEXTS[how]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        expected = theirs.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=20, pad_token_id=0, **settings
        )
        torch.manual_seed(3)
        assert generate(model, prompt, 20, options, None).equal(expected)


# Draws


def test_draws_follow_the_softmax():
    """60,000 rows of the same 6 logits, seed 0; a right answer that draws otherwise fails with probability <= 1e-6.

    A token of probability p is drawn n * q times in n rows. By Chernoff's bound n * q is so far from n * p, on its
    side, that n * KL(q, p) reaches c with probability at most exp(-c), where KL(q, p) is the relative entropy of
    two coins. There are 6 tokens and 2 sides: c = ln(12 / 1e-6) = 16.3 leaves at most 12 * exp(-c) = 1e-6.
    The rarest token has probability 0.00138: were it never drawn, n * KL(0, p) would be 83.
    """
    logits = torch.tensor([2.0, 0.0, -1.0, 1.5, -INF, -4.0], dtype=torch.float64)
    n, expected = 60_000, logits.softmax(dim=0)
    drawn = sample(logits.expand(n, 6), torch.Generator().manual_seed(0))
    counts = torch.bincount(drawn, minlength=6)
    assert all(
        far_off(n, int(count), p) < math.log(12 / 1e-6) for count, p in zip(counts, expected.tolist(), strict=True)
    )
    assert round(far_off(n, 0, expected[5].item())) == 83


def test_rows_and_calls_are_drawn_on_their_own():
    """30,000 pairs of rows, then 30,000 pairs of calls; a right answer fails with probability <= 1e-6.

    As above, for each of the 2 * 3 * 3 pairs of tokens: c = ln(36 / 1e-6) = 17.4.
    """
    logits = torch.tensor([0.5, 0.0, -1.0], dtype=torch.float64)
    n, p = 30_000, logits.softmax(dim=0)
    generator = torch.Generator().manual_seed(0)
    first, second = sample(logits.expand(2 * n, 3), generator), sample(logits.expand(2 * n, 3), generator)
    for one, other in ((first[::2], first[1::2]), (first[:n], second[:n])):
        counts = torch.bincount(3 * one + other, minlength=9)
        pairs = torch.outer(p, p).flatten().tolist()
        assert all(
            far_off(n, int(count), pair) < math.log(36 / 1e-6) for count, pair in zip(counts, pairs, strict=True)
        )


def far_off(n: int, count: int, p: float) -> float:
    """n * KL(count / n, p): how unlikely it is, in nats, that something of probability p happens `count` times in n."""
    q = count / n
    terms = ((q, p), (1 - q, 1 - p))
    return n * sum(a * (math.log(a / b) if b else INF) for a, b in terms if a)


# Bad input


TOKENS = torch.tensor([[0, 2]])
LOGITS = torch.tensor([[0.5, 0.1, 0.2]])
NOTHING = torch.full((2, 3), -INF)
NO_CHOICE = "a row of logits is all -inf, or holds NaN or +inf; expected at least one token to choose"
REFUSED = {
    "greedy of nothing": (lambda: greedy(NOTHING), NO_CHOICE),
    "a draw from nothing": (lambda: sample(NOTHING, None), NO_CHOICE),
    "a nucleus of nothing": (lambda: top_p_filter(NOTHING, 0.5), NO_CHOICE),
    "temperature 0": (
        lambda: apply_temperature(LOGITS, 0.0),
        "the temperature is 0.0; expected a finite number above 0",
    ),
    "temperature -1": (
        lambda: apply_temperature(LOGITS, -1),
        "the temperature is -1; expected a finite number above 0",
    ),
    "temperature inf": (
        lambda: apply_temperature(LOGITS, math.inf),
        "the temperature is inf; expected a finite number above 0",
    ),
    "temperature NaN": (
        lambda: apply_temperature(LOGITS, math.nan),
        "the temperature is nan; expected a finite number above 0",
    ),
    "k 0": (lambda: top_k_filter(LOGITS, 0), "k is 0; expected to keep at least 1 token"),
    "p above 1": (lambda: top_p_filter(LOGITS, 1.1), "p is 1.1; expected a probability, from 0 to 1"),
    "p below 0": (lambda: top_p_filter(LOGITS, -0.1), "p is -0.1; expected a probability, from 0 to 1"),
    "p NaN": (lambda: top_p_filter(LOGITS, math.nan), "p is nan; expected a probability, from 0 to 1"),
    "no token to keep": (
        lambda: top_p_filter(LOGITS, 0.5, 0),
        "min_tokens_to_keep is 0; expected to keep at least 1 token",
    ),
    "an id too large": (
        lambda: apply_frequency_penalty(LOGITS, TOKENS + 1, 1.0),
        "3 is no token id; expected ids from 0 to 2",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_bad_input_is_refused_in_words(what):
    call, message = REFUSED[what]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        (
            torch.zeros(1, 0, dtype=torch.long),
            "the prompt is empty; expected at least one token for the model to continue",
        ),
        (torch.tensor([[5, -1]]), "-1 is no token id; expected ids from 0 to 1023"),
        (torch.tensor([[5, 1024]]), "1024 is no token id; expected ids from 0 to 1023"),
    ],
)
def test_a_prompt_that_cannot_be_continued_is_refused_in_words(model, prompt, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        generate(model, prompt, 3, SamplingOptions(), None)
