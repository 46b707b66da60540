"""Known mistakes in sampling: each a patch on `reference/sampling.py` that makes it."""

from collections.abc import Callable

from graders.engine.misconception import Misconception

# greedy
REFUSE_NO_CHOICE = "    # 1. Refuse a row that has nothing to choose\n    check_logits(logits)\n"
LARGEST = "return logits.argmax(dim=1)"
# apply_temperature
CHECK_TEMPERATURE = 'if not 0 < temperature < float("inf"):'
REFUSE_TEMPERATURE = 'raise ValueError(f"the temperature is {temperature}; expected a finite number above 0")'
DIVIDED = "return logits / temperature"
# apply_frequency_penalty
CHECK_IDS = "    check_tokens(tokens, logits.shape[1])\n"
COUNTS = "counts = torch.zeros_like(logits).scatter_add(1, tokens, torch.ones_like(tokens, dtype=logits.dtype))"
PENALISED = "return logits - penalty * counts"
# top_k_filter
CHECK_K = "if k < 1:"
REFUSE_K = 'raise ValueError(f"k is {k}; expected to keep at least 1 token")'
ORDER = "order = logits.argsort(dim=1, descending=True, stable=True)"
RANK = "rank = order.argsort(dim=1)"
FIRST_K = 'return logits.masked_fill(rank >= k, float("-inf"))'
# top_p_filter
CHECK_P = "if not 0 <= p <= 1:"
CHECK_MIN = "if min_tokens_to_keep < 1:"
REFUSE_NO_NUCLEUS = "    check_logits(logits)\n    # 2. At p = 1"
ALL_AT_1 = "    if p == 1:\n        return logits.clone()\n"
ORDERED = "ordered, order = logits.sort(dim=1, descending=True, stable=True)"
MASS = "mass = ordered.softmax(dim=1).cumsum(dim=1)"
N_KEPT = "n_kept = ((mass < p).sum(dim=1, keepdim=True) + 1).clamp(min=min_tokens_to_keep)"
NUCLEUS = 'return logits.masked_fill(order.argsort(dim=1) >= n_kept, float("-inf"))'
# sample
REFUSE_NO_DRAW = "    # 1. Refuse a row that has no probabilities\n    check_logits(logits)\n"
PROBABILITIES = "probabilities = logits.softmax(dim=1)"
DRAW = "return torch.multinomial(probabilities, num_samples=1, generator=generator).squeeze(dim=1)"
# next_token
PENALTY_STEP = "logits = apply_frequency_penalty(logits, tokens, options.frequency_penalty)"
IF_GREEDY = "if options.temperature == 0:"
TAKE_GREEDY = "return greedy(logits)"
RESCALE = "    logits = apply_temperature(logits, options.temperature)\n"
TOP_K_STEP = "    if options.top_k is not None:\n        logits = top_k_filter(logits, options.top_k)\n"
TOP_P_STEP = "    if options.top_p is not None:\n        logits = top_p_filter(logits, options.top_p)\n"
SAMPLE = "return sample(logits, generator)"
# generate
CHECK_EMPTY = "if prompt.shape[1] == 0:"
CHECK_PROMPT = "    check_tokens(prompt, model.cfg.d_vocab)\n"
BEGIN = "tokens, ended = prompt.clone(), prompt.new_zeros(len(prompt), dtype=torch.bool)"
STEPS = "for _ in range(max_new_tokens):"
NO_GRAD = "with torch.no_grad():"
CALL = "logits = model(tokens[:, -model.cfg.n_ctx :])[:, -1]"
CHOOSE = "new = next_token(logits, tokens, options, generator)"
IF_EOS = "if options.eos_id is not None:"
FILL = "new = new.masked_fill(ended, options.eos_id)"
ENDED = "ended = new == options.eos_id"
APPEND = "tokens = torch.cat([tokens, new.unsqueeze(1)], dim=1)"
STOP = "        if ended.all():\n            break\n"
TEXT = "    return tokens\n"


def mistakes_in(task: str) -> Callable[..., Misconception]:
    """A short way to write this task's mistakes: `mistake(id, names, asks, *patch)`."""

    def mistake(id: str, names: str, asks: str, *patch: tuple[str, str]) -> Misconception:
        return Misconception(id, task, patch, names, asks)

    return mistake


likeliest = mistakes_in("greedy")
temperature = mistakes_in("apply_temperature")
penalty = mistakes_in("apply_frequency_penalty")
top_k = mistakes_in("top_k_filter")
top_p = mistakes_in("top_p_filter")
draw = mistakes_in("sample")
choose = mistakes_in("next_token")
text = mistakes_in("generate")

MISCONCEPTIONS = (
    # greedy
    likeliest(
        "highest_id_of_a_tie",
        "Where several logits are the largest, the highest id is taken, or the last; the lowest is asked for.",
        "Which of two equal logits comes first?",
        (LARGEST, "return logits.shape[-1] - 1 - logits.flip(-1).argmax(dim=1)"),
    ),
    likeliest(
        "smallest_logit",
        "The smallest logit is taken, not the largest.",
        "Is a likely token's logit large or small?",
        (LARGEST, "return logits.argmin(dim=1)"),
    ),
    likeliest(
        "largest_over_the_batch",
        "The largest is looked for among the rows, for every token of the vocabulary; one token a row is asked for.",
        "Which axis should be gone afterwards?",
        (LARGEST, "return logits.argmax(dim=0)"),
    ),
    likeliest(
        "largest_of_the_whole_table",
        "One number comes back for the whole batch, the place of its largest logit in the flattened table.",
        "How many tokens should come back for a batch of three?",
        (LARGEST, "return logits.argmax()"),
    ),
    likeliest(
        "greedy_keeps_the_axis",
        "The tokens come back as (batch, 1); (batch,) is asked for.",
        "What does keepdim do?",
        (LARGEST, "return logits.argmax(dim=1, keepdim=True)"),
    ),
    likeliest(
        "largest_logit_itself",
        "The largest logit comes back, not the id of the token that has it.",
        "What tells the next call of the model which token was chosen?",
        (LARGEST, "return logits.amax(dim=1)"),
    ),
    likeliest(
        "greedy_from_nothing",
        "A row of nothing but -inf is answered with a token; ValueError is asked for.",
        "Which token is likeliest when all are impossible?",
        (REFUSE_NO_CHOICE, ""),
    ),
    likeliest(
        "greedy_refuses_any_inf",
        "A row is refused as soon as one of its logits is -inf; only a row of nothing else is to be refused.",
        "What does a filter leave in the places it has cut?",
        (REFUSE_NO_CHOICE, REFUSE_NO_CHOICE + "    if not logits.isfinite().all():\n        raise ValueError('inf')\n"),
    ),
    # apply_temperature
    temperature(
        "multiplied_by_temperature",
        "The logits are multiplied by the temperature; they should be divided by it.",
        "Should a low temperature move the logits further apart, or closer together?",
        (DIVIDED, "return logits * temperature"),
    ),
    temperature(
        "temperature_after_softmax",
        "Probabilities are divided by the temperature; the logits should be, before any softmax.",
        "Does dividing every probability by the same number change which is drawn how often?",
        (DIVIDED, "return logits.softmax(dim=1) / temperature"),
    ),
    temperature(
        "temperature_returns_probabilities",
        "Probabilities come back; this function should return logits.",
        "The filters and `sample` take a softmax of what they get. How many softmaxes would that be?",
        (DIVIDED, "return (logits / temperature).softmax(dim=1)"),
    ),
    temperature(
        "divided_into_whole_numbers",
        "The division is rounded down: `//` was written for `/`.",
        "What is 0.7 // 0.5?",
        (DIVIDED, "return logits // temperature"),
    ),
    temperature(
        "logits_divided_in_place",
        "The logits that were passed in are changed: the division is in place.",
        "After the call, what do the caller's logits hold?",
        (DIVIDED, "logits /= temperature\n    return logits"),
    ),
    temperature(
        "temperature_0_let_through",
        "A temperature of 0 is let through and divided by; ValueError is asked for.",
        "What is 0 / 0?",
        (CHECK_TEMPERATURE, CHECK_TEMPERATURE.replace("0 <", "0 <=")),
    ),
    temperature(
        "temperature_nan_let_through",
        "A temperature of NaN is let through, and an infinite one: neither is 0 or below it.",
        "Is NaN <= 0 true, or false?",
        (CHECK_TEMPERATURE, "if temperature <= 0:"),
    ),
    temperature(
        "temperature_inf_let_through",
        "An infinite temperature is let through: it turns every logit of -inf into NaN.",
        "What is -inf / inf?",
        (CHECK_TEMPERATURE, "if not temperature > 0:"),
    ),
    temperature(
        "temperature_not_checked",
        "No temperature is refused; with a negative one the unlikeliest token becomes the likeliest.",
        "What do logits divided by -1 say?",
        (CHECK_TEMPERATURE, "if False:"),
    ),
    temperature(
        "temperature_clamped",
        "A temperature that is too low is replaced by a small number in silence; ValueError is asked for.",
        "How would the caller learn that -1 is no temperature?",
        (REFUSE_TEMPERATURE, "temperature = 1e-5"),
    ),
    temperature(
        "temperature_asserted",
        "A wrong temperature fails an assert; ValueError is asked for.",
        "What happens to an assert when Python runs with -O?",
        (REFUSE_TEMPERATURE, "raise AssertionError(temperature)"),
    ),
    temperature(
        "temperature_above_1_refused",
        "A temperature above 1 is refused, though it only makes all tokens more alike.",
        "Must a temperature lie between 0 and 1?",
        (CHECK_TEMPERATURE, "if not 0 < temperature <= 1:"),
    ),
    # apply_frequency_penalty
    penalty(
        "penalty_added",
        "The penalty is added: a token that was written becomes likelier each time.",
        "Should a repeated token's logit rise or fall?",
        (PENALISED, "return logits + penalty * counts"),
    ),
    penalty(
        "presence_penalty",
        "A token is penalised once, however often it has been written. That is the presence penalty.",
        "A token was written three times: how many penalties are taken off?",
        (PENALISED, "return logits - penalty * counts.clamp(max=1)"),
    ),
    penalty(
        "multiplicative_penalty",
        "Logits are multiplied or divided by the penalty, as in CTRL; here it is taken off, once for each time.",
        "By how much does the logit of a token that was written twice fall?",
        (
            PENALISED,
            "factor = (1 + penalty) ** counts\n    return torch.where(logits > 0, logits / factor, logits * factor)",
        ),
    ),
    penalty(
        "penalty_times_logit",
        "What is taken off is a share of the logit itself, so that a negative logit rises.",
        "By how much does a logit of -2 fall when its token was written once?",
        (PENALISED, "return logits - penalty * counts * logits"),
    ),
    penalty(
        "share_for_count",
        "A token's share of the text is taken for its count.",
        "A token was written twice in a text of four: how many penalties are taken off?",
        (PENALISED, "return logits - penalty * counts / max(tokens.shape[1], 1)"),
    ),
    penalty(
        "counts_of_the_whole_batch",
        "The counts of all rows are added up: a row pays for what the others wrote.",
        "Should a row depend on its neighbours in the batch?",
        (PENALISED, "return logits - penalty * counts.sum(dim=0)"),
    ),
    penalty(
        "counts_of_the_first_row",
        "The first row's counts are used for all rows.",
        "Which row's tokens belong to which row's logits?",
        (PENALISED, "return logits - penalty * counts[:1]"),
    ),
    penalty(
        "minlength_missing",
        "The counts reach no further than the highest id that was written; they should cover the vocabulary.",
        "What does bincount return for the ids 0 and 1 when there are five tokens?",
        (COUNTS, "counts = torch.stack([torch.bincount(row) for row in tokens])"),
    ),
    penalty(
        "last_token_not_counted",
        "The last token of the text is not counted.",
        "Which token is the model likeliest to repeat at once?",
        (COUNTS, "tokens = tokens[:, :-1]\n    " + COUNTS),
    ),
    penalty(
        "first_token_not_counted",
        "The first token of the text is not counted.",
        "Is the first token part of the text?",
        (COUNTS, "tokens = tokens[:, 1:]\n    " + COUNTS),
    ),
    penalty(
        "last_token_only",
        "Only the last token of the text is counted.",
        "How far back does the penalty look?",
        (COUNTS, "tokens = tokens[:, -1:]\n    " + COUNTS),
    ),
    penalty(
        "negative_penalty_ignored",
        "A negative penalty is taken for 0; it rewards repetition.",
        "What is the logit of 1 with a penalty of -0.5, for a token that was written twice?",
        (PENALISED, "return logits - max(penalty, 0) * counts"),
    ),
    penalty(
        "logits_penalised_in_place",
        "The logits that were passed in are changed: the subtraction is in place.",
        "After the call, what do the caller's logits hold?",
        (PENALISED, "logits -= penalty * counts\n    return logits"),
    ),
    penalty(
        "ids_not_checked",
        "An id outside the vocabulary is not refused with ValueError.",
        "Which token is -1? And which is d_vocab?",
        (CHECK_IDS, ""),
    ),
    penalty(
        "ids_not_checked_at_penalty_0",
        "At a penalty of 0 the ids are not looked at; one outside the vocabulary is to be refused at any penalty.",
        "Is there a token -1 when the penalty is 0?",
        (CHECK_IDS, "    if penalty == 0:\n        return logits.clone()\n" + CHECK_IDS),
    ),
    # top_k_filter: which are kept
    top_k(
        "one_too_many_kept",
        "k + 1 logits are kept.",
        "Places are counted from 0: which is the last of k places?",
        (FIRST_K, FIRST_K.replace(">= k", "> k")),
    ),
    top_k(
        "one_too_few_kept",
        "k - 1 logits are kept.",
        "Places are counted from 0: which is the last of k places?",
        (FIRST_K, FIRST_K.replace(">= k", ">= k - 1")),
    ),
    top_k(
        "k_smallest_kept",
        "The k smallest logits are kept: the order is ascending.",
        "In which direction does a sort go when nothing is said?",
        (ORDER, ORDER.replace("True, stable", "False, stable")),
    ),
    top_k(
        "all_that_tie_are_kept",
        "All logits that equal the k-th are kept, which may be more than k.",
        "k is 1 and all logits are equal: how many are kept?",
        (
            FIRST_K,
            "kth = logits.gather(-1, order)[:, k - 1 : k] if k <= logits.shape[-1] else float('-inf')\n"
            '    return logits.masked_fill(logits < kth, float("-inf"))',
        ),
    ),
    top_k(
        "higher_id_of_a_tie",
        "Of equal logits the higher id is kept; the lower goes first.",
        "k is 1 and all logits are equal: which one is kept?",
        (ORDER, "order = logits.shape[-1] - 1 - logits.flip(-1).argsort(dim=1, descending=True, stable=True)"),
    ),
    top_k(
        "topk_where_logits_tie",
        "Of equal logits any may be kept: torch.topk does not say which. The lower id goes first.",
        "What does the documentation of topk say about ties?",
        (
            FIRST_K,
            "kept = logits.topk(min(k, logits.shape[-1])).indices\n"
            '    return torch.full_like(logits, float("-inf")).scatter(-1, kept, logits.gather(-1, kept))',
        ),
    ),
    top_k(
        "order_taken_for_rank",
        "The list of ids in order is read as if it were each id's place in that order.",
        "Ids in order are [2, 0, 1]: at which place does id 0 stand?",
        (RANK, "rank = order"),
    ),
    top_k(
        "top_k_of_the_first_row",
        "The same ids are kept in all rows: those of the first.",
        "Do all rows of a batch have the same likely tokens?",
        (RANK, "rank = order[:1].argsort(dim=1)"),
    ),
    top_k(
        "top_k_over_the_batch",
        "The largest are looked for among the rows, for each token of the vocabulary.",
        "Along which axis do the tokens of one row lie?",
        (ORDER, ORDER.replace("dim=1", "dim=0")),
        (RANK, RANK.replace("dim=1", "dim=0")),
    ),
    # top_k_filter: what comes back
    top_k(
        "ids_of_the_k_largest",
        "The ids of the k largest come back; the logits in their places are asked for, the others -inf.",
        "What shape should come back?",
        (FIRST_K, "return order[:, :k]"),
    ),
    top_k(
        "values_of_the_k_largest",
        "Only the k largest logits come back, so that a place says nothing about a token any more.",
        "You draw place 2 of what came back: which token is that?",
        (FIRST_K, "return logits.gather(-1, order[:, :k])"),
    ),
    top_k(
        "top_k_left_in_order",
        "The logits come back sorted; each should stay at its token's place.",
        "You draw place 2 of what came back: which token is that?",
        (FIRST_K, "ordered = logits.gather(-1, order)\n    ordered[:, k:] = float('-inf')\n    return ordered"),
    ),
    top_k(
        "the_others_are_zero",
        "What is cut gets a logit of 0, which is a chance like any other; -inf is asked for.",
        "What is exp(0)?",
        (FIRST_K, FIRST_K.replace('float("-inf")', "0.0")),
    ),
    top_k(
        "the_others_are_very_small",
        "What is cut gets a large negative number; -inf is asked for.",
        "Is there a number that no logit can be below?",
        (FIRST_K, FIRST_K.replace('float("-inf")', "-1e4")),
    ),
    top_k(
        "top_k_returns_probabilities",
        "Probabilities come back; this function should return logits.",
        "`sample` takes a softmax of what it gets. How many softmaxes would that be?",
        (FIRST_K, FIRST_K + ".softmax(dim=1)"),
    ),
    top_k(
        "top_k_in_place",
        "The logits that were passed in are changed: they are masked in place.",
        "After the call, what do the caller's logits hold?",
        (FIRST_K, FIRST_K.replace("masked_fill", "masked_fill_")),
    ),
    # top_k_filter: which k
    top_k(
        "k_above_d_vocab_crashes",
        "A k above the size of the vocabulary raises an error; then all are kept.",
        "What does topk do when there are fewer than k?",
        (ORDER, "logits.topk(k)\n    " + ORDER),
    ),
    top_k(
        "k_0_keeps_all",
        "A k of 0, or below, is taken to mean no filter; ValueError is asked for.",
        "Who is told that k = 0 makes no sense?",
        (REFUSE_K, "return logits.clone()"),
    ),
    top_k(
        "k_0_let_through",
        "A k of 0 is let through and leaves a row of -inf; ValueError is asked for.",
        "What can be drawn when nothing is kept?",
        (CHECK_K, "if k < 0:"),
    ),
    top_k(
        "negative_k_let_through",
        "A negative k is let through; ValueError is asked for.",
        "What are the first -1 places?",
        (CHECK_K, "if k == 0:"),
    ),
    # top_p_filter: how far the nucleus reaches
    top_p(
        "crossing_token_excluded",
        "The token that reaches p is left out of the nucleus, whose probability then falls short of p.",
        "Probabilities are 0.5, 0.3, 0.2 and p is 0.6: which tokens together have at least 0.6?",
        (N_KEPT, N_KEPT.replace(" + 1", "")),
    ),
    top_p(
        "nucleus_may_be_empty",
        "Only tokens whose summed probability is at most p are kept: that may be none.",
        "The likeliest token has probability 0.9 and p is 0.5: what is kept?",
        (N_KEPT, "n_kept = (mass <= p).sum(dim=1, keepdim=True)"),
    ),
    top_p(
        "one_token_extra",
        "One token too many is kept, after the one that reaches p.",
        "Probabilities are 0.5, 0.3, 0.2 and p is 0.6: which is the first token at which the sum is 0.6 or more?",
        (N_KEPT, N_KEPT.replace(" + 1", " + 2")),
    ),
    top_p(
        "p_must_be_exceeded",
        "A sum that is exactly p does not count as reaching it, so one token too many is kept there.",
        "Four tokens are equally likely and p is 0.5: how many are kept?",
        (N_KEPT, N_KEPT.replace("mass < p", "mass <= p")),
    ),
    top_p(
        "nucleus_of_the_unlikely",
        "The nucleus is filled from the least likely token up: the sort is ascending.",
        "In which direction does a sort go when nothing is said?",
        (ORDERED, ORDERED.replace("True, stable", "False, stable")),
    ),
    top_p(
        "complement_of_p",
        "The nucleus is filled up to 1 - p.",
        "Should a p of 0.9 keep much, or little?",
        (N_KEPT, N_KEPT.replace("mass < p", "mass < 1 - p")),
    ),
    top_p(
        "least_probability_p",
        "Every token with a probability of at least p is kept; it is the sum that should reach p.",
        "Ten tokens are equally likely and p is 0.5: how many are kept?",
        (N_KEPT, "n_kept = (ordered.softmax(dim=1) >= p).sum(dim=1, keepdim=True).clamp(min=min_tokens_to_keep)"),
    ),
    top_p(
        "all_in_a_tie_kept",
        "All tokens as likely as the one that reaches p are kept; the nucleus is the smallest set.",
        "Four tokens are equally likely and p is 0.5: how many are kept?",
        (
            NUCLEUS,
            "last = ordered.gather(-1, (n_kept - 1).clamp(max=logits.shape[-1] - 1))\n"
            '    return logits.masked_fill(logits < last, float("-inf"))',
        ),
    ),
    top_p(
        "nucleus_of_higher_ids",
        "Of equally likely tokens the one with the higher id joins first; the lower should.",
        "Four tokens are equally likely and p is 0.5: which are kept?",
        (
            ORDERED,
            "ordered, order = logits.flip(-1).sort(dim=1, descending=True, stable=True)\n"
            "    order = logits.shape[-1] - 1 - order",
        ),
    ),
    # top_p_filter: what is added up
    top_p(
        "logits_added_up",
        "Logits are added up, not probabilities.",
        "Is p a number of logits or of probability?",
        (MASS, "mass = ordered.cumsum(dim=1)"),
    ),
    top_p(
        "powers_not_normalised",
        "exp(logit) is added up without being divided by its sum.",
        "What do the probabilities of a row add up to?",
        (MASS, "mass = ordered.exp().cumsum(dim=1)"),
    ),
    top_p(
        "nucleus_softmax_over_the_batch",
        "The softmax runs over the rows of the batch.",
        "The probabilities of which tokens add up to one?",
        (MASS, MASS.replace("softmax(dim=1)", "softmax(dim=0)")),
    ),
    top_p(
        "mass_over_the_batch",
        "Probabilities are added up from row to row, not from token to token.",
        "Along which axis are the tokens of one row sorted?",
        (MASS, MASS.replace("cumsum(dim=1)", "cumsum(dim=0)")),
    ),
    # top_p_filter: the edges
    top_p(
        "min_tokens_ignored",
        "min_tokens_to_keep is ignored.",
        "The likeliest token alone reaches p, and min_tokens_to_keep is 2: how many are kept?",
        (N_KEPT, N_KEPT.replace(".clamp(min=min_tokens_to_keep)", "")),
    ),
    top_p(
        "min_tokens_kept_besides",
        "min_tokens_to_keep is added to the size of the nucleus; it is the least size that it may have.",
        "The nucleus has 3 tokens and min_tokens_to_keep is 2: how many are kept?",
        (N_KEPT, N_KEPT.replace(".clamp(min=min_tokens_to_keep)", " + min_tokens_to_keep - 1")),
    ),
    top_p(
        "tail_lost_at_1",
        "At p = 1 tokens are lost whose probability is so small that the rounded sum is 1 without them.",
        "What is 1 + 1e-20, to a computer?",
        (ALL_AT_1, ""),
    ),
    top_p(
        "p_0_refused",
        "A p of 0 is refused; it keeps min_tokens_to_keep.",
        "Is 0 a probability?",
        (CHECK_P, "if not 0 < p <= 1:"),
    ),
    top_p(
        "p_1_refused",
        "A p of 1 is refused; it keeps every token.",
        "Is 1 a probability?",
        (CHECK_P, "if not 0 <= p < 1:"),
    ),
    top_p(
        "p_above_1_let_through",
        "A p above 1 is let through; ValueError is asked for.",
        "Can probabilities add up to 1.5?",
        (CHECK_P, "if not p >= 0:"),
    ),
    top_p(
        "p_below_0_let_through",
        "A p below 0 is let through; ValueError is asked for.",
        "Is there a negative probability?",
        (CHECK_P, "if not p <= 1:"),
    ),
    top_p(
        "p_nan_let_through",
        "A p of NaN is let through: NaN is neither below 0 nor above 1.",
        "Is NaN < 0 true, or false?",
        (CHECK_P, "if p < 0 or p > 1:"),
    ),
    top_p(
        "min_tokens_not_checked",
        "A min_tokens_to_keep below 1 is let through; ValueError is asked for.",
        "What can be drawn when nothing is kept?",
        (CHECK_MIN, "if False:"),
    ),
    top_p(
        "nucleus_of_nothing",
        "A row of nothing but -inf is let through; ValueError is asked for.",
        "What is the softmax of a row of -inf?",
        (REFUSE_NO_NUCLEUS, REFUSE_NO_NUCLEUS.replace("    check_logits(logits)\n", "")),
    ),
    top_p(
        "top_p_refuses_any_inf",
        "A row is refused as soon as one of its logits is -inf; only a row of nothing else is to be refused.",
        "What does top-k leave in the places it has cut?",
        (
            REFUSE_NO_NUCLEUS,
            "    if not logits.isfinite().all():\n        raise ValueError('inf')\n    # 2. At p = 1",
        ),
    ),
    # top_p_filter: what comes back
    top_p(
        "first_places_kept",
        "As many tokens are kept as the nucleus has, but those with the lowest ids: the order was not undone.",
        "To which id does the first place of the sorted row belong?",
        (NUCLEUS, NUCLEUS.replace("order.argsort(dim=1)", "torch.arange(logits.shape[-1])")),
    ),
    top_p(
        "nucleus_order_taken_for_rank",
        "The list of ids in order is read as if it were each id's place in that order.",
        "Ids in order are [2, 0, 1]: at which place does id 0 stand?",
        (NUCLEUS, NUCLEUS.replace("order.argsort(dim=1)", "order")),
    ),
    top_p(
        "nucleus_left_in_order",
        "The logits come back sorted; each should stay at its token's place.",
        "You draw place 2 of what came back: which token is that?",
        (NUCLEUS, 'return ordered.masked_fill(torch.arange(logits.shape[-1]) >= n_kept, float("-inf"))'),
    ),
    top_p(
        "nucleus_sorted_by_probability",
        "Probabilities are sorted, not logits: those of very unlikely tokens are all 0, and their order is lost.",
        "The logits are 1000, 0 and 1: what are their probabilities, and which token comes second?",
        (ORDERED, ORDERED.replace("logits.sort", "logits.softmax(dim=1).sort")),
        (MASS, "mass = ordered.cumsum(dim=1)"),
    ),
    top_p(
        "size_of_the_first_row",
        "All rows get a nucleus of the first row's size.",
        "Should a row depend on its neighbours in the batch?",
        (NUCLEUS, NUCLEUS.replace("n_kept", "n_kept[:1]")),
    ),
    top_p(
        "outside_is_zero",
        "What is cut gets a logit of 0, which is a chance like any other; -inf is asked for.",
        "What is exp(0)?",
        (NUCLEUS, NUCLEUS.replace('float("-inf")', "0.0")),
    ),
    top_p(
        "top_p_returns_probabilities",
        "Probabilities come back; this function should return logits.",
        "`sample` takes a softmax of what it gets. How many softmaxes would that be?",
        (NUCLEUS, NUCLEUS + ".softmax(dim=1)"),
    ),
    top_p(
        "top_p_in_place",
        "The logits that were passed in are changed: they are masked in place.",
        "After the call, what do the caller's logits hold?",
        (NUCLEUS, NUCLEUS.replace("masked_fill", "masked_fill_")),
    ),
    # sample
    draw(
        "largest_instead_of_a_draw",
        "The likeliest token is taken; nothing is drawn.",
        "What is the difference between `sample` and `greedy`?",
        (DRAW, "return probabilities.argmax(dim=1)"),
    ),
    draw(
        "softmax_twice",
        "The softmax is taken twice: probabilities were passed where logits are expected.",
        "Does your library call expect logits or probabilities?",
        (PROBABILITIES, PROBABILITIES + ".softmax(dim=1)"),
    ),
    draw(
        "logits_as_probabilities",
        "Logits are passed where probabilities are expected.",
        "Does your library call expect logits or probabilities?",
        (PROBABILITIES, "probabilities = logits"),
    ),
    draw(
        "exp_overflows",
        "The weights are exp(logit), which is infinite for a logit of 1,000; a softmax takes off the largest first.",
        "What is exp(1000)?",
        (PROBABILITIES, "probabilities = logits.exp()"),
    ),
    draw(
        "softmax_over_the_batch",
        "The softmax runs over the rows of the batch.",
        "The probabilities of which tokens add up to one?",
        (PROBABILITIES, "probabilities = logits.softmax(dim=0)"),
    ),
    draw(
        "all_equally_likely",
        "All tokens that are possible are drawn equally often.",
        "Where do the probabilities enter the draw?",
        (PROBABILITIES, "probabilities = (logits.softmax(dim=1) > 0).to(logits.dtype)"),
    ),
    draw(
        "rare_tokens_never_drawn",
        "Probabilities are rounded, so that rare tokens are never drawn.",
        "How often should a token of probability 0.004 come in 10,000 draws?",
        (PROBABILITIES, PROBABILITIES + ".round(decimals=2)"),
    ),
    draw(
        "last_token_never_drawn",
        "The last token of the vocabulary is never drawn.",
        "Which ids can come out, from which to which?",
        (DRAW, DRAW.replace("(probabilities,", "(probabilities[:, :-1],")),
    ),
    draw(
        "generator_not_used",
        "The generator is not used: the same state draws something else each time.",
        "From where does your draw take its chance?",
        (DRAW, DRAW.replace("generator=generator", "generator=None")),
    ),
    draw(
        "seeded_in_each_call",
        "Every call begins at the same seed, so that every call draws the same.",
        "What should a second draw from the same generator give?",
        (DRAW, DRAW.replace("generator=generator", "generator=Generator().manual_seed(0)")),
    ),
    draw(
        "first_row_drawn_for_all",
        "All rows are drawn from the first row's distribution.",
        "Whose logits decide what a row draws?",
        (DRAW, DRAW.replace("(probabilities,", "(probabilities[:1].expand_as(probabilities),")),
    ),
    draw(
        "one_chance_for_all_rows",
        "One random number decides for all rows, so that equal rows always draw equal tokens.",
        "Two rows have the same logits: must they draw the same token?",
        (
            DRAW,
            "chance = torch.rand(1, generator=generator, dtype=logits.dtype)\n"
            "    return (probabilities.cumsum(dim=1)[:, :-1] <= chance).sum(dim=1)",
        ),
    ),
    draw(
        "draw_keeps_the_axis",
        "The tokens come back as (batch, 1); (batch,) is asked for.",
        "What shape does your library call return?",
        (DRAW, DRAW.removesuffix(".squeeze(dim=1)")),
    ),
    draw(
        "draw_loses_the_batch",
        "A batch of one comes back as a bare number: every axis of length 1 was removed.",
        "What does squeeze() without an axis do to (1, 1)?",
        (DRAW, DRAW.replace("squeeze(dim=1)", "squeeze()")),
    ),
    draw(
        "drawn_from_nothing",
        "A row of nothing but -inf is not refused with ValueError.",
        "What is the softmax of a row of -inf?",
        (REFUSE_NO_DRAW, ""),
    ),
    draw(
        "draw_refuses_any_inf",
        "A row is refused as soon as one of its logits is -inf; only a row of nothing else is to be refused.",
        "What does a filter leave in the places it has cut?",
        (REFUSE_NO_DRAW, "    if not logits.isfinite().all():\n        raise ValueError('inf')\n"),
    ),
    # next_token
    choose(
        "greedy_without_the_penalty",
        "At temperature 0 the choice is made from the logits as they came, without the penalty.",
        "Greedy choice goes round in circles: what would stop it?",
        (
            PENALTY_STEP,
            "unpenalised, logits = logits, apply_frequency_penalty(logits, tokens, options.frequency_penalty)",
        ),
        (TAKE_GREEDY, "return greedy(unpenalised)"),
    ),
    choose(
        "penalty_left_out",
        "The frequency penalty is left out.",
        "Which of the options did you not use?",
        (PENALTY_STEP, "pass"),
    ),
    choose(
        "penalty_after_temperature",
        "The penalty is taken off after the division by the temperature; it comes first.",
        "The penalty is 1 and the temperature 0.5: by how much does a logit fall, before the division or after it?",
        (PENALTY_STEP, "pass"),
        (TAKE_GREEDY, "return greedy(apply_frequency_penalty(logits, tokens, options.frequency_penalty))"),
        (RESCALE, RESCALE + "    " + PENALTY_STEP + "\n"),
    ),
    choose(
        "temperature_left_out",
        "The temperature is left out.",
        "Which of the options did you not use?",
        (RESCALE, ""),
    ),
    choose(
        "temperature_0_refused",
        "Temperature 0 is refused, or divided by; it means greedy choice.",
        "What does a distribution come to as the temperature goes to 0?",
        (IF_GREEDY, "if False:"),
    ),
    choose(
        "negative_temperature_is_greedy",
        "A negative temperature is taken for 0; it should raise ValueError.",
        "Who is told that -1 is no temperature?",
        (IF_GREEDY, "if options.temperature <= 0:"),
    ),
    choose(
        "small_temperature_is_greedy",
        "A temperature near 0 is taken for 0, and nothing is drawn; only 0 itself asks for greedy choice.",
        "Two largest logits tie, and the temperature is a millionth: how often should each of them come?",
        (IF_GREEDY, "if 0 <= options.temperature < 1e-6:"),
    ),
    choose(
        "always_greedy",
        "The likeliest token is taken whatever the options say.",
        "At which temperature is nothing drawn?",
        (SAMPLE, "return greedy(logits)"),
    ),
    choose(
        "temperature_after_top_p",
        "The temperature is applied after the filters; top-p should cut the distribution that is drawn from.",
        "A high temperature flattens the distribution: does the nucleus then grow?",
        (RESCALE, ""),
        (TOP_P_STEP, TOP_P_STEP + RESCALE),
    ),
    choose(
        "top_p_before_top_k",
        "Top-p comes before top-k: then the nucleus is that of all tokens, not of those that top-k left.",
        "Top-k removes half of the probability: what does the rest add up to when top-p looks at it?",
        (TOP_K_STEP, ""),
        (TOP_P_STEP, TOP_P_STEP + TOP_K_STEP),
    ),
    choose(
        "top_k_left_out",
        "top_k is left out.",
        "Which of the options did you not use?",
        (TOP_K_STEP, ""),
    ),
    choose(
        "top_p_left_out",
        "top_p is left out.",
        "Which of the options did you not use?",
        (TOP_P_STEP, ""),
    ),
    choose(
        "one_filter_only",
        "Top-p is left out when there is a top-k; both are to be applied.",
        "Do the two options exclude each other?",
        (TOP_P_STEP, TOP_P_STEP.replace("if options", "elif options")),
    ),
    choose(
        "top_k_0_ignored",
        "A top_k of 0 is taken for None: `if options.top_k` is false for both.",
        "Is 0 true, or false?",
        (TOP_K_STEP, TOP_K_STEP.replace(" is not None", "")),
    ),
    choose(
        "top_p_0_ignored",
        "A top_p of 0 is taken for None: `if options.top_p` is false for both.",
        "Is 0.0 true, or false?",
        (TOP_P_STEP, TOP_P_STEP.replace(" is not None", "")),
    ),
    choose(
        "generator_not_passed_on",
        "The generator is not passed on to the draw.",
        "From where does the draw take its chance?",
        (SAMPLE, "return sample(logits, None)"),
    ),
    # generate: what comes back
    text(
        "continuation_only",
        "Only the new tokens come back; the prompt should stand before them.",
        "What should come back when max_new_tokens is 0?",
        (TEXT, "    return tokens[:, prompt.shape[1] :]\n"),
    ),
    text(
        "one_token_too_few",
        "One token too few is written.",
        "How often does your loop run when max_new_tokens is 1?",
        (STEPS, "for _ in range(max_new_tokens - 1):"),
    ),
    text(
        "one_token_too_many",
        "One token too many is written.",
        "How often does your loop run when max_new_tokens is 1?",
        (STEPS, "for _ in range(max_new_tokens + 1):"),
    ),
    text(
        "prompt_counted_as_new",
        "max_new_tokens is taken for the length of the whole text; it counts the new tokens.",
        "Is a token of the prompt new?",
        (STEPS, "for _ in range(max_new_tokens - prompt.shape[1]):"),
    ),
    text(
        "new_tokens_in_front",
        "The new token is put in front of the text.",
        "At which end does a text grow?",
        (APPEND, APPEND.replace("[tokens, new.unsqueeze(1)]", "[new.unsqueeze(1), tokens]")),
    ),
    text(
        "text_cropped_with_the_context",
        "The text itself is cut to n_ctx tokens, not only what the model sees of it.",
        "What should come back for a prompt longer than n_ctx?",
        (APPEND, APPEND.replace("[tokens,", "[tokens[:, -model.cfg.n_ctx :],")),
    ),
    # generate: what the model sees
    text(
        "context_not_cropped",
        "The model is given the whole text, though it has only n_ctx positions.",
        "What does a model of n_ctx positions do with one token more?",
        (CALL, CALL.replace("tokens[:, -model.cfg.n_ctx :]", "tokens")),
    ),
    text(
        "first_n_ctx_tokens",
        "The model is given the first n_ctx tokens; it should see the last.",
        "Which end of a long text matters for what comes next?",
        (CALL, CALL.replace("-model.cfg.n_ctx :", ": model.cfg.n_ctx")),
    ),
    text(
        "context_one_too_short",
        "The model is given one token less than it has positions for.",
        "How many tokens does x[:, -n:] have?",
        (CALL, CALL.replace("-model.cfg.n_ctx :", "-max(model.cfg.n_ctx - 1, 1) :")),
    ),
    text(
        "last_token_is_all_it_sees",
        "The model is given the last token alone; without a cache it then knows nothing of what came before.",
        "Where would the model remember the earlier tokens?",
        (CALL, CALL.replace("-model.cfg.n_ctx :", "-1:")),
    ),
    text(
        "prompt_is_all_it_sees",
        "The model is given the prompt in each step; it never sees what it wrote.",
        "Which text is the next token to follow?",
        (CALL, CALL.replace("tokens[", "prompt[")),
    ),
    text(
        "logits_of_the_first_position",
        "The logits after the first token are used; those after the last are needed.",
        "Which position's logits are about the next token?",
        (CALL, CALL.replace("[:, -1]", "[:, 0]")),
    ),
    text(
        "logits_of_the_first_row",
        "The first row's logits are used for all rows.",
        "Is the batch axis still there after your indexing?",
        (CALL, CALL.replace("[:, -1]", "[:1, -1].expand(len(tokens), -1)")),
    ),
    text(
        "gradients_recorded",
        "Gradients are recorded while the text is written: every step keeps all that a backward would need.",
        "Who will call backward on this text?",
        (NO_GRAD, "if True:"),
    ),
    text(
        "gradients_left_off",
        "Gradients are switched off for good: whoever trains after the call trains nothing.",
        "What does torch.set_grad_enabled(False) say about the time after your function returns?",
        (NO_GRAD, "torch.set_grad_enabled(False)\n        if True:"),
    ),
    text(
        "left_in_eval_mode",
        "The model is put into eval mode and left there; its mode is the caller's.",
        "Someone writes a sample in the middle of training: in which mode does training go on?",
        (STEPS, "model.eval()\n    " + STEPS),
    ),
    text(
        "left_in_train_mode",
        "The model is put into training mode at the end, whatever mode it was in; its mode is the caller's.",
        "The model was in eval mode before the call: in which mode is it afterwards?",
        (STEPS, "model.eval()\n    " + STEPS),
        (TEXT, "    model.train()\n" + TEXT),
    ),
    # generate: how the next token is chosen
    text(
        "penalty_for_the_context_only",
        "The penalty counts only the last n_ctx tokens; it counts the whole text.",
        "Does a token that has left the context still stand in the text?",
        (CHOOSE, CHOOSE.replace("tokens,", "tokens[:, -model.cfg.n_ctx :],")),
    ),
    text(
        "penalty_for_new_tokens_only",
        "The penalty counts only what was added; the prompt counts too.",
        "Is a repeated word of the prompt a repetition?",
        (CHOOSE, CHOOSE.replace("tokens,", "tokens[:, prompt.shape[1] :],")),
    ),
    text(
        "penalty_for_the_prompt_only",
        "The penalty counts only the prompt, not what was added.",
        "Which text goes into `next_token` in the second step?",
        (CHOOSE, CHOOSE.replace("tokens,", "prompt,")),
    ),
    text(
        "options_not_passed_on",
        "Tokens are drawn with the default options, whatever was asked for.",
        "What does `next_token` know of the options?",
        (CHOOSE, CHOOSE.replace("options,", "SamplingOptions(),")),
    ),
    text(
        "generator_forgotten",
        "The generator is not passed on to `next_token`.",
        "From where does the draw take its chance?",
        (CHOOSE, CHOOSE.replace("generator)", "None)")),
    ),
    text(
        "one_seed_without_a_generator",
        "Without a generator, one that begins at the same seed is made for each text, so that all texts are the same.",
        "From where does PyTorch draw when no generator is given?",
        (BEGIN, "generator = Generator() if generator is None else generator\n    " + BEGIN),
    ),
    # generate: the end token
    text(
        "end_ignored",
        "The end token is ignored: rows go on after it.",
        "What should follow eos_id in its row?",
        (IF_EOS, "if False:"),
    ),
    text(
        "end_token_0_ignored",
        "An end token of id 0 is taken for None: `if options.eos_id` is false for both.",
        "Is 0 true, or false?",
        (IF_EOS, "if options.eos_id:"),
    ),
    text(
        "end_dropped",
        "When the last row ends, its end token is not written.",
        "Is the end token part of the text?",
        (APPEND + "\n" + STOP, STOP.lstrip() + "        " + APPEND + "\n"),
    ),
    text(
        "stops_at_the_first_end",
        "All rows stop when one has ended.",
        "Two rows, one of which has ended: what does the other do?",
        (STOP, STOP.replace("ended.all()", "ended.any()")),
    ),
    text(
        "stops_with_the_first_row",
        "All rows stop when the first one has ended, and only then.",
        "Which rows must have ended before the text can?",
        (STOP, STOP.replace("ended.all()", "len(ended) and ended[0]")),
    ),
    text(
        "ended_rows_write_on",
        "A row that has ended goes on being written, as long as another one has not.",
        "What should stand behind eos_id in a row that ended early?",
        (FILL, "pass"),
        (ENDED, "ended = ended | (new == options.eos_id)"),
    ),
    text(
        "ended_rows_forgotten",
        "It is forgotten which rows have ended: all must write the end token in the same step.",
        "How does a row that ended three steps ago know it now?",
        (FILL, "pass"),
    ),
    text(
        "filled_with_0",
        "A row that has ended is filled up with token 0, which is a token like any other; eos_id is asked for.",
        "What tells padding from a word?",
        (FILL, "new = new.masked_fill(ended, 0)"),
        (ENDED, "ended = ended | (new == options.eos_id)"),
    ),
    text(
        "end_in_the_prompt_counts",
        "A row whose prompt holds the end token counts as ended before anything is written.",
        "GPT-2 begins every text with its end token: what would it write?",
        (BEGIN, BEGIN + "\n    ended = (prompt == options.eos_id).any(dim=1)"),
    ),
    text(
        "never_stops",
        "The text goes on to max_new_tokens after all rows have ended.",
        "What is there left to write when all rows have ended?",
        (STOP, ""),
    ),
    # generate: bad prompts
    text(
        "empty_prompt_let_through",
        "An empty prompt is not refused with ValueError.",
        "After which token are the first logits?",
        (CHECK_EMPTY, "if False:"),
    ),
    text(
        "prompt_ids_not_checked",
        "Ids outside the vocabulary are not refused with ValueError: -1 reads the table's last row.",
        "Which token is -1?",
        (CHECK_PROMPT, ""),
    ),
)

# Mutations of the reference that no law can tell from it, and why
EQUIVALENT: dict[str, str] = {}
