"""The specification of tensors, as laws that hold for every input. Read it beside `exercises/tensors.py`.

What is expected is worked out by loops, by broadcasting or by hand: never by an einsum, which is what is learnt here.
"""

from dataclasses import replace

import torch
from torch import tensor
from torch.nn import functional as F

from graders.cases import tensors_arrays as arrays
from graders.cases.tensors_arrays import examples, few, large
from graders.engine.from_scratch import from_scratch
from graders.engine.law import Broken, expect_equal, expect_refusal, law
from graders.engine.script import parameter

PRODUCTS = {"mul", "matmul", "einsum", "mm", "bmm", "mv", "dot", "addmm", "addmv", "baddbmm", "addcmul", "linear"}

FILES, FIND, MY = range(3)
find_my_files = examples({"ids": tensor([FIND, MY, FILES]), "n": 3})
many_words = examples({"ids": torch.arange(700).reshape(2, 350) * 7 % 300, "n": 301})
words_without_a_column = examples(
    {"ids": tensor([1, 5, 0]), "n": 3, "expected": "an id of 5 among 3 columns"},
    {"ids": tensor([[0, 1], [3, 1]]), "n": 3, "expected": "an id of 3 among 3 columns, which end at 2"},
    {"ids": tensor([[0, 1], [2, -1]]), "n": 3, "expected": "an id of -1"},
    {"ids": tensor(-1), "n": 4, "expected": "a single id, of -1"},
    {"ids": tensor(4), "n": 4, "expected": "a single id of 4 among 4 columns"},
)
words_of_the_page = examples(
    *(
        {"a": tensor([0.0, 0.0, 1.0]).double(), "b": tensor(b).double(), "expected": product}
        for b, product in (([0.0, 0.0, 1.0], 1.0), ([1.0, 0.0, 0.0], 0.0), ([0.2, 0.3, 0.5], 0.5))
    )
)
four_rows = tensor([[0.5, 1.0], [2.0, -1.0], [3.0, 0.0], [-4.0, 2.5]], dtype=torch.float64)
rows_1_4_3 = examples({"table": four_rows, "ids": tensor([0, 3, 2])})
two_queries = examples(
    {
        "weights": tensor([[[0.5, 0.5, 0.0], [0.0, 0.25, 0.75]]], dtype=torch.float64),
        "values": tensor([[[2.0, 0.0], [4.0, 8.0], [0.0, 4.0]]], dtype=torch.float64),
    }
)
trace_on_the_page = examples({"a": tensor([[1.0, 9.0], [4.0, 2.0]]).double()})
bilinear_on_the_page = examples(
    {
        "x": tensor([[1.0, 2.0]]).double(),
        "W": tensor([[0.0, 3.0], [1.0, -1.0]]).double(),
        "y": tensor([[2.0, 1.0]]).double(),
    }
)
eight_heads_of_64 = examples({"x": torch.arange(1024.0).double().reshape(1, 2, 512), "n_heads": 8})
rows_that_are_not_there = examples(
    {"table": four_rows, "ids": tensor([[0, 4]]), "expected": "an id of 4 in a table of 4 rows"},
    {"table": four_rows, "ids": tensor([0, -1, 2]), "expected": "an id of -1"},
    {"table": four_rows, "ids": tensor(-2), "expected": "a single id, of -2"},
)
lengths_that_differ = examples(
    *(
        {"a": torch.ones(n, dtype=torch.float64), "b": torch.ones(m, dtype=torch.float64), "expected": f"{n} and {m}"}
        for n, m in ((3, 1), (1, 2), (2, 3), (0, 1))
    )
)
not_square = examples(
    *({"a": torch.ones(n, m, dtype=torch.float64)} for n, m in ((2, 3), (3, 2), (1, 2), (2, 0), (0, 2)))
)
heads_of_unequal_width = examples(
    *(
        {
            "x": torch.ones(1, 2, 6, dtype=torch.float64),
            "n_heads": n_heads,
            "expected": f"6 numbers for {n_heads} heads",
        }
        for n_heads in (4, 5, 12, 0, -1, -2)
    )
)
every_width = examples(*({"x": torch.arange(24.0).double().reshape(1, 2, 12), "n_heads": n} for n in (2, 1, 12, 3, 4)))


# one_hot


@law("one_hot", arrays.words)
def test_each_id_has_a_one_in_its_own_column(subject, reference, case):
    """A row for each id, in whatever shape the ids come, or none of them: 1 in the id's column, 0 in all others."""
    expected = F.one_hot(case.ids, case.n).to(torch.float64)
    expect_equal(subject.one_hot(case.ids, case.n), expected, note="made by PyTorch")


@law("one_hot", find_my_files)
def test_a_sentence_is_a_row_for_each_word(subject, reference, case):
    """With files, find and my as words 0, 1 and 2, "find my files" is 0 1 0, 0 0 1, 1 0 0."""
    rows = tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]], dtype=torch.float64)
    expect_equal(subject.one_hot(case.ids, case.n), rows, note="written down by hand on the page")


@law("one_hot", find_my_files)
def test_rows_are_in_the_default_dtype(subject, reference, case):
    """The rows are in PyTorch's default dtype, which here is float32 as it is in a fresh Python, and not in another."""

    def story(do):
        do.make(parameter(torch.zeros(1, dtype=torch.float32)))  # whose dtype is the default in this story
        return do.one_hot(case.ids, case.n)

    expect_equal(subject.tell(story), reference.tell(story))


@law("one_hot", many_words)
def test_many_ids_among_many_columns(subject, reference, case):
    """With 700 ids and 301 columns, the last of them nobody's, each row still holds one 1, in its place."""
    expected = F.one_hot(case.ids, case.n).to(torch.float64)
    expect_equal(subject.one_hot(case.ids, case.n), expected, note="made by PyTorch")


@law("one_hot", words_without_a_column)
def test_ids_without_a_column_are_refused(subject, reference, case):
    """An id below 0, of n or above has no column, and raises ValueError, whatever stands beside it."""
    expect_refusal(subject, "one_hot", case.ids, case.n, what=case.expected)


test_one_hot_is_from_scratch = from_scratch("tensors", "one_hot")


# dot


@law("dot", arrays.vectors)
def test_dot_adds_up_the_products(subject, reference, case):
    """The dot product is the sum of the products of what stands in the same place."""
    total = sum(x * y for x, y in zip(case.a.tolist(), case.b.tolist(), strict=True))
    expect_equal(subject.dot(case.a, case.b), tensor(total, dtype=torch.float64), note="added up one by one")


@law("dot", words_of_the_page)
def test_dot_of_words(subject, reference, case):
    """Of one-hot rows it is 1 for the same word and 0 for another; of a word and a mix, the word's weight in it."""
    expected = tensor(case.expected, dtype=torch.float64)
    expect_equal(subject.dot(case.a, case.b), expected, note="worked out by hand on the page")


@law("dot", few(arrays.vectors))
def test_dot_with_a_one_hot_row_picks_a_number(subject, reference, case):
    """The dot product of a one-hot row with a vector is the number in the column of the 1."""
    for i, row in enumerate(torch.eye(len(case.a), dtype=case.a.dtype)):
        expect_equal(subject.dot(row, case.b), case.b[i], what=f"1 in column {i}:")


@law("dot", few(arrays.vectors))
def test_gradients_of_dot(subject, reference, case):
    """Gradients flow back into both vectors."""
    expect_equal(subject.gradients("dot", case.a, case.b), reference.gradients("dot", case.a, case.b), "gradient of")


@law("dot", large(arrays.vectors, d=300))
def test_dot_of_long_vectors_in_float32(subject, reference, case):
    """Vectors of 300 numbers in float32 have their dot product, in float32."""
    expect_equal(subject.dot(case.a, case.b), reference.dot(case.a, case.b))


@law("dot", lengths_that_differ)
def test_vectors_of_two_lengths_are_refused(subject, reference, case):
    """Vectors of two lengths have no dot product, and raise ValueError: a length of 1 is not stretched."""
    expect_refusal(subject, "dot", case.a, case.b, what=f"vectors of the lengths {case.expected}")


# lookup_by_matmul


@law("lookup_by_matmul", arrays.tables)
def test_lookup_gives_the_rows_of_the_ids(subject, reference, case):
    """For each id, in whatever shape the ids come, or none of them, that row of the table."""
    expect_equal(subject.lookup_by_matmul(case.table, case.ids), case.table[case.ids], note="found by indexing")


@law("lookup_by_matmul", rows_1_4_3)
def test_lookup_is_a_product(subject, reference, case):
    """The rows are the product of one-hot rows and the table; the same rows found by indexing show nothing new."""
    watched = replace(subject, watch=True, repeats=False)
    watched.lookup_by_matmul(case.table, case.ids)
    if PRODUCTS.isdisjoint(name.strip("_") for name in watched.replies[-1].operations):
        raise Broken("values", "no product ran", "a product, as @ or an einsum makes it", what="how it was found")


@law("lookup_by_matmul", few(arrays.tables))
def test_gradients_reach_the_rows_that_were_looked_up(subject, reference, case):
    """A row gets the gradients of all places in which it was looked up, added up; the others get none."""
    yours = subject.gradients("lookup_by_matmul", case.table, case.ids)
    expect_equal(yours, reference.gradients("lookup_by_matmul", case.table, case.ids), "gradient of")


@law("lookup_by_matmul", large(arrays.tables, axes=3, length=40, n=300, d=70))
def test_lookup_in_a_large_table_in_float32(subject, reference, case):
    """240 rows of a table of 300, in float32, are those that indexing finds, in float32."""
    expect_equal(subject.lookup_by_matmul(case.table, case.ids), case.table[case.ids], note="found by indexing")


@law("lookup_by_matmul", rows_1_4_3)
def test_lookup_works_in_the_dtype_of_the_table(subject, reference, case):
    """A table that is not in PyTorch's default dtype is looked up in its own."""
    expected = case.table.float()[case.ids]

    def story(do):
        do.make(parameter(case.table))  # whose dtype is the default in this story
        return do.lookup_by_matmul(case.table.float(), case.ids)

    expect_equal(subject.tell(story), expected)


@law("lookup_by_matmul", rows_that_are_not_there)
def test_rows_that_are_not_there_are_refused(subject, reference, case):
    """An id below 0, or of the number of rows or above, raises ValueError."""
    expect_refusal(subject, "lookup_by_matmul", case.table, case.ids, what=case.expected)


# batch_matmul


@law("batch_matmul", arrays.stacks)
def test_matrices_are_multiplied_pair_by_pair(subject, reference, case):
    """Each matrix of `a` is multiplied with the one of `b` that stands in the same place of the batch."""
    expected = (case.a[:, :, :, None] * case.b[:, None]).sum(dim=2)
    expect_equal(subject.batch_matmul(case.a, case.b), expected, note="each with each, summed over j")


@law("batch_matmul", few(arrays.stacks))
def test_a_one_in_each_row_picks_rows(subject, reference, case):
    """A matrix with a single 1 in each row picks those rows of the other, in each pair of the batch alone."""
    batch, rows, _columns = case.b.shape
    back_to_front = torch.eye(rows, dtype=case.b.dtype).flip(0).expand(batch, -1, -1).clone()
    expect_equal(subject.batch_matmul(back_to_front, case.b), case.b.flip(1), note="the rows from last to first")


@law("batch_matmul", few(arrays.stacks))
def test_gradients_of_batch_matmul(subject, reference, case):
    """Gradients flow back into both stacks of matrices."""
    yours = subject.gradients("batch_matmul", case.a, case.b)
    expect_equal(yours, reference.gradients("batch_matmul", case.a, case.b), "gradient of")


@law("batch_matmul", large(arrays.stacks, batch=9, i=17, j=140, k=70))
def test_large_matrices_in_float32(subject, reference, case):
    """Nine pairs of 17 x 140 and 140 x 70, in float32, have their products, in float32."""
    expect_equal(subject.batch_matmul(case.a, case.b), reference.batch_matmul(case.a, case.b))


# outer


@law("outer", arrays.two_vectors)
def test_outer_multiplies_each_with_each(subject, reference, case):
    """Row i, column j is the product of number i of `a` and number j of `b`."""
    expect_equal(subject.outer(case.a, case.b), case.a.unsqueeze(1) * case.b, note="by broadcasting")


@law("outer", few(arrays.two_vectors))
def test_gradients_of_outer(subject, reference, case):
    """Gradients flow back into both vectors."""
    yours = subject.gradients("outer", case.a, case.b)
    expect_equal(yours, reference.gradients("outer", case.a, case.b), "gradient of")


@law("outer", large(arrays.two_vectors, i=140, j=90))
def test_outer_of_long_vectors_in_float32(subject, reference, case):
    """Vectors of 140 and 90 numbers in float32 make a table of 140 x 90 products, in float32."""
    expect_equal(subject.outer(case.a, case.b), case.a.unsqueeze(1) * case.b, note="by broadcasting")


# trace


@law("trace", arrays.squares)
def test_trace_adds_up_the_diagonal(subject, reference, case):
    """The trace is the sum of the numbers whose row and column are the same; of no numbers it is 0."""
    diagonal = sum((row[i] for i, row in enumerate(case.a.tolist())), start=0.0)
    expect_equal(subject.trace(case.a), tensor(diagonal, dtype=torch.float64), note="added up one by one")


@law("trace", trace_on_the_page)
def test_trace_agrees_with_the_example_on_the_page(subject, reference, case):
    """In the page's example the trace is 3."""
    expect_equal(subject.trace(case.a), tensor(3.0, dtype=torch.float64), note="worked out by hand on the page")


@law("trace", few(arrays.squares))
def test_gradient_of_the_trace(subject, reference, case):
    """Gradients flow back into the diagonal, and nowhere else."""
    expect_equal(subject.gradients("trace", case.a), reference.gradients("trace", case.a), "gradient of")


@law("trace", large(arrays.squares, n=140))
def test_trace_of_a_large_matrix_in_float32(subject, reference, case):
    """A matrix of 140 x 140 in float32 has its trace, in float32."""
    expect_equal(subject.trace(case.a), case.a.diagonal().sum())


@law("trace", not_square)
def test_a_matrix_that_is_not_square_is_refused(subject, reference, case):
    """A matrix with more rows than columns, or fewer, has no trace, and raises ValueError."""
    expect_refusal(subject, "trace", case.a, what="{} rows and {} columns".format(*case.a.shape))


# bilinear


@law("bilinear", arrays.forms)
def test_bilinear_is_one_number_a_row(subject, reference, case):
    """Each row of `x`, times W, times the same row of `y`: the sum over all i and j of x_i W_ij y_j."""
    expected = (case.x[:, :, None] * case.W * case.y[:, None]).sum(dim=(1, 2))
    expect_equal(subject.bilinear(case.x, case.W, case.y), expected, note="all products, summed over i and j")


@law("bilinear", bilinear_on_the_page)
def test_bilinear_agrees_with_the_example_on_the_page(subject, reference, case):
    """In the page's example the one number is 5."""
    five = tensor([5.0], dtype=torch.float64)
    expect_equal(subject.bilinear(case.x, case.W, case.y), five, note="worked out by hand on the page")


@law("bilinear", few(arrays.forms))
def test_bilinear_of_one_hot_rows_reads_the_matrix(subject, reference, case):
    """With x one-hot in place i and y in place j, the number is row i, column j of W."""
    i, j = (places.flatten() for places in torch.meshgrid(*map(torch.arange, case.W.shape), indexing="ij"))
    x, y = (torch.eye(size, dtype=case.W.dtype)[at] for size, at in zip(case.W.shape, (i, j), strict=True))
    expect_equal(subject.bilinear(x, case.W, y), case.W.flatten(), note="W itself, row after row")


@law("bilinear", few(arrays.forms))
def test_gradients_of_bilinear(subject, reference, case):
    """Gradients flow back into x, W and y."""
    yours = subject.gradients("bilinear", case.x, case.W, case.y)
    expect_equal(yours, reference.gradients("bilinear", case.x, case.W, case.y), "gradient of")


@law("bilinear", large(arrays.forms, batch=40, i=70, j=90))
def test_bilinear_of_many_rows_in_float32(subject, reference, case):
    """40 rows and a matrix of 70 x 90, in float32, give 40 numbers, in float32."""
    expect_equal(subject.bilinear(case.x, case.W, case.y), ((case.x @ case.W) * case.y).sum(dim=-1))


# split_heads


@law("split_heads", arrays.streams)
def test_each_head_gets_its_own_piece(subject, reference, case):
    """Head 0 gets the first d_head numbers of each vector, head 1 the next, and so on."""
    pieces = torch.stack(case.x.chunk(case.n_heads, dim=-1), dim=2)
    expect_equal(subject.split_heads(case.x, case.n_heads), pieces, note="piece after piece")


@law("split_heads", eight_heads_of_64)
def test_eight_heads_of_512(subject, reference, case):
    """In the first transformer's sizes, 512 numbers for 8 heads, each head gets 64: head 1 those from 64 to 127."""
    yours = subject.split_heads(case.x, case.n_heads)
    expected = torch.arange(64.0, 128.0, dtype=torch.float64)
    expect_equal(list(yours.shape), [1, 2, 8, 64], what="the shape")
    expect_equal(yours[0, 0, 1], expected, what="head 1 of the first token", note="counted by hand")


@law("split_heads", few(arrays.streams))
def test_gradients_of_split_heads(subject, reference, case):
    """Gradients flow back to where each number came from."""
    yours = subject.gradients("split_heads", case.x, case.n_heads)
    expect_equal(yours, reference.gradients("split_heads", case.x, case.n_heads), "gradient of")


@law("split_heads", large(arrays.streams, batch=5, seq=40, n_heads=12, d_head=70))
def test_many_heads_in_float32(subject, reference, case):
    """With 12 heads, 5 rows and 40 tokens in float32, each head still gets its piece, in float32."""
    expected = case.x.unflatten(-1, (12, 70))
    expect_equal(subject.split_heads(case.x, case.n_heads), expected, note="by `unflatten`")


@law("split_heads", heads_of_unequal_width)
def test_heads_of_unequal_width_are_refused(subject, reference, case):
    """A number of heads that does not divide d, or that is below 1, raises ValueError."""
    expect_refusal(subject, "split_heads", case.x, case.n_heads, what=case.expected)


# merge_heads


@law("merge_heads", arrays.heads)
def test_heads_are_put_side_by_side(subject, reference, case):
    """Each vector is the numbers of head 0, then those of head 1, and so on."""
    expect_equal(subject.merge_heads(case.x), torch.cat(case.x.unbind(2), dim=-1), note="head after head")


@law("merge_heads", every_width)
def test_merging_undoes_splitting(subject, reference, case):
    """Whatever the number of heads was, what was cut into them comes back as it was."""
    heads = torch.stack(case.x.chunk(case.n_heads, dim=-1), dim=2)
    expect_equal(subject.merge_heads(heads), case.x, note="as it was before it was split")


@law("merge_heads", few(arrays.heads))
def test_gradients_of_merge_heads(subject, reference, case):
    """Gradients flow back to where each number came from."""
    expect_equal(subject.gradients("merge_heads", case.x), reference.gradients("merge_heads", case.x), "gradient of")


@law("merge_heads", large(arrays.heads, batch=5, seq=40, n_heads=12, d_head=70))
def test_many_heads_are_merged_in_float32(subject, reference, case):
    """12 heads of 70 numbers, of 5 rows and 40 tokens in float32, are still put side by side, in float32."""
    expect_equal(subject.merge_heads(case.x), case.x.flatten(2), note="by `flatten`")


# weighted_sum


@law("weighted_sum", arrays.mixtures)
def test_values_are_added_up_by_weight(subject, reference, case):
    """For each query, the values of all keys, each times the weight of this query for it, added up."""
    expected = (case.weights[:, :, :, None] * case.values[:, None]).sum(dim=2)
    expect_equal(subject.weighted_sum(case.weights, case.values), expected, note="each with each, summed over keys")


@law("weighted_sum", two_queries)
def test_mixture_agrees_with_the_example_on_the_page(subject, reference, case):
    """In the page's example the two queries get 3, 4 and 1, 5."""
    mixed = tensor([[[3.0, 4.0], [1.0, 5.0]]], dtype=torch.float64)
    expect_equal(subject.weighted_sum(case.weights, case.values), mixed, note="worked out by hand on the page")


@law("weighted_sum", few(arrays.mixtures))
def test_a_weight_of_one_copies_a_value(subject, reference, case):
    """With a weight of 1 for the last key and of 0 for all others, every query gets that key's value."""
    weights = torch.zeros_like(case.weights)
    weights[..., -1] = 1
    copied = case.values[:, -1:].expand(-1, weights.shape[1], -1)
    expect_equal(subject.weighted_sum(weights, case.values), copied, note="the last key's value, for every query")


@law("weighted_sum", few(arrays.mixtures))
def test_gradients_of_weighted_sum(subject, reference, case):
    """Gradients flow back into weights and values."""
    yours = subject.gradients("weighted_sum", case.weights, case.values)
    expect_equal(yours, reference.gradients("weighted_sum", case.weights, case.values), "gradient of")


@law("weighted_sum", large(arrays.mixtures, batch=5, q=11, k=140, d=70))
def test_many_values_in_float32(subject, reference, case):
    """140 values for each of 11 queries and 5 rows, in float32, are added up by weight, in float32."""
    expect_equal(subject.weighted_sum(case.weights, case.values), case.weights @ case.values)
