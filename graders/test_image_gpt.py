"""The specification of image GPT, as laws that hold for every input. Read it beside `exercises/image_gpt.py`.

Images are drawn by your own `generate`, from toy models: their logits are sums of rows of a table.
"""

import math

import torch
from torch.nn import functional as F

from graders.cases import image_gpt_pictures as cases
from graders.cases.image_gpt_pictures import options
from graders.cases.sampling_draws import expect_chance_of_the_generator
from graders.engine.law import expect_equal, expect_figure, expect_refusals, law
from graders.engine.script import generator
from graders.engine.space import Case, fixed, given_case
from reference.image_gpt import D_VOCAB, N_LEVELS, images_to_tokens

GREEDY = {"temperature": 0.0}
# Options that leave one image, each by another of its fields
ONE_IMAGE = ({"top_k": 1}, {"top_p": 1e-6}, {"temperature": 1e-6}, GREEDY | {"frequency_penalty": 1.5})

# images_to_tokens


@law("images_to_tokens", cases.pictures)
def test_class_first_then_row_after_row(subject, reference, case):
    """Token 0 is 17 plus the class; token 1 + row * side + column is the grey level there."""
    yours = subject.images_to_tokens(case.images, case.labels)
    side = case.images.shape[2]
    expect_equal(yours[:, 0], N_LEVELS + case.labels, what="the first token of each image")
    for row in range(side):
        what = f"the tokens of row {row} of each image"
        expect_equal(yours[:, 1 + row * side : 1 + (row + 1) * side], case.images[:, row], what=what)


@law("images_to_tokens", cases.on_the_page)
def test_text_worked_by_hand(subject, reference, case):
    """The page's image, a 3, is the text 20, 0, 5, 16, 2."""
    expect_equal(subject.images_to_tokens(case.images, case.labels), case.tokens, note="worked out by hand on the page")


@law("images_to_tokens", cases.pictures)
def test_an_image_has_the_same_text_alone(subject, reference, case):
    """An image has the same text alone as in a batch."""
    alone = subject.images_to_tokens(case.images[-1:], case.labels[-1:])
    expect_equal(subject.images_to_tokens(case.images, case.labels)[-1:], alone, what="the last text", note="alone")


@law("images_to_tokens", cases.large_pictures)
def test_large_images_have_texts(subject, reference, case):
    """Nine images of 20 x 20 have their texts too."""
    expect_equal(
        subject.images_to_tokens(case.images, case.labels), reference.images_to_tokens(case.images, case.labels)
    )


@fixed
def no_images(where):
    """Levels and shapes that no image has, and labels that do not go with one."""
    return [given_case()]


@law("images_to_tokens", no_images)
def test_what_is_no_image_is_refused(subject, reference, case):
    """Levels below 0 or above 16, floats, images that are not square or have channels, wrong labels: ValueError."""
    images, labels = torch.arange(9).view(1, 3, 3).expand(2, -1, -1).contiguous(), torch.tensor([3, 9])
    calls = {
        "a level of 17": (images + 9, labels),
        "a level of -1": (images - 1, labels),
        "floats": (images / 16, labels),
        "images of 2 x 3": (images[:, :2], labels),
        "images of 3 x 2": (images[:, :, :2], labels),
        "a channel axis": (images.unsqueeze(1), labels),
        "an image without a batch": (images[0], labels[:1]),
        "fewer labels than images": (images, labels[:1]),
        "more labels than images": (images[:1], labels),
        "no image": (images[:0], labels[:0]),
        "images of no pixel": (images[:, :0, :0], labels),
    }
    calls |= {what: (images[: len(wrong)], wrong) for what, wrong in cases.wrong_labels(labels).items()}
    expect_refusals(subject, "images_to_tokens", calls)


# tokens_to_images


@law("tokens_to_images", cases.texts)
def test_row_after_row_without_the_class(subject, reference, case):
    """The pixel at row r and column c is token 1 + r * side + c; the class is left out."""
    yours = subject.tokens_to_images(case.tokens)
    side = case.images.shape[2]
    for row in range(side):
        expected = case.tokens[:, 1 + row * side : 1 + (row + 1) * side]
        expect_equal(yours[:, row], expected, what=f"row {row} of each image")


@law("tokens_to_images", cases.pictures)
def test_there_and_back_an_image_is_what_it_was(subject, reference, case):
    """Written and read again, an image is what it was."""
    case.show("tokens", images_to_tokens(case.images, case.labels), batch=len(case.images))
    expect_equal(subject.tokens_to_images(case.tokens), case.images, note="the images that were written")


@law("tokens_to_images", cases.on_the_page)
def test_image_worked_by_hand(subject, reference, case):
    """The text 20, 0, 5, 16, 2 is the page's image."""
    expect_equal(subject.tokens_to_images(case.tokens), case.images, note="worked out by hand on the page")


@law("tokens_to_images", cases.large_texts)
def test_long_texts_are_images(subject, reference, case):
    """Nine texts of 401 tokens are images of 20 x 20."""
    expect_equal(subject.tokens_to_images(case.tokens), reference.tokens_to_images(case.tokens))


@law("tokens_to_images", cases.on_the_page)
def test_what_is_no_text_of_an_image_is_refused(subject, reference, case):
    """A first token that is no class, a later one that is no level, pixels that make no square: ValueError."""
    tokens = case.tokens.repeat(2, 1)
    no_class, class_later, minus, unknown = (tokens.clone() for _ in range(4))
    no_class[1, 0], class_later[1, 4], minus[0, 2], unknown[0, 0] = 16, 17, -1, 27
    calls = {
        "a level where the class should be": (no_class,),
        "a class where a level should be": (class_later,),
        "a token of -1": (minus,),
        "a token of 27": (unknown,),
        "three pixels": (tokens[:, :4],),
        "no pixel": (tokens[:, :1],),
        "floats": (tokens.double(),),
        "one text without a batch": (tokens[0],),
        "no text": (tokens[:0],),
    }
    expect_refusals(subject, "tokens_to_images", calls)


# bits_per_pixel


@law("bits_per_pixel", cases.predictions)
def test_surprise_is_pytorchs_in_bits(subject, reference, case):
    """The number is PyTorch's cross-entropy of each pixel's logits against its level, in bits."""
    expected = F.cross_entropy(case.logits.flatten(0, 1), case.tokens[:, 1:].flatten()) / math.log(2)
    expect_bits(subject, case, expected.item(), note="F.cross_entropy, divided by ln 2")


@law("bits_per_pixel", cases.on_the_page)
def test_bits_worked_by_hand(subject, reference, case):
    """Where the levels that came had one in 2, 4, 8 and 8, it is (1 + 2 + 3 + 3) / 4 = 2.25 bits."""
    expect_bits(subject, case, 2.25, note="worked out by hand on the page")


@law("bits_per_pixel", cases.predictions)
def test_knowing_nothing_costs_the_logarithm_of_17(subject, reference, case):
    """Where all levels are alike and classes ruled out, it is log2(17); where classes are like levels, log2(27)."""
    alike = torch.zeros_like(case.logits)
    expect_figure(subject.bits_per_pixel(alike, case.tokens), 4.754887502163468, note="all 27 tokens alike")
    levels = alike.index_fill(2, torch.arange(N_LEVELS, D_VOCAB), -torch.inf)
    expect_figure(subject.bits_per_pixel(levels, case.tokens), 4.087462841250339, note="the 17 levels alike")


@law("bits_per_pixel", cases.predictions.in_float32())
def test_bits_of_logits_in_float32(subject, reference, case):
    """Logits in float32 give the same, to float32's precision."""
    yours, expected = (one.bits_per_pixel(case.logits, case.tokens) for one in (subject, reference))
    expect_equal(torch.tensor(yours, dtype=torch.float32), torch.tensor(expected, dtype=torch.float32))


@law("bits_per_pixel", cases.on_the_page)
def test_what_cannot_be_scored_is_refused(subject, reference, case):
    """Logits for the class too or a pixel too few, of other images or another vocabulary; no images: ValueError."""
    logits, tokens = case.logits.clamp(min=-9).repeat(2, 1, 1), case.tokens.repeat(2, 1)
    no_class = tokens.roll(1, dims=1)
    calls = {
        "logits for all tokens": (torch.cat([logits[:, :1], logits], dim=1), tokens),
        "logits for a pixel too few": (logits[:, 1:], tokens),
        "logits of one image for two": (logits[:1], tokens),
        "logits of 17 tokens": (logits[..., :N_LEVELS], tokens),
        "logits of 28 tokens": (torch.cat([logits, logits[..., :1]], dim=2), tokens),
        "a level where the class should be": (logits, no_class),
        "no images": (logits[:0], tokens[:0]),
    }
    expect_refusals(subject, "bits_per_pixel", calls)


def expect_bits(subject, case: Case, expected: float, note: str) -> None:
    """Hold that the case's predictions cost this many bits a pixel."""
    expect_figure(subject.bits_per_pixel(case.logits, case.tokens), expected, note=note)


# sample_images


@law("sample_images", cases.counting_models)
def test_images_worked_by_hand(subject, reference, case):
    """A model that draws c first and then counts draws 3, 4, 5, 6 for class 3, and 9, 10, 11, 12 for class 9."""
    yours = subject.sample_images(case.model, case.labels, options(**GREEDY), generator(1))
    expect_equal(yours, case.expected, note="worked out by hand")


@law("sample_images", cases.drawings)
def test_greedy_images_are_the_only_ones(subject, reference, case):
    """At temperature 0 each pixel is the level of the largest logit, by class and pixels so far; no class is drawn."""
    arguments = (case.model, case.labels, options(**GREEDY), generator(1))
    expect_equal(subject.sample_images(*arguments), reference.sample_images(*arguments))


@law("sample_images", cases.drawings)
def test_options_are_passed_on(subject, reference, case):
    """With top-k 1, top-p or temperature of nearly 0, images are the greedy ones; so they are with a penalty."""
    subject.repeats = False  # that chance comes from the generator is a law of its own
    for fields in ONE_IMAGE:
        yours = subject.sample_images(case.model, case.labels, options(**fields), generator(1))
        expected = reference.sample_images(case.model, case.labels, options(**fields), generator(1))
        expect_equal(yours, expected, what=f"images with {fields}")


@law("sample_images", cases.undecided_models)
def test_a_class_is_never_a_pixel(subject, reference, case):
    """However likely the model holds a class at a pixel, what is drawn there is a grey level."""
    subject.repeats = False  # that chance comes from the generator is a law of its own
    yours = subject.sample_images(case.model, case.labels, options(), generator(3))
    expect_equal(yours, yours.clamp(0, N_LEVELS - 1), what="the pixels", note="grey levels alone")


@law("sample_images", cases.undecided_models)
def test_images_of_one_class_differ(subject, reference, case):
    """Four images of one class, drawn together, are four images."""
    subject.repeats = False  # that chance comes from the generator is a law of its own
    drawn = subject.sample_images(case.model, case.labels, options(), generator(3))[:4]
    expect_equal(len(drawn.unique(dim=0)), 4, what="how many different images")


@law("sample_images", cases.undecided_models)
def test_chance_of_images_comes_from_the_generator(subject, reference, case):
    """The same state of the generator draws the same images, and its next state others, as does no generator."""
    subject.repeats = False  # without a generator, the same call draws other images
    expect_chance_of_the_generator(subject, "sample_images", case.model, case.labels, options(), calls=2)


@law("sample_images", cases.large_drawings)
def test_images_of_64_pixels_are_drawn(subject, reference, case):
    """Ten images of 8 x 8, one of each class, are drawn as well."""
    arguments = (case.model, case.labels, options(**GREEDY), generator(1))
    expect_equal(subject.sample_images(*arguments), reference.sample_images(*arguments))


@law("sample_images", cases.counting_models)
def test_what_cannot_be_drawn_is_refused(subject, reference, case):
    """Labels that are no class, or none at all, and a model whose pixels make no square: ValueError."""
    calls = {
        what: (case.model, wrong, options(**GREEDY), generator(1))
        for what, wrong in cases.wrong_labels(case.labels).items()
    }
    calls["a model of three pixels"] = (cases.other_model(3), case.labels, options(**GREEDY), generator(1))
    expect_refusals(subject, "sample_images", calls)


# complete_images


@law("complete_images", cases.begun_drawings)
def test_what_is_given_comes_back(subject, reference, case):
    """The upper rows come back as they were given."""
    subject.repeats = False  # that chance comes from the generator is a law of its own
    arguments = (case.model, case.top_halves, case.labels, options(temperature=2.0), generator(4))
    height = case.top_halves.shape[1]
    expect_equal(subject.complete_images(*arguments)[:, :height], case.top_halves, what="the upper rows")


@law("complete_images", cases.counting_models)
def test_completions_worked_by_hand(subject, reference, case):
    """The model that counts goes on after 7, 8 with 9, 10, and after 15, 16 with 0, 1."""
    yours = subject.complete_images(case.model, case.top_halves, case.labels, options(**GREEDY), generator(1))
    expect_equal(yours, case.completed, note="worked out by hand")


@law("complete_images", cases.begun_drawings)
def test_greedy_completions_are_the_only_ones(subject, reference, case):
    """At temperature 0 each missing pixel is the level of the largest logit, of class and all pixels so far."""
    arguments = (case.model, case.top_halves, case.labels, options(**GREEDY), generator(1))
    expect_equal(subject.complete_images(*arguments), reference.complete_images(*arguments))


@law("complete_images", cases.begun_drawings)
def test_options_count_for_completions_too(subject, reference, case):
    """With top-k 1, top-p or temperature of nearly 0, completions are the greedy ones; so they are with a penalty."""
    subject.repeats = False  # that chance comes from the generator is a law of its own
    begun = (case.model, case.top_halves, case.labels)
    for fields in ONE_IMAGE:
        yours = subject.complete_images(*begun, options(**fields), generator(1))
        expected = reference.complete_images(*begun, options(**fields), generator(1))
        expect_equal(yours, expected, what=f"images with {fields}")


@law("complete_images", cases.begun_drawings)
def test_with_nothing_given_it_is_a_sample(subject, reference, case):
    """With no row given, images are those that a sample at temperature 0 gives, and with all rows given they stay."""
    subject.repeats = False  # that chance comes from the generator is a law of its own
    nothing = case.top_halves[:, :0]
    sampled = reference.sample_images(case.model, case.labels, options(**GREEDY), generator(1))
    yours = subject.complete_images(case.model, nothing, case.labels, options(**GREEDY), generator(1))
    expect_equal(yours, sampled, what="with no row given", note="a sample")
    whole = subject.complete_images(case.model, sampled, case.labels, options(), generator(1))
    expect_equal(whole, sampled, what="with all rows given", note="the rows that were given")


@law("complete_images", cases.undecided_models)
def test_a_class_is_never_a_missing_pixel(subject, reference, case):
    """However likely the model holds a class at a pixel, what is drawn there is a grey level."""
    subject.repeats = False  # that chance comes from the generator is a law of its own
    yours = subject.complete_images(case.model, case.top_halves, case.labels, options(), generator(3))
    expect_equal(yours, yours.clamp(0, N_LEVELS - 1), what="the pixels", note="grey levels alone")


@law("complete_images", cases.undecided_models)
def test_completions_of_one_image_differ(subject, reference, case):
    """Four completions of the same rows of one class, drawn together, are four images."""
    subject.repeats = False  # that chance comes from the generator is a law of its own
    arguments = (case.model, case.top_halves, case.labels, options(), generator(3))
    expect_equal(len(subject.complete_images(*arguments)[:4].unique(dim=0)), 4, what="how many different images")


@law("complete_images", cases.undecided_models)
def test_chance_of_completions_comes_from_the_generator(subject, reference, case):
    """The same state of the generator draws the same images, and its next state others, as does no generator."""
    subject.repeats = False  # without a generator, the same call draws other images
    arguments = (case.model, case.top_halves, case.labels, options())
    expect_chance_of_the_generator(subject, "complete_images", *arguments, calls=2)


@law("complete_images", cases.large_begun_drawings)
def test_halves_of_64_pixels_are_completed(subject, reference, case):
    """Nine upper halves of 8 x 8 images are gone on with as well."""
    arguments = (case.model, case.top_halves, case.labels, options(**GREEDY), generator(1))
    expect_equal(subject.complete_images(*arguments), reference.complete_images(*arguments))


@law("complete_images", cases.counting_models)
def test_what_cannot_be_completed_is_refused(subject, reference, case):
    """Rows too wide, too narrow or too many, wrong levels, wrong labels, and pixels that make no square: ValueError."""
    tops, end = case.top_halves, (options(**GREEDY), None)
    calls = {
        "rows one pixel too wide": (case.model, tops[..., [0, 1, 1]], case.labels, *end),
        "rows one pixel too narrow": (case.model, tops[..., :1], case.labels, *end),
        "three rows of two": (case.model, tops.repeat(1, 3, 1), case.labels, *end),
        "a level of 17": (case.model, tops + 1, case.labels, *end),
        "a level of -1": (case.model, tops - 8, case.labels, *end),
        "floats": (case.model, tops / 16, case.labels, *end),
        "a channel axis": (case.model, tops.unsqueeze(1), case.labels, *end),
        "fewer labels than images": (case.model, tops, case.labels[:1], *end),
        "a model of three pixels": (cases.other_model(3), tops, case.labels, *end),
    }
    for what, wrong in cases.wrong_labels(case.labels).items():
        calls[what] = (case.model, tops[: len(wrong)], wrong, *end)
    expect_refusals(subject, "complete_images", calls)
