"""The pictures of the exercises' pages that show the small GPT-2 that comes with the course, and how it was trained."""

import json
import math

from matplotlib.figure import Figure
from torch import Tensor

from docs.drawing import BLUE, GREY, ORANGE, SIGNED, bare, figure, light
from docs.model_pictures import LINE, SAVED, checkpoint, read, scores_of, shown, streams
from graders.weights.sums import EMBEDDED
from reference.attention import apply_causal_mask, attention_pattern
from reference.loss import next_token_loss, uniform_loss
from reference.sampling import top_p_filter
from reference.softmax import log_softmax, softmax

CLAUSE, HEAD = "To be, or not to be", 0


def scores_of_a_head() -> tuple[list[str], Tensor]:
    """The tokens of `CLAUSE`, and the scores of one head of the first layer before any mask, (1, 1, q, k)."""
    tokens, names = read(CLAUSE)
    first_read = streams(tokens)[1][0]
    return names, scores_of(checkpoint()[0].blocks[0].attn, first_read)[:, HEAD : HEAD + 1]


def scores_to_pattern() -> Figure:
    """One head's scores, the same with the future hidden, and the pattern that the softmax makes of them."""
    names, scores = scores_of_a_head()
    masked = apply_causal_mask(scores)
    limit = scores.abs().max().item()
    drawn = figure(9, 4)
    all_axes = drawn.subplots(1, 3, sharey=True)
    for axes, values, title in zip(
        all_axes,
        (scores, masked.masked_fill(masked.isinf(), math.nan), attention_pattern(masked)),
        ("scores", "the future hidden: -inf", "pattern: rows add up to 1"),
        strict=True,
    ):
        is_pattern = title.startswith("pattern")
        style = (
            {"cmap": "Blues", "vmin": 0, "vmax": 1} if is_pattern else {"cmap": SIGNED, "vmin": -limit, "vmax": limit}
        )
        axes.imshow(values[0, 0].tolist(), **style)
        axes.set_xticks(range(len(names)), names, rotation=90)
        axes.set_yticks(range(len(names)), names)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("key")
        bare(axes)
    all_axes[0].set_ylabel("query")
    return drawn


def additions() -> list[tuple[float, float, float]]:
    """The mean lengths, block by block, of the stream before it, of what attention adds and of what the MLP adds."""
    model, _ = checkpoint()
    tokens, _ = read(LINE)
    residual, found = model.embed(tokens) + model.pos_embed(tokens), []
    for block in model.blocks:
        from_attention = block.attn(block.ln1(residual))
        from_mlp = block.mlp(block.ln2(residual + from_attention))
        found.append(tuple(x.norm(dim=-1).mean().item() for x in (residual, from_attention, from_mlp)))
        residual = residual + from_attention + from_mlp
    return found


def block_additions() -> Figure:
    """How long the stream is before each block, and what the two parts of the block add to it."""
    found = additions()
    drawn = figure(6.5, 2.8)
    axes = drawn.subplots()
    parts = (("the stream before it", GREY), ("what attention adds", BLUE), ("what the MLP adds", ORANGE))
    for i, (name, color) in enumerate(parts):
        axes.bar(
            [block + (i - 1) * 0.27 for block in range(len(found))],
            [row[i] for row in found],
            0.25,
            color=color,
            label=name,
        )
    axes.set(xlabel="block", ylabel="mean length of a vector", xticks=range(len(found)))
    axes.legend(frameon=False)
    light(axes)
    return drawn


SURE, UNSURE = "God save the king! God save your maj", "My lord, I"
P, K, N_SHOWN = 0.8, 10, 32


def distributions() -> list[tuple[str, list[str], list[float], int]]:
    """Of two beginnings: the likeliest next tokens, their probabilities in falling order, the size of the nucleus."""
    model, _ = checkpoint()
    found = []
    for beginning in (SURE, UNSURE):
        logits = model(read(beginning)[0])[:, -1]
        probabilities, ids = softmax(logits, dim=-1)[0].sort(descending=True, stable=True)
        size = int(top_p_filter(logits, P).isfinite().sum())
        found.append((beginning, [shown(i) for i in ids[:N_SHOWN].tolist()], probabilities[:N_SHOWN].tolist(), size))
    return found


def nucleus() -> Figure:
    """The likeliest next tokens of two texts: top-p keeps few where the model is sure and many where it is not."""
    drawn = figure(8.5, 4.4)
    for axes, (beginning, names, probabilities, size) in zip(drawn.subplots(2, 1), distributions(), strict=True):
        axes.bar(range(N_SHOWN), probabilities, color=[BLUE if i < size else GREY for i in range(N_SHOWN)])
        axes.axvline(K - 0.5, color=ORANGE, linestyle="--")
        axes.set_xticks(range(N_SHOWN), names, rotation=60, ha="right", rotation_mode="anchor", fontsize=8)
        axes.set_ylabel("probability")
        axes.set_title(f"after \N{LEFT DOUBLE QUOTATION MARK}{beginning}\N{RIGHT DOUBLE QUOTATION MARK}", fontsize=10)
        axes.text(
            0.99, 0.9, f"nucleus of top-p {P:g}: {size}", color=BLUE, ha="right", va="top", transform=axes.transAxes
        )
        axes.text(K - 0.4, axes.get_ylim()[1], f" top-k {K} ends here", color="#9a5a12", va="top", fontsize=8)
        light(axes)
    return drawn


def surprises() -> tuple[list[str], list[float], float]:
    """The tokens of `SAVED` after the first, how surprised the checkpoint is by each, in nats, and the loss."""
    tokens, names = read(SAVED)
    logits = checkpoint()[0](tokens)
    log_probs = log_softmax(logits[:, :-1], dim=-1).gather(-1, tokens[:, 1:, None])[0, :, 0]
    return names[1:], (-log_probs).tolist(), next_token_loss(logits, tokens).item()


def surprise_by_token() -> Figure:
    """The surprise at each token of a line, their mean, and that of a model that knows nothing."""
    names, found, loss = surprises()
    drawn = figure(9, 2.8)
    axes = drawn.subplots()
    axes.bar(range(len(names)), found, color=BLUE)
    model, _ = checkpoint()
    uniform = uniform_loss(model.unembed.W_U.shape[1])
    for height, name, color in (
        (loss, f"the loss: {loss:.1f}", ORANGE),
        (uniform, f"uniform: {uniform:.1f}", GREY),
    ):
        axes.axhline(height, color=color, linestyle="--")
        axes.text(len(names) - 0.4, height, name, color="black", va="bottom", ha="right", fontsize=9)
    axes.set_xticks(range(len(names)), names)
    axes.set(ylabel="surprise, nats", ylim=(0, None))
    light(axes)
    return drawn


UNIGRAM = 5.76  # nats a token, of the text it was trained on, which is not in the project
CHARACTERS = 111_540 / 49_422  # a token, in the part of the text that was held out
TOKENS_A_STEP = 2048


def losses() -> list[tuple[int, float, float]]:
    """Of the run that made the checkpoint: the step, the mean loss of the steps up to it, the loss on unseen text."""
    rows = [json.loads(line) for line in (EMBEDDED / "training.jsonl").read_text(encoding="utf-8").splitlines()]
    return [(row["tokens"] // TOKENS_A_STEP, row["train_nats_per_token"], row["held_out"] * CHARACTERS) for row in rows]


def loss_curve() -> Figure:
    """The losses of the run that made the checkpoint, beside the two baselines."""
    steps, seen, unseen = zip(*losses(), strict=True)
    vocabulary = checkpoint()[0].unembed.W_U.shape[1]
    drawn = figure(6.5, 3.4)
    axes = drawn.subplots()
    axes.plot(steps, seen, color=BLUE, marker="o", markersize=3, label="on what it trains on")
    axes.plot(steps, unseen, color=ORANGE, marker="o", markersize=3, label="on text that it has not seen")
    for loss, name in ((uniform_loss(vocabulary), "uniform"), (UNIGRAM, "unigram")):
        axes.axhline(loss, color=GREY)
        axes.text(steps[-1], loss, f"{name}: {loss:.2f}", ha="right", va="bottom", fontsize=9)
    axes.set(xlabel="step", ylabel="loss, nats a token", ylim=(0, 7.6), xlim=(0, None))
    axes.legend(frameon=False, loc="lower left")
    light(axes)
    return drawn
