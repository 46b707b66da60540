"""Scripts: stories told here and performed in the subject's process."""

import signal

import pytest
import torch

from graders.engine.law import Broken
from graders.engine.script import (
    config,
    default_generator,
    folder,
    generator,
    given,
    module,
    optimizer,
    parameter,
    path,
    probe,
)
from graders.engine.subject import Subject, reference_transport
from graders.engine.transport import InProcess, Worker
from graders.engine.worker.loading import Source

CODE = """
import os
import signal
from pathlib import Path
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


def write(value, path):
    Path(path).write_bytes(bytes(1000))


def save_for_good(value, path):
    with open(path, "wb") as file:
        torch.save(value, file)
        file.flush()
        os.fsync(file.fileno())


def ignore_ctrl_c():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


def speak(text):
    print(text)
    return len(text)


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
        files = do.make(folder())
        stopped = [do.on_a_full_disk(do.save, torch.ones(99), path("x.pt"))["classes"]]
        stopped += [do.on_a_full_disk(do.write, torch.ones(99), path("y.pt"))["classes"]]
        half = [files.is_plain("x.pt"), files.is_plain("y.pt")]
        do.save(torch.ones(99), path("x.pt"))
        return {"stopped": stopped, "half": half, "after": files.is_plain("x.pt")}

    seen = subject.tell(story)
    assert all("Exception" in classes for classes in seen["stopped"])
    assert (seen["half"], seen["after"]) == ([False, False], True)


def test_a_power_cut_takes_what_was_not_sent_to_the_disk(subject):
    def story(do):
        files = do.make(folder())
        do.save(torch.ones(3), path("old.pt"))
        files.power_cut(do.save, torch.ones(3), path("lost.pt"))
        files.power_cut(do.save_for_good, torch.ones(3), path("kept.pt"))
        return {name: files.is_plain(f"{name}.pt") for name in ("old", "lost", "kept")}

    assert subject.tell(story) == {"old": True, "lost": False, "kept": True}


def test_files_are_looked_at_and_damaged(subject):
    def story(do):
        files = do.make(folder())
        do.save(torch.ones(3), path("x.pt"))
        first, again = files.changes(), files.changes()
        files.cut("x.pt", 0.5)
        files.forge("y.pt", "trace")
        files.write("z.pt", "a text")
        plain = [files.is_plain(f"{name}.pt") for name in "xyz"]
        return {"changes": [first, again, files.changes()], "plain": plain, "names": files.names()}

    assert subject.tell(story) == {
        "changes": [["x.pt"], [], ["x.pt", "y.pt", "z.pt"]],
        "plain": [False, False, False],
        "names": ["x.pt", "y.pt", "z.pt"],
    }


def test_what_is_printed_and_what_ctrl_c_ends(subject):
    said = {"result": 4, "text": "hear\n", "is_silent": False, "on_stdout": True}
    assert subject.tell(lambda do: do.said(do.speak, "hear")) == said
    with pytest.raises(Broken) as raised:
        subject.tell(lambda do: do.said(do.stop))
    assert raised.value.failure.type_name == "Interrupted"


def test_what_a_call_does_to_ctrl_c_ends_with_its_request(subject):
    subject.tell(lambda do: do.ignore_ctrl_c())
    assert subject.tell(lambda do: do.caught(do.press_ctrl_c))["classes"][0] == "KeyboardInterrupt"


def test_ctrl_c_reaches_a_call_where_a_shell_has_it_ignored(subject):
    given = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert subject.tell(lambda do: do.caught(do.press_ctrl_c))["classes"][0] == "KeyboardInterrupt"
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, given)


def test_the_name_of_the_folder_is_left_out_of_texts(subject):
    assert subject.tell(lambda do: do.said(do.speak, path("x.pt")))["text"] == "/x.pt\n"


def test_an_optimizer_moves_a_model_s_parameters(subject):
    def story(do):
        model = do.make(probe("unembed", W_U=torch.ones(1, 1), b_U=torch.zeros(1)))
        descent = do.make(optimizer(model, lr=0.1, momentum=0.5))
        model(torch.ones(1, 1)).sum().backward()
        descent.step()
        once = do.look(model.W_U)
        descent.step()
        return [once, model.W_U, descent.state_dict()["state"][0]["mean"]]

    assert [value.item() for value in subject.tell(story)] == pytest.approx([0.9, 0.75, 1.5])


def test_pytorch_s_own_generator_is_seeded(subject):
    def story(do):
        blank = do.make(parameter(torch.zeros(3))).data
        drawn = []
        for seed in (4, 4, 5):
            do.make(default_generator(seed))
            drawn.append(blank.clone().uniform_())
        return drawn

    one, same, other = subject.tell(story)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


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
