"""A GPT that draws handwritten digits, pixel after pixel: trained on their texts, sampled from, and measured.

Bits per pixel on images that it has not learnt from stand beside two baselines. Whether a sample is of its class is
said by a classifier that has seen real digits alone; how many samples are copies of an image that was learnt from is
counted too.

Source: Chen et al., "Generative Pretraining from Pixels", 2020.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from graders.applications import image_pictures
from graders.applications.image_data import DIGITS, N_CLASSES, ImageData, data_of
from graders.applications.images import Images, load_images, one_of_each
from graders.applications.run import Run, Table, keep_picture
from graders.applications.training import Steps, rehearse_steps, train
from graders.training_run import say

PARTS = ("gpt", "sampling", "image_gpt", "optimizer", "training")
LIBRARIES = ("sklearn",)
SETTINGS: dict[str, Any] = {
    "data": "digits",  # what is other on other images is in image_data.py
    "model": {"n_layers": 3, "n_heads": 4, "d_model": 48, "d_head": 12, "d_mlp": 192},
    "batch": 32,
    "training": {
        "steps": 1500,
        "max_lr": 3e-3,
        "min_lr": 1e-4,
        "warmup_steps": 100,
        "weight_decay": 0.1,
        "max_norm": 1.0,
    },
    "temperatures": [0.6, 0.8, 1.0],
    "samples": 10,  # of every class, at every temperature
    "shown": 6,  # of these, in the picture
    "completions": 3,  # of every test image that is shown
}
N_LEVELS = DIGITS.n_levels  # tokens of the exercise; all images are given to it in as many
SMOOTHINGS = (0.01, 0.03, 0.1, 0.3, 1.0)  # added to the counts of the histograms; the best on the test images counts


def run(run: Run) -> dict[str, Any]:
    """Train, measure, draw samples and completions; the figures."""
    learnt, tested = load_images(images_of(run))
    judge = classifier(learnt)
    model = make(run)
    say(f"a GPT of {sum(p.numel() for p in model.parameters()):,} parameters, {len(learnt.labels):,} images")
    texts, held_out = (run.parts["image_gpt"].images_to_tokens(one.levels, one.labels) for one in (learnt, tested))

    def measure(model: nn.Module) -> dict[str, float]:
        return {"bits": bits(run, model, held_out)}

    trained = train(steps_of(run, model, texts), run.out, run.settings["batch"] * images_of(run).side ** 2, measure)
    figures: dict[str, Any] = {
        "curve": [row | {"loss": row["loss"] / math.log(2)} for row in trained.curve],
        "bits": {
            "model": bits(run, model, held_out),
            "uniform": math.log2(N_LEVELS),
            "histogram": histogram_bits(learnt, tested),
            "histogram of the class": class_histogram_bits(learnt, tested),
        },
        "parameters": sum(p.numel() for p in model.parameters()),
        "seconds": trained.seconds,
        "tokens_per_second": trained.tokens_per_second,
        "judge": judged(judge, tested.levels, tested.labels),
    }
    figures |= sampled(run, model, judge, learnt)
    say("completing halves of test images")
    figures["completions"] = completed(run, model, tested)
    for picture in image_pictures.OF_IMAGE_GPT:
        keep_picture(run.out / f"{picture.__name__}.png", picture(figures, images_of(run)))
    return figures


def loss_on(texts: Tensor, batch: int) -> Callable[[nn.Module, Generator], Tensor]:
    """A model's loss on a batch that is drawn from these texts (n seq)."""

    def loss_of(model: nn.Module, generator: Generator) -> Tensor:
        drawn = texts[torch.randint(len(texts), (batch,), generator=generator)]
        return F.cross_entropy(model(drawn[:, :-1]).flatten(0, 1), drawn[:, 1:].flatten())

    return loss_of


def steps_of(run: Run, model: nn.Module, texts: Tensor) -> Steps:
    """The steps in which a model learns from these texts (n seq)."""
    return Steps(run, "image_gpt", model, loss_on(texts, run.settings["batch"]), **run.settings["training"])


def images_of(run: Run) -> ImageData:
    """The images that a run is about."""
    return data_of("image_gpt", run.settings)


def make(run: Run) -> nn.Module:
    """A fresh model, which has a position for the class and for every pixel but the last."""
    torch.manual_seed(run.seed)
    sizes = {"d_vocab": run.parts["image_gpt"].D_VOCAB, "n_ctx": images_of(run).side ** 2}
    model: nn.Module = run.parts["gpt"].GPT(run.parts["config"].GPTConfig(**sizes, **run.settings["model"]))
    return model


def rehearse(run: Run) -> None:
    """Call all that is needed of the subject once, so that what is not written yet is said now, not in the end."""
    learnt, _tested = load_images(images_of(run))
    drawing, levels, labels = run.parts["image_gpt"], learnt.levels[:1], learnt.labels[:1]
    model, texts = make(run), drawing.images_to_tokens(learnt.levels, learnt.labels)
    rehearse_steps(steps_of(run, model, texts))
    bits(run, model, texts[:1])
    drawing.sample_images(model, labels, options(run, 1.0), run.generator(1))
    drawing.complete_images(model, levels[:, : images_of(run).side // 2], labels, options(run, 1.0), run.generator(1))


def options(run: Run, temperature: float) -> Any:
    """The subject's own `SamplingOptions`."""
    return run.parts["sampling"].SamplingOptions(temperature=temperature)


def bits(run: Run, model: nn.Module, texts: Tensor) -> float:
    """Bits per pixel, by the subject's own `bits_per_pixel`."""
    model.eval()
    with torch.no_grad():
        return float(run.parts["image_gpt"].bits_per_pixel(model(texts[:, :-1]), texts))


def shares_of_levels(levels: Tensor, smoothing: float) -> Tensor:
    """How often each level was at each pixel of some images, none of them never: n_pixels n_levels."""
    pixels = levels.flatten(1)
    counts = torch.stack([(pixels == level).sum(dim=0) for level in range(N_LEVELS)], dim=1) + smoothing
    return counts / counts.sum(dim=1, keepdim=True)


def surprises(learnt: Tensor, tested: Tensor, smoothing: float) -> Tensor:
    """The bits of each pixel of some images, by how often its level was there in others: n n_pixels."""
    shares = shares_of_levels(learnt, smoothing)
    return -shares[torch.arange(shares.shape[0]), tested.flatten(1)].log2()


def histogram_bits(learnt: Images, tested: Images) -> float:
    """Bits per pixel of whoever knows only how often each level is at each pixel."""
    return min(surprises(learnt.levels, tested.levels, smoothing).mean().item() for smoothing in SMOOTHINGS)


def class_histogram_bits(learnt: Images, tested: Images) -> float:
    """The same of whoever also knows the class."""
    found = []
    for smoothing in SMOOTHINGS:
        of_classes = [
            surprises(learnt.levels[learnt.labels == label], tested.levels[tested.labels == label], smoothing)
            for label in range(N_CLASSES)
        ]
        found.append(torch.cat(of_classes).mean().item())
    return min(found)


def classifier(learnt: Images) -> Any:
    """A support vector machine that has seen the real digits to learn from, and nothing else."""
    from sklearn.svm import SVC

    return SVC(gamma=0.001, C=10).fit(learnt.levels.flatten(1).numpy(), learnt.labels.numpy())


def judged(judge: Any, levels: Tensor, labels: Tensor) -> float:
    """The share of images that the classifier reads as their class."""
    return float(judge.score(levels.flatten(1).numpy(), labels.numpy()))


def sampled(run: Run, model: nn.Module, judge: Any, learnt: Images) -> dict[str, Any]:
    """Samples of every class at every temperature: how many are of their class, differ, and are copies."""
    known = {tuple(levels) for levels in learnt.levels.flatten(1).tolist()}
    labels = torch.arange(N_CLASSES).repeat_interleave(run.settings["samples"])
    figures: dict[str, Any] = {"of_their_class": {}, "different": {}, "copies": {}, "samples": {}}
    for number, temperature in enumerate(run.settings["temperatures"]):
        say(f"drawing {len(labels)} images at temperature {temperature}")
        generator = run.generator(10 + number)
        levels = run.parts["image_gpt"].sample_images(model, labels, options(run, temperature), generator)
        rows, name = [tuple(row) for row in levels.flatten(1).tolist()], str(temperature)
        figures["of_their_class"][name] = judged(judge, levels, labels)
        figures["different"][name] = len(set(rows)) / len(rows)
        figures["copies"][name] = sum(row in known for row in rows) / len(rows)
        read = judge.predict(levels.flatten(1).numpy()).tolist()
        figures["samples"][name] = [
            [
                {"levels": levels[i].tolist(), "read_as": read[i]}
                for i in (labels == label).nonzero().flatten().tolist()[: run.settings["shown"]]
            ]
            for label in range(N_CLASSES)
        ]
    return figures


def completed(run: Run, model: nn.Module, tested: Images) -> list[dict[str, Any]]:
    """One test image of each class, and how the model goes on with its upper half."""
    shown, n = one_of_each(tested), run.settings["completions"]
    tops, labels = tested.levels[shown, : images_of(run).side // 2], tested.labels[shown]
    tops, labels = tops.repeat_interleave(n, dim=0), labels.repeat_interleave(n)
    drawing = run.parts["image_gpt"]
    images = drawing.complete_images(model, tops, labels, options(run, 0.8), run.generator(20)).unflatten(0, (-1, n))
    return [
        {"levels": tested.levels[i].tolist(), "completed": found.tolist()}
        for i, found in zip(shown.tolist(), images, strict=True)
    ]


def tables(figures: Mapping[str, Any], _settings: Mapping[str, Any]) -> list[Table]:
    """Bits per pixel beside the baselines, and what the samples are worth."""
    of_bits = [[name, f"{value:.3f}"] for name, value in figures["bits"].items()]
    of_samples = [
        [name, *(f"{figures[what][name]:.3f}" for what in ("of_their_class", "different", "copies"))]
        for name in figures["of_their_class"]
    ]
    title = (
        f"Samples, read by a classifier of real digits, which reads {figures['judge']:.3f} of real test images right"
    )
    header = ["temperature", "of their class", "different", "copies of an image learnt from"]
    return [
        Table("Bits per pixel on images that were not learnt from", ["", "bits"], of_bits),
        Table(title, header, of_samples),
    ]
