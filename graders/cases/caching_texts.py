"""Cases for the laws of caching: models, texts in pieces, keys and values, and what is right without a cache."""

import functools
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from graders.engine.script import module
from graders.engine.space import Case, Fixed, Space, fixed, space
from reference.config import GPTConfig
from reference.gpt import GPT
from reference.sampling import SamplingOptions, generate

OPTIONS: tuple[dict[str, Any], ...] = (  # with each of them there is one token to choose, and no chance
    {"temperature": 0.0},
    {"temperature": 0.0, "frequency_penalty": 1.5},
    {"temperature": 0.7, "top_k": 1},
    {"top_p": 0.0, "frequency_penalty": -0.5},
)
PENALTIES = (0.0, 1.0, 2.0, 0.6, -0.5)  # for length
SPREAD = 1.5  # of the weights
END_IS_LIKELY = 1.5


def few(cases: Space, *seeds: int, **sizes: int) -> Fixed:
    """Some cases of these sizes."""
    return fixed(lambda where: [cases.case(seed, **sizes) for seed in seeds])


def two_and(n: int, cases: Space) -> Fixed:
    """Two small cases and `n` of many sizes, for laws of which each case costs much."""
    return fixed(lambda where: [*(cases.case(seed, **cases.floor()) for seed in (0, 1)), *cases.further(n)])


@functools.cache
def _made(cfg: GPTConfig) -> GPT:
    return GPT(cfg).requires_grad_(False)


def a_model(case: Case, **sizes: int) -> None:
    """Random weights for every part of a model. No two tokens tie, so that no rounding decides what is written."""
    shapes = {name: p.shape for name, p in _made(GPTConfig(**case.config(**sizes))).named_parameters()}
    numbers = SPREAD * case.draw(sum(shape.numel() for shape in shapes.values())).sin()
    parts = numbers.split([shape.numel() for shape in shapes.values()])
    case.weights = {name: part.view(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


def without_cache(case: Case) -> GPT:
    """The reference's model, which knows no cache, with the case's weights until the next case asks for one."""
    model = _made(GPTConfig(**case.cfg))
    for name, parameter in model.named_parameters():
        parameter.data = case.weights[name]
    return model


def cached(case: Case) -> dict[str, Any]:
    """The subject's own model, which knows caches, with the case's weights."""
    return module("CachedGPT", case.cfg, case.weights)


def cut(case: Case, seq: int, first: int = 1) -> None:
    """Cut a text of `seq` tokens: into single ones, a beginning and single ones, or at random.

    The first piece has at least `first` tokens.
    """
    half = max(first, (seq + 1) // 2)
    draws = (case.draw(seq) > 0).tolist()
    cuts = (range(first, seq), range(half, seq), [i for i in range(first, seq) if draws[i]])[case.seed % 3]
    case.show("pieces", [b - a for a, b in zip([0, *cuts], [*cuts, seq], strict=True)])


@space(batch=(1, 3), seq=(1, 5), more_ctx=(0, 2), n_layers=(1, 2), n_heads=(1, 2, 1))
def whole(case, batch, seq, more_ctx, **sizes):
    """A text in pieces, and a model that can hold it."""
    a_model(case, n_ctx=seq + more_ctx, **sizes)
    case.integers("tokens", case.cfg["d_vocab"], batch=batch, seq=seq)
    cut(case, seq)


@space(batch=(1, 3), seq=(3, 5, 3), more_ctx=(0, 2), n_layers=(1, 2), n_heads=(1, 2, 1))
def padded(case, batch, seq, more_ctx, **sizes):
    """A text whose rows begin with pads, at least one somewhere, in pieces of which the first ends behind all pads."""
    whole.build(case, batch=batch, seq=seq, more_ctx=more_ctx, **sizes)
    case.integers("padding", seq - 1, batch=batch)
    case.padding[case.seed % batch] = max(1, int(case.padding.max()))
    cut(case, seq, first=int(case.padding.max()) + 1)


@space(batch=(1, 3), held=(1, 3), more=(1, 3), rows=(1, 4), n_layers=(1, 2))
def for_beams(case, batch, held, more, rows, n_layers):
    """A text that begins with pads, the rows of it to go on from, and how each goes on."""
    a_model(case, n_ctx=held + more + 1, n_layers=n_layers)
    case.integers("tokens", case.cfg["d_vocab"], batch=batch, seq=held + 1)
    case.integers("padding", held + 1, batch=batch)
    case.integers("rows", batch, row=rows)
    case.integers("new", case.cfg["d_vocab"], row=rows, seq=more)


@fixed
def beams(where):
    """Some of these, and of three rows with different padding the second alone."""
    alone = for_beams.case(3, batch=3, held=2, more=1, rows=1, n_layers=1)
    return [*two_and(5, for_beams).load(where), alone]


@space(batch=(1, 3), held=(1, 3), more=(1, 3), n_layers=(1, 3), n_heads=(1, 2, 1), d_head=(1, 3))
def keys_and_values(case, batch, held, more, n_layers, n_heads, d_head):
    """Keys and values to append."""
    n = held + 3 * more
    case.config(n_ctx=n + 1, n_layers=n_layers, n_heads=n_heads, d_head=d_head)
    axes = {"layer": n_layers, "batch": batch, "position": n, "n_heads": n_heads, "d_head": d_head}
    for name in ("k", "v"):
        case.show(name, case.draw(*axes.values()).clamp(-2, 2), **axes)
    case.kv, case.end = (case.k, case.v), n


@space(batch=(1, 3), held=(1, 3), more=(1, 3), n_layers=(1, 2), n_heads=(1, 2, 1))
def caches(case, batch, **sizes):
    """Keys and values to append, and a model that reads a cache of them with one more token in each row."""
    keys_and_values.build(case, batch=batch, d_head=3, **sizes)
    a_model(case, **case.cfg)
    case.token = case.integers("token", case.cfg["d_vocab"], batch=batch, seq=1)


@space(new=(1, 3), held=(0, 4, 1), batch=(1, 3), n_heads=(1, 3, 1), d_model=(1, 5), d_head=(1, 4))
def streams(case, new, held, batch, **sizes):
    """A layer, a stream of which some is past, and pads at the beginning of its rows."""
    case.config(n_ctx=max(8, held + new), **sizes)
    into_heads = dict.fromkeys(("W_Q", "W_K", "W_V"), "n_heads d_model d_head")
    biases = dict.fromkeys(("b_Q", "b_K", "b_V"), "n_heads d_head")
    weights = case.parameters(**into_heads, W_O="n_heads d_head d_model", **biases, b_O="d_model")
    case.weights = {name: w.clamp(-2, 2) for name, w in weights.items()}  # rounding must not decide a softmax
    seq, d_model = held + new, sizes["d_model"]
    case.show("stream", case.draw(batch, seq, d_model).clamp(-9, 9), batch=batch, seq=seq, d_model=d_model)
    case.padding = case.draw_integers(seq, batch)
    case.padding[case.seed % batch] = max(int(case.padding[case.seed % batch]), min(1, seq - 1))
    case.show("held", held)
    case.past, case.x = projected(case, "KV", case.stream[:, :held]), case.stream[:, held:]
    case.key_mask = torch.arange(seq) >= case.padding.unsqueeze(1)


@space(batch=(1, 3), seq=(1, 5), n_ctx=(2, 6, 4), new=(0, 6, 3), n_layers=(1, 2), choice=(0, 3, 0))
def to_write(case, batch, seq, n_ctx, new, n_layers, choice):
    """A prompt, how many tokens to write, and how. In every second case a token that one row writes is the end."""
    a_model(case, n_ctx=n_ctx, n_layers=n_layers)
    case.integers("prompt", case.cfg["d_vocab"], batch=batch, seq=seq)
    case.show("max_new_tokens", new)
    options = OPTIONS[choice]
    if case.seed % 2:
        text = generate(without_cache(case), case.prompt, new, SamplingOptions(**options), torch.Generator())
        options = options | {"eos_id": int(text[case.seed % batch, seq - 1 :][case.seed // 2 % (new + 1)])}
    case.show("options", options)


@space(seq=(1, 4), n_ctx=(3, 6), new=(0, 5, 3), n_layers=(1, 2), n_beams=(1, 4), penalty=(0, 4, 0), ngram=(0, 2, 0))
def searches(case, seq, n_ctx, new, n_layers, n_beams, penalty, ngram):
    """A prompt, and the settings of a search; in every second case there is an end, often a likely one."""
    a_model(case, n_ctx=n_ctx, n_layers=n_layers)
    case.integers("prompt", case.cfg["d_vocab"], seq=seq)
    case.weights["unembed.b_U"][case.seed % 7] += END_IS_LIKELY
    settings = {"n_beams": n_beams, "max_new_tokens": new, "eos_id": case.seed % 7 if case.seed % 2 else None}
    case.show("settings", settings | {"length_penalty": PENALTIES[penalty], "no_repeat_ngram_size": ngram})


def projected(case: Case, letters: str, x: Tensor) -> tuple[Tensor, ...]:
    """Queries, keys or values of a stream, (batch seq n_heads d_head) each."""
    w = case.weights
    return tuple(torch.einsum("bsd,hde->bshe", x, w[f"W_{letter}"]) + w[f"b_{letter}"] for letter in letters)


def by_torch(case: Case, x: Tensor) -> Tensor:
    """What the layer gives for a whole stream, computed by PyTorch's own attention."""
    q, k, v = (part.transpose(1, 2) for part in projected(case, "QKV", x))
    z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return torch.einsum("bhse,hed->bsd", z, case.weights["W_O"]) + case.weights["b_O"]


# Sizes beyond the ranges above, past the room that an answer may have made at first
long_caches = few(keys_and_values, 1, batch=2, held=127, more=3, n_layers=4, n_heads=3, d_head=2)
long_streams = few(streams, 1, batch=9, held=130, new=11, n_heads=5, d_model=7, d_head=6)
for_work = few(whole, 0, batch=3, seq=40, more_ctx=1, n_layers=2, n_heads=2, d_mlp=24)
for_steps_of_work = few(whole, 0, batch=3, seq=30, more_ctx=0, n_layers=1, n_heads=2, d_mlp=24)
for_one_step = few(whole, 1, batch=2, seq=25, more_ctx=0, n_layers=1, n_heads=2, d_mlp=24)
many_beams = few(searches, 7, 2, 8, seq=2, n_ctx=10, new=7, n_layers=1, n_beams=9, penalty=1, ngram=0)
long_beams = few(searches, 2, seq=2, n_ctx=22, new=20, n_layers=1, n_beams=8, penalty=0, ngram=0)
two_prompts = few(searches, 2, seq=7, n_ctx=12, new=4, n_layers=1, n_beams=2, penalty=0, ngram=0)
# For what is refused, and for chance
some_caches = few(keys_and_values, 0, 1, batch=2, held=2, more=1, n_layers=2, n_heads=2, d_head=3)
one_text = few(whole, 0, batch=2, seq=3, more_ctx=0, n_layers=2, n_heads=1)
some_texts = few(whole, 0, 1, batch=2, seq=4, more_ctx=1, n_layers=2, n_heads=2)
prompts_to_end = few(to_write, 2, 4, batch=3, seq=2, n_ctx=9, new=7, n_layers=1, choice=0)
some_prompts = few(to_write, 2, 6, batch=3, seq=3, n_ctx=5, new=6, n_layers=1, choice=0)
with_room = few(to_write, 2, 6, batch=3, seq=3, n_ctx=9, new=6, n_layers=1, choice=0)
past_n_ctx = few(to_write, 2, 3, 6, 8, batch=2, seq=4, n_ctx=3, new=7, n_layers=1, choice=1)
one_prompt = few(to_write, 2, batch=1, seq=2, n_ctx=5, new=2, n_layers=1, choice=0)
some_searches = few(searches, 2, seq=4, n_ctx=5, new=3, n_layers=1, n_beams=2, penalty=0, ngram=0)


@fixed
def long_texts(where):
    """More rows, layers, heads and tokens, in pieces of which one is longer than a usual room, and single ones."""
    cases = []
    for seed, pieces in ((4, [5, 120, *[1] * 6, 19]), (5, [140, 1, 9])):
        case = whole.case(seed, batch=4, seq=150, more_ctx=2, n_layers=3, n_heads=3)
        case.show("pieces", pieces)
        cases.append(case)
    return cases
