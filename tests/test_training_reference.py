"""The reference's training against PyTorch's own parts, and against what stops a run: Ctrl-C and NaN."""

import copy
import math
import re
import signal
import sys
import threading

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from reference.config import GPTConfig
from reference.gpt import GPT
from reference.loss import next_token_loss, uniform_loss
from reference.optimizer import AdamW, decay_groups, warmup_cosine
from reference.training import Progress, deferred_ctrl_c, evaluate, get_batch, train, train_step

CFG = GPTConfig(d_vocab=7, n_ctx=5, n_layers=2, n_heads=2, d_model=6, d_head=3, d_mlp=8)
SETTINGS = {
    "batch": 3,
    "n_ctx": 4,
    "max_lr": 0.02,
    "min_lr": 0.002,
    "warmup_steps": 2,
    "weight_decay": 0.3,
    "max_norm": 0.5,
    "seed": 4,
    "progress": False,
}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def model_with_dropout(seed: int = 0) -> GPT:
    """A small GPT of which an eighth is dropped in training mode, so that PyTorch's global generator matters."""
    torch.manual_seed(seed)
    model = GPT(CFG)
    for block in model.blocks:
        block.register_forward_hook(lambda block, _inputs, output: F.dropout(output, 0.125, block.training))
    return model


def happening(model: nn.Module, call: int, event: object) -> nn.Module:
    """The same model, in which `event(logits)` happens at its so-many-th call, counted from 1."""
    calls = []

    def hook(_module: nn.Module, _inputs: tuple, logits: torch.Tensor) -> torch.Tensor:
        calls.append(call)
        return event(logits) if len(calls) == call else logits

    model.register_forward_hook(hook)
    return model


def press_ctrl_c(logits: torch.Tensor) -> torch.Tensor:
    signal.raise_signal(signal.SIGINT)
    return logits


def become_nan(logits: torch.Tensor) -> torch.Tensor:
    return logits * math.nan


@pytest.fixture
def data() -> torch.Tensor:
    return torch.randint(7, (60,), generator=seeded(0))


def assert_equal(one: nn.Module, other: nn.Module) -> None:
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


# get_batch


def test_y_is_x_one_token_later_and_every_window_comes_about_as_often_as_any_other():
    data, generator, counts = torch.arange(100, 112), seeded(0), torch.zeros(8)
    for _ in range(1000):
        x, y = get_batch(data, 8, 4, generator)
        assert torch.equal(x, x[:, :1] + torch.arange(4))
        assert torch.equal(y, x + 1)
        counts += torch.bincount(x[:, 0] - 100, minlength=8)
    # Each count is binomial with mean 1000 and deviation 29.6; beyond 6 deviations: 8 x 2e-9
    assert ((counts - 1000).abs() < 178).all()


@pytest.mark.parametrize(("length", "batch", "n_ctx"), [(4, 1, 4), (0, 1, 1), (9, 0, 4), (9, 1, 0)])
def test_what_cannot_be_drawn_is_refused(length, batch, n_ctx):
    message = (
        f"the data holds {length} tokens, n_ctx={n_ctx}, batch={batch}; expected at least n_ctx + 1 tokens, and batch "
        "and n_ctx of at least 1"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        get_batch(torch.arange(length), batch, n_ctx, seeded(0))


# train_step and evaluate


@pytest.mark.parametrize("max_norm", [0.1, 100.0])
def test_steps_are_those_of_pytorch_s_own_parts(data, max_norm):
    ours, theirs = GPT(CFG).double(), GPT(CFG).double()
    theirs.load_state_dict(ours.state_dict())
    optimizer = AdamW(ours.parameters(), lr=0.01)
    oracle = torch.optim.AdamW(theirs.parameters(), lr=0.01, betas=(0.9, 0.95), weight_decay=0.1)
    generator = seeded(1)
    for _ in range(5):
        x, y = get_batch(data, 3, 5, generator)
        loss = train_step(ours, optimizer, x, y, max_norm)
        oracle.zero_grad()
        expected = F.cross_entropy(theirs(x).transpose(1, 2), y)
        expected.backward()
        nn.utils.clip_grad_norm_(theirs.parameters(), max_norm)
        oracle.step()
        assert loss == pytest.approx(expected.item(), abs=1e-12)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


def test_the_loss_is_the_next_token_loss_of_the_whole_window(data):
    model, tokens = GPT(CFG).double(), data[:5].unsqueeze(0)
    loss = train_step(model, AdamW(model.parameters(), lr=0.0), tokens[:, :-1], tokens[:, 1:], 1.0)
    assert loss == pytest.approx(next_token_loss(model(tokens), tokens).item(), abs=1e-12)


class SteepAtZero(nn.Module):
    """Logits whose gradient is infinite although they are finite."""

    def __init__(self):
        super().__init__()
        self.p = nn.Parameter(torch.zeros(7))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.p.sqrt().expand(*tokens.shape, 7)


@pytest.mark.parametrize(
    ("model", "loss", "norm"), [(happening(GPT(CFG), 1, become_nan), "nan", "nan"), (SteepAtZero(), r"1\.94\d*", "inf")]
)
def test_a_step_that_would_ruin_the_parameters_is_refused_and_changes_nothing(data, model, loss, norm):
    before, optimizer = copy.deepcopy(model), AdamW(model.parameters())
    x, y = get_batch(data[data > 0], 2, 4, seeded(0))
    message = rf"^the loss is {loss}, the gradients' norm {norm}; expected finite numbers$"
    with pytest.raises(ValueError, match=message):
        train_step(model, optimizer, x, y, 1.0)
    assert_equal(model, before)
    assert not optimizer.state


@pytest.mark.parametrize("training", [True, False])
def test_an_evaluation_leaves_nothing_behind(data, training):
    model = model_with_dropout().train(training)
    first = evaluate(model, data, 3, 4, 6, seeded(2))
    assert first == evaluate(model, data, 3, 4, 6, seeded(2))  # no dropout
    assert model.training == training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("training", [True, False])
def test_an_evaluation_that_fails_leaves_the_mode_as_it_was(data, training):
    model = model_with_dropout().train(training)
    with pytest.raises(ValueError, match=r"^the data holds 4 tokens, n_ctx=4, "):
        evaluate(model, data[:4], 3, 4, 6, seeded(2))
    assert model.training == training


def test_an_evaluation_of_nothing_is_refused(data):
    with pytest.raises(ValueError, match=r"^n_batches=0; expected at least 1$"):
        evaluate(GPT(CFG), data, 3, 4, 0, seeded(0))


# train


def test_a_run_is_steps_on_batches_at_the_rates_of_the_schedule(data):
    ours, theirs = GPT(CFG), GPT(CFG)
    theirs.load_state_dict(ours.state_dict())
    losses = train(ours, data, 6, **SETTINGS)
    optimizer, generator = AdamW(decay_groups(theirs, 0.3)), seeded(4)
    for step in range(6):
        for group in optimizer.param_groups:
            group["lr"] = warmup_cosine(step, 2, 6, 0.02, 0.002)
        assert losses[step] == (step, train_step(theirs, optimizer, *get_batch(data, 3, 4, generator), 0.5))
    assert_equal(ours, theirs)


@pytest.mark.parametrize(("steps", "pressed_in"), [(6, 1), (6, 4), (45, 33)])
def test_a_run_stopped_by_ctrl_c_and_gone_on_with_is_the_run_that_never_stopped(
    data, tmp_path, capsys, steps, pressed_in
):
    whole = model_with_dropout(seed=1)
    losses = train(whole, data, steps, **SETTINGS)

    stopped, path = happening(model_with_dropout(seed=1), pressed_in, press_ctrl_c), tmp_path / "run.pt"
    first = train(stopped, data, steps, **SETTINGS, checkpoint=path)
    said = f"\nstopped after {pressed_in} of {steps} steps, saved in {path}: the same call goes on\n"
    assert capsys.readouterr().err == said

    resumed = model_with_dropout(seed=99)
    assert first + train(resumed, data, steps, **SETTINGS, checkpoint=path) == losses
    assert_equal(resumed, whole)
    assert train(resumed, data, steps, **SETTINGS, checkpoint=path) == []


def test_without_a_checkpoint_ctrl_c_says_that_nothing_is_saved(data, capsys):
    assert len(train(happening(GPT(CFG), 2, press_ctrl_c), data, 6, **SETTINGS)) == 2
    assert capsys.readouterr().err == "\nstopped after 2 of 6 steps, saved nowhere\n"


def test_a_second_ctrl_c_interrupts_at_once_and_afterwards_all_is_as_before():
    given = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell runs in the background
    try:
        with deferred_ctrl_c() as came:
            assert not came()
            signal.raise_signal(signal.SIGINT)
            assert came()
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, given)


def test_a_run_in_another_thread_leaves_ctrl_c_alone(data):
    taken = []
    thread = threading.Thread(target=lambda: taken.extend(train(GPT(CFG), data, 3, **SETTINGS)))
    thread.start()
    thread.join()
    assert [step for step, _ in taken] == [0, 1, 2]


def test_a_loss_that_becomes_nan_ends_the_run_says_where_and_leaves_the_last_good_checkpoint(data, tmp_path):
    path = tmp_path / "run.pt"
    message = (
        "stopped at step 4: the loss is nan, the gradients' norm nan; expected finite numbers; the last checkpoint: "
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message + str(path))}$"):
        train(happening(model_with_dropout(), 5, become_nan), data, 6, **SETTINGS, checkpoint=path)
    healthy = model_with_dropout()
    assert [step for step, _ in train(healthy, data, 6, **SETTINGS, checkpoint=path)] == [4, 5]


def test_data_shorter_than_a_window_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"^the data holds 4 tokens, n_ctx=4, "):
        train(GPT(CFG), torch.arange(4), 6, **SETTINGS, checkpoint=tmp_path / "run.pt")
    assert list(tmp_path.iterdir()) == []


def test_a_text_without_chance_is_learnt_from_near_the_uniform_loss_to_near_zero():
    torch.manual_seed(0)
    losses = train(GPT(CFG), torch.arange(60) % 7, 150, **SETTINGS | {"batch": 8, "max_lr": 0.03})
    assert losses[0][1] == pytest.approx(uniform_loss(7), abs=0.05)
    assert losses[-1][1] < 0.05


# The progress line


def test_a_terminal_s_line_is_written_over_and_a_file_gets_lines(monkeypatch, capsys):
    now = iter([0.0, 10.0, 10.1, 3600.0])
    monkeypatch.setattr("time.monotonic", lambda: next(now))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress(first=100, steps=400, tokens_per_step=2048, visible=True) as line:
        line.update(120, 3.14159)
        line.update(121, 3.0)  # too soon to be shown
        line.update(400, 2.5)
    shown = capsys.readouterr().err.split("\r")
    assert shown[1].rstrip(" ") == "step 120 of 400   loss 3.142   4,096 tokens/s   0:02:20 left"
    assert shown[2] == f"{'step 400 of 400   loss 2.500   171 tokens/s   0:00:00 left':<78}\n"


def test_no_line_is_shown_when_none_is_wanted(data, capsys):
    train(GPT(CFG), data, 2, **SETTINGS)
    assert capsys.readouterr().err == ""
    train(GPT(CFG), data, 2, **SETTINGS | {"progress": True})
    assert capsys.readouterr().err.startswith("step 2 of 2   loss ")
