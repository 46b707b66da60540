"""The specification of beam search, as laws that hold for every input. Read it beside `exercises/beam_search.py`.

The search runs on a toy model that learners do not write. Its logits depend on all that it sees, and no two of its
texts are equally likely, so that no rounding decides; what to do about ties is said of `extend_beams`.
"""

import math
from dataclasses import replace

import torch

from graders.engine.law import Broken, expect_equal, law
from graders.engine.script import probe
from graders.engine.space import Case, fixed, space

INF = math.inf
SETTINGS = ("n_beams", "max_new_tokens", "eos_id", "length_penalty", "no_repeat_ngram_size")
PENALTIES = (0.0, 1.0, 0.6, 2.0, -0.5)
NGRAMS = (0, 2, 3, 1)
IDS = (1, 11, 0)  # written one after the other, 1 11 and 11 1 look alike
END_IS_LIKELY, LIKELY_EVERY, LARGE, SURE, RACEPEN = 1.5, 2, 1000, 5, (1.0, 0.6, 2.0)  # exp(710) is too large for any float


@space(beams=(1, 4), d_vocab=(1, 6), n_beams=(1, 9, 3))
def tables(case, beams, d_vocab, n_beams):
    """Sums and log-probabilities in quarters, so that ties are exact; in every third case some are -inf."""
    for name, axes in (("sums", {"beams": beams}), ("log_probs", {"beams": beams, "d_vocab": d_vocab})):
        quarters, hidden = -(5 * case.draw(*axes.values())).round().abs() / 4, case.draw(*axes.values()) > 0.4
        case.show(name, quarters.masked_fill(hidden & (case.seed % 3 == 2), -INF), **axes)
    case.show("n_beams", n_beams)


@space(length=(0, 9, 4), size=(0, 4), n_ids=(1, 3))
def sequences(case, length, size, n_ids):
    """Tokens of which many repeat, and the size of an n-gram, which may be more than there are tokens."""
    case.show("sequence", [IDS[int(10 * x) % n_ids] for x in case.draw(length)])
    case.show("ngram_size", size)


@space(d_vocab=(1, 5), seq=(1, 5), n_ctx=(1, 5), new=(1, 6), n_beams=(1, 4))
def searches(case, d_vocab, seq, n_ctx, new, n_beams, eos=-1):
    """A prompt, settings without an end token, and a model; now and then it rules tokens out."""
    eos_id = None if eos < 0 else eos % d_vocab
    # To each logit something of its own: tenths would tie
    own = torch.arange(2, 2 + (d_vocab + n_ctx) * d_vocab, dtype=case.dtype).sqrt().view(-1, d_vocab) / 100
    table, places = (case.draw(d_vocab + n_ctx, d_vocab).clamp(-2, 2) + own).split([d_vocab, n_ctx])
    ruled_out = (case.draw(n_ctx, d_vocab) > 0.8) & (case.seed % 7 == 2)
    ruled_out[:, case.seed % d_vocab] = False
    places = places.masked_fill(ruled_out, -INF) + LARGE * (case.seed % 6 == 5)
    # Much past the context, texts of the same windows in another order would be equally likely
    settings = (n_beams, min(new, n_ctx + 1), eos_id, PENALTIES[case.seed % 5], NGRAMS[case.seed % 4])
    case.integers("prompt", d_vocab, seq=seq)
    case.show("table", table, token=d_vocab, logit=d_vocab)
    case.show("places", places, place=n_ctx, logit=d_vocab)
    case.show("settings", dict(zip(SETTINGS, settings, strict=True)))
    case.model = probe("toy", table=table, places=places)
    case.search = lambda do: searched(do, do.make(case.model), case)


@space(d_vocab=(2, 4), seq=(1, 3), new=(2, 6, 4), n_beams=(1, 3))
def races(case, seq, new, n_beams, **sizes):
    """Some texts end at once; who goes on is soon surer of each token, and may win in the end."""
    searches.build(case, seq=seq, n_ctx=seq + new, new=new, n_beams=n_beams, eos=case.seed // 2, **sizes)
    surer, end = seq - 1 + n_beams, case.settings["eos_id"]
    case.places[:surer, end] += END_IS_LIKELY
    case.places[surer:, end - 1] += SURE
    case.settings |= {"length_penalty": RACEPEN[case.seed % 3], "no_repeat_ngram_size": 0}


@space(d_vocab=(1, 5), seq=(1, 5), n_ctx=(1, 5), new=(1, 6), n_beams=(1, 4), eos=(0, 4))
def searches_with_an_end(case, eos, **sizes):
    """An end token, which is often likely."""
    searches.build(case, eos=eos, **sizes)
    if case.seed % 3:
        case.places[:, case.settings["eos_id"]] += END_IS_LIKELY


def searched(do, model, case) -> dict:
    """The texts that a search finds, and how many tokens the model was given in each call."""
    texts = do.beam_search(model, case.prompt, **case.settings)
    return {"texts": texts, "calls": do.look(model.lengths)}


@space(d_vocab=(1, 3), seq=(1, 4), n_ctx=(2, 4), new=(1, 3), eos=(-1, 2))
def full_searches(case, d_vocab, new, **sizes):
    """As many beams as there are texts."""
    searches.build(case, d_vocab=d_vocab, new=new, n_beams=d_vocab**new, **sizes)


@space(d_vocab=(1, 5), seq=(1, 5), n_ctx=(1, 5), new=(1, 6))
def searches_with_one_beam(case, **sizes):
    """One beam, and nothing else that is asked for."""
    searches.build(case, n_beams=1, **sizes)
    case.settings |= {"length_penalty": 0.0, "no_repeat_ngram_size": 0}


def few(cases, *seeds, **sizes):
    """Some cases of these sizes."""
    return fixed(lambda where: [cases.case(seed, **sizes) for seed in seeds])


# Sizes beyond the ranges above: more than is sorted by insertion, and many that tie
many_extensions = few(tables, 1, 2, 3, 4, beams=9, d_vocab=40, n_beams=33)
larger_searches = few(searches_with_an_end, 1, 4, 6, d_vocab=40, seq=20, n_ctx=24, new=12, n_beams=9, eos=3)
some_searches = few(searches_with_an_end, 0, 3, d_vocab=3, seq=4, n_ctx=2, new=3, n_beams=2, eos=1)


def example(**inputs) -> Case:
    """A case that is not drawn."""
    case = Case(0, {})
    for name, value in inputs.items():
        case.show(name, value)
    return case


@fixed
def known_ngrams(where):
    """The examples on the page, and n-grams that overlap, lie far back, or are as long as the sequence."""
    known = (([1, 2, 3, 1, 2], 3, {3}), ([3, 3], 2, {3}), ([5, 7], 1, {5, 7}), ([5, 7], 0, set()), ([], 1, set()))
    known += (([1, 2, 1, 3, 1], 2, {2, 3}), ([2, 1, 3, 1, 2], 3, set()), ([4, 4, 4], 3, {4}), ([4, 4], 3, set()))
    known += (([*range(90), 7, 8], 3, {9}), ([*range(300), *range(8)], 9, {8}), ([50256, 1, 50256], 2, {1}))
    return [example(sequence=sequence, ngram_size=size, expected=banned) for sequence, size, banned in known]


@fixed
def the_page(where):
    """The table of the page's last questions; what follows a, b and the end in its picture."""
    table = torch.tensor([[-1, -3], [-0.5, -0.1]], dtype=torch.float64)
    picture = table.new_tensor([[0.4, 0.3, 0.3], [0.05, 0.05, 0.9], [0.5, 0.4, 0.1]])
    return [example(sums=table.new_tensor([-1, -2]), log_probs=table, probabilities=picture)]


def expect_best(subject, sums, log_probs, n_beams, note=""):
    """Hold that the best extensions are found: the best first, then the earlier beam, then the lower token."""

    def story(do):
        best = do.extend_beams(sums, log_probs, n_beams)
        return {"sums": best[0], "beams": best[1], "tokens": best[2]}

    table = (sums.unsqueeze(1) + log_probs).tolist()
    extensions = [(-total, beam, token) for beam, row in enumerate(table) for token, total in enumerate(row)]
    losses, beams, tokens = zip(*sorted(extensions)[:n_beams], strict=True)
    best = {"sums": -sums.new_tensor(losses), "beams": torch.tensor(beams), "tokens": torch.tensor(tokens)}
    expect_equal(subject.tell(story), best, note=note)


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
    return {"tokens": tokens, "log_prob": log_prob, "score": log_prob / len(places) ** case.settings["length_penalty"]}


def best_first(texts) -> list[dict]:
    """Texts by their scores."""
    return sorted(texts, key=lambda text: text["score"], reverse=True)


def all_texts(case, tokens) -> list[dict]:
    """Every text that goes on after `tokens`, has probability, repeats no n-gram, and ends or is long enough."""
    n_new = len(tokens) - len(case.prompt)
    if n_new == case.settings["max_new_tokens"] or (n_new and tokens[-1] == case.settings["eos_id"]):
        return [with_numbers(case, tokens)]
    ways = [[*tokens, token] for token, log_prob in enumerate(following(case, tokens)) if log_prob > -INF]
    allowed = [way for way in ways if not repeats(way, case.settings["no_repeat_ngram_size"])]
    return [text for way in allowed for text in all_texts(case, way)]


def expect_texts(yours, expected, note=""):
    """Hold that these are the texts, in order, each with its numbers."""
    expect_equal(len(yours), len(expected), what="the number of texts", note=note)
    for i, (text, other) in enumerate(zip(yours, expected, strict=True)):
        expect_equal(text, other, what=f"text {i}:", note=note)


def expect_search(subject, reference, case):
    """Hold that a search finds what it should, and calls the model no more often than it has to."""
    yours, expected = subject.tell(case.search), reference.tell(case.search)
    expect_texts(yours["texts"], expected["texts"])
    may_be = expected["calls"][: len(yours["calls"])]
    expect_equal(yours["calls"], may_be, what="tokens in each call", note="steps at most, each of n_ctx tokens at most")


def expect_refusals(subject, task, calls):
    """Hold that each of these calls raises `ValueError`; `calls` are arguments, by what is wrong with them."""
    raised = subject.tell(lambda do: [do.caught(getattr(do, task), *args)["classes"] for args in calls.values()])
    for what, classes in zip(calls, raised, strict=True):
        if "ValueError" not in classes:
            raise Broken("values", classes[0] if classes else "no error", "ValueError", what="the error", note=what)


# extend_beams


@law("extend_beams", tables)
def test_the_best_extensions_come_first(subject, reference, case):
    """Of all beams with all tokens the n_beams largest sums come back, best first, with their beams and tokens."""
    expect_best(subject, case.sums, case.log_probs, case.n_beams)


@law("extend_beams", the_page)
def test_extensions_of_the_table_on_the_page(subject, reference, case):
    """In the page's table the best two are -2, beam 0 with token 0, and -2.1, beam 1 with token 1."""
    best = subject.extend_beams(case.sums, case.log_probs, 1)
    expect_equal([part.tolist() for part in best], [[-2.0], [0], [0]], note="the best one")
    expect_best(subject, case.sums, case.log_probs, 2, "worked by hand")


@law("extend_beams", many_extensions)
def test_the_best_of_many_extensions(subject, reference, case):
    """Of 360 extensions, many of which tie, it is still the 33 best that come back, in order."""
    expect_best(subject, case.sums, case.log_probs, case.n_beams)


@law("extend_beams", tables.in_float32())
def test_extensions_in_float32(subject, reference, case):
    """In float32 the sums are the same, in float32."""
    expect_best(subject, case.sums, case.log_probs, case.n_beams)


@law("extend_beams", the_page)
def test_to_keep_no_extension_is_refused(subject, reference, case):
    """An n_beams of 0 or below raises ValueError."""
    expect_refusals(subject, "extend_beams", {f"n_beams is {n}": (case.sums, case.log_probs, n) for n in (0, -1)})


# banned_tokens


@law("banned_tokens", sequences)
def test_what_would_repeat_an_ngram_is_banned(subject, reference, case):
    """A token is banned if the sequence, with it, would end in an n-gram that is in it already; no other is."""
    banned = {token for token in (*IDS, 2) if repeats([*case.sequence, token], case.ngram_size)}
    expect_equal(subject.banned_tokens(case.sequence, case.ngram_size), banned, note="every token tried")


@law("banned_tokens", known_ngrams)
def test_banned_tokens_worked_by_hand(subject, reference, case):
    """The page's sequences, and others worked by hand, have the banned tokens that they should have."""
    expect_equal(subject.banned_tokens(case.sequence, case.ngram_size), case.expected, note="worked by hand")


@law("banned_tokens", known_ngrams)
def test_a_negative_size_is_refused(subject, reference, case):
    """A negative size raises ValueError."""
    expect_refusals(subject, "banned_tokens", {"ngram_size is -1": (case.sequence, -1)})


# beam_search


@law("beam_search", searches)
def test_the_best_beams_are_extended_and_kept(subject, reference, case):
    """In each step all live beams are one call of the model, and the n_beams best extensions live on."""
    expect_search(subject, reference, case)


@law("beam_search", races)
def test_a_live_beam_may_win_in_the_end(subject, reference, case):
    """What ends is kept aside; the search goes on as long as a live beam can still beat one of the n_beams kept."""
    expect_search(subject, reference, case)


@law("beam_search", searches_with_an_end)
def test_ended_and_live_texts_compete(subject, reference, case):
    """Ended texts and those that live at the end come back together, the n_beams best of them, best score first."""
    expect_search(subject, reference, case)


@law("beam_search", full_searches)
def test_all_texts_are_found_where_no_beam_is_pruned(subject, reference, case):
    """With as many beams as there are texts, every possible text is found, best score first."""
    expected = best_first(all_texts(case, case.prompt.tolist()))
    expect_texts(subject.tell(case.search)["texts"], expected, "all texts, one by one")


@law("beam_search", searches_with_one_beam)
def test_one_beam_is_greedy_choice(subject, reference, case):
    """With one beam and nothing else asked for, each new token is the likeliest, and the score is log_prob."""
    tokens = case.prompt.tolist()
    for _ in range(case.settings["max_new_tokens"]):
        log_probs = following(case, tokens)
        tokens = [*tokens, log_probs.index(max(log_probs))]
    yours = subject.beam_search(case.model, case.prompt, 1, case.settings["max_new_tokens"])
    expect_texts(yours, [with_numbers(case, tokens)], "greedy choice")


@law("beam_search", the_page)
def test_search_of_the_picture_on_the_page(subject, reference, case):
    """In the page's picture `b .` comes first and `a a` second, and with a length penalty of 1 as well."""
    model = probe("toy", table=case.probabilities.log(), places=torch.zeros_like(case.probabilities[:1]))
    for penalty, scores in ((0.0, (-1.0216512, -1.6094379)), (1.0, (-0.5108256, -0.8047190))):
        yours = subject.beam_search(model, torch.tensor([2]), 2, 2, 2, penalty)
        expect_equal([text["tokens"] for text in yours], [[2, 1, 2], [2, 0, 0]], note="worked by hand")
        expect_equal(torch.tensor([text["score"] for text in yours]), torch.tensor(scores), what="scores")


@law("beam_search", searches_with_an_end)
def test_texts_are_different_and_known_to_the_model(subject, reference, case):
    """At most n_beams texts come back, none twice, best score first, and the model agrees with their numbers."""
    yours, d_vocab, n_prompt = subject.tell(case.search)["texts"], len(case.table), len(case.prompt)
    expect_equal(len(yours), min(len(yours), case.settings["n_beams"]), what="the number of texts")
    expect_equal(len({tuple(text["tokens"]) for text in yours}), len(yours), what="the number of different texts")
    for i, text in enumerate(yours):
        known = [*case.prompt.tolist(), *(id % d_vocab for id in text["tokens"][n_prompt:])]
        expect_equal(text["tokens"], known[: n_prompt + case.settings["max_new_tokens"]], what=f"text {i}")
    expected = best_first(with_numbers(case, text["tokens"]) for text in yours)
    expect_texts(yours, expected, "the model asked once more")


@law("beam_search", some_searches)
def test_the_model_is_left_as_it_was(subject, reference, case):
    """The search records no gradients; afterwards they are recorded again, and the model is in the mode it was in."""

    def story(do):
        model, in_eval = do.make(case.model), do.make(case.model)
        in_eval.eval()
        searched(do, in_eval, case)
        searched(do, model, case)
        during = do.look(model.grads)
        model(case.prompt[:1].unsqueeze(0))
        after = [model.grads[-1], model.table.requires_grad]
        return {"during": during, "after": after, "training": [model.training, in_eval.training]}

    yours = subject.tell(story)
    expect_equal(any(yours["during"]), False, what="gradients recorded in the search")
    expect_equal(yours["after"], [True, True], what="gradients recorded after it, and of the model")
    expect_equal(yours["training"], [True, False], what="training, of a model in train mode and of one in eval mode")


@law("beam_search", some_searches)
def test_a_search_that_cannot_go_on_ends(subject, reference, case):
    """Where all is banned, what has ended comes back, if anything; with no token to add, the prompt with 0 and 0."""
    for prompt, expected in (([2, 0, 1], []), ([2, 0, 2], [[2, 0, 2, 1]])):
        yours = subject.beam_search(case.model, torch.tensor(prompt), 2, 3, 1, 0.0, 1)
        expect_equal([text["tokens"] for text in yours], expected, note=f"no token of the prompt {prompt} may repeat")
    as_it_is = replace(subject, checks_form=False)  # 0 may be an int
    for penalty in PENALTIES:
        yours = as_it_is.beam_search(case.model, case.prompt, 2, 0, 1, penalty)
        expect_equal(yours, [{"tokens": case.prompt.tolist(), "log_prob": 0.0, "score": 0.0}], what="no new token")


@law("beam_search", larger_searches)
def test_a_larger_search(subject, reference, case):
    """Nine beams, a vocabulary of 40 and twelve new tokens give the texts that the definition gives."""
    expect_texts(subject.tell(case.search)["texts"], reference.tell(case.search)["texts"])


@law("beam_search", some_searches)
def test_what_cannot_be_searched_is_refused(subject, reference, case):
    """An empty prompt, a batch, unknown ids, no beams, a negative n-gram and logits of -inf raise ValueError."""
    model, prompt = case.model, case.prompt
    silent = probe("toy", table=case.table, places=torch.full_like(case.places, -INF))
    later = probe("toy", table=case.table, places=case.places.index_fill(0, torch.tensor([1]), -INF))
    calls = {
        "the prompt is empty": (model, prompt[:0], 2, 3),
        "the prompt is a batch of one": (model, prompt.unsqueeze(0), 2, 3),
        "the prompt is a batch of two": (model, prompt.view(2, 2), 2, 3),
        "the prompt begins with the id -1": (model, torch.tensor([-1, 0, 1]), 2, 3),
        "the prompt begins with an id too large": (model, torch.tensor([3, 0, 1]), 2, 3),
        "the prompt ends in an id too large": (model, torch.tensor([0, 3]), 2, 3),
        "n_beams is 0": (model, prompt, 0, 3),
        "n_beams is -1": (model, prompt, -1, 3),
        "no_repeat_ngram_size is -1": (model, prompt, 2, 3, None, 0.0, -1),
        "all logits are -inf": (silent, prompt, 2, 3),
        "all logits are -inf in the second step": (later, prompt[:1], 2, 3),
    }
    expect_refusals(subject, "beam_search", calls)
