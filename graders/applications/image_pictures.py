"""Pictures of what networks make of images, drawn from the figures of a run: nothing is computed here."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from graders.applications.image_data import N_CLASSES, ImageData

COLOURS = {"ViT": "tab:blue", "CNN": "tab:orange", "logistic regression": "tab:grey"}


def image(axes: Any, levels: Sequence[Any], data: ImageData, title: str = "") -> None:
    """An image without a frame: a grey one black on white, one of colours (channels side side) in them."""
    if data.n_channels == 1:
        axes.imshow(levels, cmap="Greys", vmin=0, vmax=data.n_levels - 1)
    else:
        axes.imshow(np.moveaxis(np.array(levels) / (data.n_levels - 1), 0, -1))
    bare(axes)
    axes.set_title(title, fontsize=8)


def bare(axes: Any) -> None:
    """No frame and no ticks."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def strip(rows: Sequence[Sequence[Sequence[float]]], gap: int = 1) -> list[list[float]]:
    """Grey images side by side as one picture, with a white gap between them."""
    joined: list[list[float]] = []
    for lines in zip(*rows, strict=True):
        line: list[float] = []
        for levels in lines:
            line += [*levels, *[0.0] * gap]
        joined.append(line[: len(line) - gap])
    return joined


# Of the ViT


def vit_accuracy(figures: Mapping[str, Any], data: ImageData) -> Figure:
    """How many test images each network reads right, over training, and logistic regression as a line."""
    drawn = Figure(figsize=(7, 3.4), layout="constrained")
    axes = drawn.subplots()
    for name, curve in figures["curves"].items():
        steps, shares = [row["step"] for row in curve], [row["accuracy"] for row in curve]
        axes.plot(steps, shares, color=COLOURS[name], label=f"{name}: {figures['accuracy'][name]:.3f}")
    for name, share in figures["accuracy"].items():
        if name not in figures["curves"]:
            axes.axhline(share, color=COLOURS[name], linestyle=":", label=f"{name}: {share:.3f}")
    axes.set(xlabel="step", ylabel="share of test images read right", ylim=(data.axis_from, 1))
    axes.legend(loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    return drawn


def vit_attention(figures: Mapping[str, Any], data: ImageData) -> Figure:
    """Where the class token looks, in every block, for one image of each class."""
    levels, maps = figures["attention"]["levels"], figures["attention"]["maps"]
    drawn = Figure(figsize=(8, 0.9 * (1 + len(maps))), layout="constrained")
    grid = drawn.subplots(1 + len(maps), len(levels), squeeze=False)
    for column, seen in enumerate(levels):
        image(grid[0][column], seen, data, data.class_names[column] if data.class_names else "")
        for layer, of_layer in enumerate(maps):
            most = max(max(max(row) for row in one) for one in of_layer)
            grid[1 + layer][column].imshow(of_layer[column], cmap="Blues", vmin=0, vmax=most)
            bare(grid[1 + layer][column])
    for row, name in enumerate(["image", *(f"block {number}" for number in range(1, 1 + len(maps)))]):
        grid[row][0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    return drawn


def vit_positions(figures: Mapping[str, Any], _data: ImageData) -> Figure:
    """For every patch, how alike its position is to all others: the cosine, as a picture at its place."""
    alike = figures["positions"]
    side = round(len(alike) ** 0.5)
    drawn = Figure(figsize=(4.2, 3.8), layout="constrained")
    grid = drawn.subplots(side, side, squeeze=False)
    for place, row in enumerate(alike):
        axes = grid[place // side][place % side]
        shown = axes.imshow([row[i * side : (i + 1) * side] for i in range(side)], cmap="RdBu", vmin=-1, vmax=1)
        bare(axes)
    drawn.colorbar(shown, ax=grid, label="cosine")
    return drawn


def vit_cka(figures: Mapping[str, Any], _data: ImageData) -> Figure:
    """Which layers see the test images alike: CKA between all layers of the ViT and of the CNN."""
    layers, alike = figures["cka"]["layers"], figures["cka"]["alike"]
    drawn = Figure(figsize=(6.2, 5), layout="constrained")
    axes = drawn.subplots()
    axes.imshow(alike, cmap="Blues", vmin=0, vmax=1)
    for i, row in enumerate(alike):
        for j, value in enumerate(row):
            color = "white" if value > 0.6 else "black"
            axes.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=8, color=color)
    axes.set_xticks(range(len(layers)), layers, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(layers)), layers)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return drawn


# Of the GPT


def image_gpt_bits(figures: Mapping[str, Any], _data: ImageData) -> Figure:
    """Bits per pixel over training, on test images, beside the baselines."""
    drawn = Figure(figsize=(7, 3.4), layout="constrained")
    axes = drawn.subplots()
    steps = [row["step"] for row in figures["curve"]]
    axes.plot(steps, [row["bits"] for row in figures["curve"]], color="tab:blue", label="test images")
    axes.plot(steps, [row["loss"] for row in figures["curve"]], color="tab:blue", alpha=0.4, label="images learnt from")
    for name, style in (("uniform", "--"), ("histogram", ":"), ("histogram of the class", "-.")):
        axes.axhline(figures["bits"][name], color="grey", linestyle=style, label=f"{name}: {figures['bits'][name]:.2f}")
    axes.set(xlabel="step", ylabel="bits per pixel", ylim=(0, None))
    axes.legend(fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    return drawn


def image_gpt_samples(figures: Mapping[str, Any], data: ImageData) -> Figure:
    """Samples of every class, a row of them at each temperature; a red mark is one that is read as another class."""
    shown = figures["samples"]
    drawn = Figure(figsize=(8, 0.5 * N_CLASSES + 0.4), layout=ConstrainedLayoutEngine(wspace=0.06))
    grid = drawn.subplots(N_CLASSES, len(shown), squeeze=False)
    for column, (temperature, by_class) in enumerate(shown.items()):
        for label, row in enumerate(by_class):
            axes = grid[label][column]
            image(axes, strip([one["levels"] for one in row]), data)
            for place, one in enumerate(row):
                if one["read_as"] != label:
                    axes.plot([(data.side + 1) * place + data.side - 1], [0], "x", color="tab:red", markersize=4)
        grid[0][column].set_title(f"temperature {temperature}", fontsize=9)
    for label in range(N_CLASSES):
        grid[label][0].set_ylabel(str(label), rotation=0, ha="right", va="center")
    return drawn


def image_gpt_completions(figures: Mapping[str, Any], data: ImageData) -> Figure:
    """Test images, their upper halves, and how the model goes on with each."""
    shown = figures["completions"]
    drawn = Figure(figsize=(8, 0.9 * (2 + len(shown[0]["completed"]))), layout="constrained")
    grid = drawn.subplots(2 + len(shown[0]["completed"]), len(shown), squeeze=False)
    for column, one in enumerate(shown):
        image(grid[0][column], one["levels"], data)
        half = len(one["levels"]) // 2
        image(grid[1][column], [*one["levels"][:half], *[[0] * len(one["levels"])] * half], data)
        for row, levels in enumerate(one["completed"], 2):
            image(grid[row][column], levels, data)
        for row in range(1, len(grid)):
            grid[row][column].axhline(half - 0.5, color="tab:blue", linewidth=0.8)
    names = ["the image", "its half", *(["completed"] * len(shown[0]["completed"]))]
    for axes, name in zip(grid[:, 0], names, strict=True):
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    return drawn


Picture = Callable[[Mapping[str, Any], ImageData], Figure]
OF_VIT: tuple[Picture, ...] = (vit_accuracy, vit_attention, vit_positions, vit_cka)
OF_IMAGE_GPT: tuple[Picture, ...] = (image_gpt_bits, image_gpt_samples, image_gpt_completions)
