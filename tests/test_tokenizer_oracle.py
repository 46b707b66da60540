"""The reference's tokenizer against `tokenizers`, on any text there is, with merges of real tokenizers.

They are those of the embedded checkpoint, and GPT-2's own, which are not in the project: HEADSTART_GPT2_TOKENIZER names
a folder with its vocab.json and merges.txt, whatever stands before these two names.
"""

import json
import os
import unicodedata
from itertools import pairwise
from pathlib import Path
from pydoc_data.topics import topics

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from graders.cases.tokenizer_words import merges_by_tokenizers, merges_of
from graders.weights.checkpoint import EMBEDDED
from reference.tokenizer import PATTERN, Tokenizer, train_bpe

GPT2 = "HEADSTART_GPT2_TOKENIZER"
needs_gpt2 = pytest.mark.skipif(GPT2 not in os.environ, reason=f"{GPT2} names no folder with GPT-2's tokenizer")
WORDS = "".join(topics.values())
# No halves of pairs, and nothing that this Python's Unicode does not know: of a character that is newer than either
# library, one may say that it is a letter, and the other that it is none. Often the signs that words are cut at
NO_CHARACTERS = ("Cs", "Cn")
CUTTING = " \t\n\r'sdtmlve\u00e9\u0301\u200d\xa0\x1c19_.-"
TEXTS = st.text(st.characters(exclude_categories=NO_CHARACTERS) | st.sampled_from(CUTTING))
LONG = 1_000_000
LONG_WORD = LONG // 9  # bytes: the nine pieces that are tried have a megabyte together


def gpt2_file(name):
    """A file of GPT-2's own tokenizer."""
    (found,) = Path(os.environ[GPT2]).glob(f"*{name}")
    return found


@pytest.fixture(scope="module", params=["embedded", pytest.param("gpt2", marks=needs_gpt2)])
def theirs(request):
    if request.param == "embedded":
        return tokenizers.Tokenizer.from_file(str(EMBEDDED / "tokenizer.json"))
    found = tokenizers.Tokenizer(BPE.from_file(str(gpt2_file("vocab.json")), str(gpt2_file("merges.txt"))))
    found.pre_tokenizer = ByteLevel(add_prefix_space=False)
    return found


@pytest.fixture(scope="module")
def ours(theirs):
    return Tokenizer(merges_of(theirs))


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(text=TEXTS)
def test_any_text_has_their_ids_and_comes_back(theirs, ours, text):
    ids = ours.encode(text)
    assert ids == theirs.encode(text).ids
    assert ours.decode(ids) == text


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(text=TEXTS, n_merges=st.integers(0, 40))
def test_any_text_teaches_their_merges(text, n_merges):
    assert train_bpe(text, 256 + n_merges) == merges_by_tokenizers(text, 256 + n_merges)


def test_characters_of_every_class_are_cut_as_theirs():
    """The first and the last of each range of one category, where its class shows."""
    categories = [unicodedata.category(chr(point)) for point in range(0x110000)]
    edges = {edge for point, (a, b) in enumerate(pairwise(categories)) if a != b for edge in (point, point + 1)}
    differing = []
    for sign in (chr(point) for point in sorted(edges) if categories[point] not in NO_CHARACTERS):
        text = f"a{sign}1{sign} {sign}{sign}b"
        theirs = ByteLevel(add_prefix_space=False).pre_tokenize_str(text)
        if [word.span() for word in PATTERN.finditer(text)] != [place for _, place in theirs]:
            differing.append(f"U+{ord(sign):04X}")
    assert len(edges) > 2000
    assert differing == []


def test_a_manual_teaches_their_merges():
    assert train_bpe(WORDS[:200_000], 2000) == merges_by_tokenizers(WORDS[:200_000], 2000)


@pytest.mark.parametrize("piece", ["a", "ab", "the", "\U0001f600", " ", "\n", "=-", "\u0e01\u0e33", "7"])
def test_a_long_word_of_one_piece_has_their_ids(theirs, ours, piece):
    text = piece * (LONG_WORD // len(piece.encode()))
    assert ours.encode(text) == theirs.encode(text).ids


def without_a_space(length):
    """The letters of the manual, one after the other and over again, as one word."""
    text = "".join(sign for sign in WORDS if sign.isalpha())
    return (text * (1 + length // len(text)))[:length]


def test_a_hundred_kilobytes_without_a_space_teach_their_merges():
    text = without_a_space(100_000)
    assert train_bpe(text, 300) == merges_by_tokenizers(text, 300)


def test_a_megabyte_without_a_space_has_their_ids_and_comes_back(theirs, ours):
    text = without_a_space(LONG)
    ids = ours.encode(text)
    assert ids == theirs.encode(text).ids
    assert ours.decode(ids) == text


def test_an_empty_text_has_no_ids(theirs, ours):
    assert (ours.encode(""), theirs.encode("").ids, ours.decode([])) == ([], [], "")


@pytest.mark.parametrize("text", ["\ud83d", "a\udc00b", "\udfff \ud800"])
def test_half_a_character_is_refused_in_words(ours, text):
    half = next(ascii(sign) for sign in text if "\ud800" <= sign <= "\udfff")
    message = f"the text holds {half}, half a surrogate pair; expected whole characters"
    for refused in (ours.encode, lambda spoilt: train_bpe(spoilt, 300)):
        with pytest.raises(ValueError, match="surrogate") as caught:
            refused(text)
        assert str(caught.value) == message


@pytest.mark.parametrize("unknown", [-1, 257, 10**9])
def test_an_unknown_id_is_refused_in_words(unknown):
    with pytest.raises(ValueError, match=f"^there is no id {unknown}; expected one of the 257 from 0 on$"):
        Tokenizer([(64, 65)]).decode([64, unknown])


def test_a_vocabulary_without_room_for_the_bytes_is_refused_in_words():
    with pytest.raises(ValueError, match=r"^vocab_size is 255; expected at least 256, one id for each byte$"):
        train_bpe("ab", 255)


def test_a_single_byte_has_the_id_that_gpt_2_gives_it(ours):
    known = {"!": [0], "a": [64], " ": [220], "\n": [198]}
    assert {text: ours.encode(text) for text in known} == known


@needs_gpt2
@pytest.mark.parametrize("theirs", ["gpt2"], indirect=True)
def test_well_known_ids_are_gpt_2_s(ours):
    vocab = json.loads(gpt2_file("vocab.json").read_text(encoding="utf-8"))
    known = {" the": [vocab["\u0120the"]], "Hello world": [15496, 995]}
    assert {text: ours.encode(text) for text in known} == known
