"""Right answers to layer_norm, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "var_with_unbiased_false",
        """
def forward(self, x):
    mean = x.mean(-1, keepdim=True)
    var = x.var(-1, unbiased=False, keepdim=True)
    return (x - mean) / torch.sqrt(var + self.eps) * self.w + self.b


LayerNorm.forward = forward
""",
    ),
    Variant(
        "var_mean_and_rsqrt",
        """
def forward(self, x):
    variance, mean = torch.var_mean(x, dim=2, correction=0, keepdim=True)
    return torch.addcmul(self.b, (x - mean) * torch.rsqrt(variance + self.eps), self.w)


LayerNorm.forward = forward
""",
    ),
    Variant(
        "sums_divided_by_d_model",
        """
def forward(self, x):
    d_model = x.size(-1)
    mean = x.sum(dim=-1)[..., None] / d_model
    spread = ((x - mean) ** 2).sum(dim=-1).unsqueeze(-1) / d_model
    return self.b + self.w * (x - mean) * (spread + self.eps) ** -0.5


LayerNorm.forward = forward
""",
    ),
    Variant(
        "mean_of_squares_less_square_of_mean",
        """
def forward(self, x):
    mean = x.mean(dim=-1, keepdim=True)
    variance = ((x * x).mean(dim=-1, keepdim=True) - mean * mean).clamp(min=0)
    scale = self.w / (variance + self.eps).sqrt()
    return x * scale + (self.b - mean * scale)


LayerNorm.forward = forward
""",
    ),
    Variant(
        "einops_reduce",
        """
from einops import reduce


def forward(self, x):
    x = x - reduce(x, "batch seq d_model -> batch seq 1", "mean")
    x = x / (reduce(x**2, "batch seq d_model -> batch seq 1", "mean") + self.eps).sqrt()
    return x * self.w + self.b


LayerNorm.forward = forward
""",
    ),
    Variant(
        "population_std_squared_again",
        """
def forward(self, x):
    std = x.std(dim=-1, correction=0, keepdim=True)
    z = x.sub(x.mean(dim=-1, keepdim=True))
    z = z.div((std.square() + self.eps).sqrt())
    return z.mul(self.w).add(self.b)


LayerNorm.forward = forward
""",
    ),
    Variant(
        "loops_over_tokens",
        """
def forward(self, x):
    out = torch.zeros_like(x)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            deviations = x[i, j] - sum(x[i, j]) / len(x[i, j])
            variance = deviations @ deviations / len(deviations)
            out[i, j] = deviations / torch.sqrt(variance + self.eps) * self.w + self.b
    return out


LayerNorm.forward = forward
""",
    ),
    Variant(
        "as_matrix_products",
        """
def forward(self, x):
    d_model = x.shape[-1]
    centre = torch.eye(d_model) - torch.full((d_model, d_model), 1 / d_model)
    z = x @ centre.to(x)
    variance = torch.einsum("bsd,bsd->bs", z, z).div(d_model)
    return torch.einsum("bsd,bs,d->bsd", z, (variance + self.eps).pow(-0.5), self.w) + self.b


LayerNorm.forward = forward
""",
    ),
    Variant(
        "flattened_and_transposed",
        """
def forward(self, x):
    columns = x.flatten(0, 1).T.clone()
    columns -= columns.mean(0)  # in place, but on a copy
    columns = columns / columns.var(0, correction=0).add(self.eps).sqrt()
    return (columns.T * self.w + self.b).view_as(x)


LayerNorm.forward = forward
""",
    ),
)
