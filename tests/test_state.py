"""What a task keeps, or leaves to chance, between two calls is seen; what it calls is read as well as watched."""

import pytest
import torch
from learners import solved

from graders.engine.course import ROOT
from graders.engine.from_scratch import names_of_library
from graders.engine.judge import Judge
from graders.engine.law import Broken, laws_for
from graders.engine.subject import Subject
from graders.engine.transport import InProcess
from graders.engine.trial import Policy
from graders.engine.worker.loading import Source

CFG = {"d_vocab": 5, "n_ctx": 8, "n_layers": 1, "n_heads": 2, "d_model": 3, "d_head": 2, "d_mlp": 4}
X = torch.tensor([[[0.0, 1.0, 5.0], [2.0, 0.0, 1.0]]], dtype=torch.float64)
KEPT = """
def forward(self, x):
    self.calls = getattr(self, "calls", 0) + 1
    return given(self, x) * {factor}


given, LayerNorm.forward = LayerNorm.forward, forward
"""
UNSTEADY = {
    "a count of its calls": KEPT.format(factor="self.calls"),
    "chance": KEPT.format(factor="(1 + torch.rand(()))"),
    "the mode it is in": KEPT.format(factor="(1 if self.training else 2)"),
    "whether gradients are taken": KEPT.format(factor="(1 if torch.is_grad_enabled() else 2)"),
}


def subject(code: str, **options) -> Subject:
    """LayerNorm with other definitions after it."""
    return Subject("layer_norm", transport(code), **options)


def transport(code: str) -> InProcess:
    return InProcess(Source(folder=str(ROOT / "reference"), texts={"layer_norm": solved("layer_norm") + code}))


@pytest.mark.parametrize("code", UNSTEADY.values(), ids=UNSTEADY)
def test_a_result_that_depends_on_more_than_its_input_is_unsteady(code):
    with pytest.raises(Broken) as broken:
        subject(code, repeats=True).module("LayerNorm", CFG)(X)
    assert broken.value.kind == "unsteady"


def test_a_right_answer_is_steady():
    assert subject("", repeats=True).module("LayerNorm", CFG)(X).shape == X.shape


def test_an_earlier_call_leaves_its_mark_on_what_keeps_something():
    module = subject(UNSTEADY["a count of its calls"]).module("LayerNorm", CFG)
    assert torch.allclose(module.after(X[:, :1])(X), 2 * module(X))


@pytest.mark.parametrize("code", UNSTEADY.values(), ids=UNSTEADY)
def test_no_law_of_the_task_holds_for_long(code):
    judge = Judge(transport(code), Policy())
    assert "failed" in [judge.grade(law).record.status for law in laws_for("layer_norm")]


def test_two_names_for_one_parameter_are_told():
    code = "\nclass LayerNorm(LayerNorm):\n    def __init__(self, cfg):\n        super().__init__(cfg)\n"
    code += "        self.b = self.w\n"
    with pytest.raises(Broken) as broken:
        subject(code).module("LayerNorm", CFG, {"w": X[0, 0], "b": X[0, 0]})(X)
    assert broken.value.failure.message == "b and w are one and the same tensor"


@pytest.mark.parametrize(
    "line",
    [
        "import torch\ntorch.nn.functional.layer_norm",
        "import torch.nn.functional as F\nF.layer_norm",
        "from torch.nn import functional\nfunctional.layer_norm",
        "from torch.nn.functional import layer_norm as ln\nln",
        "from torch import nn\nnn.LayerNorm",
        "def later():\n    import torch as t\n    return t.layer_norm",
    ],
)
def test_what_a_file_names_of_the_library_is_read(line):
    assert "layer_norm" in names_of_library(line)


def test_names_that_are_not_the_library_s_are_not_read():
    assert names_of_library("from exercises.layer_norm import LayerNorm\ncfg.layer_norm_eps\nLayerNorm(cfg)") == set()
