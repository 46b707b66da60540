"""CKA: how alike two layers see the same images, whatever their widths.

Two networks have no neuron in common, so their layers cannot be compared number by number. What can be compared is
which examples a layer holds to be alike. Centred kernel alignment does so: 1 when one layer's vectors are the other's,
turned, shifted and scaled as a whole; 0 when nothing linear in the one says anything about the other.

Sources: Kornblith et al., "Similarity of Neural Network Representations Revisited", 2019, section 3, equation 5 and
table 1; for ViTs and convolutional networks, Raghu et al., "Do Vision Transformers See Like Convolutional Neural
Networks?", 2021, section 3.

Yours to write: everything below that raises `NotImplementedError`.
`pytest graders/test_cka.py` checks it; docs/exercises/cka.md explains it.
"""

from jaxtyping import Float
from torch import Tensor


def check_layers(x: Tensor, y: Tensor) -> None:
    """Refuse, with a `ValueError`, what cannot be compared: see `linear_cka`."""
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or len(x) < 2:
        shapes = f"x has shape {tuple(x.shape)}, y {tuple(y.shape)}"
        raise ValueError(f"{shapes}; expected (n, d_x) and (n, d_y), with a row for each of at least two examples")
    for name, layer in (("x", x), ("y", y)):
        if not layer.isfinite().all() or (layer == layer[0]).all():
            raise ValueError(f"{name} is the same for all examples, or not finite; expected rows that differ")


def linear_cka(x: Float[Tensor, "n d_x"], y: Float[Tensor, "n d_y"]) -> Float[Tensor, ""]:
    """How alike two layers are, from 0 to 1: their linear centred kernel alignment.

    Row i of `x` is what the one layer makes of example i, row i of `y` what the other makes of it. With every column
    of both centred on zero, CKA is |yT x|^2 / (|xT x| |yT y|), where |.| is the Frobenius norm: the root of the sum
    of all squares. Gradients flow through it. `x` and `y` are not changed.

    Raises `ValueError`, as `check_layers` does, when there are not as many rows in both, when there are fewer than two,
    when all rows of one are equal, and when a number is not finite. Source: Kornblith et al. 2019, table 1.
    """
    # 1. Refuse what cannot be compared

    # 2. Every column centred on zero: n d_x, and n d_y

    # 3. How the columns of both go together: d_y d_x

    # 4. How each one's columns go with themselves: d_x d_x, and d_y d_y

    # 5. The square of the first's norm, by the norms of the other two: a single number

    raise NotImplementedError
