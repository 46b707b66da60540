"""Right answers to patches, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "reshape_and_permute",
        """
def patchify(images, size):
    check_cut(images, size)
    batch, channels, height, width = images.shape
    cut = images.reshape(batch, channels, height // size, size, width // size, size)
    return cut.permute(0, 2, 4, 1, 3, 5).reshape(batch, -1, channels * size * size)


def unpatchify(patches, shape):
    size = size_of(patches, shape)
    channels, height, width = shape
    squares = patches.reshape(len(patches), height // size, width // size, channels, size, size)
    return squares.permute(0, 3, 1, 4, 2, 5).reshape(len(patches), channels, height, width)
""",
    ),
    Variant(
        "pytorch_unfold_and_fold",
        """
def patchify(images, size):
    check_cut(images, size)
    if not images.is_floating_point():
        return patchify(images.double(), size).to(images.dtype)
    return nn.functional.unfold(images, size, stride=size).transpose(1, 2)


def unpatchify(patches, shape):
    size = size_of(patches, shape)
    if not patches.is_floating_point():
        return unpatchify(patches.double(), shape).to(patches.dtype)
    return nn.functional.fold(patches.transpose(1, 2), shape[1:], size, stride=size)
""",
    ),
    Variant(
        "loops_over_squares",
        """
def patchify(images, size):
    check_cut(images, size)
    rows, columns = images.shape[2] // size, images.shape[3] // size
    found = []
    for row in range(rows):
        for column in range(columns):
            square = images[:, :, row * size : (row + 1) * size, column * size : (column + 1) * size]
            found.append(square.reshape(len(images), -1))
    return torch.stack(found, dim=1)


def unpatchify(patches, shape):
    size = size_of(patches, shape)
    channels, height, width = shape
    images = patches.new_zeros(len(patches), channels, height, width)
    columns = width // size
    for i in range(patches.shape[1]):
        top, left = i // columns * size, i % columns * size
        square = patches[:, i].view(-1, channels, size, size)
        images[:, :, top : top + size, left : left + size] = square
    return images
""",
    ),
    Variant(
        "a_strided_convolution",
        """
class PatchEmbed(PatchEmbed):
    def forward(self, images):
        check_images(images, self.cfg)
        size = self.cfg.patch_size
        kernels = self.W_patch.T.reshape(-1, self.cfg.n_channels, size, size)
        return nn.functional.conv2d(images, kernels, self.b_patch, stride=size).flatten(2).mT
""",
    ),
    Variant(
        "views_of_strips",
        """
def patchify(images, size):
    check_cut(images, size)
    strips = images.unfold(2, size, size).unfold(3, size, size)
    return strips.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)


def unpatchify(patches, shape):
    size = size_of(patches, shape)
    channels, height, width = shape
    rows = patches.unflatten(2, (channels, size, size)).split(width // size, dim=1)
    strips = [torch.cat(list(row.unbind(1)), dim=3) for row in rows]
    return torch.cat(strips, dim=2)


class PatchEmbed(PatchEmbed):
    def forward(self, images):
        check_images(images, self.cfg)
        return nn.functional.linear(patchify(images, self.cfg.patch_size), self.W_patch.T, self.b_patch)
""",
    ),
    Variant(
        "einsum_and_own_checks",
        """
def patchify(images, size):
    if len(images.shape) != 4 or images.shape[0] < 1 or size <= 0:
        raise ValueError("no images, or no patches")
    if any(side % size != 0 for side in images.shape[-2:]):
        raise ValueError("the size does not divide the sides")
    return rearrange(images, "b c (h p1) (w p2) -> b (h w) (c p1 p2)", p1=size, p2=size)


class PatchEmbed(PatchEmbed):
    def forward(self, images):
        check_images(images, self.cfg)
        patches = patchify(images, self.cfg.patch_size)
        return torch.einsum("bnp,pd->bnd", patches, self.W_patch) + self.b_patch.view(1, 1, -1)
""",
    ),
)
