"""Texts for the laws of markov: drawn ones, sentences worked by hand, and the beginning of a real text.

The sentences are those of Rohrer, "Transformers from Scratch", 2021; the real text is Python's own manual.
"""

import functools
import random
import re
from collections import Counter
from pydoc_data.topics import topics

import torch

from graders.engine.space import Case, fixed, given_case, space

LONGER = 5  # every fifth seed has texts as many times longer, in which words come again and again
MANUAL_CHARACTERS, MANUAL_WORDS = 25_000, 20


def drawn(seed, n, *lengths):
    """Texts of these lengths, as a list or a tuple: some words come again and again, and some never."""
    chance = random.Random(seed)
    known = chance.choices(range(n), k=n)
    text = chance.choice((list, tuple))
    return chance.choice((list, tuple))(text(chance.choices(known, k=length)) for length in lengths)


@space(n=(1, 5, 3), n_texts=(0, 4, 2), length=(0, 6, 3))
def texts(case, n, n_texts, length):
    """Texts of many lengths, the longest in any place; often some are empty or of one word, or there are none."""
    chance = random.Random(case.seed)
    longest = length * (LONGER if case.seed % 5 == 4 else 1)
    lengths = [longest, *(chance.randint(0, longest) for _ in range(n_texts))][:n_texts]
    case.show("sequences", drawn(case.seed, n, *chance.sample(lengths, k=n_texts)))
    case.show("n", n)


@space(n=(1, 5, 2), length=(1, 7, 3))
def voters(case, n, length):
    """A text of at least one word, and a table of votes, which may be any numbers."""
    case.show("sequence", drawn(case.seed, n, length)[0])
    case.tensor("votes", a=n, b=n, c=n)


@space(n=(1, 5, 2), length=(1, 7, 3))
def masked_voters(case, n, length):
    """The same, and a mask, some of one kind only."""
    voters.build(case, n, length)
    kind = case.seed % 6
    case.show("mask", torch.full((n,), kind == 0) if kind < 2 else case.draw(n) > 0, a=n)


@space(n=(1, 6, 3), length=(1, 4, 2), new=(0, 6, 3))
def beginnings(case, n, length, new):
    """A prompt and a table whose shares often tie, some rows being zeros; in some cases it is float32."""
    chance = random.Random(case.seed)
    kind = torch.float32 if case.seed % 5 == 3 else torch.float64
    counts = torch.tensor([chance.choices((0, 0, 1, 2, 2, 40), k=n) for _ in range(n)], dtype=kind)
    counts[[a for a in range(n) if chance.random() < 0.15]] = 0
    text = (list, tuple)[chance.randrange(2)]
    case.show("prompt", text(chance.choices(range(n), k=length)))
    case.show("transition", counts / counts.sum(dim=1, keepdim=True).clamp(min=1), a=n, b=n)
    case.show("max_new_tokens", new)


def numbered(*sentences):
    """The words of some sentences, in the order in which they come first, and the sentences in numbers."""
    words = list(dict.fromkeys(" ".join(sentences).split()))
    return words, [[words.index(word) for word in sentence.split()] for sentence in sentences]


def table(words, rows):
    """A table from its rows that are not zero: by the words that have come, the shares of words that follow."""
    n, of_how_many = len(words), len(next(iter(rows)).split())
    shares = torch.zeros(n**of_how_many, n, dtype=torch.float64)
    for before, following in rows.items():
        at = functools.reduce(lambda row, word: row * n + words.index(word), before.split(), 0)
        for word, share in following.items():
            shares[at, words.index(word)] = share
    return shares


def spelled(words) -> dict[int, str]:
    """Which words the numbers stand for."""
    return dict(enumerate(words))


@fixed
def show_me(where):
    """Ten sentences, alike but for one word: two times in ten directories, three times files, five times photos."""
    kinds = ["directories"] * 2 + ["files"] * 3 + ["photos"] * 5
    words, sentences = numbered(*(f"show me my {kind} please" for kind in kinds))
    case = given_case(words=spelled(words), sequences=sentences, n=len(words))
    only = {"show": "me", "me": "my", "directories": "please", "files": "please", "photos": "please"}
    rows = {word: {after: 1.0} for word, after in only.items()}
    case.expected = table(words, rows | {"my": {"directories": 0.2, "files": 0.3, "photos": 0.5}})
    return [case]


@fixed
def battery_and_program(where):
    """Five sentences, two about the battery and three about the program."""
    battery, program = "check whether the battery ran down please", "check whether the program ran please"
    words, sentences = numbered(*[battery] * 2, *[program] * 3)
    case = given_case(words=spelled(words), sequences=sentences, n=len(words))
    only = {"check whether": "the", "the battery": "ran", "battery ran": "down", "ran down": "please"}
    rows = {pair: {after: 1.0} for pair, after in (only | {"the program": "ran", "program ran": "please"}).items()}
    case.expected = table(words, rows | {"whether the": {"battery": 0.4, "program": 0.6}})
    return [case]


@fixed
def whether_it_ran(where):
    """Two sentences, in which what follows `ran` depends on a word eight before it; and two beginnings of them."""
    program = "check the program log and find out whether it ran please"
    words, sentences = numbered(program, "check the battery log and find out whether it ran down please")
    case = given_case(words=spelled(words), sequences=sentences, n=len(words))
    undecided = ("check", "the", "log", "and", "find", "out", "whether", "it")
    both = {word: {"down": 0.5, "please": 0.5} for word in undecided}
    case.after_ran = table(words, both | {"program": {"please": 1.0}, "battery": {"down": 1.0}})
    case.votes = torch.zeros(13, 13, 13, dtype=torch.float64)
    case.votes[:, words.index("ran")] = case.after_ran
    case.mask = torch.tensor([word in ("battery", "program") for word in words])
    case.ran, case.down, case.please = map(words.index, ("ran", "down", "please"))
    case.about_the_program, case.about_the_battery = (text[: text.index(case.ran) + 1] for text in sentences)
    return [case]


@fixed
def manual(where):
    """The beginning of Python's own manual: its commonest words, each run of them a text; the others cut it."""
    beginning = " ".join(topics[name] for name in sorted(topics))[:MANUAL_CHARACTERS]
    read = re.findall("[a-z]+", beginning.lower())
    numbers = {word: i for i, (word, _) in enumerate(Counter(read).most_common(MANUAL_WORDS))}
    runs: list[list[int]] = [[]]
    for word in read:
        if word in numbers:
            runs[-1].append(numbers[word])
        elif runs[-1]:
            runs.append([])
    return [given_case(words=spelled(numbers), sequences=runs, n=len(numbers))]


@fixed
def an_earlier_word_twice(where):
    """The example of the page: in the first text, word 0 stands twice before word 1."""
    return [given_case(sequences=[[0, 0, 1, 2], [0, 1, 3]], n=4)]


@fixed
def many_texts(where):
    """Nine texts of up to 45 words; the same text more than once; a word said more often than a byte can count."""
    again, said_often = [[0, 1, 2], [0, 1, 2], [0, 1, 3]], [[0, *[1] * 300, 0]]
    return [
        texts.case(4, n=11, n_texts=9, length=9),
        *(given_case(sequences=sequences, n=4) for sequences in (again, said_often)),
    ]


def many(cases):
    """In float32: two long texts, of which one has a mask of False alone, if any, and a text of one word."""
    return fixed(
        lambda where: [
            cases.in_float32().case(seed, n=13, length=length) for seed, length in ((3, 40), (1, 40), (2, 1))
        ]
    )


@fixed
def long_texts(where):
    """Two hundred words after thirty; of one table all shares are about a sixtieth, one being larger by a hair."""
    nearly_equal = torch.eye(60, dtype=torch.float64).roll(7, dims=1) / 1e9 + 1
    shares = nearly_equal / nearly_equal.sum(dim=1, keepdim=True)
    drawn_ones = [beginnings.case(seed, n=60, length=30, new=200) for seed in (0, 3)]
    axes = {"transition": "a b"}
    return [*drawn_ones, given_case(axes=axes, prompt=[4] * 30, transition=shares, max_new_tokens=200)]


@fixed
def unknown_words(where):
    """Texts of words from 0 to 2, but for one word, by what is wrong."""
    case = Case(0, {})
    case.n, case.wrong = 3, {}
    for word in (3, 7, -1):
        case.wrong |= {
            f"with n 3, the word {word} in the middle of a text": [[0, 1, word, 2, 0]],
            f"with n 3, the word {word} as the first of a text": [[1, 0], [word, 2, 1, 1, 0]],
            f"with n 3, the word {word} as the last of a text": [[2, 1, 0, 1, word], [0, 1]],
            f"with n 3, the word {word} as the only one of a text": [[0, 1, 2], [word]],
        }
    return [case]


@fixed
def unfit_beginnings(where):
    """An empty text, and texts of words from 0 to 2, but for one word, by what is wrong."""
    case = Case(0, {})
    case.votes, case.transition = torch.ones(3, 3, 3).double(), torch.eye(3).double()
    case.wrong = {"an empty list": [], "an empty tuple": ()}
    for word in (3, 7, -1):
        case.wrong |= {
            f"with n 3, the last word being {word}": [0, 1, word],
            f"with n 3, the first word being {word}": [word, 1, 0],
            f"with n 3, a word in the middle being {word}": [2, word, 0],
            f"with n 3, the only word being {word}": [word],
        }
    return [case]


def windows(case, size):
    """All runs of so many neighbours in the texts of a case."""
    return [text[i : i + size] for text in case.sequences for i in range(len(text) - size + 1)]


def counted(case, size):
    """The table of a case's texts, by counting all runs of so many words, the last of which is what follows."""
    found = Counter(map(tuple, windows(case, size)))
    before = Counter(run[:-1] for run in found.elements())
    shares = torch.zeros(*[case.n] * size, dtype=torch.float64)
    for run, count in found.items():
        shares[run] = count / before[run[:-1]]
    return shares.reshape(-1, case.n)
