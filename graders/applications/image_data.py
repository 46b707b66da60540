"""The images that `headstart run vit` and `image_gpt` may be trained on, and all that a run makes of which they are.

The digits come with scikit-learn. MNIST (LeCun, Cortes and Burges, 1998) and CIFAR-10 (Krizhevsky, "Learning Multiple
Layers of Features from Tiny Images", 2009) are fetched from the Hugging Face Hub by `datasets`, once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

N_CLASSES = 10  # of all of them


@dataclass(frozen=True)
class OnHub:
    """Where a set of images is fetched from, and how many of them are used: chosen once, the same for every run."""

    name: str  # on the Hub
    column: str  # the images; their classes are in the column `label`
    size: str  # how much is fetched
    n_learnt: int  # of the split `train`
    n_tested: int  # of the split `test`, which nothing is learnt from


@dataclass(frozen=True)
class ImageData:
    """Square images of ten classes, as one application is given them."""

    title: str  # as it begins a sentence
    side: int  # pixels
    n_channels: int  # 1 for grey, 3 for red, green and blue
    n_levels: int  # whole numbers that a channel of a pixel may be, from 0
    class_names: tuple[str, ...] = ()  # where classes are not the digits that are to be seen
    on_hub: OnHub | None = None  # of those that are fetched
    means_over: int = 1  # the side of the squares of the set's own pixels that a pixel here is the mean of
    axis_from: float = 0.8  # where the axis of the picture of accuracies begins
    max_iter: int = 5000  # of logistic regression, which on the digits is done long before
    # Of the application's settings, those that are others than on the digits; of a mapping, what is in it
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)


DIGITS = ImageData("Handwritten digits", side=8, n_channels=1, n_levels=17)
MNIST_ON_HUB = OnHub("ylecun/mnist", "image", "some 20 MB", n_learnt=20_000, n_tested=2_000)
MNIST = ImageData(
    "MNIST's digits",
    side=28,
    n_channels=1,
    n_levels=256,
    on_hub=MNIST_ON_HUB,
    max_iter=200,
    settings={"model": {"patch_size": 4}},
)
CIFAR10 = ImageData(
    "CIFAR-10's pictures",
    side=32,
    n_channels=3,
    n_levels=256,
    class_names=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    on_hub=OnHub("uoft-cs/cifar10", "img", "some 140 MB", n_learnt=20_000, n_tested=2_000),
    axis_from=0.0,
    max_iter=200,
    settings={"model": {"patch_size": 4}},
)
# What each application may be trained on, by the names that `--data` takes; the first, if nothing else is said
IMAGE_DATA: dict[str, dict[str, ImageData]] = {
    "vit": {"digits": DIGITS, "mnist": MNIST, "cifar10": CIFAR10},
    "image_gpt": {
        "digits": DIGITS,
        # A token of the exercise is one of 17 grey levels; and 28 x 28 pixels would be a text of 784
        "mnist": replace(
            MNIST,
            side=14,
            n_levels=17,
            means_over=2,
            on_hub=replace(MNIST_ON_HUB, n_learnt=10_000, n_tested=500),
            settings={"training": {"steps": 1200}, "samples": 5, "shown": 5},
        ),
    },
}


def settings_on(application: str, name: str | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """An application's settings when it is trained on the images of this name; `settings` are those without a name."""
    if name is None:
        return dict(settings)
    found = dict(settings) | {"data": name}
    for what, other in IMAGE_DATA[application][name].settings.items():
        found[what] = {**found[what], **other} if isinstance(other, Mapping) else other
    return found


def data_of(application: str, settings: Mapping[str, Any]) -> ImageData:
    """The images that a run of these settings is about."""
    return IMAGE_DATA[application][settings["data"]]
