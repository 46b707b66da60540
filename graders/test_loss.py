"""The specification of the loss, as laws that hold for every input. Read it beside `exercises/loss.py`."""

import math

import torch
from torch.nn import functional as F

from graders.engine.from_scratch import from_scratch
from graders.engine.law import expect_equal, expect_figure, expect_refusal, expect_refusals, law
from graders.engine.script import parameter
from graders.engine.space import fixed, given_case, space
from graders.engine.worker.perform import cotangent

HUGE = 20_000.0  # a logit: exp(710) is too large for any float, and exp(-750) too small
AXES = {"logits": "batch seq d_vocab", "tokens": "blocks batch seq"}


@space(batch=(1, 3), seq=(2, 6), d_vocab=(1, 6))
def predictions(case, batch, seq, d_vocab):
    """Logits, of every other seed -1, 0 and 1 alone, so that guesses tie and are often right; tokens that repeat."""
    logits = case.draw(batch, seq, d_vocab)
    case.show("logits", logits.sign() if case.seed % 2 else logits, batch=batch, seq=seq, d_vocab=d_vocab)
    case.integers("tokens", below=d_vocab, batch=batch, seq=seq)
    case.following = case.tokens.roll(-1, dims=1).unsqueeze(-1)  # after the last position, any: batch seq 1


@space(batch=(1, 3), seq=(2, 6), d_vocab=(2, 6))
def huge_predictions(case, **sizes):
    """Logits of ten thousand, and of minus ten thousand."""
    predictions.build(case, **sizes)
    case.logits = case.logits / case.logits.abs().max().clamp(min=1) * HUGE


@space(batch=(1, 3), seq=(2, 5), d_vocab=(2, 6))
def predictions_with_tokens_ruled_out(case, **sizes):
    """Some logits are -inf, but none of a token that then comes, and never all of a position."""
    predictions.build(case, **sizes)
    ruled_out = (case.draw(*case.logits.shape) > 0).scatter(-1, case.following, False)
    case.logits = case.logits.masked_fill(ruled_out, -math.inf)


@space(batch=(1, 3), seq=(3, 5, 3), d_vocab=(2, 6))
def predictions_with_a_surprise(case, **sizes):
    """The first prediction of the last row rules out the very token that then comes, and not all others.

    It is never the only one of its row: then it would be of no account that some score none.
    """
    predictions_with_tokens_ruled_out.build(case, **sizes)
    came = case.following[-1, 0, 0]
    case.logits[-1, 0, (came + 1) % sizes["d_vocab"]] = 0.0
    case.logits[-1, 0, came] = -math.inf


@space(batch=(1, 3), seq=(1, 7), d_vocab=(1, 6), never=(0, 3))
def texts(case, batch, seq, d_vocab, never):
    """Tokens in one row, in several or in blocks of rows; some of the vocabulary never occur."""
    shapes = ({"batch": batch, "seq": seq}, {"seq": batch * seq}, {"blocks": 1, "batch": batch, "seq": seq})
    case.integers("tokens", below=d_vocab, **shapes[case.seed % 3])
    case.show("d_vocab", d_vocab + never)


@space(digits=(0, 5, 1))
def vocabulary_sizes(case, digits):
    """A vocabulary of one token, and larger ones."""
    case.show("d_vocab", 1 + 7919 * case.seed % 10**digits)


@fixed
def on_the_page(where):
    """The example of the exercise's page: two predictions, of which the first is right."""
    logits = torch.tensor([[[2.0, 0.0, 1.0], [0.0, 1.0, 0.0], [4.0, 0.0, 0.0]]], dtype=torch.float64)
    first, second = math.log(math.exp(2) + 1 + math.e) - 2, math.log(2 + math.e)
    return [given_case((first + second) / 2, AXES, logits=logits, tokens=torch.tensor([[2, 0, 2]]))]


@fixed
def what_cannot_be_scored(where):
    """Logits and tokens that do not fit, that have nothing to predict, or where an unknown token comes, anywhere."""
    calls = {
        what: (torch.zeros(of_logits).double(), torch.full(of_tokens, token))
        for what, of_logits, of_tokens, token in (
            ("tokens of another batch", (2, 3, 4), (1, 3), 0),
            ("a token fewer in each row", (2, 3, 4), (2, 2), 0),
            ("logits without a batch", (3, 4), (1, 3), 0),
            ("rows of one token", (2, 1, 4), (2, 1), 0),
            ("rows of no token", (2, 0, 4), (2, 0), 0),
            ("no rows", (0, 3, 4), (0, 3), 0),
            ("tokens that are not in the vocabulary", (1, 3, 4), (1, 3), 4),
            ("tokens with the id -1", (2, 3, 4), (2, 3), -1),
        )
    }
    unknown = with_one_unknown(torch.tensor([[0, 1, 2], [3, 0, 1]]), d_vocab=4)
    return [given_case(calls | {what: (torch.zeros(2, 3, 4).double(), tokens) for what, tokens in unknown})]


def with_one_unknown(tokens, d_vocab):
    """Copies of the tokens, and how they look: each of them in turn is one that is not in the vocabulary."""
    for place in range(tokens.numel()):
        for unknown in (d_vocab, -1):
            flat = tokens.flatten().clone()
            flat[place] = unknown
            yield f"tokens {flat.view(tokens.shape).tolist()}, where d_vocab is {d_vocab}", flat.view(tokens.shape)


worked_by_hand = fixed(
    lambda where: [
        given_case(math.log(3) / 3 + 2 / 3 * math.log(3 / 2), AXES, tokens=torch.tensor([2, 0, 2]), d_vocab=3),
        given_case(0.0, AXES, tokens=torch.tensor([[5, 5], [5, 5]]), d_vocab=7),
        given_case(
            0.99 * math.log(100 / 99) + 0.01 * math.log(100), AXES, tokens=torch.tensor([0] * 990 + [1] * 10), d_vocab=2
        ),
        given_case(math.log(300), AXES, tokens=torch.arange(300).repeat(9, 2), d_vocab=350),
        given_case(math.log(5000), AXES, tokens=torch.arange(5000), d_vocab=5000),
    ]
)


@fixed
def what_cannot_be_counted(where):
    """No tokens, tokens of which one is unknown, and an empty vocabulary."""
    calls = {
        "no tokens": (torch.zeros(0, dtype=torch.int64), 3),
        "rows of no token": (torch.zeros(2, 0, dtype=torch.int64), 3),
        "an empty vocabulary": (torch.tensor([0]), 0),
    }
    unknown = with_one_unknown(torch.tensor([[0, 1], [2, 0]]), d_vocab=3)
    return [given_case(calls | {what: (tokens, 3) for what, tokens in unknown})]


of_any_shape = fixed(
    lambda where: [
        given_case(expected, AXES, tokens=torch.tensor(tokens), d_vocab=4)
        for expected, tokens in (
            (0.0, 2),
            (math.log(2), [[0, 0, 1], [1, 0, 1]]),
            (math.log(3), [[[0, 1, 2]], [[2, 1, 0]]]),
        )
    ]
)


@fixed
def nearly_ties(where):
    """What comes is ahead by 1e-9, by 5e-7, by 1e-17 beside 0 or, the last of thousands, by 1e-3."""
    leads = [[1.0, 1.0 + 1e-9], [1.0, 1.0 + 5e-7], [0.0, 1e-17], [-1e-17, 0.0], [0.0, 0.0]]
    few = torch.tensor([leads], dtype=torch.float64)
    many = torch.ones(1, 2, 5000, dtype=torch.float64)
    many[0, 0, -1] += 1e-3
    return [
        given_case(1.0, AXES, logits=few, tokens=torch.tensor([[0, 1, 1, 1, 1]])),
        given_case(1.0, AXES, logits=many, tokens=torch.tensor([[0, 4999]])),
    ]


many_in_float32 = fixed(lambda where: [predictions.in_float32().case(2, batch=9, seq=140, d_vocab=300)])
empty_vocabularies = fixed(lambda where: [given_case("an empty vocabulary", d_vocab=d_vocab) for d_vocab in (0, -1)])


def expect_cross_entropy(loss, logits, tokens) -> None:
    """Hold that a loss is PyTorch's, of every position but the last against every token but the first."""
    expected = F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
    expect_equal(loss, expected, note="computed by PyTorch")


def expect_gradient(subject, logits, case) -> None:
    """Hold that the gradient of the loss, at these logits, is what was predicted minus what came."""
    yours = subject.gradients("next_token_loss", logits, case.tokens)["logits"]
    came = torch.zeros_like(logits).scatter(-1, case.following, 1.0)
    expected = (logits.softmax(-1) - came) / case.tokens[:, 1:].numel()
    expected[:, -1] = 0
    expected *= cotangent(torch.zeros((), dtype=torch.float64))  # by which the loss was multiplied
    expect_equal(yours, expected, what="gradient of the logits", note="0 at the last position")


# next_token_loss


@law("next_token_loss", predictions)
def test_loss_is_the_mean_surprise_at_the_next_token(subject, reference, case):
    """The loss is the mean, over all positions but the last of all rows, of the surprise at the token one later."""
    loss = subject.next_token_loss(case.logits, case.tokens)
    expect_equal(loss, reference.next_token_loss(case.logits, case.tokens))
    expect_cross_entropy(loss, case.logits, case.tokens)


@law("next_token_loss", on_the_page)
def test_loss_agrees_with_the_example_on_the_page(subject, reference, case):
    """In the page's example the two predictions cost 0.407606 and 1.551445 nats, and so 0.979525 on average."""
    loss = subject.next_token_loss(case.logits, case.tokens)
    expect_equal(loss, torch.full_like(loss, case.expected), note="worked out by hand on the page")


@law("next_token_loss", predictions)
def test_equal_logits_cost_the_logarithm_of_d_vocab(subject, reference, case):
    """Where all logits are equal, the loss is the natural logarithm of d_vocab, whatever comes."""
    loss = subject.next_token_loss(torch.full_like(case.logits, float(case.logits[0, 0, 0])), case.tokens)
    expect_equal(loss, torch.full_like(loss, math.log(case.logits.shape[-1])), note="the logarithm of d_vocab")


@law("next_token_loss", huge_predictions)
def test_loss_is_right_for_huge_logits(subject, reference, case):
    """Logits of ten thousand and minus ten thousand give the right loss, however large it is, as do small ones."""
    for logits in (case.logits / HUGE, case.logits):
        expect_cross_entropy(subject.next_token_loss(logits, case.tokens), logits, case.tokens)


@law("next_token_loss", huge_predictions)
def test_a_certain_model_pays_for_its_mistakes_alone(subject, reference, case):
    """A model that is certain of each next token has a loss of 0 when it is right, and pays its certainty when not."""
    certain = torch.zeros_like(case.logits).scatter(-1, case.following, HUGE)
    for logits, cost, what in ((certain, 0.0, "right:"), (certain.roll(1, dims=-1), HUGE, "wrong:")):
        loss = subject.next_token_loss(logits, case.tokens)
        expect_equal(loss, torch.full_like(loss, cost), what=what)


@law("next_token_loss", predictions)
def test_the_last_logits_and_the_first_token_are_not_scored(subject, reference, case):
    """What the last position of a row says, and which token is its first, changes nothing."""
    logits, tokens = case.logits.clone(), case.tokens.clone()
    logits[:, -1, 0] += 7
    tokens[:, 0] = (tokens[:, 0] + 1) % logits.shape[-1]
    before = subject.next_token_loss(case.logits, case.tokens)
    expect_equal(subject.next_token_loss(logits, case.tokens), before, what="other last logits:", note="before")
    expect_equal(subject.next_token_loss(case.logits, tokens), before, what="another first token:", note="before")


@law("next_token_loss", predictions)
def test_every_row_counts_and_their_order_does_not(subject, reference, case):
    """The loss of a batch is the mean of the losses of its rows, in whichever order."""
    rows = [subject.next_token_loss(case.logits[i : i + 1], case.tokens[i : i + 1]) for i in range(len(case.tokens))]
    turned = subject.next_token_loss(case.logits.flip(0), case.tokens.flip(0))
    expect_equal(turned, torch.stack(rows).mean(), note="the mean of the rows one by one")


@law("next_token_loss", predictions_with_tokens_ruled_out)
def test_tokens_that_are_ruled_out_do_no_harm(subject, reference, case):
    """A logit of -inf rules a token out, and the loss is finite and right as long as that token does not come."""
    expect_cross_entropy(subject.next_token_loss(case.logits, case.tokens), case.logits, case.tokens)


@law("next_token_loss", predictions_with_a_surprise)
def test_a_token_that_was_ruled_out_costs_infinity(subject, reference, case):
    """Where a token comes whose logit is -inf, the loss is infinite: it was held to be impossible."""
    # A result of +inf has no good form; minus that may be right
    loss = subject.tell(lambda do: do.next_token_loss(case.logits, case.tokens).neg())
    expect_equal(loss, torch.full_like(loss, -math.inf), what="minus the loss", note="its token was ruled out")


@law("next_token_loss", predictions)
def test_gradient_is_what_was_predicted_minus_what_came(subject, reference, case):
    """The gradient of a logit is its token's share, minus 1 if the token came, over the number of predictions."""
    expect_gradient(subject, case.logits, case)


@law("next_token_loss", predictions_with_tokens_ruled_out)
def test_gradient_is_right_where_logits_are_extreme(subject, reference, case):
    """Where logits are -inf, or tens of thousands apart, the gradient is still what was predicted minus what came."""
    scale = HUGE / case.logits.nan_to_num(neginf=0).abs().max().clamp(min=0.1)
    for logits in (case.logits, scale * case.logits):
        expect_gradient(subject, logits, case)


@law("next_token_loss", many_in_float32)
def test_loss_of_many_predictions_in_float32(subject, reference, case):
    """In float32, nine rows of 140 tokens with a vocabulary of 300 have the loss that PyTorch computes, in float32."""
    expect_cross_entropy(subject.next_token_loss(case.logits, case.tokens), case.logits, case.tokens)


@law("next_token_loss", what_cannot_be_scored)
def test_what_cannot_be_scored_has_no_loss(subject, reference, case):
    """Shapes that do not fit, rows without a next token, no rows, and unknown tokens raise ValueError."""
    expect_refusals(subject, "next_token_loss", case.expected)


test_next_token_loss_is_from_scratch = from_scratch("loss", "next_token_loss")


# next_token_accuracy


@law("next_token_accuracy", predictions)
def test_accuracy_is_the_share_of_right_guesses(subject, reference, case):
    """The accuracy is the share of tokens that have the largest logit, lowest id first, one position earlier."""
    yours = subject.next_token_accuracy(case.logits, case.tokens)
    expect_figure(yours, reference.next_token_accuracy(case.logits, case.tokens))


@law("next_token_accuracy", on_the_page)
def test_accuracy_agrees_with_the_example_on_the_page(subject, reference, case):
    """In the page's example one of two guesses is right."""
    expect_figure(subject.next_token_accuracy(case.logits, case.tokens), 0.5, note="worked out by hand on the page")


@law("next_token_accuracy", predictions)
def test_equal_logits_guess_token_0(subject, reference, case):
    """Where all logits are equal, token 0 is the one guess."""
    share = (case.tokens[:, 1:] == 0).double().mean().item()
    expect_figure(subject.next_token_accuracy(torch.ones_like(case.logits), case.tokens), share)


@law("next_token_accuracy", many_in_float32)
def test_accuracy_of_many_guesses(subject, reference, case):
    """Where, of 139 guesses in each of nine rows, the first alone is right, if only just, the accuracy is 1 / 139."""
    logits = torch.zeros_like(case.logits).scatter(-1, case.following, 1e-3)
    logits[:, 1:] *= -1
    expect_figure(subject.next_token_accuracy(logits, case.tokens), 1 / 139, note="1 / 139")


@law("next_token_accuracy", nearly_ties)
def test_the_largest_logit_is_the_guess_by_however_little(subject, reference, case):
    """The largest logit is the guess, be it so by a billionth or, beside 0, by less, or the last of thousands."""
    expect_figure(subject.next_token_accuracy(case.logits, case.tokens), case.expected, note="every guess is right")


@law("next_token_accuracy", what_cannot_be_scored)
def test_what_cannot_be_scored_has_no_accuracy(subject, reference, case):
    """Shapes that do not fit, rows without a next token, no rows, and unknown tokens raise ValueError."""
    expect_refusals(subject, "next_token_accuracy", case.expected)


# uniform_loss


@law("uniform_loss", vocabulary_sizes)
def test_knowing_nothing_costs_the_logarithm_of_d_vocab(subject, reference, case):
    """A model that gives each token the same share pays the natural logarithm of d_vocab: 10.82 for GPT-2's 50,257."""
    expected = F.cross_entropy(torch.zeros(1, case.d_vocab, dtype=torch.float64), torch.tensor([0])).item()
    expect_figure(subject.uniform_loss(case.d_vocab), expected, note="computed by PyTorch from equal logits")


@law("uniform_loss", empty_vocabularies)
def test_an_empty_vocabulary_is_refused(subject, reference, case):
    """A vocabulary of less than one token raises ValueError."""
    expect_refusal(subject, "uniform_loss", case.d_vocab, what=case.expected)


# unigram_loss


@law("unigram_loss", texts)
def test_knowing_frequencies_costs_their_entropy(subject, reference, case):
    """A model that knows how often each token occurs pays the entropy of these frequencies."""
    yours = subject.unigram_loss(case.tokens, case.d_vocab)
    expect_figure(yours, reference.unigram_loss(case.tokens, case.d_vocab))
    best = torch.bincount(case.tokens.flatten(), minlength=case.d_vocab).double().log()
    cost = F.cross_entropy(best.expand(case.tokens.numel(), -1), case.tokens.flatten()).item()
    expect_figure(yours, cost, note="computed by PyTorch from these frequencies")


@law("unigram_loss", worked_by_hand)
def test_entropy_agrees_with_numbers_worked_by_hand(subject, reference, case):
    """The page's text costs 0.636514, one token repeated 0, 99 in 100 alike 0.056002, n tokens equally often log n."""
    expect_figure(subject.unigram_loss(case.tokens, case.d_vocab), case.expected, note="worked out by hand")


@law("unigram_loss", texts)
def test_only_frequencies_matter(subject, reference, case):
    """Other names for the tokens, saying a text twice, and tokens that never come change nothing."""
    before = subject.unigram_loss(case.tokens, case.d_vocab)
    renamed = subject.unigram_loss(case.d_vocab - 1 - case.tokens.flip(-1), case.d_vocab)
    expect_figure(renamed, before, note="before the tokens were renamed")
    twice = subject.unigram_loss(torch.cat([case.tokens, case.tokens], dim=-1), case.d_vocab + 3)
    expect_figure(twice, before, note="before it was said twice")


@law("unigram_loss", of_any_shape)
def test_tokens_may_have_any_shape_and_be_stored_in_any_order(subject, reference, case):
    """A single token without axes costs 0, and how the tokens are arranged, or stored in memory, changes nothing."""
    axes = tuple(reversed(range(case.tokens.ndim)))

    def story(do):  # what is handed over is stored in order; what is made here need not be
        turned = do.make(parameter(case.tokens.permute(axes).contiguous().double())).data.permute(axes).long()
        return do.unigram_loss(turned, case.d_vocab)

    expect_figure(subject.unigram_loss(case.tokens, case.d_vocab), case.expected, note="worked out by hand")
    expect_figure(subject.tell(story), case.expected, note="worked out by hand; the tokens are stored by columns")


@law("unigram_loss", what_cannot_be_counted)
def test_what_cannot_be_counted_is_refused(subject, reference, case):
    """No tokens at all, unknown tokens and an empty vocabulary raise ValueError."""
    expect_refusals(subject, "unigram_loss", case.expected)
