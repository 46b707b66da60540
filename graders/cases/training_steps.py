"""Trainees: cases of small models, texts and steps, the stories of them, and what PyTorch makes of them.

The model is a probe (`engine/worker/probes.py`), and so, but for `train`, is the optimizer: what is graded is the
training, whatever the learner's other exercises do.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graders.engine.law import expect_equal
from graders.engine.script import Handle, Story, Teller, optimizer, parameter, probe
from graders.engine.space import Case, fixed, space
from graders.engine.worker import probes

PARAMETERS = ("table", "places", "W_out")
SHARES = (0.5, 0.03, 1.7)  # of the norm of the gradient: what is clipped to
NEVER = 1e9
BAD = {  # from a call of the trainee on
    "nan_from": "a loss that is NaN",
    "steep_from": "an infinite gradient",
    "impossible_from": "an infinite loss",
}
D_VOCAB, N_CTX = 4, 3


def trainee(case: Case, d_vocab: int, n_ctx: int) -> None:
    """Numbers for a model, kept as `case.tables`."""
    tables = {"table": (d_vocab, d_vocab), "places": (n_ctx, d_vocab), "W_out": (d_vocab, d_vocab)}
    case.tables = {name: case.draw(*shape) for name, shape in tables.items()}


def generic_trainee(case: Case, d_vocab: int = D_VOCAB, n_ctx: int = N_CTX) -> None:
    """Small numbers that are no tenths: AdamW moves as far for a rounding as for a gradient, where that should be 0."""
    chance = torch.Generator().manual_seed(case.seed)
    trainee(case, d_vocab, n_ctx)
    for name, value in case.tables.items():
        case.tables[name] = torch.empty_like(value).normal_(0, 0.5, generator=chance)


# Steps


@space(batch=(1, 3), n_ctx=(1, 4), d_vocab=(2, 5), n_steps=(1, 3))
def steps(case, batch, n_ctx, d_vocab, n_steps):
    """A model, an optimizer, and batches of windows, whose y has nothing to do with their x."""
    case.show("settings", {"lr": (0.1, 0.5, 0.02)[case.seed % 3], "momentum": (0.9, 0.0, 0.5)[case.seed % 3]})
    case.integers("x", d_vocab, step=n_steps, batch=batch, n_ctx=n_ctx)
    case.integers("y", d_vocab, step=n_steps, batch=batch, n_ctx=n_ctx)
    trainee(case, d_vocab, n_ctx)
    case.max_norm = NEVER


@space(batch=(1, 3), n_ctx=(1, 4), d_vocab=(2, 5))
def single_steps(case, **sizes):
    """One step, and a limit that none of its gradients reaches."""
    steps.build(case, n_steps=1, **sizes)


@space(batch=(1, 3), n_ctx=(1, 4), d_vocab=(2, 5))
def clipped_steps(case, **sizes):
    """One step, and a limit that its gradients reach twice in three cases."""
    steps.build(case, n_steps=1, **sizes)
    length = float(torch.cat([gradient.flatten() for gradient in gradients_of(case, model_of(case), 0)[1]]).norm())
    case.show("max_norm", (length or 1.0) * SHARES[case.seed % 3])


two_steps = fixed(lambda where: [two_batches()])
few_steps = fixed(lambda where: [steps.case(seed, batch=2, n_ctx=2, d_vocab=3, n_steps=1) for seed in (1, 2)])
steps_in_float32 = fixed(
    lambda where: [steps.in_float32().case(seed, batch=2, n_ctx=3, d_vocab=5, n_steps=3) for seed in (1, 2)]
)
steps_of_an_infinite_norm = fixed(lambda where: [step_of_an_infinite_norm()])
wide_steps = fixed(lambda where: [steps.case(2, batch=9, n_ctx=12, d_vocab=30, n_steps=3)])


def two_batches() -> Case:
    """Two batches, in each of which token 0 comes."""
    case = steps.case(1, batch=2, n_ctx=3, d_vocab=3, n_steps=2)
    case.y[:, 0, 0], case.max_norm = 0, 1.0
    return case


def step_of_an_infinite_norm() -> Case:
    """One token and the next, in a model whose gradient has finite elements, and a norm that float64 cannot hold.

    That of W_out alone is 2.4e308, and float64 ends at 1.8e308.
    """
    case = steps.case(0, batch=1, n_ctx=1, d_vocab=3, n_steps=1)
    case.tables = {name: torch.zeros_like(value) for name, value in case.tables.items()}
    case.tables["places"] += 1.7e308
    case.max_norm = 1.0
    return case


def model_of(case: Case) -> nn.Module:
    """The model, here."""
    return probes.build({"kind": "trainee"} | case.tables)


def loss_of(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The mean surprise, worked out by PyTorch."""
    return F.cross_entropy(model(x).transpose(1, 2), y)


def gradients_of(case: Case, model: nn.Module, step: int) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The loss of a step, and its gradient for each parameter."""
    loss = loss_of(model, case.x[step], case.y[step])
    return loss.detach(), torch.autograd.grad(loss, list(model.parameters()))


def steps_by_torch(case: Case) -> dict[str, Any]:
    """What `steps_taken` comes to, worked out by PyTorch."""
    model, seen = model_of(case), {}
    means = [torch.zeros_like(p) for p in model.parameters()]
    for step in range(len(case.x)):
        loss, gradients = gradients_of(case, model, step)
        length = torch.cat([gradient.flatten() for gradient in gradients]).norm()
        factor = (case.max_norm / (length + 1e-6)).clamp(max=1)
        for p, mean, gradient in zip(model.parameters(), means, gradients, strict=True):
            mean.mul_(case.settings["momentum"]).add_(factor * gradient)
            p.data -= case.settings["lr"] * mean
        seen[f"step {step}:"] = {"loss": float(loss)} | {name: p.detach().clone() for name, p in named(model)}
    return seen


def named(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    return ((name, model.get_parameter(name)) for name in PARAMETERS)


def steps_taken(case: Case, old_gradients: bool = False) -> Story:
    """A story: the loss that each step returns, and all parameters as they are after it."""

    def story(do: Teller) -> dict[str, Any]:
        model = do.make(probe("trainee", **case.tables))
        descent = do.make(optimizer(model, **case.settings))
        for name in PARAMETERS if old_gradients else ():
            do.set(getattr(model, name), "grad", gradient_there(do, torch.ones_like(case.tables[name])))
        seen = {}
        for step in range(len(case.x)):
            loss = do.train_step(model, descent, case.x[step], case.y[step], case.max_norm)
            seen[f"step {step}:"] = {"loss": loss} | numbers_of(do, model)
        return seen

    return story


def gradient_there(do: Teller, value: Tensor) -> Handle:
    """A tensor that is made over there: a gradient may be set to zero where it stands, which what is handed may not."""
    return do.make(parameter(value)).data


def numbers_of(do: Teller, model: Handle) -> dict[str, Handle]:
    """All parameters of a model as they are now."""
    return {name: do.look(getattr(model, name)) for name in PARAMETERS}


def refused_step(do: Teller, case: Case, bad: str) -> tuple[Handle, dict[str, Handle], dict[str, Handle]]:
    """A good step and a bad one: what is raised, and what there is before and after the bad one."""
    model = do.make(probe("trainee", **case.tables, **{bad: 1}))
    descent = do.make(optimizer(model, **case.settings))
    do.train_step(model, descent, case.x[0], case.y[0], case.max_norm)
    before = numbers_of(do, model) | {"the optimizer's memory": do.look(descent.state_dict()["state"][0]["mean"])}
    raised = do.caught(do.train_step, model, descent, case.x[1], case.y[1], case.max_norm)["classes"]
    return raised, before, numbers_of(do, model) | {"the optimizer's memory": descent.state_dict()["state"][0]["mean"]}


def refused_first_step(case: Case) -> Story:
    """A story: what a model's first step raises, and what there is after it."""

    def story(do: Teller) -> dict[str, Any]:
        model = do.make(probe("trainee", **case.tables))
        descent = do.make(optimizer(model, **case.settings))
        raised = do.caught(do.train_step, model, descent, case.x[0], case.y[0], case.max_norm)["classes"]
        return {"raised": raised, "now": numbers_of(do, model)}

    return story


def expect_close(yours: float, expected: float, what: str) -> None:
    """Hold that two numbers are equal to float32's precision."""
    expect_equal(torch.tensor(yours).float(), torch.tensor(expected).float(), what=what)
