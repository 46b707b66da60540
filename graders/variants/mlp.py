"""Right answers to mlp, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "cube_as_products_and_torch_tanh",
        """
def gelu_new(x):
    return x / 2 * (1 + torch.tanh(math.sqrt(2.0 / math.pi) * x * (1 + 0.044715 * x * x)))
""",
    ),
    Variant(
        "sigmoid_of_twice_the_inner",
        """
def gelu_new(x):
    inner = (2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)
    return x * torch.sigmoid(2 * inner)
""",
    ),
    Variant(
        "constants_multiplied_out",
        """
def gelu_new(x):
    c = torch.sqrt(torch.tensor(2 / math.pi, dtype=x.dtype))
    inner = c * x + c * 0.044715 * torch.pow(x, 3)
    return 0.5 * x + 0.5 * x * inner.tanh()
""",
    ),
    Variant(
        "number_by_number",
        """
def gelu_new(x):
    c = math.sqrt(2 / math.pi)
    flat = x.reshape(-1)
    done = [0.5 * v * (1 + torch.tanh(c * (v + 0.044715 * v**3))) for v in flat]
    return torch.stack(done).reshape(x.shape)
""",
    ),
    Variant(
        "share_of_two_exponentials",
        """
def gelu_new(x):
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x.pow(3))
    return x * torch.stack([inner, -inner]).softmax(dim=0)[0]
""",
    ),
    Variant(
        "in_place_on_its_own_copy",
        """
def gelu_new(x):
    gate = x**3
    gate = gate.mul_(0.044715).add_(x).mul_(math.sqrt(2 / math.pi)).tanh_()
    return (gate + 1) * x * 0.5


def forward(self, x):
    features = torch.matmul(x, self.W_in)
    features = features + self.b_in[None, None, :]
    out = torch.matmul(gelu_new(features), self.W_out)
    out += self.b_out
    return out


MLP.forward = forward
""",
    ),
    Variant(
        "einsum",
        """
from einops import einsum


def forward(self, x):
    pre = einsum(x, self.W_in, "batch seq d_model, d_model d_mlp -> batch seq d_mlp") + self.b_in
    return torch.einsum("bsm,md->bsd", gelu_new(pre), self.W_out) + self.b_out


MLP.forward = forward
""",
    ),
    Variant(
        "functional_linear_with_transposes",
        """
from torch.nn.functional import linear


def forward(self, x):
    return linear(gelu_new(linear(x, self.W_in.T, self.b_in)), self.W_out.T, self.b_out)


MLP.forward = forward
""",
    ),
    Variant(
        "loop_over_features",
        """
def forward(self, x):
    out = self.b_out.expand_as(x)
    for into, bias, back in zip(self.W_in.T, self.b_in, self.W_out):
        out = out + gelu_new(x @ into + bias).unsqueeze(-1) * back
    return out


MLP.forward = forward
""",
    ),
    Variant(
        "loop_over_tokens",
        """
def forward(self, x):
    def alone(vector):
        return torch.mv(self.W_out.t(), gelu_new(torch.mv(self.W_in.t(), vector) + self.b_in)) + self.b_out

    return torch.stack([torch.stack([alone(vector) for vector in row]) for row in x])


MLP.forward = forward
""",
    ),
    Variant(
        "bias_as_another_row",
        """
def forward(self, x):
    with_one = torch.cat([x, torch.ones_like(x[..., :1])], dim=-1)
    post = gelu_new(with_one @ torch.cat([self.W_in, self.b_in[None]]))
    post = torch.cat([post, torch.ones_like(post[..., :1])], dim=-1)
    return post @ torch.cat([self.W_out, self.b_out[None]])


MLP.forward = forward
""",
    ),
    Variant(
        "flattened_tokens_and_gelu_written_out",
        """
def forward(self, x):
    pre = torch.addmm(self.b_in, x.flatten(0, 1), self.W_in)
    post = 0.5 * pre * (1 + torch.tanh(math.sqrt(2 / math.pi) * (pre + 0.044715 * pre**3)))
    return torch.addmm(self.b_out, post, self.W_out).view_as(x)


MLP.forward = forward
""",
    ),
)
