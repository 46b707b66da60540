"""Pictures of few pixels, texts of them, and models that draw: cases for the laws of image_gpt."""

from typing import Any

import torch
from torch import Tensor

from graders.engine.script import given, probe
from graders.engine.space import fixed, given_case, space
from reference.image_gpt import D_VOCAB, N_CLASSES, N_LEVELS

ON_THE_PAGE = {"images": [[[0, 5], [16, 2]]], "labels": [3], "tokens": [[20, 0, 5, 16, 2]]}
SHARES = (2, 4, 8, 8)  # of its own level at each pixel of the page's image: one in so many


@space(batch=(1, 3), side=(1, 4))
def pictures(case, batch, side):
    """Square images of grey levels, and a class for each."""
    case.integers("images", N_LEVELS, batch=batch, height=side, width=side)
    case.integers("labels", N_CLASSES, batch=batch)


@space(batch=(1, 3), side=(1, 4))
def texts(case, batch, side):
    """The same, written as tokens."""
    pictures.build(case, batch, side)
    first = N_LEVELS + case.labels.view(-1, 1)
    case.shown.clear()
    case.show("tokens", torch.cat([first, case.images.flatten(1)], dim=1), batch=batch, tokens=1 + side**2)


@space(batch=(1, 3), side=(1, 3))
def predictions(case, batch, side):
    """Texts, and logits for every pixel, in some cases very large, in some with classes ruled out."""
    texts.build(case, batch, side)
    logits = case.draw(batch, side**2, D_VOCAB) * (100 if case.seed % 7 == 3 else 1)
    if case.seed % 3 == 1:
        logits[..., N_LEVELS:] = -torch.inf
    case.show("logits", logits, batch=batch, n_pixels=side**2, d_vocab=D_VOCAB)


@space(batch=(1, 4), side=(1, 3))
def drawings(case, batch, side):
    """Classes, and a model whose every logit is another; its greatest is as often a class as a level."""
    case.integers("labels", N_CLASSES, batch=batch)
    case.model = model_of(case.draw(D_VOCAB, D_VOCAB), case.draw(side**2, D_VOCAB))


@space(batch=(1, 3), side=(1, 3), height=(0, 3, 1))
def begun_drawings(case, batch, side, height):
    """The upper rows of images, from none to all of them, beside classes and such a model."""
    drawings.build(case, batch, side)
    height = min(height, side)
    case.integers("top_halves", N_LEVELS, batch=batch, height=height, width=side)


def model_of(table: Tensor, places: Tensor) -> dict[str, Any]:
    """A toy model of these numbers, no two logits of which tie."""
    return probe("toy", table=table, places=places + 0.0137 * torch.arange(D_VOCAB))


def options(**fields: Any) -> dict[str, Any]:
    """The subject's own `SamplingOptions`."""
    return given("SamplingOptions", fields, file="sampling")


@fixed
def large_pictures(where):
    """Nine images of 20 x 20, of every level and every class but one."""
    case = pictures.case(1, batch=9, side=20)
    return [case]


@fixed
def large_texts(where):
    """Nine texts of 20 x 20 pixels."""
    return [texts.case(1, batch=9, side=20)]


@fixed
def large_drawings(where):
    """Ten images of 8 x 8, one of each class."""
    case = drawings.case(1, batch=10, side=8)
    case.show("labels", torch.arange(10), batch=10)
    return [case]


@fixed
def large_begun_drawings(where):
    """Nine images of 8 x 8, of which half is given."""
    case = drawings.case(2, batch=9, side=8)
    case.integers("top_halves", N_LEVELS, batch=9, height=4, width=8)
    return [case]


@fixed
def on_the_page(where):
    """The example of docs/exercises/image_gpt.md: one image of four pixels, its text, and logits for it."""
    values = {name: torch.tensor(value) for name, value in ON_THE_PAGE.items()}
    case = given_case(None, {"images": "batch height width", "labels": "batch", "tokens": "batch tokens"}, **values)
    shares = torch.zeros(1, 4, D_VOCAB, dtype=torch.float64)
    for pixel, one_in in enumerate(SHARES):
        level = int(case.tokens[0, 1 + pixel])
        shares[0, pixel, level], shares[0, pixel, (level + 1) % N_LEVELS] = 1 / one_in, 1 - 1 / one_in
    case.logits = shares.log()
    return [case]


@fixed
def counting_models(where):
    """A model of four pixels that draws level c first for class c, and then each time the level after the last."""
    table = torch.zeros(D_VOCAB, D_VOCAB, dtype=torch.float64)
    for level in range(N_LEVELS):
        table[level, (level + 1) % N_LEVELS] = 10
    for label in range(N_CLASSES):
        table[N_LEVELS + label, label] = 10
    case = given_case(
        torch.tensor([[[3, 4], [5, 6]], [[9, 10], [11, 12]]]), {"labels": "batch"}, labels=torch.tensor([3, 9])
    )
    case.model = model_of(table, torch.zeros(4, D_VOCAB, dtype=torch.float64))
    case.top_halves = torch.tensor([[[7, 8]], [[15, 16]]])
    case.completed = torch.tensor([[[7, 8], [9, 10]], [[15, 16], [0, 1]]])
    return [case]


@fixed
def undecided_models(where):
    """A model of nine pixels to which all levels are nearly alike, and a class more likely than any of them."""
    places = torch.zeros(9, D_VOCAB, dtype=torch.float64)
    places[:, N_LEVELS + 4] = 50
    case = given_case(None, {"labels": "batch"}, labels=torch.tensor([4, 4, 4, 4, 0, 9]))
    case.model = probe("toy", table=torch.zeros(D_VOCAB, D_VOCAB, dtype=torch.float64), places=places)
    case.top_halves = torch.tensor([[[1, 2, 3]]]).expand(6, -1, -1).clone()
    return [case]


def wrong_labels(labels: Tensor) -> dict[str, Tensor]:
    """What are no labels, by what is wrong with them."""
    return {
        "a label of 10": torch.full_like(labels, 10),
        "a label of -1": torch.full_like(labels, -1),
        "labels with two axes": labels.view(-1, 1),
        "labels that are no whole numbers": labels.double(),
        "no label": labels[:0],
    }


def other_model(n_ctx: int) -> dict[str, Any]:
    """A model of another number of pixels."""
    return model_of(torch.zeros(D_VOCAB, D_VOCAB), torch.zeros(n_ctx, D_VOCAB))
