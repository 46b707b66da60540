"""Cases for the laws of the tokenizer: ids in which pairs repeat, texts made of few pieces, and merges to read them."""

import functools
import json
import os
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, pairwise
from pydoc_data.topics import topics
from random import Random

from graders.engine.law import Broken
from graders.engine.space import Case, Fixed, fixed, given_case, space
from graders.engine.worker.codec import Opaque
from graders.engine.worker.messages import Request
from graders.weights.checkpoint import EMBEDDED, CheckpointError, find_folder
from reference.tokenizer import BYTES, ID_OF_BYTE, merge, words_as_ids

# The judge forks the processes that learners' code runs in, and the library warns of forks after it has used threads
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import tokenizers

IDS = (1, 11, 0, 300)  # written one after the other, 1 11 and 11 1 look alike
ABSENT = -1  # in the place of a count
LETTERS = ("a", "b", "c", "ab", "1")
IN_EACH_OTHERS_WAY = 5  # every fifth seed
LONG, ACROSS = 0.7, 0.2  # the shares of letters in a text, so that its words are long, and of merges across words
# Of a text. The first few alone give runs of letters and many ties; what follows tells one way of cutting from another
PIECES = (
    *("a", " ", "b", "aa", "  ", "\n", "ab", "1", "'s", "!", "\u00e9", "\U0001f600", "\t", "'S", "c", ".", "don't"),
    *("_", "\u8a9e", "e\u0301", "\x00", "\u0663", "\xa0", "\x1c", "\r\n", "\u2028", "\xbd", "I'll", "\xad", "\u200d"),
)
HARD = (  # to cut: each is followed by the next without a space between
    "Hello, world! it's 1999; she'd they'll say \"DON'T\", we've I'm you'd 're 'LL",
    "   three  two \n\n\n lines\r\n\t tab  ",
    "na\u00efve caf\u00e9 cafe\u0301 stra\u00dfe \u01c5 \u02b0 \u00aa\u00ba",
    "1234567890 x\u00b2 \u00bd\u2166\u0664\u0665 3.14 1,000 a1b2",
    "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8\u3002\u4e2d\u6587",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \ud55c\uae00",
    "\U0001f600\U0001f469\u200d\U0001f469\u200d\U0001f467 \u270a\U0001f3fd \U0001f1ea\U0001f1fa",
    "\x00\x01\x1b[0m\x7f\x85\x1c\x1f\xa0\u2003\u200b\u3000\ufeff",
    "snake_case __init__ a.b(c)[d] => 'quoted' ''s ' " + " " * 9 + "a" * 33 + "\n \n  \nthe end  ",
)


@space(length=(0, 12, 4), n_ids=(1, 4))
def rows(case, length, n_ids):
    """Ids in which many pairs repeat."""
    case.show("ids", Random(case.seed).choices(IDS[:n_ids], k=length))


@space(length=(0, 12, 4), n_ids=(1, 4))
def rows_to_merge(case, length, n_ids):
    """The same, a pair, and the id that is to take its place, which may be one of them."""
    chance = Random(case.seed)
    case.show("ids", chance.choices(IDS[:n_ids], k=length))
    case.show("pair", tuple(chance.choices(IDS[:n_ids], k=2)))
    case.show("new_id", chance.choice((*IDS, 256)))


@space(pieces=(0, 12, 4), kinds=(1, len(PIECES)), n_merges=(0, 9, 2))
def texts(case, pieces, kinds, n_merges):
    """A text in which much repeats, and the size of a vocabulary."""
    chance = Random(case.seed)
    case.show("text", "".join(chance.choices(some_pieces(chance, kinds), k=pieces)))
    case.show("vocab_size", 256 + n_merges)


@space(pieces=(0, 15, 3), kinds=(1, len(PIECES)), n_merges=(0, 14, 2))
def readings(case, pieces, kinds, n_merges):
    """A text, and merges that can be made in it: of any pairs, in any order, and now and then across words.

    For every fifth seed, the first of which is shown first: abc again and again, with merges that want the same
    letters, of which the last in the text is learnt first.
    """
    chance = Random(case.seed)
    known = some_pieces(chance, kinds)
    text = "".join(chance.choice(LETTERS if chance.random() < LONG else known) for _ in range(pieces))
    letters = "".join(chance.choices(LETTERS, k=pieces))
    of_letters: list[tuple[int, int]] = []
    if case.seed % IN_EACH_OTHERS_WAY == 0:
        text, letters = ("abc " * pieces)[:pieces], ""
        of_letters = list(dict.fromkeys(pair for word in words_as_ids(text) for pair in pairwise(word)))[::-1]
    words = list(words_as_ids(f"{text} {letters}" if letters else text))
    merges: list[tuple[int, int]] = []
    while len(merges) < n_merges:
        within = of_letters[len(merges) :][:1] or [pair for word in words for pair in pairwise(word)]
        across = [(a[-1], b[0]) for a, b in pairwise(words)]
        pairs = across if not of_letters and chance.random() < ACROSS and across else within
        pairs = [pair for pair in pairs if pair not in merges]
        if not pairs:
            break
        merges.append(chance.choice(pairs))
        words = [merge(word, merges[-1], 255 + len(merges)) for word in words]
    case.show("text", text)
    case.show("merges", merges)
    case.ids = chance.choices([*chain.from_iterable(words), *range(256 + len(merges))], k=pieces)


def some_pieces(chance: Random, kinds: int) -> list[str]:
    """The first pieces, or any."""
    return list(PIECES[:kinds]) if kinds < len(PIECES) // 2 else chance.sample(PIECES, kinds // 3)


def ids_of(text: str) -> list[int]:
    """The ids of a text's bytes."""
    return [ID_OF_BYTE[byte] for byte in text.encode()]


def in_letters(merges: list[tuple[int, int]]) -> str:
    """Merges as a person reads them."""
    return ", ".join(" + ".join(in_pieces(pair, merges)) for pair in merges) or "none"


def in_pieces(ids: Iterable[int], merges: list[tuple[int, int]]) -> list[str]:
    """What each id stands for, in quotes."""
    known = [bytes([byte]) for byte in BYTES]
    for a, b in merges:
        known.append(known[a] + known[b])
    return [repr(known[i].decode(errors="backslashreplace")) if 0 <= i < len(known) else "?" for i in ids]


def both_in_pieces(yours: object, expected: list[int], merges: list[tuple[int, int]]) -> str:
    """What two answers of `encode` cut the text into, and the merges that were to be made."""
    ids = yours if isinstance(yours, list) and all(isinstance(i, int) for i in yours) else []
    yours_cut, expected_cut = (" ".join(in_pieces(of, merges)) or "nothing" for of in (ids, expected))
    return f"yours: {yours_cut}; expected: {expected_cut}; the merges: {in_letters(merges)}"


def once(*cases: Case) -> Fixed:
    """Cases that are not drawn."""
    return fixed(lambda where: list(cases))


def expect_counts(subject, ids: list[int], note: str = "") -> None:
    """Hold that a dictionary with the count of every pair comes back, and with nothing else."""
    plainly = replace(subject, checks_form=False, replies=[])
    reply = plainly.ask(Request(subject.exercise, "count_pairs", (ids,)))  # a dictionary of pairs does not cross whole
    type_name = reply.value.type_name if isinstance(reply.value, Opaque) else type(reply.value).__name__
    if type_name not in ("dict", "collections.Counter", "collections.defaultdict", "collections.OrderedDict"):
        raise Broken("type", reply.value, {})
    if reply.changed:
        raise Broken("changed", what="ids")
    pairs = list(pairwise(ids))
    asked = sorted({(a, b) for a in ids for b in ids})

    def story(do):
        counts = do.count_pairs(ids)
        found = [counts.pop(pair, ABSENT) for pair in asked]
        return {"counts": found, "after them": do.caught(counts.popitem)["classes"]}

    yours = subject.tell(story)
    found = {pair: n for pair, n in zip(asked, yours["counts"], strict=True) if n != ABSENT}
    expected = {pair: pairs.count(pair) for pair in sorted(set(pairs))}
    if found != expected:
        raise Broken("values", found, expected, note=note)
    if not yours["after them"]:
        raise Broken("values", "more than that", expected, note="there are keys that are no pairs of these ids")


# By `tokenizers`, which is another's


BYTE_LEVEL = tokenizers.pre_tokenizers.ByteLevel
SIGNS = sorted(BYTE_LEVEL.alphabet())  # each byte as a sign that can be printed, in the order of the ids


def words_by_tokenizers(text: str) -> list[str]:
    """The words of a text, each byte as its sign."""
    return [word for word, _place in BYTE_LEVEL(add_prefix_space=False).pre_tokenize_str(text)]


def merges_by_tokenizers(text: str, vocab_size: int) -> list[tuple[int, int]]:
    """What its own trainer learns."""
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE())
    theirs.pre_tokenizer = BYTE_LEVEL(add_prefix_space=False)
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=SIGNS, show_progress=False)
    theirs.train_from_iterator([text], trainer)
    return merges_of(theirs)


def merges_of(theirs: tokenizers.Tokenizer) -> list[tuple[int, int]]:
    """The merges of one of its tokenizers, as pairs of ids."""
    model = json.loads(theirs.to_str())["model"]
    pairs = (merged if isinstance(merged, list) else merged.split(" ") for merged in model["merges"])
    return [(model["vocab"][a], model["vocab"][b]) for a, b in pairs]


@functools.cache
def tokenizer_of(where: str | None) -> tokenizers.Tokenizer:
    """The tokenizer of a checkpoint, as `tokenizers` reads it. Raises `CheckpointError` when it has none."""
    path = (EMBEDDED if where is None else find_folder(where)) / "tokenizer.json"
    if not path.is_file():
        raise CheckpointError(
            f"{path.parent} has no tokenizer.json; expected GPT-2's tokenizer in the format of the tokenizers library; "
            "fetch it, or save one with GPT2TokenizerFast.save_pretrained"
        )
    return tokenizers.Tokenizer.from_file(str(path))


@fixed
def real_texts(where):
    """The beginnings of pages of the manual that comes with Python, and the hard texts, of which all is learnt."""
    parts = ((topics["lambda"][:300], 20), (topics["for"][:1500], 60), ("".join(HARD), 700))
    return [given_case(text=text, vocab_size=256 + n) for text, n in parts]


@fixed
def borders(where):
    """Hard texts, with all merges within their words, or with merges of what stands on the two sides of a border."""
    cases = []
    for text in (*HARD[:3], "".join(HARD)):
        words = [[SIGNS.index(sign) for sign in word] for word in words_by_tokenizers(text)]
        within = {pair for word in words for pair in pairwise(word)}
        across = {(a[-1], b[0]) for a, b in pairwise(words)} - within
        cases += [given_case(len(words), text=text), given_case(len(ids_of(text)), text=text)]
        cases[-2].merges, cases[-1].merges = merges_by_tokenizers(text, 999), sorted(across)
    return cases


@fixed
def hard_texts(where):
    """Texts that are hard to cut, with the merges of a checkpoint."""
    theirs = tokenizer_of(where)
    cases = [given_case(text=HARD[0]), given_case(text="".join(HARD))]
    for case in cases:
        case.merges, case.theirs = merges_of(theirs), theirs.encode(case.text, add_special_tokens=False).ids
    return cases
