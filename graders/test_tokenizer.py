"""The specification of byte-pair encoding, as laws for every input. Read it beside `exercises/tokenizer.py`."""

from itertools import pairwise

from graders.cases.tokenizer_words import (
    SIGNS,
    borders,
    both_in_pieces,
    expect_counts,
    hard_texts,
    ids_of,
    in_letters,
    merges_by_tokenizers,
    once,
    readings,
    real_texts,
    rows,
    rows_to_merge,
    texts,
    words_by_tokenizers,
)
from graders.engine.law import Broken, expect_equal, law
from graders.engine.script import Story
from graders.engine.space import given_case
from reference.tokenizer import BYTES

A, B, C, SPACE = ids_of("abc ")
# Each with half of the pair that stands for an emoji elsewhere; in Python's texts it is no character
SPOILT, NAMING_HALVES = ("\ud83d", "ab \ud83d", "\udc00b"), ("surrogate", "d83d", "dc00")


def expect_each_refused(subject, call, inputs, naming=("",)):
    """Hold that a call, told as a story, of each of these raises `ValueError` and says one of the words in `naming`."""
    for given in inputs:
        raised = subject.tell(lambda do, given=given: call(do, given))
        if "ValueError" not in raised["classes"]:
            found = (raised["classes"] or ["no error"])[0]
            raise Broken("values", found, "ValueError", what="the error", note=f"for {given!a}")
        if not any(word in raised["message"].lower() for word in naming):
            raise Broken("values", ascii(raised["message"]), f"... {naming[0]} ...", "the message", f"for {given!a}")


def encoded(case) -> Story:
    """A story: the ids of the case's text."""
    return lambda do: do.Tokenizer(case.merges).encode(case.text)


def expect_ids(yours, expected, case) -> None:
    """Hold that a text has these ids; a message says in letters what either are."""
    expect_equal(yours, expected, note=lambda: both_in_pieces(yours, expected, case.merges))


# count_pairs


@law("count_pairs", rows)
def test_each_pair_is_counted(subject, reference, case):
    """Every two ids that stand side by side are a pair; it is counted wherever it stands, and no other is there."""
    expect_counts(subject, case.ids)


@law("count_pairs", once(*(given_case(ids=ids) for ids in ([7, 7, 7], [], [5], [300, 4] * 500))))
def test_pairs_counted_by_hand(subject, reference, case):
    """In 7, 7, 7 the pair of 7 and 7 stands twice; one id has no pair, and neither has an empty list."""
    expect_counts(subject, case.ids, note="counted by hand")


# merge


@law("merge", rows_to_merge)
def test_a_pair_becomes_one_id(subject, reference, case):
    """From the left, wherever the pair stands the new id takes its place; what it was made of is used up."""
    expect_equal(subject.merge(case.ids, case.pair, case.new_id), reference.merge(case.ids, case.pair, case.new_id))


@law("merge", rows_to_merge)
def test_a_merge_can_be_undone(subject, reference, case):
    """With an id that was not there before: it stands for the pair, and no such pair is left."""
    merged = subject.merge(case.ids, case.pair, 999)
    undone = [i for new in merged for i in (case.pair if new == 999 else (new,))]
    expect_equal(undone, case.ids, what="the ids, with the pair in the place of 999")
    expect_equal(case.pair in pairwise(merged), False, what=f"whether {case.pair} is still there")


@law(
    "merge",
    once(
        given_case([9, 3], ids=[3, 3, 3], pair=(3, 3), new_id=9),
        given_case([1, 2], ids=[1, 2, 2], pair=(1, 2), new_id=1),
        given_case([2, 2], ids=[2, 1, 2], pair=(1, 2), new_id=2),
        given_case([1, 2], ids=[1, 2], pair=(2, 1), new_id=9),
        given_case([1], ids=[1], pair=(1, 1), new_id=9),
        given_case([], ids=[], pair=(0, 0), new_id=9),
        given_case([301] * 500 + [300], ids=[300] * 1001, pair=(300, 300), new_id=301),
    ),
)
def test_merges_made_by_hand(subject, reference, case):
    """3, 3, 3 with 9 for the pair of 3 and 3 is 9, 3; a new id is not merged again, even if it is an old one."""
    expect_equal(subject.merge(case.ids, case.pair, case.new_id), case.expected, note="made by hand")


# train_bpe


@law("train_bpe", texts)
def test_the_commonest_pair_is_merged_first(subject, reference, case):
    """Each merge is the commonest pair within the words, of equally common ones the lowest, until there are enough."""
    expected = reference.train_bpe(case.text, case.vocab_size)
    expect_equal(subject.train_bpe(case.text, case.vocab_size), expected, note=lambda: in_letters(expected))


@law("train_bpe", texts)
def test_no_merge_goes_beyond_a_word(subject, reference, case):
    """Whatever was merged stands within one of the words that GPT-2's pattern cuts, here as `tokenizers` cuts them."""
    known, words = list(SIGNS), words_by_tokenizers(case.text)
    for a, b in subject.train_bpe(case.text, 300):
        if not (0 <= a < len(known) and 0 <= b < len(known)):
            raise Broken("values", (a, b), f"ids from 0 to {len(known) - 1}", what=f"the merge that makes {len(known)}")
        known.append(known[a] + known[b])
        within = any(known[-1] in word for word in words)
        expect_equal(within, True, what=f"whether {(a, b)} stands within a word", note=f"{known[a]} + {known[b]}")


@law("train_bpe", texts)
def test_a_larger_vocabulary_goes_on(subject, reference, case):
    """A larger vocabulary begins with the merges of a smaller one; a size of 256 has none."""
    nothing, some, more = (subject.train_bpe(case.text, size) for size in (256, case.vocab_size, case.vocab_size + 2))
    expect_equal(nothing, [], what="merges for a vocabulary of 256")
    expect_equal(more[: len(some)], some, what=f"the first merges of {case.vocab_size + 2}")
    if len(more) > len(some):  # there was more to learn
        expect_equal(256 + len(some), case.vocab_size, what="ids that are learnt")


@law(
    "train_bpe",
    once(
        given_case([(A, B), (256, 256)], text="abab", vocab_size=999),
        given_case([(A, A), (256, 256), (256, A), (257, 258)], text="aaaaaaa", vocab_size=999),
        given_case([(A, A), (256, 256), (257, 257)], text="aaaaaaaa", vocab_size=999),
        given_case([(A, B)], text="cb ab", vocab_size=257),
        given_case([(A, A), (B, B)], text="aaa bb bb", vocab_size=258),
        given_case([(SPACE, A)], text=" a a ba", vocab_size=257),
        given_case([(172, 253), (246, 222), (256, 257)], text="\U0001f600", vocab_size=300),
        given_case([(75, 78), (256, 86), (220, 257), (68, 81), (258, 259)], text="low low lower", vocab_size=300),
        given_case([], text="", vocab_size=300),
        given_case([(SPACE, 0), (SPACE, B), (SPACE, C)], text="a b c !", vocab_size=300),
    ),
)
def test_merges_worked_by_hand(subject, reference, case):
    """Small texts, such as the page's, give the merges that the definition gives when it is followed by hand."""
    note = f"worked by hand: {in_letters(case.expected)}"
    expect_equal(subject.train_bpe(case.text, case.vocab_size), case.expected, note=note)


@law("train_bpe", real_texts)
def test_merges_of_real_texts(subject, reference, case):
    """Python's manual, and a text that is hard to cut, give the merges that the library `tokenizers` learns."""
    expected = merges_by_tokenizers(case.text, case.vocab_size)
    expect_equal(subject.train_bpe(case.text, case.vocab_size), expected, note="what tokenizers learns")


@law("train_bpe", once(given_case(text="abab")))
def test_what_cannot_be_learnt_is_refused(subject, reference, case):
    """A vocab_size below 256 and half a surrogate pair, which is no character, raise ValueError."""
    expect_each_refused(subject, lambda do, size: do.caught(do.train_bpe, case.text, size), (255, 1, 0, -1))
    expect_each_refused(subject, lambda do, text: do.caught(do.train_bpe, text, 258), SPOILT, NAMING_HALVES)


# Tokenizer


@law("Tokenizer", readings)
def test_what_was_learnt_first_is_merged_first(subject, reference, case):
    """Within each word, and never across, the merges are made everywhere in the order in which they were learnt."""
    expect_ids(subject.tell(encoded(case)), reference.tell(encoded(case)), case)


@law("Tokenizer", readings)
def test_text_comes_back(subject, reference, case):
    """What was encoded decodes to the same text, every sign of it."""

    def story(do):
        tokenizer = do.Tokenizer(case.merges)
        return tokenizer.decode(tokenizer.encode(case.text))

    expect_equal(ascii(subject.tell(story)), ascii(case.text), what="what comes back")


@law("Tokenizer", readings)
def test_ids_are_joined_as_bytes(subject, reference, case):
    """The bytes of all ids are joined before they are read as text; where they are none, U+FFFD takes their place."""
    known = [bytes([byte]) for byte in BYTES]
    for a, b in case.merges:
        known.append(known[a] + known[b])
    expected = b"".join(known[i] for i in case.ids).decode(errors="replace")
    yours = subject.tell(lambda do: do.Tokenizer(case.merges).decode(case.ids))
    expect_equal(ascii(yours), ascii(expected), what=f"the text of {case.ids}")


@law(
    "Tokenizer",
    once(
        given_case([0, 220, A, 198, 127, 102, 188], text="! a\n\u00e9\x00", merges=[]),
        given_case([A, 256], text="abc", merges=[[B, C], [A, B]]),
        given_case([256, C], text="abc", merges=[[A, B], [B, C]]),
        given_case([256, A, SPACE, 256, 256], text="aaa aaaa", merges=[(A, A)]),
        given_case([A, 256, B], text="abab", merges=[(B, A), (A, B)]),
        given_case([257], text="abc", merges=[(A, B), (256, C)]),
        given_case([257], text="a\u00e9", merges=[(A, 127), (256, 102)]),
        given_case([257, SPACE, 15], text="0000 0", merges=[(15, 15), (256, 256)]),
        given_case([257, SPACE, 257], text="ab ab", merges=[(B, SPACE), (A, B)]),
        given_case([258] * 37 + [257], text="b" * 300, merges=[(B, B), (256, 256), (257, 257)]),
        given_case([257, 68, 82, 83, 258], text="lowest low", merges=[(75, 78), (256, 86), (SPACE, 257)]),
        given_case([], text="", merges=[(A, B)]),
    ),
)
def test_texts_encoded_by_hand(subject, reference, case):
    """A byte has the id that GPT-2 gives it, `!` 0 and a space 220; an earlier merge may leave a later one no place."""
    expect_ids(subject.tell(encoded(case)), case.expected, case)


@law(
    "Tokenizer",
    once(
        given_case("\u00e9", ids=[127, 102]),
        given_case("\ufffd", ids=[127]),
        given_case("\ufffda\ufffd", ids=[102, A, 127]),
        given_case("a\u00e9a", ids=[257, 258]),
        given_case("\ufeffa", ids=ids_of("\ufeffa")),
        given_case("", ids=[]),
    ),
)
def test_ids_decoded_by_hand(subject, reference, case):
    """One half of a character is U+FFFD, but both halves are the character, even if they are in different ids."""
    yours = subject.tell(lambda do: do.Tokenizer([(A, A), (A, 127), (102, A)]).decode(case.ids))
    expect_equal(ascii(yours), ascii(case.expected), what=f"the text of {case.ids}", note="worked by hand")


@law("Tokenizer", borders)
def test_words_are_cut_as_gpt_2_cuts_them(subject, reference, case):
    """With all merges that there are within words, each word is one id; merges across words are never made."""
    expect_equal(len(subject.tell(encoded(case))), case.expected, what="the number of ids")


@law("Tokenizer", hard_texts)
def test_ids_are_those_of_a_real_tokenizer(subject, reference, case):
    """With the merges of a checkpoint, hard texts get the ids that the library `tokenizers` gives them."""

    def story(do):
        tokenizer = do.Tokenizer(case.merges)
        ids = tokenizer.encode(case.text)
        return {"ids": ids, "text": tokenizer.decode(ids)}

    # GPT-2 has 50,000 merges: trying them all on every word is slow, but right
    yours = subject.tell(story, seconds=20.0)
    expect_equal(yours["ids"], case.theirs, what="the ids")
    expect_equal(ascii(yours["text"]), ascii(case.text), what="what comes back")


@law("Tokenizer", readings)
def test_nothing_is_left_behind(subject, reference, case):
    """A text has the same ids again, whatever was encoded before, and by which tokenizer, and was done to the ids."""

    def story(do):
        first, other = do.Tokenizer(case.merges), do.Tokenizer([])
        every = [first.encode(text) for text in (case.text, case.text[::-1], case.text[:1])]
        every.append(other.encode(case.text))
        before = [do.look(ids) for ids in every]
        for ids in every:
            ids.clear()
        return {"at first": before, "again": [first.encode(case.text), first.encode(case.text[:1])]}

    expect_equal(subject.tell(story), reference.tell(story))


@law("Tokenizer", once(given_case(text="ab")))
def test_what_cannot_be_read_is_refused(subject, reference, case):
    """Ids that there are not, and half a surrogate pair, raise ValueError."""

    def decoding(do, ids):
        return do.caught(do.Tokenizer([(A, B)]).decode, ids)

    def encoding(do, text):
        return do.caught(do.Tokenizer([(A, B)]).encode, text)

    expect_each_refused(subject, decoding, ([257], [-1], [A, 50_000], [-256, A], [257, A]))
    expect_each_refused(subject, encoding, SPOILT, NAMING_HALVES)
