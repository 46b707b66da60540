"""Models, texts and caches for the laws of caching, and the stories in which a text is read."""

import functools
import itertools
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from graders.engine.law import Broken, expect_equal
from graders.engine.script import Handle, Story, Teller, config, module
from graders.engine.space import Case, Fixed, Space, fixed, space
from graders.engine.subject import Subject, form_differences
from reference.config import GPTConfig
from reference.gpt import GPT
from reference.sampling import SamplingOptions, generate

OPTIONS: tuple[dict[str, Any], ...] = (  # with each of them there is one token to choose, and no chance
    {"temperature": 0.0},
    {"temperature": 0.0, "frequency_penalty": 1.5},
    {"temperature": 0.7, "top_k": 1},
    {"top_p": 0.0, "frequency_penalty": -0.5},
)
SPREAD = 1.5  # of the weights
END_IS_LIKELY = 1.5
A_QUARTER = 0.25
MODELS = ("CachedGPT", "CachedAttention")
NOT_BUILT = ("missing", "construct", "parameters")


def few(cases: Space, *seeds: int, **sizes: int) -> Fixed:
    """Some cases of these sizes."""
    return fixed(lambda where: [cases.case(seed, **sizes) for seed in seeds])


def eight(cases: Space) -> Fixed:
    """Two small cases and six of many sizes, where a case costs much."""
    return fixed(lambda where: [cases.case(seed, **cases.floor()) for seed in (0, 1)] + list(cases.further(6)))


@functools.cache
def _shapes(cfg: GPTConfig) -> dict[str, torch.Size]:
    return {name: parameter.shape for name, parameter in GPT(cfg).named_parameters()}


def a_model(case: Case, **sizes: int) -> None:
    """Random weights for every part of a model. No two tokens tie, so that no rounding decides what is written."""
    case.config(**sizes)
    shapes = _shapes(GPTConfig(**case.cfg))
    case.weights = {name: SPREAD * case.draw(*shape).sin() for name, shape in shapes.items()}


@functools.cache
def _made(cfg: GPTConfig) -> GPT:
    return GPT(cfg)


def without_cache(case: Case) -> GPT:
    """The reference's model, which knows no cache."""
    model = _made(GPTConfig(**case.cfg))
    model.load_state_dict(case.weights, assign=True)
    return model.requires_grad_(False)


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
def texts(case, batch, seq, more_ctx, **sizes):
    """A text in pieces, and a model that can hold it."""
    a_model(case, n_ctx=seq + more_ctx, **sizes)
    case.integers("tokens", case.cfg["d_vocab"], batch=batch, seq=seq)
    cut(case, seq)


@space(batch=(1, 3), seq=(3, 5, 3), more_ctx=(0, 2), n_layers=(1, 2), n_heads=(1, 2, 1))
def padded_texts(case, batch, seq, more_ctx, **sizes):
    """A text whose rows begin with pads, at least one somewhere, in pieces of which the first ends behind all pads."""
    texts.build(case, batch=batch, seq=seq, more_ctx=more_ctx, **sizes)
    case.integers("padding", seq - 1, batch=batch)
    case.padding[case.seed % batch] = max(1, int(case.padding.max()))
    cut(case, seq, first=int(case.padding.max()) + 1)


@space(batch=(1, 3), held=(1, 3), more=(1, 3), rows=(1, 4), n_layers=(1, 2))
def texts_for_beams(case, batch, held, more, rows, n_layers):
    """A text that begins with pads, the rows of it to go on from, and how each goes on."""
    a_model(case, n_ctx=held + more + 1, n_layers=n_layers)
    case.integers("tokens", case.cfg["d_vocab"], batch=batch, seq=held + 1)
    case.integers("padding", held + 1, batch=batch)
    case.integers("rows", batch, row=rows)
    case.integers("new", case.cfg["d_vocab"], row=rows, seq=more)


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
def caches_to_read(case, batch, **sizes):
    """Keys and values to append, and a model that reads a cache of them with one more token in each row."""
    keys_and_values.build(case, batch=batch, d_head=3, **sizes)
    a_model(case, **case.cfg)
    case.token = case.integers("token", case.cfg["d_vocab"], batch=batch, seq=1)


@space(new=(1, 3), held=(0, 4, 1), batch=(1, 3), n_heads=(1, 3, 1), d_model=(1, 5), d_head=(1, 4))
def streams(case, new, held, batch, **sizes):
    """A layer, a stream of which some is past, and pads at the beginning of its rows."""
    case.config(**sizes)
    into_heads = dict.fromkeys(("W_Q", "W_K", "W_V"), "n_heads d_model d_head")
    biases = dict.fromkeys(("b_Q", "b_K", "b_V"), "n_heads d_head")
    weights = case.parameters(**into_heads, W_O="n_heads d_head d_model", **biases, b_O="d_model")
    case.weights = {name: w.clamp(-2, 2) for name, w in weights.items()}  # rounding must not decide a softmax
    seq, d_model = held + new, sizes["d_model"]
    case.show("stream", case.draw(batch, seq, d_model).clamp(-9, 9), batch=batch, seq=seq, d_model=d_model)
    case.integers("padding", seq, batch=batch)
    case.padding[case.seed % batch] = max(int(case.padding[case.seed % batch]), min(1, seq - 1))
    case.held = held
    case.past, case.x = projected(case, "KV", case.stream[:, :held]), case.stream[:, held:]
    case.key_mask = torch.arange(seq) >= case.padding.unsqueeze(1)


@space(batch=(1, 3), seq=(1, 5), n_ctx=(2, 6, 4), new=(0, 6, 3), n_layers=(1, 2), choice=(0, 3, 0))
def texts_to_write(case, batch, seq, n_ctx, new, n_layers, choice):
    """A prompt, how many tokens to write, and how. In every second case a token that one row writes is the end."""
    a_model(case, n_ctx=n_ctx, n_layers=n_layers)
    case.integers("prompt", case.cfg["d_vocab"], batch=batch, seq=seq)
    case.show("max_new_tokens", new)
    options = OPTIONS[choice]
    if case.seed % 2:
        text = generate(without_cache(case), case.prompt, new, SamplingOptions(**options), torch.Generator())
        options = options | {"eos_id": int(text[case.seed % batch, seq - 1 :][case.seed // 2 % (new + 1)])}
    case.show("options", options)


@space(seq=(1, 4), n_ctx=(3, 6), new=(0, 5, 3), n_layers=(1, 2), n_beams=(1, 4), penalty=(0, 2, 0), ngram=(0, 2, 0))
def searches(case, seq, n_ctx, new, n_layers, n_beams, penalty, ngram):
    """A prompt, and the settings of a search; in every second case there is an end, often a likely one."""
    a_model(case, n_ctx=n_ctx, n_layers=n_layers)
    case.integers("prompt", case.cfg["d_vocab"], seq=seq)
    case.weights["unembed.b_U"][case.seed % 7] += END_IS_LIKELY
    settings = {"n_beams": n_beams, "max_new_tokens": new, "eos_id": case.seed % 7 if case.seed % 2 else None}
    case.show("settings", settings | {"length_penalty": float(penalty), "no_repeat_ngram_size": ngram})


def projected(case: Case, letters: str, x: Tensor) -> tuple[Tensor, ...]:
    """Queries, keys or values of a stream, (batch seq n_heads d_head) each."""
    w = case.weights
    return tuple(torch.einsum("bsd,hde->bshe", x, w[f"W_{letter}"]) + w[f"b_{letter}"] for letter in letters)


def by_torch(case: Case, x: Tensor) -> Tensor:
    """What the layer gives for a whole stream, computed by PyTorch's own attention."""
    q, k, v = (part.transpose(1, 2) for part in projected(case, "QKV", x))
    z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return torch.einsum("bhse,hed->bsd", z, case.weights["W_O"]) + case.weights["b_O"]


# Stories


def tell(subject: Subject, story: Story, seconds: float = 2.0) -> Any:
    """What a story comes to. The reference is not asked for its form: the law that tells it knows what is right."""
    value = replace(subject, checks_form=False).tell(story, seconds)
    reply = subject.replies[-1]
    if reply.changed:
        raise Broken("changed", what=", ".join(reply.changed))
    if not reply.steady:
        raise Broken("unsteady")
    return value


def expect_like(yours: Any, expected: Any, what: str, note: str = "") -> None:
    """Hold that a value has the right form, and is right. Raises `Broken`."""
    for broken in form_differences(yours, expected):
        raise replace(broken, what=f"{what} {broken.what}".strip())
    expect_equal(yours, expected, what, note)


def expect_rows(
    yours: list, case: Case, tokens: Tensor, padding: list[int], what: str, last: int | None = None
) -> None:
    """Hold that logits, in pieces, are for each row of a text those of the row alone, without cache and pads.

    `last` says at how many of the last tokens, when it is not all.
    """
    for i, part in enumerate(yours):
        if not isinstance(part, Tensor) or part.ndim != 3 or part.isnan().any():
            kind = "nan" if isinstance(part, Tensor) and part.ndim == 3 else "type"
            raise Broken(kind, part, case.weights["unembed.b_U"].view(1, 1, -1), f"piece {i} of {what}")
    logits, model = torch.cat(yours, dim=1), without_cache(case)
    batch, seq = tokens.shape
    shape = (batch, seq if last is None else last, case.cfg["d_vocab"])
    if logits.shape != shape:
        raise Broken("shape", logits, logits.new_zeros(shape), what)
    for n_pads in sorted(set(padding)):
        rows = [row for row, n in enumerate(padding) if n == n_pads]
        n = min(shape[1], seq - n_pads)
        note = f"of this row without its {n_pads} pads" if n_pads else "of the whole text, without a cache"
        for row, right in zip(rows, model(tokens[rows, n_pads:])[:, -n:], strict=True):
            expect_like(logits[row, -n:], right, f"{what}, row {row}", note)


def pieces_of(case: Case) -> tuple[Tensor, ...]:
    """The case's text in its pieces."""
    return case.tokens.split(case.pieces, dim=1)


def read(model: Handle, pieces: Any, cache: Any = None, padding: Any = None) -> tuple[list, list]:
    """The logits of pieces that are read one after the other, and the cache after each of them."""
    logits, caches = [], []
    for piece in pieces:
        result = model(piece, cache) if padding is None else model(piece, cache, padding)
        padding, cache = None, result[1]
        logits.append(result[0])
        caches.append(cache)
    return logits, caches


def empty(do: Teller, case: Case, batch: int) -> Handle:
    return do.KVCache.empty(config(case.cfg), batch)


def filled(cache: Handle, kv: tuple[Tensor, Tensor], *positions: int) -> Handle:
    """A cache to which keys and values (layer batch position n_heads d_head) are appended: of a to b, b to c, ..."""
    for a, b in itertools.pairwise(positions):
        for layer, (k, v) in enumerate(zip(*kv, strict=True)):
            cache = cache.append(layer, k[:, a:b], v[:, a:b])
    return cache


def logits_after(do: Teller, case: Case, cache: Handle, rows: Any = slice(None)) -> Handle:
    """A cache as a model reads it: the logits after one more token, by a model that has read nothing else."""
    return do.look(do.make(cached(case))(case.token[rows], cache)[0])


def as_read(subject: Subject, story: Story) -> dict[str, Tensor]:
    """What a story of readings comes to; nothing where it is the model that fails, which has laws of its own."""
    try:
        found = tell(subject, story)
    except Broken as broken:
        of_model = any(function.startswith(MODELS) for _file, _line, function, _text in broken.failure.lines)
        if broken.kind in NOT_BUILT or (broken.kind == "call" and of_model):
            return {}
        raise
    are_numbers = all(isinstance(logits, Tensor) for logits in found.values())
    return {name: logits.nan_to_num() for name, logits in found.items()} if are_numbers else {}


def expect_refused(caught: dict[str, dict]) -> None:
    """Hold that every one of these calls, by what is wrong with it, raised `ValueError`."""
    for what, error in caught.items():
        if "ValueError" not in error["classes"]:
            raised = error["classes"][0] if error["classes"] else "nothing"
            raise Broken("values", raised, "ValueError", what="the error", note=what)


def expect_little_work(subject: Subject, story: Story, passes: int) -> None:
    """Hold that what a story calls `one` makes far fewer numbers than so many passes over `all` of the text."""
    made = tell(subject, story)
    most = int(A_QUARTER * passes * made["all"])
    if made["one"] > most:
        note = f"numbers made; {passes} times the whole text makes {passes * made['all']}"
        raise Broken("values", made["one"], f"at most {most}", what="the work", note=note)
