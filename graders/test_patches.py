"""The specification of patches, as laws that hold for every input. Read it beside `exercises/patches.py`."""

import torch
from torch.nn import functional as F

from graders.cases.vit_sizes import images_for, sizes_of_a_vit, vit_config
from graders.engine.law import expect_equal, expect_refusals, law
from graders.engine.script import module
from graders.engine.space import Case, fixed, given_case, space
from reference.patches import patchify

IMAGE = [[[1, 2, 3, 4], [5, 6, 7, 8]], [[10, 20, 30, 40], [50, 60, 70, 80]]]  # that of the page, two channels
PATCHES = [[1, 2, 5, 6, 10, 20, 50, 60], [3, 4, 7, 8, 30, 40, 70, 80]]


@space(batch=(1, 3), channels=(1, 3, 1), rows=(1, 3, 1), columns=(1, 4), size=(1, 3))
def pictures(case, batch, channels, rows, columns, size):
    """Images of so many rows and columns of patches, seldom square."""
    case.tensor("images", batch=batch, channels=channels, height=rows * size, width=columns * size)
    case.show("size", size)


@space(batch=(1, 3), channels=(1, 3, 1), rows=(1, 3, 1), columns=(1, 4), size=(1, 3))
def cut_pictures(case, batch, channels, rows, columns, size):
    """Patches, and the shape of the images that they are of."""
    n_patches, d_patch = rows * columns, channels * size**2
    case.tensor("patches", batch=batch, n_patches=n_patches, d_patch=d_patch)
    case.show("shape", (channels, rows * size, columns * size))
    case.columns = columns


@space(batch=(1, 3), n_channels=(1, 3, 1), per_side=(1, 3), patch_size=(1, 3), d_model=(1, 4))
def read_pictures(case, batch, n_channels, per_side, patch_size, d_model):
    """Square images for which a model is made, and its parameters."""
    sizes_of_a_vit(
        case, image_size=per_side * patch_size, patch_size=patch_size, n_channels=n_channels, d_model=d_model
    )
    images_for(case, batch)
    case.weights = {"W_patch": case.draw(n_channels * patch_size**2, d_model), "b_patch": case.draw(d_model)}


@fixed
def large_pictures(where):
    """More images, channels and patches than are drawn."""
    return [pictures.case(1, batch=9, channels=4, rows=7, columns=5, size=6)]


@fixed
def large_cut_pictures(where):
    """More patches, of more numbers, than are drawn."""
    return [cut_pictures.case(1, batch=9, channels=4, rows=7, columns=5, size=6)]


@fixed
def large_read_pictures(where):
    """More images, channels, patches and a wider stream than are drawn."""
    return [read_pictures.case(1, batch=9, n_channels=4, per_side=6, patch_size=5, d_model=20)]


@fixed
def whole_numbers(where):
    """The page's image, in whole numbers."""
    axes = {"images": "batch channels height width"}
    return [given_case(torch.tensor([PATCHES]), axes, images=torch.tensor([IMAGE]), size=2)]


@fixed
def whole_patches(where):
    """The page's patches, in whole numbers."""
    axes = {"patches": "batch n_patches d_patch"}
    return [given_case(torch.tensor([IMAGE]), axes, patches=torch.tensor([PATCHES]), shape=(2, 2, 4))]


@fixed
def read_by_hand(where):
    """One image of a single patch."""
    case = Case(0, {})
    sizes_of_a_vit(case, image_size=2, d_model=2)
    case.show("images", torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]], dtype=torch.float64), batch=1, channels=1)
    W_patch = torch.tensor([[1, 0], [0, 1], [1, 0], [0, -1]], dtype=torch.float64)
    case.weights = {"W_patch": W_patch, "b_patch": torch.tensor([0.5, 0.0], dtype=torch.float64)}
    case.expected = torch.tensor([[[4.5, -2.0]]], dtype=torch.float64)
    return [case]


@fixed
def other_images(where):
    """A map for images of 4 x 4 in three colours; the law says what it is given instead."""
    case = Case(0, {})
    sizes_of_a_vit(case, image_size=4, n_channels=3, d_model=2)
    case.weights = {"W_patch": torch.ones(12, 2, dtype=torch.float64), "b_patch": torch.ones(2, dtype=torch.float64)}
    return [case]


# patchify


@law("patchify", pictures)
def test_each_patch_is_a_square_of_the_image(subject, reference, case):
    """Patch r * columns + c has the numbers of the square at row r and column c, channel after channel."""
    yours = subject.patchify(case.images, case.size)
    squares = [strip.split(case.size, dim=3) for strip in case.images.split(case.size, dim=2)]
    for i, (row, column) in enumerate((r, c) for r in range(len(squares)) for c in range(len(squares[0]))):
        what = f"patch {i}, at row {row} and column {column}, of each image"
        expect_equal(yours[:, i], squares[row][column].flatten(1), what=what, note="that square, flattened")


@law("patchify", pictures)
def test_patches_are_those_of_pytorch(subject, reference, case):
    """The patches are the columns that PyTorch's unfold makes for a convolution."""
    expected = F.unfold(case.images, case.size, stride=case.size).transpose(1, 2)
    expect_equal(subject.patchify(case.images, case.size), expected, note="F.unfold, transposed")


@law("patchify", whole_numbers)
def test_patches_worked_by_hand(subject, reference, case):
    """The page's image of two channels has the two patches of the page, which are whole numbers as the image is."""
    expect_equal(subject.patchify(case.images, case.size), case.expected, note="worked out by hand on the page")


@law("patchify", pictures)
def test_rows_of_a_batch_do_not_mix(subject, reference, case):
    """An image has the same patches alone as in a batch."""
    yours, alone = subject.patchify(case.images, case.size), subject.patchify(case.images[-1:], case.size)
    expect_equal(yours[-1:], alone, what="the last image", note="that image alone")


@law("patchify", pictures)
def test_gradients_reach_every_pixel(subject, reference, case):
    """Gradients reach every pixel, each from its place."""
    yours = subject.gradients("patchify", case.images, case.size)
    expect_equal(yours, reference.gradients("patchify", case.images, case.size), what="gradient of")


@law("patchify", pictures.in_float32())
def test_patches_in_float32(subject, reference, case):
    """Images in float32 have patches in float32."""
    expect_equal(subject.patchify(case.images, case.size), reference.patchify(case.images, case.size))


@law("patchify", large_pictures)
def test_many_large_patches(subject, reference, case):
    """Nine images of four channels, each of 7 x 5 patches of 6 x 6, are cut as well."""
    expect_equal(subject.patchify(case.images, case.size), reference.patchify(case.images, case.size))


@law("patchify", whole_numbers)
def test_what_cannot_be_cut_is_refused(subject, reference, case):
    """A size that does not divide height and width, or is below 1, other axes than four, and no image: ValueError."""
    image = case.images.double()
    calls = {
        "patches of 2 x 2 in an image of 2 x 3": (image[..., :3], 2),
        "patches of 2 x 2 in an image of 3 x 2": (image[..., :3].transpose(2, 3), 2),
        "patches of 4 x 4 in an image of 2 x 4": (image, 4),
        "patches of size 0": (image, 0),
        "patches of size -1": (image, -1),
        "an image without a batch": (image[0], 2),
        "images without channels": (image[:, 0], 2),
        "no image": (image[:0], 2),
    }
    expect_refusals(subject, "patchify", calls)


# unpatchify


@law("unpatchify", cut_pictures)
def test_each_patch_goes_back_to_its_square(subject, reference, case):
    """The square at row r and column c has the numbers of patch r * columns + c, channel after channel."""
    yours = subject.unpatchify(case.patches, case.shape)
    channels, _height, width = case.shape
    size = width // case.columns
    for i in range(case.patches.shape[1]):
        row, column = divmod(i, case.columns)
        square = yours[:, :, row * size : (row + 1) * size, column * size : (column + 1) * size]
        what, note = f"the square at row {row} and column {column}", f"the numbers of patch {i}"
        expect_equal(square, case.patches[:, i].unflatten(1, (channels, size, size)), what=what, note=note)


@law("unpatchify", cut_pictures)
def test_cut_again_the_patches_are_what_they_were(subject, reference, case):
    """Cut again into patches of that size, the image gives the patches back."""
    yours = subject.unpatchify(case.patches, case.shape)
    again = patchify(yours, case.shape[2] // case.columns)
    expect_equal(again, case.patches, what="the image, cut again", note="what went in")


@law("unpatchify", pictures)
def test_put_together_again_the_image_is_what_it_was(subject, reference, case):
    """Cut and put together again, an image is what it was, to the bit."""
    patches = patchify(case.images, case.size)
    case.show("patches", patches, batch=len(patches), n_patches=patches.shape[1], d_patch=patches.shape[2])
    yours = subject.unpatchify(patches, tuple(case.images.shape[1:]))
    expect_equal(bool(torch.equal(yours, case.images)), True, what="whether it is the image, to the bit")


@law("unpatchify", whole_patches)
def test_image_worked_by_hand(subject, reference, case):
    """The page's patches make the page's image, of whole numbers as they are."""
    expect_equal(subject.unpatchify(case.patches, case.shape), case.expected, note="worked out by hand on the page")


@law("unpatchify", cut_pictures)
def test_gradients_reach_every_patch(subject, reference, case):
    """Gradients reach every number of every patch."""
    yours = subject.gradients("unpatchify", case.patches, case.shape)
    expect_equal(yours, reference.gradients("unpatchify", case.patches, case.shape), what="gradient of")


@law("unpatchify", cut_pictures.in_float32())
def test_images_in_float32(subject, reference, case):
    """Patches in float32 make images in float32."""
    expect_equal(subject.unpatchify(case.patches, case.shape), reference.unpatchify(case.patches, case.shape))


@law("unpatchify", large_cut_pictures)
def test_many_large_patches_make_images(subject, reference, case):
    """Nine images of four channels, each of 7 x 5 patches of 6 x 6, are put together as well."""
    expect_equal(subject.unpatchify(case.patches, case.shape), reference.unpatchify(case.patches, case.shape))


@law("unpatchify", whole_patches)
def test_what_does_not_fit_together_is_refused(subject, reference, case):
    """Patches that are no squares of these channels, too few or too many for the image, or none: ValueError."""
    patches = case.patches.double()
    calls = {
        "one patch for an image of two": (patches[:, :1], (2, 2, 4)),
        "two patches for an image of one": (patches, (2, 2, 2)),
        "patches of 8 numbers for one channel": (patches, (1, 4, 4)),
        "patches of 8 numbers for three channels": (patches, (3, 2, 4)),
        "patches of 2 x 2 for an image 1 high": (patches, (2, 1, 8)),
        "patches of 2 x 2 for an image 1 wide": (patches, (2, 8, 1)),
        "images of no channels": (patches, (0, 2, 4)),
        "images that are 0 high": (patches[:, :0], (2, 0, 4)),
        "patches without a batch": (patches[0], (2, 2, 4)),
        "no image": (patches[:0], (2, 2, 4)),
    }
    expect_refusals(subject, "unpatchify", calls)


# PatchEmbed


@law("PatchEmbed", read_pictures)
def test_embedding_is_a_convolution(subject, reference, case):
    """Each patch is mapped by W_patch and b_patch, as by a convolution whose steps are as long as its squares."""
    yours = subject.module("PatchEmbed", vit_config(case), case.weights)(case.images)
    channels, size = case.cfg["n_channels"], case.cfg["patch_size"]
    kernels = case.weights["W_patch"].T.unflatten(1, (channels, size, size))
    expected = F.conv2d(case.images, kernels, case.weights["b_patch"], stride=size).flatten(2).transpose(1, 2)
    expect_equal(yours, expected, note="a convolution by PyTorch")


@law("PatchEmbed", read_by_hand)
def test_vector_worked_by_hand(subject, reference, case):
    """The image 1, 2, 3, 4 becomes 4.5, -2 with the matrix of the page."""
    yours = subject.module("PatchEmbed", vit_config(case), case.weights)(case.images)
    expect_equal(yours, case.expected, note="worked out by hand on the page")


@law("PatchEmbed", read_pictures)
def test_every_patch_is_mapped_alike(subject, reference, case):
    """Images of nothing but zeros have b_patch at every patch."""
    yours = subject.module("PatchEmbed", vit_config(case), case.weights)(torch.zeros_like(case.images))
    expect_equal(yours, case.weights["b_patch"].expand(yours.shape), note="b_patch, for every patch of zeros")


@law("PatchEmbed", read_pictures)
def test_gradients_reach_pixels_and_matrix(subject, reference, case):
    """Gradients reach the images, W_patch and b_patch."""
    yours = subject.module("PatchEmbed", vit_config(case), case.weights).gradients(case.images)
    expected = reference.module("PatchEmbed", vit_config(case), case.weights).gradients(case.images)
    expect_equal(yours, expected, what="gradient of")


@law("PatchEmbed", read_pictures.in_float32())
def test_embedding_works_in_float32(subject, reference, case):
    """In float32 the vectors are the same, to float32's precision, in float32."""
    yours = subject.module("PatchEmbed", vit_config(case), case.weights)(case.images)
    expect_equal(yours, reference.module("PatchEmbed", vit_config(case), case.weights)(case.images))


@law("PatchEmbed", large_read_pictures)
def test_embedding_of_many_patches(subject, reference, case):
    """Nine images of 36 patches of 100 numbers each are mapped as well."""
    yours = subject.module("PatchEmbed", vit_config(case), case.weights)(case.images)
    expect_equal(yours, reference.module("PatchEmbed", vit_config(case), case.weights)(case.images))


@law("PatchEmbed", other_images)
def test_other_images_are_refused(subject, reference, case):
    """Images of another size, other channels, channels last, other axes, whole numbers, and no image: ValueError."""
    images = torch.ones(2, 3, 4, 4, dtype=torch.float64)
    calls = {
        "images of 4 x 6": torch.ones(2, 3, 4, 6, dtype=torch.float64),
        "images of 6 x 6": torch.ones(2, 3, 6, 6, dtype=torch.float64),
        "one channel in place of three": images[:, :1],
        "channels last": images.permute(0, 2, 3, 1),
        "images without channels": images[:, 0],
        "an image without a batch": images[0],
        "whole numbers": images.long(),
        "no image": images[:0],
    }

    def story(do):
        embed = do.make(module("PatchEmbed", vit_config(case), case.weights))
        return {what: do.caught(embed, given)["classes"] for what, given in calls.items()}

    for what, classes in subject.tell(story).items():
        found = "ValueError" if "ValueError" in classes else [*classes, "nothing"][0]
        expect_equal(found, "ValueError", what="the error", note=what)
