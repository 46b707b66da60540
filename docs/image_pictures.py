"""The pictures of the track images: what its runs came to, and an image that is cut into patches."""

from typing import Any

import torch
from matplotlib.figure import Figure

from docs.application_pictures import kept_run
from docs.drawing import BLUE, bare, figure, write
from graders.applications import image_pictures
from graders.applications.image_data import DIGITS
from reference.patches import patchify

SHOWN, SIZE = 3, 2  # the digit that is cut, and the side of its patches


def figures(application: str) -> dict[str, Any]:
    """What its run came to."""
    found: dict[str, Any] = kept_run(application)["figures"]
    return found


def cut_image() -> Figure:
    """A digit cut into patches, and the rows that patchify makes of it."""
    levels = torch.tensor(figures("vit")["attention"]["levels"][SHOWN])
    patches = patchify(levels[None, None], SIZE)[0]
    drawn = figure(8, 4.2)
    left, right = drawn.subplots(1, 2, width_ratios=(1.6, 1))
    for axes, values in ((left, levels), (right, patches)):
        axes.imshow(values.tolist(), cmap="Greys", vmin=0, vmax=16, aspect="auto" if axes is right else "equal")
        for row, line in enumerate(values.tolist()):
            for column, level in enumerate(line):
                write(axes, row, column, str(level), level / 16)
        bare(axes)
    for side in range(0, len(levels) + 1, SIZE):
        left.axhline(side - 0.5, color=BLUE)
        left.axvline(side - 0.5, color=BLUE)
    left.set(xticks=[], yticks=[])
    left.set_title("8 x 8 pixels, patches of 2 x 2", fontsize=10)
    right.set(xticks=[])
    right.set_yticks(range(len(patches)), [f"patch {i}" for i in range(len(patches))], fontsize=8)
    right.set_title("16 vectors of 4 numbers", fontsize=10)
    return drawn


def vit_accuracy() -> Figure:
    """How the ViT and the CNN came to read digits."""
    return image_pictures.vit_accuracy(figures("vit"), DIGITS)


def vit_attention() -> Figure:
    """Where the class token looks."""
    return image_pictures.vit_attention(figures("vit"), DIGITS)


def vit_positions() -> Figure:
    """Which positions are alike."""
    return image_pictures.vit_positions(figures("vit"), DIGITS)


def vit_cka() -> Figure:
    """Which layers see alike."""
    return image_pictures.vit_cka(figures("vit"), DIGITS)


def image_gpt_bits() -> Figure:
    """How the GPT came to predict pixels."""
    return image_pictures.image_gpt_bits(figures("image_gpt"), DIGITS)


def image_gpt_samples() -> Figure:
    """What the GPT draws."""
    return image_pictures.image_gpt_samples(figures("image_gpt"), DIGITS)


def image_gpt_completions() -> Figure:
    """How the GPT goes on with halves."""
    return image_pictures.image_gpt_completions(figures("image_gpt"), DIGITS)
