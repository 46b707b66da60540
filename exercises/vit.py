"""ViT: a transformer that says what is in an image.

It is the transformer that you have built, with three changes. Its tokens are patches; every token may see every other,
since an image has no future to hide; and it predicts once for a whole image, at a token of its own that is put in
front of the patches and learns to gather what they know.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (ViT), 2021, section 3.1, equations 1 to 4. The class token
and its use are those of BERT (Devlin et al., 2019, section 3).

Yours to write: everything below that raises `NotImplementedError`.
`pytest graders/test_vit.py` checks it; docs/exercises/vit.md explains it.
"""

import torch
from einops import einsum
from jaxtyping import Float
from torch import Tensor, nn

from exercises.attention import Attention, attention_pattern, attention_scores, mix_values
from exercises.block import TransformerBlock
from exercises.layer_norm import LayerNorm
from exercises.patches import PatchEmbed, ViTConfig


class BidirectionalAttention(Attention):
    """`Attention` in which every token sees every other: no mask, and the same parameters."""

    def forward(self, x: Float[Tensor, "batch seq d_model"]) -> Float[Tensor, "batch seq d_model"]:
        """Let every token gather what it needs from all tokens, those after it included.

        As in `Attention`, `W_Q`, `W_K`, `W_V` are (n_heads d_model d_head) with biases (n_heads d_head), and `W_O` is
        (n_heads d_head d_model) with bias `b_O` (d_model). Nothing here knows the order of the tokens.
        """
        # 1. Queries, keys and values of every head, each with its bias: batch seq n_heads d_head

        # 2. How much every token takes from every other: batch n_heads seq seq

        # 3. The mixture of values of every head: batch seq n_heads d_head

        # 4. Project every head back, add up the heads, add the bias: batch seq d_model

        raise NotImplementedError


class EncoderBlock(TransformerBlock):
    """Your `TransformerBlock`, with attention that looks both ways."""

    def __init__(self, cfg: ViTConfig):
        super().__init__(cfg)  # type: ignore[arg-type]  # a block asks for the sizes that both have
        self.attn = BidirectionalAttention(cfg)  # type: ignore[arg-type]


class ViT(nn.Module):
    """A transformer from images to one logit for each class."""

    def __init__(self, cfg: ViTConfig):
        super().__init__()
        self.cfg = cfg
        self.patch_embed = PatchEmbed(cfg)
        self.class_token = nn.Parameter(torch.empty(cfg.d_model))
        self.W_pos = nn.Parameter(torch.empty(1 + cfg.n_patches, cfg.d_model))
        self.blocks = nn.ModuleList([EncoderBlock(cfg) for _ in range(cfg.n_layers)])
        self.ln_final = LayerNorm(cfg)  # type: ignore[arg-type]
        self.W_head = nn.Parameter(torch.empty(cfg.d_model, cfg.n_classes))
        self.b_head = nn.Parameter(torch.zeros(cfg.n_classes))
        for table in (self.class_token, self.W_pos, self.W_head):
            nn.init.normal_(table, std=0.02)

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch n_classes"]:
        """Logits for the class of each image.

        `class_token` (d_model) stands before the patches of every image. `W_pos` (1 + n_patches d_model) has a row for
        it, the first, and one for each patch. `W_head` (d_model n_classes), with bias `b_head` (n_classes), reads the
        class token alone, after the last block and `ln_final`.
        """
        # 1. One vector for each patch: batch n_patches d_model

        # 2. The class token, once for each image, and the patches behind it: batch 1+n_patches d_model

        # 3. What each token is, plus where it stands: batch 1+n_patches d_model

        # 4. Every block adds to the residual stream: batch 1+n_patches d_model

        # 5. What the class token has gathered, normalised: batch d_model

        # 6. One logit for each class: batch n_classes

        raise NotImplementedError
