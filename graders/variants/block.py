"""Right blocks, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "one_name_for_the_stream",
        """
def forward(self, resid_pre):
    x = resid_pre
    x = x + self.attn(self.ln1(x))
    x = x + self.mlp(self.ln2(x))
    return x


TransformerBlock.forward = forward
""",
    ),
    Variant(
        "a_variable_for_every_step",
        """
def forward(self, resid_pre):
    normalised_resid_pre = self.ln1.forward(resid_pre)
    attn_out = self.attn.forward(normalised_resid_pre)
    resid_mid = attn_out + resid_pre
    normalised_resid_mid = self.ln2(resid_mid)
    mlp_out = self.mlp(normalised_resid_mid)
    resid_post = mlp_out + attn_out + resid_pre
    return resid_post


TransformerBlock.forward = forward
""",
    ),
    Variant(
        "in_place_on_a_clone",
        """
def forward(self, resid_pre):
    stream = resid_pre.clone()
    stream += self.attn(self.ln1(stream))
    stream += self.mlp(self.ln2(stream))
    return stream


TransformerBlock.forward = forward
""",
    ),
    Variant(
        "a_loop_over_the_halves",
        """
def forward(self, resid_pre):
    stream = resid_pre
    for norm, part in ((self.ln1, self.attn), (self.ln2, self.mlp)):
        stream = torch.add(stream, part(norm(stream)))
    return stream


import torch

TransformerBlock.forward = forward
""",
    ),
    Variant(
        "functions_composed",
        """
import functools


def add(stream, half):
    norm, part = half
    return stream + part(norm(stream))


TransformerBlock.forward = lambda self, resid_pre: functools.reduce(
    add, [(self.ln1, self.attn), (self.ln2, self.mlp)], resid_pre
)
""",
    ),
    Variant(
        "two_methods",
        """
class TransformerBlock(TransformerBlock):
    def after_attention(self, x):
        return x + nn.Sequential(self.ln1, self.attn)(x)

    def after_mlp(self, x):
        return x + nn.Sequential(self.ln2, self.mlp)(x)

    def forward(self, resid_pre):
        return self.after_mlp(self.after_attention(resid_pre))
""",
    ),
    Variant(
        "sum_of_a_stack",
        """
import torch


def forward(self, resid_pre):
    attn_out = self.attn(self.ln1(resid_pre))
    written = [resid_pre, attn_out, self.mlp(self.ln2(torch.stack([resid_pre, attn_out]).sum(0)))]
    return torch.stack(written).sum(dim=0)


TransformerBlock.forward = forward
""",
    ),
)
