"""Groups of a model's parameters: models, the story that any subject can be told, and what its answer is held to."""

import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graders.engine.law import expect_equal
from graders.engine.script import Handle, Story, Teller, module, parameter, probe
from graders.engine.space import Case, fixed, space
from reference.config import GPTConfig
from reference.gpt import GPT

MATRICES = ("W_Q", "W_K", "W_V", "W_O", "W_in", "W_out", "W_U")
OTHER_NAMES = ("W_inner", "old_W_K", "old_W_U")
AS_ONE, TURNED, PART_TURNED, TURNED_OF_FROZEN, TWICE, AS_ONE_HERE, FROZEN, LIKE_MATRICES = (
    "W_U being W_E",
    "W_U being W_E turned",
    "W_U being the second to fourth row of W_E turned",
    "W_U being W_E turned, which is frozen",
    "its first block used twice",
    "also as W_E",
    "its unembedding frozen",
    "with a W_inner, an old_W_K and an old_W_U",
)
AS_AN_OLD_ONE, AS_A_SKETCH, INSIDE, INSIDE_TURNED, TWO_INSIDE_TURNED = (
    "W_U being an old_W_E turned",
    "W_U being a sketch turned",
    "with a GPT inside",
    "with a GPT inside, W_U being W_E turned",
    "with two GPTs inside, W_U of each being its W_E turned",
)
CHANGES = {  # what is done to a model before its parameters are sorted
    "": lambda do, model: None,
    AS_ONE: lambda do, model: do.set(model.unembed, "W_U", model.embed.W_E),
    TURNED: lambda do, model: do.set(model.unembed.W_U, "data", model.embed.W_E.data.T),
    PART_TURNED: lambda do, model: do.set(model.unembed.W_U, "data", model.embed.W_E.data.narrow(0, 1, 3).T),
    TURNED_OF_FROZEN: lambda do, model: [turned(do, model), model.embed.requires_grad_(False)],
    TWICE: lambda do, model: model.blocks.append(model.blocks[0]),
    AS_ONE_HERE: lambda do, model: model.register_parameter("W_E", model.W_U),
    AS_AN_OLD_ONE: lambda do, model: seen_from_the_other_side(do, model, "old_W_E"),
    AS_A_SKETCH: lambda do, model: seen_from_the_other_side(do, model, "sketch"),
    FROZEN: lambda do, model: model.unembed.requires_grad_(False),
    LIKE_MATRICES: lambda do, model: [do.set(model, name, do.make(parameter(ones(2, 2)))) for name in OTHER_NAMES],
    INSIDE: lambda do, model: do.set(model, "inner", do.make(gpt().description)),
    INSIDE_TURNED: lambda do, model: do.set(model, "inner", turned(do, do.make(gpt().description))),
    TWO_INSIDE_TURNED: lambda do, model: [
        do.set(model, name, turned(do, do.make(gpt().description))) for name in ("inner", "other")
    ],
}


@dataclass(frozen=True)
class Model:
    """A model, what is done to it, and by name whether each of its parameters should then decay."""

    said: str
    description: dict[str, Any]
    decays: dict[str, bool]
    change: str = ""

    @property
    def n_params(self) -> int:
        return len(self.decays) - (self.change in (AS_ONE, AS_ONE_HERE))


def gpt(
    n_layers: int = 1, d_vocab: int = 4, d_mlp: int = 6, seed: int = 0, change: str = "", are_equal: bool = False
) -> Model:
    """A GPT; with `are_equal`, its unembedding has the numbers of its table, turned."""
    drawn = Case(seed, {})
    cfg = drawn.config(n_layers=n_layers, d_vocab=d_vocab, d_model=5, d_mlp=d_mlp)
    weights = {name: drawn.draw(*p.shape) for name, p in GPT(GPTConfig(**cfg)).named_parameters()}
    if are_equal:
        weights["unembed.W_U"] = weights["embed.W_E"].T.contiguous()
    decays = {name: name.split(".")[-1] in MATRICES for name in weights}
    decays |= {"unembed.W_U": False} if change in (AS_ONE, TURNED, PART_TURNED, TURNED_OF_FROZEN) else {}
    said = ", ".join(filter(None, (f"a GPT of {n_layers} blocks", change, "W_U equal to W_E" * are_equal)))
    return Model(said, module("GPT", cfg, weights, file="gpt"), decays, change)


def ones(*shape: int) -> Tensor:
    """Ones, in float64."""
    return torch.ones(shape, dtype=torch.float64)


def part(kind: str, decays: dict[str, bool], change: str = "", **weights: Tensor) -> Model:
    """A part of a model, which has nothing above it."""
    return Model(f"{kind} alone, {change}" if change else f"{kind} alone", probe(kind, **weights), decays, change)


def turned(do: Teller, model: Handle) -> Handle:
    """A GPT, after its unembedding was made its token table seen from the other side."""
    CHANGES[TURNED](do, model)
    return model


def seen_from_the_other_side(do: Teller, unembed: Handle, name: str) -> None:
    """Give an unembedding of 2 x 3 a further parameter, which is its W_U seen from the other side."""
    do.set(unembed, name, do.make(parameter(ones(3, 2))))
    do.set(getattr(unembed, name), "data", unembed.W_U.data.T)


def affine(change: str = "", decays: dict[str, bool] | None = None) -> Model:
    """A matrix and a bias by other names, and what a change adds to them."""
    return part("affine", {"matrix": False, "bias": False} | (decays or {}), change, matrix=ones(2, 2), bias=ones(2))


def sets_of(*models: Model) -> list[Case]:
    """One case of several models; a plain one comes first, beside which a mistake is better told from others."""
    case = Case(0, {})
    give(case, 0.3, gpt(), *models)
    return [case]


def give(case: Case, weight_decay: float, *models: Model) -> None:
    """Fill a case."""
    case.given = list(models)
    case.show("models", [model.said for model in case.given])
    case.show("weight_decay", weight_decay)


def drawn_decay(case: Case) -> float:
    """Of a hundred, one that is no default of an optimizer's."""
    return (11 + case.seed % 50) / 100


@space(few=3, n_layers=(1, 3), d_vocab=(3, 9), d_mlp=(4, 9))
def untied(case, n_layers, d_vocab, d_mlp):
    """A GPT whose unembedding is a matrix of its own."""
    give(case, drawn_decay(case), gpt(n_layers, d_vocab, d_mlp, case.seed))


@space(few=3, d_vocab=(4, 9), d_mlp=(4, 9))
def tied(case, d_vocab, d_mlp):
    """GPTs whose unembedding is their token table, as it is and turned."""
    models = (gpt(1, d_vocab, d_mlp, case.seed, change) for change in (AS_ONE, TURNED))
    give(case, drawn_decay(case), *models)


equal = fixed(lambda where: sets_of(gpt(are_equal=True), gpt(d_vocab=5, are_equal=True)))
tied_in_part = fixed(
    lambda where: sets_of(gpt(d_vocab=5, are_equal=True), gpt(change=TURNED), gpt(d_vocab=5, change=PART_TURNED))
)
frozen = fixed(lambda where: sets_of(gpt(change=FROZEN), gpt(change=TURNED_OF_FROZEN)))
used_twice = fixed(lambda where: sets_of(gpt(n_layers=2, change=TWICE)))
several_tables = fixed(
    lambda where: sets_of(
        affine(
            TWO_INSIDE_TURNED,
            {f"{at}.{name}": decay for at in ("inner", "other") for name, decay in gpt(change=TURNED).decays.items()},
        )
    )
)
named_otherwise = fixed(
    lambda where: sets_of(
        affine(LIKE_MATRICES, dict.fromkeys(OTHER_NAMES, False)),
        gpt(change=TURNED),
        affine(INSIDE, {f"inner.{name}": decay for name, decay in gpt().decays.items()}),
        affine(INSIDE_TURNED, {f"inner.{name}": decay for name, decay in gpt(change=TURNED).decays.items()}),
        part("unembed", {"W_U": True, "b_U": False, "old_W_E": False}, AS_AN_OLD_ONE, W_U=ones(2, 3), b_U=ones(3)),
        part("unembed", {"W_U": True, "b_U": False, "sketch": False}, AS_A_SKETCH, W_U=ones(2, 3), b_U=ones(3)),
    )
)
parts = fixed(
    lambda where: sets_of(
        part("embed", {"W_E": False}, W_E=ones(3, 2)),
        affine(),
        part("unembed", {"W_U": True, "b_U": False}, W_U=ones(2, 3), b_U=ones(3)),
        part("unembed", {"W_U": False, "b_U": False, "W_E": False}, AS_ONE_HERE, W_U=ones(2, 3), b_U=ones(3)),
    )
)


def sorted_parameters(model: Model, weight_decay: float) -> Story:
    """A story: of each group, as an optimizer takes it, its decay, which parameters it holds, and what it lists."""

    def story(do: Teller) -> dict[str, dict[str, Any]]:
        made = do.make(model.description)
        CHANGES[model.change](do, made)
        optimizer = do.AdamW(do.decay_groups(made, weight_decay), weight_decay=0.7)
        optimizer.add_param_group({"params": do.make(parameter(ones(1)))})  # so that there always is a second
        seen = {}
        for i, which in enumerate(("first", "second")):
            group = optimizer.param_groups[i]
            holds = group.fromkeys(group["params"], 1)  # a group may list its parameters in any order
            seen[which] = {
                "weight_decay": do.make(parameter(ones(1))).mul(group["weight_decay"]),  # an int will do
                "holds": {name: holds.get(at(made, name), 0) for name in model.decays},
                "listed": optimizer.state_dict()["param_groups"][i]["params"],
            }
        return seen

    return story


def at(model: Handle, name: str) -> Handle:
    """What a model holds under a name such as `blocks.0.ln1.w`."""
    return functools.reduce(
        lambda h, part: h[int(part)] if part.isdigit() else getattr(h, part), name.split("."), model
    )


def expect_groups(subject: Any, case: Case) -> None:
    """Hold that every parameter of each model is in the group with its decay, in no other, and there once."""
    answers = [subject.tell(sorted_parameters(model, case.weight_decay)) for model in case.given]
    for model, answer in zip(case.given, answers, strict=True):
        groups = answer.values()
        for name, decays in model.decays.items():
            found = [float(group["weight_decay"]) for group in groups if group["holds"][name]]
            expect_equal(len(found), 1, what=f"how many of the two groups hold {name}", note=model.said)
            expect_equal(
                found[0], case.weight_decay if decays else 0.0, what=f"the weight_decay of {name}", note=model.said
            )
        both = sorted(float(group["weight_decay"]) for group in groups)
        expect_equal(both, [0.0, case.weight_decay], what="the weight_decay of the two groups", note=model.said)
        n_listed = sum(len(group["listed"]) for group in groups)
        expect_equal(n_listed, model.n_params, what="how many parameters the two groups list", note=model.said)
