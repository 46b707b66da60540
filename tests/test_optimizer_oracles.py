"""The reference's optimizer against `torch.optim.AdamW`, `nn.utils.clip_grad_norm_` and closed forms."""

import copy
import math
import re

import pytest
import torch
from torch import nn

from reference.config import GPTConfig
from reference.gpt import GPT
from reference.optimizer import AdamW, clip_grad_norm, decay_groups, warmup_cosine

SHAPES = [(3, 2), (5,), (), (2, 1, 4)]
SETTINGS = [
    {},
    {"lr": 0.1, "betas": (0.5, 0.99), "eps": 0.3, "weight_decay": 0.5},
    {"lr": 0.05, "betas": (0.0, 0.0), "weight_decay": 0.0},
    {"lr": 0.0, "weight_decay": 0.7},
]
CFG = GPTConfig(d_vocab=7, n_ctx=5, n_layers=2, n_heads=2, d_model=4, d_head=3, d_mlp=6)
DECAYED = {"W_Q", "W_K", "W_V", "W_O", "W_in", "W_out", "W_U"}


def parameters(dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=generator, dtype=dtype)) for shape in SHAPES]


def in_groups(params):
    """Three groups: one with settings of its own, one that only does not decay, one with the arguments."""
    return [
        {"params": params[:1], "lr": 0.02, "betas": (0.8, 0.9), "weight_decay": 0.3, "eps": 1e-3},
        {"params": params[1:3], "weight_decay": 0.0},
        {"params": params[3:]},
    ]


def give_gradients(params, step, zeros_at=(), none_at=()):
    """The same to all with the same step: random, a size of its own for each step; here and there zeros, or none."""
    generator = torch.Generator().manual_seed(1000 + step)
    for i, parameter in enumerate(params):
        gradient = 10 ** (step % 5 - 2) * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)
        parameter.grad = None if (step, i) in none_at else gradient * ((step, i) not in zeros_at)


def assert_same(ours, theirs, **tolerance):
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, **tolerance)


@pytest.mark.parametrize("settings", SETTINGS)
def test_steps_are_pytorch_s(settings):
    ours, theirs = parameters(), parameters()
    defaults = {"betas": (0.9, 0.95), "weight_decay": 0.1}  # where ours are not PyTorch's
    optimizer, oracle = AdamW(ours, **settings), torch.optim.AdamW(theirs, **defaults | settings)
    for step in range(100):
        for params, stepped in ((ours, optimizer), (theirs, oracle)):
            give_gradients(params, step)
            stepped.step()
        assert_same(ours, theirs, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("dtype", "eps"), [(torch.float64, 1e-13), (torch.float32, 1e-5)])
def test_steps_in_groups_are_pytorch_s_with_rates_that_change_and_gradients_that_are_missing(dtype, eps):
    ours, theirs = parameters(dtype), parameters(dtype)
    optimizer, oracle = (
        AdamW(in_groups(ours)),
        torch.optim.AdamW(in_groups(theirs), betas=(0.9, 0.95), weight_decay=0.1),
    )
    none_at = {(0, 0), (1, 0), (5, 1), (6, 3), (7, 3)}
    for step in range(100):
        for params, stepped in ((ours, optimizer), (theirs, oracle)):
            give_gradients(params, step, zeros_at={(0, 2), (3, 3)}, none_at=none_at)
            for group, max_lr in zip(stepped.param_groups, (0.02, 1e-3, 1e-3), strict=True):
                group["lr"] = warmup_cosine(step, 10, 90, max_lr, 1e-4)
            stepped.step()
        assert_same(ours, theirs, rtol=eps, atol=eps)


def test_the_first_step_worked_by_hand():
    # The corrected averages are g and g * g, so the step is lr towards -sign(g); the decay takes 0.1 * 0.5 of 2 first
    parameter = nn.Parameter(torch.tensor([2.0, 2.0], dtype=torch.float64))
    parameter.grad = torch.tensor([300.0, -0.004], dtype=torch.float64)
    AdamW([parameter], lr=0.1, eps=0.0, weight_decay=0.5).step()
    assert parameter.tolist() == pytest.approx([1.9 - 0.1, 1.9 + 0.1])


def test_gradients_are_left_as_they_were_and_a_missing_one_leaves_its_parameter_as_it_was():
    params = parameters()
    give_gradients(params, 0, none_at={(0, 1)})
    before, kept = params[1].clone(), [None if p.grad is None else p.grad.clone() for p in params]
    optimizer = AdamW(params)
    optimizer.step()
    assert torch.equal(params[1], before)
    assert params[1] not in optimizer.state
    assert kept[1] is params[1].grad
    assert all(torch.equal(p.grad, gradient) for p, gradient in zip(params, kept, strict=True) if gradient is not None)


@pytest.mark.parametrize("made", [AdamW, torch.optim.AdamW], ids=["ours", "pytorch"])
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been_and_pytorch_s_goes_on_with_ours(made, tmp_path):
    whole, halved = parameters(), parameters()
    optimizer, stopped = AdamW(in_groups(whole)), AdamW(in_groups(halved))
    for step in range(20):
        if step == 8:
            torch.save(stopped.state_dict(), tmp_path / "state.pt")
            halved = [nn.Parameter(p.detach().clone()) for p in halved]
            stopped = made(in_groups(halved), lr=9.0, weight_decay=9.0)  # the state brings the settings, too
            stopped.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
        for params, stepped in ((whole, optimizer), (halved, stopped)):
            give_gradients(params, step, none_at={(0, 1), (1, 1)})
            stepped.step()
    assert_same(whole, halved, rtol=1e-13, atol=1e-13)


def test_a_closure_is_called_with_gradients_on_before_the_step_and_its_loss_returned():
    parameter = nn.Parameter(torch.tensor(3.0))
    optimizer = AdamW([parameter], lr=0.5, weight_decay=0.0)

    def closure():
        optimizer.zero_grad()
        loss = parameter.square()
        loss.backward()
        return loss

    assert optimizer.step(closure).item() == 9.0
    assert parameter.item() == pytest.approx(2.5)
    assert optimizer.step() is None


NUMBER, BETAS = "expected a finite number, 0 or more", "expected two numbers from 0 up to, but not including, 1"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": -1e-3}, f"lr is -0.001; {NUMBER}"),
        ({"lr": math.inf}, f"lr is inf; {NUMBER}"),
        ({"eps": -1e-8}, f"eps is -1e-08; {NUMBER}"),
        ({"weight_decay": math.inf}, f"weight_decay is inf; {NUMBER}"),
        ({"betas": (0.9, 1.0)}, f"betas are (0.9, 1.0); {BETAS}"),
        ({"betas": (-0.1, 0.9)}, f"betas are (-0.1, 0.9); {BETAS}"),
        ({"betas": (0.9,)}, f"betas are (0.9,); {BETAS}"),
    ],
)
def test_settings_that_cannot_work_are_refused_as_arguments_and_in_a_group(settings, message):
    for args, kwargs in (([parameters()], settings), ([[{"params": parameters()} | settings]], {})):
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            AdamW(*args, **kwargs)


def names_by_decay(model):
    """The names of a model's parameters in the group that decays, and in the one that does not."""
    decays, stays = decay_groups(model, 0.25)
    assert (decays["weight_decay"], stays["weight_decay"]) == (0.25, 0.0)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return [[names[id(parameter)] for parameter in group["params"]] for group in (decays, stays)]


def test_matrices_decay_and_every_parameter_is_in_one_group():
    model = GPT(CFG)
    decayed, others = names_by_decay(model)
    assert decayed == [name for name, _ in model.named_parameters() if name.split(".")[-1] in DECAYED]
    assert sorted(decayed + others) == sorted(name for name, _ in model.named_parameters())


def tied_by_a_view(model):
    model.unembed.W_U = nn.Parameter(model.embed.W_E.detach().T)


def tied_by_a_part(model):
    model.unembed.W_U = nn.Parameter(model.embed.W_E.detach()[2:].T)


def tied_by_two_names(model):
    model.unembed.W_U = model.embed.W_E


def tied_with_the_unembedding_first(model):
    model.embed = nn.ParameterDict({"W_U": model.embed.W_E})
    model.unembed = nn.ParameterDict({"W_E": model.embed.W_U})


@pytest.mark.parametrize("tie", [tied_by_a_view, tied_by_a_part, tied_by_two_names, tied_with_the_unembedding_first])
def test_an_unembedding_that_is_the_token_table_does_not_decay(tie):
    model = GPT(CFG)
    tie(model)
    decayed, others = names_by_decay(model)
    assert not any(name.endswith(".W_U") for name in decayed)
    assert len(decayed + others) == len(list(model.parameters()))
    AdamW(decay_groups(model, 0.1))


def test_equal_numbers_do_not_tie():
    model = GPT(CFG)
    model.unembed.W_U.data.copy_(model.embed.W_E.T)
    assert "unembed.W_U" in names_by_decay(model)[0]


@pytest.mark.parametrize("model", [nn.Linear(2, 3), nn.ParameterDict({"W_in": torch.ones(2, 2)}), nn.Module()])
def test_a_group_may_be_empty(model):
    decayed, others = decay_groups(model, 0.1)
    assert len(decayed["params"]) + len(others["params"]) == len(list(model.parameters()))
    assert list(decayed["params"]) == [p for name, p in model.named_parameters() if name == "W_in"]


def test_an_optimizer_takes_the_groups_and_decays_one_of_them():
    model = GPT(CFG).double()
    before = copy.deepcopy(model)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    AdamW(decay_groups(model, 0.5), lr=0.2, weight_decay=7.0).step()
    for name, parameter in model.named_parameters():
        factor = 1 - 0.2 * 0.5 if name.split(".")[-1] in DECAYED else 1
        torch.testing.assert_close(parameter, factor * before.get_parameter(name))


def test_the_schedule_follows_its_closed_form_at_every_edge():
    rates = [warmup_cosine(step, 4, 12, 0.8, 0.2) for step in range(15)]
    half = [0.5 + 0.3 * math.cos(math.pi * i / 8) for i in range(8)]
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, *half, 0.2, 0.2, 0.2], abs=1e-15)
    assert rates[3] == rates[4] == 0.8  # the top is reached with the last step of the warm-up
    assert rates[8] == pytest.approx(0.5)  # halfway down, halfway between
    assert rates[12] == rates[14] == 0.2


def test_the_way_down_is_pytorch_s_cosine():
    parameter = nn.Parameter(torch.zeros(1))
    oracle = torch.optim.SGD([parameter], lr=0.8)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(oracle, T_max=9, eta_min=0.2)
    for step in range(10):
        assert warmup_cosine(step, 0, 9, 0.8, 0.2) == pytest.approx(oracle.param_groups[0]["lr"], abs=1e-15)
        oracle.step()
        scheduler.step()


def test_without_a_warm_up_the_schedule_starts_at_the_top_and_without_a_way_down_it_drops():
    assert warmup_cosine(0, 0, 5, 0.8, 0.2) == 0.8
    assert [warmup_cosine(step, 2, 2, 0.8, 0.2) for step in range(4)] == [0.4, 0.8, 0.2, 0.2]
    assert warmup_cosine(0, 0, 0, 0.8, 0.2) == 0.2


@pytest.mark.parametrize("steps", [(-1, 2, 5), (0, -1, 5), (0, 6, 5), (0, 0, -1)])
def test_steps_that_make_no_schedule_are_refused(steps):
    message = "step={} warmup_steps={} total_steps={}; need 0 <= step, 0 <= warmup_steps <= total_steps".format(*steps)
    with pytest.raises(ValueError, match=f"^{message}$"):
        warmup_cosine(*steps, 0.8, 0.2)


def clipped(params, max_norm, given=list):
    """The norm and the gradients after our clipping, and after PyTorch's, of the same gradients."""
    others = copy.deepcopy(params)
    for parameter, other in zip(params, others, strict=True):
        other.grad = None if parameter.grad is None else parameter.grad.clone()
    norms = clip_grad_norm(given(params), max_norm), nn.utils.clip_grad_norm_(others, max_norm)
    return norms, *([p.grad for p in some if p.grad is not None] for some in (params, others))


@pytest.mark.parametrize("given", [list, iter], ids=["a list", "gone through once"])
@pytest.mark.parametrize("max_norm", [1e-3, 1.0, 3.0, 1e3, math.inf])
@pytest.mark.parametrize("step", [0, 2, 4])
def test_clipping_is_pytorch_s(step, max_norm, given):
    params = parameters()
    give_gradients(params, step, none_at={(step, 1)})
    norms, ours, theirs = clipped(params, max_norm, given)
    torch.testing.assert_close(*norms, rtol=1e-13, atol=0)
    assert_same(ours, theirs, rtol=1e-13 if norms[0] > max_norm else 0, atol=0)  # a short gradient keeps every bit
    assert len(ours) == 3


def test_clipping_worked_by_hand():
    params = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(()))]
    params[0].grad, params[1].grad = torch.tensor([2.0, -3.0]), torch.tensor(6.0)  # 4 + 9 + 36 = 49
    assert clip_grad_norm(params, 3.5).item() == 7.0
    assert [*params[0].grad.tolist(), params[1].grad.item()] == pytest.approx([1.0, -1.5, 3.0])


@pytest.mark.parametrize("params", [[], parameters()], ids=["no parameters", "no gradients"])
def test_the_norm_of_nothing_is_zero(params):
    assert clip_grad_norm(params, 1.0).item() == 0.0


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_shows_in_the_norm(value):
    params = parameters()
    give_gradients(params, 0)
    params[2].grad.fill_(value)
    norms, ours, theirs = clipped(params, 1.0)
    torch.testing.assert_close(*norms, equal_nan=True)
    assert not norms[0].isfinite()
    assert_same(ours, theirs, equal_nan=True)


@pytest.mark.parametrize("max_norm", [0, -1.0, math.nan])
def test_a_limit_that_is_not_above_zero_is_refused(max_norm):
    with pytest.raises(ValueError, match=rf"^max_norm is {max_norm}; expected more than 0$"):
        clip_grad_norm(parameters(), max_norm)
