"""Image GPT: a language model that writes pictures, pixel after pixel.

A picture of few grey levels is a text: its first word says what is to be seen, and then each pixel is a word, in the
order of reading. A model that predicts the next word of such texts draws pictures when it is sampled from, each time
another, and goes on with a picture that somebody has begun. Model, training and sampler are those that you have
built; only the alphabet is new.

Sources: Chen et al., "Generative Pretraining from Pixels" (iGPT), 2020, section 3; van den Oord et al., "Pixel
Recurrent Neural Networks", 2016, section 3.4, for pixels as classes, and section 5.1, for bits per pixel.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from reference.sampling import LanguageModel, SamplingOptions, generate

N_LEVELS = 17  # grey levels of a pixel, from 0 to 16, and the tokens of the same numbers
N_CLASSES = 10  # what may be to be seen, from 0 to 9; class c is token N_LEVELS + c
D_VOCAB = N_LEVELS + N_CLASSES


class GreyLevels:
    """A model that never takes a class for a pixel: its logits of class tokens are -inf."""

    def __init__(self, model: LanguageModel):
        self.model, self.cfg = model, model.cfg

    def __call__(self, tokens: Int[Tensor, "batch seq"]) -> Float[Tensor, "batch seq d_vocab"]:
        logits = self.model(tokens)
        return logits.masked_fill(torch.arange(logits.shape[-1]) >= N_LEVELS, float("-inf"))


def check_numbers(name: str, numbers: Tensor, below: int) -> None:
    """Refuse, with a `ValueError`, what are not int64 from 0 up to, but not including, `below`."""
    if numbers.dtype != torch.int64:
        raise ValueError(f"{name} are {numbers.dtype}; expected whole numbers as torch.int64")
    if numbers.numel() and not 0 <= numbers.min() <= numbers.max() < below:
        raise ValueError(f"{name} run from {numbers.min()} to {numbers.max()}; expected 0 to {below - 1}")


def check_labels(labels: Int[Tensor, "batch"]) -> None:
    """Refuse, with a `ValueError`, labels that are not one class for each of at least one image."""
    if labels.ndim != 1 or len(labels) == 0:
        raise ValueError(f"labels have shape {tuple(labels.shape)}; expected (batch,), a class for each image")
    check_numbers("labels", labels, below=N_CLASSES)


def check_rows(rows: Int[Tensor, "batch height width"], labels: Int[Tensor, "batch"], side: int) -> None:
    """Refuse, with a `ValueError`, what are not upper rows of square images of this side, with a label each."""
    check_labels(labels)
    if rows.ndim != 3 or len(rows) != len(labels) or rows.shape[2] != side or rows.shape[1] > side:
        shapes = f"images have shape {tuple(rows.shape)}, labels {tuple(labels.shape)}"
        raise ValueError(f"{shapes}; expected (batch, height, width), as wide as {side}, no higher, and (batch,)")
    check_numbers("grey levels", rows, below=N_LEVELS)


def check_images(images: Int[Tensor, "batch side side"], labels: Int[Tensor, "batch"]) -> None:
    """Refuse, with a `ValueError`, what are not square images of grey levels, with a label each."""
    if images.ndim != 3 or images.shape[1] != images.shape[2] or images.shape[1] == 0:
        raise ValueError(f"images have shape {tuple(images.shape)}; expected (batch, side, side)")
    check_rows(images, labels, side=images.shape[2])


def side_of(n_pixels: int) -> int:
    """The side of a square image of so many pixels. Raises `ValueError` when there is none."""
    side = math.isqrt(n_pixels)
    if n_pixels < 1 or side**2 != n_pixels:
        raise ValueError(f"{n_pixels} pixels are no square image; expected 1, 4, 9, 16 or another square")
    return side


def check_tokens(tokens: Int[Tensor, "batch seq"]) -> None:
    """Refuse, with a `ValueError`, rows that are not a class token and then grey levels, of at least one image."""
    if tokens.ndim != 2 or tokens.shape[0] == 0 or tokens.shape[1] < 2:
        raise ValueError(f"tokens have shape {tuple(tokens.shape)}; expected (batch, 1 + n_pixels)")
    check_numbers("tokens of pixels", tokens[:, 1:], below=N_LEVELS)
    check_numbers("the first tokens, less N_LEVELS,", tokens[:, 0] - N_LEVELS, below=N_CLASSES)


def check_predictions(logits: Float[Tensor, "batch n_pixels d_vocab"], tokens: Int[Tensor, "batch seq"]) -> None:
    """Refuse, with a `ValueError`, tokens that are no images, and logits that are not one row for each pixel."""
    check_tokens(tokens)
    expected = (len(tokens), tokens.shape[1] - 1, D_VOCAB)
    if logits.shape != expected:
        raise ValueError(f"logits have shape {tuple(logits.shape)}; expected {expected}: one row for each pixel")


def images_to_tokens(
    images: Int[Tensor, "batch side side"], labels: Int[Tensor, "batch"]
) -> Int[Tensor, "batch 1+n_pixels"]:
    """Write images as texts: first the token of the class, then every pixel in the order of reading.

    `images` are grey levels from 0 to `N_LEVELS` - 1, each its own token; class c, from 0 to `N_CLASSES` - 1, is token
    `N_LEVELS` + c. All are int64. `images` and `labels` are not changed.

    Raises `ValueError`, as `check_images` does, when images are not square, have a fourth axis, are not int64 or have
    other levels, when labels are no classes or not one for each image, and when there is no image.
    """
    # 1. Refuse what cannot be written
    check_images(images, labels)
    # 2. The token of each class, as a column: batch 1
    first = N_LEVELS + labels.unsqueeze(1)
    # 3. The pixels, row after row: batch n_pixels
    pixels = images.flatten(1)
    # 4. The class, then the pixels: batch 1+n_pixels
    return torch.cat([first, pixels], dim=1)


def tokens_to_images(tokens: Int[Tensor, "batch 1+n_pixels"]) -> Int[Tensor, "batch side side"]:
    """Read images from their texts: the inverse of `images_to_tokens`, which leaves out the class.

    `tokens` is not changed. Raises `ValueError`, as `check_tokens` and `side_of` do, when a
    row does not begin with the token of a class, when a later token is no grey level, when the pixels make no square,
    and when there is no row.
    """
    # 1. Refuse what is no image
    check_tokens(tokens)
    # 2. The pixels, without the class: batch n_pixels
    pixels = tokens[:, 1:]
    # 3. Row under row: batch side side
    side = side_of(pixels.shape[1])
    return pixels.unflatten(1, (side, side))


def bits_per_pixel(logits: Float[Tensor, "batch n_pixels d_vocab"], tokens: Int[Tensor, "batch 1+n_pixels"]) -> float:
    """The mean surprise at a pixel, in bits: minus the logarithm, to base 2, of the share that its level was given.

    The logits at position i, `model(tokens[:, :-1])`, are about the token at position i + 1: there is a row of them for
    every pixel, and none for the class, which is not predicted. The shares are those of the softmax over all
    `D_VOCAB` tokens. The mean runs over all pixels of all images, and is a plain float. A model that gives all
    levels the same share, and classes none, has log2(17) = 4.09. `logits` and `tokens` are not changed.

    Raises `ValueError`, as `check_predictions` does, when shapes do not fit and when the tokens are no images.
    Source: van den Oord et al. 2016, section 5.1.
    """
    # 1. Refuse what cannot be scored
    check_predictions(logits, tokens)
    # 2. The log-probability of every token, at each pixel: batch n_pixels d_vocab
    log_probs = logits.log_softmax(dim=-1)
    # 3. Of these, that of the level which the pixel has: batch n_pixels 1
    of_pixels = log_probs.gather(-1, tokens[:, 1:].unsqueeze(-1))
    # 4. The mean surprise, in nats, and then in bits: a single number
    return (-of_pixels.mean() / math.log(2)).item()


def sample_images(
    model: LanguageModel, labels: Int[Tensor, "batch"], options: SamplingOptions, generator: Generator | None
) -> Int[Tensor, "batch side side"]:
    """Draw an image of each of these classes, every pixel by your `generate`, from what `GreyLevels` lets through.

    An image has as many pixels as the model has positions: `model.cfg.n_ctx` of them, of which the first is predicted
    at the class token and each of the others at the pixel before it. All rows are drawn at once, each by itself, so
    that the same class twice gives two images. All chance comes from `generator`, as in `generate`.

    Raises `ValueError`, as `check_labels` and `side_of` do, when a label is no class, when there is none, and when
    n_ctx pixels are no square.
    """
    # 1. Refuse what is no class
    check_labels(labels)
    # 2. The first token of each image, its class: batch 1
    prompts = N_LEVELS + labels.unsqueeze(1)
    # 3. All pixels, one after another: batch 1+n_pixels
    tokens = generate(GreyLevels(model), prompts, model.cfg.n_ctx, options, generator)
    # 4. Texts into images: batch side side
    return tokens_to_images(tokens)


def complete_images(
    model: LanguageModel,
    top_halves: Int[Tensor, "batch height width"],
    labels: Int[Tensor, "batch"],
    options: SamplingOptions,
    generator: Generator | None,
) -> Int[Tensor, "batch side side"]:
    """Go on with images of which the upper rows are given; these come back as they are, and what is below is drawn.

    As in `sample_images`, an image has `model.cfg.n_ctx` pixels, and is drawn by your `generate`. `top_halves` has the
    image's whole width and any number of rows: none (that is `sample_images`), half of them, or all. It is not changed.

    Raises `ValueError`, as `side_of` and `check_rows` do, when n_ctx pixels are no square, when the rows are not as
    wide as that or too many, when levels are none, when labels are no classes or not one for each, or there is none.
    """
    # 1. Refuse what cannot be gone on with
    side = side_of(model.cfg.n_ctx)
    check_rows(top_halves, labels, side)
    # 2. The class, then the pixels that are given, row after row: batch 1+given
    first = N_LEVELS + labels.unsqueeze(1)
    prompts = torch.cat([first, top_halves.flatten(1)], dim=1)
    # 3. The pixels that are missing, one after another: batch 1+n_pixels
    n_missing = model.cfg.n_ctx - top_halves[0].numel()
    tokens = generate(GreyLevels(model), prompts, n_missing, options, generator)
    # 4. Texts into images: batch side side
    return tokens_to_images(tokens)
