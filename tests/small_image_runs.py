"""Small runs of `headstart run vit` and `image_gpt`, and sets of drawn images in place of those on the Hub."""

import io

import datasets
import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from graders.applications import image_gpt, vit
from graders.cli import app

STEPS = {"steps": 3, "warmup_steps": 1}
SMALL = {
    vit: {
        "model": {"patch_size": 4, "n_layers": 1, "n_heads": 1, "d_model": 4, "d_head": 4, "d_mlp": 4},
        "channels": 2,
        "batch": 4,
        "training": vit.SETTINGS["training"] | STEPS,
    },
    image_gpt: {
        "model": {"n_layers": 1, "n_heads": 1, "d_model": 4, "d_head": 4, "d_mlp": 4},
        "batch": 4,
        "training": image_gpt.SETTINGS["training"] | STEPS,
        "temperatures": [0.5, 1.0],
        "samples": 2,
        "shown": 1,
        "completions": 1,
    },
}


def invoke(*arguments):
    return CliRunner().invoke(app, ["run", *map(str, arguments)])


def small():
    """Runs of three small steps."""
    with pytest.MonkeyPatch.context() as patch:
        for application, settings in SMALL.items():
            for name, value in settings.items():
                patch.setitem(application.SETTINGS, name, value)
        yield


def drawn(column, pixels):
    """A set as `datasets` keeps it: PNGs of these pixels, of the classes 0 to 9 in turn."""
    files = []
    for picture in pixels:
        Image.fromarray(picture).save(file := io.BytesIO(), "PNG")
        files.append({"bytes": file.getvalue(), "path": None})
    features = datasets.Features({column: datasets.Image(), "label": datasets.ClassLabel(num_classes=10)})
    labels = [i % 10 for i in range(len(files))]
    return datasets.Dataset.from_dict({column: files, "label": labels}, features=features)


def on_hub():
    """What is on the Hub instead: in MNIST's and CIFAR-10's shapes, 40 images to learn from, 120 to be tested on.

    The first pixel says of which split an image is: 1 or 2 of its red or grey. The rest of it is noise.
    """
    chance = np.random.default_rng(0)
    found = {}
    for name, column, shape in (("ylecun/mnist", "image", (28, 28)), ("uoft-cs/cifar10", "img", (32, 32, 3))):
        splits = {}
        for split, n, mark in (("train", 40, 1), ("test", 120, 2)):
            pixels = chance.integers(256, size=(n, *shape), dtype=np.uint8)
            pixels.reshape(n, -1)[:, 0] = mark
            splits[split] = drawn(column, pixels)
        found[name] = datasets.DatasetDict(splits)
    return found
