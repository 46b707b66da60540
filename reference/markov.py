"""From counting words to something that looks much like attention, without any learning.

The simplest language model is a table: after this word, how often did each word come? (A Markov chain of the first
order.) It forgets everything but the last word. A table for each *pair* of words remembers more, and becomes too
large to fill. So let every earlier word cast a vote of its own on what comes next, and then let a mask silence the
words that have nothing to say: what is left, votes that depend on words far back, chosen by the word that asks, is
selective second order with skips, and attention learns to do just that.

Words are ids from 0 to n - 1, a text is a list of them.

Sources: Shannon, "A Mathematical Theory of Communication", 1948, section 3, for texts from tables of one and two
words; Rohrer, "Transformers from Scratch", 2021, for the road from there to attention by way of skips and masks.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Text = Sequence[int]


def check_words(words: Text, n: int) -> None:
    """Raise `ValueError` unless every word is from 0 to n - 1."""
    if words and not 0 <= min(words) <= max(words) < n:
        raise ValueError(f"words run from {min(words)} to {max(words)}; with n {n}, 0 to {n - 1} exist")


def check_last_word(sequence: Text, n: int) -> None:
    """Raise `ValueError` unless there is a last word and every word is from 0 to n - 1."""
    if not sequence:
        raise ValueError("the text is empty; expected at least one word, for something to follow")
    check_words(sequence, n)


def first_order(sequences: Iterable[Text], n: int) -> Float[Tensor, "n n"]:
    """What follows each word: entry [a, b] is the share of b among all the words that came right after a.

    Every row adds up to one, but that of a word which nothing ever follows is all zeros. The last word of a text is
    not followed by the first of the next. Raises `ValueError` when any word of any text is not from 0 to n - 1.
    """
    counts = torch.zeros(n, n)
    for sequence in sequences:
        # 1. Refuse unknown words
        check_words(sequence, n)
        # 2. Count each word with the one after it, within a text: n n
        for a, b in pairwise(sequence):
            counts[a, b] += 1
    # 3. Counts become shares, row by row; a row without counts stays zero: n n
    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)


def second_order(sequences: Iterable[Text], n: int) -> Float[Tensor, "n*n n"]:
    """What follows each pair of neighbours: row a * n + b has the shares of all the words that came right after a b.

    A pair which nothing ever follows, in this order, has a row of zeros. Raises `ValueError` when any word of any
    text is not from 0 to n - 1.
    """
    counts = torch.zeros(n * n, n)
    for sequence in sequences:
        # 1. Refuse unknown words
        check_words(sequence, n)
        # 2. Count each pair with the word after it, within a text: n*n n
        for i in range(len(sequence) - 2):
            a, b, c = sequence[i : i + 3]
            counts[a * n + b, c] += 1
    # 3. Counts become shares, row by row; a row without counts stays zero: n*n n
    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)


def pair_votes(sequences: Iterable[Text], n: int) -> Float[Tensor, "n n n"]:
    """What each word, standing anywhere earlier in the text, says about the word right after another.

    Take all the places, in all texts, at which b is followed by a word and a stands somewhere before this b, right
    before it or far back: entry [a, b, c] is the share of those at which c is what follows. A place counts once,
    however often a stands before it. a may be the word b itself, at an earlier place. Where there is no such place,
    the row is all zeros. Raises `ValueError` when any word of any text is not from 0 to n - 1.
    """
    counts = torch.zeros(n, n, n)
    for sequence in sequences:
        # 1. Refuse unknown words
        check_words(sequence, n)
        # 2. Count each word with the one after it, once for each different word that stands before them: n n n
        for i, (b, c) in enumerate(pairwise(sequence)):
            for a in set(sequence[:i]):
                counts[a, b, c] += 1
    # 3. Counts become shares, row by row; a row without counts stays zero: n n n
    return counts / counts.sum(dim=2, keepdim=True).clamp(min=1)


def skip_votes(sequence: Text, votes: Float[Tensor, "n n n"]) -> Float[Tensor, "n"]:
    """The votes of all earlier words on what follows the last word of `sequence`, added up and not normalised.

    At each place before the last, the word a that stands there votes with the row [a, last]. So a word that stands
    there twice votes twice, and in a text of one word nobody votes: all zeros. Raises `ValueError` when the text is
    empty or a word is not from 0 to n - 1.
    """
    # 1. Refuse a text without a last word
    check_last_word(sequence, len(votes))
    *earlier, last = sequence
    # 2. One row for each earlier word, then their sum: earlier n, and n
    return votes[earlier, last].sum(dim=0)


def masked_votes(sequence: Text, votes: Float[Tensor, "n n n"], mask: Bool[Tensor, "n"]) -> Float[Tensor, "n"]:
    """The votes of those earlier words a for which `mask[a]` is True, added up; all others are silent.

    The mask goes by words, not by places, and has no say in what may follow: with True everywhere these are the
    votes of `skip_votes`, with False everywhere all zeros. Raises `ValueError` when the text is empty or a word,
    silent or not, is not from 0 to n - 1.
    """
    # 1. Refuse a text without a last word
    check_last_word(sequence, len(votes))
    *earlier, last = sequence
    # 2. The earlier words that may speak
    heard = [a for a in earlier if mask[a]]
    # 3. Their rows, added up: n
    return votes[heard, last].sum(dim=0)


def complete(prompt: Text, transition: Float[Tensor, "n n"], max_new_tokens: int) -> list[int]:
    """Continue a text: append the likeliest next word, the lower id where two are equally likely, and repeat.

    `transition` is a table as `first_order` makes it. At most `max_new_tokens` words are appended: the text ends early
    at a word that nothing ever followed, a row of zeros. Returns the prompt and what was appended.
    Raises `ValueError` when the prompt is empty or a word of it is not from 0 to n - 1.
    """
    # 1. Refuse a prompt without a last word
    check_last_word(prompt, len(transition))
    text = list(prompt)
    for _ in range(max_new_tokens):
        # 2. What follows the last word, if anything ever did: n
        shares = transition[text[-1]]
        if not shares.any():
            break
        # 3. Append the likeliest, the first of equals
        text.append(int((shares == shares.max()).nonzero()[0]))
    return text
