"""Sizes of vision transformers, and the parameters that go with them: for the laws of patches and vit."""

from typing import Any

from torch import Tensor

from graders.engine.script import given
from graders.engine.space import Case
from reference.patches import ViTConfig
from reference.vit import ViT


def sizes_of_a_vit(case: Case, **sizes: int) -> dict[str, Any]:
    """Keep the sizes of a `ViTConfig` as the case's `cfg`; what is not given is small and odd."""
    small = {"image_size": 4, "patch_size": 2, "n_channels": 1, "n_classes": 3, "n_layers": 1, "n_heads": 2}
    widths = {"d_model": 5, "d_head": 3, "d_mlp": 6, "layer_norm_eps": (1e-5, 0.1)[case.seed % 2]}
    case.cfg = small | widths | sizes
    return case.cfg


def vit_config(case: Case) -> dict[str, Any]:
    """The subject's own `ViTConfig` of the case's sizes."""
    return given("ViTConfig", case.cfg, file="patches")


def own_parameters(case: Case) -> dict[str, Tensor]:
    """Random values for the parameters that a `ViT` has besides its parts."""
    shapes = {name: p.shape for name, p in ViT(ViTConfig(**case.cfg)).named_parameters() if "." not in name}
    return {name: case.draw(*shape) for name, shape in shapes.items()}


def all_parameters(case: Case) -> dict[str, Tensor]:
    """Random values for every parameter of a `ViT`."""
    shapes = {name: p.shape for name, p in ViT(ViTConfig(**case.cfg)).named_parameters()}
    # Not large: from layer to layer a softmax of large scores would turn a rounding into another answer
    return {name: case.draw(*shape).clamp(-2, 2) for name, shape in shapes.items()}


def images_for(case: Case, batch: int) -> Tensor:
    """Random images that a `ViT` of the case's sizes reads."""
    side = case.cfg["image_size"]
    return case.tensor("images", batch=batch, channels=case.cfg["n_channels"], height=side, width=side)
