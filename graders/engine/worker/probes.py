"""Probes: small modules of known behaviour that stand in for a model's children.

A wiring exercise is graded with probes in place of the learner's other exercises, so that a wrong
attention does not redden the block. A probe is described by plain data; `build` makes the module.
"""

import signal
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn


class Embed(nn.Module):
    """A row of a table for each token. The table has the real one's name, for those who read it themselves."""

    def __init__(self, W_E: Tensor):
        super().__init__()
        self.W_E = nn.Parameter(W_E.clone())

    def forward(self, tokens: Tensor) -> Tensor:
        return self.W_E[tokens]


class Positions(nn.Module):
    """A row of a table for each place in the text, counted from `start`: one for all rows, or one for each."""

    def __init__(self, W_pos: Tensor):
        super().__init__()
        self.W_pos = nn.Parameter(W_pos.clone())

    def forward(self, tokens: Tensor, start: Any = 0) -> Tensor:
        batch, seq = tokens.shape
        first = torch.as_tensor(start, device=tokens.device).expand(batch).unsqueeze(1)
        return self.W_pos[(first + torch.arange(seq, device=tokens.device)).clamp(min=0)]


class Pieces(nn.Module):
    """For each row of an array of any axes, its numbers in their order, cut into equal pieces, each @ matrix + bias."""

    def __init__(self, matrix: Tensor, bias: Tensor):
        super().__init__()
        self.matrix = nn.Parameter(matrix.clone())
        self.bias = nn.Parameter(bias.clone())

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).unflatten(1, (-1, len(self.matrix))) @ self.matrix + self.bias


class Unembed(nn.Module):
    """x @ W_U + b_U, under the real names, for those who read them themselves."""

    def __init__(self, W_U: Tensor, b_U: Tensor):
        super().__init__()
        self.W_U = nn.Parameter(W_U.clone())
        self.b_U = nn.Parameter(b_U.clone())

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.W_U + self.b_U


class Affine(nn.Module):
    """x @ matrix + bias, and, when `mixes`, each position also sees the sum of those before it.

    What is recorded of its child `calls` is how often it has been called.
    """

    def __init__(self, matrix: Tensor, bias: Tensor, mixes: bool = False):
        super().__init__()
        self.matrix = nn.Parameter(matrix.clone())
        self.bias = nn.Parameter(bias.clone())
        self.mixes = mixes
        self.calls = Counter()

    def forward(self, x: Tensor) -> Tensor:
        self.calls(x)
        # Of a copy: a matrix product would keep x itself for its gradient, and forbid adding to x in place
        out = x.clone() @ self.matrix + self.bias
        return out.cumsum(dim=-2) if self.mixes else out


class Gather(Affine):
    """x @ matrix + bias, and each position also sees the sum of those after it, so that the first one sees all."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).flip(-2).cumsum(dim=-2).flip(-2)


class Counter(nn.Module):
    """How often it has been called, this call included."""

    def __init__(self):
        super().__init__()
        self.n = 0

    def forward(self, x: Tensor) -> Tensor:
        self.n += 1
        return torch.tensor(self.n)


class Replay(nn.Module):
    """What was recorded for one input; for another input, off by as much as that input is off."""

    recorded_input: Tensor
    recorded_output: Tensor

    def __init__(self, recorded_input: Tensor, recorded_output: Tensor):
        super().__init__()
        self.register_buffer("recorded_input", recorded_input.clone())
        self.register_buffer("recorded_output", recorded_output.clone())

    def forward(self, x: Tensor) -> Tensor:
        return self.recorded_output + (x - self.recorded_input)


class Toy(nn.Module):
    """A language model of two tables: its logits depend on every token so far and on the places they stand at.

    Logits at a position: the sum of `table`'s rows (d_vocab d_vocab) of the tokens so far, each divided by its
    distance plus one, and the row of `places` (n_ctx d_vocab). It keeps how long each call's text was in `lengths`,
    whether it was in training mode in `modes`, and whether gradients were recorded in `grads`. From its call
    number `nan_from` on its logits are NaN; in its call number `interrupted_at` somebody presses Ctrl-C.
    """

    def __init__(self, table: Tensor, places: Tensor, nan_from: int | None = None, interrupted_at: int | None = None):
        super().__init__()
        self.table = nn.Parameter(table.clone())
        self.places = nn.Parameter(places.clone())
        self.nan_from, self.interrupted_at = nan_from, interrupted_at
        self.cfg = SimpleNamespace(n_ctx=len(places), d_vocab=len(table))
        self.lengths: list[int] = []
        self.modes: list[bool] = []
        self.grads: list[bool] = []

    def forward(self, tokens: Tensor) -> Tensor:
        call, seq = self.number(), tokens.shape[1]
        self.lengths.append(seq)
        self.modes.append(self.training)
        self.grads.append(torch.is_grad_enabled())
        if call == self.interrupted_at:
            self.interrupted_at = None
            signal.raise_signal(signal.SIGINT)
        if seq > self.cfg.n_ctx:
            raise ValueError(f"a text of {seq} tokens, which is more than the {self.cfg.n_ctx} of the context")
        at = torch.arange(seq)
        nearness = (1 / (1 + at.unsqueeze(1) - at).to(self.table.dtype)).tril()
        logits = nearness @ self.table[tokens] + self.places[:seq]
        return logits * torch.nan if self.nan_from is not None and call >= self.nan_from else logits

    def number(self) -> int:
        """That of the call which has just begun, from 0."""
        return len(self.lengths)


class Trainee(Toy):
    """A toy that is trained: its logits go through a matrix `W_out` (d_vocab d_vocab), and then through dropout.

    In training mode it counts the tokens it reads in `n_read`, which is no parameter. From its step number
    `steep_from` on, an infinite gradient comes with its finite loss; from `impossible_from` on, token 0 is impossible.
    All calls between two changes of `W_out` are one step, and one to the toy, so that rows may go one by one.
    Dropout is a module inside it: in `modes` its mode follows the model's own, call by call.
    """

    n_read: Tensor
    last: Tensor | None

    def __init__(
        self,
        table: Tensor,
        places: Tensor,
        W_out: Tensor,
        dropout: float = 0.0,
        steep_from: int | None = None,
        impossible_from: int | None = None,
        **events: int | None,
    ):
        super().__init__(table, places, **events)
        self.W_out = nn.Parameter(W_out.clone())
        self.drop, self.steep_from, self.impossible_from = nn.Dropout(dropout), steep_from, impossible_from
        self.n_steps, self.last = 0, None
        self.register_buffer("n_read", torch.tensor(0))

    def forward(self, tokens: Tensor) -> Tensor:
        logits = super().forward(tokens) @ self.W_out
        self.modes.append(self.drop.training)
        if self.training:
            self.n_read += tokens.numel()
        if self.steep_from is not None and self.n_steps >= self.steep_from:
            first = self.places[0, 0]
            logits = torch.cat([logits[..., :1] + (first - first.detach()).sqrt(), logits[..., 1:]], dim=-1)
        if self.impossible_from is not None and self.n_steps >= self.impossible_from:
            logits = logits.index_fill(-1, torch.tensor(0), -torch.inf)
        return self.drop(logits)

    def number(self) -> int:
        if self.last is not None and not torch.equal(self.last, self.W_out):
            self.n_steps += 1
        self.last = self.W_out.detach().clone()
        return self.n_steps


class Descent(torch.optim.Optimizer):
    """Gradient descent that remembers: each parameter moves by -lr times `mean`, its gradient plus `momentum` times
    the `mean` before. PyTorch's own takes a second to import its compiler when it first steps.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.0):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        with torch.enable_grad():
            loss = closure() if closure is not None else None
        for group in self.param_groups:
            for p in [p for p in group["params"] if p.grad is not None]:
                state = self.state[p]
                state["mean"] = p.grad + group["momentum"] * state.get("mean", torch.zeros_like(p))
                p.add_(state["mean"], alpha=-group["lr"])
        return loss


KINDS = {
    "toy": Toy,
    "trainee": Trainee,
    "embed": Embed,
    "positions": Positions,
    "pieces": Pieces,
    "unembed": Unembed,
    "affine": Affine,
    "gather": Gather,
    "replay": Replay,
}


def build(description: dict[str, Any]) -> nn.Module:
    """The probe that a description stands for: `kind`, and the arguments of that kind by name."""
    arguments = {name: value for name, value in description.items() if name != "kind"}
    return KINDS[description["kind"]](**arguments)


def put_in_place(model: nn.Module, children: dict[str, dict]) -> list[str]:
    """Replace the submodules at these paths by probes; returns the paths that are not there.

    A module that is registered at several places is replaced at all of them, and stays one: of several probes
    that are meant for it the last stays, as of several weights that are loaded into it.
    A list of modules that is not an `nn.ModuleList` has no registered path, so it counts as not there.
    """
    registered = dict(model.named_modules(remove_duplicate=False))
    missing = [path for path in children if path not in registered]
    if not missing:
        device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
        probes = {id(registered[path]): build(description) for path, description in children.items()}
        if device.type != "cpu":
            probes = {key: probe.to(device) for key, probe in probes.items()}
        for path, module in registered.items():
            if id(module) in probes:
                parent, _, name = path.rpartition(".")
                setattr(registered[parent], name, probes[id(module)])
    return missing
