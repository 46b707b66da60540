"""Known mistakes in attention: each a patch on `reference/attention.py` that makes it."""

from graders.engine.misconception import Misconception

SCALED = "scaled = q / d_head**0.5"
DOTS = "batch q n_heads d_head, batch k n_heads d_head -> batch n_heads q k"
PRODUCT = f'einsum(scaled, k, "{DOTS}")'
FUTURE = "is_future = k_pos > q_pos"
HIDDEN = 'return scores.masked_fill(is_future, float("-inf"))'
MIXED = "batch n_heads q k, batch k n_heads d_head -> batch q n_heads d_head"
Q_LINE = "q = einsum(x, self.W_Q, into_head) + self.b_Q"
K_LINE = "k = einsum(x, self.W_K, into_head) + self.b_K"
V_LINE = "v = einsum(x, self.W_V, into_head) + self.b_V"
SCORES_LINE = "scores = apply_causal_mask(attention_scores(q, k))"
Z_LINE = "z = mix_values(attention_pattern(scores), v)"
OUT = 'return einsum(z, self.W_O, "batch seq n_heads d_head, n_heads d_head d_model -> batch seq d_model") + self.b_O'
SUM_OF_HEADS = OUT.removeprefix("return ").removesuffix(" + self.b_O")

MISCONCEPTIONS = (
    # attention_scores
    Misconception(
        "no_scaling",
        "attention_scores",
        ((SCALED, "scaled = q"),),
        "The scores are not scaled: they are the bare dot products.",
        "If d_head grows four times as large, how much larger do the dot products become?",
    ),
    Misconception(
        "scaled_by_sqrt_d_model",
        "attention_scores",
        ((SCALED, "scaled = q / (q.shape[-1] * q.shape[-2]) ** 0.5"),),
        "The scores are divided by the square root of d_model, the width of all heads together, not of d_head.",
        "How many numbers are added up in one dot product?",
    ),
    Misconception(
        "scaled_by_d_head",
        "attention_scores",
        ((SCALED, "scaled = q / d_head"),),
        "The scores are divided by d_head: by the square root twice, or by d_head itself.",
        "The variance of a sum of d_head numbers grows like d_head: how does its standard deviation grow?",
    ),
    Misconception(
        "scaled_by_8",
        "attention_scores",
        ((SCALED, "scaled = q / 8.0"),),
        "The scores are divided by 8, which is right only for heads that are 64 wide.",
        "Where does GPT-2's 8 come from?",
    ),
    Misconception(
        "multiplied_by_sqrt_d_head",
        "attention_scores",
        ((SCALED, "scaled = q * d_head**0.5"),),
        "The scores are multiplied by the square root of d_head instead of divided by it.",
        "Should the scale make a wide head's scores larger or smaller?",
    ),
    Misconception(
        "scaled_by_n_heads",
        "attention_scores",
        ((SCALED, "scaled = q / q.shape[-2] ** 0.5"),),
        "The scores are divided by the square root of the number of heads: a wrong axis was read for d_head.",
        "Which axis of q is d_head?",
    ),
    Misconception(
        "heads_reshaped_into_place",
        "attention_scores",
        (
            (
                PRODUCT,
                "scaled.reshape(q.shape[0], q.shape[2], q.shape[1], d_head)"
                " @ k.reshape(k.shape[0], k.shape[2], k.shape[1], d_head).mT",
            ),
        ),
        "The axes of heads and positions are renamed by a reshape, which moves no number: rows of heads get mixed.",
        "Does `reshape` move numbers, or does it only cut the same row of numbers elsewhere?",
    ),
    Misconception(
        "scaled_by_sequence_length",
        "attention_scores",
        ((SCALED, "scaled = q / k.shape[1] ** 0.5"),),
        "The scores are divided by the square root of the number of keys: a wrong axis was read for d_head.",
        "Which axis of k is d_head?",
    ),
    Misconception(
        "scaled_in_place_of_dots",
        "attention_scores",
        ((SCALED, "q /= d_head**0.5\n    scaled = q"),),
        "The queries are scaled in place, which changes the tensor that was passed in.",
        "What does `q /= ...` do to the caller's q?",
    ),
    Misconception(
        "q_and_k_swapped",
        "attention_scores",
        ((DOTS, "batch k n_heads d_head, batch q n_heads d_head -> batch n_heads q k"),),
        "Queries and keys are swapped: the table is [key, query], not [query, key].",
        "Which of the two axes should be as long as there are queries?",
    ),
    Misconception(
        "heads_summed_in_scores",
        "attention_scores",
        (
            (
                PRODUCT,
                'einsum(scaled, k, "batch q n_heads d_head, batch k n_heads d_head -> batch q k").unsqueeze(1)'
                ".repeat(1, q.shape[2], 1, 1)",
            ),
        ),
        "The scores of all heads are added up, so that every head has the same pattern.",
        "Which letters does your einsum keep after the arrow, and which does it sum away?",
    ),
    Misconception(
        "heads_in_the_place_of_tokens",
        "attention_scores",
        (
            (
                PRODUCT,
                "scaled @ k.transpose(-1, -2)",
            ),
        ),
        "The product runs over the last two axes as they are, so that heads are compared with heads.",
        "Which two axes of q does the matrix product see, and which two should it see?",
    ),
    Misconception(
        "heads_compared_with_other_heads",
        "attention_scores",
        (
            (
                PRODUCT,
                'einsum(scaled, k.flip(2), "batch q n_heads d_head, batch k n_heads d_head -> batch n_heads q k")',
            ),
        ),
        "The queries of one head are compared with the keys of another.",
        "Does the axis of heads stand in the same place in q and in k when you multiply them?",
    ),
    Misconception(
        "masked_in_scores",
        "attention_scores",
        ((PRODUCT, f"apply_causal_mask({PRODUCT})"),),
        "The mask is applied here already; these scores should be unmasked.",
        "Which of the four functions hides the future?",
    ),
    # apply_causal_mask
    Misconception(
        "mask_hides_self",
        "apply_causal_mask",
        ((FUTURE, "is_future = k_pos >= q_pos"),),
        "The mask hides the token itself: the diagonal is masked too.",
        "Which keys may the query at position 0 look at?",
    ),
    Misconception(
        "mask_one_too_late",
        "apply_causal_mask",
        ((FUTURE, "is_future = k_pos > q_pos + 1"),),
        "The mask starts one place too late: every query sees one token of the future.",
        "What is the last key that query 0 of 2 may see?",
    ),
    Misconception(
        "mask_hides_the_past",
        "apply_causal_mask",
        ((FUTURE, "is_future = k_pos < q_pos"),),
        "The mask hides the past and shows the future: the triangle is the wrong one.",
        "Is the part to hide above or below the diagonal of [query, key]?",
    ),
    Misconception(
        "mask_transposed",
        "apply_causal_mask",
        ((HIDDEN, 'return scores.masked_fill(is_future.T, float("-inf"))'),),
        "The mask is transposed: it is [key, query].",
        "With 2 queries and 5 keys, which shape must the mask have?",
    ),
    Misconception(
        "mask_inverted",
        "apply_causal_mask",
        ((FUTURE, "is_future = k_pos <= q_pos"),),
        "The mask is inverted: what a query may see is hidden, what it may not see is kept.",
        "Does True in your mask mean keep, or hide?",
    ),
    Misconception(
        "no_mask",
        "apply_causal_mask",
        ((HIDDEN, "return scores.clone()"),),
        "Nothing is masked: every query sees the future.",
        "With 2 queries and 2 keys, which of the four scores must go?",
    ),
    Misconception(
        "mask_without_offset",
        "apply_causal_mask",
        (("torch.arange(n_keys - n_queries, n_keys)", "torch.arange(n_queries)"),),
        "With fewer queries than keys, the first query stands at the first key, not the last query at the last key.",
        "With 1 query and 3 keys, as when a cache is used, which keys may the query see?",
    ),
    Misconception(
        "masked_with_zero",
        "apply_causal_mask",
        ((HIDDEN, "return scores.masked_fill(is_future, 0.0)"),),
        "Hidden scores are set to 0, which the softmax still gives weight.",
        "What is exp(0), and what is exp(-inf)?",
    ),
    Misconception(
        "mask_multiplied",
        "apply_causal_mask",
        ((HIDDEN, 'return scores * torch.where(is_future, float("-inf"), 1.0)'),),
        "The scores are multiplied by -inf: a negative score becomes +inf, and zero becomes NaN.",
        "What is -0.5 times -inf?",
    ),
    Misconception(
        "mask_is_subtracted_infinity_times_mask",
        "apply_causal_mask",
        ((HIDDEN, 'return scores + is_future * float("-inf")'),),
        "The mask is multiplied by -inf before it is added, and 0 times -inf is NaN.",
        "What is 0 times -inf?",
    ),
    Misconception(
        "masked_with_tiny_number",
        "apply_causal_mask",
        ((HIDDEN, "return scores.masked_fill(is_future, 1e-10)"),),
        "Hidden scores are set to 1e-10, a number near zero; -1e10 was probably meant, and -inf is asked for.",
        "Is 1e-10 a very large negative number?",
    ),
    Misconception(
        "masked_with_1e4",
        "apply_causal_mask",
        ((HIDDEN, "return scores.masked_fill(is_future, -1e4)"),),
        "Hidden scores are set to -1e4, not to -inf: a large score elsewhere can be lower still.",
        "Is there a number so low that no score can lie below it?",
    ),
    Misconception(
        "masked_with_1e5",
        "apply_causal_mask",
        ((HIDDEN, "return scores.masked_fill(is_future, -1e5)"),),
        "Hidden scores are set to -1e5, not to -inf: a large score elsewhere can be lower still.",
        "Is there a number so low that no score can lie below it?",
    ),
    Misconception(
        "masked_with_1e9",
        "apply_causal_mask",
        ((HIDDEN, "return scores.masked_fill(is_future, -1e9)"),),
        "Hidden scores are set to -1e9, not to -inf.",
        "Is there a number so low that no score can lie below it?",
    ),
    Misconception(
        "masked_with_lowest_float",
        "apply_causal_mask",
        ((HIDDEN, "return scores.masked_fill(is_future, torch.finfo(scores.dtype).min)"),),
        "Hidden scores are set to the lowest finite number, not to -inf.",
        "What would the softmax of a row make of it if every score in it were that low?",
    ),
    Misconception(
        "mask_only_first",
        "apply_causal_mask",
        (
            (
                HIDDEN,
                'masked = scores.clone()\n    masked[0, 0] = masked[0, 0].masked_fill(is_future, float("-inf"))\n'
                "    return masked",
            ),
        ),
        "Only the first head of the first row of the batch is masked.",
        "Over which axes should the mask be broadcast?",
    ),
    Misconception(
        "mask_only_first_row_of_batch",
        "apply_causal_mask",
        (
            (
                HIDDEN,
                'masked = scores.clone()\n    masked[0] = masked[0].masked_fill(is_future, float("-inf"))\n'
                "    return masked",
            ),
        ),
        "Only the first row of the batch is masked.",
        "Over which axes should the mask be broadcast?",
    ),
    Misconception(
        "masked_in_place",
        "apply_causal_mask",
        ((HIDDEN, 'return scores.masked_fill_(is_future, float("-inf"))'),),
        "The scores that were passed in are changed in place.",
        "Does `scores[...] = ...`, or a method whose name ends in an underscore, make a new tensor?",
    ),
    # attention_pattern
    Misconception(
        "softmax_over_queries",
        "attention_pattern",
        (("return scores.softmax(dim=-1)", "return scores.softmax(dim=-2)"),),
        "The softmax runs over the queries, not over the keys.",
        "Which sums must be 1: those of the rows of [query, key], or those of its columns?",
    ),
    Misconception(
        "softmax_over_heads",
        "attention_pattern",
        (("return scores.softmax(dim=-1)", "return scores.softmax(dim=1)"),),
        "The softmax runs over the heads, not over the keys.",
        "Which axis holds the keys?",
    ),
    Misconception(
        "softmax_over_everything",
        "attention_pattern",
        (("return scores.softmax(dim=-1)", "return scores.flatten(-2).softmax(dim=-1).view_as(scores)"),),
        "The softmax runs over the whole table, so that only all queries together add up to one.",
        "How much weight does each single query have to give away?",
    ),
    Misconception(
        "log_softmax",
        "attention_pattern",
        (("return scores.softmax(dim=-1)", "return scores.log_softmax(dim=-1)"),),
        "These are the logarithms of the weights.",
        "Can a weight be negative?",
    ),
    Misconception(
        "not_normalised",
        "attention_pattern",
        (("return scores.softmax(dim=-1)", "return scores.exp()"),),
        "The scores are exponentiated but not divided by their sum.",
        "What must the weights of one query add up to?",
    ),
    Misconception(
        "divided_without_exp",
        "attention_pattern",
        (
            (
                "return scores.softmax(dim=-1)",
                "seen = scores.masked_fill(scores.isinf(), 0)\n    return seen / seen.sum(dim=-1, keepdim=True)",
            ),
        ),
        "The scores are divided by their sum without being exponentiated first.",
        "What happens to a negative score?",
    ),
    Misconception(
        "unstable_softmax",
        "attention_pattern",
        (("return scores.softmax(dim=-1)", "return scores.exp() / scores.exp().sum(dim=-1, keepdim=True)"),),
        "The exponentials overflow for large scores: subtract each row's largest score first.",
        "What is exp(800) in floating point, and exp(800 - 800)?",
    ),
    # mix_values
    Misconception(
        "pattern_transposed_before_the_product",  # with unequal lengths another error than `pattern_transposed`
        "mix_values",
        (
            (
                f'einsum(pattern, v, "{MIXED}")',
                "(pattern.transpose(-1, -2) @ v.transpose(1, 2)).transpose(1, 2)",
            ),
        ),
        "The pattern is transposed before the product, so the weights of a query are taken from a column.",
        "Along which axis do the weights of one query lie?",
    ),
    Misconception(
        "value_of_the_query",
        "mix_values",
        (
            (
                'einsum(pattern, v, "batch n_heads q k, batch k n_heads d_head -> batch q n_heads d_head")',
                'einsum(pattern, v, "batch n_heads q k, batch q n_heads d_head -> batch q n_heads d_head")',
            ),
        ),
        "Each query takes its own value, times the sum of its weights: v is read at the query's place, not the key's.",
        "Which axis of the pattern do the values share?",
    ),
    Misconception(
        "heads_not_moved_before_the_product",
        "mix_values",
        (
            (
                'einsum(pattern, v, "batch n_heads q k, batch k n_heads d_head -> batch q n_heads d_head")',
                "pattern @ v",
            ),
        ),
        "The product runs over the axes as they stand: pattern has its heads second, v third.",
        "What must the last two axes of v be, for a matrix product with (q, k)?",
    ),
    Misconception(
        "pattern_transposed",
        "mix_values",
        ((MIXED, "batch n_heads k q, batch k n_heads d_head -> batch q n_heads d_head"),),
        "The pattern is read as [key, query], so the weights of a query are taken from a column.",
        "Along which axis do the weights of one query lie?",
    ),
    Misconception(
        "weights_averaged",
        "mix_values",
        (
            (
                'einsum(pattern, v, "batch n_heads q k, batch k n_heads d_head -> batch q n_heads d_head")',
                'einsum(pattern / v.shape[1], v, "batch h q k, batch k h d_head -> batch q h d_head")',
            ),
        ),
        "The weighted values are averaged over the keys, though their weights already add up to one.",
        "What do the weights of one query add up to?",
    ),
    Misconception(
        "pattern_of_first_head",
        "mix_values",
        (("return einsum(pattern, v,", "return einsum(pattern[:, :1].expand_as(pattern), v,"),),
        "All heads use the pattern of the first.",
        "Does the axis of heads stay in both inputs of your product?",
    ),
    # Attention
    Misconception(
        "b_q_forgotten",
        "Attention",
        ((Q_LINE, Q_LINE.removesuffix(" + self.b_Q")),),
        "The bias b_Q is not added to the queries.",
        "How many biases does the layer have, and where is each used?",
    ),
    Misconception(
        "b_v_forgotten",
        "Attention",
        ((V_LINE, V_LINE.removesuffix(" + self.b_V")),),
        "The bias b_V is not added to the values.",
        "How many biases does the layer have, and where is each used?",
    ),
    Misconception(
        "b_k_added_to_queries",
        "Attention",
        ((Q_LINE, Q_LINE.replace("b_Q", "b_K")),),
        "The bias b_K is added to the queries.",
        "Which bias belongs to which of the three?",
    ),
    Misconception(
        "b_v_added_to_queries",
        "Attention",
        ((Q_LINE, Q_LINE.replace("b_Q", "b_V")),),
        "The bias b_V is added to the queries.",
        "Which bias belongs to which of the three?",
    ),
    Misconception(
        "b_q_added_to_values",
        "Attention",
        ((V_LINE, V_LINE.replace("b_V", "b_Q")),),
        "The bias b_Q is added to the values.",
        "Which bias belongs to which of the three?",
    ),
    Misconception(
        "b_k_added_to_values",
        "Attention",
        ((V_LINE, V_LINE.replace("b_V", "b_K")),),
        "The bias b_K is added to the values.",
        "Which bias belongs to which of the three?",
    ),
    Misconception(
        "b_o_forgotten",
        "Attention",
        ((OUT, OUT.removesuffix(" + self.b_O")),),
        "The bias b_O is not added to the output.",
        "How many biases does the layer have, and where is each used?",
    ),
    Misconception(
        "no_biases",
        "Attention",
        (
            (Q_LINE, Q_LINE.removesuffix(" + self.b_Q")),
            (K_LINE, K_LINE.removesuffix(" + self.b_K")),
            (V_LINE, V_LINE.removesuffix(" + self.b_V")),
            (OUT, OUT.removesuffix(" + self.b_O")),
        ),
        "None of the biases is used.",
        "How many biases does the layer have, and where is each used?",
    ),
    Misconception(
        "b_o_once_a_head",
        "Attention",
        ((OUT, f"return {SUM_OF_HEADS} + self.W_O.shape[0] * self.b_O"),),
        "The bias b_O is added once for every head instead of once.",
        "Is b_O added before or after the heads are summed?",
    ),
    Misconception(
        "heads_averaged",
        "Attention",
        ((OUT, f"return {SUM_OF_HEADS} / self.W_O.shape[0] + self.b_O"),),
        "The heads are averaged; they should be summed.",
        "Would adding a head that outputs zero change what the others contribute?",
    ),
    Misconception(
        "w_q_used_for_keys",
        "Attention",
        ((K_LINE, "k = einsum(x, self.W_Q, into_head) + self.b_K"),),
        "The keys are made with W_Q; they may even be the queries once more.",
        "Which matrix makes the keys?",
    ),
    Misconception(
        "keys_used_as_values",
        "Attention",
        ((V_LINE, "v = einsum(x, self.W_K, into_head) + self.b_K"),),
        "The values are the keys once more: made with W_K and b_K.",
        "Which matrix makes the values?",
    ),
    Misconception(
        "w_k_used_for_values",
        "Attention",
        ((V_LINE, "v = einsum(x, self.W_K, into_head) + self.b_V"),),
        "The values are made with W_K.",
        "Which matrix makes the values?",
    ),
    Misconception(
        "all_from_w_q",
        "Attention",
        (
            (K_LINE, "k = einsum(x, self.W_Q, into_head) + self.b_K"),
            (V_LINE, "v = einsum(x, self.W_Q, into_head) + self.b_V"),
        ),
        "Queries, keys and values are all made with W_Q.",
        "Which three matrices read the stream?",
    ),
    Misconception(
        "all_from_w_q_and_b_q",
        "Attention",
        (
            (K_LINE, "k = einsum(x, self.W_Q, into_head) + self.b_Q"),
            (V_LINE, "v = einsum(x, self.W_Q, into_head) + self.b_Q"),
        ),
        "Queries, keys and values are all made with W_Q and b_Q.",
        "Which three matrices read the stream?",
    ),
    Misconception(
        "scores_called_with_k_first",
        "Attention",
        ((SCORES_LINE, "scores = apply_causal_mask(attention_scores(k, q))"),),
        "The scores are computed with the keys in the queries' place.",
        "In which order does attention_scores take its arguments?",
    ),
    Misconception(
        "layer_without_mask",
        "Attention",
        ((SCORES_LINE, "scores = attention_scores(q, k)"),),
        "The layer does not mask its scores: every token sees the future.",
        "What stands between the scores and the pattern?",
    ),
    Misconception(
        "w_q_misnamed",
        "Attention",
        (
            (
                "self.W_Q = nn.Parameter(torch.empty(cfg.n_heads, cfg.d_model, cfg.d_head))",
                "self.W_q = nn.Parameter(torch.empty(cfg.n_heads, cfg.d_model, cfg.d_head))",
            ),
            ("for weight in (self.W_Q, self.W_K", "for weight in (self.W_q, self.W_K"),
            (Q_LINE, "q = einsum(x, self.W_q, into_head) + self.b_Q"),
        ),
        "W_Q is called W_q: weights loaded by name, with strict=False, would leave it at its random start.",
        "Which name does the exercise give to the parameter that makes the queries?",
    ),
    Misconception(
        "layer_without_softmax",
        "Attention",
        (
            (SCORES_LINE, "scores = attention_scores(q, k)"),
            (Z_LINE, "z = mix_values(scores.tril(), v)"),
        ),
        "The masked scores are used as weights without a softmax.",
        "What turns scores into weights?",
    ),
    Misconception(
        "masked_after_softmax",
        "Attention",
        (
            (SCORES_LINE, "scores = attention_scores(q, k)"),
            (Z_LINE, "z = mix_values(attention_pattern(scores).tril(), v)"),
        ),
        "The mask is applied after the softmax, so the weights that are left do not add up to one.",
        "What do the weights of query 0 add up to after your mask?",
    ),
    Misconception(
        "layer_mask_is_finite",
        "Attention",
        (
            (
                SCORES_LINE,
                "scores = attention_scores(q, k)\n"
                "        scores = scores.masked_fill(torch.ones_like(scores, dtype=torch.bool).triu(1), -1e4)",
            ),
        ),
        "The layer masks with a number such as -1e4: beside scores as low as that, the future shines through.",
        "Is there a number so low that no score can lie below it?",
    ),
    Misconception(
        "residual_added_in_attention",
        "Attention",
        ((OUT, f"return x + {SUM_OF_HEADS} + self.b_O"),),
        "The layer adds its input to its output; the residual connection belongs to the block.",
        "Which exercise adds attention's result to the residual stream?",
    ),
    Misconception(
        "output_not_projected_by_head",
        "Attention",
        ((OUT, 'return einsum(z.flip(2), self.W_O, "b s h e, h e d -> b s d") + self.b_O'),),
        "The heads are projected with the W_O of other heads.",
        "Does head h of z meet head h of W_O?",
    ),
    Misconception(
        "heads_read_out_of_order",
        "Attention",
        (
            (
                OUT,
                "return z.transpose(2, 3).flatten(2) @ self.W_O.flatten(0, 1) + self.b_O",
            ),
        ),
        "The heads are flattened in the wrong order: d_head runs slower than the heads.",
        "After flattening, which number stands next to head 0's first?",
    ),
)

B_K = "b_K adds the same number to all scores of a query, which the softmax takes away again."

# Mutations of the reference that no law can tell from it, and why
EQUIVALENT = {
    "apply_causal_mask: n_queries, n_keys = scores.shape[-2:]  ->  n_queries, n_keys = scores.shape[2:]": (
        "Scores have four axes: the last two are those after the second."
    ),
    "Attention: k = einsum(x, self.W_K, into_head) + self.b_K  ->  k = einsum(x, self.W_K, into_head) - self.b_K": B_K,
    "Attention: k = einsum(x, self.W_K, into_head) + self.b_K  ->  k = einsum(x, self.W_K, into_head)": B_K,
    "Attention: k = einsum(x, self.W_K, into_head) + self.b_K  ->  k = einsum(x, self.W_K, into_head) + self.b_Q": B_K,
    "Attention: k = einsum(x, self.W_K, into_head) + self.b_K  ->  k = einsum(x, self.W_K, into_head) + self.b_V": B_K,
}
