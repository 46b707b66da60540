"""The pictures of "From counting to attention", drawn with the reference: what is seen is what the code computes.

    python docs/pictures.py [folder]

`mkdocs` draws them when it builds the site (`on_pre_build`); they are not kept in the repository.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from graders.weights.checkpoint import load_checkpoint
from reference.attention import apply_causal_mask, attention_pattern, attention_scores
from reference.config import GPTConfig
from reference.embedding import sinusoidal_positions
from reference.gpt import GPT
from reference.markov import complete, first_order, masked_votes, pair_votes, second_order, skip_votes
from reference.softmax import softmax
from reference.tensors import lookup_by_matmul, one_hot
from reference.tokenizer import Tokenizer, train_bpe

FOLDER = Path(__file__).parent / "pictures"
SHOW = [f"show me my {word} please" for word in 2 * ["directories"] + 3 * ["files"] + 5 * ["photos"]]
CHECK = 2 * ["check whether the battery ran down please"] + 3 * ["check whether the program ran please"]
PROGRAM = "check the program log and find out whether it ran please"
BATTERY = "check the battery log and find out whether it ran down please"
LINE = "To be, or not to be, that is the question"
ALIKE = " king queen father mother brother sister day night good bad"  # of the embedded checkpoint's tokens
BLUE, ORANGE, GREY = "#3b6ea8", "#d9822b", "#c9ced6"


class Words:
    """The different words of some sentences, numbered in alphabetical order."""

    def __init__(self, sentences: Sequence[str]):
        self.words = sorted({word for sentence in sentences for word in sentence.split()})
        self.texts, self.n = [self.ids(sentence) for sentence in sentences], len(self.words)

    def ids(self, sentence: str) -> list[int]:
        """A sentence as the numbers of its words."""
        return [self.words.index(word) for word in sentence.split()]


def heat_map(axes: Any, table: Tensor, rows: Sequence[str], columns: Sequence[str], title: str = "") -> None:
    """A table of shares from 0 to 1, each written into its cell unless it is 0."""
    axes.imshow(table, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    axes.set_yticks(range(len(rows)), rows)
    axes.set_title(title, fontsize=10)
    for i, row in enumerate(table.tolist()):
        for j, value in enumerate(row):
            if value:
                color = "white" if value > 0.6 else "black"
                axes.text(j, i, f"{value:.2g}".removeprefix("0"), ha="center", va="center", color=color, fontsize=8)


def figure(width: float = 7.0, height: float = 3.2) -> Figure:
    """An empty picture, in inches."""
    return Figure(figsize=(width, height), layout="constrained")


def one_hot_rows() -> Figure:
    """A sentence, "find my files", as rows with a single one."""
    words, sentence = ["files", "find", "my"], "find my files"
    drawn = figure(4.5, 2.4)
    rows = one_hot(torch.tensor([words.index(word) for word in sentence.split()]), 3)
    heat_map(drawn.subplots(), rows, sentence.split(), words)
    return drawn


def lookup() -> Figure:
    """One-hot rows times a table are rows of the table."""
    table, ids = torch.tensor([[0.2, 0.9], [0.7, 0.1], [0.4, 0.4], [0.05, 0.6]]), torch.tensor([0, 3, 2])
    drawn = figure(7, 2.4)
    left, middle, right = drawn.subplots(1, 3, width_ratios=(2, 1, 1))
    heat_map(left, one_hot(ids, 4), ["row 0", "row 3", "row 2"], list("0123"), "one-hot rows")
    heat_map(middle, table, list("0123"), "ab", "times a table")
    heat_map(right, lookup_by_matmul(table, ids), ["row 0", "row 3", "row 2"], "ab", "are its rows")
    return drawn


def transitions() -> Figure:
    """The first-order table of ten sentences."""
    words = Words(SHOW)
    drawn = figure(5.5, 4)
    axes = drawn.subplots()
    heat_map(axes, first_order(words.texts, words.n), words.words, words.words)
    axes.set(xlabel="comes next", ylabel="after this word")
    return drawn


def pairs() -> Figure:
    """The rows of the second-order table that occur: all but one are certain."""
    words = Words(CHECK)
    table = second_order(words.texts, words.n)
    occurring = table.any(dim=1).nonzero().flatten().tolist()
    names = [f"{words.words[row // words.n]} {words.words[row % words.n]}" for row in occurring]
    drawn = figure(5.5, 4)
    axes = drawn.subplots()
    heat_map(axes, table[occurring], names, words.words)
    axes.set(xlabel="comes next", ylabel="after this pair")
    return drawn


def ballots() -> tuple[Words, list[int], Tensor]:
    """The two sentences about what ran, the one that is being read, and the votes of all pairs."""
    words = Words([PROGRAM, BATTERY])
    return words, words.ids(PROGRAM.removesuffix(" please")), pair_votes(words.texts, words.n)


def bars(axes: Any, totals: Tensor, words: Words, title: str) -> None:
    """The votes for the two words that may follow."""
    names = ["down", "please"]
    values = [totals[words.words.index(name)].item() for name in names]
    axes.barh(names, values, color=[GREY, BLUE])
    for i, value in enumerate(values):
        axes.text(value + 0.1, i, f"{value:g}", va="center")
    axes.set_xlim(0, 6)
    axes.set_title(title, fontsize=10)


def votes() -> Figure:
    """All earlier words vote, then only those that know: 4 against 5, and 0 against 1."""
    words, text, table = ballots()
    mask = torch.tensor([word in ("battery", "program") for word in words.words])
    drawn = figure(7, 1.9)
    left, right = drawn.subplots(1, 2)
    bars(left, skip_votes(text, table), words, "every earlier word votes")
    bars(right, masked_votes(text, table, mask), words, "only battery and program may")
    return drawn


def masks() -> Figure:
    """A one-hot query times a stack of masks is the mask of that word."""
    words, _text, _table = ballots()
    asks = words.ids("ran")[0]
    stack = torch.zeros(words.n, words.n)
    stack[asks, words.ids("battery program")] = 1
    query = one_hot(torch.tensor([asks]), words.n)
    drawn = figure(7.5, 5)
    above, middle, below = drawn.subplots(3, 1, height_ratios=(1, 8, 1))
    heat_map(above, query, ["query: ran"], [""] * words.n)
    heat_map(middle, stack, words.words, [""] * words.n)
    heat_map(below, query @ stack, ["mask for ran"], words.words)
    return drawn


def pair_features() -> Figure:
    """Words that were heard, times weights of 1 and -1, cut off below 0: features of pairs of words."""
    inputs, features = ["battery", "program", "ran", "bias"], ["battery ran", "program ran"]
    names = ["battery ... ran", "program ... ran", "battery ..."]
    heard = torch.tensor([[1.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1.0]])
    weights = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, -1.0]])
    sums = heard @ weights
    drawn = figure(8, 2.6)
    left, middle, right = drawn.subplots(1, 3, width_ratios=(4, 2, 2))
    heat_map(left, heard, names, inputs, "what was heard")
    heat_map(middle, sums, [""] * 3, features, "times weights of 1 and -1")
    heat_map(right, sums.relu(), [""] * 3, features, "cut off below 0")
    return drawn


def completion() -> Figure:
    """What may follow at each step of a text that always takes the likeliest."""
    words = Words(SHOW)
    table = first_order(words.texts, words.n)
    text = complete(words.ids("show"), table, 10)
    drawn = figure(6, 2.8)
    heat_map(drawn.subplots(), table[text[:-1]], [f"after {words.words[i]}" for i in text[:-1]], words.words)
    return drawn


def checkpoint() -> tuple[GPT, Any]:
    """The small GPT-2 that comes with the course, and its tokenizer."""
    loaded = load_checkpoint()
    model = GPT(GPTConfig(**loaded.cfg))
    model.load_state_dict({name: tensor.float() for name, tensor in loaded.weights.items()})
    return model.requires_grad_(False), PreTrainedTokenizerFast.from_pretrained(loaded.folder)


def near_words() -> Figure:
    """How near the embeddings of some words are to each other, in the checkpoint that comes with the course."""
    model, tokenizer = checkpoint()
    ids = [tokenizer(f" {word}")["input_ids"] for word in ALIKE.split()]
    names, ids = zip(*((w, i[0]) for w, i in zip(ALIKE.split(), ids, strict=True) if len(i) == 1), strict=True)
    rows = model.embed.W_E[list(ids)] - model.embed.W_E.mean(dim=0)
    rows = rows / rows.norm(dim=1, keepdim=True)
    drawn = figure(5, 4)
    heat_map(drawn.subplots(), (rows @ rows.T).clamp(min=0), names, names)
    return drawn


def positions() -> Figure:
    """Each pair of columns of the table of positions is a wave of its own length."""
    drawn = figure(6.5, 2.6)
    axes = drawn.subplots()
    axes.imshow(sinusoidal_positions(64, 32).T, cmap="RdBu", aspect="auto")
    axes.set(xlabel="position", ylabel="column")
    return drawn


def soft_choice() -> Figure:
    """The same five numbers as shares, at three temperatures."""
    x = torch.tensor([2.0, 1.0, 0.5, -1.0, 1.8])
    drawn = figure(7, 2.2)
    for axes, temperature in zip(drawn.subplots(1, 3, sharey=True), (0.2, 1.0, 5.0), strict=True):
        axes.bar(range(len(x)), softmax(x / temperature, dim=0), color=BLUE)
        axes.set_xticks(range(len(x)), [f"{value:g}" for value in x.tolist()])
        axes.set_title(f"x / {temperature:g}", fontsize=10)
    return drawn


def streams(model: GPT, tokens: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """The residual stream before each block and after the last, and each block's pattern, for one row of tokens."""
    residual = model.embed(tokens) + model.pos_embed(tokens)
    stream, patterns = [residual], []
    for block in model.blocks:
        x = block.ln1(residual)
        q, k = (
            torch.einsum("bsd,hde->bshe", x, W) + b
            for W, b in ((block.attn.W_Q, block.attn.b_Q), (block.attn.W_K, block.attn.b_K))
        )
        patterns.append(attention_pattern(apply_causal_mask(attention_scores(q, k)))[0])
        residual = block(residual)
        stream.append(residual)
    return stream, patterns


def patterns() -> Figure:
    """Where three heads of the checkpoint look, in a line it knows."""
    model, tokenizer = checkpoint()
    ids = tokenizer(LINE)["input_ids"]
    names = [tokenizer.decode([i]).replace(" ", "\N{OPEN BOX}") for i in ids]
    _, found = streams(model, torch.tensor([ids]))
    drawn = figure(9, 3.4)
    for axes, (layer, head) in zip(drawn.subplots(1, 3), ((0, 0), (2, 1), (4, 3)), strict=True):
        axes.imshow(found[layer][head], cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(ids)), names, rotation=90, fontsize=7)
        axes.set_yticks(range(len(ids)), names, fontsize=7)
        axes.set_title(f"layer {layer}, head {head}", fontsize=10)
    return drawn


def stream_size() -> Figure:
    """The mean length of the vectors in the residual stream, layer by layer, before and after LayerNorm."""
    model, tokenizer = checkpoint()
    stream, _ = streams(model, torch.tensor([tokenizer(LINE)["input_ids"]]))
    lengths = [[x.norm(dim=-1).mean().item() for x in each] for each in (stream, map(model.ln_final, stream))]
    drawn = figure(6, 2.6)
    axes = drawn.subplots()
    axes.plot(lengths[0], marker="o", color=BLUE, label="residual stream")
    axes.plot(lengths[1], marker="o", color=ORANGE, label="after LayerNorm")
    axes.set(xlabel="after so many blocks", ylabel="mean length of a vector", ylim=(0, None))
    axes.legend()
    return drawn


def merges() -> Figure:
    """How many ids one line takes, as a tokenizer that is trained on Python's manual learns more merges."""
    from pydoc_data.topics import topics

    learnt = train_bpe("\n".join(topics.values())[:100_000], 1280)
    sizes = [0, 16, 32, 64, 128, 256, 512, 1024]
    line = "The attention of a transformer is a lookup in a table that it has written itself."
    drawn = figure(6, 2.6)
    axes = drawn.subplots()
    axes.bar([str(n) for n in sizes], [len(Tokenizer(learnt[:n]).encode(line)) for n in sizes], color=BLUE)
    axes.set(xlabel="merges", ylabel="ids in the line")
    return drawn


# fmt: off
PICTURES = {draw.__name__: draw for draw in (
    one_hot_rows, lookup, transitions, pairs, votes, masks, pair_features, completion, near_words, positions,
    soft_choice, patterns, stream_size, merges,
)}
# fmt: on


def draw_all(folder: Path) -> None:
    """Draw every picture into a folder, as `<name>.svg`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        draw().savefig(folder / f"{name}.svg", metadata={"Date": None})  # the same file each time


def on_pre_build(config: object) -> None:
    """Called by `mkdocs` before it reads the pages."""
    draw_all(FOLDER)


if __name__ == "__main__":
    draw_all(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
