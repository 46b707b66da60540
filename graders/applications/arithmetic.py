"""Two GPTs that learn to add, subtract and multiply: one writes its answers backwards, the other as we do.

Both learn from problems that are drawn anew for every step, and neither ever sees those that it is asked in the end.
What they come to is told by operator and by the number of digits of the longer number, lengths included that neither
was trained on.

Source: Lee et al., "Teaching Arithmetic to Small Transformers", 2023, sections 3 and 4.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Generator, Tensor, nn

from graders.applications.run import Run, Table, keep_picture
from graders.applications.training import Steps, rehearse_steps, train
from graders.training_run import say

PARTS = ("gpt", "sampling", "optimizer", "training", "arithmetic")
LIBRARIES = ()
SETTINGS: dict[str, Any] = {
    "model": {"n_layers": 2, "n_heads": 4, "d_model": 64, "d_head": 16, "d_mlp": 256, "layer_norm_eps": 1e-5},
    "batch": 64,
    "training": {
        "steps": 5000,
        "max_lr": 3e-3,
        "min_lr": 6e-5,
        "warmup_steps": 100,
        "weight_decay": 0.1,
        "max_norm": 1.0,
    },
    # Of each operator, how often problems of 1, 2, ... digits are drawn; no longer ones are trained on
    "shares": {"+": [2, 3, 5], "-": [2, 3, 7], "x": [1, 1]},
    "longest": {"+": 4, "-": 4, "x": 3},  # how many digits the questions of the end have at most
    "asked": 500,  # held-out problems of each operator and number of digits, at most a fifth of those that there are
    "asked_longer": 200,  # the same for lengths that are not trained on
    "asked_meanwhile": 100,  # of each operator's longest trained ones
    "shown": 3,  # answers to numbers that are too long
}
ORDERS = {"backwards": True, "forwards": False}  # the two trainings: whether answers are reversed
COLOURS = {"+": "#3b6ea8", "-": "#d9822b", "x": "#6b7280"}  # as those of the site: they can be told apart on white
COMMUTATIVE = "+x"  # of these, 30 + 12 is held out with 12 + 30
Problem = tuple[int, str, int]
Cell = tuple[str, int]  # an operator, and how many digits the longer number has


def run(run: Run) -> dict[str, Any]:
    """Train both, ask both, draw how they came to it; the figures."""
    arithmetic, held_out = run.parts["arithmetic"], questions(run.settings, run.generator(1))
    figures: dict[str, Any] = {"orders": {}}
    for number, (order, is_reversed) in enumerate(ORDERS.items(), 1):
        model = make(run)
        n_parameters = sum(p.numel() for p in model.parameters())
        say(f"{order}, model {number} of {len(ORDERS)}: a GPT of {n_parameters:,} parameters")
        rows = {cell: encoded(arithmetic, problems, is_reversed) for cell, problems in held_out.items()}
        lessons = Lessons(arithmetic, run.settings, held_out, is_reversed)

        def meanwhile(model: nn.Module, rows: dict[Cell, Tensor] = rows) -> dict[str, float]:
            n, longest = run.settings["asked_meanwhile"], longest_trained(run.settings)
            return {cell[0]: arithmetic.exact_match(model, rows[cell][:n]) for cell in longest}

        tokens = run.settings["batch"] * lessons.n_read
        steps = Steps(run, order, model, lessons.loss_of, **run.settings["training"])
        trained = train(steps, run.out, tokens, meanwhile)
        say(f"{order}: asking {sum(map(len, rows.values())):,} problems that it has not seen")
        figures["orders"][order] = {
            "exact": [[*cell, arithmetic.exact_match(model, asked)] for cell, asked in rows.items()],
            "too_long": written(run, model, rows[too_long(run.settings)][: run.settings["shown"]]),
            "curve": trained.curve,
            "seconds": trained.seconds,
            "tokens_per_second": trained.tokens_per_second,
        }
    keep_picture(run.out / "accuracy.png", accuracy(figures, run.settings))
    return figures


def rehearse(run: Run) -> None:
    """Call all that is needed of the subject once, so that what is not written yet is said now, not in the end."""
    arithmetic, held_out = run.parts["arithmetic"], questions(run.settings, run.generator(1))
    for order, is_reversed in ORDERS.items():
        lessons = Lessons(arithmetic, run.settings, held_out, is_reversed)
        asked = encoded(arithmetic, held_out[too_long(run.settings)][:1], is_reversed)
        model = make(run)
        rehearse_steps(Steps(run, order, model, lessons.loss_of, **run.settings["training"]))
        arithmetic.exact_match(model, asked)
        written(run, model, asked)


def make(run: Run) -> nn.Module:
    """A fresh model, which has a position for every token of a row."""
    torch.manual_seed(run.seed)
    arithmetic = run.parts["arithmetic"]
    sizes = {"d_vocab": len(arithmetic.CHARACTERS), "n_ctx": arithmetic.N_TOKENS}
    model: nn.Module = run.parts["gpt"].GPT(run.parts["config"].GPTConfig(**sizes, **run.settings["model"]))
    return model


def questions(settings: Mapping[str, Any], generator: Generator) -> dict[Cell, list[Problem]]:
    """The problems that are asked in the end, and never trained on, by operator and number of digits."""
    found = {}
    for operator, longest in settings["longest"].items():
        for digits in range(1, longest + 1):
            n_asked = settings["asked" if digits <= len(settings["shares"][operator]) else "asked_longer"]
            n_asked = min(n_asked, 100**digits // 5)
            asked: dict[Problem, None] = {}  # an ordered set
            while len(asked) < n_asked:
                asked |= dict.fromkeys(drawn([(operator, digits)] * n_asked, generator))
            found[operator, digits] = list(asked)[:n_asked]
    return found


def drawn(cells: Sequence[Cell], generator: Generator) -> Iterable[Problem]:
    """At most a problem for each of these cells: two numbers, of which the longer one has so many digits."""
    pairs = torch.rand(len(cells), 2, generator=generator, dtype=torch.float64).tolist()
    for (operator, digits), pair in zip(cells, pairs, strict=True):
        a, b = (int(share * 10**digits) for share in pair)
        if digits == 1 or max(a, b) >= 10 ** (digits - 1):
            yield a, operator, b


def encoded(arithmetic: Any, problems: Iterable[Problem], is_reversed: bool) -> Tensor:
    """Problems as rows, by the subject's own `encode_problem`: n n_tokens."""
    return torch.stack([arithmetic.encode_problem(*problem, is_reversed) for problem in problems])


def longest_trained(settings: Mapping[str, Any]) -> list[Cell]:
    """For each operator the longest numbers that are trained on."""
    return [(operator, len(shares)) for operator, shares in settings["shares"].items()]


def too_long(settings: Mapping[str, Any]) -> Cell:
    """Sums of numbers that are one digit longer than those that are trained on."""
    return "+", len(settings["shares"]["+"]) + 1


class Lessons:
    """What a model is trained on: problems that are not held out, as rows without columns of nothing but padding.

    Nor are those trained on that are held out with their numbers the other way round.
    """

    def __init__(
        self, arithmetic: Any, settings: Mapping[str, Any], held_out: Mapping[Cell, list[Problem]], is_reversed: bool
    ):
        self.arithmetic, self.is_reversed, self.batch = arithmetic, is_reversed, settings["batch"]
        asked = [problem for problems in held_out.values() for problem in problems]
        self.held_out = {*asked, *((b, op, a) for a, op, b in asked if op in COMMUTATIVE)}
        shares = {(op, k): share for op, each in settings["shares"].items() for k, share in enumerate(each, 1)}
        self.cells, self.shares = list(shares), torch.tensor(list(shares.values()), dtype=torch.float64)
        widest = [(a, op, 10**k - 1) for op, k in longest_trained(settings) for a in (10 ** (k - 1), 10**k - 1)]
        # How many tokens the longest row has
        self.n_read = int((encoded(arithmetic, widest, is_reversed) != arithmetic.PAD).sum(dim=1).max())

    def problems(self, generator: Generator) -> list[Problem]:
        """As many as a batch has."""
        found: list[Problem] = []
        while len(found) < self.batch:
            picked = torch.multinomial(self.shares, self.batch, replacement=True, generator=generator)
            cells = [self.cells[i] for i in picked.tolist()]
            found += [problem for problem in drawn(cells, generator) if problem not in self.held_out]
        return found[: self.batch]

    def loss_of(self, model: nn.Module, generator: Generator) -> Tensor:
        """The subject's own loss on a new batch: a single number."""
        rows = encoded(self.arithmetic, self.problems(generator), self.is_reversed)[:, : self.n_read]
        return self.arithmetic.answer_loss(model(rows), rows, self.arithmetic.answer_mask(rows))


def written(run: Run, model: nn.Module, rows: Tensor) -> list[list[str]]:
    """What a model answers: of each row the problem, the answer in the row, and the model's, as characters."""
    arithmetic, sampling = run.parts["arithmetic"], run.parts["sampling"]
    characters = arithmetic.CHARACTERS
    signs = [characters[arithmetic.FORWARDS], characters[arithmetic.BACKWARDS]]
    options, found = sampling.SamplingOptions(temperature=0.0, eos_id=arithmetic.END), []
    model.eval()
    for row in rows:
        text = "".join(characters[token] for token in row.tolist()).rstrip()
        start = max(text.find(sign) for sign in signs) + 1
        ids = sampling.generate(model, row[None, :start], len(row) - start, options, None)[0, start:]
        found.append([text[:start], text[start:], "".join(characters[token] for token in ids.tolist())])
    return found


def accuracy(figures: Mapping[str, Any], settings: Mapping[str, Any]) -> Figure:
    """Exact match over training, for the longest numbers of each operator that are trained on."""
    drawn = Figure(figsize=(7, 3.2), layout="constrained")
    axes = drawn.subplots()
    for order, style in zip(ORDERS, ("-", ":"), strict=True):
        curve = figures["orders"][order]["curve"]
        seen = [row["step"] * settings["batch"] for row in curve]
        for operator, digits in longest_trained(settings):
            label = f"{operator}  {digits} digits, {order}"
            axes.plot(seen, [row[operator] for row in curve], style, color=COLOURS[operator], linewidth=2, label=label)
    axes.axhline(1, color="#878e98", linewidth=1, zorder=0)
    axes.set(xlabel="problems trained on", ylabel="share answered right", ylim=(-0.02, 1.04))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.spines[["top", "right"]].set_visible(False)
    return drawn


def tables(figures: Mapping[str, Any], settings: Mapping[str, Any]) -> list[Table]:
    """Exact match by operator and digits; what is written where numbers are longer than any in training."""
    orders = figures["orders"]
    shares = {order: {(op, k): share for op, k, share in said["exact"]} for order, said in orders.items()}
    asked = list(next(iter(shares.values())))
    rows = []
    for operator, digits in asked:
        is_trained = digits <= len(settings["shares"][operator])
        exact = [f"{shares[order][operator, digits]:.3f}" for order in orders]
        rows.append([f"{operator}  {digits}", "yes" if is_trained else "no", *exact])
    title = "Exact match on problems that were held out: the share with every character of the answer right"
    headings = [f"written {order}" for order in orders]
    examples = [
        [order, problem, right, wrote] for order, said in orders.items() for problem, right, wrote in said["too_long"]
    ]
    return [
        Table(title, ["operator, digits", "length trained on", *headings], rows),
        Table("Numbers that are too long for it", ["answers", "problem", "right", "the model writes"], examples),
    ]
