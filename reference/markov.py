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


def to_shares(counts: Float[Tensor, "*rows n"]) -> Float[Tensor, "*rows n"]:
    """Each count over the sum of its row; a row without counts stays zero."""
    return counts / counts.sum(dim=-1, keepdim=True).clamp(min=1)


def first_order(sequences: Iterable[Text], n: int) -> Float[Tensor, "n n"]:
    """How often each word follows each word: entry [a, b] is the share of the times that b came right after a.

    A word that is never followed by anything has a row of zeros. Nothing follows from one text to the next.
    Raises `ValueError` when a word is not from 0 to n - 1.
    """
    counts = torch.zeros(n, n)
    for sequence in sequences:
        # 1. Refuse unknown words
        check_words(sequence, n)
        # 2. Count each word with the one after it, within a text: n n
        for a, b in pairwise(sequence):
            counts[a, b] += 1
    # 3. Counts become shares, row by row: n n
    return to_shares(counts)


def second_order(sequences: Iterable[Text], n: int) -> Float[Tensor, "n*n n"]:
    """How often each word follows each pair of words: row a * n + b is for the word after a b, a first.

    A pair that is never followed by anything has a row of zeros. Raises `ValueError` when a word is not from 0 to
    n - 1.
    """
    counts = torch.zeros(n * n, n)
    for sequence in sequences:
        # 1. Refuse unknown words
        check_words(sequence, n)
        # 2. Count each pair with the word after it, within a text: n*n n
        for i in range(len(sequence) - 2):
            a, b, c = sequence[i : i + 3]
            counts[a * n + b, c] += 1
    # 3. Counts become shares, row by row: n*n n
    return to_shares(counts)


def pair_votes(sequences: Iterable[Text], n: int) -> Float[Tensor, "n n n"]:
    """What each word, standing anywhere earlier, says about the word after another.

    Entry [a, b, c] is the share of the times that c came right after b, out of those times that something came right
    after b and a stood anywhere before this b. Where a stands there twice, it is still one time. A pair that never
    occurs so has zeros. Raises `ValueError` when a word is not from 0 to n - 1.
    """
    counts = torch.zeros(n, n, n)
    for sequence in sequences:
        # 1. Refuse unknown words
        check_words(sequence, n)
        # 2. Count each word with the one after it, once for every different word before the two: n n n
        for i, (b, c) in enumerate(pairwise(sequence)):
            for a in set(sequence[:i]):
                counts[a, b, c] += 1
    # 3. Counts become shares, row by row: n n n
    return to_shares(counts)


def skip_votes(sequence: Text, votes: Float[Tensor, "n n n"]) -> Float[Tensor, "n"]:
    """The votes of all earlier words on what follows the last word of `sequence`, added up.

    Every word before the last votes with its row for the pair of itself and the last word; a word that stands there
    twice votes twice. Raises `ValueError` when the text is empty or a word is not from 0 to n - 1.
    """
    # 1. Refuse a text without a last word
    check_last_word(sequence, len(votes))
    *earlier, last = sequence
    # 2. One row for each earlier word, then their sum: earlier n, and n
    return votes[earlier, last].sum(dim=0)


def masked_votes(sequence: Text, votes: Float[Tensor, "n n n"], mask: Bool[Tensor, "n"]) -> Float[Tensor, "n"]:
    """The votes of those earlier words a for which `mask[a]` is True, added up; all others are silent.

    Raises `ValueError` when the text is empty or a word is not from 0 to n - 1.
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

    `transition` is a table as `first_order` makes it. The text ends early at a word that nothing ever followed, a
    row of zeros. Returns the prompt and what was appended. Raises `ValueError` when the prompt is empty or a word
    is not from 0 to n - 1.
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
