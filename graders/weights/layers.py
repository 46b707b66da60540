"""Cases from a real model: the weights of one layer or of all, and what TransformerLens computed with them."""

import functools

from torch import Tensor

from graders.engine.space import Case
from graders.weights.activations import activations, tokens_for
from graders.weights.checkpoint import Checkpoint, load_checkpoint, read_tensors

PARAMETERS_A_SECOND = 5_000_000  # how many a call may be given a second for, so that a large model is not stopped


def layer_cases(where: str | None, part: str, takes: str, gives: str) -> list[Case]:
    """`layer_case` for the first and the last layer of a checkpoint."""
    last = _computed(where)[0].cfg["n_layers"] - 1
    return [layer_case(where, layer, part, takes, gives) for layer in sorted({0, last})]


def layer_case(where: str | None, layer: int, part: str, takes: str, gives: str) -> Case:
    """A case for one part of one layer.

    `part` is its path below the block (`attn`), or empty for the block itself; `takes` and `gives` are hook
    points of TransformerLens below the block, whose activations become `case.x` and `case.expected`,
    (batch seq d_model). `case.weights` are the part's parameters; `case.computed` are all activations of the
    block, whose path is `case.path`. Nothing of it is shown but its sizes.
    """
    checkpoint, computed = _computed(where)
    case = Case(0, {})
    case.cfg = checkpoint.cfg
    case.path = f"blocks.{layer}"
    case.weights = below(checkpoint.weights, f"{case.path}.{part}".rstrip("."))
    case.x = computed[f"{case.path}.{takes}"]
    case.expected = computed[f"{case.path}.{gives}"]
    case.computed = {name: computed[name] for name in computed if name.startswith(f"{case.path}.")}
    case.from_model = f"layer {layer} of {checkpoint.folder.name}"
    return case


def model_case(where: str | None) -> Case:
    """A case for the whole model.

    `case.weights` are all its parameters, in our names; `case.state_dict` holds the same in the checkpoint's own
    names and layout, float64. `case.tokens` (1, seq) are the ids on which `case.computed` was computed, by
    TransformerLens's names. `case.seconds` is what one call may take.
    """
    checkpoint, computed = _computed(where)
    case = Case(0, {})
    case.cfg = checkpoint.cfg
    case.weights = checkpoint.weights
    case.state_dict = {name: t.double() for name, t in read_tensors(checkpoint.folder / "model.safetensors").items()}
    case.tokens = tokens_for(checkpoint)
    case.computed = computed
    case.seconds = 2 + sum(w.numel() for w in case.weights.values()) / PARAMETERS_A_SECOND
    case.from_model = checkpoint.folder.name
    return case


@functools.cache
def _computed(where: str | None) -> tuple[Checkpoint, dict[str, Tensor]]:
    """A checkpoint and its activations, which several laws look at."""
    checkpoint = load_checkpoint(where)
    return checkpoint, activations(checkpoint)


def below(weights: dict[str, Tensor], path: str) -> dict[str, Tensor]:
    """The parameters below a path, by the rest of their names."""
    return {name.removeprefix(path + "."): w for name, w in weights.items() if name.startswith(path + ".")}
