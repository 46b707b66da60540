"""The pictures of "From counting to attention" of what follows from a formula: slopes, softmax, waves, merges."""

import torch
from matplotlib.figure import Figure

from docs.drawing import BLUE, GREY, ORANGE, SIGNED, bare, figure, heat_map, light
from reference.attention import apply_causal_mask, attention_pattern
from reference.backprop import linear_backward
from reference.embedding import sinusoidal_positions
from reference.softmax import softmax
from reference.tokenizer import Tokenizer, train_bpe

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


NUMBERS = (2.0, 1.8, 1.0, 0.5, -1.0)


def soft_choice() -> Figure:
    """The probabilities of the same five numbers, at three temperatures."""
    x = torch.tensor(NUMBERS)
    drawn = figure(7, 2.4)
    all_axes = drawn.subplots(1, 3, sharey=True)
    for axes, temperature in zip(all_axes, (0.2, 1.0, 5.0), strict=True):
        axes.bar(range(len(x)), softmax(x / temperature, dim=0).tolist(), color=BLUE)
        axes.set_xticks(range(len(x)), [f"{value:g}" for value in x.tolist()])
        axes.set_xlabel("number")
        axes.set_title(f"temperature {temperature:g}", fontsize=10)
        light(axes)
    all_axes[0].set_ylabel("probability")
    return drawn


def positions() -> Figure:
    """Each pair of columns of the table of positions is a wave of its own length; each position is a row."""
    drawn = figure(6, 4)
    axes = drawn.subplots()
    shown = axes.imshow(sinusoidal_positions(40, 16).tolist(), cmap=SIGNED, vmin=-1, vmax=1, aspect="auto")
    axes.set(xlabel="column", ylabel="position", xticks=range(0, 16, 2), yticks=range(0, 40, 5))
    drawn.colorbar(shown, ticks=(-1, 0, 1))
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
