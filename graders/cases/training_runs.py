"""Runs of `train`: their settings, what happens to them, their stories, and what the formulas make of them."""

from typing import Any

import torch
from torch import Tensor

from graders.cases.training_checkpoints import FILE
from graders.cases.training_steps import D_VOCAB, generic_trainee, loss_of, model_of, named, numbers_of
from graders.engine.script import Handle, Story, Teller, default_generator, folder, generator, path, probe
from graders.engine.space import Case, fixed, space
from reference.optimizer import AdamW, clip_grad_norm, decay_groups, warmup_cosine

OTHER_FILE = "another run.pt"
SHOWN = {  # the settings of a run, in lines that a screen has room for
    "run": ("steps", "batch", "n_ctx", "seed"),
    "rates": ("max_lr", "min_lr", "warmup_steps"),
    "limits": ("weight_decay", "max_norm"),
}


def set_up(case: Case, settings: dict[str, Any]) -> None:
    """Give a case the settings of a run, in the order in which `train` takes them."""
    case.settings = settings
    for name, parts in SHOWN.items():
        case.show(name, {part: settings[part] for part in parts})


@space(steps=(1, 4), warmup_steps=(0, 2), batch=(1, 3), n_ctx=(1, 3), n_windows=(1, 6))
def runs(case, steps, warmup_steps, batch, n_ctx, n_windows):
    """A model, a text, and the settings of a run."""
    generic_trainee(case)
    case.integers("data", D_VOCAB, length=n_ctx + n_windows)
    settings = {"steps": steps, "batch": batch, "n_ctx": n_ctx}
    settings |= {"max_lr": (0.1, 0.03, 0.05)[case.seed % 3], "min_lr": (0.0, 0.01, 0.002)[case.seed % 3]}
    settings |= {"warmup_steps": min(steps, warmup_steps), "weight_decay": (0.5, 2.0)[case.seed % 2]}
    settings |= {"max_norm": (0.2, 0.05, 10.0)[case.seed % 3], "seed": case.seed % 7}
    set_up(case, settings)


@space(steps=(1, 4), warmup_steps=(0, 2), batch=(1, 3), n_ctx=(1, 3))
def runs_on_one_window(case, **sizes):
    """Runs on a text with one window, whatever is drawn."""
    runs.build(case, n_windows=1, **sizes)


def run(steps: int, **places: Any) -> Case:
    """A run on a longer text, in whose model a quarter is dropped, and steps at which something happens to it."""
    case = runs.case(1, steps=steps, warmup_steps=2, batch=2, n_ctx=3, n_windows=20)
    case.others = {name: 0.3 - value for name, value in case.tables.items()} | {"dropout": 0.25}
    case.tables["dropout"] = 0.25
    for name, value in places.items():
        case.show(name, value)
    return case


def run_over_a_short_text() -> Case:
    """A run on 0, 1, 2, 3, 0, 1 and so on."""
    case = runs.case(1, steps=30, warmup_steps=3, batch=3, n_ctx=3, n_windows=20)
    case.show("data", torch.arange(23) % 4, length=23)
    set_up(case, case.settings | {"warmup_steps": 3, "weight_decay": 0.1, "max_lr": 0.2, "max_norm": 1.0})
    return case


# A run of 38 steps is saved after each of them, one of 40 after every second
runs_with_ctrl_c = fixed(lambda where: [run(4, stops_at=1, ends_at=None), run(40, stops_at=2, ends_at=5)])
# One of 5 after each, of 59 after every second, and so is one of 41, also when it is stopped after 3 by Ctrl-C
runs_that_fail = fixed(
    lambda where: [
        run(5, stops_at=None, fails_at=2, goes_on_at=2),
        run(59, stops_at=None, fails_at=5, goes_on_at=4),
        run(41, stops_at=2, fails_at=5, goes_on_at=4),
    ]
)
runs_that_fail_late = fixed(lambda where: [run(16, fails_at=13)])
long_runs = fixed(lambda where: [run(41)])
short_runs = fixed(lambda where: [run(3)])
runs_of_a_dozen_steps = fixed(
    lambda where: [runs.case(2, steps=12, warmup_steps=3, batch=2, n_ctx=3, n_windows=6)],
)
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


def failed(do: Teller, case: Case, model: Handle, file: str | None = None) -> Handle:
    """A call of `train` on a model that becomes NaN: what it raises."""
    place = path(file) if file else None
    return do.caught(do.train, model, case.data, *case.settings.values(), place, False)


def run_of(case: Case) -> Story:
    """A story: what a run returns, and the parameters after it."""

    def story(do: Teller) -> dict[str, Any]:
        model = trainee_in(do, case)
        return {"losses": called(do, case, model)["result"]} | numbers_of(do, model)

    return story


def stopped_and_gone_on(case: Case) -> Story:
    """A story: a run that Ctrl-C stops in step `stops_at`, and the same call once more."""

    def story(do: Teller) -> dict[str, Any]:
        files, never_stopped = do.make(folder()), trainee_in(do, case, interrupted_at=case.ends_at)
        seen = {"never stopped": called(do, case, never_stopped)["result"]}
        stopped = called(do, case, trainee_in(do, case, interrupted_at=case.stops_at), FILE)
        fresh = another_in(do, case, interrupted_at=case.ends_at and case.ends_at - case.stops_at - 1)
        seen |= {"stopped": stopped["result"], "silent": stopped["is_silent"], "on stdout": stopped["on_stdout"]}
        seen |= {"files": files.names(), "rest": called(do, case, fresh, FILE)["result"]}
        return seen | {"expected": numbers_of(do, never_stopped), "yours": numbers_of(do, fresh)}

    return story


def failed_and_gone_on(case: Case) -> Story:
    """A story: a run that becomes NaN in step `fails_at`, and the same call once more, with a model that does not.

    When it was stopped by Ctrl-C in step `stops_at` before, it is the call after that one which fails. Another run
    becomes NaN in its first step.
    """

    def story(do: Teller) -> dict[str, Any]:
        files, never_failed = do.make(folder()), trainee_in(do, case, interrupted_at=case.goes_on_at)
        seen: dict = {"never failed": called(do, case, never_failed)["result"]}
        failed(do, case, trainee_in(do, case, nan_from=0), OTHER_FILE)
        seen["files at first"] = files.names()
        if case.stops_at is None:
            failing = trainee_in(do, case, nan_from=case.fails_at)
        else:
            called(do, case, trainee_in(do, case, interrupted_at=case.stops_at), FILE)
            failing = another_in(do, case, nan_from=case.fails_at - case.stops_at - 1)
        seen["raised"] = failed(do, case, failing, FILE)["classes"]
        seen["files"], fresh = files.names(), another_in(do, case, interrupted_at=0)
        seen["rest"] = called(do, case, fresh, FILE)["result"]
        seen |= {"expected": numbers_of(do, never_failed), "yours": numbers_of(do, fresh)}
        return seen | {"files afterwards": files.names()}

    return story


def stopped_while_saving(case: Case) -> Story:
    """A story: a run in whose first save Ctrl-C is pressed, and the same call once more."""

    def story(do: Teller) -> dict[str, Any]:
        never_stopped, stopped = trainee_in(do, case), trainee_in(do, case)
        seen = {"never stopped": called(do, case, never_stopped)["result"]}
        do.make(default_generator(3))
        finger = pressing_when_saved(do, case, stopped)
        seen |= {"stopped": called(do, case, stopped, FILE)["result"], "pressed": finger.lengths}
        fresh = another_in(do, case)
        seen["rest"] = called(do, case, fresh, FILE)["result"]
        return seen | {"expected": numbers_of(do, never_stopped), "yours": numbers_of(do, fresh)}

    return story


def pressing_when_saved(do: Teller, case: Case, model: Handle) -> Handle:
    """A toy that presses Ctrl-C in its first call, which comes when this model's `state_dict` is asked for.

    A hook is called with other arguments than a toy takes, so a hook of the toy's own puts the tokens in their place.
    """
    of = {name: case.tables[name] for name in ("table", "places")}
    finger = do.make(probe("toy", **of, interrupted_at=0))
    answers = model.state_dict()
    answers.setdefault(finger, (case.data[:1].unsqueeze(0),))
    finger.register_forward_pre_hook(answers.get)
    model.register_state_dict_pre_hook(finger)
    return finger


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
