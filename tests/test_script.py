"""Scripts: stories told here and performed in the subject's process."""

import pytest
import torch

from graders.engine.law import Broken
from graders.engine.script import config, generator, given, module, parameter, path, probe
from graders.engine.subject import Subject, reference_transport
from graders.engine.transport import InProcess, Worker
from graders.engine.worker.loading import Source

CODE = """
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Options:
    rate: float = 1.0


@dataclass
class Pile:
    numbers: torch.Tensor

    def pushed(self, more):
        return Pile(torch.cat([self.numbers, more]))

    @property
    def height(self):
        return len(self.numbers)


def scaled(x, options):
    return x * options.rate


def descend(weight, rate):
    with torch.no_grad():
        weight -= rate * weight.grad


def spoil(x):
    x += 1
    return x


def draw(generator):
    return torch.rand(3, generator=generator)


def stop():
    raise KeyboardInterrupt("now")


def save(value, path):
    torch.save(value, path)


class Doubler(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(cfg.d_model))

    def forward(self, x):
        return 2 * self.w * x
"""
SIZES = {"d_vocab": 3, "n_ctx": 4, "n_layers": 1, "n_heads": 1, "d_model": 2, "d_head": 1, "d_mlp": 1}
CONFIG = reference_transport().source.read("config")


@pytest.fixture(params=[InProcess, Worker])
def subject(request):
    transport = request.param(Source(texts={"piles": CODE, "config": CONFIG}))
    yield Subject("piles", transport, checks_form=False)
    transport.close()


def test_methods_and_properties_of_what_a_call_returned(subject):
    def story(do):
        pile = do.Pile(torch.ones(2))
        taller = pile.pushed(torch.zeros(3))
        return {"before": pile.height, "after": taller.height, "last": taller.numbers[4], "pile": pile}

    value = subject.tell(story)
    assert (value["before"], value["after"], float(value["last"])) == (2, 5, 0.0)
    assert value["pile"]["type"] == "Pile"
    assert value["pile"]["numbers"].tolist() == [1, 1]


def test_a_look_is_a_copy_of_what_was_there_then(subject):
    def story(do):
        weight = do.make(parameter(torch.tensor([4.0])))
        before = do.look(weight)
        do.set(weight, "grad", torch.tensor([1.0]))
        do.descend(weight, 0.5)
        return [before, weight]

    assert [value.item() for value in subject.tell(story)] == [4.0, 3.5]


def test_what_an_argument_describes_is_built_in_the_subject_s_process(subject):
    def story(do):
        return {
            "scaled": do.scaled(torch.tensor([3.0]), given("Options", {"rate": 2.0})),
            "drawn": do.draw(generator(5)),
            "doubled": do.make(module("Doubler", SIZES, {"w": torch.ones(2)}))(torch.ones(2)),
            "vocabulary": do.make(config(SIZES)).d_vocab,
            "probed": do.make(probe("embed", W_E=torch.ones(2, 2)))(torch.tensor([1])),
        }

    value = subject.tell(story)
    assert (value["scaled"].item(), value["vocabulary"], value["doubled"].tolist()) == (6.0, 3, [2, 2])
    assert torch.equal(value["drawn"], torch.rand(3, generator=torch.Generator().manual_seed(5), dtype=torch.float32))
    assert value["probed"].tolist() == [[1, 1]]


def test_a_call_may_take_what_an_argument_describes_as_well(subject):
    assert subject.scaled(torch.tensor([3.0]), given("Options", {"rate": 2.0})).item() == 6.0


def test_a_changed_argument_is_told_by_its_place(subject):
    subject.tell(lambda do: do.spoil(torch.ones(2)))
    assert subject.replies[-1].changed == ["argument 0 of spoil"]


def test_what_a_call_raises_can_be_looked_at(subject):
    assert subject.tell(lambda do: do.caught(do.stop))["classes"][0] == "KeyboardInterrupt"
    assert subject.tell(lambda do: do.caught(do.draw, None)) == {"classes": [], "message": ""}


def test_a_full_disk_stops_what_is_saved_half_way(subject):
    def story(do):
        return do.on_a_full_disk(do.save, torch.ones(3), path("x.pt")), do.save(torch.ones(3), path("x.pt"))

    stopped, after = subject.tell(story)
    assert (stopped["classes"][0], after) == ("OSError", None)


def test_the_numbers_that_operations_make_are_counted(subject):
    def story(do):
        doubler = do.make(module("Doubler", SIZES, {"w": torch.ones(2)}))
        return [do.counted(doubler, torch.ones(rows, 2))[1] for rows in (1, 10)]

    assert subject.tell(story) == [2 + 2, 2 + 20]


def test_what_goes_wrong_inside_is_told_as_in_a_call(subject):
    with pytest.raises(Broken) as broken:
        subject.tell(lambda do: do.scaled(torch.ones(1), None))
    assert (broken.value.kind, broken.value.failure.lines[-1][2]) == ("call", "scaled")
    with pytest.raises(Broken) as broken:
        subject.tell(lambda do: do.make(module("Doubler", SIZES, {"v": torch.ones(2)})))
    assert (broken.value.kind, broken.value.failure.message.splitlines()[0]) == ("parameters", "v is missing")
