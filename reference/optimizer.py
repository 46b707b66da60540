"""The optimizer: from gradients to better parameters, by AdamW with warm-up, decay and clipping.

A gradient says which way to move each parameter, not how far. Adam keeps two running averages for every number,
of its gradient and of its gradient squared, and steps by the first over the root of the second: about the learning
rate while the gradient keeps its sign, far less when it is mostly noise. Three habits keep training steady: only
matrices decay, the learning rate rises before it falls, and a gradient that is too long is shortened.

Sources: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (AdamW), 2019, and "SGDR", 2017, for the
cosine; Brown et al., "Language Models are Few-Shot Learners" (GPT-3), 2020, appendix B, for the settings;
Pascanu et al., "On the difficulty of training recurrent neural networks", 2013, for clipping.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn


def check_settings(settings: dict[str, Any]) -> None:
    """Refuse, with a `ValueError`, settings with which AdamW cannot work."""
    for name in ("lr", "eps", "weight_decay"):
        if not 0 <= settings[name] < math.inf:
            raise ValueError(f"{name} is {settings[name]}; expected a finite number, 0 or more")
    if len(settings["betas"]) != 2 or not all(0 <= beta < 1 for beta in settings["betas"]):
        raise ValueError(f"betas are {settings['betas']}; expected two numbers from 0 up to, but not including, 1")


class AdamW(torch.optim.Optimizer):
    """Adam with decoupled weight decay, as a PyTorch optimizer: `state_dict` and parameter groups come with it.

    `params` are tensors, or groups of them: dictionaries with `params` and settings of their own. Raises `ValueError`
    when there are none, and when an `lr`, `eps` or `weight_decay` is negative or not finite or a beta is not in [0, 1),
    be it given for all or for one group.
    """

    def __init__(self, params: Iterable, lr=1e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})
        for settings in (self.defaults, *self.param_groups):
            check_settings(settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter one step, in place, by its gradient `.grad`, which is not changed.

        In place: its numbers change where they are stored, so that whatever shares its memory moves with it.
        Both averages start at zero, and are divided by 1 - beta^t before use, where t counts the steps of this
        parameter from 1. With these m and v the step is -lr * m / (sqrt(v) + eps). The decay, -lr * weight_decay
        times the parameter as it was before, goes through neither average. All settings, the beta of beta^t too, are
        read from the parameter's group at every step. A parameter whose `.grad` is None does not move, decay or count
        a step. What must be remembered lives in `self.state[parameter]`, so that `state_dict` holds it. A `closure` is
        called first and once, whatever the number of groups, with gradients on, and what it returns is returned.
        Source: Loshchilov and Hutter 2019, algorithm 2.
        """
        # 1. Call the closure, if there is one, with gradients on: its loss, a single number
        with torch.enable_grad():
            loss = closure() if closure is not None else None
        # 2. Every parameter that has a gradient, with the settings of its group
        for group in self.param_groups:
            lr, (beta1, beta2) = group["lr"], group["betas"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                gradient, state = parameter.grad, self.state[parameter]
                # 3. At its first step, make what is remembered: two averages of the parameter's shape, and a count
                if not state:
                    state.update(step=0, exp_avg=torch.zeros_like(parameter), exp_avg_sq=torch.zeros_like(parameter))
                mean, mean_square = state["exp_avg"], state["exp_avg_sq"]
                # 4. Count this step, and let both averages take in the gradient: the parameter's shape
                state["step"] += 1
                mean.lerp_(gradient, 1 - beta1)
                mean_square.mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
                # 5. The share that each average has taken in since it started at zero: two numbers, from 0 to 1
                correction1 = 1 - beta1 ** state["step"]
                correction2 = 1 - beta2 ** state["step"]
                # 6. Decay the parameter (as in PyTorch, times lr): its shape
                parameter.mul_(1 - lr * group["weight_decay"])
                # 7. Take the step, both averages corrected: its shape
                denominator = (mean_square / correction2).sqrt_().add_(group["eps"])
                parameter.addcdiv_(mean, denominator, value=-lr / correction1)
        return loss


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Sort a model's parameters into two groups for `AdamW`: matrices, which decay, and the rest, which does not.

    What decays is called `W_Q`, `W_K`, `W_V`, `W_O`, `W_in` or `W_out` (the last part of its name), or `W_U` unless
    it is tied, that is, shares its storage with any `W_E`; equal numbers do not tie. Each parameter, also one that is
    frozen, is in one group and once, whatever names it has. Both groups are there even when empty: dictionaries of
    `params` (a list) and `weight_decay` (the number given, and 0). Source: Brown et al. 2020, appendix B.
    """
    # 1. The names of the matrices that always decay
    matrices = {"W_Q", "W_K", "W_V", "W_O", "W_in", "W_out"}
    # 2. Where the token tables are stored: a set of addresses
    named = list(model.named_parameters(remove_duplicate=False))
    tables = {p.untyped_storage().data_ptr() for name, p in named if name.split(".")[-1] == "W_E"}
    # 3. Sort the parameters, each of them once, into two groups, each with its decay
    groups: list[dict[str, Any]] = [{"params": [], "weight_decay": weight_decay}, {"params": [], "weight_decay": 0.0}]
    for name, parameter in model.named_parameters():
        last = name.split(".")[-1]
        is_untied = last == "W_U" and parameter.untyped_storage().data_ptr() not in tables
        groups[0 if last in matrices or is_untied else 1]["params"].append(parameter)
    return groups


def warmup_cosine(step: int, warmup_steps: int, total_steps: int, max_lr: float, min_lr: float) -> float:
    """The learning rate at a step, counted from 0: a straight rise, half a cosine down, then flat.

    Before `warmup_steps` it is max_lr * (step + 1) / warmup_steps; then it goes down half a cosine, from `max_lr` at
    `warmup_steps` to `min_lr` at `total_steps`, and stays there. When the two are equal there is no way down, and at
    that step it is `min_lr`. Raises `ValueError` when `step` or `warmup_steps` is negative, or `warmup_steps` more
    than `total_steps`. Source: Loshchilov and Hutter 2017, equation 5.
    """
    # 1. Refuse steps that make no schedule
    if step < 0 or not 0 <= warmup_steps <= total_steps:
        raise ValueError(f"{step=} {warmup_steps=} {total_steps=}; need 0 <= step, 0 <= warmup_steps <= total_steps")
    # 2. On the way up
    if step < warmup_steps:
        return max_lr * (step + 1) / warmup_steps
    # 3. At the end and after it
    if step >= total_steps:
        return min_lr
    # 4. On the way down: the share of it that is done, from 0 to 1
    progress = (step - warmup_steps) / (total_steps - warmup_steps)
    # 5. Half a cosine
    return min_lr + (max_lr - min_lr) * (1 + math.cos(math.pi * progress)) / 2


@torch.no_grad()
def clip_grad_norm(parameters: Iterable[Tensor], max_norm: float) -> Tensor:
    """Shorten all gradients together, in place, so that their joint norm is at most `max_norm`.

    The norm is the length of one long vector made of every `.grad` there is, also that of a frozen parameter. Each
    gradient is multiplied by min(1, max_norm / (norm + 1e-6)), the same factor for all, so that the direction stays.
    Returns the norm before, a tensor without axes in the gradients' dtype; when no parameter has a gradient, 0 in any
    float dtype. `parameters` may be a generator. A NaN or an infinity in a gradient makes the norm so: what the
    gradients then hold is of no use, and the caller must not step. Raises `ValueError` when `max_norm` is not above 0.
    Source: Pascanu et al. 2013, algorithm 1.
    """
    # 1. Refuse a limit that would stop or reverse every step
    if not max_norm > 0:
        raise ValueError(f"max_norm is {max_norm}; expected more than 0")
    # 2. The gradients there are, in a list
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    # 3. The norm of each, and from these the norm of all: a single number
    norms = [torch.linalg.vector_norm(gradient) for gradient in gradients]
    norm = torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.zeros(())
    # 4. One factor for all, a single number; every gradient shortened by it
    factor = (max_norm / (norm + 1e-6)).clamp(max=1)
    for gradient in gradients:
        gradient.mul_(factor)
    return norm
