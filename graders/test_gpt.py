"""The specification of the whole model, as laws that hold for every input. Read it beside `exercises/gpt.py`.

The wiring is graded with probes in the places of the parts: tables of random numbers at both ends, and between them
x @ matrix + bias, where a block's also sums over the positions so far. The last laws of `GPT` run your own parts.
"""

import torch

from graders.engine.law import Broken, expect_equal, expect_refusal, law
from graders.engine.script import config
from graders.engine.space import Case, fixed, space
from graders.engine.worker.messages import Request
from graders.weights.checkpoint_cases import checkpoints, deep_checkpoints, lacking, misshapen, show_sizes
from graders.weights.divergence import first_difference, sentence
from graders.weights.layers import model_case
from reference.config import GPTConfig
from reference.gpt import GPT, count_parameters

GPT_2 = {"d_vocab": 50257, "n_ctx": 1024, "n_layers": 12, "n_heads": 12, "d_model": 768, "d_head": 64, "d_mlp": 3072}
LARGER = {"d_vocab": 70_000, "n_ctx": 2048, "n_layers": 14, "n_heads": 16, "d_model": 1000, "d_head": 50, "d_mlp": 4500}
ON_THE_PAGE = {"d_vocab": 5, "n_ctx": 4, "n_layers": 2, "n_heads": 2, "d_model": 3, "d_head": 2, "d_mlp": 6}
LIES_IN = {  # part of a hook point's name: the exercise
    "embed": "embedding",
    "ln": "layer_norm",
    "attn": "attention",
    "mlp": "mlp",
    "hook_resid": "block",
}


def affine(case: Case, mixes: bool) -> dict:
    """A probe from the stream to the stream."""
    d_model = case.cfg["d_model"]
    return {"kind": "affine", "matrix": case.draw(d_model, d_model), "bias": case.draw(d_model), "mixes": mixes}


@space(batch=(1, 3), seq=(1, 4), more_ctx=(0, 3), n_layers=(1, 3), d_model=(1, 4), d_vocab=(1, 6))
def wired_models(case, batch, seq, more_ctx, n_layers, d_model, d_vocab):
    """Tokens, no more than the context holds, and a different probe in every place."""
    case.config(d_vocab=d_vocab, n_ctx=seq + more_ctx, n_layers=n_layers, d_model=d_model)
    case.integers("tokens", d_vocab, batch=batch, seq=seq)
    case.parts = {
        "embed": {"kind": "embed", "W_E": case.draw(d_vocab, d_model)},
        "pos_embed": {"kind": "positions", "W_pos": case.draw(seq + more_ctx, d_model)},
        **{f"blocks.{layer}": affine(case, mixes=True) for layer in range(n_layers)},
        "ln_final": affine(case, mixes=False),
        "unembed": {"kind": "unembed", "W_U": case.draw(d_model, d_vocab), "b_U": case.draw(d_vocab)},
    }


@fixed
def deep_models(where):
    """More blocks and rows than are drawn, and tokens that fill the context."""
    return [wired_models.case(2, batch=9, seq=5, more_ctx=0, n_layers=13, d_model=3, d_vocab=7)]


@space(batch=(1, 2), seq=(1, 4), n_layers=(1, 3), n_heads=(1, 2), d_model=(1, 4), d_head=(1, 3))
def whole_models(case, batch, seq, **sizes):
    """Tokens, and random weights for every part of a model."""
    case.config(**sizes)
    case.integers("tokens", case.cfg["d_vocab"], batch=batch, seq=seq)
    shapes = {name: parameter.shape for name, parameter in GPT(GPTConfig(**case.cfg)).named_parameters()}
    # Not large: from layer to layer a softmax of large scores would turn a rounding into another answer
    case.weights = {name: case.draw(*shape).clamp(-2, 2) for name, shape in shapes.items()}


@space(d_vocab=(1, 9), n_ctx=(1, 9), n_layers=(1, 4), n_heads=(1, 4), d_model=(1, 9), d_head=(1, 5), d_mlp=(1, 9))
def configurations(case, **sizes):
    """Small sizes, no two of them tied to each other."""
    case.config(**sizes)
    show_sizes(case)


@fixed
def known_counts(where):
    """GPT-2, added up on the exercise's page, the small model of its last section, and a model larger than GPT-2."""
    cases = []
    larger = count_parameters(GPTConfig(**LARGER))
    for sizes, count in ((GPT_2, 163_087_441), (ON_THE_PAGE, 293), (LARGER, larger)):
        case = Case(0, {})
        case.cfg, case.expected = sizes, count
        show_sizes(case)
        cases.append(case)
    return cases


real_models = fixed(lambda where: [model_case(where)])  # with what TransformerLens computed on a short text


def model_of(subject, case):
    """The subject's model with the case's probes in it; it may have no parameters besides."""
    return subject.module("GPT", case.cfg, {}, case.parts)


def readings(case) -> dict[str, torch.Tensor]:
    """What each part that reads the stream should read, in order."""
    residual = case.parts["embed"]["W_E"][case.tokens] + case.parts["pos_embed"]["W_pos"][: case.tokens.shape[1]]
    found = {}
    for part in [*(f"blocks.{layer}" for layer in range(case.cfg["n_layers"])), "ln_final"]:
        found[part] = residual
        probe = case.parts[part]
        residual = residual @ probe["matrix"] + probe["bias"]
        residual = residual.cumsum(dim=1) if probe["mixes"] else residual
    return found | {"unembed": residual}


# GPT


@law("GPT", wired_models)
def test_the_stream_runs_through_every_part_in_order(subject, reference, case):
    """Embedding plus position runs through all blocks in order, then ln_final, then unembed, which gives the logits."""
    inside = model_of(subject, case).recorded(case.tokens)
    origin = "embedding plus position"
    for part, expected in readings(case).items():
        if part != "unembed" and f"{part}.calls" not in inside:  # W_U may be read without calling its module
            raise Broken("values", "it is never called", "one call", what=part)
        yours = inside.get(f"{part}:in")
        if yours is not None and yours.shape == expected.shape:  # rows may run one by one, or by a bare `forward`
            expect_read(yours, expected, part, origin)
        origin = f"what {part} returned"
    logits = readings(case)["unembed"] @ case.parts["unembed"]["W_U"] + case.parts["unembed"]["b_U"]
    expect_equal(inside[""], logits, note="worked out from what the parts do")


def expect_read(yours, expected, part, origin):
    """Hold that a part reads the right stream."""
    try:
        expect_equal(yours, expected, what=f"what {part} reads", note=origin)
    except Broken as broken:
        broken.axes = "batch seq d_model"
        raise


@law("GPT", deep_models)
def test_every_block_of_a_deep_model_runs(subject, reference, case):
    """Thirteen blocks all run, also for nine rows of tokens that fill the context."""
    expect_equal(model_of(subject, case)(case.tokens), model_of(reference, case)(case.tokens))


@law("GPT", wired_models)
def test_later_tokens_change_nothing_earlier(subject, reference, case):
    """Changing the last token changes no earlier logit."""
    changed = case.tokens.clone()
    changed[:, -1] = (changed[:, -1] + 1) % case.cfg["d_vocab"]
    before, after = model_of(subject, case)(torch.cat([case.tokens, changed])).chunk(2)
    expect_equal(after[:, :-1], before[:, :-1], note="before the last token was changed")


@law("GPT", wired_models)
def test_rows_of_a_batch_do_not_mix(subject, reference, case):
    """A row of a batch gives the same alone as in the batch."""
    model = model_of(subject, case)
    expect_equal(model(case.tokens)[-1:], model(case.tokens[-1:]), what="the last row", note="that row alone")


@law("GPT", wired_models)
def test_gradients_reach_every_part(subject, reference, case):
    """Gradients reach both tables, every block, ln_final and unembed."""
    yours = model_of(subject, case).gradients(case.tokens)
    expect_equal(yours, model_of(reference, case).gradients(case.tokens), what="gradient of")


@law("GPT", wired_models.in_float32())
def test_model_works_in_float32(subject, reference, case):
    """In float32 the model gives the same, to float32's precision, in float32."""
    expect_equal(model_of(subject, case)(case.tokens), model_of(reference, case)(case.tokens))


@law("GPT", real_models)
def test_real_model_agrees_at_every_hook_point(subject, reference, case):
    """With a real GPT-2's weights, every value inside your model is what TransformerLens computes."""
    model = subject.module("GPT", case.cfg, case.weights)
    try:
        expect_hook_points(model.recorded(case.tokens, seconds=case.seconds), case)
    except Broken as broken:
        broken.look_at = exercise_at(broken.what)
        raise


def exercise_at(hook_point: str) -> str:
    """The exercise in which a hook point, such as `blocks.0.attn.hook_q[0, 1]`, lies."""
    for mark, exercise in LIES_IN.items():
        if mark in hook_point:
            return exercise
    return ""


@law("GPT", real_models)
def test_real_logits_agree_with_transformer_lens(subject, reference, case):
    """With a real GPT-2's weights, your logits are those of TransformerLens."""
    logits = subject.module("GPT", case.cfg, case.weights).recorded(case.tokens, seconds=case.seconds)[""]
    expect_equal(logits, case.computed["unembed.hook_out"], note=f"TransformerLens, {case.from_model}")


@law("GPT", whole_models)
def test_your_own_parts_make_a_model(subject, reference, case):
    """With your own parts, each with weights of its own, the logits are those of a GPT with these weights."""
    yours = subject.module("GPT", case.cfg, case.weights)(case.tokens)
    expect_equal(yours, reference.module("GPT", case.cfg, case.weights)(case.tokens))


def expect_hook_points(recorded, case):
    """Hold that a model's values are TransformerLens's. Raises `Broken` at the first hook point where they differ."""
    found = first_difference(recorded, case.computed, case.cfg["n_layers"])
    if found and found.yours_shape != found.expected_shape:
        raise Broken("values", str(found.yours_shape), str(found.expected_shape), found.name, sentence(found))
    if found:
        place = f"{found.name}{list(found.index)}"
        raise Broken("values", found.yours, found.expected, place, sentence(found))


# count_parameters


@law("count_parameters", known_counts)
def test_known_models_have_their_known_counts(subject, reference, case):
    """GPT-2 has 163,087,441 parameters, its unembedding counted apart; the page's small model has 293."""
    expect_equal(subject.count_parameters(config(case.cfg)), case.expected, note="added up as on the page")


@law("count_parameters", configurations)
def test_count_is_that_of_a_model_that_was_built(subject, reference, case):
    """The count is the number of elements of all tensors of a GPT, whatever its sizes."""
    built = sum(p.numel() for p in GPT(GPTConfig(**case.cfg)).parameters())
    expect_equal(subject.count_parameters(config(case.cfg)), built, note="elements of a GPT of these sizes")


# convert_gpt2_weights


@law("convert_gpt2_weights", checkpoints)
def test_each_column_lands_in_its_head(subject, reference, case):
    """Column (part * n_heads + head) * d_head + entry of c_attn is that part's, that head's and that entry's."""
    weights = subject.convert_gpt2_weights(case.state_dict, config(case.cfg))
    n_heads, d_head = case.cfg["n_heads"], case.cfg["d_head"]
    theirs, ours = "transformer.h.0.attn", "blocks.0.attn"
    for column in range(3 * n_heads * d_head):
        letter, head, entry = "QKV"[column // (n_heads * d_head)], column // d_head % n_heads, column % d_head
        note = f"column {column} of c_attn"
        for kind, name in (("weight", f"W_{letter}"), ("bias", f"b_{letter}")):
            what = f"{ours}.{name}, head {head}, entry {entry}"
            expected = case.state_dict[f"{theirs}.c_attn.{kind}"][..., column]
            expect_equal(weights[f"{ours}.{name}"][head, ..., entry], expected, what=what, note=note)


@law("convert_gpt2_weights", checkpoints)
def test_every_tensor_has_its_new_name_and_layout(subject, reference, case):
    """Every tensor of GPT is there, under its name, with the numbers of the checkpoint in its layout."""
    yours = subject.convert_gpt2_weights(case.state_dict, config(case.cfg))
    expect_equal(yours, reference.convert_gpt2_weights(case.state_dict, config(case.cfg)))


@law("convert_gpt2_weights", checkpoints)
def test_entries_that_are_not_needed_are_ignored(subject, reference, case):
    """Entries that are not needed, such as GPT-2's stored masks, change nothing."""
    mask = torch.ones(1, 1, 3, 3, dtype=torch.bool).tril()
    extra = {f"transformer.h.{layer}.attn.bias": mask for layer in range(case.cfg["n_layers"])}
    without = subject.convert_gpt2_weights(case.state_dict, config(case.cfg))
    yours = subject.convert_gpt2_weights(case.state_dict | extra | {"a_note": mask}, config(case.cfg))
    expect_equal(yours, without, note="without these entries")


@law("convert_gpt2_weights", deep_checkpoints)
def test_twelve_layers_keep_their_order_and_dtype(subject, reference, case):
    """Each of twelve layers lands in the block of its number, and a float32 checkpoint stays float32."""
    yours = subject.convert_gpt2_weights(case.state_dict, config(case.cfg))
    expect_equal(yours, reference.convert_gpt2_weights(case.state_dict, config(case.cfg)))


@law("convert_gpt2_weights", lacking)
def test_a_missing_tensor_is_named(subject, reference, case):
    """A missing tensor, whichever it is, raises ValueError, and the message names it."""
    call = ("convert_gpt2_weights", case.state_dict, config(case.cfg))
    expect_refusal(subject, *call, what=case.checkpoint, naming=case.name)


@law("convert_gpt2_weights", misshapen)
def test_a_misshapen_tensor_is_named(subject, reference, case):
    """A tensor of the wrong shape, whichever it is, raises ValueError, and the message names it."""
    call = ("convert_gpt2_weights", case.state_dict, config(case.cfg))
    expect_refusal(subject, *call, what=case.checkpoint, naming=case.name)


@law("convert_gpt2_weights", real_models)
def test_real_checkpoint_becomes_what_transformer_lens_makes_of_it(subject, reference, case):
    """A real checkpoint, converted by you and run, gives TransformerLens's value at every hook point."""
    request = Request("gpt", "convert_gpt2_weights", (case.state_dict, config(case.cfg)), seconds=case.seconds)
    model = reference.module("GPT", case.cfg, subject.ask(request).value)
    expect_hook_points(model.recorded(case.tokens), case)
