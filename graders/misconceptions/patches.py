"""Known mistakes in patches: each a patch on `reference/patches.py` that makes it."""

from graders.engine.misconception import Misconception

CHECK = "    check_cut(images, size)\n"
CUT = 'return rearrange(images, "batch c (row p) (column q) -> batch (row column) (c p q)", p=size, q=size)'
SIZE = "    size = size_of(patches, shape)\n"
ROWS = "rows = shape[1] // size"
JOIN = 'return rearrange(patches, "batch (row column) (c p q) -> batch c (row p) (column q)", row=rows, p=size, q=size)'
CHECK_IMAGES = "        check_images(images, self.cfg)\n"
PATCHES = "patches = patchify(images, self.cfg.patch_size)"
MAP = "return patches @ self.W_patch + self.b_patch"


def cut(old: str, new: str) -> tuple[str, str]:
    """The line that cuts, its pattern changed."""
    return CUT, CUT.replace(old, new)


def join(old: str, new: str) -> tuple[str, str]:
    """The line that joins, its pattern changed."""
    return JOIN, JOIN.replace(old, new)


MISCONCEPTIONS = (
    # patchify
    Misconception(
        "patches_column_by_column",
        "patchify",
        (cut("(row column) (", "(column row) ("),),
        "The patches come column by column: the second is the one below the first, not the one beside it.",
        "Which patch do you read after the first one, as you would read a page?",
    ),
    Misconception(
        "pixels_transposed",
        "patchify",
        (cut("(c p q)", "(c q p)"),),
        "Within a patch the pixels come column by column: every patch is transposed.",
        "Which number of the first patch comes second: the one beside the first pixel, or the one below it?",
    ),
    Misconception(
        "image_transposed",
        "patchify",
        (cut("(row column) (c p q)", "(column row) (c q p)"),),
        "Height and width have changed places: these are the patches of the image turned over its diagonal.",
        "Which axis of the images is their height?",
    ),
    Misconception(
        "channels_last",
        "patchify",
        (cut("(c p q)", "(p q c)"),),
        "The channels of each pixel stand side by side; asked for is all of one channel, then all of the next.",
        "In the page's example, does 10 stand beside 1, or after 6?",
    ),
    Misconception(
        "flattened_and_cut",
        "patchify",
        ((CUT, "return images.reshape(len(images), -1, images.shape[1] * size * size)"),),
        "The image was only reshaped: a patch is a piece of a row of pixels, not a square.",
        "Which pixels of the image lie below those of the first patch's upper row, and where are they now?",
    ),
    Misconception(
        "every_so_manyth_pixel",
        "patchify",
        (cut("(row p) (column q)", "(p row) (q column)"),),
        "A patch has pixels from all over the image, at equal distances, not neighbours.",
        "When a side is split in two, which of the two counts patches: the outer or the inner?",
    ),
    Misconception(
        "a_patch_for_each_channel",
        "patchify",
        (cut("(row column) (c p q)", "(c row column) (p q)"),),
        "Every channel is cut by itself, so that there are channels times too many patches.",
        "A patch of a colour image: how many numbers has it at each pixel?",
    ),
    Misconception(
        "channels_not_moved",
        "patchify",
        (
            (
                CUT,
                "squares = images.unfold(2, size, size).unfold(3, size, size)\n"
                "    return squares.reshape(len(images), -1, images.shape[1] * size * size)",
            ),
        ),
        "The channels were left before the patches: a vector has squares of one channel from several places.",
        "After you cut both sides, which axes are there, and which stands before the patches that belongs after them?",
    ),
    Misconception(
        "channel_rows_interleaved",
        "patchify",
        (cut("(c p q)", "(p c q)"),),
        "In a patch, the upper pixel row of all channels comes before the next pixel row.",
        "Is the first channel of a patch complete before the second begins?",
    ),
    Misconception(
        "patches_from_below",
        "patchify",
        ((CUT, CUT.replace("images, ", "images, ").replace("rearrange(images", "rearrange(images.flip(2)")),),
        "The image is upside down: the bottom row of pixels comes first.",
        "Which row of pixels has index 0: the top or the bottom?",
    ),
    Misconception(
        "rest_cut_off",
        "patchify",
        (
            (
                CHECK,
                "    images = images[:, :, : images.shape[2] // size * size, : images.shape[3] // size * size]\n"
                + CHECK,
            ),
        ),
        "What does not fill a patch at the right and at the bottom is cut off without a word.",
        "How would somebody notice that a strip of every image is missing?",
    ),
    Misconception(
        "uncuttable_not_refused",
        "patchify",
        ((CHECK, ""),),
        "What cannot be cut is not refused: no image at all gives no patches, and nobody is told.",
        "Which given function looks at the images first, and is it called?",
    ),
    # unpatchify
    Misconception(
        "squares_column_by_column",
        "unpatchify",
        (
            (ROWS, "rows = shape[1] // size\n    columns = shape[2] // size"),
            (JOIN, JOIN.replace("(row column) (", "(column row) (").replace("row=rows", "column=columns")),
        ),
        "The patches are put back column by column: the second comes below the first, not beside it.",
        "Where was the second patch before it was cut out: beside the first, or below it?",
    ),
    Misconception(
        "squares_transposed",
        "unpatchify",
        (join("(c p q) ->", "(c q p) ->"),),
        "Each square is transposed: the numbers of a patch are read column by column.",
        "Which pixel does the second number of a patch belong to?",
    ),
    Misconception(
        "channels_read_last",
        "unpatchify",
        (join("(c p q) ->", "(p q c) ->"),),
        "The numbers of a patch are read as if those of one pixel stood side by side.",
        "In the page's example, which channel do the first four numbers of a patch belong to?",
    ),
    Misconception(
        "patches_only_reshaped",
        "unpatchify",
        ((JOIN, "return patches.reshape(len(patches), *shape)"),),
        "The patches were only reshaped: each fills a strip of the image, not a square.",
        "Are the first numbers of the first patch and of the first row of pixels the same ones? How many of them?",
    ),
    Misconception(
        "patches_scattered",
        "unpatchify",
        (join("(row p) (column q)", "(p row) (q column)"),),
        "The pixels of each patch are scattered over the image at equal distances.",
        "When two axes become one side of the image, which must be the inner one, so that neighbours stay neighbours?",
    ),
    Misconception(
        "square_assumed",
        "unpatchify",
        ((ROWS, "rows = int(patches.shape[1] ** 0.5)"),),
        "As many rows as columns of patches were assumed: the root of their number.",
        "An image of two patches, side by side: how many rows of patches has it, and what says so?",
    ),
    Misconception(
        "height_and_width_exchanged",
        "unpatchify",
        (
            (ROWS, "rows = shape[2] // size"),
            (
                JOIN,
                "patches = patches.unflatten(1, (rows, -1)).unflatten(3, (shape[0], size, size))\n"
                "    return patches.permute(0, 3, 1, 4, 2, 5).reshape(len(patches), shape[0], shape[2], shape[1])",
            ),
        ),
        "Height and width of the shape have changed places.",
        "Which of the three numbers of the shape says how many rows of patches there are?",
    ),
    Misconception(
        "unfit_not_refused",
        "unpatchify",
        ((SIZE, "    size = max(1, int((patches.shape[-1] / shape[0]) ** 0.5))\n"),),
        "Patches that do not make an image of this shape are not refused.",
        "Two patches, and an image of one: what becomes of the other?",
    ),
    # PatchEmbed
    Misconception(
        "patch_bias_forgotten",
        "PatchEmbed",
        ((MAP, "return patches @ self.W_patch"),),
        "The bias b_patch is not added.",
        "What should come out for a patch of zeros?",
    ),
    Misconception(
        "kernels_only_reshaped",
        "PatchEmbed",
        (
            (
                MAP,
                "size = self.cfg.patch_size\n"
                "        kernels = self.W_patch.reshape(-1, self.cfg.n_channels, size, size)\n"
                "        return nn.functional.conv2d(images, kernels, self.b_patch, stride=size).flatten(2).mT",
            ),
        ),
        "W_patch was reshaped to kernels as it is, without being transposed: a convolution has the output first.",
        "W_patch is (d_patch d_model). Which of the two comes first in the weight of a convolution?",
    ),
    Misconception(
        "image_only_reshaped",
        "PatchEmbed",
        ((PATCHES, "patches = images.reshape(len(images), self.cfg.n_patches, -1)"),),
        "The image was only reshaped, not cut by patchify: each vector is about a piece of a row of pixels.",
        "Which of your functions makes squares of an image?",
    ),
    Misconception(
        "patch_order_turned",
        "PatchEmbed",
        ((MAP, "return (patches @ self.W_patch + self.b_patch).flip(1)"),),
        "The vectors come in the reverse order of the patches.",
        "Which patch should the first vector be about?",
    ),
    Misconception(
        "patches_normalised",
        "PatchEmbed",
        ((PATCHES, PATCHES + "\n        patches = patches - patches.mean(dim=-1, keepdim=True)"),),
        "The mean of each patch is taken off first, so that nobody can tell how bright it is.",
        "What should be the difference between a black patch and a white one?",
    ),
    Misconception(
        "vectors_scaled",
        "PatchEmbed",
        ((MAP, "return (patches @ self.W_patch + self.b_patch) * self.W_patch.shape[1] ** 0.5"),),
        "The vectors are multiplied by the square root of d_model.",
        "Is there anything in the specification beside one matrix and one bias?",
    ),
    Misconception(
        "activation_added",
        "PatchEmbed",
        ((MAP, "return (patches @ self.W_patch + self.b_patch).relu()"),),
        "An activation follows the linear map, which cuts off all that is below 0.",
        "Should any of these vectors have negative numbers?",
    ),
    Misconception(
        "other_images_not_refused",
        "PatchEmbed",
        ((CHECK_IMAGES, ""),),
        "Images of another size, or with their channels last, are not refused: they become other patches.",
        "An image of (4, 4, 3) where (3, 4, 4) is expected: what would the rest of the model see?",
    ),
)

# Mutations of the reference that nothing can tell from it, with the reason.
EQUIVALENT: dict[str, str] = {}
