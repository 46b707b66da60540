"""Known mistakes in byte-pair encoding: each a patch on `reference/tokenizer.py` that makes it."""

from graders.engine.misconception import Misconception

# words
LETTERS = r" ?\p{L}+|"
NUMBERS = r" ?\p{N}+|"
OTHERS = r" ?[^\s\p{L}\p{N}]+|"
CONTRACTIONS = "'s|'t|'re|'ve|'m|'ll|'d|"
LOOK_AHEAD = r"\s+(?!\S)|"
AS_IDS = "yield [ID_OF_BYTE[byte] for byte in word.encode()]"
# count_pairs
COUNTED = "return dict(Counter(pairwise(ids)))"
# merge
STEPS = "    is_used_up = False\n    for i, after"
STANDS = "elif (i, after) == pair:"
USED_UP = "            is_used_up = True\n"
MERGED = "    return merged\n"
# train_bpe
CHECK_SIZE = "if vocab_size < 256:"
STEP_2 = "    # 2. Each different word once, with its count; one weight for each place of the chain\n"
COUNT = "counts = Counter(pair for word in words for pair in pairwise(word))\n"
LEARN = """    words = [list(word) for word in words_as_ids(text)]
    merges = []
    while len(merges) < vocab_size - 256:
        counts = Counter(pair for word in words for pair in pairwise(word))
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        words = [merge(word, best, 255 + len(merges)) for word in words]
    return merges
"""
# Tokenizer
INIT = "def __init__(self, merges: Sequence[Pair]):"
KNOWN = "self.known: dict[tuple[int, ...], list[int]] = {}"
KEPT = "            self.known[word] = chain.left()\n            ids += self.known[word]\n"
ENCODE = "        ids: list[int] = []\n        for word in map(tuple, words_as_ids(text)):\n"
READ = """        ids = []
        for word in map(list, words_as_ids(text)):
            while known := [pair for pair in pairwise(word) if pair in self.rank]:
                best = min(known, key=self.rank.get)
                word = merge(word, best, 256 + self.rank[best])
            ids += word
        return ids
"""
WHILE_KNOWN = "while known := [pair for pair in pairwise(word) if pair in self.rank]:"
LOWEST = "best = min(known, key=self.rank.get)"
MERGE_IT = "word = merge(word, best, 256 + self.rank[best])"
LIST_OF_IDS = "        ids = list(ids)\n"
CHECK_IDS = "if not 0 <= i < len(self.bytes_of):"
TEXT = 'return b"".join(self.bytes_of[i] for i in ids).decode(errors="replace")'


def count(id: str, names: str, asks: str, new: str) -> Misconception:
    """A mistake in `count_pairs`."""
    return Misconception(id, "count_pairs", ((COUNTED, new),), names, asks)


def merges(id: str, names: str, asks: str, *patch: tuple[str, str]) -> Misconception:
    """A mistake in `merge`."""
    return Misconception(id, "merge", patch, names, asks)


def trains(id: str, names: str, asks: str, *changes: tuple[str, str]) -> Misconception:
    """A mistake in `train_bpe`, made in the plain way of writing it."""
    return Misconception(id, "train_bpe", ((STEP_2, changed(LEARN, *changes) + STEP_2),), names, asks)


def encodes(id: str, names: str, asks: str, *changes: tuple[str, str]) -> Misconception:
    """A mistake in `encode`, made in the plain way of writing it."""
    return Misconception(id, "Tokenizer", ((ENCODE, changed(READ, *changes) + ENCODE),), names, asks)


def tokenizes(id: str, names: str, asks: str, *patch: tuple[str, str]) -> Misconception:
    """Any other mistake in `Tokenizer`."""
    return Misconception(id, "Tokenizer", patch, names, asks)


def cuts(id: str, names: str, asks: str, *patch: tuple[str, str]) -> tuple[Misconception, ...]:
    """A mistake in how words are cut, which shows in what is learnt, and in what is read."""
    learnt = Misconception(id, "train_bpe", patch, names, asks)
    return learnt, Misconception(f"{id}_in_encode", "Tokenizer", patch, names, asks)


def changed(text: str, *changes: tuple[str, str]) -> str:
    """A text with each old part, which must be there once, replaced."""
    for old, new in changes:
        if text.count(old) != 1:
            raise ValueError(f"the text to replace occurs {text.count(old)} times, not once: {old!r}")
        text = text.replace(old, new)
    return text


MISCONCEPTIONS = (
    # count_pairs
    count(
        "run_counted_without_overlap",
        "In a run of equal ids a pair is counted as if it were merged at once: 7, 7, 7 holds it twice, not once.",
        "Where does the pair of 7 and 7 begin in 7, 7, 7?",
        """counts, i = {}, 0
    while i < len(ids) - 1:
        pair = (ids[i], ids[i + 1])
        counts[pair] = counts.get(pair, 0) + 1
        i += 2 if pair == tuple(ids[i + 1 : i + 3]) else 1
    return counts""",
    ),
    count(
        "taken_two_by_two",
        "The ids are taken two by two, so that every second pair is left out.",
        "Which pairs does 1, 2, 3 hold?",
        "return dict(Counter(zip(ids[::2], ids[1::2])))",
    ),
    count(
        "order_of_a_pair_ignored",
        "The pair of 1 and 2 is counted together with that of 2 and 1.",
        "Are `th` and `ht` the same two letters to a reader?",
        "return dict(Counter(tuple(sorted(pair)) for pair in pairwise(ids)))",
    ),
    count(
        "last_pair_not_counted",
        "The last pair is left out: the loop ends one id too early.",
        "How many pairs do five ids hold?",
        "return dict(Counter(pairwise(ids[:-1])))",
    ),
    count(
        "pairs_seen_not_counted",
        "Every pair has the count 1, however often it stands there.",
        "A pair is met for the second time: what happens to its count?",
        "return dict.fromkeys(pairwise(ids), 1)",
    ),
    # merge
    merges(
        "merged_ids_used_twice",
        "Only one place is passed after a merge, so that the pair's second id stays, or is merged once more.",
        "After [3, 3] has become one id, which id is looked at next?",
        (USED_UP, ""),
    ),
    merges(
        "merged_from_the_right",
        "Pairs are merged from the right: of 3, 3, 3 the last two became one, not the first two.",
        "Which of the two pairs in 3, 3, 3 is met first by who reads from the left?",
        (STEPS, "    pair, ids = pair[::-1], ids[::-1]\n" + STEPS),
        (MERGED, "    return merged[::-1]\n"),
    ),
    merges(
        "last_id_dropped",
        "The last id gets lost when it is not part of a merge: the loop stops before it.",
        "Who copies the last id, which has none after it?",
        (
            STEPS,
            """    place = 0
    while place < len(ids) - 1:
        stands = (ids[place], ids[place + 1]) == pair
        merged.append(new_id if stands else ids[place])
        place += 2 if stands else 1
    return merged
"""
            + STEPS,
        ),
    ),
    merges(
        "new_id_merged_again",
        "The pair is looked for in what was merged already, so that a new id may become part of another merge.",
        "1, 2, 2 with 1 for the pair of 1 and 2: may the new 1 be merged with the 2 after it?",
        (
            STEPS,
            """    for new in ids:
        merged.append(new)
        if tuple(merged[-2:]) == pair:
            merged[-2:] = [new_id]
    return merged
"""
            + STEPS,
        ),
    ),
    merges(
        "only_first_place_merged",
        "Only the first place where the pair stands is merged.",
        "How many times does the pair stand there?",
        (STANDS, STANDS[:-1] + " and new_id not in merged:"),
    ),
    merges(
        "merged_in_either_order",
        "2, 1 is merged as well where the pair is 1, 2.",
        "Does the new id say which of the two came first?",
        (STANDS, "elif (i, after) in (pair, pair[::-1]):"),
    ),
    merges(
        "ids_changed_in_place",
        "The list that was passed in is changed: ids are taken out of it.",
        "After the call, what does the caller's list hold?",
        (
            STEPS,
            """    place = 0
    while place < len(ids) - 1:
        if (ids[place], ids[place + 1]) == pair:
            ids[place : place + 2] = [new_id]
        place += 1
    return ids
"""
            + STEPS,
        ),
    ),
    # train_bpe: which pair
    trains(
        "highest_pair_of_a_tie",
        "Of equally common pairs the highest is merged; the lowest should be.",
        "max compares (count, pair): what decides when the counts are equal?",
        ("min(counts, key=lambda pair: (-counts[pair], pair))", "max(counts, key=lambda pair: (counts[pair], pair))"),
    ),
    trains(
        "first_met_of_a_tie",
        "Of equally common pairs the one that was met first is merged; the lowest should be.",
        "What do max and most_common do when counts are equal?",
        ("min(counts, key=lambda pair: (-counts[pair], pair))", "max(counts, key=counts.get)"),
    ),
    trains(
        "each_word_counts_once",
        "A word that occurs ten times counts as much as one that occurs once.",
        "`the` stands in a text a thousand times: how often does `th`?",
        ("in words_as_ids(text)]", "in dict.fromkeys(map(tuple, words_as_ids(text)))]"),
    ),
    trains(
        "once_in_a_word",
        "A pair that stands twice in one word is counted once there.",
        "How often do `s` and `s` stand side by side in `Mississippi`?",
        ("in pairwise(word)", "in set(pairwise(word))"),
    ),
    trains(
        "counted_only_at_the_start",
        "The pairs are counted once, at the start, so that nothing is learnt from what was merged.",
        "`t h` and `h e` are both common. Once `th` is one id, how common is `h e`?",
        ("    merges = []\n", f"    merges = []\n    {COUNT}"),
        (f"        {COUNT}", ""),
        ("        merges.append(best)\n", "        merges.append(best)\n        del counts[best]\n"),
    ),
    trains(
        "across_words",
        "Pairs are counted and merged across words: the end of one with the beginning of the next.",
        "Should ` dog.` and ` dog!` have ids of their own?",
        ("[list(word) for word in words_as_ids(text)]", "[[i for word in words_as_ids(text) for i in word]]"),
    ),
    # train_bpe: how many, and their ids
    trains(
        "vocabulary_of_merges_alone",
        "As many merges are learnt as vocab_size says. The 256 bytes are part of the vocabulary.",
        "How many ids are there before the first merge?",
        ("vocab_size - 256", "vocab_size"),
    ),
    trains(
        "new_ids_from_257",
        "The first merge makes the id 257; ids 0 to 255 are bytes, so that 256 is the first that is free.",
        "How many merges are in the list when the new id is worked out?",
        ("255 + len(merges)", "256 + len(merges)"),
    ),
    trains(
        "single_pairs_left",
        "The training ends when no pair occurs twice. It should go on until no pair is left.",
        "Is a pair that occurs once still a pair?",
        ("if not counts:", "if not counts or max(counts.values()) < 2:"),
    ),
    trains(
        "no_pair_left_crashes",
        "When no pair is left it stops with an error; it should return what was learnt.",
        "A vocabulary of 1,000 from the text `ab`: what is there to choose from after the first merge?",
        ("        if not counts:\n            break\n", ""),
    ),
    Misconception(
        "small_vocabulary_accepted",
        "train_bpe",
        ((CHECK_SIZE, "if vocab_size < 0:"),),
        "A vocabulary that is too small for the 256 bytes is accepted.",
        "What would an id for each byte need?",
    ),
    # train_bpe and Tokenizer: words
    *cuts(
        "cut_by_split",
        "The text is cut by str.split: white space is thrown away, and signs stay with the words.",
        "What is left of two spaces after `split`, and how could decode bring them back?",
        ("for word in PATTERN.findall(text):", "for word in text.split():"),
    ),
    *cuts(
        "space_not_with_its_word",
        "The space before a word is a word of its own; it should begin the word that follows.",
        "Is ` the`, with its space, one id in GPT-2?",
        (LETTERS + NUMBERS + OTHERS, (LETTERS + NUMBERS + OTHERS).replace(" ?", "")),
    ),
    *cuts(
        "all_spaces_before_a_word",
        r"White space before a word is cut off as a whole: `\s+(?!\S)` is missing, which leaves it the last space.",
        "Of three spaces before a word, which belongs to the word?",
        (LOOK_AHEAD, ""),
    ),
    *cuts(
        "letters_and_digits_together",
        r"Letters, digits and the underscore are taken together, as by \w: `x2` is one word.",
        r"What does \w match besides letters?",
        (LETTERS + NUMBERS, r" ?\w+|"),
    ),
    *cuts(
        "endings_not_cut_off",
        "Endings such as 's and 'll are not cut from their words: the apostrophe goes alone, or with other signs.",
        "Into which words is `it's` cut?",
        (CONTRACTIONS, ""),
    ),
    *cuts(
        "ascii_letters_alone",
        "Only the letters from a to z and the digits from 0 to 9 are taken for such; others go with the signs.",
        "To which class does `\u00e9` belong?",
        (LETTERS + NUMBERS + OTHERS, r" ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|"),
    ),
    *cuts(
        "value_of_a_byte_as_its_id",
        "The value of a byte is used as its id. GPT-2 has an order of its own, in which `!` is 0.",
        "Which id has the letter `a`: 97, or 64?",
        (AS_IDS, "yield list(word.encode())"),
    ),
    *cuts(
        "half_a_character_let_through",
        "Half a surrogate pair is let through or replaced; it is no character and should raise ValueError.",
        r"Which bytes does UTF-8 have for '\ud83d' alone, and what would come back in its place?",
        ("word.encode()]", 'word.encode(errors="replace")]'),
    ),
    # Tokenizer: encode
    encodes(
        "merged_in_text_order",
        "Merges are made in the order of the text; what was learnt first should be merged first.",
        "`a b c` with merges b + c, then a + b: which of the two is made?",
        ("min(known, key=self.rank.get)", "known[0]"),
    ),
    encodes(
        "walked_along_the_word",
        "Each word is walked along once, and what can be merged on the way is; what was learnt first should be first.",
        "`abc` with merges b + c, then a + b: which of the two is made?",
        (WHILE_KNOWN, "place = 0\n            while place < len(word) - 1:"),
        (LOWEST, "pair = tuple(word[place : place + 2])"),
        (
            MERGE_IT,
            "if pair in self.rank:\n                    word[place : place + 2] = [256 + self.rank[pair]]\n"
            "                else:\n                    place += 1",
        ),
    ),
    encodes(
        "last_learnt_first",
        "What was learnt last is merged first.",
        "Which merge was learnt from the commonest pair?",
        ("min(known", "max(known"),
    ),
    encodes(
        "commonest_pair_of_the_word",
        "The pair that is commonest in this word is merged first. The order was fixed when the merges were learnt.",
        "Would the same word have the same ids in another text?",
        ("min(known, key=self.rank.get)", "max(known, key=lambda pair: (known.count(pair), -self.rank[pair]))"),
    ),
    encodes(
        "longest_piece_first",
        "From the left the longest known piece is taken, whether the merges lead there or not.",
        "With merges b + c, then a + b and ab + c: what do the merges, in that order, make of `abc`?",
        (WHILE_KNOWN, "left, word = b''.join(self.bytes_of[i] for i in word), []\n            while left:"),
        (LOWEST, "best = max((piece for piece in self.bytes_of if left.startswith(piece)), key=len)"),
        (MERGE_IT, "word.append(self.bytes_of.index(best))\n                left = left[len(best) :]"),
    ),
    encodes(
        "merged_ids_not_merged_again",
        "The bytes are merged, but what came of it is not merged again.",
        "With merges a + b, and ab + c: how does `abc` become one id?",
        (WHILE_KNOWN, "for best in sorted({*pairwise(word)} & self.rank.keys(), key=self.rank.get):"),
        (LOWEST, ""),
    ),
    encodes(
        "encoded_across_words",
        "Merges are made across words as well.",
        "May the last letter of a word be merged with the space after it?",
        ("in map(list, words_as_ids(text))", "in [[i for word in words_as_ids(text) for i in word]]"),
    ),
    encodes(
        "rank_as_the_id",
        "The rank of a merge is used as its id. The first 256 ids are bytes.",
        "Which id does the first merge make?",
        ("256 + self.rank[best]", "self.rank[best]"),
    ),
    encodes(
        "space_put_before_the_text",
        "A space is put before the text. GPT-2 takes the text as it is.",
        "What does decode give back?",
        ("words_as_ids(text)", 'words_as_ids(" " + text)'),
    ),
    encodes(
        "text_normalised",
        "The text is normalised first, so that other code points come back than went in.",
        "An e and an accent of its own: two characters, or one?",
        ("words_as_ids(text)", "words_as_ids(__import__('unicodedata').normalize('NFC', text))"),
    ),
    tokenizes(
        "words_known_to_all_tokenizers",
        "All tokenizers share the words that any of them has met, whatever its merges are.",
        "Two tokenizers with different merges: where does each keep what it has worked out?",
        (INIT, INIT.replace("):", ", known={}):")),
        (KNOWN, "self.known = known"),
    ),
    tokenizes(
        "kept_list_handed_out",
        "The list that is kept for a word is returned, so that whoever changes the ids changes what comes next time.",
        "Who else holds the list that you return?",
        (KEPT, KEPT.replace("ids += self.known[word]", "ids = ids + self.known[word] if ids else self.known[word]")),
    ),
    # Tokenizer: decode
    tokenizes(
        "each_id_decoded_alone",
        "Every id is turned into text on its own. A character may be spread over several ids.",
        "Two ids hold half an emoji each: when can they be read?",
        (TEXT, 'return "".join(self.bytes_of[i].decode(errors="replace") for i in ids)'),
    ),
    tokenizes(
        "half_a_character_crashes",
        "Bytes that are no text stop it with an error; they should become U+FFFD.",
        "What if a text is cut in the middle of a character?",
        (TEXT, TEXT.replace('errors="replace"', "")),
    ),
    tokenizes(
        "half_a_character_dropped",
        "Bytes that are no text are left out; they should become U+FFFD.",
        "How does a reader see that something is missing?",
        (TEXT, TEXT.replace("replace", "ignore")),
    ),
    tokenizes(
        "negative_ids_count_from_the_end",
        "A negative id is read as the last one: lists count from the end.",
        "What is [10, 20, 30][-1]?",
        (CHECK_IDS, "if not i < len(self.bytes_of):"),
    ),
    tokenizes(
        "unknown_ids_left_out",
        "Ids that there are not are left out; they should raise ValueError.",
        "Who finds out that the ids come from another tokenizer?",
        (LIST_OF_IDS, "        ids = [i for i in ids if 0 <= i < len(self.bytes_of)]\n"),
    ),
    tokenizes(
        "unknown_ids_raise_another_error",
        "An id that there is not stops it with another error than ValueError.",
        "Which error does a list raise for a place that it does not have?",
        (CHECK_IDS, "if False:"),
    ),
)

# Mutations that no law can tell from the reference, each with the reason.
EQUIVALENT: dict[str, str] = {}
