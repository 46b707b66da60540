"""Evaluations: models and texts, the stories of them, and what PyTorch makes of them."""

from typing import Any

import torch

from graders.cases.training_checkpoints import expect_raised
from graders.cases.training_steps import PARAMETERS, gradient_there, loss_of, model_of, numbers_of, trainee
from graders.cases.training_windows import drawn_by_torch, example
from graders.engine.law import expect_equal
from graders.engine.script import Handle, Story, Teller, default_generator, generator, probe
from graders.engine.space import Case, fixed, space
from graders.engine.subject import Subject


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
no_evaluations = fixed(lambda where: [example(9, 1, 3, n_batches=0), example(9, 1, 3, n_batches=-1)])
too_short = fixed(lambda where: [example(n, 1, 3, n_batches=2) for n in (3, 0)])


def evaluated(do: Teller, case: Case, model: Handle, chance: Handle | None = None) -> Handle:
    """The loss of a model."""
    return do.evaluate(model, case.data, case.batch, case.n_ctx, case.n_batches, chance or generator(3))


def yours_and_losses(subject: Subject, case: Case) -> tuple[float, list[float]]:
    """What `evaluate` returns, and the losses of the batches that the subject's own `get_batch` draws, by PyTorch.

    From the generator one batch has been drawn before.
    """

    def story(do: Teller) -> tuple[Handle, list[Handle]]:
        chance, other = do.make(generator(3)), do.make(generator(3))
        of = (case.data, case.batch, case.n_ctx)
        batches = [do.get_batch(*of, chance) for _ in range(1 + case.n_batches)]
        do.get_batch(*of, other)
        return evaluated(do, case, do.make(probe("trainee", **case.tables)), other), batches[1:]

    yours, batches = subject.tell(story)
    return yours, [loss_of(model_of(case), x, y).item() for x, y in batches]


def left_by_an_evaluation(case: Case) -> Story:
    """A story: what there is in and around a model, of which a part is frozen, after an evaluation."""

    def story(do: Teller) -> dict[str, Any]:
        model = do.make(probe("trainee", **case.tables))
        for name in PARAMETERS:
            do.set(getattr(model, name), "grad", gradient_there(do, torch.ones_like(case.tables[name])))
        model.places.requires_grad_(False)
        do.make(default_generator(3))
        drawn = {"before": drawn_by_torch(do)}
        do.make(default_generator(3))
        evaluated(do, case, model)
        drawn |= {"after": drawn_by_torch(do)}
        gradients = {f"gradient of {name}": getattr(model, name).grad for name in PARAMETERS}
        seen = numbers_of(do, model) | gradients | drawn | {"n_read": do.look(model.n_read)}
        seen |= {"frozen": [getattr(model, name).requires_grad for name in PARAMETERS]}
        return seen | {"recorded": model(case.data[:1].unsqueeze(0)).requires_grad}

    return story


def modes_of_evaluations(case: Case) -> Story:
    """A story: in which mode a model is evaluated, and in which it is afterwards, also after Ctrl-C."""

    def story(do: Teller) -> dict[str, Any]:
        seen = {}
        for mode in ("train", "eval"):
            model = do.make(probe("trainee", **case.tables))
            getattr(model, mode)()
            evaluated(do, case, model)
            seen[mode] = {"training mode": model.modes, "gradients": model.grads, "afterwards": model.training}
            seen[mode] |= {"its dropout's afterwards": model.drop.training}
            stopped = do.make(probe("trainee", **case.tables, interrupted_at=0))
            getattr(stopped, mode)()
            do.caught(do.evaluate, stopped, case.data, case.batch, case.n_ctx, case.n_batches, generator(3))
            seen[mode] |= {"after Ctrl-C": do.look(stopped.training)}
            seen[mode] |= {"recorded": stopped(case.data[:1].unsqueeze(0)).requires_grad}
        return seen

    return story


def expect_refused_evaluation(subject: Subject, case: Case, what: str) -> None:
    """Hold that an evaluation raises ValueError, and that the mode of the model is as it was."""

    def story(do: Teller) -> dict[str, dict[str, Handle]]:
        seen = {}
        for mode in ("train", "eval"):
            model = do.make(probe("toy", table=torch.zeros(4, 4), places=torch.zeros(3, 4)))
            getattr(model, mode)()
            arguments = (model, case.data, case.batch, case.n_ctx, case.n_batches, generator(0))
            raised = do.caught(do.evaluate, *arguments)["classes"]
            seen[mode] = {"raised": raised, "afterwards": model.training}
        return seen

    for mode, seen in subject.tell(story).items():
        expect_raised(seen["raised"], "ValueError", what)
        expect_equal(seen["afterwards"], mode == "train", what="training mode", note=f"{mode}() was called before")
