"""The pictures of "From counting to attention" that can be worked by hand: tables, votes, masks, pairs."""

from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from docs.drawing import (
    BATTERY,
    BLUE,
    CHECK,
    GREY,
    ORANGE,
    PROGRAM,
    SHOW,
    Words,
    bare,
    figure,
    heat_map,
    sign,
    signed_map,
)
from reference.markov import complete, first_order, masked_votes, pair_votes, second_order
from reference.tensors import batch_matmul, dot, lookup_by_matmul, one_hot

FILES_FIND_MY = ["files", "find", "my"]
SENTENCE = "find my files"
MIX = torch.tensor([0.2, 0.3, 0.5])  # of these three words


def one_hot_rows() -> Figure:
    """A sentence, "find my files", as rows with a single one."""
    drawn = figure(4.5, 2.4)
    rows = one_hot(torch.tensor([FILES_FIND_MY.index(word) for word in SENTENCE.split()]), 3)
    heat_map(drawn.subplots(), rows, SENTENCE.split(), FILES_FIND_MY)
    return drawn


def products_with_my() -> dict[str, float]:
    """The dot product of *my* with each word, and with a mix of all three."""
    rows = one_hot(torch.arange(3), 3)
    named = dict(zip(FILES_FIND_MY, rows, strict=True)) | {"a mix": MIX}
    return {name: dot(rows[FILES_FIND_MY.index("my")], row).item() for name, row in named.items()}


def dot_product() -> Figure:
    """A one-hot row times a mix of words, place by place and added up; beside it the dot products of *my*."""
    my = one_hot(torch.tensor(FILES_FIND_MY.index("my")), 3)
    drawn = figure(8, 3)
    halves: Any = drawn.subfigures(1, 2, width_ratios=(1, 1.1))
    left, right = halves
    rows = {"my": (my, GREY), "times\na mix": (MIX, GREY), "place\nby place": (my * MIX, BLUE)}
    for axes, (name, (row, color)) in zip(left.subplots(3, 1, sharex=True), rows.items(), strict=True):
        drawn_bars = axes.bar(FILES_FIND_MY, row.tolist(), color=color, width=0.6)
        axes.bar_label(drawn_bars, [f"{value:.2g}" for value in row.tolist()], fontsize=9, padding=2)
        axes.set(ylim=(0, 1.5), yticks=[])
        axes.set_ylabel(name, rotation=0, ha="right", va="center")
        bare(axes)
        axes.spines["bottom"].set_visible(True)
    sums = products_with_my()
    axes = right.subplots()
    drawn_bars = axes.barh(list(sums), sums.values(), color=[BLUE if name == "a mix" else GREY for name in sums])
    axes.bar_label(drawn_bars, [f"{value:.2g}" for value in sums.values()], padding=4)
    axes.set(xlim=(0, 1.15), xticks=[])
    axes.set_title("added up: dot product with my", fontsize=10)
    axes.invert_yaxis()
    bare(axes)
    axes.spines["left"].set_visible(True)
    return drawn


def lookup() -> Figure:
    """One-hot rows times a table are rows of the table."""
    rows, ids = torch.tensor([[0.2, 0.9], [0.7, 0.1], [0.4, 0.4], [0.05, 0.6]]), torch.tensor([0, 3, 2])
    drawn = figure(7.5, 2.4)
    left, middle, right = drawn.subplots(1, 3, width_ratios=(2, 1, 1))
    heat_map(left, one_hot(ids, 4), ["0", "3", "2"], list("0123"), "one-hot rows")
    sign(middle, "\N{MULTIPLICATION SIGN}", 0.65)
    heat_map(middle, rows, [f"row {i}" for i in range(4)], "ab", "a table")
    sign(right, "=", 0.65)
    heat_map(right, lookup_by_matmul(rows, ids), ["row 0", "row 3", "row 2"], "ab", "rows of the table")
    return drawn


def transitions() -> Figure:
    """The first-order table of ten sentences."""
    words = Words(SHOW)
    drawn = figure(5.5, 4)
    axes = drawn.subplots()
    heat_map(axes, first_order(words.texts, words.n), words.words, words.words)
    axes.set(xlabel="comes next", ylabel="after this word")
    return drawn


def completion() -> Figure:
    """What may follow at each step of a text that always takes the likeliest."""
    words = Words(SHOW)
    shares = first_order(words.texts, words.n)
    text = complete(words.ids("show"), shares, 10)
    drawn = figure(6, 2.8)
    heat_map(drawn.subplots(), shares[text[:-1]], [f"after {words.words[i]}" for i in text[:-1]], words.words)
    return drawn


def pairs() -> Figure:
    """The rows of the second-order table that occur: all but one are certain."""
    words = Words(CHECK)
    shares = second_order(words.texts, words.n)
    occurring = shares.any(dim=1).nonzero().flatten().tolist()
    names = [f"{words.words[row // words.n]} {words.words[row % words.n]}" for row in occurring]
    drawn = figure(5.5, 4)
    axes = drawn.subplots()
    heat_map(axes, shares[occurring], names, words.words)
    axes.set(xlabel="comes next", ylabel="after this pair")
    return drawn


def ballots() -> tuple[Words, list[int], Tensor]:
    """The words of the two sentences about what ran, the first of these up to *ran*, and the votes of all pairs."""
    words = Words([PROGRAM, BATTERY])
    return words, words.ids(PROGRAM.removesuffix(" please")), pair_votes(words.texts, words.n)


def may_vote(words: Words) -> Tensor:
    """The row of a stack of masks, one for each word, that *ran* looks up with its one-hot row."""
    stack = torch.zeros(words.n, words.n)
    stack[words.ids("ran"), words.ids("battery program")] = 1
    return lookup_by_matmul(stack, torch.tensor(words.ids("ran")))[0]


def draw_votes(axes: Any, mask: Tensor) -> None:
    """The votes for *down* and for *please* of each earlier word that may vote, side by side; the others are hollow."""
    words, text, votes = ballots()
    totals = masked_votes(text, votes, mask.bool())
    for row, name in enumerate(("please", "down")):
        i, reached = words.words.index(name), 0.0
        for voter in text[:-1]:
            share = votes[voter, text[-1], i].item()
            is_program = words.words[voter] == "program"
            style = {"color": ORANGE if is_program else BLUE, "edgecolor": "white"}
            if not mask[voter]:
                style = {"color": "white", "edgecolor": GREY}
            axes.barh(row, share, left=reached, height=0.6, **style)
            if share:
                color = "#5b6270" if not mask[voter] else "black" if is_program else "white"
                axes.text(
                    reached + share / 2, row, words.words[voter], ha="center", va="center", color=color, fontsize=8
                )
            reached += share
        axes.text(reached + 0.08, row, f"{totals[i]:g}", va="center", fontsize=11, fontweight="bold")
    axes.set_yticks((0, 1), ("please", "down"))
    axes.set(xlim=(0, 5.4), xticks=[])
    axes.invert_yaxis()
    bare(axes)


def votes() -> Figure:
    """All earlier words vote on what follows *ran*: 5 against 4."""
    drawn = figure(8, 1.5)
    draw_votes(drawn.subplots(), torch.ones(ballots()[0].n))
    return drawn


def sharp_votes() -> Figure:
    """Only those vote that know: 1 against 0."""
    drawn = figure(8, 1.5)
    draw_votes(drawn.subplots(), may_vote(ballots()[0]))
    return drawn


def masks() -> Figure:
    """A one-hot query times a stack of masks is the mask of that word."""
    words, _text, _votes = ballots()
    stack = torch.zeros(words.n, words.n)
    stack[words.ids("ran"), words.ids("battery program")] = 1
    drawn = figure(7.5, 6)
    above, middle, below = drawn.subplots(3, 1, height_ratios=(1, 8, 1))
    heat_map(above, one_hot(torch.tensor(words.ids("ran")), words.n), ["ran"], [""] * words.n, "query: one-hot row")
    title = "\N{MULTIPLICATION SIGN}\nstack of masks: a row for each word that asks"
    heat_map(middle, stack, words.words, [""] * words.n, title)
    heat_map(below, may_vote(words)[None], ["ran"], words.words, "=\nthe mask of ran: which words it may hear")
    return drawn


# What was heard, and the weights of 1 and -1 that make features of pairs of words of it
HEARD = torch.tensor([[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1.0]])
WEIGHTS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, -1.0]])


def pair_sums() -> Tensor:
    """The product of what was heard and the weights, before it is cut off below 0."""
    return batch_matmul(HEARD[None], WEIGHTS[None])[0]


def pair_features() -> Figure:
    """Words that were heard, times weights of 1, 0 and -1, cut off below 0: features of pairs of words."""
    inputs, features = ["battery", "program", "ran", "bias"], ["battery ran", "program ran"]
    names = ["battery ... ran", "program ... ran", "battery ..."]
    drawn = figure(9, 2.8)
    heard, weights, sums, cut = drawn.subplots(1, 4, width_ratios=(4, 2, 2, 2))
    signed_map(heard, HEARD, names, inputs, "what was heard")
    sign(weights, "\N{MULTIPLICATION SIGN}", 0.85)
    signed_map(weights, WEIGHTS, inputs, features, "weights")
    sign(sums, "=", 0.2)
    signed_map(sums, pair_sums(), [""] * 3, features, "sums")
    sign(cut, "\N{RIGHTWARDS ARROW}", 0.2)
    signed_map(cut, pair_sums().relu(), [""] * 3, features, "cut off below 0")
    return drawn
