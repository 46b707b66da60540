"""What the reference of `caching` writes, how little it reads for it, and what it refuses."""

import re

import pytest
import torch
from caching_models import CFG, close, models, text

from graders.weights.checkpoint import load_checkpoint
from reference.beam_search import beam_search
from reference.caching import CachedGPT, KVCache, beam_search_cached, generate_cached
from reference.config import GPTConfig
from reference.gpt import GPT
from reference.sampling import SamplingOptions, generate

pytestmark = pytest.mark.usefixtures("in_float64_without_gradients")

GREEDY = SamplingOptions(temperature=0.0)

# Texts

OPTIONS = [
    GREEDY,
    SamplingOptions(temperature=0.7, top_k=3),
    SamplingOptions(top_p=0.8, frequency_penalty=0.5),
    SamplingOptions(eos_id=2),
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(
    ("seq", "n_new"), [(1, 8), (4, 0), (5, 7), (5, 8), (CFG.n_ctx, 6), (CFG.n_ctx + 3, 5), (3, 20)]
)
def test_the_text_is_the_one_that_is_generated_without_a_cache(options, seq, n_new):
    for seed in range(4):
        cached, plain = models(seed=seed)
        prompt = text(seed, 1 + seed % 3, seq)
        was = prompt.clone()
        ours = generate_cached(cached, prompt, n_new, options, torch.Generator().manual_seed(seed))
        assert torch.equal(ours, generate(plain, prompt, n_new, options, torch.Generator().manual_seed(seed)))
        assert torch.equal(prompt, was)


def tokens_read(model: CachedGPT) -> list[int]:
    """A list that grows by the number of tokens, rows times length, of every call of the first block's attention."""
    seen: list[int] = []
    model.blocks[0].attn.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].shape[:2].numel()))
    return seen


def test_the_prompt_is_read_once_and_then_every_token_once():
    cached, _ = models()
    seen = tokens_read(cached)
    generate_cached(cached, text(1, 2, 5), 6, GREEDY, None)
    assert seen == [10, 2, 2, 2, 2, 2]


def test_past_n_ctx_the_whole_window_is_read_in_each_step():
    cached, _ = models()
    seen = tokens_read(cached)
    generate_cached(cached, text(1, 1, CFG.n_ctx - 1), 4, GREEDY, None)
    assert seen == [CFG.n_ctx - 1, 1, CFG.n_ctx, CFG.n_ctx]


@pytest.mark.parametrize(("seq", "n_new"), [(1, 6), (4, 0), (CFG.n_ctx - 3, 6), (CFG.n_ctx + 2, 3)])
@pytest.mark.parametrize("options", [{}, {"eos_id": 3, "length_penalty": 1.0}, {"no_repeat_ngram_size": 2}])
def test_beam_search_finds_the_same_with_a_cache(options, seq, n_new):
    for seed in range(5):
        cached, plain = models(seed=seed)
        prompt = text(seed, 1, seq)[0]
        n_beams = 1 + seed
        ours = beam_search_cached(cached, prompt, n_beams, n_new, **options)
        theirs = beam_search(plain, prompt, n_beams, n_new, **options)
        assert [h.tokens for h in ours] == [h.tokens for h in theirs]
        close(torch.tensor([h.log_prob for h in ours]), torch.tensor([h.log_prob for h in theirs]))


def test_of_each_beam_only_the_newest_token_is_read():
    cached, _ = models()
    seen = tokens_read(cached)
    beam_search_cached(cached, text(1, 1, 5)[0], 3, 4)
    assert seen == [5, 3, 3, 3]


def test_the_embedded_checkpoint_writes_the_same_in_float32():
    torch.set_default_dtype(torch.float32)
    checkpoint = load_checkpoint()
    cfg = GPTConfig(**checkpoint.cfg)
    cached, plain = CachedGPT(cfg), GPT(cfg)
    cached.load_state_dict(checkpoint.weights)
    plain.load_state_dict(checkpoint.weights)
    prompt = text(3, 2, 20, cfg)
    assert torch.equal(generate_cached(cached, prompt, 30, GREEDY, None), generate(plain, prompt, 30, GREEDY, None))


# What is refused


SIZES = "3 layers, batch 2, 2 heads of width 3, torch.float64"
TWO_LAYERS = GPTConfig(**{**vars(CFG), "n_layers": 2})
TOKENS = torch.tensor([[1, 2, 3], [4, 5, 6]])
PADDED = "expected a number from 0 to 2 for each of 2 rows, so that each has a token"
CALLS = {
    "another batch": (
        lambda model: model(TOKENS, KVCache.empty(CFG, 3)),
        f"the cache is for 3 layers, batch 3, 2 heads of width 3, torch.float64; expected {SIZES}",
    ),
    "another number of layers": (
        lambda model: model(TOKENS, KVCache.empty(TWO_LAYERS, 2)),
        f"the cache is for 2 layers, batch 2, 2 heads of width 3, torch.float64; expected {SIZES}",
    ),
    "another dtype": (
        lambda model: model(TOKENS, KVCache.empty(CFG, 2, torch.float32)),
        f"the cache is for 3 layers, batch 2, 2 heads of width 3, torch.float32; expected {SIZES}",
    ),
    "a text longer than n_ctx": (
        lambda model: model(text(1, 2, 13)),
        "the cache holds 0 tokens and 13 more came; expected n_ctx, 12, at most",
    ),
    "a text that grows longer than n_ctx": (
        lambda model: model(TOKENS[:, :1], model(text(1, 2, 12))[1]),
        "the cache holds 12 tokens and 1 more came; expected n_ctx, 12, at most",
    ),
    "an id beyond the vocabulary": (lambda model: model(TOKENS + 1), "7 is no token id; expected ids from 0 to 6"),
    "a negative id": (lambda model: model(TOKENS - 2), "-1 is no token id; expected ids from 0 to 6"),
    "padding as long as the row": (
        lambda model: model(TOKENS, None, torch.tensor([0, 3])),
        f"the padding is [0, 3]; {PADDED}",
    ),
    "negative padding": (lambda model: model(TOKENS, None, torch.tensor([0, -1])), f"the padding is [0, -1]; {PADDED}"),
    "padding of another batch": (lambda model: model(TOKENS, None, torch.tensor([1])), f"the padding is [1]; {PADDED}"),
    "padding that comes late": (
        lambda model: model(TOKENS, model(TOKENS)[1], torch.tensor([0, 1])),
        "the cache holds 3 tokens; expected padding in the first call only",
    ),
    "an empty prompt": (
        lambda model: generate_cached(model, TOKENS[:, :0], 1, GREEDY, None),
        "the prompt is empty; expected at least one token for the model to continue",
    ),
    "a prompt with a wrong id": (
        lambda model: generate_cached(model, TOKENS + 1, 0, GREEDY, None),
        "7 is no token id; expected ids from 0 to 6",
    ),
    "no beams": (lambda model: beam_search_cached(model, TOKENS[0], 0, 1), "n_beams is 0; expected at least 1"),
    "a prompt of two rows for beams": (
        lambda model: beam_search_cached(model, TOKENS, 1, 1),
        "the prompt has shape (2, 3); expected one row of at least one token",
    ),
}


@pytest.mark.parametrize("what", CALLS)
def test_a_model_refuses(what):
    call, message = CALLS[what]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(models()[0])


HELD = "expected (2, 1, 2, 3), torch.float64"
APPENDS = {
    "a layer that is not there": ((3, (2, 1, 2, 3), (2, 1, 2, 3)), "there is no layer 3; expected one from 0 to 2"),
    "a negative layer": ((-1, (2, 1, 2, 3), (2, 1, 2, 3)), "there is no layer -1; expected one from 0 to 2"),
    "another batch": ((0, (1, 1, 2, 3), (1, 1, 2, 3)), f"k is (1, 1, 2, 3), torch.float64; {HELD}"),
    "another number of heads": ((0, (2, 1, 1, 3), (2, 1, 1, 3)), f"k is (2, 1, 1, 3), torch.float64; {HELD}"),
    "values of another length": ((0, (2, 1, 2, 3), (2, 2, 2, 3)), f"v is (2, 2, 2, 3), torch.float64; {HELD}"),
}


@pytest.mark.parametrize("what", APPENDS)
def test_a_cache_does_not_append(what):
    (layer, k, v), message = APPENDS[what]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        KVCache.empty(CFG, 2, torch.float64).append(layer, torch.zeros(k), torch.zeros(v))


def test_a_cache_does_not_append_another_dtype():
    k = torch.zeros(2, 1, 2, 3, dtype=torch.float32)
    with pytest.raises(ValueError, match=re.escape(f"k is (2, 1, 2, 3), torch.float32; {HELD}")):
        KVCache.empty(CFG, 2).append(0, k, k)


@pytest.mark.parametrize("rows", [[0, 2], [-1, 0]])
def test_a_cache_does_not_select_rows_that_are_not_there(rows):
    message = f"the rows to select are {rows}; expected rows from 0 to 1"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        KVCache.empty(CFG, 2).select(torch.tensor(rows))
