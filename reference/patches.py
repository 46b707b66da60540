"""Patches: an image as a sequence, so that a transformer can read it.

A transformer reads a sequence of vectors, whatever they are about. An image becomes one when it is cut into square
patches, as a text is cut into words: every patch is laid out as one vector, and a learned matrix maps that vector to
the width of the residual stream. Cutting loses nothing: put together again, the patches are the image.

Source: Dosovitskiy et al., "An Image is Worth 16x16 Words" (ViT), 2021, section 3.1, equation 1.
"""

import math
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn


@dataclass(frozen=True)
class ViTConfig:
    """Sizes of a vision transformer that reads square images; those of its blocks are named as in `GPTConfig`."""

    image_size: int  # height and width of an image, in pixels
    patch_size: int  # height and width of a patch; it divides image_size
    n_channels: int  # numbers at each pixel: 1 for grey, 3 for colour
    n_classes: int
    n_layers: int
    n_heads: int
    d_model: int
    d_head: int
    d_mlp: int
    layer_norm_eps: float = 1e-5

    @property
    def n_patches(self) -> int:
        """How many patches an image has."""
        return (self.image_size // self.patch_size) ** 2

    @property
    def d_patch(self) -> int:
        """How many numbers a patch has."""
        return self.n_channels * self.patch_size**2


def check_cut(images: Tensor, size: int) -> None:
    """Refuse, with a `ValueError`, images that cannot be cut into patches of this size."""
    if images.ndim != 4 or len(images) == 0:
        raise ValueError(f"images have shape {tuple(images.shape)}; expected (batch, channels, height, width), no 0")
    height, width = images.shape[2:]
    if size < 1 or height % size or width % size:
        raise ValueError(f"patches of size {size} do not fill images of {height} x {width}; expected a divisor of both")


def size_of(patches: Tensor, shape: tuple[int, int, int]) -> int:
    """The height and width of each of these patches.

    Raises `ValueError` when they do not make images of this shape, (channels, height, width).
    """
    channels, height, width = shape
    d_patch = patches.shape[-1]
    size = math.isqrt(d_patch // channels) if min(shape) > 0 else 0
    fits = patches.ndim == 3 and len(patches) > 0 and 0 < channels * size**2 == d_patch
    if not fits or height % size or width % size or patches.shape[1] * size**2 != height * width:
        of = f"images of (channels, height, width) {tuple(shape)}"
        raise ValueError(f"the patches have shape {tuple(patches.shape)}; expected (batch, n_patches, d_patch) of {of}")
    return size


def check_images(images: Tensor, cfg: ViTConfig) -> None:
    """Refuse, with a `ValueError`, what is no batch of the images for which a model of these sizes is made."""
    expected = (cfg.n_channels, cfg.image_size, cfg.image_size)
    if images.ndim != 4 or len(images) == 0 or images.shape[1:] != expected or not images.is_floating_point():
        found = f"images are {images.dtype} of shape {tuple(images.shape)}"
        raise ValueError(f"{found}; expected floats, (batch, channels, height, width), of {expected} each")


def patchify(
    images: Float[Tensor, "batch channels height width"], size: int
) -> Float[Tensor, "batch n_patches d_patch"]:
    """Cut images into patches of `size` x `size` pixels, and lay out each patch as one vector.

    Patches come in the order of reading: the top row of patches from left to right, then the row below it. So do the
    numbers of a patch, channel after channel: all of its first channel, pixel row by pixel row, then all of the next.
    `d_patch` is channels * size * size. The dtype stays, and `images` is not changed.

    Raises `ValueError`, as `check_cut` does, when `size` does not divide height and width or is below 1, when there
    are not four axes, and when there is no image. Source: Dosovitskiy et al. 2021, section 3.1.
    """
    # 1. Refuse what cannot be cut
    check_cut(images, size)
    # 2. Every side cut in pieces; then the patches in order, and in each its numbers: batch n_patches d_patch
    return rearrange(images, "batch c (row p) (column q) -> batch (row column) (c p q)", p=size, q=size)


def unpatchify(
    patches: Float[Tensor, "batch n_patches d_patch"], shape: tuple[int, int, int]
) -> Float[Tensor, "batch channels height width"]:
    """Put patches together again: the exact inverse of `patchify`.

    `shape` is that of one image: (channels, height, width). What it does not say follows from the patches: how large
    each is. The dtype stays, and `patches` is not changed.

    Raises `ValueError`, as `size_of` does, when the patches do not make images of this shape, or there are none.
    """
    # 1. The size of each patch; refuse what does not fit together
    size = size_of(patches, shape)
    # 2. How many rows of patches an image has
    rows = shape[1] // size
    # 3. Patches back in rows and columns, their numbers in channels and pixels: batch channels height width
    return rearrange(patches, "batch (row column) (c p q) -> batch c (row p) (column q)", row=rows, p=size, q=size)


class PatchEmbed(nn.Module):
    """One vector of the residual stream for each patch of an image."""

    def __init__(self, cfg: ViTConfig):
        super().__init__()
        self.cfg = cfg
        self.W_patch = nn.Parameter(torch.empty(cfg.d_patch, cfg.d_model))
        self.b_patch = nn.Parameter(torch.zeros(cfg.d_model))
        nn.init.normal_(self.W_patch, std=cfg.d_patch**-0.5)

    def forward(self, images: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch n_patches d_model"]:
        """Map each patch, laid out as by `patchify`, to d_model numbers.

        `W_patch` is (d_patch d_model), `b_patch` (d_model). Raises `ValueError`, as `check_images` does, for images of
        another size, number of channels or order of axes than `self.cfg` says, for integers, and for no image at all.
        """
        # 1. Refuse images that this was not made for
        check_images(images, self.cfg)
        # 2. The patches, as vectors: batch n_patches d_patch
        patches = patchify(images, self.cfg.patch_size)
        # 3. One linear map for all of them: batch n_patches d_model
        return patches @ self.W_patch + self.b_patch
