"""Runs of an optimizer: cases of them, the story that any subject can be told, and what PyTorch makes of them.

Two parameters are in one group and a third is in another, which has settings of its own.
"""

import math
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from graders.engine.script import Handle, Story, Teller, parameter
from graders.engine.space import Case, fixed, space

SETTINGS = (
    {"lr": 0.1, "betas": (0.9, 0.95), "eps": 0.1, "weight_decay": 0.5},
    {"lr": 0.5, "betas": (0.5, 0.8), "eps": 1e-8, "weight_decay": 0.1},
    {"lr": 0.02, "betas": (0.8, 0.3), "eps": 0.01, "weight_decay": 2.0},
)
OF_SECOND_GROUP = ({"lr": 0.3, "weight_decay": 0.0}, {"betas": (0.3, 0.6), "eps": 0.5, "weight_decay": 1.0})
NEVER = -1


@space(n_steps=(1, 4, 2), size=(1, 2))
def steady(case, n_steps, size):
    """Three parameters, their gradients at every step, and a learning rate of the first group that may come to 0."""
    case.show("settings", SETTINGS[case.seed % 3])
    case.show("second_group", OF_SECOND_GROUP[case.seed % 2])
    case.show("rates", [case.settings["lr"] * factor for factor in islice(cycle((1, 0.5, 0, 2)), n_steps)])
    case.tensor("params", parameter=3, size=size)
    case.tensor("gradients", step=n_steps, parameter=3, size=size)
    case.missing = torch.zeros(n_steps, 3, dtype=torch.bool)
    case.changes = [{}] * n_steps


@space(n_steps=(2, 4), size=(1, 2))
def with_gaps(case, **sizes):
    """Some parameters have no gradient at some steps; the first has none at the first step.

    With every other seed the second starts a step after the first, with which it shares a group.
    """
    steady.build(case, **sizes)
    case.show("missing", case.draw(*case.missing.shape) > 0.5, step=sizes["n_steps"], parameter=3)
    case.missing[0, 0] = True
    if case.seed % 2 and sizes["n_steps"] > 2:
        case.missing[:3, :2] = torch.tensor([[True, True], [False, True], [False, False]])


@space(n_steps=(2, 4), size=(1, 2))
def with_zeros(case, **sizes):
    """The first and the last parameter have a gradient of 0 at every step."""
    steady.build(case, **sizes)
    case.gradients[:, ::2] = 0


@space(size=(2, 3))
def tables(case, size):
    """A table, and the gradients at two steps of the parameter that is this table seen from the other side."""
    case.show("settings", SETTINGS[case.seed % 3])
    case.tensor("table", rows=size, columns=size + 1)
    case.tensor("gradients", step=2, rows=size + 1, columns=size)


@fixed
def on_the_page(where):
    """The example of the optimizer's page: one number, here three times, and two gradients."""
    case = steady.case(0, n_steps=2, size=1)
    case.params = torch.ones_like(case.params)
    case.gradients = torch.tensor([2.0, -1.0], dtype=torch.float64).view(2, 1, 1).expand(2, 3, 1)
    case.show("settings", {"lr": 0.1, "betas": (0.9, 0.95), "eps": 0.0, "weight_decay": 0.5})
    case.show("second_group", {})
    case.show("rates", [0.1, 0.1])
    second = 0.85 - 0.0425 - 0.1 * (0.08 / 0.19) / math.sqrt(0.24 / 0.0975)
    case.expected = {
        f"after step {step}:": {f"parameter {i}": torch.tensor([p], dtype=torch.float64) for i in range(3)}
        for step, p in ((1, 0.85), (2, second))
    }
    return [case]


@fixed
def unworkable(where):
    """Settings that are to be refused, in the order of the signature: lr, betas, eps, weight_decay."""
    cases = []
    for name, *settings in (
        ("lr", -0.1),
        ("lr", math.nan),
        ("lr", math.inf),
        ("betas", 0.1, (0.9, 1.0)),
        ("betas", 0.1, (1.0, 0.9)),
        ("betas", 0.1, (-0.1, 0.9)),
        ("betas", 0.1, (0.9, -0.1)),
        ("eps", 0.1, (0.9, 0.95), -1e-8),
        ("eps", 0.1, (0.9, 0.95), math.inf),
        ("weight_decay", 0.1, (0.9, 0.95), 1e-8, -1.0),
        ("weight_decay", 0.1, (0.9, 0.95), 1e-8, math.inf),
    ):
        case = Case(0, {})
        case.name = name
        case.show("settings", settings)
        case.show("of_group", {})
        cases.append(case)
    for name, of_group in (("lr", -0.1), ("betas", (0.9, 1.0)), ("eps", math.nan), ("weight_decay", -1.0)):
        case = Case(0, {})
        case.name = name
        case.show("settings", [])
        case.show("of_group", {name: of_group})
        cases.append(case)
    return cases


@fixed
def changing(where):
    """Settings of the first group that change between steps, alone and together."""
    cases = []
    for seed, changes in enumerate(
        (
            [{}, {"weight_decay": 0.1}, {"eps": 0.3}, {"betas": (0.6, 0.7)}],
            [{"betas": (0.9, 0.6)}, {"betas": (0.5, 0.95), "eps": 1e-4}, {"weight_decay": 1.5}, {"betas": (0.8, 0.8)}],
        )
    ):
        case = steady.case(seed, n_steps=4, size=2)
        case.show("changes", changes)
        cases.append(case)
    return cases


@fixed
def without_memory(where):
    """Betas of 0, of one average or of both."""
    cases = []
    for seed, betas in enumerate(((0.0, 0.95), (0.9, 0.0), (0.0, 0.0))):
        case = steady.case(seed, n_steps=3, size=2)
        case.show("settings", case.settings | {"betas": betas})
        cases.append(case)
    return cases


short = fixed(lambda where: [steady.case(0, n_steps=3, size=2)])
long = fixed(lambda where: [of_a_dtype.case(1, n_steps=15, size=40) for of_a_dtype in (steady, steady.in_float32())])


def run(case: Case, settings: dict[str, Any] | None = None, stops_at: int = NEVER) -> Story:
    """A story: one step after the other, and all parameters as they are after each.

    `settings` stand in place of the case's and of its rates. Before step `stops_at` the run is stopped, and a fresh
    optimizer goes on from what the first one had to save.
    """

    def story(do: Teller) -> dict[str, dict[str, Handle]]:
        params = [do.make(parameter(value)) for value in shaped(case.params)]
        optimizer = optimizer_of(do, params, case.settings if settings is None else settings, case.second_group)
        seen = {}
        for step, gradients in enumerate(case.gradients):
            if step == stops_at:
                params = [copied(do, p, value) for p, value in zip(params, shaped(case.params), strict=True)]
                saved = optimizer.state_dict()
                optimizer = optimizer_of(do, params, {"lr": 9.0}, {})
                optimizer.load_state_dict(saved)
            if settings is None:
                optimizer.param_groups[0].update({"lr": case.rates[step]} | case.changes[step])
            for p, gradient, is_missing in zip(params, shaped(gradients), case.missing[step], strict=True):
                do.set(p, "grad", None if is_missing else gradient)
            optimizer.step()
            seen[f"after step {step + 1}:"] = {f"parameter {i}": do.look(p).flatten() for i, p in enumerate(params)}
        return seen

    return story


def through_shared_memory(case: Case) -> Story:
    """A story: steps of a parameter that is a table seen from the other side, and what then is in both."""

    def story(do: Teller) -> dict[str, Handle]:
        table = do.make(parameter(case.table))
        p = do.make(parameter(torch.zeros_like(case.gradients[0])))
        do.set(p, "data", table.data.T)
        optimizer = do.AdamW([p], **case.settings)
        for gradient in case.gradients:
            do.set(p, "grad", gradient)
            optimizer.step()
        return {"the parameter": p, "the table": table}

    return story


def joined_later(case: Case) -> Story:
    """A story: one step of a parameter, and one more after another joined it in a group of its own."""

    def story(do: Teller) -> dict[str, Handle]:
        params = [do.make(parameter(value)) for value in case.params[:2]]
        optimizer = do.AdamW(params[:1], **case.settings)
        for step in (0, 1):
            if step == 1:
                optimizer.add_param_group({"params": params[1:]} | case.second_group)
            for p, gradient in zip(params, case.gradients[step], strict=False):
                do.set(p, "grad", gradient)
            optimizer.step()
        return {"the first parameter": params[0], "the second parameter": params[1]}

    return story


def shaped(values: Tensor) -> list[Tensor]:
    """One tensor for each parameter, the last of them as a matrix."""
    return [*values[:-1], values[-1].unsqueeze(0)]


def optimizer_of(do: Teller, params: Sequence[Handle], settings: dict[str, Any], of_second: dict[str, Any]) -> Handle:
    """The subject's optimizer of two groups."""
    return do.AdamW([{"params": params[:2]}, {"params": params[2:]} | of_second], **settings)


def copied(do: Teller, p: Handle, value: Tensor) -> Handle:
    """Another parameter with the same numbers; `value` has its shape."""
    fresh = do.make(parameter(value))
    do.set(fresh, "data", p.data.clone())
    return fresh


def by_torch(case: Case) -> dict[str, dict[str, Tensor]]:
    """What `run` comes to with PyTorch's own AdamW, where no gradient is missing."""
    params = list(case.params.clone())
    zeros = {name: [torch.zeros_like(p) for p in params] for name in ("exp_avgs", "exp_avg_sqs")}
    counts, settings_now = [torch.tensor(0.0) for _ in params], case.settings
    kept = {"params": params, "max_exp_avg_sqs": [], "state_steps": counts} | zeros
    seen = {}
    for step, gradients in enumerate(case.gradients):
        settings_now = settings_now | {"lr": case.rates[step]} | case.changes[step]
        for group, settings in ((slice(0, 2), settings_now), (slice(2, 3), case.settings | case.second_group)):
            of_group: dict[str, Any] = {name: list(values[group]) for name, values in kept.items()}
            of_group["grads"] = list(gradients[group])
            beta1, beta2 = settings["betas"]
            others = {name: settings[name] for name in ("lr", "eps", "weight_decay")}
            adamw(**of_group, beta1=beta1, beta2=beta2, **others, amsgrad=False, maximize=False, foreach=False)
        seen[f"after step {step + 1}:"] = {f"parameter {i}": p.clone() for i, p in enumerate(params)}
    return seen
