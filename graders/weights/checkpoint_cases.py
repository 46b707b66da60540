"""Cases for the conversion of a checkpoint: random tensors in GPT-2's names and layout, whole or with one mistake."""

import torch

from graders.engine.space import fixed, space

SIZES = ("d_vocab", "n_ctx", "n_layers", "n_heads", "d_model", "d_head", "d_mlp")
# No two sizes alike, so that no tensor is square and a transposed one has another shape
SMALL = {"n_layers": 2, "n_heads": 2, "d_head": 3, "d_model": 5, "d_mlp": 4, "d_vocab": 7}


def show_sizes(case):
    """Let a message show the sizes of a case that has no other input to show."""
    case.show("GPTConfig", ", ".join(f"{name} {case.cfg[name]}" for name in SIZES))


@space(n_layers=(1, 2), n_heads=(1, 3), d_head=(1, 3), d_model=(1, 6), d_mlp=(1, 4), d_vocab=(1, 6))
def checkpoints(case, **sizes):
    """A checkpoint of random numbers; in some n_heads * d_head is d_model, in some the tied head is stored as well."""
    if case.seed % 3 == 0:
        sizes["d_model"] = sizes["n_heads"] * sizes["d_head"]
    case.config(n_ctx=3, **sizes)
    show_sizes(case)
    case.state_dict = {f"transformer.{name}": case.draw(*shape) for name, shape in layout(case.cfg).items()}
    if case.seed % 2:
        case.state_dict["lm_head.weight"] = case.state_dict["transformer.wte.weight"].clone()


@fixed
def deep_checkpoints(where):
    """Layers whose numbers have two digits, in float64 and in float32."""
    return [kind.case(2, **SMALL | {"n_layers": 12}) for kind in (checkpoints, checkpoints.in_float32())]


@fixed
def lacking(where):
    """A checkpoint without one of its tensors, for each of them."""
    return [damaged(name, None, "missing") for name in checkpoints.case(2, **SMALL).state_dict]


@fixed
def misshapen(where):
    """A checkpoint with one tensor of a wrong shape, for each of them: a row more, a column more, transposed."""
    cases = []
    for name, tensor in checkpoints.case(2, **SMALL).state_dict.items():
        wrong = [torch.cat([tensor, tensor[:1]])]
        if tensor.ndim == 2:
            wrong += [torch.cat([tensor, tensor[:, :1]], dim=1), tensor.T.contiguous()]
        cases += [damaged(name, w, f"of shape {tuple(w.shape)}, not {tuple(tensor.shape)}") for w in wrong]
    return cases


def damaged(name, tensor, how):
    """The small checkpoint with another tensor under a name, or with none."""
    case = checkpoints.case(2, **SMALL)
    case.name = name.removeprefix("transformer.")  # so much of it must be in the message
    del case.state_dict[name]
    if tensor is not None:
        case.state_dict[name] = tensor
    case.show("checkpoint", f"{name} is {how}")
    return case


def layout(cfg: dict) -> dict[str, tuple[int, ...]]:
    """The tensors of a GPT-2 checkpoint and their shapes."""
    d_model, d_mlp, d_attn = cfg["d_model"], cfg["d_mlp"], cfg["n_heads"] * cfg["d_head"]
    shapes: dict[str, tuple[int, ...]] = {
        "wte.weight": (cfg["d_vocab"], d_model),
        "wpe.weight": (cfg["n_ctx"], d_model),
    }
    linear = {
        "attn.c_attn": (d_model, 3 * d_attn),
        "attn.c_proj": (d_attn, d_model),
        "mlp.c_fc": (d_model, d_mlp),
        "mlp.c_proj": (d_mlp, d_model),
    }
    norms = ["ln_f"]
    for layer in range(cfg["n_layers"]):
        norms += [f"h.{layer}.ln_1", f"h.{layer}.ln_2"]
        for name, (d_in, d_out) in linear.items():
            shapes |= {f"h.{layer}.{name}.weight": (d_in, d_out), f"h.{layer}.{name}.bias": (d_out,)}
    return shapes | {f"{norm}.{kind}": (d_model,) for norm in norms for kind in ("weight", "bias")}
