"""The reference's tokenizer against `tokenizers`, on any text there is, with merges of a real tokenizer.

GPT-2's own merges are read where they lie beside the repository; anywhere else the embedded checkpoint's are.
"""

import json
import unicodedata
from itertools import pairwise
from pydoc_data.topics import topics

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel

from graders.cases.tokenizer_words import merges_by_tokenizers, merges_of
from graders.engine.course import ROOT
from graders.weights.checkpoint import EMBEDDED
from reference.tokenizer import PATTERN, Tokenizer, train_bpe

SHARED = ROOT.parent / "shared" / "data"
VOCAB, MERGES = SHARED / "gpt2_vocab.json", SHARED / "gpt2_merges.txt"
IS_GPT2 = VOCAB.exists() and MERGES.exists()
WORDS = "".join(topics.values())
# No halves of pairs, and nothing that this Python's Unicode does not know: of a character that is newer than either
# library, one may say that it is a letter, and the other that it is none. Often the signs that words are cut at
NO_CHARACTERS = ("Cs", "Cn")
CUTTING = " \t\n\r'sdtmlve\u00e9\u0301\u200d\xa0\x1c19_.-"
TEXTS = st.text(st.characters(exclude_categories=NO_CHARACTERS) | st.sampled_from(CUTTING))
LONG = 1_000_000


@pytest.fixture(scope="module")
def theirs():
    if not IS_GPT2:
        found = tokenizers.Tokenizer.from_file(str(EMBEDDED / "tokenizer.json"))
    else:
        found = tokenizers.Tokenizer(BPE.from_file(str(VOCAB), str(MERGES)))
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
    text = piece * (LONG // 9 // len(piece.encode()))
    assert ours.encode(text) == theirs.encode(text).ids


def test_a_megabyte_of_letters_in_no_order_has_their_ids_and_comes_back(theirs, ours):
    text = "".join(sign for sign in WORDS if sign.isalpha())
    text = (text * (1 + LONG // len(text)))[:LONG]
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


def test_well_known_ids_are_gpt_2_s(ours):
    known = {"!": [0], "a": [64], " ": [220], "\n": [198]}
    if IS_GPT2:
        vocab = json.loads(VOCAB.read_text(encoding="utf-8"))
        known |= {" the": [vocab["\u0120the"]], "Hello world": [15496, 995]}
    assert {text: ours.encode(text) for text in known} == known
