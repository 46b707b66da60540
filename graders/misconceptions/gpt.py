"""Known mistakes in the whole model: each a patch on `reference/gpt.py` that makes it."""

from graders.engine.misconception import Misconception

EMBEDDED = "residual = self.embed(tokens) + self.pos_embed(tokens)"
LOOP = "for block in self.blocks:"
STEP = "residual = block(residual)"
LOGITS = "return self.unembed(self.ln_final(residual))"
BLOCKS = "self.blocks = nn.ModuleList([TransformerBlock(cfg) for _ in range(cfg.n_layers)])"

TABLES = "embeddings = cfg.d_vocab * cfg.d_model + cfg.n_ctx * cfg.d_model"
NORM = "layer_norm = 2 * cfg.d_model"
ATTENTION = "attention = 4 * cfg.n_heads * cfg.d_model * cfg.d_head + 3 * cfg.n_heads * cfg.d_head + cfg.d_model"
MLP = "mlp = 2 * cfg.d_model * cfg.d_mlp + cfg.d_mlp + cfg.d_model"
STACK = "blocks = cfg.n_layers * (2 * layer_norm + attention + mlp)"
UNEMBEDDING = "unembedding = cfg.d_model * cfg.d_vocab + cfg.d_vocab"
TOTAL = "return embeddings + blocks + layer_norm + unembedding"

MISSING = 'raise ValueError(f"the checkpoint has no tensor {name!r}")'
MISSHAPEN = 'raise ValueError(f"{name!r} has shape {tuple(tensor.shape)}, expected {shape}")'
SHAPE_CHECK = "if tensor.shape != shape:"
PRESENCE_CHECK = "        if name not in state_dict:\n            " + MISSING + "\n"
GET = "tensor = state_dict[name]"
D_ATTN = "d_model, d_mlp, d_attn = cfg.d_model, cfg.d_mlp, cfg.n_heads * cfg.d_head"
W_U = '"unembed.W_U": W_E.T.clone(),'
B_U = '"unembed.b_U": W_E.new_zeros(cfg.d_vocab),'
THEIRS = 'theirs, ours = f"transformer.h.{layer}.", f"blocks.{layer}."'
QKV = 'qkv = fetch(theirs + "attn.c_attn.weight", d_model, 3 * d_attn).chunk(3, dim=1)'
QKV_BIAS = 'qkv_bias = fetch(theirs + "attn.c_attn.bias", 3 * d_attn).chunk(3)'
LETTERS = 'zip("QKV", qkv, qkv_bias, strict=True)'
INTO_HEADS = 'rearrange(weight, "d (h e) -> h d e", h=cfg.n_heads)'
BIAS_INTO_HEADS = 'rearrange(bias, "(h e) -> h e", h=cfg.n_heads)'
OUT_OF_HEADS = 'rearrange(W_O, "(h e) d -> h e d", h=cfg.n_heads)'
W_IN = 'fetch(theirs + "mlp.c_fc.weight", d_model, d_mlp)'
W_OUT = 'fetch(theirs + "mlp.c_proj.weight", d_mlp, d_model)'
NORM_NAMES = '(("ln_1", "ln1"), ("ln_2", "ln2"))'
NORM_LINES = """
            weights[f"{ours}{ours_norm}.w"] = fetch(f"{theirs}{theirs_norm}.weight", d_model)
            weights[f"{ours}{ours_norm}.b"] = fetch(f"{theirs}{theirs_norm}.bias", d_model)
"""
RETURN = "    return weights\n"


def model(id: str, names: str, asks: str, *patch: tuple[str, str]) -> Misconception:
    """A mistake in `GPT`."""
    return Misconception(id, "GPT", patch, names, asks)


def count(id: str, names: str, asks: str, *patch: tuple[str, str]) -> Misconception:
    """A mistake in `count_parameters`."""
    return Misconception(id, "count_parameters", patch, names, asks)


def convert(id: str, names: str, asks: str, *patch: tuple[str, str]) -> Misconception:
    """A mistake in `convert_gpt2_weights`."""
    return Misconception(id, "convert_gpt2_weights", patch, names, asks)


MISCONCEPTIONS = (
    # GPT: the embeddings
    model(
        "embedding_scaled",
        "The token embedding is multiplied by the square root of d_model, as in the 2017 transformer; GPT-2 does not.",
        "What would scaled rows do to a table that was trained without the factor?",
        (EMBEDDED, "residual = self.embed(tokens) * self.embed.W_E.shape[-1] ** 0.5 + self.pos_embed(tokens)"),
    ),
    model(
        "positions_forgotten",
        "The position embedding is not added: the model hardly knows in which order the tokens stand.",
        "What tells the first block where a token stands?",
        (EMBEDDED, "residual = self.embed(tokens)"),
    ),
    model(
        "tokens_forgotten",
        "Only positions go into the first block; the token embedding is not added.",
        "What tells the first block which tokens it was given?",
        (EMBEDDED, "residual = self.pos_embed(tokens)"),
    ),
    model(
        "positions_added_after_the_blocks",
        "The positions are added after the blocks, where attention can no longer use them.",
        "Are positions added before the first block, or after the last?",
        (EMBEDDED, "residual = self.embed(tokens)"),
        (LOGITS, "return self.unembed(self.ln_final(residual + self.pos_embed(tokens)))"),
    ),
    model(
        "positions_added_before_every_block",
        "The positions are added again before every block; once, before the first, is enough.",
        "The residual stream keeps what was added to it: how often must positions be added?",
        (EMBEDDED, "residual = self.embed(tokens)"),
        (STEP, "residual = block(residual + self.pos_embed(tokens))"),
    ),
    model(
        "positions_multiplied",
        "The token and position embeddings are multiplied; they should be added.",
        "How do two vectors share one residual stream?",
        (EMBEDDED, "residual = self.embed(tokens) * self.pos_embed(tokens)"),
    ),
    model(
        "positions_start_at_one",
        "The first token is given position 1.",
        "Which row of the position table belongs to the first token?",
        (EMBEDDED, "residual = self.embed(tokens) + self.pos_embed(tokens, start=1)"),
    ),
    model(
        "token_ids_as_positions",
        "The position table is indexed by token ids.",
        "Does a position depend on which token stands there?",
        (EMBEDDED, "residual = self.embed(tokens) + self.pos_embed.W_pos[tokens]"),
    ),
    model(
        "whole_position_table_added",
        "All n_ctx rows of the position table are added, so only texts of just that length fit.",
        "How many positions do the tokens take up?",
        (EMBEDDED, "residual = self.embed(tokens) + self.pos_embed.W_pos"),
    ),
    model(
        "last_positions_used",
        "The last rows of the position table are used; a text starts at its first row.",
        "Which row of the position table belongs to the first token?",
        (EMBEDDED, "residual = self.embed(tokens) + self.pos_embed.W_pos[-tokens.shape[1] :]"),
    ),
    # GPT: the blocks
    model(
        "block_repeated_in_list",
        "All layers are one and the same block: `[block] * n` holds it n times, so only one set of weights exists.",
        "Does each layer have weights of its own?",
        (BLOCKS, "self.blocks = nn.ModuleList([TransformerBlock(cfg)] * cfg.n_layers)"),
    ),
    model(
        "blocks_in_python_list",
        "The blocks are in a plain Python list, which hides their parameters from PyTorch.",
        "How does PyTorch find the parameters of a model's parts?",
        (BLOCKS, "self.blocks = [TransformerBlock(cfg) for _ in range(cfg.n_layers)]"),
    ),
    model(
        "no_blocks",
        "The blocks are not used.",
        "What lies between the embeddings and ln_final?",
        (LOOP, "for block in self.blocks[:0]:"),
    ),
    model(
        "first_block_skipped",
        "The first block is skipped.",
        "With which index does a ModuleList start?",
        (LOOP, "for block in self.blocks[1:]:"),
    ),
    model(
        "last_block_skipped",
        "The last block is skipped.",
        "How many blocks does your loop visit when n_layers is 1?",
        (LOOP, "for block in self.blocks[:-1]:"),
    ),
    model(
        "only_the_first_block",
        "Only the first block is used.",
        "How many blocks does your loop visit when n_layers is 3?",
        (LOOP, "for block in self.blocks[:1]:"),
    ),
    model(
        "only_the_last_block_counts",
        "Every block reads the embeddings, so only the result of the last one is kept.",
        "What does the second block read?",
        (EMBEDDED, "embedded = residual = self.embed(tokens) + self.pos_embed(tokens)"),
        (STEP, "residual = block(embedded)"),
    ),
    model(
        "first_block_looped",
        "The first block is applied n_layers times; the others are not used.",
        "Which block does your loop call in its second round?",
        (STEP, "residual = self.blocks[0](residual)"),
    ),
    model(
        "blocks_reversed",
        "The blocks are applied in reverse order.",
        "Which block reads the embeddings?",
        (LOOP, "for block in reversed(self.blocks):"),
    ),
    model(
        "blocks_run_twice",
        "The whole stack of blocks is run through twice.",
        "How many blocks does a token pass when n_layers is 3?",
        (LOOP, "for block in [*self.blocks, *self.blocks]:"),
    ),
    model(
        "stream_added_to_block_output",
        "The stream is added to what a block returns, though the block has added to the stream itself.",
        "Where are the residual connections: in the block, or in the model?",
        (STEP, "residual = residual + block(residual)"),
    ),
    model(
        "twelve_layers",
        "The loop runs over 12 layers whatever n_layers is.",
        "Where does your forward learn how many blocks there are?",
        (LOOP, "for i in range(12):"),
        (STEP, "residual = self.blocks[i](residual)"),
    ),
    # GPT: the end
    model(
        "ln_final_missing",
        "ln_final is missing: the unembedding reads the stream as it is.",
        "What lies between the last block and the unembedding?",
        (LOGITS, "return self.unembed(residual)"),
    ),
    model(
        "ln_final_before_the_blocks",
        "ln_final is applied before the blocks instead of after them.",
        "What does the first block read, and what does the unembedding read?",
        (EMBEDDED, "residual = self.ln_final(self.embed(tokens) + self.pos_embed(tokens))"),
        (LOGITS, "return self.unembed(residual)"),
    ),
    model(
        "ln_final_before_and_after_the_blocks",
        "ln_final is applied before the blocks as well as after them.",
        "How often is ln_final used?",
        (EMBEDDED, "residual = self.ln_final(self.embed(tokens) + self.pos_embed(tokens))"),
    ),
    model(
        "ln_final_after_every_block",
        "ln_final is applied after every block instead of once after the last.",
        "Is there a norm on the residual stream between two blocks?",
        (STEP, "residual = self.ln_final(block(residual))"),
        (LOGITS, "return self.unembed(residual)"),
    ),
    model(
        "ln_final_added_to_stream",
        "What ln_final returns is added to the stream; the unembedding should read it alone.",
        "Does the unembedding read the stream, or a normalised copy?",
        (LOGITS, "return self.unembed(residual + self.ln_final(residual))"),
    ),
    model(
        "softmaxed_logits",
        "The logits went through a softmax: they are probabilities.",
        "Do your logits sum to one at each position?",
        (LOGITS, LOGITS + ".softmax(dim=-1)"),
    ),
    model(
        "log_softmaxed_logits",
        "The logits went through a log-softmax: they are log-probabilities, and that is the loss's work.",
        "Which exercise turns logits into probabilities?",
        (LOGITS, LOGITS + ".log_softmax(dim=-1)"),
    ),
    model(
        "last_position_only",
        "Only the last position's logits are returned; every position has a prediction.",
        "For 7 tokens, how many predictions come out of each row?",
        (LOGITS, LOGITS + "[:, -1]"),
    ),
    model(
        "last_position_kept_as_axis",
        "Only the last position's logits are returned, as a sequence of one.",
        "For 7 tokens, how many predictions come out of each row?",
        (LOGITS, "return self.unembed(self.ln_final(residual[:, -1:]))"),
    ),
    model(
        "tokens_predicted",
        "The likeliest token is returned at each position, not the logits.",
        "What shape do logits have?",
        (LOGITS, LOGITS + ".argmax(dim=-1)"),
    ),
    model(
        "stream_returned",
        "The last norm's result is returned without the unembedding.",
        "How wide are the vectors that you return?",
        (LOGITS, "return self.ln_final(residual)"),
    ),
    model(
        "unembedding_tied",
        "The unembedding is the transposed token table; the model's own W_U and b_U are not used.",
        "GPT-2 ties the two: which tensors does your model have for the way out?",
        (LOGITS, "return self.ln_final(residual) @ self.embed.W_E.T"),
    ),
    model(
        "w_u_tied",
        "The token table stands in for W_U, although the model has a W_U of its own.",
        "GPT-2 ties the two: should your forward know about it?",
        (LOGITS, "return self.ln_final(residual) @ self.embed.W_E.T + self.unembed.b_U"),
    ),
    model(
        "w_u_transposed",
        "W_U is transposed, which goes unnoticed only where d_model equals d_vocab.",
        "Which axis of W_U is as long as the stream is wide?",
        (LOGITS, "return self.ln_final(residual) @ self.unembed.W_U.T + self.unembed.b_U"),
    ),
    model(
        "b_u_forgotten",
        "The unembedding's bias b_U is not added.",
        "Which tensors does the unembedding have?",
        (LOGITS, "return self.ln_final(residual) @ self.unembed.W_U"),
    ),
    # count_parameters
    count(
        "biases_not_counted",
        "No bias is counted but those of the norms.",
        "How many biases has one attention layer, one MLP, the unembedding?",
        (ATTENTION, "attention = 4 * cfg.n_heads * cfg.d_model * cfg.d_head"),
        (MLP, "mlp = 2 * cfg.d_model * cfg.d_mlp"),
        (UNEMBEDDING, "unembedding = cfg.d_model * cfg.d_vocab"),
    ),
    count(
        "attention_and_mlp_biases_not_counted",
        "The biases of attention and of the MLP are not counted.",
        "How many biases has one attention layer, and one MLP?",
        (ATTENTION, "attention = 4 * cfg.n_heads * cfg.d_model * cfg.d_head"),
        (MLP, "mlp = 2 * cfg.d_model * cfg.d_mlp"),
    ),
    count(
        "attention_biases_not_counted",
        "The biases of attention are not counted.",
        "How many biases has one attention layer?",
        (ATTENTION, "attention = 4 * cfg.n_heads * cfg.d_model * cfg.d_head"),
    ),
    count(
        "qkv_biases_not_counted",
        "The biases b_Q, b_K and b_V are not counted.",
        "How many biases has one attention layer?",
        (ATTENTION, "attention = 4 * cfg.n_heads * cfg.d_model * cfg.d_head + cfg.d_model"),
    ),
    count(
        "bias_of_the_streams_width_not_counted",
        "In every block one bias as wide as the stream is not counted: b_O or b_out.",
        "How many biases has one attention layer, and one MLP?",
        (ATTENTION, ATTENTION.removesuffix(" + cfg.d_model")),
    ),
    count(
        "four_biases_of_the_heads_width",
        "b_O is counted as wide as the heads together; it is as wide as the stream.",
        "To what is b_O added?",
        (ATTENTION, "attention = 4 * cfg.n_heads * cfg.d_model * cfg.d_head + 4 * cfg.n_heads * cfg.d_head"),
    ),
    count(
        "w_o_not_counted",
        "Only three of attention's four matrices are counted.",
        "Which matrix leads back from the heads to the stream?",
        (ATTENTION, ATTENTION.replace("= 4", "= 3")),
    ),
    count(
        "one_head_counted",
        "Attention is counted with a single head.",
        "How many heads has one layer, and has each its own matrices?",
        (ATTENTION, "attention = 4 * cfg.d_model * cfg.d_head + 3 * cfg.d_head + cfg.d_model"),
    ),
    count(
        "heads_as_wide_as_the_stream",
        "The heads together are counted as wide as the stream, n_heads * d_head as d_model; cfg does not promise that.",
        "Right for GPT-2 and wrong for small sizes: which width was used in place of another?",
        (ATTENTION, "attention = 4 * cfg.d_model * cfg.d_model + 4 * cfg.d_model"),
    ),
    count(
        "d_head_computed_from_d_model",
        "d_head is computed as d_model // n_heads instead of being read from cfg.",
        "Right for GPT-2 and wrong for small sizes: which width was used in place of another?",
        (
            ATTENTION,
            "d_head = cfg.d_model // cfg.n_heads\n"
            "    attention = 4 * cfg.n_heads * cfg.d_model * d_head + 3 * cfg.n_heads * d_head + cfg.d_model",
        ),
    ),
    count(
        "each_head_as_wide_as_the_stream",
        "Each head is counted as wide as the stream.",
        "How wide is one head's query?",
        (
            ATTENTION,
            "attention = 4 * cfg.n_heads * cfg.d_model * cfg.d_model + 3 * cfg.n_heads * cfg.d_model + cfg.d_model",
        ),
    ),
    count(
        "mlp_biases_not_counted",
        "The biases of the MLP are not counted.",
        "How many biases has one MLP, and how long are they?",
        (MLP, "mlp = 2 * cfg.d_model * cfg.d_mlp"),
    ),
    count(
        "b_in_not_counted",
        "The bias b_in is not counted.",
        "How many biases has one MLP, and how long are they?",
        (MLP, "mlp = 2 * cfg.d_model * cfg.d_mlp + cfg.d_model"),
    ),
    count(
        "one_mlp_matrix_counted",
        "Only one of the MLP's two matrices is counted.",
        "What leads back from d_mlp to the stream?",
        (MLP, MLP.replace("= 2 * ", "= ")),
    ),
    count(
        "mlp_four_times_as_wide",
        "The MLP is counted as 4 * d_model wide instead of d_mlp.",
        "Right for GPT-2 and wrong for small sizes: which width was used in place of another?",
        (MLP, "mlp = 2 * cfg.d_model * 4 * cfg.d_model + 4 * cfg.d_model + cfg.d_model"),
    ),
    count(
        "norm_biases_not_counted",
        "A LayerNorm is counted as d_model numbers: its scale or its shift is missing.",
        "How many vectors does one LayerNorm learn?",
        (NORM, "layer_norm = cfg.d_model"),
    ),
    count(
        "one_norm_a_block",
        "A block is counted with one LayerNorm; it has two.",
        "How many norms has one block?",
        (STACK, "blocks = cfg.n_layers * (layer_norm + attention + mlp)"),
    ),
    count(
        "norms_of_the_blocks_not_counted",
        "The LayerNorms of the blocks are not counted.",
        "How many norms has one block?",
        (STACK, "blocks = cfg.n_layers * (attention + mlp)"),
    ),
    count(
        "no_norms_counted",
        "No LayerNorm is counted.",
        "How many LayerNorms has a model with 12 blocks?",
        (NORM, "layer_norm = 0"),
    ),
    count(
        "ln_final_not_counted",
        "ln_final is not counted.",
        "How many LayerNorms has a model with 12 blocks?",
        (TOTAL, "return embeddings + blocks + unembedding"),
    ),
    count(
        "ln_final_counted_in_every_layer",
        "ln_final is counted once for every layer.",
        "How many LayerNorms has a model with 12 blocks?",
        (STACK, STACK.replace("2 * ", "3 * ")),
        (TOTAL, "return embeddings + blocks + unembedding"),
    ),
    count(
        "one_layer_counted",
        "A single block is counted, whatever n_layers is.",
        "How many blocks are there?",
        (STACK, STACK.replace("cfg.n_layers * ", "")),
    ),
    count(
        "unembedding_tied_in_count",
        "The unembedding is not counted, as if it shared the token table: this counts GPT-2's file, not your GPT.",
        "You get 124,439,808 for GPT-2: which tensors of your GPT are not in it?",
        (TOTAL, "return embeddings + blocks + layer_norm"),
    ),
    count(
        "w_e_or_w_u_not_counted",
        "One of the two tables of d_vocab x d_model is not counted: W_E or W_U.",
        "Is the unembedding a table of its own in your GPT?",
        (UNEMBEDDING, "unembedding = cfg.d_vocab"),
    ),
    count(
        "b_u_not_counted",
        "b_U, the bias of the unembedding, is not counted.",
        "Your answer for GPT-2 is 50,257 short: what is missing?",
        (UNEMBEDDING, "unembedding = cfg.d_model * cfg.d_vocab"),
    ),
    count(
        "b_u_as_wide_as_the_stream",
        "b_U is counted as wide as the stream; it has one number for each token of the vocabulary.",
        "To what is b_U added?",
        (UNEMBEDDING, "unembedding = cfg.d_model * cfg.d_vocab + cfg.d_model"),
    ),
    count(
        "positions_not_counted",
        "The position table is not counted.",
        "How many tables go into the first block?",
        (TABLES, "embeddings = cfg.d_vocab * cfg.d_model"),
    ),
    count(
        "masks_counted",
        "A causal mask of n_ctx x n_ctx is counted in every layer; it is not learnt.",
        "Which tensors does the optimiser change?",
        (STACK, STACK + " + cfg.n_layers * cfg.n_ctx**2"),
    ),
    count(
        "count_is_a_float",
        "The count is a float: somewhere `/` was used where `//` keeps whole numbers whole.",
        "What type does 6 / 2 have?",
        (TOTAL, TOTAL.replace("embeddings", "float(embeddings)")),
    ),
    # convert_gpt2_weights: queries, keys, values
    convert(
        "q_and_k_exchanged",
        "The first third of c_attn is taken for the keys, the second for the queries.",
        "In which order do queries, keys and values stand?",
        (LETTERS, LETTERS.replace("QKV", "KQV")),
    ),
    convert(
        "k_and_v_exchanged",
        "The second third of c_attn is taken for the values, the last for the keys.",
        "In which order do queries, keys and values stand?",
        (LETTERS, LETTERS.replace("QKV", "QVK")),
    ),
    convert(
        "q_and_v_exchanged",
        "The thirds of c_attn are read from the back: values, keys, queries.",
        "In which order do queries, keys and values stand?",
        (LETTERS, LETTERS.replace("QKV", "VKQ")),
    ),
    convert(
        "first_third_for_all",
        "Queries, keys and values are all made from the first third of c_attn.",
        "Which columns of c_attn belong to the keys?",
        (INTO_HEADS, INTO_HEADS.replace("weight", "qkv[0]")),
        (BIAS_INTO_HEADS, BIAS_INTO_HEADS.replace("bias", "qkv_bias[0]")),
    ),
    convert(
        "parts_within_heads",
        "The columns are read head by head, queries, keys and values of each. In GPT-2 the three parts come first.",
        "Two orders are easily swapped: which comes first, the three parts or the heads?",
        (QKV, QKV.replace(".chunk(3, dim=1)", ".unflatten(1, (cfg.n_heads, 3, -1)).unbind(2)")),
        (QKV_BIAS, QKV_BIAS.replace(".chunk(3)", ".unflatten(0, (cfg.n_heads, 3, -1)).unbind(1)")),
        (INTO_HEADS, "weight.permute(1, 0, 2)"),
        (BIAS_INTO_HEADS, "bias"),
    ),
    convert(
        "parts_interleaved",
        "Every third column is taken for the queries, and so on. In GPT-2 the queries are one block of columns.",
        "Which columns hold the queries when n_heads is 2 and d_head is 3?",
        (QKV, QKV.replace(".chunk(3, dim=1)", ".unflatten(1, (-1, 3)).unbind(2)")),
        (QKV_BIAS, QKV_BIAS.replace(".chunk(3)", ".unflatten(0, (-1, 3)).unbind(1)")),
    ),
    convert(
        "heads_interleaved",
        "Within a part, neighbouring columns are given to different heads. In GPT-2 a head's columns lie side by side.",
        "Within a part, which comes first: the head or the entry?",
        (INTO_HEADS, INTO_HEADS.replace("(h e)", "(e h)")),
        (BIAS_INTO_HEADS, BIAS_INTO_HEADS.replace("(h e)", "(e h)")),
    ),
    convert(
        "heads_of_weights_interleaved",
        "Within a part, neighbouring columns of the weight are given to different heads; the bias is right.",
        "Within a part, which comes first: the head or the entry?",
        (INTO_HEADS, INTO_HEADS.replace("(h e)", "(e h)")),
    ),
    convert(
        "heads_of_biases_interleaved",
        "Within a part, neighbouring entries of the bias are given to different heads; the weight is right.",
        "The bias is laid out like the columns: which comes first, the head or the entry?",
        (BIAS_INTO_HEADS, BIAS_INTO_HEADS.replace("(h e)", "(e h)")),
    ),
    convert(
        "reshaped_without_permuting",
        "A part is reshaped straight to (n_heads, d_model, d_head): the shape is right and the numbers are shuffled.",
        "A reshape keeps the numbers in reading order: which axis of the matrix comes first?",
        (INTO_HEADS, "weight.reshape(cfg.n_heads, d_model, cfg.d_head)"),
    ),
    convert(
        "heads_not_moved_to_the_front",
        "W_Q, W_K and W_V have their axes in the order d_model, n_heads, d_head.",
        "In which order are the axes of W_Q?",
        (INTO_HEADS, INTO_HEADS.replace("-> h d e", "-> d h e")),
    ),
    convert(
        "heads_transposed",
        "The matrix of each head is transposed: (d_head, d_model).",
        "In which order are the axes of W_Q?",
        (INTO_HEADS, INTO_HEADS.replace("-> h d e", "-> h e d")),
    ),
    convert(
        "heads_not_split",
        "The heads are left side by side in one matrix: W_Q has two axes.",
        "How many axes has W_Q?",
        (INTO_HEADS, "weight"),
    ),
    convert(
        "biases_not_split",
        "The biases of all heads are left in one vector: b_Q has one axis.",
        "How many axes has b_Q?",
        (BIAS_INTO_HEADS, "bias"),
    ),
    convert(
        "biases_in_wrong_order",
        "The weights of queries, keys and values are right, but the thirds of the bias are not in their order.",
        "In which order do the biases of queries, keys and values stand?",
        (LETTERS, LETTERS.replace("qkv_bias", "reversed(qkv_bias)")),
    ),
    convert(
        "d_attn_taken_for_d_model",
        "c_attn is taken to be 3 * d_model wide; it is 3 * n_heads * d_head wide.",
        "How wide are all heads together?",
        (D_ATTN, D_ATTN.replace("cfg.n_heads * cfg.d_head", "cfg.d_model")),
    ),
    # convert_gpt2_weights: the way back, the MLP, the norms, the unembedding
    convert(
        "w_o_not_split",
        "W_O is left as one matrix of all heads: it has two axes.",
        "How many axes has W_O?",
        (OUT_OF_HEADS, "W_O"),
    ),
    convert(
        "w_o_heads_interleaved",
        "Neighbouring rows of c_proj are given to different heads. In GPT-2 a head's rows lie side by side.",
        "Which comes first in the rows of c_proj: the head or the entry?",
        (OUT_OF_HEADS, OUT_OF_HEADS.replace("(h e)", "(e h)")),
    ),
    convert(
        "w_o_transposed",
        "The heads are taken from the columns of c_proj; they are its rows. Where it is square, no shape tells.",
        "GPT-2 keeps its linear maps as (in, out): which axis of c_proj are the heads?",
        (OUT_OF_HEADS, OUT_OF_HEADS.replace("(h e) d ->", "d (h e) ->")),
    ),
    convert(
        "w_o_head_transposed",
        "The matrix of each head in W_O is transposed: (d_model, d_head).",
        "In which order are the axes of W_O?",
        (OUT_OF_HEADS, OUT_OF_HEADS.replace("-> h e d", "-> h d e")),
    ),
    convert(
        "mlp_weights_transposed",
        "W_in and W_out are transposed, as nn.Linear keeps them. GPT-2's Conv1D keeps (in, out), as you do.",
        "Did you transpose a linear map? Which one needs it?",
        (W_IN, W_IN + ".T"),
        (W_OUT, W_OUT + ".T"),
    ),
    convert(
        "w_in_transposed",
        "W_in is transposed.",
        "Did you transpose a linear map? Which one needs it?",
        (W_IN, W_IN + ".T"),
    ),
    convert(
        "w_out_transposed",
        "W_out is transposed.",
        "Did you transpose a linear map? Which one needs it?",
        (W_OUT, W_OUT + ".T"),
    ),
    convert(
        "norms_exchanged_in_conversion",
        "ln_1 and ln_2 stand in each other's places.",
        "Which of the checkpoint's norms belongs to attention?",
        (NORM_NAMES, '(("ln_1", "ln2"), ("ln_2", "ln1"))'),
    ),
    convert(
        "one_norm_for_both",
        "Both norms of a block are made from ln_1.",
        "You copied a line: was every name in it changed?",
        (NORM_NAMES, '(("ln_1", "ln1"), ("ln_1", "ln2"))'),
    ),
    convert(
        "norm_scale_and_shift_exchanged",
        "The scale and the shift of the blocks' norms are exchanged.",
        "Which of `weight` and `bias` is w?",
        (NORM_LINES, NORM_LINES.replace(".weight", ".X").replace(".bias", ".weight").replace(".X", ".bias")),
    ),
    convert(
        "first_layer_for_all",
        "Every layer is made from the checkpoint's first.",
        "Where in the checkpoint's names does the layer stand?",
        (THEIRS, THEIRS.replace("transformer.h.{layer}.", "transformer.h.0.")),
    ),
    convert(
        "w_u_not_transposed",
        "W_U is the token table as it is; it should be transposed.",
        "In which order are the axes of W_U?",
        (W_U, W_U.replace("W_E.T", "W_E")),
    ),
    convert(
        "w_u_left_out",
        "unembed.W_U is left out: the checkpoint has no tensor of that name, but your model has.",
        "From which tensor is the unembedding made?",
        (W_U, ""),
    ),
    convert(
        "b_u_left_out",
        "unembed.b_U is left out: the checkpoint has no such bias, but your model has.",
        "Which bias leaves a result as it is?",
        (B_U, ""),
    ),
    convert(
        "unembedding_left_out",
        "unembed.W_U and unembed.b_U are left out: the checkpoint has neither, but your model has.",
        "Which tensors does your Unembed have, and from what can they be made?",
        (W_U, ""),
        (B_U, ""),
    ),
    convert(
        "b_u_is_ones",
        "unembed.b_U is filled with ones; GPT-2 adds nothing there.",
        "Which bias leaves a result as it is?",
        (B_U, B_U.replace("new_zeros", "new_ones")),
    ),
    convert(
        "numbers_made_float32",
        "All tensors are made float32, whatever the checkpoint's dtype is.",
        "Does a conversion of names and layout change a tensor's dtype?",
        ("        return tensor\n", "        return tensor.float()\n"),
    ),
    # convert_gpt2_weights: what the checkpoint holds, and lacks
    convert(
        "prefix_left_out",
        "The names are looked up without `transformer.` in front.",
        "How do the names in GPT2LMHeadModel.state_dict() start?",
        (GET, 'name = name.removeprefix("transformer.")\n        ' + GET),
        (PRESENCE_CHECK, PRESENCE_CHECK.replace("name not in", 'name.removeprefix("transformer.") not in')),
    ),
    convert(
        "tied_head_needed",
        "The unembedding is read from lm_head.weight, which a checkpoint with a tied unembedding need not hold.",
        "From which tensor is the unembedding made?",
        (W_U, '"unembed.W_U": fetch("lm_head.weight", cfg.d_vocab, d_model).T.clone(),'),
    ),
    convert(
        "extra_entries_kept",
        "Entries that GPT does not have are handed through into the result.",
        "Which names does a strict load into your GPT accept?",
        (
            RETURN,
            "    known = ('wte', 'wpe', 'ln_', 'c_')\n"
            "    extra = {n: t for n, t in state_dict.items() if not any(part in n for part in known)}\n"
            "    return weights | extra\n",
        ),
    ),
    convert(
        "extra_entries_refused",
        "A checkpoint with entries that are not needed is refused; they should be ignored.",
        "Does a stored mask or a tied head do any harm?",
        (
            RETURN,
            "    for name in state_dict:\n"
            "        if not any(part in name for part in ('wte', 'wpe', 'ln_', 'c_')):\n"
            "            raise ValueError(f'{name} is not needed')\n"
            "    return weights\n",
        ),
    ),
    convert(
        "tensors_taken_out",
        "Tensors are popped from state_dict, which changes the caller's dictionary.",
        "After the conversion, is state_dict still what it was?",
        (GET, "tensor = state_dict.pop(name)"),
    ),
    convert(
        "key_error",
        "A missing tensor raises KeyError; a ValueError that names it is asked for.",
        "Who reads the message, and what do they need to know?",
        (PRESENCE_CHECK, ""),
    ),
    convert(
        "missing_tensor_not_named",
        "The error for a missing tensor does not name it.",
        "Who reads the message, and what do they need to know?",
        (MISSING, 'raise ValueError("a tensor is missing")'),
    ),
    convert(
        "missing_tensor_asserted",
        "A missing tensor fails an assert; a ValueError that names it is asked for.",
        "What happens to an assert when Python runs with -O?",
        (PRESENCE_CHECK, "        assert name in state_dict, name\n"),
    ),
    convert(
        "missing_tensor_passed_over",
        "A missing tensor is passed over in silence, and its place filled with zeros.",
        "What should whoever brought a damaged file be told?",
        (MISSING, "return next(iter(state_dict.values())).new_zeros(shape)"),
    ),
    convert(
        "shapes_not_checked",
        "The shapes of the tensors are not checked, or no more than their numbers of elements.",
        "What happens when a tensor has another size than cfg says, or is transposed?",
        (SHAPE_CHECK, "if False:"),
    ),
    convert(
        "shapes_asserted",
        "A misshapen tensor fails an assert; a ValueError that names it is asked for.",
        "What happens to an assert when Python runs with -O?",
        (MISSHAPEN, "raise AssertionError(name)"),
    ),
    convert(
        "misshapen_tensor_not_named",
        "The error for a misshapen tensor does not name it.",
        "Who reads the message, and what do they need to know?",
        (MISSHAPEN, 'raise ValueError(f"wrong shape {tuple(tensor.shape)}, expected {shape}")'),
    ),
)

# Mutations of the reference that no law can tell from it, and why
ZIP = "for letter, weight, bias in zip('QKV', qkv, qkv_bias, strict=True):"
TABLES_AND_NORM = (
    "weights = {'embed.W_E': W_E, 'pos_embed.W_pos': fetch('transformer.wpe.weight', cfg.n_ctx, d_model), "
    "'ln_final.w': fetch('transformer.ln_f.weight', d_model), 'ln_final.b': fetch('transformer.ln_f.bias', d_model), "
    "'unembed.W_U': W_E.T.clone(), 'unembed.b_U': W_E.new_zeros(cfg.d_vocab)}"
)
EQUIVALENT: dict[str, str] = {
    f"convert_gpt2_weights: {ZIP}  ->  {ZIP.replace('True', 'False')}": "there are always three of each",
    f"convert_gpt2_weights: {TABLES_AND_NORM}  ->  {TABLES_AND_NORM.replace('.clone()', '')}": (
        "a view holds the same numbers, and loading a model copies them"
    ),
}
