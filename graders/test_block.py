"""The specification of the transformer block, as laws that hold for every input. Read it beside `exercises/block.py`.

What is graded is the wiring. In the places of `ln1`, `attn`, `ln2` and `mlp` stand probes: parts of known behaviour,
x @ matrix + bias, where attention's also sums over the positions so far.
"""

import torch
from torch import Tensor

from graders.engine.law import expect_equal, law
from graders.engine.space import Case, fixed, space
from graders.engine.worker.perform import cotangent
from graders.weights.layers import layer_cases

PARTS = ("attn", "mlp", "ln1", "ln2")


@space(batch=(1, 3), seq=(1, 4), d_model=(1, 4))
def blocks(case, batch, seq, d_model):
    """A residual stream, and four different probes."""
    case.config(d_model=d_model)
    case.tensor("resid_pre", batch=batch, seq=seq, d_model=d_model)
    case.parts = {
        part: {
            "kind": "affine",
            "matrix": case.draw(d_model, d_model),
            "bias": case.draw(d_model),
            "mixes": part == "attn",
        }
        for part in PARTS
    }


@fixed
def many_rows(where):
    """A larger batch than is drawn."""
    return [blocks.case(2, batch=9, seq=5, d_model=6)]


@fixed
def worked_by_hand(where):
    """The example of docs/exercises/block.md: real norms, an attention that doubles, an MLP that adds 3."""
    case = Case(0, {})
    case.config(d_model=2)
    case.show("resid_pre", torch.tensor([[[4.0, 2.0]]], dtype=torch.float64), batch=1, seq=1, d_model=2)
    normalised = torch.tensor([1.0, -1.0], dtype=torch.float64)
    double, same = 2 * torch.eye(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64)
    case.parts = {
        "ln1": {"kind": "replay", "recorded_input": case.resid_pre, "recorded_output": normalised},
        "attn": {"kind": "affine", "matrix": double, "bias": 0 * normalised},
        "ln2": {"kind": "replay", "recorded_input": case.resid_pre + 2 * normalised, "recorded_output": normalised},
        "mlp": {"kind": "affine", "matrix": same, "bias": 3 * normalised.abs()},
    }
    case.expected = torch.tensor([[[10.0, 2.0]]], dtype=torch.float64)
    return [case]


@fixed
def real_blocks(where):
    """Two blocks of a real GPT-2, whose parts return what TransformerLens computed."""
    cases = layer_cases(where, "", "hook_resid_pre", "hook_resid_post")
    for case in cases:
        around = {
            "ln1": ("hook_resid_pre", "ln1.hook_out"),
            "attn": ("ln1.hook_out", "hook_attn_out"),
            "ln2": ("hook_resid_mid", "ln2.hook_out"),
            "mlp": ("ln2.hook_out", "hook_mlp_out"),
        }
        case.parts = {
            part: {
                "kind": "replay",
                "recorded_input": case.computed[f"{case.path}.{takes}"],
                "recorded_output": case.computed[f"{case.path}.{gives}"],
            }
            for part, (takes, gives) in around.items()
        }
    return cases


def block_of(subject, case):
    """The subject's block with the case's probes in it; it may have no parameters besides."""
    return subject.module("TransformerBlock", case.cfg, {}, case.parts)


def passes(probe: dict, x: Tensor) -> Tensor:
    """What an affine probe returns for x."""
    out = x @ probe["matrix"] + probe["bias"]
    return out.cumsum(dim=-2) if probe["mixes"] else out


# TransformerBlock


@law("TransformerBlock", blocks)
def test_each_part_is_called_once_through_its_own_norm(subject, reference, case):
    """Attention reads the stream through ln1, the MLP reads what is then there through ln2, and each is called once."""
    inside = block_of(subject, case).recorded(case.resid_pre)
    for part in PARTS:
        expect_equal(int(inside.get(f"{part}.calls", 0)), 1, what=f"calls of {part}")
    normalised = passes(case.parts["ln1"], case.resid_pre)
    resid_mid = case.resid_pre + passes(case.parts["attn"], normalised)
    should_read = {
        "ln1": (case.resid_pre, "resid_pre"),
        "attn": (normalised, "what ln1 returned"),
        "ln2": (resid_mid, "resid_pre plus what attn returned"),
        "mlp": (passes(case.parts["ln2"], resid_mid), "what ln2 returned"),
    }
    for part, (expected, origin) in should_read.items():
        if f"{part}:in" in inside:  # a call of its bare `forward` is not recorded
            expect_equal(inside[f"{part}:in"], expected, what=f"what {part} reads", note=origin)


@law("TransformerBlock", blocks)
def test_block_adds_two_corrections_to_the_stream(subject, reference, case):
    """The block returns the stream, plus what attention adds, plus what the MLP adds to that."""
    yours = block_of(subject, case)(case.resid_pre)
    resid_mid = case.resid_pre + passes(case.parts["attn"], passes(case.parts["ln1"], case.resid_pre))
    resid_post = resid_mid + passes(case.parts["mlp"], passes(case.parts["ln2"], resid_mid))
    expect_equal(yours, resid_post, note="worked out from what the four parts do")
    expect_equal(yours, block_of(reference, case)(case.resid_pre))


@law("TransformerBlock", worked_by_hand)
def test_block_agrees_with_the_example_on_the_page(subject, reference, case):
    """With an attention that doubles and an MLP that adds 3, [4, 2] becomes [10, 2]."""
    expect_equal(block_of(subject, case)(case.resid_pre), case.expected, note="worked out by hand on the page")


@law("TransformerBlock", blocks)
def test_gradient_passes_straight_through(subject, reference, case):
    """When attention and MLP add nothing, the gradient of the output is the gradient of the input."""
    silent = {name: value * 0 for name, value in case.parts["attn"].items() if isinstance(value, Tensor)}
    parts = case.parts | {part: {"kind": "affine"} | silent for part in ("attn", "mlp")}
    yours = subject.module("TransformerBlock", case.cfg, {}, parts).gradients(case.resid_pre)["resid_pre"]
    expect_equal(yours, cotangent(case.resid_pre), what="gradient of resid_pre", note="the gradient of the output")


@law("TransformerBlock", blocks)
def test_rows_of_a_batch_do_not_mix(subject, reference, case):
    """A row of a batch gives the same alone as in the batch."""
    block = block_of(subject, case)
    expect_equal(block(case.resid_pre)[-1:], block(case.resid_pre[-1:]), what="the last row", note="that row alone")


@law("TransformerBlock", many_rows)
def test_every_row_of_a_large_batch_is_right(subject, reference, case):
    """In a batch of nine rows, every row is right."""
    expect_equal(block_of(subject, case)(case.resid_pre), block_of(reference, case)(case.resid_pre))


@law("TransformerBlock", blocks)
def test_gradients_reach_the_stream_and_every_part(subject, reference, case):
    """Gradients reach the stream and all four parts."""
    yours = block_of(subject, case).gradients(case.resid_pre)
    expect_equal(yours, block_of(reference, case).gradients(case.resid_pre), what="gradient of")


@law("TransformerBlock", blocks.in_float32())
def test_block_works_in_float32(subject, reference, case):
    """In float32 the block gives the same, to float32's precision, in float32."""
    expect_equal(block_of(subject, case)(case.resid_pre), block_of(reference, case)(case.resid_pre))


@law("TransformerBlock", real_blocks)
def test_real_block_agrees_with_transformer_lens(subject, reference, case):
    """With the real norms, attention and MLP of a trained model, the block returns what TransformerLens computes."""
    expect_equal(block_of(subject, case)(case.x), case.expected, note=f"TransformerLens, {case.from_model}")
