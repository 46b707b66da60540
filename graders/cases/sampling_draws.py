"""Rows of logits, texts to continue, and what chance allows: cases and expectations for the laws of sampling."""

import math
from typing import Any

import torch
from torch import Tensor

from graders.engine.law import Broken, expect_equal
from graders.engine.script import default_generator, generator, probe
from graders.engine.space import Case, fixed, space
from reference.sampling import apply_frequency_penalty, apply_temperature, top_k_filter, top_p_filter

NATS = 25  # how surprising a share of draws may be: exp(-25) is 1.4e-11
CALLS = 20  # in which no two generators draw the same by chance
DRAWS = 400
UNITS = {"temperature": 100, "penalty": 4}
EIGHTHS = ((4, 2, 1, 1, 0), (2, 2, 2, 2, 0), (4, 2, 2, 0, 0), (2, 2, 2, 1, 1))  # every softmax gets these exactly
SHARES = torch.tensor([[0.5, 0, 0.3, 0.1955, 0.0045], [0.2, 0.35, 0.0045, 0.1955, 0.25]], dtype=torch.float64)


def rows_and(**ranges):
    """A space of logits and of numbers beside them, in parts of one; `seq` makes a text of token ids.

    Logits are quarters, so that sums are exact. By turns those of a row are whole numbers, of which many tie;
    nearly tie; or are -inf in part. In some cases there are a hundred more, and in some they are float32.
    """

    def fill(case, batch, d_vocab, seq=None, **numbers):
        turn = case.seed + batch + d_vocab
        case.dtype = torch.float32 if turn % 8 == 0 else case.dtype
        more, times = (100, 30) if turn % 6 == 0 else (0, 1)
        d_vocab += more
        kind = (turn + torch.arange(batch).unsqueeze(1)) % 4
        logits = (5 * case.draw(batch, d_vocab)).round() / 4
        gap = 2**-13 if case.dtype == torch.float32 else 2**-20  # to half a precision, it is one
        nearly_one = 1 + (case.draw(batch, d_vocab) > 0) * gap
        logits = torch.where(kind == 2, nearly_one.to(logits), torch.where(kind == 1, logits.round(), logits))
        if more:
            logits[:, -1] = logits.amax(dim=1) + 1
        hidden = (kind == 3) & (case.draw(batch, d_vocab) > 0)
        hidden[:, turn % d_vocab] = False
        case.show("logits", logits.masked_fill(hidden, -math.inf), batch=batch, d_vocab=d_vocab)
        if seq is not None:
            case.integers("tokens", d_vocab, batch=batch, seq=seq + more)
        for name, n in numbers.items():
            case.show(name, times * n / UNITS[name] if name in UNITS else times * n)

    return space(batch=(1, 3), d_vocab=(1, 7, 3), **ranges)(fill)


def sums_of(logits):
    """The probabilities of each row's likeliest tokens, added up from the likeliest down."""
    return logits.softmax(dim=-1).sort(descending=True).values.cumsum(dim=-1)


def clear_of_sums(p, logits):
    """The first p from this one on that no row's sums of probabilities come near, so that no rounding decides."""
    sums = sums_of(logits)
    while 0 < p < 1 and (sums - p).abs().min() < 1e-3:
        p = min(round(p + 0.0037, 4), 1.0)
    return p


def close_to_a_sum(p, case):
    """A p that just reaches a sum of the first row, or just does not, by more than any rounding; or else this one."""
    sums = sums_of(case.logits)
    place = case.seed // 2 % max(sums.shape[1] - 1, 1)
    near = round(float(sums[0, place]) + (3e-6, -3e-6)[case.seed // 2 % 2], 7)
    return near if 0 < near < 1 and (sums - near).abs().min() > 2e-6 else p


rows = rows_and()
rows_and_temperatures = rows_and(temperature=(1, 500, 50))
rows_and_texts = rows_and(seq=(0, 6, 2), penalty=(-3, 8, 2))
rows_and_k = rows_and(k=(1, 5, 1))


@space(batch=(1, 3), d_vocab=(1, 7, 3), tenths=(2, 10, 6))
def rows_and_p(case, batch, d_vocab, tenths):
    """Logits nearer to each other, or very far apart, and a p that no sum of their probabilities is."""
    rows.build(case, batch, d_vocab)
    case.logits = (case.logits / 2 - case.seed % 3) * (1000 if case.seed % 6 == 5 else 1)
    p = clear_of_sums(tenths / 10, case.logits)
    case.show("p", close_to_a_sum(p, case) if case.seed % 2 and case.dtype == torch.float64 else p)
    case.show("min_tokens_to_keep", (1, 3, 1, 2)[case.seed % 4])


@space(batch=(1, 3), eighths=(0, 8), min_tokens_to_keep=(1, 4, 1))
def exact_rows(case, batch, eighths, min_tokens_to_keep):
    """Probabilities that are eighths, in any order, and a p that is as well: their sums reach it exactly."""
    parts = torch.tensor([EIGHTHS[(case.seed + row) % len(EIGHTHS)] for row in range(batch)], dtype=case.dtype)
    case.parts = parts.roll(case.seed, dims=1)
    case.show("logits", (case.parts / 8).log(), batch=batch, d_vocab=5)
    case.show("p", eighths / 8)
    case.show("min_tokens_to_keep", min_tokens_to_keep)


@space(batch=(1, 2), d_vocab=(3, 7, 4), seq=(0, 4, 2))
def choices(case, batch, d_vocab, seq):
    """Logits, texts and options, and the probability that each token then has."""
    turn = case.seed + batch + d_vocab + 3 * seq
    rows_and_texts.build(case, batch, d_vocab, seq, penalty=(2, 0, -2, 4, 1)[turn // 2 % 5])
    case.logits = case.logits / 2
    temperature = 0.05 if case.seed % 7 == 3 else (0.3, 2.5, 1.0)[turn % 3]
    top_k = (None, 3, 4, 2)[turn % 4]
    left = apply_temperature(apply_frequency_penalty(case.logits, case.tokens, case.penalty), temperature)
    left = top_k_filter(left, top_k) if top_k else left
    top_p = (0.6, 0.8, 0.5, None, 0.0)[turn % 5]
    top_p = top_p and clear_of_sums(top_p, left)
    case.shares = (left if top_p is None else top_p_filter(left, top_p)).softmax(dim=1)
    options = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "frequency_penalty": case.penalty}
    case.show("options", options | {"eos_id": (None, 0)[turn % 2]})


@space(batch=(1, 3), seq=(1, 5), n_ctx=(1, 6), d_vocab=(2, 5), new=(0, 6, 2), quarters=(0, 4, 0), eos=(-1, 4, -1))
def prompts(case, batch, seq, n_ctx, d_vocab, new, quarters, eos):
    """Prompts, greedy options, and a model of which no two logits tie; some texts are longer by thirty tokens."""
    case.dtype = torch.float32 if case.seed % 8 == 7 else case.dtype
    more = 15 if case.seed % 6 == 5 else 0
    case.integers("prompt", d_vocab, batch=batch, seq=seq + more)
    case.show("table", case.draw(d_vocab, d_vocab), row=d_vocab, column=d_vocab)
    case.show("places", case.draw(n_ctx, d_vocab) + 0.0137 * torch.arange(d_vocab), n_ctx=n_ctx, d_vocab=d_vocab)
    case.model = probe("toy", table=case.table, places=case.places)
    case.show("max_new_tokens", new + more)
    eos_id = None if eos < 0 else eos % d_vocab
    case.show("options", {"temperature": 0.0, "frequency_penalty": quarters / 4, "eos_id": eos_id})


@fixed
def worked_out(where):
    """Two rows of logits with simple probabilities, and a model that writes 1 after 0, 2 after 1 and so on."""
    case = Case(1, {})
    case.logits, case.tokens = SHARES.log(), torch.tensor([[3, 0], [3, 2]])
    nothing = torch.full((1, 5), -math.inf, dtype=torch.float64)
    case.no_choice = {"first": torch.cat([nothing, case.logits]), "last": torch.cat([case.logits, nothing])}
    case.wrong_ids = {-1: torch.tensor([[0, 1], [2, -1]]), 5: torch.tensor([[5, 1], [2, 0]])}
    table = 10 * torch.eye(5, dtype=torch.float64).roll(1, dims=1)
    case.model = probe("toy", table=table, places=0 * table)
    return [case]


@fixed
def wide_vocabularies(where):
    """Two rows of 5,000 logits, of which the last is the largest by a thousand-millionth."""
    case = Case(0, {})
    case.show("logits", torch.tensor([[1.0], [-2.0]], dtype=case.dtype).repeat(1, 5000), batch=2, d_vocab=5000)
    case.logits[:, -1] += 2**-30
    return [case]


def with_largest(logits, n_kept):
    """The first `n_kept` logits of each row, the largest first, then the lower id; the others -inf."""
    one, other, ids = logits.unsqueeze(2), logits.unsqueeze(1), torch.arange(logits.shape[1])
    is_before = (other > one) | ((other == one) & (ids < ids.unsqueeze(1)))
    return logits.masked_fill(is_before.sum(dim=2) >= torch.as_tensor(n_kept).view(-1, 1), -math.inf)


def expect_shares(shares: Tensor, what: str, *draws: Tensor) -> None:
    """Hold that tokens, or pairs of them from two sets of draws, came as often as their probabilities say.

    Of n draws, a share of q or more (or less) falls on what has probability p no more often than exp(-n KL), where
    KL = q ln(q / p) + (1 - q) ln((1 - q) / (1 - p)): Chernoff's bound. A share with n KL above `NATS` is refused, so
    that a right answer is refused no more often than in 2 exp(-25) of all runs for each share that is looked at.

    `shares` has one axis for each of `draws`, which are ids, one for each draw. Raises `Broken`.
    """
    for drawn, size in zip(draws, shares.shape, strict=True):
        expect_equal(drawn, drawn.clamp(0, size - 1), what="the ids drawn")
    n, xlogy, p = len(draws[0]), torch.xlogy, shares.double().clamp(max=1)
    q = torch.zeros_like(p).index_put(draws, p.new_ones(n), accumulate=True) / n
    surprise = n * (xlogy(q, q) - xlogy(q, p) + xlogy(1 - q, 1 - q) - xlogy(1 - q, 1 - p))
    at = tuple((surprise == surprise.max()).nonzero()[0].tolist())
    if surprise[at] > NATS:
        note = f"in {n} draws; chance alone goes so far once in seventy thousand million times"
        raise Broken("values", float(q[at]), float(p[at]), f"share of {what} {', '.join(map(str, at))}", note)


def expect_chance_of_the_generator(subject: Any, task: str, *args: Any, calls: int = CALLS) -> None:
    """Hold that a task, whose last argument is a generator, draws from it: one state always gives the same.

    Its next state gives others, and so does no generator the next time, unless PyTorch's global one is seeded anew:
    `calls` calls each, with the first row of `args` and with two. It must be next to impossible that these draw the
    same by chance. Raises `Broken`.
    """
    for batch in (1, 2):
        rows = [value[:batch] if isinstance(value, Tensor) else value for value in args]

        def story(do: Any, rows: list = rows) -> dict:
            chance, call, drawn = do.make(generator(5)), getattr(do, task), {}
            turns = {"first": chance, "next": chance, "afresh": do.make(generator(5)), "none": None, "again none": None}
            for name, one in (turns | {"none, seeded anew": None}).items():
                if one is None and name != "again none":
                    do.make(default_generator(6))
                drawn[name] = {str(i): call(*rows, one) for i in range(calls)}
            return drawn

        drawn = {name: torch.stack([*tokens.values()]) for name, tokens in subject.tell(story).items()}
        expect_equal(drawn["afresh"], drawn["first"], what="what the same state draws once more")
        note = "between the two, torch.manual_seed was called with the same seed"
        expect_equal(drawn["none, seeded anew"], drawn["none"], what="without a generator, once more", note=note)
        for before, after, what in (("first", "next", "the next draws"), ("none", "again none", "without a generator")):
            if torch.equal(drawn[before], drawn[after]):
                raise Broken("values", "the same tokens again", "other tokens than those before", what=what)
