"""The specification of the vision transformer, as laws that hold for every input. Read it beside `exercises/vit.py`.

The wiring of `ViT` is graded with probes in the places of its parts: x @ matrix + bias, where a block's also sums over
the tokens after each, so that the class token sees all. The last laws run your own parts.
"""

import torch
from torch import Tensor, nn

from graders.cases.vit_sizes import all_parameters, images_for, own_parameters, sizes_of_a_vit, vit_config
from graders.engine.law import Broken, expect_equal, law
from graders.engine.script import module
from graders.engine.space import Case, fixed, space
from reference.mlp import gelu_new
from reference.patches import patchify

ATTENTION = {
    **{f"W_{letter}": "n_heads d_model d_head" for letter in "QKV"},
    **{f"b_{letter}": "n_heads d_head" for letter in "QKV"},
    "W_O": "n_heads d_head d_model",
    "b_O": "d_model",
}


@space(batch=(1, 3), seq=(1, 5), n_heads=(1, 3, 1), d_model=(1, 4), d_head=(1, 3))
def streams(case, batch, seq, n_heads, d_model, d_head):
    """A residual stream, and an attention layer with random weights and biases."""
    case.config(n_heads=n_heads, d_model=d_model, d_head=d_head)
    case.parameters(**ATTENTION)
    case.tensor("x", batch=batch, seq=seq, d_model=d_model)
    if case.seed % 5 == 4:  # a softmax of large scores would turn a rounding into another answer
        case.weights |= {name: value.clamp(-2, 2) for name, value in case.weights.items()}
        case.x = case.x.clamp(-2, 2)


@fixed
def large_streams(where):
    """More rows, tokens and heads than are drawn."""
    case = streams.case(1, batch=9, seq=70, n_heads=5, d_model=20, d_head=6)
    case.weights |= {name: value / 10 for name, value in case.weights.items()}
    return [case]


@space(batch=(1, 3), per_side=(1, 3), n_layers=(1, 3), d_model=(1, 4), n_classes=(1, 4), patch_size=(1, 2, 1))
def wired_models(case, batch, per_side, n_layers, d_model, n_classes, patch_size):
    """Images, a model's own parameters, and a different probe in the place of every part."""
    side = per_side * patch_size
    sizes = {"n_layers": n_layers, "d_model": d_model, "n_classes": n_classes, "n_channels": 1 + case.seed % 2}
    sizes_of_a_vit(case, image_size=side, patch_size=patch_size, **sizes)
    images_for(case, batch)
    case.weights = own_parameters(case)
    d_patch = case.cfg["n_channels"] * patch_size**2
    case.parts = {
        "patch_embed": {"kind": "pieces", "matrix": case.draw(d_patch, d_model), "bias": case.draw(d_model)},
        **{f"blocks.{layer}": affine(case, "gather") for layer in range(n_layers)},
        "ln_final": affine(case, "affine"),
    }


@fixed
def deep_models(where):
    """More blocks, images and patches than are drawn."""
    return [wired_models.case(2, batch=9, per_side=5, n_layers=13, d_model=3, n_classes=11, patch_size=2)]


@space(batch=(1, 2), per_side=(1, 2), patch_size=(1, 2), n_layers=(1, 2), n_heads=(1, 2), d_head=(1, 3))
def whole_models(case, batch, per_side, patch_size, n_layers, n_heads, d_head):
    """Images, and random weights for every part of a model, whose heads fill the stream."""
    sizes = {"image_size": per_side * patch_size, "patch_size": patch_size, "n_layers": n_layers, "n_heads": n_heads}
    sizes_of_a_vit(case, d_head=d_head, d_model=n_heads * d_head, **sizes)
    images_for(case, batch)
    case.images = case.images.clamp(-2, 2)
    case.weights = all_parameters(case)


@fixed
def worked_by_hand(where):
    """The example of docs/exercises/vit.md: two patches, a class token, one block that adds up, a norm that halves."""
    case = Case(0, {})
    sizes_of_a_vit(case, image_size=2, patch_size=1, d_model=1, n_classes=2)
    image = [[1.0, 2.0], [3.0, 4.0]]
    case.show("images", torch.tensor([[image]], dtype=torch.float64), batch=1, channels=1, height=2, width=2)
    numbers = {"class_token": [10.0], "W_pos": [[100.0], [0.1], [0.2], [0.3], [0.4]], "W_head": [[1.0, -1.0]]}
    numbers |= {"b_head": [0.0, 5.0]}
    case.weights = {name: torch.tensor(value, dtype=torch.float64) for name, value in numbers.items()}
    one, none = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    case.parts = {
        "patch_embed": {"kind": "pieces", "matrix": one, "bias": none},
        "blocks.0": {"kind": "affine", "matrix": 2 * one, "bias": none},
        "ln_final": {"kind": "affine", "matrix": one / 2, "bias": none + 1},
    }
    case.expected = torch.tensor([[111.0, -106.0]], dtype=torch.float64)
    return [case]


@fixed
def other_images(where):
    """A model for images of 4 x 4 in three colours; the law says what it is given instead."""
    case = Case(0, {})
    sizes_of_a_vit(case, n_channels=3)
    case.weights = all_parameters(case)
    return [case]


def affine(case: Case, kind: str) -> dict:
    """A probe from the stream to the stream."""
    d_model = case.cfg["d_model"]
    return {"kind": kind, "matrix": case.draw(d_model, d_model), "bias": case.draw(d_model)}


def attention_of(subject, case):
    """The subject's attention layer with the case's weights."""
    return subject.module("BidirectionalAttention", case.cfg, case.weights)


def model_of(subject, case):
    """The subject's model with the case's probes in it, and the case's own parameters."""
    return subject.module("ViT", vit_config(case), case.weights, case.parts)


def whole(subject, case, **changed):
    """The subject's model of its own parts, with the case's parameters but for some."""
    return subject.module("ViT", vit_config(case), case.weights | changed)


def readings(case) -> dict[str, Tensor]:
    """What each part that reads the stream should read, in order, and at last what the class token has gathered."""
    cut = case.images.flatten(1).unflatten(1, (-1, len(case.parts["patch_embed"]["matrix"])))
    patches = cut @ case.parts["patch_embed"]["matrix"] + case.parts["patch_embed"]["bias"]
    class_token = case.weights["class_token"].expand(len(patches), 1, -1)
    residual = torch.cat([class_token, patches], dim=1) + case.weights["W_pos"]
    found = {}
    for part in [*(f"blocks.{layer}" for layer in range(case.cfg["n_layers"])), "ln_final"]:
        found[part] = residual
        residual = residual @ case.parts[part]["matrix"] + case.parts[part]["bias"]
        if case.parts[part]["kind"] == "gather":
            residual = residual.flip(1).cumsum(dim=1).flip(1)
    return found | {"": residual[:, 0]}


def by_torch(case) -> Tensor:
    """The logits of a `torch.nn.TransformerEncoder` with the case's weights: the same stream, another's blocks."""
    cfg, weights = case.cfg, case.weights
    layer = nn.TransformerEncoderLayer(
        cfg["d_model"],
        cfg["n_heads"],
        cfg["d_mlp"],
        dropout=0.0,
        activation=gelu_new,
        layer_norm_eps=cfg["layer_norm_eps"],
        batch_first=True,
        norm_first=True,
    )
    norm = nn.LayerNorm(cfg["d_model"], eps=cfg["layer_norm_eps"])
    encoder = nn.TransformerEncoder(layer, cfg["n_layers"], norm, enable_nested_tensor=False).double()
    encoder.load_state_dict(encoder_weights(cfg["n_layers"], weights))
    patches = patchify(case.images, cfg["patch_size"]) @ weights["patch_embed.W_patch"] + weights["patch_embed.b_patch"]
    tokens = torch.cat([weights["class_token"].expand(len(patches), 1, -1), patches], dim=1) + weights["W_pos"]
    with torch.no_grad():
        return encoder(tokens)[:, 0] @ weights["W_head"] + weights["b_head"]


def encoder_weights(n_layers: int, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """A model's weights by the names and in the layout of PyTorch's encoder."""
    theirs = {"norm.weight": weights["ln_final.w"], "norm.bias": weights["ln_final.b"]}
    for number in range(n_layers):
        ours, layer = f"blocks.{number}.", f"layers.{number}."
        qkv = [weights[f"{ours}attn.W_{letter}"].transpose(1, 2).flatten(0, 1) for letter in "QKV"]
        theirs[f"{layer}self_attn.in_proj_weight"] = torch.cat(qkv)
        biases = [weights[f"{ours}attn.b_{letter}"].flatten() for letter in "QKV"]
        theirs[f"{layer}self_attn.in_proj_bias"] = torch.cat(biases)
        theirs[f"{layer}self_attn.out_proj.weight"] = weights[f"{ours}attn.W_O"].flatten(0, 1).T
        theirs[f"{layer}self_attn.out_proj.bias"] = weights[f"{ours}attn.b_O"]
        for theirs_name, name in (("linear1", "in"), ("linear2", "out")):
            theirs[f"{layer}{theirs_name}.weight"] = weights[f"{ours}mlp.W_{name}"].T
            theirs[f"{layer}{theirs_name}.bias"] = weights[f"{ours}mlp.b_{name}"]
        for norm in ("1", "2"):
            theirs[f"{layer}norm{norm}.weight"] = weights[f"{ours}ln{norm}.w"]
            theirs[f"{layer}norm{norm}.bias"] = weights[f"{ours}ln{norm}.b"]
    return theirs


# BidirectionalAttention


@law("BidirectionalAttention", streams)
def test_turned_round_the_tokens_get_the_same(subject, reference, case):
    """Tokens in the reverse order get what they got before, in the reverse order: nothing depends on who is later."""
    attention = attention_of(subject, case)
    expect_equal(attention(case.x.flip(1)).flip(1), attention(case.x), note="of the tokens in their first order")


@law("BidirectionalAttention", streams)
def test_every_token_sees_every_other(subject, reference, case):
    """Where all match alike, every token gathers the mean of all values, its own and later ones included."""
    weights = case.weights | {name: torch.zeros_like(case.weights[name]) for name in ("W_Q", "b_Q")}
    yours = subject.module("BidirectionalAttention", case.cfg, weights)(case.x)
    v = torch.einsum("bsd,hde->bshe", case.x, weights["W_V"]) + weights["b_V"]
    mean = v.mean(dim=1, keepdim=True).expand_as(v)
    expected = torch.einsum("bshe,hed->bsd", mean, weights["W_O"]) + weights["b_O"]
    expect_equal(yours, expected, note="worked out from the mean of all values")


@law("BidirectionalAttention", streams)
def test_attention_is_that_of_pytorch(subject, reference, case):
    """The layer gives what PyTorch's attention without a mask gives."""
    into_head = "bsd,hde->bhse"
    q, k, v = (
        torch.einsum(into_head, case.x, case.weights[f"W_{letter}"]) + case.weights[f"b_{letter}"].unsqueeze(1)
        for letter in "QKV"
    )
    z = nn.functional.scaled_dot_product_attention(q, k, v)
    expected = torch.einsum("bhse,hed->bsd", z, case.weights["W_O"]) + case.weights["b_O"]
    expect_equal(attention_of(subject, case)(case.x), expected, note="computed by PyTorch")


@law("BidirectionalAttention", streams)
def test_rows_of_a_batch_do_not_mix(subject, reference, case):
    """A row of a batch gives the same alone as in the batch."""
    attention = attention_of(subject, case)
    expect_equal(attention(case.x)[-1:], attention(case.x[-1:]), what="the last row", note="that row alone")


@law("BidirectionalAttention", streams)
def test_gradients_reach_stream_and_parameters(subject, reference, case):
    """Gradients reach the stream and all parameters."""
    yours = attention_of(subject, case).gradients(case.x)
    expect_equal(yours, attention_of(reference, case).gradients(case.x), what="gradient of")


@law("BidirectionalAttention", streams.in_float32())
def test_attention_works_in_float32(subject, reference, case):
    """In float32 the layer gives the same, to float32's precision, in float32."""
    expect_equal(attention_of(subject, case)(case.x), attention_of(reference, case)(case.x))


@law("BidirectionalAttention", large_streams)
def test_attention_over_many_tokens(subject, reference, case):
    """Nine rows of 70 tokens and five heads: every token still sees every other."""
    expect_equal(attention_of(subject, case)(case.x), attention_of(reference, case)(case.x))


# ViT


@law("ViT", wired_models)
def test_the_stream_runs_from_patches_to_classes(subject, reference, case):
    """Class token and patches, plus positions, run through all blocks; of the class token come the logits."""
    inside = model_of(subject, case).recorded(case.images)
    origin = "class token, then patches, plus positions"
    expected = readings(case)
    for part in [*(f"blocks.{layer}" for layer in range(case.cfg["n_layers"])), "ln_final"]:
        if f"{part}.calls" not in inside:
            raise Broken("values", "it is never called", "one call", what=part)
        yours = inside.get(f"{part}:in")
        if yours is not None and yours.shape == expected[part].shape:  # ln_final may read the class token alone
            expect_equal(yours, expected[part], what=f"what {part} reads", note=origin)
        origin = f"what {part} returned"
    logits = expected[""] @ case.weights["W_head"] + case.weights["b_head"]
    expect_equal(inside[""], logits, note="worked out from what the parts do")


@law("ViT", worked_by_hand)
def test_logits_worked_by_hand(subject, reference, case):
    """The page's image has the logits 111 and -106."""
    expect_equal(model_of(subject, case)(case.images), case.expected, note="worked out by hand on the page")


@law("ViT", wired_models)
def test_images_of_a_batch_do_not_mix(subject, reference, case):
    """An image gets the same logits alone as in a batch."""
    model = model_of(subject, case)
    expect_equal(model(case.images)[-1:], model(case.images[-1:]), what="the last image", note="that image alone")


@law("ViT", wired_models)
def test_gradients_reach_every_part(subject, reference, case):
    """Gradients reach the images, the class token, the positions, the head and every part."""
    yours = model_of(subject, case).gradients(case.images)
    expect_equal(yours, model_of(reference, case).gradients(case.images), what="gradient of")


@law("ViT", wired_models.in_float32())
def test_model_works_in_float32(subject, reference, case):
    """In float32 the logits are the same, to float32's precision, in float32."""
    expect_equal(model_of(subject, case)(case.images), model_of(reference, case)(case.images))


@law("ViT", deep_models)
def test_every_block_of_a_deep_model_runs(subject, reference, case):
    """Thirteen blocks all run, also for nine images of 25 patches."""
    expect_equal(model_of(subject, case)(case.images), model_of(reference, case)(case.images))


@law("ViT", whole_models)
def test_without_positions_the_order_of_patches_is_not_seen(subject, reference, case):
    """With your own parts, and positions of zero, images whose patches are exchanged get the same logits."""
    nowhere = torch.zeros_like(case.weights["W_pos"])
    size, side = case.cfg["patch_size"], case.cfg["image_size"]
    turned = case.images.unflatten(3, (side // size, size)).flip(3).flatten(3)
    turned = turned.unflatten(2, (side // size, size)).flip(2).flatten(2, 3)
    model = whole(subject, case, W_pos=nowhere)
    expect_equal(model(turned), model(case.images), what="the logits of patches in reverse", note="in their own order")


@law("ViT", whole_models)
def test_your_own_parts_make_pytorchs_encoder(subject, reference, case):
    """With your own parts, the logits are those of PyTorch's TransformerEncoder with the same weights."""
    expect_equal(whole(subject, case)(case.images), by_torch(case), note="computed by torch.nn.TransformerEncoder")


@law("ViT", other_images)
def test_other_images_are_refused(subject, reference, case):
    """With your own parts, images of another size, or with their channels last, and no image raise ValueError."""
    images = torch.ones(2, 3, 4, 4, dtype=torch.float64)
    calls = {
        "images of 6 x 6": torch.ones(2, 3, 6, 6),
        "channels last": images.mT.transpose(1, 3),
        "no image": images[:0],
    }

    def story(do):
        model = do.make(module("ViT", vit_config(case), case.weights))
        return {what: do.caught(model, given)["classes"] for what, given in calls.items()}

    for what, classes in subject.tell(story).items():
        found = "ValueError" if "ValueError" in classes else [*classes, "nothing"][0]
        expect_equal(found, "ValueError", what="the error", note=what)
