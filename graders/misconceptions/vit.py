"""Known mistakes in the vision transformer: each a patch on `reference/vit.py` that makes it."""

from graders.engine.misconception import Misconception

Q = "q = einsum(x, self.W_Q, into_head) + self.b_Q"
K = "k = einsum(x, self.W_K, into_head) + self.b_K"
VALUES = "v = einsum(x, self.W_V, into_head) + self.b_V"
PATTERN = "pattern = attention_pattern(attention_scores(q, k))"
OUT = 'return einsum(z, self.W_O, "batch seq n_heads d_head, n_heads d_head d_model -> batch seq d_model") + self.b_O'
TOKENS = "tokens = torch.cat([self.class_token.expand(len(patches), 1, -1), patches], dim=1)"
POSITIONS = "residual = tokens + self.W_pos"
BLOCKS = "for block in self.blocks:\n            residual = block(residual)"
GATHERED = "gathered = self.ln_final(residual)[:, 0]"
LOGITS = "return gathered @ self.W_head + self.b_head"
HIDDEN = 'pattern = attention_pattern(attention_scores(q, k).masked_fill({}, float("-inf")))'


def attention(id: str, old: str, new: str, names: str, asks: str) -> Misconception:
    """A mistake in one line of the attention layer."""
    return Misconception(id, "BidirectionalAttention", ((old, new),), names, asks)


def model(id: str, names: str, asks: str, *patch: tuple[str, str]) -> Misconception:
    """A mistake in the model."""
    return Misconception(id, "ViT", patch, names, asks)


MISCONCEPTIONS = (
    # BidirectionalAttention
    attention(
        "causal_mask_left_in",
        PATTERN,
        HIDDEN.format("torch.ones(x.shape[1], x.shape[1]).triu(1).bool()"),
        "The causal mask is still there: no token sees what is after it, and the class token sees itself alone.",
        "The class token stands first. Which tokens could it gather from under a causal mask?",
    ),
    attention(
        "only_the_future_seen",
        PATTERN,
        HIDDEN.format("torch.ones(x.shape[1], x.shape[1]).tril(-1).bool()"),
        "The causal mask was turned round: no token sees what comes before it.",
        "Is there any pair of patches of which one must not see the other?",
    ),
    attention(
        "itself_hidden",
        PATTERN,
        HIDDEN.format("torch.eye(x.shape[1]).bool() & (x.shape[1] > 1)"),
        "A token does not see itself.",
        "Is anything hidden from a token here?",
    ),
    attention(
        "scores_used_as_weights",
        PATTERN,
        "pattern = attention_scores(q, k)",
        "The scores are used as weights: there is no softmax.",
        "What must the weights that one token gives to all others add up to?",
    ),
    attention(
        "weights_over_the_askers",
        PATTERN,
        "pattern = attention_scores(q, k).softmax(dim=-2)",
        "The softmax runs over the tokens that ask, not over those that are asked.",
        "Whose weights add up to one: those that a token gives, or those that it gets?",
    ),
    attention(
        "scores_not_scaled",
        PATTERN,
        "pattern = attention_pattern(attention_scores(q, k) * q.shape[-1] ** 0.5)",
        "The scores are not divided by the square root of d_head.",
        "What does `attention_scores` do that a bare product of q and k does not?",
    ),
    attention(
        "scores_scaled_twice",
        PATTERN,
        "pattern = attention_pattern(attention_scores(q, k) / q.shape[-1] ** 0.5)",
        "The scores are divided by the square root of d_head twice: `attention_scores` has done it already.",
        "What does `attention_scores` do that a bare product of q and k does not?",
    ),
    attention(
        "weights_over_the_heads",
        PATTERN,
        "pattern = attention_scores(q, k).softmax(dim=1)",
        "The softmax runs over the heads: they share one token, where each should share out all tokens.",
        "Which of the axes batch, n_heads, queries and keys should add up to one?",
    ),
    attention(
        "asker_and_asked_exchanged",
        PATTERN,
        "pattern = attention_pattern(attention_scores(k, q))",
        "Queries and keys have changed places.",
        "Which of the two belongs to the token that gathers?",
    ),
    attention(
        "keys_made_by_w_q",
        K,
        "k = einsum(x, self.W_Q, into_head) + self.b_Q",
        "The keys are made with W_Q and b_Q: a line was copied.",
        "You copied a line: was every letter in it changed?",
    ),
    attention(
        "values_made_by_w_k",
        VALUES,
        "v = einsum(x, self.W_K, into_head) + self.b_K",
        "The values are made with W_K and b_K: a line was copied.",
        "You copied a line: was every letter in it changed?",
    ),
    attention(
        "b_q_left_out",
        Q,
        "q = einsum(x, self.W_Q, into_head)",
        "b_Q is not added to the queries.",
        "How many biases has the layer, and where does each go?",
    ),
    attention(
        "b_v_left_out",
        VALUES,
        "v = einsum(x, self.W_V, into_head)",
        "b_V is not added to the values.",
        "How many biases has the layer, and where does each go?",
    ),
    attention(
        "b_o_left_out",
        OUT,
        OUT.removesuffix(" + self.b_O"),
        "b_O is not added to the result.",
        "How many biases has the layer, and where does each go?",
    ),
    attention(
        "heads_and_tokens_mixed",
        OUT,
        "z = z.transpose(1, 2).reshape(len(x), x.shape[1], -1)\n        return z @ self.W_O.flatten(0, 1) + self.b_O",
        "Before the heads were put side by side, heads and tokens changed places: a token gets pieces of others.",
        "Which two axes of z become one, and do they stand side by side when you reshape?",
    ),
    attention(
        "heads_meant",
        OUT,
        OUT.replace("return einsum(z,", "return einsum(z / z.shape[2],"),
        "The heads are averaged: what they found is to be added up.",
        "Three heads find the same thing. Should the stream hear it once or three times?",
    ),
    # ViT
    model(
        "class_token_last",
        "The class token stands behind the patches, so that every token has the position of its neighbour.",
        "Which row of W_pos belongs to the class token, and which to the first patch?",
        (TOKENS, "tokens = torch.cat([patches, self.class_token.expand(len(patches), 1, -1)], dim=1)"),
        (GATHERED, "gathered = self.ln_final(residual)[:, -1]"),
    ),
    model(
        "class_token_behind_and_not_read",
        "The class token stands behind the patches, and the first patch is read in its place.",
        "Which token is the one that you read in the end?",
        (TOKENS, "tokens = torch.cat([patches, self.class_token.expand(len(patches), 1, -1)], dim=1)"),
    ),
    model(
        "last_patch_read",
        "The logits are made from the last patch, not from the class token.",
        "Where in the sequence did you put the class token?",
        (GATHERED, "gathered = self.ln_final(residual)[:, -1]"),
    ),
    model(
        "all_tokens_averaged",
        "The mean of all tokens is read. That can be made to work too; here the class token is read alone.",
        "What is the class token for, if all tokens are read alike?",
        (GATHERED, "gathered = self.ln_final(residual).mean(dim=1)"),
    ),
    model(
        "patches_averaged",
        "The mean of the patches is read, and the class token is not.",
        "What is the class token for, if nobody reads it?",
        (GATHERED, "gathered = self.ln_final(residual)[:, 1:].mean(dim=1)"),
    ),
    model(
        "logits_of_every_token",
        "There are logits for every token; an image gets them once.",
        "How many answers does one image need?",
        (GATHERED, "gathered = self.ln_final(residual)"),
    ),
    model(
        "class_token_without_its_own_numbers",
        "The class token starts at zero: what it has learned is not used.",
        "What does the class token hold before the first block?",
        (TOKENS, "tokens = torch.cat([torch.zeros_like(patches[:, :1]), patches], dim=1)"),
    ),
    model(
        "patches_cut_off",
        "The patches are cut off from what made them: no gradient reaches patch_embed, which never learns.",
        "Which calls (`detach`, `no_grad`, `data`, `torch.tensor`) lose the way back?",
        (TOKENS, TOKENS.replace("patches], dim", "patches.detach()], dim")),
    ),
    model(
        "positions_forgotten",
        "No positions are added: an image whose patches are shuffled looks the same.",
        "How would this model notice that the upper half of an image was exchanged with the lower?",
        (POSITIONS, "residual = tokens"),
    ),
    model(
        "position_of_the_class_token_forgotten",
        "Only the patches get positions; the class token's row of W_pos is not used.",
        "W_pos has 1 + n_patches rows. Whose is the first?",
        (POSITIONS, "residual = torch.cat([tokens[:, :1], tokens[:, 1:] + self.W_pos[1:]], dim=1)"),
    ),
    model(
        "positions_before_the_class_token",
        "The positions were added before the class token came: the patches have the rows of their left neighbours.",
        "Row 0 of W_pos: does the first patch get it?",
        (POSITIONS, "residual = torch.cat([tokens[:, :1], tokens[:, 1:] + self.W_pos[:-1]], dim=1)"),
    ),
    model(
        "positions_added_in_every_block",
        "The positions are added again before every block.",
        "After the first addition, is a token's position still in its stream?",
        (
            BLOCKS,
            "for i, block in enumerate(self.blocks):\n            residual = block(residual + self.W_pos * (i > 0))",
        ),
    ),
    model(
        "first_block_only",
        "Only the first block runs.",
        "How many of the blocks does a `return` or an index in your loop let run?",
        (BLOCKS, "residual = self.blocks[0](residual)"),
    ),
    model(
        "every_block_on_the_embedding",
        "Every block reads the embedding; what the block before it returned is lost.",
        "What does the second block read?",
        (BLOCKS, "embedding = residual\n        for block in self.blocks:\n            residual = block(embedding)"),
    ),
    model(
        "blocks_added_to_the_stream",
        "What a block returns is added to the stream, which is in it already.",
        "A block returns the stream with its own part added. What is there to add?",
        (BLOCKS, "for block in self.blocks:\n            residual = residual + block(residual)"),
    ),
    model(
        "final_norm_forgotten",
        "ln_final is not used.",
        "The stream grows from block to block. What brings it back to one size before the head?",
        (GATHERED, "gathered = residual[:, 0]"),
    ),
    model(
        "final_norm_before_the_blocks",
        "ln_final is applied before the blocks, not after them.",
        "At which end of the blocks does the final norm stand?",
        (POSITIONS, "residual = self.ln_final(tokens + self.W_pos)"),
        (GATHERED, "gathered = residual[:, 0]"),
    ),
    model(
        "head_bias_forgotten",
        "b_head is not added to the logits.",
        "Which of the model's own parameters does your forward not use?",
        (LOGITS, "return gathered @ self.W_head"),
    ),
    model(
        "probabilities_returned",
        "A softmax was applied: these are probabilities, not logits.",
        "What does the loss expect of a model, and who applies the softmax?",
        (LOGITS, "return (gathered @ self.W_head + self.b_head).softmax(dim=-1)"),
    ),
)

# Mutations of the reference that nothing can tell from it, with the reason.
UNSEEN = "what is added to all keys alike adds one number to all scores of a query, and a softmax does not see it"
EQUIVALENT: dict[str, str] = {
    f"BidirectionalAttention: {K}  ->  k = einsum(x, self.W_K, into_head){end}": UNSEEN
    for end in ("", " - self.b_K", " + self.b_Q", " + self.b_V")
}
