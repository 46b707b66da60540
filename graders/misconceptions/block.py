"""Known mistakes in the block: each a patch on `reference/block.py` that makes it."""

from graders.engine.misconception import Misconception

MID = "resid_mid = resid_pre + self.attn(self.ln1(resid_pre))"
POST = "return resid_mid + self.mlp(self.ln2(resid_mid))"


def mistake(id: str, names: str, asks: str, mid: str = MID, post: str = POST) -> Misconception:
    """A mistake in one of the two lines of `forward`, or in both."""
    patch = tuple((old, new) for old, new in ((MID, mid), (POST, post)) if old != new)
    return Misconception(id, "TransformerBlock", patch, names, asks)


MISCONCEPTIONS = (
    # What is added, and to what
    mistake(
        "first_residual_missing",
        "Attention's result replaces the stream; it is not added to it.",
        "How many additions does your forward have?",
        mid="resid_mid = self.attn(self.ln1(resid_pre))",
    ),
    mistake(
        "second_residual_missing",
        "The MLP's result is returned alone; it is not added to the stream.",
        "How many additions does your forward have?",
        post="return self.mlp(self.ln2(resid_mid))",
    ),
    mistake(
        "no_residuals",
        "Nothing is added to the stream: each part's result replaces it.",
        "What is left of resid_pre if both parts return zero?",
        mid="resid_mid = self.attn(self.ln1(resid_pre))",
        post="return self.mlp(self.ln2(resid_mid))",
    ),
    mistake(
        "first_residual_from_normalised",
        "Attention's result is added to the normalised copy, not to the stream itself.",
        "What does attention read, and what is its result added to?",
        mid="normalised = self.ln1(resid_pre)\n        resid_mid = normalised + self.attn(normalised)",
    ),
    mistake(
        "second_residual_from_normalised",
        "The MLP's result is added to the normalised copy, not to the stream itself.",
        "What does the MLP read, and what is its result added to?",
        post="normalised = self.ln2(resid_mid)\n        return normalised + self.mlp(normalised)",
    ),
    mistake(
        "both_residuals_from_normalised",
        "Both results are added to the normalised copies, not to the stream itself.",
        "Is there a norm on the vertical line of your picture?",
        mid="resid_mid = self.ln1(resid_pre)\n        resid_mid = resid_mid + self.attn(resid_mid)",
        post="resid_mid = self.ln2(resid_mid)\n        return resid_mid + self.mlp(resid_mid)",
    ),
    mistake(
        "mlp_result_added_to_resid_pre",
        "The MLP's result is added to resid_pre, so what attention added is lost.",
        "Which stream does the second addition start from?",
        post="return resid_pre + self.mlp(self.ln2(resid_mid))",
    ),
    mistake(
        "mlp_result_added_to_attention_result",
        "The MLP's result is added to attention's result alone; the stream itself is lost.",
        "How many tensors are added up in the end, if you count resid_pre?",
        post="return resid_mid - resid_pre + self.mlp(self.ln2(resid_mid))",
    ),
    mistake(
        "stream_added_twice",
        "resid_pre is added once more at the end, though the stream already holds it.",
        "What does the block return if both parts return zero?",
        post="return resid_pre + resid_mid + self.mlp(self.ln2(resid_mid))",
    ),
    mistake(
        "residuals_averaged",
        "Each addition is halved: the stream shrinks at every step.",
        "What does the block return if both parts return zero?",
        mid="resid_mid = (resid_pre + self.attn(self.ln1(resid_pre))) / 2",
        post="return (resid_mid + self.mlp(self.ln2(resid_mid))) / 2",
    ),
    mistake(
        "residuals_scaled_by_sqrt_2",
        "Each addition is divided by the square root of 2. Some models do that; GPT-2 adds and no more.",
        "What does the block return if both parts return zero?",
        mid="resid_mid = (resid_pre + self.attn(self.ln1(resid_pre))) / 2**0.5",
        post="return (resid_mid + self.mlp(self.ln2(resid_mid))) / 2**0.5",
    ),
    mistake(
        "results_subtracted",
        "The parts' results are subtracted from the stream.",
        "Does each part add to the stream, or take away from it?",
        mid="resid_mid = resid_pre - self.attn(self.ln1(resid_pre))",
        post="return resid_mid - self.mlp(self.ln2(resid_mid))",
    ),
    mistake(
        "added_in_place",
        "Attention's result is added to resid_pre in place, which changes the caller's tensor.",
        "After your block has run, is resid_pre still what it was?",
        mid="resid_mid = resid_pre\n        resid_mid += self.attn(self.ln1(resid_pre))",
    ),
    mistake(
        "stream_detached",
        "The stream is cut off from its gradient (detach, or .data) before it is copied.",
        "A gradient should reach the first block: what does detach do to it?",
        mid="resid_pre = resid_pre.detach().clone()\n        resid_mid = resid_pre + self.attn(self.ln1(resid_pre))",
    ),
    # Which part reads what
    mistake(
        "parts_side_by_side",
        "The MLP reads resid_pre: it does not see what attention has just added.",
        "Does the MLP know what attention has just found?",
        post="return resid_mid + self.mlp(self.ln2(resid_pre))",
    ),
    mistake(
        "parts_side_by_side_through_ln1",
        "The MLP reads what attention reads, resid_pre through ln1; ln2 is not used.",
        "Does the MLP know what attention has just found?",
        post="return resid_mid + self.mlp(self.ln1(resid_pre))",
    ),
    mistake(
        "mlp_reads_attention_result_alone",
        "The MLP reads only what attention returned, not the stream to which that was added.",
        "What else is in the stream besides what attention has just added?",
        mid="attended = self.attn(self.ln1(resid_pre))\n        resid_mid = resid_pre + attended",
        post="return resid_mid + self.mlp(self.ln2(attended))",
    ),
    mistake(
        "parts_in_wrong_order",
        "The MLP comes first and attention second.",
        "Which of the two reads resid_pre?",
        mid="resid_mid = resid_pre + self.mlp(self.ln2(resid_pre))",
        post="return resid_mid + self.attn(self.ln1(resid_mid))",
    ),
    mistake(
        "attn_and_mlp_exchanged",
        "attn and mlp stand in each other's places; the norms stay where they are.",
        "Which of the two reads through ln1?",
        mid="resid_mid = resid_pre + self.mlp(self.ln1(resid_pre))",
        post="return resid_mid + self.attn(self.ln2(resid_mid))",
    ),
    mistake(
        "attention_in_both_halves",
        "Both halves use attention; the MLP is not used.",
        "You copied a line: was every name in it changed?",
        post="return resid_mid + self.attn(self.ln2(resid_mid))",
    ),
    mistake(
        "first_half_run_twice",
        "Both halves are the same: ln1 and attention, twice.",
        "You copied a line: was every name in it changed?",
        post="return resid_mid + self.attn(self.ln1(resid_mid))",
    ),
    mistake(
        "mlp_in_both_halves",
        "Both halves use the MLP; attention is not used.",
        "Which part lets tokens look at one another?",
        mid="resid_mid = resid_pre + self.mlp(self.ln1(resid_pre))",
    ),
    mistake(
        "mlp_forgotten",
        "The block ends after attention: ln2 and the MLP are not used.",
        "Which of the four parts does your forward use?",
        post="return resid_mid",
    ),
    mistake(
        "attention_forgotten",
        "The block has only its second half: ln1 and attention are not used.",
        "Which of the four parts does your forward use?",
        mid="resid_mid = resid_pre",
    ),
    mistake(
        "attention_computed_twice",
        "Attention is computed twice on the same input: once for the MLP to read, once for the result.",
        "What could you keep in a variable?",
        mid="attended = self.ln2(resid_pre + self.attn(self.ln1(resid_pre)))",
        post="return resid_pre + self.attn(self.ln1(resid_pre)) + self.mlp(attended)",
    ),
    # Where the norms stand
    mistake(
        "post_norm",
        "The norms come after the additions (post-norm, as in 2017). GPT-2 normalises what each part reads.",
        "Is there a norm on the vertical line of your picture?",
        mid="resid_mid = self.ln1(resid_pre + self.attn(resid_pre))",
        post="return self.ln2(resid_mid + self.mlp(resid_mid))",
    ),
    mistake(
        "results_normalised",
        "The norms are applied to what the parts return, not to what they read.",
        "Does each norm stand before its part or after it?",
        mid="resid_mid = resid_pre + self.ln1(self.attn(resid_pre))",
        post="return resid_mid + self.ln2(self.mlp(resid_mid))",
    ),
    mistake(
        "normalised_before_and_after",
        "The norms are applied twice: to what each part reads and to the stream after the addition.",
        "How often is each norm used?",
        mid="resid_mid = self.ln1(resid_pre + self.attn(self.ln1(resid_pre)))",
        post="return self.ln2(resid_mid + self.mlp(self.ln2(resid_mid)))",
    ),
    mistake(
        "block_output_normalised",
        "The block normalises the stream that it returns. The last norm, ln_final, belongs to the model.",
        "Is there a norm on the vertical line of your picture?",
        post="return self.ln2(resid_mid + self.mlp(self.ln2(resid_mid)))",
    ),
    mistake(
        "ln1_skipped",
        "Attention reads the stream itself: ln1 is not used.",
        "What does attention read: the stream, or a normalised copy?",
        mid="resid_mid = resid_pre + self.attn(resid_pre)",
    ),
    mistake(
        "ln2_skipped",
        "The MLP reads the stream itself: ln2 is not used.",
        "What does the MLP read: the stream, or a normalised copy?",
        post="return resid_mid + self.mlp(resid_mid)",
    ),
    mistake(
        "no_norms",
        "Both parts read the stream itself: neither norm is used.",
        "What do the parts read: the stream, or a normalised copy?",
        mid="resid_mid = resid_pre + self.attn(resid_pre)",
        post="return resid_mid + self.mlp(resid_mid)",
    ),
    mistake(
        "ln1_in_both_halves",
        "The MLP reads the stream through ln1: ln2 is not used.",
        "Is ln2 used at all, and only by the MLP?",
        post="return resid_mid + self.mlp(self.ln1(resid_mid))",
    ),
    mistake(
        "ln2_in_both_halves",
        "Both halves read through one norm, ln2: ln1 is not used, or `__init__` makes the two norms one.",
        "Does each half have a norm of its own?",
        mid="resid_mid = resid_pre + self.attn(self.ln2(resid_pre))",
    ),
    mistake(
        "norms_exchanged",
        "ln1 and ln2 stand in each other's places.",
        "Which norm belongs to attention?",
        mid="resid_mid = resid_pre + self.attn(self.ln2(resid_pre))",
        post="return resid_mid + self.mlp(self.ln1(resid_mid))",
    ),
    mistake(
        "mlp_reads_through_both_norms",
        "The MLP reads the stream normalised twice, by ln1 and then by ln2.",
        "How many norms lie between the stream and the MLP?",
        post="return resid_mid + self.mlp(self.ln2(self.ln1(resid_mid)))",
    ),
)

# Mutations of the reference that no law can tell from it, and why
EQUIVALENT: dict[str, str] = {}
