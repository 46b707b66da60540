"""A small GPT of the learner's own parts, and the one window that it is to learn by heart."""

from typing import Any

import torch

from graders.cases.training_runs import set_up
from graders.engine.script import Handle, Story, Teller, default_generator, generator, module
from graders.engine.space import Case, fixed

SIZES = {"d_vocab": 7, "n_ctx": 4, "n_layers": 1, "n_heads": 2, "d_model": 8, "d_head": 4, "d_mlp": 16}
SETTINGS = {"steps": 25, "batch": 2, "n_ctx": 4, "max_lr": 0.07, "min_lr": 0.007, "warmup_steps": 2}
SETTINGS |= {"weight_decay": 0.0, "max_norm": 1.0, "seed": 0}


def gpt(seed: int) -> Case:
    """A text of one window, so that every batch is the same, and a model that is made from this seed."""
    case = Case(seed, {})
    case.show("data", torch.randperm(7, generator=torch.Generator().manual_seed(seed))[:5], length=5)
    set_up(case, SETTINGS)
    return case


gpts = fixed(lambda where: [gpt(1)])


def gpt_in(do: Teller, case: Case) -> Handle:
    """The subject's own GPT with its random start, which has run once: a part that is not written yet says so here."""
    do.make(default_generator(case.seed))
    model = do.make(module("GPT", SIZES, file="gpt"))
    model(case.data[:4].unsqueeze(0))
    return model


def first_loss(case: Case) -> Story:
    """A story: the loss of a GPT that has learnt nothing."""
    return lambda do: do.evaluate(gpt_in(do, case), case.data, 2, 4, 1, generator(0))


def learnt_by_heart(case: Case) -> Story:
    """A story: a GPT is trained; the losses, and the tokens that it then holds for the likeliest."""

    def story(do: Teller) -> dict[str, Any]:
        model = gpt_in(do, case)
        losses = do.train(model, case.data, *SETTINGS.values(), progress=False)
        return {"losses": losses, "said": model(case.data[:4].unsqueeze(0)).argmax(-1)[0]}

    return story
