"""Ids in a row, two neighbours of which become one in a moment, however long the row is.

A list would have to move everything behind the two. Here each id knows the places of its neighbours, and the place of
one that is gone stays empty. The reference's tokenizer is made with it; yours may do without.

Given: there is nothing to write in this file.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

NOTHING = -1  # in the place of an id that is gone, and between words

Pair = tuple[int, int]


class Chain:
    """The ids of several words, between which there are no pairs. Places are numbered from left to right."""

    def __init__(self, words: Iterable[Sequence[int]]):
        self.ids = [NOTHING]
        for word in words:
            self.ids += [*word, NOTHING]
        self.before = [i - 1 for i in range(len(self.ids))]
        self.after = [i + 1 for i in range(len(self.ids))]

    def pairs(self) -> Iterator[tuple[int, Pair]]:
        """Every pair of neighbours, with the place of its first, before anything is merged."""
        return ((i, pair) for i, pair in enumerate(pairwise(self.ids)) if NOTHING not in pair)

    def pair_at(self, place: int) -> Pair | None:
        """The id at a place and the one after it; None when either is nothing."""
        pair = self.ids[place], self.ids[self.after[place]]
        return None if NOTHING in pair else pair

    def around(self, place: int) -> tuple[int, int, int]:
        """The place before, this place, and the one after it."""
        return self.before[place], place, self.after[place]

    def merge(self, place: int, new_id: int) -> None:
        """Put `new_id` in the place of the pair that begins there."""
        gone = self.after[place]
        self.ids[place], self.ids[gone] = new_id, NOTHING
        self.after[place] = self.after[gone]
        self.before[self.after[gone]] = place

    def left(self) -> list[int]:
        """The ids that are there."""
        return [i for i in self.ids if i != NOTHING]
