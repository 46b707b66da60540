"""Handwritten digits that come with scikit-learn, and their one split into what is learnt from and what is tested on.

There are 1,797 images of 8 x 8 pixels, each of 17 grey levels: how many of 4 x 4 finer pixels had ink. Source: Alpaydin
and Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

SIDE, N_LEVELS, N_CLASSES = 8, 17, 10
MOVED = 0.5  # of the images in a batch
SPLIT_SEED, N_TESTED = 0, 360  # the same for every run, so that runs of different seeds can be compared


@dataclass(frozen=True)
class Digits:
    """Some of the images, and what each is."""

    levels: Tensor  # n 8 8, whole numbers from 0 to 16
    labels: Tensor  # n, from 0 to 9

    @property
    def images(self) -> Tensor:
        """The same as a network reads them: n 1 8 8, from 0 to 1."""
        return self.levels.unsqueeze(1) / (N_LEVELS - 1)


def load_digits() -> tuple[Digits, Digits]:
    """The images to learn from, and those that are tested on: no image is in both."""
    from sklearn import datasets

    found = datasets.load_digits()
    levels, labels = torch.from_numpy(found.images).long(), torch.from_numpy(found.target).long()
    order = torch.randperm(len(labels), generator=Generator().manual_seed(SPLIT_SEED))
    tested, learnt = order[:N_TESTED], order[N_TESTED:]
    return Digits(levels[learnt], labels[learnt]), Digits(levels[tested], labels[tested])


def shifted(images: Tensor, generator: Generator) -> Tensor:
    """Half of the images (n c h w), on average, moved by up to one pixel to each side; what that leaves empty is 0."""
    n, _channels, height, width = images.shape
    is_moved = torch.rand(n, 1, generator=generator) < MOVED
    down, right = torch.where(is_moved, torch.randint(3, (2, n, 1), generator=generator), 1)
    rows, columns = down + torch.arange(height), right + torch.arange(width)
    padded = F.pad(images, (1, 1, 1, 1))
    return padded[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def one_of_each(digits: Digits) -> Tensor:
    """Where the first image of each class is: n_classes."""
    return torch.stack([(digits.labels == label).nonzero()[0, 0] for label in range(N_CLASSES)])
