"""The pictures of "From counting to attention" that show a model: the small GPT-2 that comes with the course."""

import functools
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from docs.drawing import BLUE, ORANGE, bare, figure, light, table, write
from graders.weights.checkpoint import load_checkpoint
from reference.attention import apply_causal_mask, attention_pattern, attention_scores
from reference.config import GPTConfig
from reference.gpt import GPT
from reference.loss import next_token_loss
from reference.softmax import softmax

KINDS = ("father mother brother son", "my thy your their", "shall will must may")
LINE = "To be, or not to be, that is the question"
SAVED = "God save the king! God save your majesty!"
HEADS = ((0, 0), (2, 1), (4, 3))  # layer and head


@functools.cache
def checkpoint() -> tuple[Any, Any]:
    """The small GPT-2 that comes with the course, a `GPT`, and its tokenizer."""
    loaded = load_checkpoint()
    model = GPT(GPTConfig(**loaded.cfg))
    model.load_state_dict({name: tensor.float() for name, tensor in loaded.weights.items()})
    return model.requires_grad_(False), PreTrainedTokenizerFast.from_pretrained(loaded.folder)


def read(line: str) -> tuple[Tensor, list[str]]:
    """The tokens of a line, (1, seq), and each as it is shown: a space as an open box."""
    _, tokenizer = checkpoint()
    ids = tokenizer(line)["input_ids"]
    return torch.tensor([ids]), [shown(i) for i in ids]


def shown(token: int) -> str:
    """A token as it is written in a picture; of a character that it only has a part of, nothing but a dot."""
    text = checkpoint()[1].decode([token])
    readable = text.replace(" ", "\N{OPEN BOX}").replace("\n", "\N{RETURN SYMBOL}")
    return readable if readable.isprintable() and "\N{REPLACEMENT CHARACTER}" not in readable else "\N{MIDDLE DOT}"


def nearness() -> tuple[list[str], Tensor]:
    """The words of `KINDS`, and the cosine between their embeddings, (words, words), 1 on the diagonal.

    The mean of all embeddings is taken off first: they share it, and it says nothing about a word.
    Raises `ValueError` when a word is not one token.
    """
    model, tokenizer = checkpoint()
    words = " ".join(KINDS).split()
    ids = [tokenizer(f" {word}")["input_ids"] for word in words]
    if any(len(pieces) != 1 for pieces in ids):
        raise ValueError(f"these words are not one token each: {words}, {ids}; expected one id for each")
    rows = model.embed.W_E[[pieces[0] for pieces in ids]] - model.embed.W_E.mean(dim=0)
    rows = rows / rows.norm(dim=1, keepdim=True)
    return words, rows @ rows.T


def near_words() -> Figure:
    """How near the embeddings of some words are to each other, in the checkpoint that comes with the course."""
    words, near = nearness()
    drawn = figure(5.2, 4.2)
    axes = drawn.subplots()
    table(axes, near, words, words)
    axes.images[0].set_clim(0.1, 0.9)
    for i, row in enumerate(near.tolist()):
        for j, value in enumerate(row):
            if i != j:
                write(axes, i, j, f"{value:.2f}".removeprefix("0"), value, fontsize=7)
    return drawn


def scores_of(attn: Any, x: Tensor) -> Tensor:
    """The scores of all heads of a layer before any mask, (batch, n_heads, q, k), on what it reads."""
    q, k = (torch.einsum("bsd,hde->bshe", x, W) + b for W, b in ((attn.W_Q, attn.b_Q), (attn.W_K, attn.b_K)))
    return attention_scores(q, k)


def streams(tokens: Tensor) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """The residual stream, what the LayerNorm that reads it next makes of it, and the patterns, for a row of tokens.

    Of the first two one before each block and one after the last, which `ln_final` reads; of patterns one a block.
    """
    model, _ = checkpoint()
    residual = model.embed(tokens) + model.pos_embed(tokens)
    stream, normalised, patterns = [], [], []
    for block in model.blocks:
        x = block.ln1(residual)
        stream.append(residual)
        normalised.append(x)
        patterns.append(attention_pattern(apply_causal_mask(scores_of(block.attn, x)))[0])
        residual = block(residual)
    return [*stream, residual], [*normalised, model.ln_final(residual)], patterns


def patterns() -> Figure:
    """Where three heads of the checkpoint look, in a line it knows."""
    tokens, names = read(LINE)
    found = streams(tokens)[2]
    drawn = figure(9, 3.6)
    all_axes = drawn.subplots(1, 3)
    for axes, (layer, head) in zip(all_axes, HEADS, strict=True):
        axes.imshow(found[layer][head].tolist(), cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
        axes.set_yticks(range(len(names)), names, fontsize=7)
        axes.set_title(f"layer {layer}, head {head}", fontsize=10)
        axes.set_xlabel("is looked at")
        bare(axes)
    all_axes[0].set_ylabel("looks")
    return drawn


def lengths() -> tuple[list[float], list[float]]:
    """The mean length of the vectors in the residual stream, after so many blocks, and as the next LayerNorm has it."""
    stream, normalised, _ = streams(read(LINE)[0])
    raw, level = ([x.norm(dim=-1).mean().item() for x in each] for each in (stream, normalised))
    return raw, level


def stream_size() -> Figure:
    """The mean length of the vectors in the residual stream, block by block, before and after LayerNorm."""
    raw, level = lengths()
    drawn = figure(6, 2.6)
    axes = drawn.subplots()
    axes.plot(raw, marker="o", color=BLUE, label="residual stream")
    axes.plot(level, marker="o", color=ORANGE, label="as the next LayerNorm has it")
    axes.set(xlabel="after so many blocks", ylabel="mean length of a vector", ylim=(0, None))
    axes.legend(frameon=False)
    light(axes)
    return drawn


def guesses() -> tuple[list[str], Tensor, list[float]]:
    """The tokens of `SAVED`, the logits that the stream has for each next one, and the mean loss of these, in nats.

    Logits are (1 + blocks, seq, d_vocab), read by `ln_final` and `unembed` before each block and after the last.
    """
    model, _ = checkpoint()
    tokens, names = read(SAVED)
    logits = torch.cat([model.unembed(model.ln_final(stream)) for stream in streams(tokens)[0]])
    return names, logits, [next_token_loss(each[None], tokens).item() for each in logits]


def refinement() -> Figure:
    """What the stream would guess after each block, the bluer the likelier it holds what really comes."""
    names, logits, losses = guesses()
    tokens = read(SAVED)[0][0]
    right = softmax(logits[1:, :-1], dim=-1).gather(-1, tokens[1:].expand(len(logits) - 1, -1)[..., None])[..., 0]
    drawn = figure(10, 3)
    axes = drawn.subplots()
    rows = [f"block {i + 1}   {loss:.1f} nats" for i, loss in enumerate(losses[1:])]
    table(axes, right, rows, names[1:])
    axes.set_xticks(range(len(names) - 1), names[1:], rotation=0, ha="center")
    for i, row in enumerate(logits[1:, :-1].argmax(dim=-1).tolist()):
        for j, token in enumerate(row):
            write(axes, i, j, shown(token), right[i, j].item(), fontsize=9)
    axes.set_xlabel("what comes")
    return drawn
