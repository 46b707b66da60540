"""Byte-pair encoding: a text as a short list of numbers, learnt by merging what often stands side by side.

A text is bytes, and a byte is one of 256 ids, so nothing is ever unknown. That makes long lists: so the pair of ids
that occurs most often gets an id of its own, then the next, and so on until the vocabulary is full. Common words end up
as one id, rare ones as a few. The list of merges, in the order in which they were learnt, is the whole tokenizer.

Words are cut apart first and merges stay within them, so that "dog", "dog." and "dog!" share what they have in common.

Sources: Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units", 2016, section 3.2
and its algorithm 1; Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, section 2.2, for bytes
in the place of characters. The cutting pattern and the order of the bytes are those of GPT-2's published code.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise, zip_longest

import regex

from reference.chain import Chain, Pair

# Endings such as 's; letters, digits or other signs in a row, each with a space before it; what is left of white space
PATTERN = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")

# The bytes in the order of GPT-2's ids: those that Latin-1 prints first. Id 0 is "!", and id 220 the space
PRINTED = [*range(33, 127), *range(161, 173), *range(174, 256)]
BYTES = bytes(PRINTED + [byte for byte in range(256) if byte not in PRINTED])
ID_OF_BYTE = {byte: i for i, byte in enumerate(BYTES)}


def words_as_ids(text: str) -> Iterable[list[int]]:
    """The words of a text as `PATTERN` cuts it, nothing left out, each as the ids of its UTF-8 bytes.

    Raises `ValueError` for half a surrogate pair, which is no character and has no UTF-8.
    """
    for word in PATTERN.findall(text):
        try:
            yield [ID_OF_BYTE[byte] for byte in word.encode()]
        except UnicodeEncodeError as error:
            half = error.object[error.start]
            raise ValueError(f"the text holds {half!r}, half a surrogate pair; expected whole characters") from error


def count_pairs(ids: Sequence[int]) -> dict[Pair, int]:
    """How often each pair of ids stands side by side. In a run of three equal ids, the pair stands twice."""
    # 1. Each id with the one after it
    return dict(Counter(pairwise(ids)))


def merge(ids: Sequence[int], pair: Pair, new_id: int) -> list[int]:
    """`ids` with `new_id` in the place of each `pair`, from the left, no id twice; `ids` stays as it is."""
    merged: list[int] = []
    is_used_up = False
    for i, after in zip_longest(ids, ids[1:]):
        # 1. Pass over the second id of a pair that was merged
        if is_used_up:
            is_used_up = False
        # 2. Where the pair stands, the new id
        elif (i, after) == pair:
            merged.append(new_id)
            is_used_up = True
        # 3. Anywhere else, the id as it is
        else:
            merged.append(i)
    return merged


def train_bpe(text: str, vocab_size: int) -> list[Pair]:
    """Learn merges from a text: the i-th pair, counted from 0, becomes the id 256 + i.

    In each step the pair that occurs most often within the words of the text is merged everywhere; where several occur
    equally often, the lowest pair is. Ends when there are `vocab_size` ids, or no pair is left.
    Raises `ValueError` when `vocab_size` is below 256 or the text is no valid Unicode.

    A slow answer is as right as a fast one: cut the text into words; count all pairs in all words; choose one; `merge`
    it in every word; count again. The steps from 2 on are those of a fast one, which counts once and then corrects.
    """
    # 1. Refuse a vocabulary with too little room for the bytes
    if vocab_size < 256:
        raise ValueError(f"vocab_size is {vocab_size}; expected at least 256, one id for each byte")
    # 2. Each different word once, with its count; one weight for each place of the chain
    times = Counter(map(tuple, words_as_ids(text)))
    chain = Chain(times)
    weights = [n for word, n in times.items() for _ in range(len(word) + 1)]
    # 3. How often each pair occurs, and where
    counts: Counter[Pair] = Counter()
    places: defaultdict[Pair, set[int]] = defaultdict(set)
    for place, first in chain.pairs():
        counts[first] += weights[place]
        places[first].add(place)
    # 4. The commonest pair on top, the lowest of equals first. What is there with an older count is out of date
    heap = [(-n, pair) for pair, n in counts.items()]
    heapq.heapify(heap)
    merges: list[Pair] = []
    while heap and len(merges) < vocab_size - 256:
        n, best = heapq.heappop(heap)
        if -n != counts[best]:
            continue
        changed = set()
        for place in sorted(places[best]):
            # 5. From left to right, where both ids are still there: the pairs around it are no more
            if chain.pair_at(place) != best:
                continue
            for near in chain.around(place):
                pair = chain.pair_at(near)
                if pair:
                    counts[pair] -= weights[place]
                    changed.add(pair)
            # 6. Merge it, and there are new pairs with what stands beside it
            chain.merge(place, 256 + len(merges))
            for near in chain.around(place)[:2]:
                pair = chain.pair_at(near)
                if pair:
                    counts[pair] += weights[place]
                    places[pair].add(near)
                    changed.add(pair)
        for pair in changed:
            if counts[pair]:
                heapq.heappush(heap, (-counts[pair], pair))
        merges.append(best)
    return merges


class Tokenizer:
    """From text to ids and back, by merges as `train_bpe` learns them."""

    def __init__(self, merges: Sequence[Pair]):
        self.rank: dict[Pair | None, int] = {(a, b): rank for rank, (a, b) in enumerate(merges)}
        self.known: dict[tuple[int, ...], list[int]] = {}  # words that were encoded before
        self.bytes_of = [bytes([byte]) for byte in BYTES]
        for a, b in merges:
            self.bytes_of.append(self.bytes_of[a] + self.bytes_of[b])

    def encode(self, text: str) -> list[int]:
        """The ids of a text: in each word the merge that was learnt first is made first, everywhere, then the next.

        Raises `ValueError` when the text is no valid Unicode.

        A slow answer is as right: in each word, look for the pair of the lowest rank; `merge` it; look again, until no
        pair has a rank. The steps are those of a fast one.
        """
        ids: list[int] = []
        for word in map(tuple, words_as_ids(text)):
            # 1. A word that was met before needs no work
            if word in self.known:
                ids += self.known[word]
                continue
            # 2. The pairs of a new one that can be merged: what was learnt first on top, the leftmost of equals first
            chain = Chain([word])
            heap = [(self.rank[pair], place) for place, pair in chain.pairs() if pair in self.rank]
            heapq.heapify(heap)
            while heap:
                # 3. Pass over a pair that is no more, since one of its ids was merged with its other neighbour
                rank, place = heapq.heappop(heap)
                if self.rank.get(chain.pair_at(place)) != rank:
                    continue
                # 4. Merge it, and what stands beside it may now be merged too
                chain.merge(place, 256 + rank)
                for near in chain.around(place)[:2]:
                    pair = chain.pair_at(near)
                    if pair in self.rank:
                        heapq.heappush(heap, (self.rank[pair], near))
            # 5. What is left are the ids of the word
            self.known[word] = chain.left()
            ids += self.known[word]
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids. Bytes that are no UTF-8, as in half a character, become the sign U+FFFD.

        Raises `ValueError` when there is no such id.
        """
        ids = list(ids)
        # 1. Refuse ids that stand for nothing
        for i in ids:
            if not 0 <= i < len(self.bytes_of):
                raise ValueError(f"there is no id {i}; expected one of the {len(self.bytes_of)} from 0 on")
        # 2. All bytes first, since a character may be spread over several ids; then the text
        return b"".join(self.bytes_of[i] for i in ids).decode(errors="replace")
