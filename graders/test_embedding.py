"""The specification of embeddings, as laws that hold for every input. Read it beside `exercises/embedding.py`."""

import torch
from torch.nn import functional as F

from graders.engine.law import expect_equal, law
from graders.engine.space import Case, fixed, space


@space(batch=(1, 3), seq=(1, 6), d_vocab=(2, 6), d_model=(1, 5))
def texts(case, batch, seq, d_vocab, d_model):
    """Token ids, the same one often more than once, and a table of random vectors."""
    case.config(d_vocab=d_vocab, d_model=d_model)
    case.parameters(W_E="d_vocab d_model")
    case.integers("tokens", below=d_vocab, batch=batch, seq=seq)


@space(batch=(1, 3), seq=(1, 5), more_ctx=(0, 4), d_model=(1, 4))
def texts_in_context(case, batch, seq, more_ctx, d_model):
    """Texts, and a table of positions that is as long as they are or longer."""
    case.config(n_ctx=seq + more_ctx, d_model=d_model)
    case.parameters(W_pos="n_ctx d_model")
    case.integers("tokens", below=case.cfg["d_vocab"], batch=batch, seq=seq)


@space(batch=(1, 3), seq=(1, 5), start=(-6, 4), more_ctx=(0, 3), d_model=(1, 4))
def texts_from_a_start(case, batch, seq, start, more_ctx, d_model):
    """Texts that all start at one position, which is often below 0 and now and then far below."""
    case.config(n_ctx=max(start, 0) + seq + more_ctx, d_model=d_model)
    case.parameters(W_pos="n_ctx d_model")
    case.integers("tokens", below=case.cfg["d_vocab"], batch=batch, seq=seq)
    case.show("start", start)


@space(batch=(1, 3), seq=(1, 5), more_ctx=(0, 4), d_model=(1, 4))
def texts_from_starts_of_their_own(case, batch, seq, more_ctx, d_model):
    """Texts of which each starts somewhere else, from below 0, or far below, to as late as the table allows."""
    texts_in_context.build(case, batch, seq, more_ctx, d_model)
    lowest = -seq - (9 if case.seed % 3 == 1 else 1)
    starts = case.integers("start", below=more_ctx + 1 - lowest, batch=batch)
    case.show("start", starts + lowest, batch=batch)


@space(batch=(1, 3), seq=(1, 4), d_model=(1, 5), d_vocab=(1, 6))
def streams(case, batch, seq, d_model, d_vocab):
    """A residual stream, and an unembedding with random weights and biases."""
    case.config(d_model=d_model, d_vocab=d_vocab)
    case.parameters(W_U="d_model d_vocab", b_U="d_vocab")
    case.tensor("x", batch=batch, seq=seq, d_model=d_model)


@space(n_ctx=(1, 9), d_model=(1, 9))
def table_sizes(case, n_ctx, d_model):
    """Sizes of a table of positions, odd widths among them."""
    case.show("n_ctx", n_ctx)
    case.show("d_model", d_model)


@fixed
def texts_of_every_token(where):
    """Two texts in which each of 300 tokens occurs, the highest among them."""
    case = texts.case(1, batch=2, seq=200, d_vocab=300, d_model=3)
    case.show("tokens", (torch.arange(400) * 7 % 300).view(2, 200), batch=2, seq=200)
    return [case]


@fixed
def long_texts(where):
    """Texts of 280 tokens."""
    return [texts_in_context.case(1, batch=2, seq=280, more_ctx=20, d_model=3)]


@fixed
def streams_for_many_tokens(where):
    """A residual stream, and an unembedding of 300 tokens."""
    return [streams.case(1, batch=9, seq=5, d_model=20, d_vocab=300)]


@space(few=3, d_model=(12, 30))
def long_tables(case, d_model):
    """The sizes of a table of 3000 positions and more."""
    table_sizes.build(case, n_ctx=3000 + case.seed % 1000, d_model=d_model)


@fixed
def vector_worked_by_hand(where):
    """The vector of token 2 at position 0, in the example of the exercise's page."""
    case = Case(0, {})
    case.config(d_model=2, d_vocab=3)
    W_U, b_U = [[1.0, 0.0, 2.0], [0.0, 1.0, -1.0]], [0.0, 0.5, 0.1]
    case.weights = {"W_U": torch.tensor(W_U).double(), "b_U": torch.tensor(b_U, dtype=torch.float64)}
    case.show("x", torch.tensor([[[1.5, 0.6]]], dtype=torch.float64), batch=1, seq=1, d_model=2)
    case.logits = torch.tensor([1.5, 1.1, 2.5], dtype=torch.float64)
    return [case]


@fixed
def table_worked_by_hand(where):
    """Four columns: the second pair turns a hundred times slower than the first."""
    case = Case(0, {})
    case.show("n_ctx", 3)
    case.show("d_model", 4)
    sin_2, cos_2, sin_002, cos_002 = 0.909297426826, -0.416146836547, 0.019998666693, 0.999800006667
    case.row_2 = torch.tensor([sin_2, cos_2, sin_002, cos_002], dtype=torch.float64)
    return [case]


# Embed


@law("Embed", texts)
def test_each_token_gets_its_own_row(subject, reference, case):
    """Each token gets the row of W_E that belongs to it, as it stands there."""
    yours = subject.module("Embed", case.cfg, case.weights)(case.tokens)
    expect_equal(yours, F.embedding(case.tokens, case.weights["W_E"]), note="looked up by PyTorch")


@law("Embed", texts)
def test_training_reaches_the_rows_that_were_read(subject, reference, case):
    """Gradients reach every row of W_E that was looked up, once for each time, and no other row."""
    yours = subject.module("Embed", case.cfg, case.weights).gradients(case.tokens)
    expected = reference.module("Embed", case.cfg, case.weights).gradients(case.tokens)
    expect_equal(yours, expected, what="gradient of")
    unread = [row for row in range(case.cfg["d_vocab"]) if row not in case.tokens]
    nothing = torch.zeros(len(unread), case.cfg["d_model"])
    expect_equal(yours["W_E"][unread], nothing, what="gradient of the rows that were not looked up")


@law("Embed", texts.in_float32())
def test_embedding_works_in_float32(subject, reference, case):
    """With W_E in float32, the rows are in float32 as well."""
    yours = subject.module("Embed", case.cfg, case.weights)(case.tokens)
    expect_equal(yours, reference.module("Embed", case.cfg, case.weights)(case.tokens))


@law("Embed", texts_of_every_token)
def test_each_of_many_tokens_gets_its_own_row(subject, reference, case):
    """With a vocabulary of 300, each token still gets its own row, token 299 too."""
    yours = subject.module("Embed", case.cfg, case.weights)(case.tokens)
    expect_equal(yours, F.embedding(case.tokens, case.weights["W_E"]), note="looked up by PyTorch")


# PosEmbed


@law("PosEmbed", texts_in_context)
def test_positions_count_from_zero(subject, reference, case):
    """Every row of the batch gets rows 0, 1, 2, ... of W_pos, whatever its tokens are."""
    yours = subject.module("PosEmbed", case.cfg, case.weights)(case.tokens)
    batch, seq = case.tokens.shape
    expect_equal(yours, case.weights["W_pos"][:seq].repeat(batch, 1, 1), note="the first rows of W_pos, for each text")


@law("PosEmbed", texts_from_a_start)
def test_positions_count_from_start(subject, reference, case):
    """With a start, positions count from there, and every position below 0 reads row 0."""
    yours = subject.module("PosEmbed", case.cfg, case.weights)(case.tokens, case.start)
    batch, seq = case.tokens.shape
    positions = [max(case.start + i, 0) for i in range(seq)]
    expect_equal(yours, case.weights["W_pos"][positions].repeat(batch, 1, 1), note=f"rows {positions} of W_pos")


@law("PosEmbed", texts_from_starts_of_their_own)
def test_each_row_counts_from_its_own_start(subject, reference, case):
    """With one start for each row of the batch, each row counts from its own, as it would alone."""
    pos_embed = subject.module("PosEmbed", case.cfg, case.weights)
    yours = pos_embed(case.tokens, start=case.start)
    expect_equal(yours, reference.module("PosEmbed", case.cfg, case.weights)(case.tokens, case.start))
    rows = zip(case.tokens, case.start.tolist(), strict=True)
    alone = torch.cat([pos_embed(row.unsqueeze(0), start) for row, start in rows])
    expect_equal(yours, alone, note="the rows one by one, each start an int")


@law("PosEmbed", texts_from_starts_of_their_own)
def test_training_reaches_the_positions_that_were_read(subject, reference, case):
    """Gradients reach every row of W_pos that was looked up."""
    yours = subject.module("PosEmbed", case.cfg, case.weights).gradients(case.tokens, case.start)
    expected = reference.module("PosEmbed", case.cfg, case.weights).gradients(case.tokens, case.start)
    expect_equal(yours, expected, what="gradient of")


@law("PosEmbed", texts_from_a_start)
def test_training_reaches_the_positions_from_one_start(subject, reference, case):
    """Gradients reach the rows of W_pos when start is an int, and when it is left out."""
    yours = subject.module("PosEmbed", case.cfg, case.weights)
    expected = reference.module("PosEmbed", case.cfg, case.weights)
    expect_equal(yours.gradients(case.tokens), expected.gradients(case.tokens), what="without a start, gradient of")
    from_start = expected.gradients(case.tokens, case.start)
    expect_equal(yours.gradients(case.tokens, case.start), from_start, what="gradient of")


@law("PosEmbed", texts_from_a_start)
def test_an_earlier_call_leaves_nothing_behind(subject, reference, case):
    """Where an earlier call started, and how long it was, changes nothing."""
    positions = subject.module("PosEmbed", case.cfg, case.weights)
    again = positions.after(case.tokens[:, :1], case.start)(case.tokens)
    expect_equal(again, positions(case.tokens), note="from a table not called before")


@law("PosEmbed", texts_in_context.in_float32())
def test_positions_work_in_float32(subject, reference, case):
    """With W_pos in float32, the rows are in float32 as well."""
    yours = subject.module("PosEmbed", case.cfg, case.weights)(case.tokens)
    expect_equal(yours, reference.module("PosEmbed", case.cfg, case.weights)(case.tokens))


@law("PosEmbed", long_texts)
def test_positions_of_a_long_text(subject, reference, case):
    """In a text of 280 tokens, each token still gets the row of its own position."""
    yours = subject.module("PosEmbed", case.cfg, case.weights)(case.tokens)
    expect_equal(yours, case.weights["W_pos"][:280].repeat(2, 1, 1), note="the first 280 rows of W_pos, for each text")


# Unembed


@law("Unembed", streams)
def test_a_logit_is_a_dot_product_plus_a_bias(subject, reference, case):
    """The logit of a token is the dot product of the vector with the token's column of W_U, plus its bias."""
    yours = subject.module("Unembed", case.cfg, case.weights)(case.x)
    expected = F.linear(case.x, case.weights["W_U"].T, case.weights["b_U"])
    expect_equal(yours, expected, note="computed by PyTorch")


@law("Unembed", streams)
def test_gradients_reach_stream_and_unembedding(subject, reference, case):
    """Gradients reach the stream, W_U and b_U."""
    yours = subject.module("Unembed", case.cfg, case.weights).gradients(case.x)
    expect_equal(yours, reference.module("Unembed", case.cfg, case.weights).gradients(case.x), what="gradient of")


@law("Unembed", streams.in_float32())
def test_unembedding_works_in_float32(subject, reference, case):
    """In float32 the logits are the same, to float32's precision, in float32."""
    yours = subject.module("Unembed", case.cfg, case.weights)(case.x)
    expect_equal(yours, reference.module("Unembed", case.cfg, case.weights)(case.x))


@law("Unembed", streams_for_many_tokens)
def test_logits_of_a_larger_vocabulary(subject, reference, case):
    """With a vocabulary of 300, there is still one right logit for each token."""
    yours = subject.module("Unembed", case.cfg, case.weights)(case.x)
    expect_equal(yours, reference.module("Unembed", case.cfg, case.weights)(case.x))


@law("Unembed", vector_worked_by_hand)
def test_logits_worked_by_hand(subject, reference, case):
    """The vector 1.5, 0.6 has the logits 1.5, 1.1 and 2.5 with the unembedding of the page's example."""
    yours = subject.module("Unembed", case.cfg, case.weights)(case.x)
    expect_equal(yours[0, 0], case.logits, note="worked by hand")


# sinusoidal_positions


@law("sinusoidal_positions", table_sizes)
def test_each_pair_of_columns_is_a_clock_hand(subject, reference, case):
    """Columns 2i and 2i + 1 hold the sine and the cosine of position / 10000^(2i / d_model)."""
    yours = subject.sinusoidal_positions(case.n_ctx, case.d_model)
    expect_equal(yours, reference.sinusoidal_positions(case.n_ctx, case.d_model))


@law("sinusoidal_positions", table_sizes)
def test_each_hand_starts_at_zero_and_keeps_its_length(subject, reference, case):
    """Row 0 is 0, 1, 0, 1, ...; in every row each sine and its cosine, squared, add up to one."""
    table = subject.sinusoidal_positions(case.n_ctx, case.d_model)
    expect_equal(table[0], (torch.arange(case.d_model) % 2).to(table.dtype), what="row 0")
    n_pairs = case.d_model // 2
    squares = table[:, : 2 * n_pairs].unflatten(1, (n_pairs, 2)).square().sum(dim=-1)
    expect_equal(squares, torch.ones_like(squares), what="squares of each pair")


@law("sinusoidal_positions", long_tables)
def test_a_long_table_stays_exact(subject, reference, case):
    """In a table of 3000 positions and more, the late rows are as right as the early ones."""
    yours = subject.sinusoidal_positions(case.n_ctx, case.d_model)
    expect_equal(yours, reference.sinusoidal_positions(case.n_ctx, case.d_model))


@law("sinusoidal_positions", table_worked_by_hand)
def test_row_worked_by_hand(subject, reference, case):
    """At position 2 of a table of width 4, the angles are 2 and 0.02."""
    table = subject.sinusoidal_positions(case.n_ctx, case.d_model)
    expect_equal(table[2], case.row_2, what="row 2", note="worked by hand")
