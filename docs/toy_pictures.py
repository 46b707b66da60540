"""The pictures of "From counting to attention" that can be worked by hand: tables, votes, masks, one weight."""

from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from docs.drawing import BATTERY, BLUE, CHECK, GREY, ORANGE, PROGRAM, SHOW, Words, bare, figure, heat_map, light
from reference.attention import apply_causal_mask, attention_pattern
from reference.backprop import linear_backward
from reference.embedding import sinusoidal_positions
from reference.markov import complete, first_order, masked_votes, pair_votes, second_order
from reference.softmax import softmax
from reference.tensors import batch_matmul, dot, lookup_by_matmul, one_hot
from reference.tokenizer import Tokenizer, train_bpe

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
    left, right = drawn.subfigures(1, 2, width_ratios=(1, 1.1))
    rows = {"my": (my, GREY), "times\na mix": (MIX, GREY), "place\nby place": (my * MIX, BLUE)}
    for axes, (name, (row, color)) in zip(left.subplots(3, 1, sharex=True), rows.items(), strict=True):
        drawn_bars = axes.bar(FILES_FIND_MY, row, color=color, width=0.6)
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
    drawn = figure(7, 2.4)
    left, middle, right = drawn.subplots(1, 3, width_ratios=(2, 1, 1))
    heat_map(left, one_hot(ids, 4), ["row 0", "row 3", "row 2"], list("0123"), "one-hot rows")
    heat_map(middle, rows, list("0123"), "ab", "times a table")
    heat_map(right, lookup_by_matmul(rows, ids), ["row 0", "row 3", "row 2"], "ab", "are its rows")
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
            style = {"color": ORANGE if words.words[voter] == "program" else BLUE, "edgecolor": "white"}
            if not mask[voter]:
                style = {"color": "white", "edgecolor": GREY}
            axes.barh(row, share, left=reached, height=0.6, **style)
            if share:
                color = "white" if mask[voter] else "#8d939c"
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
    drawn = figure(7.5, 5)
    above, middle, below = drawn.subplots(3, 1, height_ratios=(1, 8, 1))
    heat_map(above, one_hot(torch.tensor(words.ids("ran")), words.n), ["query: ran"], [""] * words.n)
    heat_map(middle, stack, words.words, [""] * words.n)
    heat_map(below, may_vote(words)[None], ["mask for ran"], words.words)
    return drawn


# What was heard, and the weights of 1 and -1 that make features of pairs of words of it
HEARD = torch.tensor([[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1.0]])
WEIGHTS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, -1.0]])


def pair_sums() -> Tensor:
    """The product of what was heard and the weights, before it is cut off below 0."""
    return batch_matmul(HEARD[None], WEIGHTS[None])[0]


def pair_features() -> Figure:
    """Words that were heard, times weights of 1 and -1, cut off below 0: features of pairs of words."""
    inputs, features = ["battery", "program", "ran", "bias"], ["battery ran", "program ran"]
    names = ["battery ... ran", "program ... ran", "battery ..."]
    drawn = figure(8, 2.6)
    left, middle, right = drawn.subplots(1, 3, width_ratios=(4, 2, 2))
    heat_map(left, HEARD, names, inputs, "what was heard")
    heat_map(middle, pair_sums(), [""] * 3, features, "times weights of 1 and -1")
    heat_map(right, pair_sums().relu(), [""] * 3, features, "cut off below 0")
    return drawn


X, TARGET, W, RATE = 3.0, 5.0, 2.0, 0.05  # the line y = w * x, the point it should go through, and a step downhill


def loss_of(w: float) -> float:
    """The squared error of the line through the origin with the slope w."""
    return (w * X - TARGET) ** 2


def slope_at(w: float) -> float:
    """The gradient of that loss with respect to w, by the rule for a linear layer."""
    x, weight, grad = (torch.tensor([[value]]) for value in (X, w, 2 * (w * X - TARGET)))
    return linear_backward(x, weight, grad)[1].item()


def one_weight() -> Figure:
    """The loss over one weight is a parabola; the gradient is its slope, and a step against it goes downhill."""
    drawn = figure(6, 3)
    axes = drawn.subplots()
    ws = [1 + i / 50 for i in range(68)]
    axes.plot(ws, [loss_of(w) for w in ws], color=GREY, linewidth=3)
    slope, after = slope_at(W), W - RATE * slope_at(W)
    axes.axline((W, loss_of(W)), slope=slope, color=ORANGE, linestyle="--", linewidth=1.2)
    axes.annotate("", (after, loss_of(after)), (W, loss_of(W)), arrowprops={"arrowstyle": "->", "color": BLUE, "lw": 2})
    axes.plot([W, after], [loss_of(W), loss_of(after)], "o", color=BLUE)
    axes.annotate(
        f"w = {W:g}, loss {loss_of(W):g}, slope {slope:g}", (W, loss_of(W)), (8, -4), textcoords="offset points"
    )
    said = f"one step later:\nw = {after:g}, loss {loss_of(after):.2g}"
    axes.annotate(said, (after, loss_of(after)), (-6, 44), textcoords="offset points", ha="center")
    axes.set(xlabel="w", ylabel="loss", xlim=(0.9, 2.7), ylim=(-0.2, 4))
    light(axes)
    return drawn


def soft_choice() -> Figure:
    """The probabilities of the same five numbers, at three temperatures."""
    x = torch.tensor([2.0, 1.0, 0.5, -1.0, 1.8])
    drawn = figure(7, 2.2)
    for axes, temperature in zip(drawn.subplots(1, 3, sharey=True), (0.2, 1.0, 5.0), strict=True):
        axes.bar(range(len(x)), softmax(x / temperature, dim=0), color=BLUE)
        axes.set_xticks(range(len(x)), [f"{value:g}" for value in x.tolist()])
        axes.set_title(f"x / {temperature:g}", fontsize=10)
        light(axes)
    return drawn


def positions() -> Figure:
    """Each pair of columns of the table of positions is a wave of its own length."""
    drawn = figure(6.5, 2.6)
    axes = drawn.subplots()
    axes.imshow(sinusoidal_positions(64, 32).T, cmap="RdBu", aspect="auto")
    axes.set(xlabel="position", ylabel="column")
    bare(axes)
    return drawn


def two_stacks() -> Figure:
    """Who may see whom in a decoder and in an encoder, every score being the same."""
    words = ["find", "out", "whether", "it", "ran", "please"]
    scores = torch.zeros(1, 1, len(words), len(words))
    drawn = figure(8, 3.6)
    left, right = drawn.subplots(1, 2, sharey=True)
    for axes, seen, title in (
        (left, apply_causal_mask(scores), "decoder: the causal mask"),
        (right, scores, "encoder: no mask"),
    ):
        heat_map(axes, attention_pattern(seen)[0, 0], words, words, title)
        axes.set_xlabel("is seen")
    left.set_ylabel("looks")
    return drawn


LEARNT_FROM, SIZES = 100_000, (0, 16, 32, 64, 128, 256, 512, 1024)
LINE = "The attention of a transformer is a lookup in a table that it has written itself."


def ids_in_the_line() -> list[int]:
    """How many ids one line takes, with the first so many of the merges that Python's manual teaches."""
    from pydoc_data.topics import topics

    learnt = train_bpe("\n".join(topics.values())[:LEARNT_FROM], 256 + SIZES[-1])
    return [len(Tokenizer(learnt[:n]).encode(LINE)) for n in SIZES]


def merges() -> Figure:
    """How many ids one line takes, as a tokenizer learns more merges."""
    drawn = figure(6, 2.6)
    axes = drawn.subplots()
    axes.bar_label(axes.bar([str(n) for n in SIZES], ids_in_the_line(), color=BLUE), fontsize=9)
    axes.set(xlabel="merges", ylabel="ids in the line")
    light(axes)
    return drawn
