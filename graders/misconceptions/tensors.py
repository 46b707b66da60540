"""Known mistakes in tensors: each a patch on `reference/tensors.py` that makes it."""

from graders.engine.misconception import Misconception

CHECK_IDS = "if ids.numel() and not 0 <= ids.min() <= ids.max() < n:"
IS_ID = "is_id = ids.unsqueeze(-1) == torch.arange(n)"
ROWS_OF_IDS = "return is_id.to(torch.get_default_dtype())"
CHECK_LENGTHS = "if a.shape != b.shape:"
DOT = "return (a * b).sum()"
ONE_HOT_ROWS = "rows = one_hot(ids, len(table)).to(table.dtype)"
LOOKUP = "return rows @ table"
BATCH_MATMUL = 'return einsum(a, b, "batch i j, batch j k -> batch i k")'
OUTER = 'return einsum(a, b, "i, j -> i j")'
CHECK_SQUARE = "if a.ndim != 2 or a.shape[0] != a.shape[1]:"
TRACE = 'return einsum(a, "n n ->")'
BILINEAR = 'return einsum(x, W, y, "batch i, i j, batch j -> batch")'
CHECK_HEADS = "if n_heads < 1 or d % n_heads:"
SPLIT = 'return rearrange(x, "batch seq (n_heads d_head) -> batch seq n_heads d_head", n_heads=n_heads)'
MERGE = 'return rearrange(x, "batch seq n_heads d_head -> batch seq (n_heads d_head)")'
WEIGHTED = 'return einsum(weights, values, "batch q k, batch k d -> batch q d")'

MISCONCEPTIONS = (
    # one_hot
    Misconception(
        "columns_count_from_one",
        "one_hot",
        ((IS_ID, "is_id = ids.unsqueeze(-1) == torch.arange(1, n + 1)"),),
        "The columns count from 1: every 1 stands a column too far to the left, and id 0 has none.",
        "Which is the first of the n columns, and which id does it belong to?",
    ),
    Misconception(
        "as_wide_as_the_largest_id",
        "one_hot",
        ((IS_ID, "is_id = ids.unsqueeze(-1) == torch.arange(int(ids.max()) + 1 if ids.numel() else n)"),),
        "There are as many columns as the largest of these ids needs, not n.",
        "Two sentences use different words. How wide must the rows of either be?",
    ),
    Misconception(
        "one_hot_as_integers",
        "one_hot",
        ((ROWS_OF_IDS, "return is_id.long()"),),
        "The rows are integers: a product with a table of floats will be refused.",
        "Which dtype does a weight matrix have, and can an integer matrix be multiplied with it?",
    ),
    Misconception(
        "one_hot_always_in_float32",
        "one_hot",
        ((ROWS_OF_IDS, "return is_id.to(torch.float32)"),),
        "The rows are in float32 whatever PyTorch's default dtype is.",
        "Which dtype does `torch.zeros(3)` have, and what changes it?",
    ),
    Misconception(
        "columns_come_first",
        "one_hot",
        ((IS_ID, "is_id = (ids.unsqueeze(-1) == torch.arange(n)).movedim(-1, 0)"),),
        "The axis of the columns comes first: each id got a column, not a row.",
        "Which axis of the result do you walk along to read the row of one id?",
    ),
    Misconception(
        "ids_flattened",
        "one_hot",
        ((IS_ID, "is_id = ids.flatten().unsqueeze(-1) == torch.arange(n)"),),
        "The axes of the ids are lost: all ids became one long list.",
        "For a batch of two sentences of three words, how many axes does the result have?",
    ),
    Misconception(
        "ids_without_numbers_have_no_minimum",
        "one_hot",
        ((CHECK_IDS, CHECK_IDS.replace("ids.numel() and ", "")),),
        "With no ids at all the check fails: an empty tensor has no smallest number.",
        "What is the result for no ids and n columns: which shape, and how many numbers?",
    ),
    Misconception(
        "id_n_not_refused",
        "one_hot",
        ((CHECK_IDS, CHECK_IDS.replace("< n", "<= n")),),
        "The id n passes, although the last column is n - 1.",
        "With 3 columns, which ids have one?",
    ),
    Misconception(
        "ids_below_zero_not_refused",
        "one_hot",
        ((CHECK_IDS, "if ids.numel() and not ids.max() < n:"), (IS_ID, "is_id = torch.eye(n)[ids]")),
        "An id below 0 is not refused, and counts from the end, as Python's indices do.",
        "Which row of a table does the index -1 read, and which word has the id -1?",
    ),
    Misconception(
        "ids_are_indices",
        "one_hot",
        ((CHECK_IDS, "if False:"), (IS_ID, "is_id = torch.eye(n)[ids]")),
        "The ids go unchecked into an index: too large ones raise an IndexError, those below 0 count from the end.",
        "Whose error does the caller see, and which row does the index -1 read?",
    ),
    Misconception(
        "unknown_ids_get_zeros",
        "one_hot",
        ((CHECK_IDS, "if False:"),),
        "An id without a column is not refused: its row is all zeros, and nobody will notice.",
        "What would a model see in place of a word that its vocabulary does not have?",
    ),
    # dot
    Misconception(
        "dot_not_added_up",
        "dot",
        ((DOT, "return a * b"),),
        "The products are not added up: a dot product is a single number.",
        "How many axes are left when both vectors have been walked along to the end?",
    ),
    Misconception(
        "dot_of_the_sums",
        "dot",
        ((DOT, "return a.sum() * b.sum()"),),
        "Each vector is added up on its own first: every number met every other, not only the one in its place.",
        "What is the dot product of [1, 0] and [0, 1]?",
    ),
    Misconception(
        "dot_is_a_cosine",
        "dot",
        ((DOT, "return (a * b).sum() / (a.norm() * b.norm()).clamp(min=1e-12)"),),
        "This is the cosine of the angle: it was divided by the lengths of both vectors.",
        "Should twice as long a vector have twice as large a dot product?",
    ),
    Misconception(
        "dot_as_a_python_number",
        "dot",
        ((DOT, "return (a * b).sum().item()"),),
        "The result is a plain number, through which no gradient flows, not a tensor.",
        "What does `.item()` cut the result off from?",
    ),
    Misconception(
        "lengths_not_compared",
        "dot",
        ((CHECK_LENGTHS, "if False:"),),
        "Not all lengths that differ are refused: 1 would be stretched, others end in an error of the library's.",
        "What does broadcasting do with the shapes (3,) and (1,)?",
    ),
    # lookup_by_matmul
    Misconception(
        "lookup_by_indexing",
        "lookup_by_matmul",
        ((LOOKUP, "return table[ids]"),),
        "The rows are found by indexing: the numbers are right, but the point was to see a product find them.",
        "What is a row that holds a single 1, times the table?",
    ),
    Misconception(
        "columns_looked_up",
        "lookup_by_matmul",
        ((ONE_HOT_ROWS, ONE_HOT_ROWS.replace("len(table)", "table.shape[1]")), (LOOKUP, "return rows @ table.T")),
        "The ids read columns of the table, not rows.",
        "How many ids does a table of n rows and d columns know?",
    ),
    Misconception(
        "one_hot_as_wide_as_the_rows",
        "lookup_by_matmul",
        ((ONE_HOT_ROWS, ONE_HOT_ROWS.replace("len(table)", "table.shape[1]")),),
        "The one-hot rows are as wide as the table, d: there has to be a column for each of its n rows.",
        "Which axis of the table has a place for every id?",
    ),
    Misconception(
        "lookup_flattens_ids",
        "lookup_by_matmul",
        ((LOOKUP, "return rows.reshape(-1, len(table)) @ table"),),
        "The axes of the ids are lost: all rows came back as one long list.",
        "For a batch of two sentences of three words, how many axes does the result have?",
    ),
    Misconception(
        "lookup_in_the_default_dtype",
        "lookup_by_matmul",
        ((ONE_HOT_ROWS, "rows = one_hot(ids, len(table))"),),
        "The one-hot rows stay in PyTorch's default dtype: a table of another dtype cannot be multiplied with them.",
        "Which dtype must both sides of a matrix product have?",
    ),
    Misconception(
        "table_is_detached",
        "lookup_by_matmul",
        ((LOOKUP, "return rows @ table.detach()"),),
        "No gradient reaches the table, so that an embedding would never learn.",
        "What do `.detach()`, `.data` and `torch.tensor(...)` do to a gradient?",
    ),
    Misconception(
        "ids_below_zero_looked_up",
        "lookup_by_matmul",
        ((ONE_HOT_ROWS, "rows = torch.eye(len(table), dtype=table.dtype)[ids]"),),
        "Ids are not checked here: those below 0 read rows from the end, and those too large raise an IndexError.",
        "Which function of this file refuses ids, and is it called?",
    ),
    # batch_matmul
    Misconception(
        "every_pair_of_the_batch",
        "batch_matmul",
        ((BATCH_MATMUL, BATCH_MATMUL.replace("batch j k ->", "other j k ->")),),
        "The two batch axes have different names, so that each matrix met all of the other stack, and they were added.",
        "Which axis has to bear the same name in both inputs to be walked along together?",
    ),
    Misconception(
        "batch_summed_away",
        "batch_matmul",
        ((BATCH_MATMUL, BATCH_MATMUL.replace("-> batch i k", "-> i k")),),
        "The batch is missing after the arrow, so it was summed: one matrix is left of the whole batch.",
        "What happens to an axis that is not named after the arrow?",
    ),
    Misconception(
        "first_matrix_for_the_whole_batch",
        "batch_matmul",
        ((BATCH_MATMUL, 'return einsum(a, b[0], "batch i j, j k -> batch i k")'),),
        "All matrices of `a` are multiplied with the first one of `b`.",
        "Which matrix of `b` belongs to the second of `a`?",
    ),
    Misconception(
        "second_matrix_transposed",
        "batch_matmul",
        ((BATCH_MATMUL, BATCH_MATMUL.replace("batch j k ->", "batch k j ->")),),
        "The second matrix is read by its rows: this is a product with the transposed one.",
        "Which axis of `b` must be as long as the rows of `a`?",
    ),
    # outer
    Misconception(
        "outer_transposed",
        "outer",
        ((OUTER, OUTER.replace("-> i j", "-> j i")),),
        "Rows and columns of the result are exchanged.",
        "Which of the two vectors decides how many rows there are?",
    ),
    Misconception(
        "place_by_place",
        "outer",
        ((OUTER, "return a * b"),),
        "The vectors are multiplied place by place: they share one axis where each should have its own.",
        "How many axes, and how many numbers, do 2 and 3 numbers make, each with each?",
    ),
    Misconception(
        "added_each_to_each",
        "outer",
        ((OUTER, "return a.unsqueeze(1) + b"),),
        "Each number is added to each: it should be multiplied.",
        "What do [2] and [3] give: 5 or 6?",
    ),
    # trace
    Misconception(
        "all_numbers_summed",
        "trace",
        ((TRACE, 'return einsum(a, "n m ->")'),),
        "All numbers are summed, not only those of the diagonal: two letters walk independently of each other.",
        "How does a pattern say that row and column are the same?",
    ),
    Misconception(
        "diagonal_not_summed",
        "trace",
        ((TRACE, 'return einsum(a, "n n -> n")'),),
        "This is the diagonal itself: the letter that stands after the arrow is kept.",
        "What must be missing for an axis to be summed?",
    ),
    Misconception(
        "shorter_diagonal_summed",
        "trace",
        ((CHECK_SQUARE, "if False:"), (TRACE, "return a.diagonal().sum()")),
        "A matrix that is not square is not refused: what diagonal it has is summed.",
        "Where does the diagonal of a matrix of 2 x 3 end?",
    ),
    # bilinear
    Misconception(
        "matrix_read_the_other_way",
        "bilinear",
        ((BILINEAR, BILINEAR.replace("i j, batch j", "j i, batch j")),),
        "W is read the other way round: its rows go with y and its columns with x.",
        "Which axis of W is as long as x, and which as y?",
    ),
    Misconception(
        "each_row_with_each_row",
        "bilinear",
        ((BILINEAR, BILINEAR.replace("batch j -> batch", "other j -> batch")),),
        "Each row of x met all rows of y, and they were added: the two batch axes have different names.",
        "Which row of y belongs to the first row of x?",
    ),
    Misconception(
        "table_of_all_rows",
        "bilinear",
        ((BILINEAR, "return x @ W @ y.T"),),
        "Each row of x met all rows of y, in a table of batch x batch: only its diagonal was asked for.",
        "Which row of y belongs to the first row of x, and how many numbers are there to be?",
    ),
    Misconception(
        "bilinear_sums_the_batch",
        "bilinear",
        ((BILINEAR, BILINEAR.replace("-> batch", "->")),),
        "The batch is missing after the arrow, so it was summed: a single number is left.",
        "How many numbers do three rows give?",
    ),
    # split_heads
    Misconception(
        "heads_inside",
        "split_heads",
        ((SPLIT, SPLIT.replace("(n_heads d_head) ->", "(d_head n_heads) ->")),),
        "The heads are dealt out like cards: head 0 got every n_heads-th number, not the first d_head.",
        "Which head gets the second number of a vector?",
    ),
    Misconception(
        "n_heads_taken_for_d_head",
        "split_heads",
        ((SPLIT, "return x.unflatten(-1, (d // n_heads, n_heads))"),),
        "The last two axes are the wrong way round: there are d_head pieces of the width n_heads.",
        "How wide is each of 2 pieces of a vector of 6 numbers?",
    ),
    Misconception(
        "heads_before_tokens",
        "split_heads",
        ((SPLIT, SPLIT.replace("-> batch seq n_heads", "-> batch n_heads seq")),),
        "The heads stand before the tokens: many libraries do so, but here they come after.",
        "Which axis stands second in the result?",
    ),
    Misconception(
        "reshaped_to_heads_before_tokens",
        "split_heads",
        ((SPLIT, "return x.reshape(len(x), n_heads, x.shape[1], d // n_heads)"),),
        "A reshape straight to heads before tokens reads in order: the numbers of one head come from several tokens.",
        "Which axis stands second in the result, and which numbers does a reshape put into its first entry?",
    ),
    Misconception(
        "cut_across_tokens",
        "split_heads",
        ((SPLIT, "return x.reshape(len(x), n_heads, x.shape[1], d // n_heads).transpose(1, 2)"),),
        "The numbers of one head come from several tokens: a reshape reads in order, it does not move axes.",
        "Into which two neighbouring axes may the last one be cut before anything is moved?",
    ),
    Misconception(
        "rest_cut_off",
        "split_heads",
        (
            (CHECK_HEADS, "if n_heads < 1:"),
            (SPLIT, SPLIT.replace("(x,", "(x[..., : d // n_heads * n_heads],")),
        ),
        "What does not fit into heads of equal width is cut off, where it should have been refused.",
        "Which head gets the last of 7 numbers, when there are 3 heads?",
    ),
    Misconception(
        "heads_not_checked",
        "split_heads",
        ((CHECK_HEADS, "if False:"),),
        "Not every number of heads that cannot be is refused: it ends in an error about shapes, from deep below.",
        "Whose error does the caller see, and does it say which two numbers do not fit?",
    ),
    # merge_heads
    Misconception(
        "merged_with_heads_inside",
        "merge_heads",
        ((MERGE, MERGE.replace("(n_heads d_head)", "(d_head n_heads)")),),
        "The heads are dealt out like cards: first number 0 of every head, then number 1 of every head.",
        "Which number follows the first one of head 0?",
    ),
    Misconception(
        "merged_across_tokens",
        "merge_heads",
        ((MERGE, "return x.transpose(1, 2).reshape(len(x), x.shape[1], -1)"),),
        "The heads were moved before the tokens and then joined, so that vectors of different tokens are mixed.",
        "Which two axes are neighbours when they are made one?",
    ),
    # weighted_sum
    Misconception(
        "weights_of_the_keys",
        "weighted_sum",
        ((WEIGHTED, WEIGHTED.replace("batch q k, batch k d", "batch k q, batch k d")),),
        "The weights are read the other way round: their rows are taken for keys, their columns for queries.",
        "Which axis of the weights is as long as the values are many?",
    ),
    Misconception(
        "weights_made_to_add_up",
        "weighted_sum",
        ((WEIGHTED, WEIGHTED.replace("einsum(weights,", "einsum(weights.softmax(dim=-1),")),),
        "The weights are put through a softmax first: here they are used as they are.",
        "What should come of weights that are all 0?",
    ),
    Misconception(
        "weights_and_values_summed_apart",
        "weighted_sum",
        ((WEIGHTED, WEIGHTED.replace("batch k d", "batch j d")),),
        "The keys have two different names, so that the weights were summed on their own, and so were the values.",
        "Which axis do weights and values walk along together?",
    ),
    Misconception(
        "values_of_the_whole_batch",
        "weighted_sum",
        ((WEIGHTED, WEIGHTED.replace("batch k d", "other k d")),),
        "The values of all rows of the batch are added up: the two batch axes have different names.",
        "May a text listen to the other texts of its batch?",
    ),
)

# Mutations of the reference that nothing can tell from it, with the reason.
EQUIVALENT: dict[str, str] = {}
