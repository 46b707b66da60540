"""Known mistakes in loss: each a patch on `reference/loss.py` that makes it."""

from graders.engine.misconception import Misconception

CHECK_LOSS = "    check_predictions(logits, tokens)\n    # 2. The positions that predict"
PAIRS = "predictions, targets = logits[:, :-1], tokens[:, 1:]"
LOG_PROBS = "log_probs = predictions.log_softmax(dim=-1)"
OF_TARGETS = "of_targets = log_probs.gather(-1, targets.unsqueeze(-1))"
MEAN = "return -of_targets.mean()"
SHAPES_ALONE = (
    "if logits.ndim != 3 or tokens.shape != logits.shape[:2] or tokens.shape[1] < 2 or not len(tokens):\n"
    '        raise ValueError("shapes do not fit")\n    '
)
CHECK_ACCURACY = "    check_predictions(logits, tokens)\n    # 2. The best guess"
GUESSES = "guesses = logits[:, :-1].argmax(dim=-1)"
IS_RIGHT = "is_right = guesses == tokens[:, 1:]"
SHARE = "return is_right.double().mean().item()"
UNIFORM = "return math.log(d_vocab)"
CHECK_COUNTS = "    check_tokens(tokens, d_vocab)\n    # 2. How often"
COUNTS = "counts = torch.bincount(tokens.flatten(), minlength=d_vocab)"
SHARES = "shares = counts.double() / tokens.numel()"
SEEN = "    shares = shares[counts > 0]\n"
SURPRISE = "surprise = (1 / shares).log()"
ENTROPY = "return (shares * surprise).sum().item()"

MISCONCEPTIONS = (
    # next_token_loss
    Misconception(
        "no_shift",
        "next_token_loss",
        ((PAIRS, "predictions, targets = logits, tokens"),),
        "Nothing is shifted: each position is scored on its own token, which it has seen, not on the next one.",
        "Which token should the logits at position 0 have predicted?",
    ),
    Misconception(
        "own_token_and_the_last_left_out",
        "next_token_loss",
        ((PAIRS, "predictions, targets = logits[:, :-1], tokens[:, :-1]"),),
        "Both lose their last position, so that they are still not shifted against each other.",
        "If the first prediction belongs to the second token, which end must each of the two lose?",
    ),
    Misconception(
        "shifted_the_wrong_way",
        "next_token_loss",
        ((PAIRS, "predictions, targets = logits[:, 1:], tokens[:, :-1]"),),
        "The shift goes the wrong way: each position is scored on the token before it.",
        "Which is the one position whose logits are about a token that is not there: the first, or the last?",
    ),
    Misconception(
        "shifted_by_two",
        "next_token_loss",
        ((PAIRS, "predictions, targets = logits[:, :-2], tokens[:, 2:]"),),
        "The shift is made twice: each position is scored on the token after the next.",
        "How many predictions can be scored in a row of two tokens?",
    ),
    Misconception(
        "last_position_predicts_the_first_token",
        "next_token_loss",
        ((PAIRS, "predictions, targets = logits, tokens.roll(-1, dims=1)"),),
        "The tokens are rolled round, so that the last position is scored on the first token of the row.",
        "What comes after the last token of a row?",
    ),
    Misconception(
        "shifted_after_flattening",
        "next_token_loss",
        ((PAIRS, "predictions, targets = logits.flatten(0, 1)[:-1], tokens.flatten()[1:]"),),
        "The rows are joined before the shift, so that the last position of one predicts the first token of the next.",
        "How many predictions can be scored in two rows of three tokens?",
    ),
    Misconception(
        "last_position_only",
        "next_token_loss",
        ((PAIRS, "predictions, targets = logits[:, -2:-1], tokens[:, -1:]"),),
        "Only the last token of each row is scored.",
        "How many tokens of a row have one before them?",
    ),
    Misconception(
        "first_row_only",
        "next_token_loss",
        ((PAIRS, "predictions, targets = logits[:1, :-1], tokens[:1, 1:]"),),
        "Only the first row of the batch is scored.",
        "Which axes does the mean run over?",
    ),
    Misconception(
        "softmax_over_positions",
        "next_token_loss",
        ((LOG_PROBS, "log_probs = predictions.log_softmax(dim=1)"),),
        "The softmax runs over the positions, not over the vocabulary.",
        "Which probabilities must add up to one: those of all tokens at a position, or of a token at all positions?",
    ),
    Misconception(
        "softmax_over_the_batch",
        "next_token_loss",
        ((LOG_PROBS, "log_probs = predictions.log_softmax(dim=0)"),),
        "The softmax runs over the rows of the batch, as `F.log_softmax` does for three axes when it is given none.",
        "Along which axis must the probabilities add up to one, and what does your softmax take when you do not say?",
    ),
    Misconception(
        "exp_then_log",
        "next_token_loss",
        ((LOG_PROBS, "log_probs = (predictions.exp() / predictions.exp().sum(dim=-1, keepdim=True)).log()"),),
        "The logits are exponentiated as they are, and large ones overflow; very unlikely tokens get log(0).",
        "What is exp(1000) in floating point, and what does subtracting each row's largest logit first change?",
    ),
    Misconception(
        "softmax_twice",
        "next_token_loss",
        ((LOG_PROBS, "log_probs = predictions.softmax(dim=-1).log_softmax(dim=-1)"),),
        "The softmax is applied twice: probabilities are treated as logits.",
        "What does `log_softmax` expect: logits or probabilities?",
    ),
    Misconception(
        "logits_as_log_probabilities",
        "next_token_loss",
        ((LOG_PROBS, "log_probs = predictions"),),
        "The logits are taken for log-probabilities: they were never normalised.",
        "If all logits rise by 5, does the model predict anything else, and does your loss change?",
    ),
    Misconception(
        "probability_without_logarithm",
        "next_token_loss",
        ((LOG_PROBS, "log_probs = predictions.softmax(dim=-1)"),),
        "The logarithm is missing: this is minus the mean probability of the tokens that came.",
        "What should the loss be when every token that came was certain, and when one was held impossible?",
    ),
    Misconception(
        "logarithm_after_the_mean",
        "next_token_loss",
        ((MEAN, "return -of_targets.exp().mean().log()"),),
        "The logarithm is taken of the mean probability: the mean of the logarithms is asked for.",
        "One token had probability 1, one 0.01. Which is larger: minus the mean of their logs, or minus the log of "
        "their mean?",
    ),
    Misconception(
        "small_number_inside_the_logarithm",
        "next_token_loss",
        ((LOG_PROBS, "log_probs = (predictions.softmax(dim=-1) + 1e-8).log()"),),
        "A small number is added inside the logarithm: no token can cost more than 18 nats, whatever the logits.",
        "With logits of 0 and 1000, what is the surprise at the first token? Can it be had without a tiny probability?",
    ),
    Misconception(
        "every_position_against_every_target",
        "next_token_loss",
        ((OF_TARGETS, "of_targets = log_probs[..., targets]"),),
        "Every position is scored on all the targets of the batch, not on its own one.",
        "What shape does `log_probs[..., targets]` have, and how many numbers should be left for each position?",
    ),
    Misconception(
        "zero_times_minus_infinity",
        "next_token_loss",
        ((OF_TARGETS, "of_targets = (torch.eye(logits.shape[-1])[targets] * log_probs).sum(dim=-1)"),),
        "The other tokens are multiplied away by one-hot targets: where one of them is ruled out, 0 * -inf is NaN.",
        "What does floating point say to 0 * -inf, and how can an entry be picked out without touching the others?",
    ),
    Misconception(
        "gathered_over_positions",
        "next_token_loss",
        ((OF_TARGETS, "of_targets = log_probs.gather(1, targets.unsqueeze(-1))"),),
        "The entries are gathered along the positions: a token id is used as a position.",
        "Which axis of the log-probabilities does a token id index?",
    ),
    Misconception(
        "minus_forgotten",
        "next_token_loss",
        ((MEAN, "return of_targets.mean()"),),
        "The minus is forgotten: logarithms of probabilities are negative, and a loss that gets smaller gets worse.",
        "What is the sign of log(0.5)?",
    ),
    Misconception(
        "summed",
        "next_token_loss",
        ((MEAN, "return -of_targets.sum()"),),
        "The surprise is added up over all positions, not averaged.",
        "Should the loss of a batch double when the batch does?",
    ),
    Misconception(
        "summed_over_each_row",
        "next_token_loss",
        ((MEAN, "return -of_targets.sum() / len(tokens)"),),
        "The surprise is averaged over the rows only, and added up within each.",
        "Should a model look worse on longer texts?",
    ),
    Misconception(
        "divided_by_all_positions",
        "next_token_loss",
        ((MEAN, "return -of_targets.sum() / tokens.numel()"),),
        "The sum is divided by the number of tokens, although the first token of each row is not predicted.",
        "How many predictions were scored in a row of seq tokens?",
    ),
    Misconception(
        "divided_by_d_vocab_too",
        "next_token_loss",
        ((MEAN, "return -of_targets.mean() / logits.shape[-1]"),),
        "The mean runs over the vocabulary as well: of every row, all entries but one were set to zero and counted.",
        "After multiplying by one-hot targets, should you add up over the vocabulary, or average?",
    ),
    Misconception(
        "token_0_ignored",
        "next_token_loss",
        ((MEAN, "return -of_targets[targets > 0].mean()"),),
        "Targets with id 0 are left out, as if they were padding.",
        "Is there a padding token in this vocabulary?",
    ),
    Misconception(
        "in_bits",
        "next_token_loss",
        ((MEAN, "return -of_targets.mean() / math.log(2)"),),
        "The loss is in bits: the logarithm is to base 2.",
        "Which logarithm gives nats?",
    ),
    Misconception(
        "perplexity",
        "next_token_loss",
        ((MEAN, "return (-of_targets.mean()).exp()"),),
        "This is the perplexity, e to the power of the loss.",
        "What should come out for a model that is always certain and right: 0 or 1?",
    ),
    Misconception(
        "no_gradient",
        "next_token_loss",
        ((MEAN, "return -of_targets.mean().detach()"),),
        "The loss is cut off from the logits: no gradient can flow back.",
        "Which calls (`item`, `detach`, `data`, `no_grad`, `torch.tensor`) lose the way back?",
    ),
    Misconception(
        "logits_changed_in_place",
        "next_token_loss",
        ((PAIRS, "logits -= logits.amax(dim=-1, keepdim=True)\n    " + PAIRS),),
        "The logits that were passed in are changed in place.",
        "What does `logits -= ...` do to the caller's logits?",
    ),
    Misconception(
        "unscorable_not_refused",
        "next_token_loss",
        ((CHECK_LOSS, CHECK_LOSS.replace("check_predictions(logits, tokens)", "pass")),),
        "What cannot be scored is not refused: a row of one token gives NaN, the mean of nothing.",
        "What is the mean of no numbers, and which given function would have said so?",
    ),
    Misconception(
        "first_ids_not_checked",
        "next_token_loss",
        (
            (
                CHECK_LOSS,
                CHECK_LOSS.replace(
                    "check_predictions(logits, tokens)", SHAPES_ALONE + "check_tokens(tokens[:, 1:], logits.shape[-1])"
                ),
            ),
        ),
        "The first id of each row is not checked: nobody predicts it, but the model has read it.",
        "Which row of the token table would the first id of a row have looked up?",
    ),
    Misconception(
        "differences_to_the_target",
        "next_token_loss",
        (
            (OF_TARGETS, "differences = predictions - predictions.gather(-1, targets.unsqueeze(-1))"),
            (MEAN, "return differences.logsumexp(dim=-1).mean()"),
        ),
        "The logit of the token that came is taken off all others first: where it is -inf, -inf minus itself is NaN.",
        "What does floating point say to -inf minus -inf, and which subtraction can wait until after the logsumexp?",
    ),
    Misconception(
        "logaddexp_one_by_one",
        "next_token_loss",
        (
            (
                LOG_PROBS,
                "total = predictions[..., 0]\n"
                "    for v in range(1, logits.shape[-1]):\n"
                "        total = torch.logaddexp(total, predictions[..., v])\n"
                "    log_probs = predictions - total.unsqueeze(-1)",
            ),
        ),
        "The exponentials are added up with `logaddexp`, whose gradient is NaN where both of two logits are -inf.",
        "What is the gradient of your loss where the first two tokens are ruled out, and what does `logsumexp` give?",
    ),
    Misconception(
        "impossible_token_is_free",
        "next_token_loss",
        (
            (
                OF_TARGETS,
                "hot = torch.nn.functional.one_hot(targets, logits.shape[-1])\n"
                "    of_targets = (hot * log_probs.masked_fill(log_probs.isinf(), 0.0)).sum(dim=-1)",
            ),
        ),
        "Every log-probability of -inf is made 0, also that of the token that comes: the impossible costs nothing.",
        "How surprised is a model by a token to which it gave a share of 0?",
    ),
    # next_token_accuracy
    Misconception(
        "accuracy_without_shift",
        "next_token_accuracy",
        ((GUESSES, "guesses = logits.argmax(dim=-1)"), (IS_RIGHT, "is_right = guesses == tokens")),
        "Nothing is shifted: each guess is compared with the token it was made from.",
        "Which token is the guess at position 0 about?",
    ),
    Misconception(
        "accuracy_without_shift_and_the_last_left_out",
        "next_token_accuracy",
        ((IS_RIGHT, "is_right = guesses == tokens[:, :-1]"),),
        "Guesses and tokens both lose their last position, so that they are still not shifted against each other.",
        "If the first guess belongs to the second token, which end must each of the two lose?",
    ),
    Misconception(
        "accuracy_shifted_the_wrong_way",
        "next_token_accuracy",
        ((GUESSES, "guesses = logits[:, 1:].argmax(dim=-1)"), (IS_RIGHT, "is_right = guesses == tokens[:, :-1]")),
        "The shift goes the wrong way: each guess is compared with the token before its position.",
        "Which is the one guess that cannot be checked: the first or the last?",
    ),
    Misconception(
        "accuracy_rolled",
        "next_token_accuracy",
        (
            (GUESSES, "guesses = logits.argmax(dim=-1)"),
            (IS_RIGHT, "is_right = guesses == tokens.roll(-1, dims=1)"),
        ),
        "The tokens are rolled round, so that the last guess is compared with the first token of the row.",
        "What comes after the last token of a row?",
    ),
    Misconception(
        "accuracy_shifted_after_flattening",
        "next_token_accuracy",
        (
            (GUESSES, "guesses = logits.flatten(0, 1)[:-1].argmax(dim=-1)"),
            (IS_RIGHT, "is_right = guesses == tokens.flatten()[1:]"),
        ),
        "The rows are joined before the shift: the last guess of one is compared with the first token of the next.",
        "How many guesses can be checked in two rows of three tokens?",
    ),
    Misconception(
        "accuracy_of_last_position",
        "next_token_accuracy",
        ((IS_RIGHT, "is_right = guesses[:, -1:] == tokens[:, -1:]"),),
        "Only the last guess of each row is checked.",
        "How many tokens of a row have one before them?",
    ),
    Misconception(
        "accuracy_of_first_row",
        "next_token_accuracy",
        ((IS_RIGHT, "is_right = guesses[:1] == tokens[:1, 1:]"),),
        "Only the first row of the batch is checked.",
        "Which axes does the mean run over?",
    ),
    Misconception(
        "accuracy_of_whole_rows",
        "next_token_accuracy",
        ((SHARE, "return is_right.all(dim=1).double().mean().item()"),),
        "A row counts only when every guess in it is right.",
        "What is counted: rows or tokens?",
    ),
    Misconception(
        "smallest_logit",
        "next_token_accuracy",
        ((GUESSES, "guesses = logits[:, :-1].argmin(dim=-1)"),),
        "The guess is the token with the smallest logit.",
        "Does a large logit mean likely or unlikely?",
    ),
    Misconception(
        "argmax_over_positions",
        "next_token_accuracy",
        ((GUESSES, "guesses = logits[:, :-1].argmax(dim=1)"),),
        "The largest logit is looked for among the positions, not in the vocabulary.",
        "Which axis of the logits is the vocabulary?",
    ),
    Misconception(
        "tie_counts_as_right",
        "next_token_accuracy",
        (
            (
                IS_RIGHT,
                "of_targets = logits[:, :-1].gather(-1, tokens[:, 1:, None]).squeeze(-1)\n"
                "    is_right = of_targets == logits[:, :-1].amax(dim=-1)",
            ),
        ),
        "Whatever shares the largest logit counts as right: a model that says nothing would be right every time.",
        "With all logits equal, how many tokens does the model guess at each position?",
    ),
    Misconception(
        "tie_to_the_highest_id",
        "next_token_accuracy",
        ((GUESSES, "guesses = logits.shape[-1] - 1 - logits[:, :-1].flip(-1).argmax(dim=-1)"),),
        "Of equally large logits the highest id is guessed, not the lowest.",
        "With all logits equal, which id is the guess?",
    ),
    Misconception(
        "number_of_right_guesses",
        "next_token_accuracy",
        ((SHARE, "return is_right.double().sum().item()"),),
        "The right guesses are counted, not divided by the number of guesses.",
        "What is the accuracy of a model that is always right?",
    ),
    Misconception(
        "accuracy_over_all_positions",
        "next_token_accuracy",
        ((SHARE, "return is_right.sum().item() / tokens.numel()"),),
        "The right guesses are divided by the number of tokens, although the first of each row is not guessed.",
        "How many guesses were checked in a row of seq tokens?",
    ),
    Misconception(
        "whole_number_division",
        "next_token_accuracy",
        ((SHARE, "return float(is_right.sum().item() // is_right.numel())"),),
        "The share is rounded down to a whole number: anything short of perfect is 0.",
        "What is 3 // 4?",
    ),
    Misconception(
        "percent",
        "next_token_accuracy",
        ((SHARE, "return 100 * is_right.double().mean().item()"),),
        "The accuracy is in percent.",
        "Which number stands for always right?",
    ),
    Misconception(
        "share_of_wrong_guesses",
        "next_token_accuracy",
        ((IS_RIGHT, "is_right = guesses != tokens[:, 1:]"),),
        "The wrong guesses are counted.",
        "What is the accuracy of a model that is always right?",
    ),
    Misconception(
        "mean_probability",
        "next_token_accuracy",
        (
            (
                IS_RIGHT,
                "probabilities = logits[:, :-1].softmax(dim=-1)\n"
                "    is_right = probabilities.gather(-1, tokens[:, 1:, None])",
            ),
        ),
        "This is the mean probability of the tokens that came, not the share of right guesses.",
        "A model gives the right token 0.4 and every other one less. How much does that position count?",
    ),
    Misconception(
        "unscorable_accuracy_not_refused",
        "next_token_accuracy",
        ((CHECK_ACCURACY, CHECK_ACCURACY.replace("check_predictions(logits, tokens)", "pass")),),
        "What cannot be scored is not refused: a row of one token gives NaN, unknown ids just count as wrong.",
        "What is the mean of no numbers, and which given function would have said so?",
    ),
    Misconception(
        "one_known_id_is_enough",
        "next_token_accuracy",
        (
            (
                CHECK_ACCURACY,
                CHECK_ACCURACY.replace(
                    "check_predictions(logits, tokens)",
                    SHAPES_ALONE + "if not ((tokens >= 0) & (tokens < logits.shape[-1])).any():\n"
                    '        raise ValueError("unknown ids")',
                ),
            ),
        ),
        "Tokens are refused only when all of their ids are unknown: one known id among them is enough.",
        "Is it `any` or `all` of the ids that must be in the vocabulary?",
    ),
    Misconception(
        "guess_from_probabilities",
        "next_token_accuracy",
        ((GUESSES, "guesses = logits[:, :-1].softmax(dim=-1).argmax(dim=-1)"),),
        "The guess is made from the probabilities: two logits that differ by very little have the same one.",
        "What is exp(1e-17) in floating point, and does the softmax change which logit is the largest?",
    ),
    Misconception(
        "guess_in_float32",
        "next_token_accuracy",
        ((GUESSES, "guesses = logits[:, :-1].float().argmax(dim=-1)"),),
        "The logits are rounded to float32 before they are compared: some that differ are then equal.",
        "How many digits does float32 keep, and what makes the logits anything but what they were?",
    ),
    Misconception(
        "ties_broken_by_a_slope",
        "next_token_accuracy",
        ((GUESSES, "guesses = (logits[:, :-1] - 1e-6 * torch.arange(logits.shape[-1])).argmax(dim=-1)"),),
        "Higher ids are handicapped to break ties: one that is ahead by little, or is one of very many, loses.",
        "With 50,000 tokens, how far behind does 1e-6 times its id put the last one?",
    ),
    # uniform_loss
    Misconception(
        "uniform_in_bits",
        "uniform_loss",
        ((UNIFORM, "return math.log2(d_vocab)"),),
        "The loss is in bits: the logarithm is to base 2.",
        "Which logarithm gives nats?",
    ),
    Misconception(
        "uniform_in_digits",
        "uniform_loss",
        ((UNIFORM, "return math.log10(d_vocab)"),),
        "The logarithm is to base 10.",
        "Which logarithm gives nats?",
    ),
    Misconception(
        "uniform_minus",
        "uniform_loss",
        ((UNIFORM, "return math.log(1 / d_vocab)"),),
        "This is the logarithm of the share: the surprise is minus that.",
        "Can a surprise be negative?",
    ),
    Misconception(
        "uniform_share",
        "uniform_loss",
        ((UNIFORM, "return 1 / d_vocab"),),
        "This is the share of each token, not the surprise at it.",
        "Should a larger vocabulary make the loss of a model that knows nothing larger or smaller?",
    ),
    Misconception(
        "uniform_perplexity",
        "uniform_loss",
        ((UNIFORM, "return float(d_vocab)"),),
        "This is the perplexity of the model that knows nothing, e to the power of its loss.",
        "What is the surprise at a token that had the share 1 / d_vocab?",
    ),
    Misconception(
        "uniform_over_the_others",
        "uniform_loss",
        ((UNIFORM, "return math.log(max(d_vocab - 1, 1))"),),
        "One token of the vocabulary is left out.",
        "How many tokens share the probability when the ids run from 0 to d_vocab - 1?",
    ),
    Misconception(
        "empty_vocabulary_not_refused",
        "uniform_loss",
        (
            ("    check_vocabulary(d_vocab)\n    # 2. The surprise at any", "    # 2. The surprise at any"),
            (UNIFORM, "return torch.tensor(d_vocab, dtype=torch.float64).log().item()"),
        ),
        "An empty vocabulary is not refused: its loss comes out as minus infinity.",
        "What is log(0), and which given function would have said that there is no such vocabulary?",
    ),
    # unigram_loss
    Misconception(
        "unigram_in_bits",
        "unigram_loss",
        ((SURPRISE, "surprise = (1 / shares).log2()"),),
        "The entropy is in bits: the logarithm is to base 2.",
        "Which logarithm gives nats?",
    ),
    Misconception(
        "unigram_minus",
        "unigram_loss",
        ((SURPRISE, "surprise = shares.log()"),),
        "The minus is forgotten: logarithms of shares are negative.",
        "Can a surprise be negative?",
    ),
    Misconception(
        "zero_times_infinity",
        "unigram_loss",
        ((SEEN, ""),),
        "A token that never occurs makes the loss NaN: its share is 0, and 0 times the logarithm of 0 is not 0.",
        "What does floating point say to 0 * log(0), and what should such a token add?",
    ),
    Misconception(
        "averaged_over_distinct_tokens",
        "unigram_loss",
        ((ENTROPY, "return surprise.mean().item()"),),
        "Every different token counts once, however often it occurs: the surprise is not weighted by the shares.",
        "In a text of 99 times `a` and once `b`, how often is the model surprised by `b`?",
    ),
    Misconception(
        "averaged_over_the_vocabulary",
        "unigram_loss",
        ((ENTROPY, "return (shares * surprise).sum().item() / d_vocab"),),
        "The weighted surprise is divided by d_vocab, although the shares already add up to one.",
        "What do the weights of your mean add up to?",
    ),
    Misconception(
        "uniform_over_tokens_seen",
        "unigram_loss",
        ((ENTROPY, "return math.log(len(shares))"),),
        "All tokens that occur are treated alike: this is the logarithm of how many there are.",
        "Is `a`, which comes 99 times of 100, as surprising as `b`?",
    ),
    Misconception(
        "only_the_most_frequent",
        "unigram_loss",
        ((ENTROPY, "return surprise.min().item()"),),
        "This is the surprise at the most frequent token alone.",
        "Which tokens of the text is the mean about?",
    ),
    Misconception(
        "one_added_to_every_count",
        "unigram_loss",
        ((SHARES, "shares = (counts.double() + 1) / (tokens.numel() + d_vocab)"), (SEEN, "")),
        "One is added to every count: these are not the tokens' own frequencies.",
        "What is the share of a token that never occurs?",
    ),
    Misconception(
        "counts_divided_by_d_vocab",
        "unigram_loss",
        ((SHARES, "shares = counts.double() / d_vocab"),),
        "The counts are divided by the size of the vocabulary, not by how many tokens there are.",
        "What must the shares add up to?",
    ),
    Misconception(
        "counts_not_divided",
        "unigram_loss",
        ((SHARES, "shares = counts.double()"),),
        "The counts are used as they are: they are not shares.",
        "What must the shares add up to?",
    ),
    Misconception(
        "first_token_not_counted",
        "unigram_loss",
        (
            (COUNTS, "counts = torch.bincount(tokens[..., 1:].flatten(), minlength=d_vocab)"),
            (SHARES, "shares = counts.double() / max(counts.sum().item(), 1)"),
        ),
        "The first token of every row is left out; all tokens are counted here.",
        "Does a model that knows only frequencies need a token before the one it predicts?",
    ),
    Misconception(
        "rows_counted_apart",
        "unigram_loss",
        (
            (
                COUNTS,
                "if tokens.ndim > 1:\n"
                "        return sum(unigram_loss(row, d_vocab) for row in tokens) / len(tokens)\n    " + COUNTS,
            ),
        ),
        "Each row has frequencies of its own, and the entropies are averaged: all tokens are counted together.",
        "Two rows, one of nothing but `a`, one of nothing but `b`: what is the entropy of all their tokens?",
    ),
    Misconception(
        "unigram_perplexity",
        "unigram_loss",
        ((ENTROPY, "return (shares * surprise).sum().exp().item()"),),
        "This is the perplexity, e to the power of the loss.",
        "What should come out for a text of a single token repeated: 0 or 1?",
    ),
    Misconception(
        "share_of_the_uniform_loss",
        "unigram_loss",
        ((ENTROPY, "return (shares * surprise).sum().item() / max(math.log(d_vocab), 1e-9)"),),
        "The entropy is divided by that of the uniform distribution.",
        "In which unit is a number that is 1 when all tokens are equally frequent?",
    ),
    Misconception(
        "small_number_beside_the_share",
        "unigram_loss",
        ((SURPRISE, "surprise = -(shares + 1e-8).log()"),),
        "A small number is added inside the logarithm: with thousands of tokens the loss comes out too small.",
        "With 50,257 tokens, each as frequent as any other, how large is 1e-8 beside the share of one?",
    ),
    Misconception(
        "tokens_expected_in_order",
        "unigram_loss",
        ((COUNTS, COUNTS.replace("flatten()", "view(-1)")),),
        "The tokens are flattened with `view`, which raises an error when they are not stored in order.",
        "How are the tokens of `tokens.T` stored, and can `view` put them in one row?",
    ),
    Misconception(
        "rows_for_tokens",
        "unigram_loss",
        (
            (
                CHECK_COUNTS,
                CHECK_COUNTS.replace(
                    "check_tokens(tokens, d_vocab)",
                    "if len(tokens) == 0 or d_vocab < 1 or tokens.min() < 0 or tokens.max() >= d_vocab:\n"
                    '        raise ValueError("no such tokens")',
                ),
            ),
        ),
        "`len` counts rows, not tokens: a single token without axes has none, and rows may be empty.",
        "What is `len` of a tensor of shape (2, 0), of shape (), and which method counts its numbers?",
    ),
    Misconception(
        "uncountable_not_refused",
        "unigram_loss",
        ((CHECK_COUNTS, CHECK_COUNTS.replace("check_tokens(tokens, d_vocab)", "pass")),),
        "No tokens at all, or ids outside the vocabulary, are not refused.",
        "What is the loss on a text without tokens, and which given function would have refused it?",
    ),
)

# Mutations of the reference that nothing can tell from it, with the reason.
EQUIVALENT: dict[str, str] = {}
