"""Cases from a real model: one layer's weights, and what TransformerLens computed around it."""

from torch import Tensor

from graders.engine.space import Case
from graders.weights.activations import activations
from graders.weights.checkpoint import load_checkpoint


def layer_cases(where: str | None, part: str, takes: str, gives: str) -> list[Case]:
    """`layer_case` for the first and the last layer of a checkpoint."""
    last = load_checkpoint(where).cfg["n_layers"] - 1
    return [layer_case(where, layer, part, takes, gives) for layer in sorted({0, last})]


def layer_case(where: str | None, layer: int, part: str, takes: str, gives: str) -> Case:
    """A case for one part of one layer.

    `part` is its path below the block (`attn`), or empty for the block itself; `takes` and `gives` are hook
    points of TransformerLens below the block, whose activations become `case.x` and `case.expected`,
    (batch seq d_model). `case.weights` are the part's parameters. Nothing of it is shown but its sizes.
    """
    checkpoint = load_checkpoint(where)
    computed = activations(checkpoint)
    case = Case(0, {})
    case.cfg = checkpoint.cfg
    case.weights = below(checkpoint.weights, f"blocks.{layer}.{part}".rstrip("."))
    case.x = computed[f"blocks.{layer}.{takes}"]
    case.expected = computed[f"blocks.{layer}.{gives}"]
    case.computed = {name: computed[name] for name in computed if name.startswith(f"blocks.{layer}.")}
    case.from_model = f"layer {layer} of {checkpoint.folder.name}"
    return case


def below(weights: dict[str, Tensor], path: str) -> dict[str, Tensor]:
    """The parameters below a path, by the rest of their names."""
    return {name.removeprefix(path + "."): w for name, w in weights.items() if name.startswith(path + ".")}
