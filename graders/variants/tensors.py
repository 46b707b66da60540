"""Right answers to tensors, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "products_and_transposes",
        """
def one_hot(ids, n):
    if any(not 0 <= i < n for i in ids.flatten().tolist()):
        raise ValueError("there is no such column")
    return torch.eye(n)[ids]


def dot(a, b):
    if len(a) != len(b):
        raise ValueError("two lengths")
    return a @ b


def lookup_by_matmul(table, ids):
    flat = one_hot(ids.flatten(), table.shape[0]).to(table)
    return (table.T @ flat.T).T.reshape(*ids.shape, table.shape[1])


def batch_matmul(a, b):
    return a @ b


def outer(a, b):
    return a[:, None] @ b[None, :]


def trace(a):
    rows, columns = a.shape
    if rows != columns:
        raise ValueError("not square")
    return torch.trace(a)


def bilinear(x, W, y):
    return (x @ W @ y.T).diagonal()


def split_heads(x, n_heads):
    batch, seq, d = x.shape
    if n_heads <= 0 or d % n_heads != 0:
        raise ValueError("heads of unequal width")
    return x.reshape(batch, seq, n_heads, d // n_heads)


def merge_heads(x):
    return x.flatten(start_dim=2)


def weighted_sum(weights, values):
    return torch.bmm(weights, values)
""",
    ),
    Variant(
        "einsum_everywhere",
        """
def one_hot(ids, n):
    if ids.numel() > 0 and (ids.min().item() < 0 or ids.max().item() >= n):
        raise ValueError("there is no such column")
    rows = torch.zeros(*ids.shape, n)
    return rows.scatter(-1, ids[..., None], 1.0)


def dot(a, b):
    if a.shape != b.shape:
        raise ValueError("two lengths")
    return torch.einsum("i,i->", a, b)


def lookup_by_matmul(table, ids):
    return torch.einsum("...n,nd->...d", one_hot(ids, len(table)).type_as(table), table)


def batch_matmul(a, b):
    return torch.einsum("bij,bjk->bik", a, b)


def outer(a, b):
    return torch.einsum("i,j->ij", [a, b])


def trace(a):
    if len(a) != a.size(1):
        raise ValueError("not square")
    return torch.einsum("ii", a)


def bilinear(x, W, y):
    return torch.einsum("bi,ij,bj->b", x, W, y)


def split_heads(x, n_heads):
    if n_heads < 1 or x.size(2) % n_heads > 0:
        raise ValueError("heads of unequal width")
    return x.unflatten(2, (n_heads, -1))


def merge_heads(x):
    return x.reshape(x.size(0), x.size(1), x.size(2) * x.size(3))


def weighted_sum(weights, values):
    return torch.einsum("bqk,bkd->bqd", weights, values)
""",
    ),
    Variant(
        "broadcasting",
        """
def one_hot(ids, n):
    if bool(((ids < 0) | (ids >= n)).any()):
        raise ValueError("there is no such column")
    return torch.where(torch.arange(n) == ids[..., None], 1.0, 0.0)


def dot(a, b):
    if a.numel() != b.numel():
        raise ValueError("two lengths")
    return torch.sum(a * b)


def lookup_by_matmul(table, ids):
    rows = one_hot(ids, len(table)).to(table.dtype)
    return (rows[..., None] * table).sum(-2)


def batch_matmul(a, b):
    return (a.unsqueeze(-1) * b.unsqueeze(1)).sum(2)


def outer(a, b):
    return a.view(-1, 1) * b.view(1, -1)


def trace(a):
    if a.shape[0] != a.shape[1]:
        raise ValueError("not square")
    return (a * torch.eye(len(a), dtype=a.dtype)).sum()


def bilinear(x, W, y):
    return ((x @ W) * y).sum(-1)


def split_heads(x, n_heads):
    d = x.shape[-1]
    if n_heads not in [n for n in range(1, d + 1) if d % n == 0]:
        raise ValueError("heads of unequal width")
    return torch.stack(x.split(d // n_heads, dim=-1), dim=-2)


def merge_heads(x):
    return torch.cat([x[:, :, head] for head in range(x.shape[2])], dim=-1)


def weighted_sum(weights, values):
    return (weights[..., None] * values[:, None]).sum(-2)
""",
    ),
    Variant(
        "loops",
        """
def one_hot(ids, n):
    rows = torch.zeros(ids.numel(), n)
    for row, i in zip(rows, ids.flatten().tolist()):
        if i < 0 or i >= n:
            raise ValueError("there is no such column")
        row[i] = 1
    return rows.reshape(*ids.shape, n)


def dot(a, b):
    if a.shape[0] != b.shape[0]:
        raise ValueError("two lengths")
    total = torch.zeros((), dtype=a.dtype)
    for x, y in zip(a, b):
        total = total + x * y
    return total


def lookup_by_matmul(table, ids):
    if ids.ndim == 0:
        return one_hot(ids, len(table)).to(table.dtype) @ table
    if len(ids) == 0:
        return torch.zeros(*ids.shape, table.shape[1], dtype=table.dtype) * table.sum()
    return torch.stack([lookup_by_matmul(table, each) for each in ids])


def batch_matmul(a, b):
    return torch.stack([torch.mm(x, y) for x, y in zip(a, b)])


def outer(a, b):
    return torch.stack([x * b for x in a])


def trace(a):
    if a.shape != a.T.shape:
        raise ValueError("not square")
    return sum((a[i, i] for i in range(len(a))), start=torch.zeros((), dtype=a.dtype))


def bilinear(x, W, y):
    return torch.stack([dot(row @ W, other) for row, other in zip(x, y)])


def split_heads(x, n_heads):
    if n_heads < 1 or x.shape[2] != n_heads * (x.shape[2] // n_heads):
        raise ValueError("heads of unequal width")
    width = x.shape[2] // n_heads
    return torch.stack([x[:, :, h * width : (h + 1) * width] for h in range(n_heads)], dim=2)


def merge_heads(x):
    return x.transpose(1, 2).transpose(1, 2).flatten(-2)


def weighted_sum(weights, values):
    rows = [[sum(w * v for w, v in zip(of_query, row)) for of_query in by_query] for by_query, row in
            zip(weights, values)]
    return torch.stack([torch.stack(row) for row in rows])
""",
    ),
    Variant(
        "library_functions",
        """
def one_hot(ids, n):
    inside = (ids >= 0) & (ids < n)
    if not inside.all():
        raise ValueError("there is no such column")
    return torch.eye(n).index_select(0, ids.reshape(-1)).reshape(ids.shape + (n,))


def dot(a, b):
    if a.shape != b.shape:
        raise ValueError("two lengths")
    return torch.inner(a, b)


def lookup_by_matmul(table, ids):
    rows = one_hot(ids, len(table)).to(table.dtype)
    return torch.tensordot(rows, table, dims=1)


def batch_matmul(a, b):
    return torch.matmul(b.mT, a.mT).mT


def outer(a, b):
    return torch.outer(a, b)


def trace(a):
    if a.size(0) != a.size(1):
        raise ValueError("not square")
    return torch.diagonal(a).sum()


def bilinear(x, W, y):
    return torch.nn.functional.bilinear(x, y, W.unsqueeze(0)).squeeze(-1)


def split_heads(x, n_heads):
    if n_heads < 1 or x.shape[-1] % n_heads:
        raise ValueError("heads of unequal width")
    return rearrange(x, "b s (h d) -> b s h d", h=n_heads)


def merge_heads(x):
    return rearrange(x, "b s h d -> b s (h d)")


def weighted_sum(weights, values):
    return torch.matmul(weights, values)
""",
    ),
    Variant(
        "linear_maps",
        """
def lookup_by_matmul(table, ids):
    return torch.nn.functional.linear(one_hot(ids, len(table)).to(table.dtype), table.T)


def outer(a, b):
    return a.expand(len(b), -1).T * b.expand(len(a), -1)


def trace(a):
    if a.shape[0] != a.shape[1]:
        raise ValueError("not square")
    return a.flatten()[:: len(a) + 1].sum()


def bilinear(x, W, y):
    return torch.bmm((x @ W).unsqueeze(1), y.unsqueeze(2)).reshape(-1)


def split_heads(x, n_heads):
    if n_heads < 1 or x.shape[-1] % n_heads:
        raise ValueError("heads of unequal width")
    batch, seq, d = x.shape
    return x.reshape(batch, seq, n_heads, d // n_heads).transpose(1, 2).contiguous().transpose(1, 2)


def weighted_sum(weights, values):
    return torch.einsum("...qk,...kd->...qd", weights, values)
""",
    ),
)
