"""The reference's losses against `F.cross_entropy` and against what can be worked out without any library."""

import math

import pytest
import torch
import torch.nn.functional as F

from reference.loss import next_token_accuracy, next_token_loss, uniform_loss, unigram_loss

SIZES = [(1, 2, 1), (1, 2, 5), (3, 2, 4), (2, 7, 3), (3, 5, 11)]  # batch, seq, d_vocab


def drawn(batch, seq, d_vocab, scale=1.0, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(batch, seq, d_vocab, generator=generator, dtype=dtype)
    return logits, torch.randint(d_vocab, (batch, seq), generator=generator)


def cross_entropy(logits, tokens):
    """PyTorch's own, of every position but the last against every token but the first."""
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


@pytest.mark.parametrize("scale", [0.0, 1.0, 1e4])
@pytest.mark.parametrize("sizes", SIZES)
def test_the_loss_is_pytorch_s_cross_entropy(sizes, scale):
    logits, tokens = drawn(*sizes, scale)
    torch.testing.assert_close(next_token_loss(logits, tokens), cross_entropy(logits, tokens), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_the_loss_is_pytorch_s_cross_entropy_in_float32(scale):
    logits, tokens = drawn(3, 9, 13, scale, torch.float32)
    loss = next_token_loss(logits, tokens)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, cross_entropy(logits, tokens))


@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_gradients_are_pytorch_s_and_the_last_position_gets_none(scale):
    logits, tokens = drawn(2, 4, 5, scale)
    (ours,) = torch.autograd.grad(next_token_loss(logits.requires_grad_(), tokens), logits)
    (theirs,) = torch.autograd.grad(cross_entropy(logits, tokens), logits)
    torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=1e-13)
    assert ours[:, -1].count_nonzero() == 0


def test_a_logit_of_minus_infinity_elsewhere_does_no_harm_and_at_the_target_costs_everything():
    logits, tokens = torch.tensor([[[0.0, 0.0, -torch.inf], [0.0, 0.0, 0.0]]]), torch.tensor([[0, 1]])
    assert next_token_loss(logits, tokens).item() == pytest.approx(math.log(2))
    assert next_token_loss(logits, torch.tensor([[0, 2]])).item() == math.inf


def test_a_loss_worked_by_hand():
    # Shares 3/4 and 1/4, then 1/2 and 1/2; the third position is not scored: -(ln 3/4 + ln 1/2) / 2
    logits = torch.tensor([[[3.0, 1.0], [1.0, 1.0], [1.0, 9.0]]]).log()
    assert next_token_loss(logits, torch.tensor([[1, 0, 1]])).item() == pytest.approx(0.490415, abs=5e-7)


@pytest.mark.parametrize("sizes", SIZES)
def test_accuracy_counts_as_a_loop_does(sizes):
    logits, tokens = drawn(*sizes, scale=2.0)
    logits = logits.round()  # ties: the lowest id is the guess
    right = [
        row[i].tolist().index(max(row[i].tolist())) == text[i + 1]
        for row, text in zip(logits, tokens.tolist(), strict=True)
        for i in range(len(text) - 1)
    ]
    accuracy = next_token_accuracy(logits, tokens)
    assert type(accuracy) is float
    assert accuracy == sum(right) / len(right)


@pytest.mark.parametrize("d_vocab", [1, 2, 7, 50257])
def test_equal_logits_cost_the_uniform_loss_whatever_comes(d_vocab):
    _, tokens = drawn(2, 6, d_vocab)
    logits = torch.full((2, 6, d_vocab), 3.5, dtype=torch.float64)
    assert next_token_loss(logits, tokens).item() == pytest.approx(uniform_loss(d_vocab), abs=1e-12)


def test_gpt_2_starts_near_10_8_nats():
    assert uniform_loss(50257) == pytest.approx(10.8249, abs=5e-5)


@pytest.mark.parametrize("shape", [(50,), (5, 10), (2, 5, 5)])
def test_the_unigram_loss_is_the_cross_entropy_of_logits_that_are_the_log_counts(shape):
    tokens = torch.randint(4, shape, generator=torch.Generator().manual_seed(1))  # of 7: some never occur
    counts = torch.tensor([(tokens == token).sum().item() for token in range(7)], dtype=torch.float64)
    expected = F.cross_entropy(counts.log().expand(50, 7), tokens.flatten()).item()
    assert unigram_loss(tokens, 7) == pytest.approx(expected, abs=1e-13)


def test_a_unigram_loss_worked_by_hand():
    # Half of them 0, a quarter 1, a quarter 3: 1/2 ln 2 + 1/4 ln 4 + 1/4 ln 4
    assert unigram_loss(torch.tensor([0, 1, 0, 3]), 6) == pytest.approx(1.5 * math.log(2))


def test_the_unigram_loss_lies_between_zero_and_the_uniform_loss():
    assert str(unigram_loss(torch.tensor([3, 3, 3]), 5)) == "0.0"
    assert unigram_loss(torch.arange(5), 5) == pytest.approx(uniform_loss(5))


@pytest.mark.parametrize("score", [next_token_loss, next_token_accuracy])
@pytest.mark.parametrize(
    ("logits", "tokens", "message"),
    [
        ((2, 1, 3), [[0], [1]], "nothing to predict: rows have length 1; expected at least 2"),
        ((2, 0, 3), [[], []], "nothing to predict: rows have length 0; expected at least 2"),
        ((1, 2, 3), [[0, 3]], "token ids run from 0 to 3; with d_vocab 3, 0 to 2 exist"),
        ((1, 2, 3), [[1, -1]], "token ids run from -1 to 1; with d_vocab 3, 0 to 2 exist"),
        ((1, 2, 0), [[0, 0]], "d_vocab is 0; expected at least 1"),
        (
            (1, 3, 4),
            [[0, 1]],
            "logits have shape (1, 3, 4), tokens (1, 2); expected (batch, seq, d_vocab) and (batch, seq)",
        ),
        (
            (3, 4),
            [0, 1, 2],
            "logits have shape (3, 4), tokens (3,); expected (batch, seq, d_vocab) and (batch, seq)",
        ),
    ],
)
def test_what_cannot_be_scored_is_refused(score, logits, tokens, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the whole message is compared)
        score(torch.zeros(logits), torch.tensor(tokens, dtype=torch.long))
    assert str(caught.value) == message


@pytest.mark.parametrize("score", [next_token_loss, next_token_accuracy])
def test_a_batch_without_rows_is_refused(score):
    with pytest.raises(ValueError, match=r"^there are no tokens; expected at least one$"):
        score(torch.zeros(0, 4, 3), torch.zeros(0, 4, dtype=torch.long))


@pytest.mark.parametrize("d_vocab", [0, -3])
def test_a_vocabulary_without_tokens_is_refused(d_vocab):
    for loss in (uniform_loss, lambda n: unigram_loss(torch.tensor([0]), n)):
        with pytest.raises(ValueError, match=rf"^d_vocab is {d_vocab}; expected at least 1$"):
            loss(d_vocab)


def test_tokens_that_cannot_be_counted_are_refused():
    with pytest.raises(ValueError, match=r"^there are no tokens; expected at least one$"):
        unigram_loss(torch.tensor([], dtype=torch.long), 3)
    with pytest.raises(ValueError, match=r"^token ids run from -1 to 4; with d_vocab 3, 0 to 2 exist$"):
        unigram_loss(torch.tensor([4, -1]), 3)
