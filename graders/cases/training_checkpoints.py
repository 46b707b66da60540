"""Voyages: a trainee that is saved on its way, and another that goes on from there. Cases, and their stories."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from graders.cases.training_steps import PARAMETERS, generic_trainee, numbers_of
from graders.engine.law import Broken, expect_equal
from graders.engine.script import (
    Handle,
    Story,
    Teller,
    default_generator,
    folder,
    generator,
    optimizer,
    parameter,
    path,
    probe,
)
from graders.engine.space import Case, fixed, space
from graders.engine.subject import Subject

FILE = "run.pt"
FILES = (FILE, "first.tmp", "second.new", "third.partial", "fourth.part", "fifth")  # as a partial one may be called
N_STEPS = 2  # before it is saved, and after
# Numbers that stand for nothing else in a file: no byte of a generator's state is as large
FIRST_STEP, N_READ = 300, 20_000
SEEDED = "the state in which the generator began"  # which no file need hold: what it tells is one mistake from another


@space(few=3, d_vocab=(3, 5), n_ctx=(2, 4))
def ways(case, d_vocab, n_ctx):
    """Two models of one shape, and what they read."""
    generic_trainee(case, d_vocab, n_ctx)
    case.others = {name: value.flip(0) + 0.1 for name, value in case.tables.items()}
    case.integers("x", d_vocab, batch=2, n_ctx=n_ctx)
    case.show("step", FIRST_STEP + case.seed)


one_voyage = fixed(lambda where: [ways.case(3, d_vocab=4, n_ctx=2)])


def damage(file: str, share: float = 0.0, text: str = "") -> Case:
    case = ways.case(1, d_vocab=3, n_ctx=2)
    case.share, case.text = share, text
    case.show("file", file)
    return case


damages = fixed(
    lambda where: [
        damage("a checkpoint cut in the middle", share=0.5),
        damage("a checkpoint without its last bytes", share=0.99),
        damage("a checkpoint of which a few bytes are left", share=0.01),
        damage("an empty file"),
        damage("a file with another text in it", text="To be, or not to be" * 9),
    ]
)


def stranger(file: str, other: dict[str, Any], part: str = "") -> Case:
    case = ways.case(1, d_vocab=3, n_ctx=2)
    case.other, case.part = other, part
    case.show("file", file)
    return case


wider, toy = ways.case(1, d_vocab=4, n_ctx=2), ways.case(1, d_vocab=3, n_ctx=2).others
del toy["W_out"]
turned = ways.case(1, d_vocab=3, n_ctx=2).others
turned["places"] = turned["places"].T.contiguous()
others = fixed(
    lambda where: [
        stranger("a checkpoint of a model with a larger vocabulary", probe("trainee", **wider.tables)),
        stranger("a checkpoint of a model with places of 3 2, as many numbers as 2 3", probe("trainee", **turned)),
        stranger("a checkpoint of a model without W_out", probe("toy", **toy), part="model"),
        stranger("a checkpoint of an optimizer of fewer parameters", probe("toy", **toy), part="optimizer"),
    ]
)


def expect_raised(classes: list[str], name: str, what: str) -> None:
    """Hold that a call raised an error of this class."""
    if name not in classes:
        raise Broken("values", classes[0] if classes else "no error", name, what=what)


def expect_refused_file(raised: dict[str, Any], case: Case) -> None:
    """Hold that a file was refused by a ValueError that names it."""
    expect_raised(raised["classes"], "ValueError", case.file)
    if FILE not in raised["message"]:
        raise Broken("values", raised["message"], f"... {FILE} ...", what="the message of the ValueError")


def started(do: Teller, case: Case, tables: dict[str, Any], lr: float) -> tuple[Handle, Handle, Handle]:
    """A model, its optimizer and its generator."""
    model = do.make(probe("trainee", **tables, dropout=0.25))
    model.n_read.fill_(N_READ)
    return model, do.make(optimizer(model, lr=lr, momentum=0.9)), do.make(generator(case.seed))


def moves(do: Teller, case: Case, model: Handle, descent: Handle, chance: Handle) -> dict[str, Handle]:
    """A few steps that need no code of the subject's; what is then in the model, and what both generators draw."""
    for _ in range(N_STEPS):
        descent.zero_grad()
        model(case.x).square().mean().backward()
        descent.step()
    blank = do.make(parameter(torch.zeros(3))).data
    drawn = {"drawn by the generator": blank.clone().uniform_(generator=chance)}
    return numbers_of(do, model) | drawn | {"drawn by PyTorch's own generator": blank.clone().uniform_()}


def saved(do: Teller, case: Case, place: Handle | None = None) -> tuple[Handle, Handle, Handle]:
    """A model, its optimizer and its generator on their way, saved."""
    do.make(default_generator(4))
    made = started(do, case, case.tables, lr=0.01)
    moves(do, case, *made)
    do.save_checkpoint(place or path(FILE), made[0], made[1], case.step, made[2])
    return made


def kept(case: Case) -> Story:
    """A story: what a file holds of all that the next step depends on, and, which nothing does, of the seed."""

    def story(do: Teller) -> Handle:
        own = do.make(default_generator(4))
        model, descent, chance = saved(do, case)
        memory, settings = descent.state_dict()["state"], descent.state_dict()["param_groups"][0]
        sought = {name: getattr(model, name) for name in (*PARAMETERS, "n_read")}
        sought |= {f"what the optimizer remembers of parameter {i}": memory[i]["mean"] for i in range(len(PARAMETERS))}
        sought |= {f"the optimizer's {name}": settings[name] for name in ("lr", "momentum")}
        sought |= {"the step": case.step, "the state of the generator": chance.get_state()}
        sought |= {"the state of PyTorch's own generator": own.get_state()}
        sought |= {SEEDED: do.make(generator(case.seed)).get_state()}
        return do.make(folder()).found(FILE, sought)

    return story


def full_disk(case: Case) -> Story:
    """A story: checkpoints of several names, each of which is to be replaced, and a new one, when the disk is full."""

    def story(do: Teller) -> dict[str, Any]:
        files = do.make(folder())
        model, descent, chance = saved(do, case)
        for name in FILES[1:]:
            do.save_checkpoint(path(name), model, descent, case.step, chance)
        seen = {"files": files.names()}
        files.changes()
        raised = [
            do.on_a_full_disk(do.save_checkpoint, path(name), model, descent, case.step + 1, chance)["classes"]
            for name in (*FILES, "a new one")
        ]
        return seen | {"changed": files.changes(), "raised": raised}

    return story


def power_cut(case: Case) -> Story:
    """A story: a second save over the first, then a power cut; what is lost, and what is there after it."""

    def story(do: Teller) -> dict[str, Any]:
        files = do.make(folder())
        model, descent, chance = saved(do, case)
        new, old = files.path.joinpath(FILE), files.path.joinpath("another name of the old one")
        old.hardlink_to(new)
        lost = files.power_cut(do.save_checkpoint, path(FILE), model, descent, case.step + 1, chance)
        seen = {"lost": lost, "is read": files.is_plain(FILE), "written over": new.samefile(old)}
        old.unlink()
        return seen | {"files": files.names()}

    return story


def another(do: Teller, case: Case) -> tuple[Handle, Handle, Handle]:
    """Another model with other numbers, its optimizer and its generator; chance is elsewhere too."""
    made = started(do, case, case.others, lr=0.5)
    do.make(default_generator(99))
    made[2].manual_seed(77)
    return made


def state_of(do: Teller, model: Handle) -> dict[str, Handle]:
    """Parameters, buffer and mode of a model as they are now."""
    return numbers_of(do, model) | {"n_read": do.look(model.n_read), "in training mode": do.look(model.training)}


def voyage(case: Case) -> Story:
    """A story: what a model was when it was saved, what another is when it has loaded that, and how both go on."""

    def story(do: Teller) -> dict[str, Any]:
        made = saved(do, case)
        was = state_of(do, made[0])
        never_stopped = moves(do, case, *made)
        fresh = another(do, case)
        step = do.load_checkpoint(
            do.make(folder()).path.joinpath(FILE), *fresh
        )  # a `Path`, where it was saved to a str
        now = state_of(do, fresh[0])
        resumed = moves(do, case, *fresh)
        return {"step": step, "was": was, "now": now, "never stopped": never_stopped, "resumed": resumed}

    return story


def expect_file_is_enough(subject: Subject, reference: Subject, case: Case) -> None:
    """Hold that what is saved goes on in a process that has the file alone. Raises `Broken`."""
    plainly = replace(subject, checks_form=False)  # the file may hold it in any form

    def here(do: Teller) -> dict[str, Any]:
        made = saved(do, case)
        return {"file": do.make(folder()).content(FILE), "then": moves(do, case, *made)}

    file = plainly.tell(here)["file"]
    subject.replies[-1] = replace(subject.replies[-1], value=None)  # and a diagnosis is not about the form
    if not isinstance(file, Tensor) or file.dtype != torch.uint8:
        raise Broken("type", file, torch.zeros(0))
    subject.transport.close()  # what it remembers beside the file is gone

    def there(do: Teller) -> dict[str, Any]:
        do.make(folder()).put(FILE, file)
        fresh = another(do, case)
        return {"step": do.load_checkpoint(path(FILE), *fresh), "then": moves(do, case, *fresh)}

    resumed, note = plainly.tell(there), "in a process that has the file alone"
    expect_equal(resumed["step"], case.step, what="the step", note=note)
    expect_equal(resumed["then"], reference.tell(here)["then"], what="", note=f"without the stop; yours is {note}")
