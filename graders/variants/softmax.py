"""Right answers to softmax, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "softmax_by_log_softmax",
        """
def log_softmax(x, dim):
    check_logits(x, dim)
    largest = x.max(dim=dim, keepdim=True).values.detach()
    return x - (largest + torch.log(torch.sum(torch.exp(x - largest), dim, keepdim=True)))


def softmax(x, dim):
    return log_softmax(x, dim).exp()


import torch
""",
    ),
    Variant(
        "axis_moved_to_the_end",
        """
def softmax(x, dim):
    rows = x.movedim(dim, -1)
    if torch.isinf(rows).all(-1).any():
        raise ValueError("a row has no finite number")
    with torch.no_grad():
        largest = rows.max(-1, True)[0]
    exps = torch.exp(rows - largest)
    return torch.einsum("...i,...->...i", exps, 1 / exps.sum(-1)).movedim(-1, dim)


def log_softmax(x, dim):
    rows = x.transpose(dim, -1)
    if (rows.amax(-1) == -torch.inf).any():
        raise ValueError("a row has no finite number")
    rows = rows - rows.amax(-1, keepdim=True)
    return (rows - rows.exp().sum(-1, keepdim=True).log()).transpose(dim, -1)


import torch
""",
    ),
    Variant(
        "row_by_row",
        """
def softmax(x, dim):
    check_logits(x, dim)
    n = x.shape[dim]
    rows = x.movedim(dim, -1)
    probs = [one_row(row) for row in rows.reshape(-1, n)]
    return torch.stack(probs).reshape(rows.shape).movedim(-1, dim)


def one_row(row):
    exps = (row - row.max()).exp()
    return exps / exps.sum()


def cross_entropy(logits, targets):
    check_targets(logits, targets)
    rows = logits.reshape(-1, logits.shape[-1])
    surprises = [-log_softmax(row, 0)[target] for row, target in zip(rows, targets.flatten().tolist())]
    return torch.stack(surprises).mean()


import torch
""",
    ),
    Variant(
        "gaps_left_out_of_the_sum",
        """
def softmax(x, dim):
    is_gap = x == float("-inf")
    if is_gap.all(dim).any():
        raise ValueError("nothing has a probability")
    finite = x.masked_fill(is_gap, 0)
    largest = torch.where(is_gap, torch.finfo(x.dtype).min, x).amax(dim, keepdim=True).detach()
    exps = torch.where(is_gap, 0.0, torch.exp(torch.where(is_gap, largest, finite) - largest))
    return exps.div(exps.sum(dim, keepdim=True))


import torch
""",
    ),
    Variant(
        "log_sum_of_the_row_less_the_logit",
        """
def cross_entropy(logits, targets):
    check_targets(logits, targets)
    check_logits(logits, -1)
    largest = logits.amax(-1)
    log_sum = largest + (logits - largest[..., None]).exp().sum(-1).log()
    is_target = torch.arange(logits.shape[-1]) == targets[..., None]
    return (log_sum - torch.where(is_target, logits, 0).sum(-1)).mean()


import torch
""",
    ),
    Variant(
        "fancy_indexing",
        """
def cross_entropy(logits, targets):
    check_targets(logits, targets)
    flat, wanted = log_softmax(logits, -1).reshape(-1, logits.size(-1)), targets.reshape(-1)
    return flat[torch.arange(len(wanted)), wanted].sum().neg() / len(wanted)


import torch
""",
    ),
    Variant(
        "shifted_down_to_half_a_hundred",
        """
def softmax(x, dim):
    check_logits(x, dim)
    exps = 2.718281828459045 ** (x - x.amax(dim, True) - 50)
    total = exps.sum(dim, True)
    return exps * total.reciprocal()
""",
    ),
)
