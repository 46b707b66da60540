"""Images to learn from and others to be tested on, as networks read them.

Of scikit-learn's handwritten digits there are 1,797, of 8 x 8 pixels, each of 17 grey levels: how many of 4 x 4 finer
pixels had ink; they are split here. Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", UCI
Machine Learning Repository, 1998. The others have a split of their own, and `image_data.py` says how many of it count.
"""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from graders.applications.image_data import N_CLASSES, ImageData, OnHub
from graders.subject_code import CannotGoOn
from graders.training_run import say

MOVED = 0.5  # of the images in a batch
SPLIT_SEED, N_TESTED = 0, 360  # the same for every run, so that runs of different seeds can be compared


@dataclass(frozen=True)
class Images:
    """Some images, and what each is."""

    levels: Tensor  # n side side of grey ones, n 3 side side of colour, whole numbers below n_levels
    labels: Tensor  # n, from 0 to 9
    n_levels: int

    @property
    def images(self) -> Tensor:
        """The same as a network reads them: n channels side side, from 0 to 1."""
        levels = self.levels.unsqueeze(1) if self.levels.ndim == 3 else self.levels
        return levels / (self.n_levels - 1)


def load_images(data: ImageData) -> tuple[Images, Images]:
    """The images to learn from, and those that are tested on: no image is in both.

    Raises `CannotGoOn` when they are to be fetched, and cannot be.
    """
    return _digits(data) if data.on_hub is None else _fetched(data, data.on_hub)


def _digits(data: ImageData) -> tuple[Images, Images]:
    from sklearn import datasets

    found = datasets.load_digits()
    levels, labels = torch.from_numpy(found.images).long(), torch.from_numpy(found.target).long()
    order = torch.randperm(len(labels), generator=Generator().manual_seed(SPLIT_SEED))
    tested, learnt = order[:N_TESTED], order[N_TESTED:]
    return Images(levels[learnt], labels[learnt], data.n_levels), Images(levels[tested], labels[tested], data.n_levels)


@functools.lru_cache(maxsize=1)  # a run asks twice: when it is rehearsed, and when it is run
def _fetched(data: ImageData, hub: OnHub) -> tuple[Images, Images]:
    """Some of the images of each of the set's own splits. `datasets` keeps all of them."""
    import datasets
    import huggingface_hub.utils
    from huggingface_hub.errors import HTTPError

    say(f"reading {hub.name}: {hub.size} from the Hugging Face Hub the first time, kept by `datasets`")
    for library in (datasets, huggingface_hub):  # no bars, and no line for every time that they try again
        library.utils.disable_progress_bars()
        library.utils.logging.set_verbosity_error()
    try:
        found: Any = datasets.load_dataset(hub.name)
    except (OSError, ValueError, HTTPError, datasets.exceptions.DatasetsError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__  # a full disk says so
        raise CannotGoOn(
            f"{hub.name} is not on this computer and cannot be fetched from the Hugging Face Hub ({why}); run this "
            "once where it can be reached; --data digits needs nothing"
        ) from error
    return _chosen(found["train"], hub.n_learnt, data, hub), _chosen(found["test"], hub.n_tested, data, hub)


def _chosen(split: Any, n: int, data: ImageData, hub: OnHub) -> Images:
    """At most `n` images of a split, always the same, and what each is."""
    order = torch.randperm(len(split), generator=Generator().manual_seed(SPLIT_SEED))[:n]
    chosen = split.select(order.tolist())
    mode = "L" if data.n_channels == 1 else "RGB"
    pixels = torch.from_numpy(np.stack([np.asarray(picture.convert(mode)) for picture in chosen[hub.column]]))
    if mode == "RGB":
        pixels = pixels.permute(0, 3, 1, 2)  # n 3 side side
    return Images(coarser(pixels, data), torch.tensor(chosen["label"][:]), data.n_levels)


def coarser(pixels: Tensor, data: ImageData) -> Tensor:
    """Pixels from 0 to 255 (n side side) as the levels that are asked for: those of the means of squares of them."""
    if data.means_over == 1:
        return pixels
    means = F.avg_pool2d(pixels.double(), data.means_over)
    return (means * (data.n_levels - 1) / 255).round().long()


def shifted(images: Tensor, generator: Generator) -> Tensor:
    """Half of the images (n c h w), on average, moved by up to one pixel to each side; what that leaves empty is 0."""
    n, _channels, height, width = images.shape
    is_moved = torch.rand(n, 1, generator=generator) < MOVED
    down, right = torch.where(is_moved, torch.randint(3, (2, n, 1), generator=generator), 1)
    rows, columns = down + torch.arange(height), right + torch.arange(width)
    padded = F.pad(images, (1, 1, 1, 1))
    return padded[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def one_of_each(found: Images) -> Tensor:
    """Where the first image of each class is: n_classes."""
    return torch.stack([(found.labels == label).nonzero()[0, 0] for label in range(N_CLASSES)])
