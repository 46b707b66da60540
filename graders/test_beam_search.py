"""The specification of beam search, as laws that hold for every input. Read it beside `exercises/beam_search.py`.

The search runs on a toy model, of which no two texts are equally likely: no rounding decides which come first.
"""

import math
from dataclasses import replace

import torch

from graders.engine.law import expect_equal, expect_refusals, law
from graders.engine.script import probe
from graders.engine.space import Case, fixed, space

PENALTIES, NGRAMS, LARGE = (0.0, 1.0, 0.6, 2.0, -0.5), (0, 2, 3, 1), 1000  # exp(710) is too large for any float
QUARTER = 0.25 + 2**-28  # sums are exact in float64, not in float32
IDS = (1, 11, 0)  # written one after the other, 1 11 and 11 1 look alike
BASES = (10, 256, 1000, 50257, 2**16, 10**6)  # of numbers that several ids might be taken for


@space(beams=(1, 4), d_vocab=(1, 6), n_beams=(1, 9, 3))
def tables(case, beams, d_vocab, n_beams):
    """Sums and log-probabilities in quarters, so that ties are exact; in every third case some are -inf."""
    for name, axes in (("sums", {"beams": beams}), ("log_probs", {"beams": beams, "d_vocab": d_vocab})):
        numbers, hidden = -(5 * case.draw(*axes.values())).round().abs() * QUARTER, case.draw(*axes.values()) > 0.4
        case.show(name, numbers.masked_fill(hidden & (case.seed % 3 == 2), -math.inf), **axes)
    case.show("n_beams", n_beams)


@space(length=(0, 13, 5), n_ids=(1, 3))
def sequences(case, length, n_ids):
    """Tokens of which many repeat."""
    case.show("sequence", [IDS[int(10 * x) % n_ids] for x in case.draw(length)])


@space(d_vocab=(1, 5), seq=(1, 5), n_ctx=(1, 5), new=(1, 6), n_beams=(1, 4))
def searches(case, d_vocab, seq, n_ctx, new, n_beams, eos=-1):
    """A prompt, settings and a model, which now and then rules tokens out or has large logits."""
    # To each logit something of its own: tenths would tie
    own = torch.arange(2, 2 + (d_vocab + n_ctx) * d_vocab).sqrt().view(-1, d_vocab) / 100
    table, places = (case.draw(d_vocab + n_ctx, d_vocab).clamp(-2, 2) + own).split([d_vocab, n_ctx])
    ruled_out = (case.draw(n_ctx, d_vocab) > 0.8) & (case.seed % 7 == 2)
    ruled_out[:, case.seed % d_vocab] = False
    places = places.masked_fill(ruled_out, -math.inf) + LARGE * (case.seed % 6 == 5)
    # Much past the context, texts of the same windows in another order would be equally likely
    settings = {"n_beams": n_beams, "max_new_tokens": min(new, n_ctx + 1), "eos_id": None if eos < 0 else eos % d_vocab}
    case.integers("prompt", d_vocab, seq=seq)
    case.show("table", table, token=d_vocab, logit=d_vocab)
    case.show("places", places, place=n_ctx, logit=d_vocab)
    case.show("settings", settings)
    case.show("penalties", {"length_penalty": PENALTIES[case.seed % 5], "no_repeat_ngram_size": NGRAMS[case.seed % 4]})
    case.model = probe("toy", table=table, places=places)
    case.search = lambda do: searched(do, do.make(case.model), case)


@space(d_vocab=(2, 5, 3), seq=(1, 3), new=(4, 9, 5), n_beams=(2, 4))
def races(case, seq, new, n_beams, **sizes):
    """Some texts end soon, if they can; who goes on is ever surer of the next token, and may win in the end.

    In every fourth case the best extensions of the second step all end, and who goes on comes from behind.
    """
    searches.build(case, seq=seq, n_ctx=seq + new, new=new, n_beams=n_beams, eos=case.seed // 2, **sizes)
    case.penalties = {"length_penalty": (0.6, 1.0, 0.0, -0.5)[case.seed % 4], "no_repeat_ngram_size": 0}
    surer, end = seq - 1 + n_beams, case.settings["eos_id"]
    if case.seed % 4 == 1:
        surer, case.settings["n_beams"] = seq + 1, min(n_beams, max(len(case.table) - 1, 2))
        case.table /= 10
        case.places /= 10
        case.places[seq, end] += 1.5
        case.places[surer:, end - 1] += 3
    else:
        case.places[:surer] *= 2
        case.places[:surer, end] += 3
    case.places[surer:, end - 1] += 3
    if case.seed % 42 == 10:
        case.places[:, end] = -math.inf


ends = space(d_vocab=(2, 4, 3), seq=(1, 5), n_ctx=(1, 5), new=(1, 6, 3), n_beams=(1, 4, 1), eos=(0, 3))(searches.build)

# As many beams as there are texts
full_searches = space(d_vocab=(1, 3), seq=(1, 4), n_ctx=(2, 4), new=(1, 3), eos=(-1, 2))(
    lambda case, d_vocab, new, **sizes: searches.build(case, d_vocab, new=new, n_beams=d_vocab**new, **sizes)
)


def few(cases, *seeds, **sizes):
    """Some cases of these sizes."""
    return fixed(lambda where: [cases.case(seed, **sizes) for seed in seeds])


# Sizes beyond the ranges above: more than is sorted by insertion, and many that tie
many_extensions = few(tables.in_float32(), 1, 2, 3, 4, beams=9, d_vocab=40, n_beams=33)
larger_searches = few(races, 6, 7, 15, 40, 41, 48, 67, 74, 76, d_vocab=40, seq=9, new=9, n_beams=9)
some_searches = few(searches.in_float32(), 0, 4, d_vocab=3, seq=4, n_ctx=2, new=3, n_beams=2)


def settled(case, n_beams, new, length_penalty, **logits):
    """The case with these settings, and with a model that has the same logits after every text."""
    case.settings = {"n_beams": n_beams, "max_new_tokens": new, "eos_id": logits.get("eos_id")}
    case.penalties = {"length_penalty": length_penalty, "no_repeat_ngram_size": 0}
    case.table[:], case.places[:] = 0, torch.tensor(logits["logits"], dtype=case.dtype)
    case.prompt[:] = 1
    return case


@fixed
def ties(where):
    """Searches in which all texts tie, some of which can end, and what they find."""
    all_alike = {"d_vocab": 4, "seq": 1, "n_ctx": 5, "new": 2, "n_beams": 3}
    ends = settled(searches.case(0, **all_alike), 3, 2, 1.0, logits=[0.0] * 4, eos_id=0)
    last_id_ends = settled(searches.case(0, **all_alike | {"d_vocab": 3}), 3, 2, 1.0, logits=[0.0] * 3, eos_id=2)
    goes_on = settled(searches.case(0, **all_alike), 2, 2, 0.0, logits=[0.0] * 4)
    ends.best, goes_on.best = [[1, 0], [1, 1, 0], [1, 1, 1]], [[1, 0, 0], [1, 0, 1]]
    last_id_ends.best = [[1, 2], [1, 0, 2], [1, 0, 0]]
    return [ends, last_id_ends, goes_on]


@fixed
def certain_texts(where):
    """The end and another token are equally likely, and after that nothing else is: the sums fall no more."""
    case = searches.case(0, d_vocab=3, seq=1, n_ctx=6, new=5, n_beams=1)
    settled(case, 1, 5, 0.0, logits=[0.0, 0.0, -math.inf], eos_id=0)
    case.places[1:, 0] = -math.inf
    return [case]


@fixed
def unlikely_texts(where):
    """One token is so unlikely that its probability is 0 to a computer, though its logarithm is not."""
    case = searches.case(0, d_vocab=2, seq=1, n_ctx=3, new=1, n_beams=2)
    return [settled(case, 2, 1, 0.0, logits=[0.0, -800.0])]


@fixed
def near_ties(where):
    """Two beams, of whose extensions the last is the best by a thousand-millionth."""
    case = tables.case(0, beams=2, d_vocab=2000, n_beams=3)
    case.sums[:], case.log_probs[:], case.n_beams = 0, -1, 3
    case.log_probs[-1, -1] += 2**-30
    return [case]


@fixed
def the_picture_on_the_page(where):
    """Probabilities of what follows a, b and the end, with which the text begins."""
    case = searches.case(0, d_vocab=3, seq=1, n_ctx=1, new=2, n_beams=2, eos=2)
    case.table[:] = torch.tensor([[0.4, 0.3, 0.3], [0.05, 0.05, 0.9], [0.5, 0.4, 0.1]], dtype=case.dtype).log()
    case.prompt[:], case.places[:] = 2, 0
    return [case]


def expect_best(subject, case):
    """Hold that the best extensions are found: the best first, then the earlier beam, then the lower token."""

    def story(do):
        best = do.extend_beams(case.sums, case.log_probs, case.n_beams)
        return {"sums": best[0], "beams": best[1], "tokens": best[2]}

    table = (case.sums.unsqueeze(1) + case.log_probs).tolist()
    extensions = [(-total, beam, token) for beam, row in enumerate(table) for token, total in enumerate(row)]
    losses, beams, tokens = zip(*sorted(extensions)[: case.n_beams], strict=True)
    best = {"sums": -case.sums.new_tensor(losses), "beams": torch.tensor(beams), "tokens": torch.tensor(tokens)}
    expect_equal(subject.tell(story), best)


def repeats(tokens, size) -> bool:
    """Whether the last n-gram of a sequence is in it before."""
    return size > 0 and any(tokens[i : i + size] == tokens[-size:] for i in range(len(tokens) - size))


def following(case, tokens) -> list[float]:
    """The log-probability of every token after these, as the toy model has it."""
    seen = tokens[-len(case.places) :]
    logits = (case.table[seen] / torch.arange(len(seen), 0, -1).unsqueeze(1)).sum(dim=0) + case.places[len(seen) - 1]
    return logits.log_softmax(dim=-1).tolist()


def with_numbers(case, tokens) -> dict:
    """A text with the numbers that belong to it."""
    places = range(len(case.prompt), len(tokens))
    log_prob = sum(following(case, tokens[:i])[tokens[i]] for i in places)
    return {"tokens": tokens, "log_prob": log_prob, "score": log_prob / len(places) ** case.penalties["length_penalty"]}


def all_texts(case, tokens) -> list[dict]:
    """Every text that goes on after `tokens`, has probability, repeats no n-gram, and ends or is long enough."""
    n_new = len(tokens) - len(case.prompt)
    if n_new == case.settings["max_new_tokens"] or (n_new and tokens[-1] == case.settings["eos_id"]):
        return [with_numbers(case, tokens)]
    ways = [[*tokens, token] for token, log_prob in enumerate(following(case, tokens)) if log_prob > -math.inf]
    size = case.penalties["no_repeat_ngram_size"]
    return [text for way in ways if not repeats(way, size) for text in all_texts(case, way)]


def searched(do, model, case) -> list:
    """A story: the texts that a search finds, and how many tokens the model was given in each call."""
    return [do.beam_search(model, case.prompt, **case.settings, **case.penalties), model.lengths]


def expect_texts(yours, expected, note=""):
    """Hold that these are the texts, best score first, each with its numbers."""
    expect_equal(len(yours), len(expected), what="the number of texts", note=note)
    expect_equal(yours, sorted(expected, key=lambda text: -text["score"]), what="texts:", note=note)


def expect_search(subject, reference, case):
    """Hold that a search finds what it should, and calls the model no more often than it has to."""
    (yours, calls), (expected, their_calls) = subject.tell(case.search), reference.tell(case.search)
    expect_texts(yours, expected)
    expect_equal(calls, their_calls[: len(calls)], what="tokens in each call", note="one a step, while a beam can win")


# extend_beams


@law("extend_beams", tables)
def test_the_best_extensions_come_first(subject, reference, case):
    """Of all beams with all tokens the n_beams largest sums come back, best first, with their beams and tokens."""
    expect_best(subject, case)


@law("extend_beams", many_extensions)
def test_the_best_of_many_extensions_in_float32(subject, reference, case):
    """Of 360 extensions, many of which tie, it is still the 33 best that come back, in order and in float32."""
    expect_best(subject, case)


@law("extend_beams", near_ties)
def test_what_nearly_ties_comes_in_order(subject, reference, case):
    """Of 4,000 extensions the last comes first when its sum is larger, if only by a thousand-millionth."""
    expect_best(subject, case)


@law("extend_beams", few(tables, 1, beams=2, d_vocab=3, n_beams=1))
def test_to_keep_no_extension_is_refused(subject, reference, case):
    """An n_beams of 0 or below raises ValueError."""
    expect_refusals(subject, "extend_beams", {f"n_beams is {n}": (case.sums, case.log_probs, n) for n in (0, -1)})


# banned_tokens


@law("banned_tokens", sequences)
def test_what_would_repeat_an_ngram_is_banned(subject, reference, case):
    """A token is banned if the sequence, with it, would end in an n-gram that is in it already; no other is."""
    found = subject.tell(lambda do: [do.banned_tokens(case.sequence, size) for size in range(5)])
    for size, yours in enumerate(found):
        banned = {token for token in (*IDS, 2) if repeats([*case.sequence, token], size)}
        expect_equal(yours, banned, what=f"at ngram_size {size}", note="every token tried")


@law("banned_tokens", fixed(lambda where: [Case(0, {})]))
def test_banned_tokens_worked_by_hand(subject, reference, case):
    """The page's sequences, and others worked by hand, have the banned tokens that they should have."""
    known = (([1, 2, 3, 1, 2], 3, {3}), ([3, 3], 2, {3}), ([5, 7], 1, {5, 7}), ([5, 7], 0, set[int]()))
    more = (([3, 1, 2, 1], 2, {2}), ([1, 2, 1, 3, 1], 2, {2, 3}), ([2, 1, 3, 1, 2], 3, set[int]()), ([4] * 3, 3, {4}))
    long = (([*range(12), *range(8)], 9, {8}), ([*range(8), 9, *range(1, 7)], 8, set[int]()))
    for sequence, size, banned in (*known, *more, *long):
        expect_equal(subject.banned_tokens(sequence, size), banned, note=f"worked by hand: {sequence}, size {size}")


@law("banned_tokens", fixed(lambda where: [Case(0, {})]))
def test_large_ids_are_told_apart(subject, reference, case):
    """Ids are whole numbers of any size, and two n-grams of different ids are never taken for one."""
    known = [([300, 50256, 300], 2, {50256}), ([50256, 7, 50257], 2, set[int]())]
    known += [([base, 0, 7, 0, 1], 3, set[int]()) for base in BASES]  # base + 0 * base is 0 + 1 * base
    known += [([0, base, 7, 1, 0], 3, set[int]()) for base in BASES]
    found = subject.tell(lambda do: [do.banned_tokens(sequence, size) for sequence, size, _ in known])
    for (sequence, size, banned), yours in zip(known, found, strict=True):
        expect_equal(yours, banned, note=f"worked by hand: {sequence}, size {size}")


@law("banned_tokens", few(sequences, 0, 1, length=4, n_ids=2))
def test_a_negative_size_is_refused(subject, reference, case):
    """A negative size raises ValueError."""
    expect_refusals(subject, "banned_tokens", {"ngram_size is -1": (case.sequence, -1)})


# beam_search


@law("beam_search", searches)
def test_the_best_beams_are_extended_and_kept(subject, reference, case):
    """Each step is one call of the model with all live beams, of whose extensions the n_beams best live on."""
    expect_search(subject, reference, case)


@law("beam_search", races)
def test_a_live_beam_may_win_in_the_end(subject, reference, case):
    """What ends is kept aside, and the search goes on as long as a live beam can still beat one of the n_beams kept."""
    expect_search(subject, reference, case)


@law("beam_search", ends)
def test_ended_and_live_texts_compete(subject, reference, case):
    """The n_beams best of the texts that ended and of those that live at the end come back, best score first."""
    expect_search(subject, reference, case)


@law("beam_search", full_searches)
def test_all_texts_are_found_where_no_beam_is_pruned(subject, reference, case):
    """With as many beams as there are texts, every possible text is found."""
    expect_texts(subject.tell(case.search)[0], all_texts(case, case.prompt.tolist()), "all texts, one by one")


@law("beam_search", searches)
def test_one_beam_is_greedy_choice(subject, reference, case):
    """With one beam and nothing else asked for, each new token is the likeliest, and the score is log_prob."""
    case.settings, case.penalties = case.settings | {"n_beams": 1}, {"length_penalty": 0.0, "no_repeat_ngram_size": 0}
    tokens = case.prompt.tolist()
    for _ in range(case.settings["max_new_tokens"]):
        tokens.append(max(range(len(case.table)), key=following(case, tokens).__getitem__))
    yours = subject.beam_search(case.model, case.prompt, 1, case.settings["max_new_tokens"])
    expect_texts(yours, [with_numbers(case, tokens)], "greedy choice")


@law("beam_search", the_picture_on_the_page)
def test_search_of_the_picture_on_the_page(subject, reference, case):
    """In the page's picture `b .`, with a probability of 0.36, comes before `a a`, with 0.2."""
    ends, lives = ({"tokens": [2, *new], "log_prob": math.log(p)} for new, p in (([1, 2], 0.36), ([0, 0], 0.2)))
    expect_equal(subject.tell(case.search)[0], [ends, lives], what="texts:", note="worked by hand")


@law("beam_search", ties)
def test_of_texts_that_tie_the_first_found_are_kept(subject, reference, case):
    """Where texts tie, the earlier beam and the lower token go first, and what was finished first stays first."""
    found = subject.tell(lambda do: do.beam_search(do.make(case.model), case.prompt, **case.settings, **case.penalties))
    expect_equal([text["tokens"] for text in found], case.best, what="the texts", note="worked by hand")


@law("beam_search", unlikely_texts)
def test_an_unlikely_text_is_a_text(subject, reference, case):
    """A text whose log-probability is -800 is possible: only one of -inf is out."""
    expect_texts(subject.tell(case.search)[0], all_texts(case, case.prompt.tolist()), "all texts, one by one")


@law("beam_search", certain_texts)
def test_the_search_stops_when_it_can_only_tie(subject, reference, case):
    """The search stops when no live beam can beat the worst of those kept: one that can only tie does not beat it."""
    expect_search(subject, reference, case)


@law("beam_search", some_searches)
def test_the_model_is_left_as_it_was(subject, reference, case):
    """The search records no gradients; afterwards they are recorded again, and the model is in the mode it was in."""

    def story(do):
        model, in_eval = do.make(case.model), do.make(case.model)
        in_eval.eval()
        searched(do, in_eval, case)
        searched(do, model, case)
        model(case.prompt[:1].unsqueeze(0))
        modes = {"train mode": model.training, "train mode of a model that is in eval mode": in_eval.training}
        return modes | {"gradients in each call, and after": model.grads, "to be trained": model.table.requires_grad}

    expect_equal(subject.tell(story), reference.tell(story))


@law("beam_search", some_searches)
def test_without_a_new_token_the_prompt_comes_back(subject, reference, case):
    """With max_new_tokens 0 the prompt comes back, with a log_prob and a score of 0."""
    nothing_new = {"tokens": case.prompt.tolist(), "log_prob": 0.0, "score": 0.0}
    as_it_is = replace(subject, checks_form=False)  # 0 may be an int
    for penalty in PENALTIES:
        expect_equal(as_it_is.beam_search(case.model, case.prompt, 2, 0, 1, penalty), [nothing_new], what="texts:")


@law("beam_search", larger_searches)
def test_a_larger_search(subject, reference, case):
    """Nine beams, a vocabulary of 40 and nine new tokens give the texts that the definition gives."""
    expect_search(subject, reference, case)


@law("beam_search", some_searches)
def test_what_cannot_be_searched_is_refused(subject, reference, case):
    """An empty prompt, a batch, unknown ids, no beams, a negative n-gram and a beam of -inf raise ValueError."""
    model, prompt = case.model, case.prompt
    calls: dict[str, tuple] = {}
    for new in (3, 0):  # even if nothing is to be written
        wrong = {f"the prompt is {ids}": (torch.tensor(ids), 2) for ids in ([-1, 0, 1], [3, 0, 1], [0, 3])}
        wrong |= {f"the prompt has shape {size}": (prompt.new_zeros(size), 2) for size in ((0,), (1, 3), (2, 2))}
        wrong |= {f"n_beams is {n}": (prompt, n) for n in (0, -1)}
        calls |= {f"{what}, max_new_tokens {new}": (model, *given, new) for what, given in wrong.items()}
        calls[f"no_repeat_ngram_size is -1, max_new_tokens {new}"] = (model, prompt, 2, new, None, 0.0, -1)
    silent = probe("toy", table=case.table, places=case.places.index_fill(0, torch.tensor([1]), -math.inf))
    calls |= {f"all logits are -inf in step {3 - n}": (silent, prompt[:n], 2, 3) for n in (2, 1)}
    silent = probe("toy", table=case.table.index_fill(0, torch.tensor([2]), -math.inf), places=case.places)
    calls["all logits of one beam of three are -inf in step 2"] = (silent, prompt[:1] * 0, 3, 2)
    expect_refusals(subject, "beam_search", calls)
