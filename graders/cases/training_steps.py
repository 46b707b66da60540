"""Trainees: cases of small models, texts and steps, the stories of them, and what PyTorch makes of them.

The model is a probe (`engine/worker/probes.py`), and so, but for `train`, is the optimizer: what is graded is the
training, whatever the learner's other exercises do.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from graders.engine.script import (
    Handle,
    Story,
    Teller,
    default_generator,
    generator,
    optimizer,
    parameter,
    path,
    probe,
)
from graders.engine.space import Case, fixed, space
from graders.engine.worker import probes
from reference.optimizer import AdamW, clip_grad_norm, decay_groups, warmup_cosine

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
wide_steps = fixed(lambda where: [steps.case(2, batch=9, n_ctx=12, d_vocab=30, n_steps=3)])


def two_batches() -> Case:
    """Two batches, in each of which token 0 comes."""
    case = steps.case(1, batch=2, n_ctx=3, d_vocab=3, n_steps=2)
    case.y[:, 0, 0], case.max_norm = 0, 1.0
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


# Evaluations


@space(batch=(1, 3), n_ctx=(1, 4), n_batches=(1, 4), n_windows=(1, 6), d_vocab=(2, 5))
def evaluations(case, batch, n_ctx, n_batches, n_windows, d_vocab):
    """A model, a text, and a seed."""
    case.integers("data", d_vocab, length=n_ctx + n_windows)
    for name, value in {"batch": batch, "n_ctx": n_ctx, "n_batches": n_batches}.items():
        case.show(name, value)
    trainee(case, d_vocab, n_ctx)


few_evaluations = fixed(
    lambda where: [
        evaluations.case(1, batch=1, n_ctx=2, n_batches=2, n_windows=3, d_vocab=3),
        evaluations.case(2, batch=3, n_ctx=1, n_batches=3, n_windows=5, d_vocab=4),
    ]
)
evaluations_in_float32 = fixed(
    lambda where: [evaluations.in_float32().case(1, batch=2, n_ctx=3, n_batches=2, n_windows=4, d_vocab=5)]
)
long_evaluations = fixed(
    lambda where: [evaluations.case(2, batch=9, n_ctx=12, n_batches=30, n_windows=200, d_vocab=30)]
)


# Runs


@space(steps=(1, 4), warmup_steps=(0, 2), batch=(1, 3), n_ctx=(1, 3), n_windows=(1, 6))
def runs(case, steps, warmup_steps, batch, n_ctx, n_windows):
    """A model, a text, and the settings of a run."""
    generic_trainee(case)
    case.integers("data", D_VOCAB, length=n_ctx + n_windows)
    settings = {"steps": steps, "batch": batch, "n_ctx": n_ctx}
    settings |= {"max_lr": (0.1, 0.03, 0.05)[case.seed % 3], "min_lr": (0.0, 0.01, 0.002)[case.seed % 3]}
    settings |= {"warmup_steps": min(steps, warmup_steps), "weight_decay": (0.5, 2.0)[case.seed % 2]}
    settings |= {"max_norm": (0.2, 0.05, 10.0)[case.seed % 3], "seed": case.seed % 7}
    case.show("settings", settings)


@space(steps=(1, 4), warmup_steps=(0, 2), batch=(1, 3), n_ctx=(1, 3))
def runs_on_one_window(case, **sizes):
    """Runs on a text with one window, whatever is drawn."""
    runs.build(case, n_windows=1, **sizes)


def run(steps: int, **places: Any) -> Case:
    """A run on a longer text, in whose model a quarter is dropped, and steps at which something happens to it."""
    case = runs.case(1, steps=1, warmup_steps=0, batch=2, n_ctx=3, n_windows=20)
    case.others = {name: 0.3 - value for name, value in case.tables.items()} | {"dropout": 0.25}
    case.tables["dropout"] = 0.25
    case.settings |= {"steps": steps, "warmup_steps": 2}
    for name, value in places.items():
        case.show(name, value)
    return case


def run_over_a_short_text() -> Case:
    """A run on 0, 1, 2, 3, 0, 1 and so on."""
    case = runs.case(1, steps=1, warmup_steps=0, batch=3, n_ctx=3, n_windows=20)
    case.show("data", torch.arange(23) % 4, length=23)
    case.settings |= {"steps": 30, "warmup_steps": 3, "weight_decay": 0.1, "max_lr": 0.2, "max_norm": 1.0}
    return case


# A run of 38 steps is saved after each of them, one of 40 after every second
runs_with_ctrl_c = fixed(lambda where: [run(4, stops_at=1, ends_at=None), run(40, stops_at=2, ends_at=5)])
runs_that_fail = fixed(lambda where: [run(38, fails_at=3, goes_on_at=3), run(40, fails_at=5, goes_on_at=4)])
runs_that_fail_late = fixed(lambda where: [run(16, fails_at=13)])
long_runs = fixed(lambda where: [run(41)])
short_runs = fixed(lambda where: [run(3)])
runs_on_a_short_text = fixed(lambda where: [run_over_a_short_text()])


def trainee_in(do: Teller, case: Case, **event: int | None) -> Handle:
    """A model that is about to be trained, and to which something happens; PyTorch's own generator is seeded."""
    do.make(default_generator(3))
    return do.make(probe("trainee", **case.tables, **event))


def another_in(do: Teller, case: Case, **event: int | None) -> Handle:
    """A model with other numbers; chance is elsewhere."""
    do.make(default_generator(99))
    return do.make(probe("trainee", **case.others, **event))


def called(do: Teller, case: Case, model: Handle, file: str | Handle | None = None, progress: bool = False) -> Handle:
    """A call of `train`: its result, and whether it prints something."""
    place = path(file) if isinstance(file, str) else file
    return do.said(do.train, model, case.data, *case.settings.values(), place, progress)


def run_of(case: Case) -> Story:
    """A story: what a run returns, and the parameters after it."""

    def story(do: Teller) -> dict[str, Any]:
        model = trainee_in(do, case)
        return {"losses": called(do, case, model)["result"]} | numbers_of(do, model)

    return story


def batches_of(case: Case) -> Story:
    """A story: the batches that the subject's own `get_batch` draws for a run."""

    def story(do: Teller) -> list[Handle]:
        chance, of = do.make(generator(case.settings["seed"])), case.settings
        return [do.get_batch(case.data, of["batch"], of["n_ctx"], chance) for _ in range(of["steps"])]

    return story


def run_on(batches: list[tuple[Tensor, Tensor]], case: Case) -> dict[str, Any]:
    """What `run_of` comes to on these batches, put together from the reference's optimizer."""
    model, of, losses = model_of(case), case.settings, []
    adamw = AdamW(decay_groups(model, of["weight_decay"]))
    for step, (x, y) in enumerate(batches):
        rate = warmup_cosine(step, of["warmup_steps"], of["steps"], of["max_lr"], of["min_lr"])
        loss = loss_of(model, x, y)
        for p, gradient in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters())), strict=True):
            p.grad = gradient
        clip_grad_norm(model.parameters(), of["max_norm"])
        for group in adamw.param_groups:
            group["lr"] = rate
        adamw.step()
        losses.append((step, loss.item()))
    return {"losses": losses} | {name: p.detach() for name, p in named(model)}
