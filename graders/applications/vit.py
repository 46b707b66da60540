"""A ViT that reads images, handwritten digits first, beside a small convolutional network and logistic regression.

All three learn from the same images and are tested on the same others. Afterwards the two networks are looked into:
where the class token looks, which positions are alike, and which layers of the two see the images alike.

Sources: Dosovitskiy et al., "An Image is Worth 16x16 Words", 2021, figures 6 and 7; Raghu et al., "Do Vision
Transformers See Like Convolutional Neural Networks?", 2021, figure 1.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from graders.applications import image_pictures
from graders.applications.image_data import N_CLASSES, ImageData, data_of
from graders.applications.images import Images, load_images, one_of_each, shifted
from graders.applications.run import Run, Table, keep_picture
from graders.applications.training import Steps, Trained, rehearse_steps, train
from graders.training_run import say

PARTS = ("attention", "patches", "vit", "cka", "optimizer", "training")
LIBRARIES = ("sklearn",)
SETTINGS: dict[str, Any] = {
    "data": "digits",  # what is other on other images is in image_data.py
    "model": {"patch_size": 2, "n_layers": 3, "n_heads": 4, "d_model": 48, "d_head": 12, "d_mlp": 96},
    "channels": 24,  # of the convolutional network's first layer; its second has twice as many
    "batch": 64,
    "training": {
        "steps": 3000,
        "max_lr": 3e-3,
        "min_lr": 2e-5,
        "warmup_steps": 150,
        "weight_decay": 0.1,
        "max_norm": 1.0,
    },
}
NETWORKS = ("ViT", "CNN")
REGRESSION = "logistic regression"


class CNN(nn.Module):
    """Two convolutions, each of which halves the sides, and two linear maps: the usual way to read an image."""

    def __init__(self, channels: int, data: ImageData):
        super().__init__()
        self.conv1 = nn.Conv2d(data.n_channels, channels, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1)
        self.hidden = nn.Linear(2 * channels * (data.side // 4) ** 2, 64)
        self.head = nn.Linear(64, N_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Logits for the class of each image: n channels side side to n 10."""
        seen = F.relu(self.conv2(F.relu(self.conv1(images))))
        return self.head(F.relu(self.hidden(seen.flatten(1))))


def run(run: Run) -> dict[str, Any]:
    """Train both networks, fit the regression, look into the networks; the figures."""
    data = images_of(run)
    learnt, tested = load_images(data)
    models = {name: make(run, name) for name in NETWORKS}
    figures: dict[str, Any] = {"accuracy": {}, "parameters": {}, "seconds": {}, "curves": {}}
    for name, model in models.items():
        say(f"{name}: {n_parameters(model):,} parameters, {len(learnt.labels):,} images to learn from")
        trained = fit(run, name, model, learnt, tested)
        figures["accuracy"][name] = accuracy(model, tested)
        figures["parameters"][name], figures["seconds"][name] = n_parameters(model), trained.seconds
        figures["curves"][name] = trained.curve
        if name == "ViT":
            figures["tokens_per_second"] = trained.tokens_per_second
    figures["accuracy"][REGRESSION], figures["parameters"][REGRESSION] = regression(learnt, tested, data.max_iter)
    say("looking into both networks")
    figures |= looked_into(run, models, tested)
    for picture in image_pictures.OF_VIT:
        keep_picture(run.out / f"{picture.__name__}.png", picture(figures, data))
    return figures


def images_of(run: Run) -> ImageData:
    """The images that a run is about."""
    return data_of("vit", run.settings)


def make(run: Run, name: str) -> nn.Module:
    """A fresh network."""
    torch.manual_seed(run.seed)
    data = images_of(run)
    if name == "CNN":
        return CNN(run.settings["channels"], data)
    sizes = {"image_size": data.side, "n_channels": data.n_channels, "n_classes": N_CLASSES}
    vit: nn.Module = run.parts["vit"].ViT(run.parts["patches"].ViTConfig(**sizes, **run.settings["model"]))
    return vit


def rehearse(run: Run) -> None:
    """Call all that is needed of the subject once, so that what is not written yet is said now, not in the end."""
    learnt, tested = load_images(images_of(run))
    models = {name: make(run, name) for name in NETWORKS}
    for name, model in models.items():
        rehearse_steps(steps_of(run, name, model, learnt))
    looked_into(run, models, replace(tested, levels=tested.levels[:8], labels=tested.labels[:8]))


def steps_of(run: Run, name: str, model: nn.Module, learnt: Images) -> Steps:
    """The steps in which a network learns from these images."""
    return Steps(run, name, model, loss_on(learnt, run.settings["batch"]), **run.settings["training"])


def fit(run: Run, name: str, model: nn.Module, learnt: Images, tested: Images) -> Trained:
    """Train a network on the images."""

    def measure(model: nn.Module) -> dict[str, float]:
        return {"accuracy": accuracy(model, tested)}

    positions = 1 + (images_of(run).side // run.settings["model"]["patch_size"]) ** 2 if name == "ViT" else 1
    return train(steps_of(run, name, model, learnt), run.out, run.settings["batch"] * positions, measure)


def loss_on(learnt: Images, batch: int) -> Callable[[nn.Module, Generator], Tensor]:
    """A network's loss on a batch that is drawn from these images, about half of them moved a little each time."""
    images = learnt.images

    def loss_of(model: nn.Module, generator: Generator) -> Tensor:
        drawn = torch.randint(len(images), (batch,), generator=generator)
        return F.cross_entropy(model(shifted(images[drawn], generator)), learnt.labels[drawn])

    return loss_of


def n_parameters(model: nn.Module) -> int:
    """How many numbers a network has learnt."""
    return sum(p.numel() for p in model.parameters())


def accuracy(model: nn.Module, tested: Images) -> float:
    """The share of images of which the class has the largest logit."""
    model.eval()
    with torch.no_grad():
        return (model(tested.images).argmax(dim=1) == tested.labels).double().mean().item()


def regression(learnt: Images, tested: Images, max_iter: int) -> tuple[float, int]:
    """The test accuracy of logistic regression on the bare pixels, and how many numbers it has learnt."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of many pixels it would take longer than the networks
        fitted = LogisticRegression(max_iter=max_iter).fit(learnt.images.flatten(1).numpy(), learnt.labels.numpy())
    score = fitted.score(tested.images.flatten(1).numpy(), tested.labels.numpy())
    return float(score), fitted.coef_.size + fitted.intercept_.size


def looked_into(run: Run, models: Mapping[str, nn.Module], tested: Images) -> dict[str, Any]:
    """Where the class token looks, how alike positions are, and how alike layers see the test images."""
    vit: Any = models["ViT"]
    layers = {
        name: seen for network, model in models.items() for name, seen in layers_of(network, model, tested).items()
    }
    alike = [[float(run.parts["cka"].linear_cka(a, b)) for b in layers.values()] for a in layers.values()]
    shown = one_of_each(tested) if len(tested.labels) >= N_CLASSES**2 else torch.arange(len(tested.labels))
    positions = vit.W_pos.detach()[1:]
    positions = positions / positions.norm(dim=1, keepdim=True)
    return {
        "cka": {"layers": list(layers), "alike": rounded(torch.tensor(alike))},
        "attention": {
            "levels": tested.levels[shown].tolist(),
            "maps": rounded(class_attention(run, vit, tested.images[shown])),
        },
        "positions": rounded(positions @ positions.T),
    }


def layers_of(network: str, model: Any, tested: Images) -> dict[str, Tensor]:
    """What the layers of a network make of images, by name: n d, each."""
    if network == "CNN":
        parts = {"conv 1": model.conv1, "conv 2": model.conv2, "hidden": model.hidden}
    else:
        blocks = {f"block {number}": block for number, block in enumerate(model.blocks, 1)}
        parts = {"patches": model.patch_embed, **blocks}
    with listening(parts) as heard, torch.no_grad():
        model.eval()
        model(tested.images)
    return {f"{network} {name}": heard[name][1].flatten(1) for name in parts}


def class_attention(run: Run, vit: Any, images: Tensor) -> Tensor:
    """How much the class token takes from every patch, over all heads, in every block: n_layers n side side."""
    attention, found = run.parts["attention"], []
    with listening({str(i): block.attn for i, block in enumerate(vit.blocks)}) as heard, torch.no_grad():
        vit.eval()
        vit(images)
        for (x, _out), block in zip(heard.values(), vit.blocks, strict=True):
            q, k = (
                torch.einsum("bsd,hde->bshe", x, weight) + bias
                for weight, bias in ((block.attn.W_Q, block.attn.b_Q), (block.attn.W_K, block.attn.b_K))
            )
            pattern = attention.attention_pattern(attention.attention_scores(q, k))
            found.append(pattern[:, :, 0, 1:].mean(dim=1))
    side = images_of(run).side // run.settings["model"]["patch_size"]
    return torch.stack(found).unflatten(-1, (side, side))


@contextmanager
def listening(parts: Mapping[str, nn.Module]) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
    """What each of these parts takes and returns when it is next called, by the name that it is given here.

    Its `forward` is listened to, and not its hooks: a model that calls a part by its bare `forward` is heard too.
    """
    heard: dict[str, tuple[Tensor, Tensor]] = {}

    def listened(name: str, forward: Any) -> Any:
        def call(x: Tensor) -> Tensor:
            out: Tensor = forward(x)
            heard[name] = (x.detach(), out.detach())
            return out

        return call

    for name, part in parts.items():
        vars(part)["forward"] = listened(name, part.forward)
    try:
        yield heard
    finally:
        for part in parts.values():
            del vars(part)["forward"]


def rounded(values: Tensor) -> Any:
    """Numbers as they are kept: to four places."""
    return values.double().round(decimals=4).tolist()


def tables(figures: Mapping[str, Any], settings: Mapping[str, Any]) -> list[Table]:
    """Who reads how many of the test images right."""
    title = f"{data_of('vit', settings).title} that were not learnt from: the share that is read right"
    rows = [
        [name, f"{figures['accuracy'][name]:.3f}", f"{figures['parameters'][name]:,}", seconds(figures, name)]
        for name in (*NETWORKS, REGRESSION)
    ]
    return [Table(title, ["", "read right", "parameters", "seconds of training"], rows)]


def seconds(figures: Mapping[str, Any], name: str) -> str:
    """How long a network was trained, on the processor."""
    return f"{figures['seconds'][name]:.0f}" if name in figures["seconds"] else ""
