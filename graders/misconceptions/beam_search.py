"""Known mistakes in beam search: each a patch on `reference/beam_search.py` that makes it."""

from graders.engine.misconception import Misconception

# extend_beams
CHECK_KEEP = "# 1. Refuse to keep nothing\n    if n_beams < 1:"
EXTENDED = "extended = (sums.unsqueeze(1) + log_probs).flatten()"
BEST = "best = extended.argsort(descending=True, stable=True)[:n_beams]"
EXTENSIONS = "return extended[best], best // d_vocab, best % d_vocab"
# banned_tokens
CHECK_SIZE = "if ngram_size < 0:"
SIZE_0 = "    if ngram_size == 0:\n        return set()\n"
STARTS = "starts = range(len(sequence) - ngram_size + 1)"
ENDING = "ending = sequence[len(sequence) - ngram_size + 1 :]"
BANNED = "return {last for first, last in ngrams if first == ending}"
# beam_search
CHECK_PROMPT = "if prompt.ndim != 1 or len(prompt) == 0:"
CHECK_IDS = "    check_tokens(prompt, model.cfg.d_vocab)\n"
CHECK_NGRAMS = "if no_repeat_ngram_size < 0:"
N_NEW = "n_new = len(tokens) - len(prompt)"
SCORED = "return Hypothesis(tokens, log_prob, log_prob / max(n_new, 1) ** length_penalty)"
SORTED = "return sorted(hypotheses, key=lambda h: h.score, reverse=True)[:n_beams]"
BEGIN = "beams, sums, finished = prompt.unsqueeze(0), torch.zeros(1), []"
STEPS = "for n_new in range(1, max_new_tokens + 1):"
NO_GRAD = "with torch.no_grad():"
CALL = "logits = model(beams[:, -model.cfg.n_ctx :])[:, -1]"
CHECK_LOGITS = "        check_logits(logits)\n"
LOG_PROBS = "log_probs = logits.log_softmax(dim=-1)"
BAN = (
    "        for beam, row in zip(beams.tolist(), log_probs, strict=True):\n"
    '            row[list(banned_tokens(beam, no_repeat_ngram_size))] = float("-inf")\n'
)
EXTEND = "sums, parents, tokens = extend_beams(sums, log_probs, 2 * n_beams)"
FOLLOW = "beams = torch.cat([beams[parents], tokens.unsqueeze(1)], dim=1)"
IMPOSSIBLE = 'if total == float("-inf"):'
GOES_ON = "if token != eos_id:"
GOOD_ENOUGH = "elif place < n_beams:"
FINISH = "finished.append(hypothesis(beams[place].tolist(), total))"
KEEP = "beams, sums, finished = beams[live[:n_beams]], sums[live[:n_beams]], best(finished)"
LONGEST = "longest = max_new_tokens if length_penalty > 0 else n_new"
NONE_CAN_WIN = "if len(finished) == n_beams and sums[0] / longest**length_penalty <= finished[-1].score:"
RESULT = "return best(finished + [hypothesis(*pair) for pair in zip(beams.tolist(), sums.tolist(), strict=True)])"


def extend(id: str, names: str, asks: str, *patch: tuple[str, str]) -> Misconception:
    """A mistake in `extend_beams`."""
    return Misconception(id, "extend_beams", patch, names, asks)


def ban(id: str, names: str, asks: str, *patch: tuple[str, str]) -> Misconception:
    """A mistake in `banned_tokens`."""
    return Misconception(id, "banned_tokens", patch, names, asks)


def search(id: str, names: str, asks: str, *patch: tuple[str, str]) -> Misconception:
    """A mistake in `beam_search`."""
    return Misconception(id, "beam_search", patch, names, asks)


MISCONCEPTIONS = (
    # extend_beams: the sums
    extend(
        "previous_sum_not_added",
        "The sum of the beam is not added: only the last token counts.",
        "Two beams, one of them hopeless: what keeps its extensions from winning?",
        (EXTENDED, "extended = (0 * sums.unsqueeze(1) + log_probs).flatten()"),
    ),
    extend(
        "sums_repeated_the_other_way",
        "The sums are laid out in another order than the log-probabilities, so that each meets another beam's.",
        "Sums [a, b] and three tokens: is it a, a, a, b, b, b or a, b, a, b, a, b?",
        (EXTENDED, "extended = sums.repeat(log_probs.shape[1]) + log_probs.flatten()"),
    ),
    extend(
        "logs_multiplied",
        "Log-probabilities are multiplied. Probabilities multiply, so their logarithms add up.",
        "What is log(a b)?",
        (EXTENDED, EXTENDED.replace(" + ", " * ")),
    ),
    extend(
        "probability_added_to_a_log",
        "A probability is added to a sum of log-probabilities.",
        "Which of the two numbers you add is a logarithm?",
        (EXTENDED, EXTENDED.replace("log_probs", "log_probs.exp()")),
    ),
    extend(
        "log_probs_added_to_in_place",
        "The log-probabilities that were passed in are changed: the sums are added in place.",
        "After the call, what do the caller's log_probs hold?",
        (EXTENDED, "log_probs += sums.unsqueeze(1)\n    extended = log_probs.flatten()"),
    ),
    extend(
        "token_s_own_log_prob",
        "What comes back is the log-probability of the last token alone, not the sum.",
        "To what will the next step add?",
        (EXTENSIONS, EXTENSIONS.replace("extended[best]", "log_probs.flatten()[best]")),
    ),
    # extend_beams: which ones
    extend(
        "worst_extensions",
        "The worst extensions come first: the sort is ascending.",
        "In which direction does a sort go when nothing is said?",
        (BEST, BEST.replace("descending=True", "descending=False")),
    ),
    extend(
        "left_in_beam_order",
        "The best extensions come in the order of their beams, not best first.",
        "Which one should stand at place 0?",
        (BEST, BEST + ".sort().values"),
    ),
    extend(
        "later_of_a_tie",
        "Of equal sums the later beam, or the higher token, goes first; the earlier beam and the lower token should.",
        "All sums are equal: which extension comes first?",
        (BEST, "best = len(extended) - 1 - extended.flip(0).argsort(descending=True, stable=True)[:n_beams]"),
    ),
    extend(
        "topk_where_sums_tie",
        "Of equal sums any may come first: torch.topk does not say which. The earlier place should.",
        "What does the documentation of topk say about ties?",
        (BEST, "best = extended.topk(min(n_beams, len(extended))).indices"),
    ),
    extend(
        "one_extension_a_beam",
        "Only the best token of each beam is looked at; both best extensions may be of one beam.",
        "Two beams: may both of the best extensions come from the first?",
        (
            EXTENDED,
            EXTENDED + "\n    own = log_probs.argmax(dim=1) + torch.arange(len(sums)) * log_probs.shape[1]",
        ),
        (BEST, "best = own[extended[own].argsort(descending=True, stable=True)][:n_beams]"),
    ),
    extend(
        "n_beams_of_each_beam",
        "The best extensions of every beam come back, n_beams each; n_beams in all are asked for.",
        "Three beams are extended and n_beams is 3: how many come back?",
        (BEST, "best = extended.argsort(descending=True, stable=True)[: n_beams * len(sums)]"),
    ),
    extend(
        "one_extension_too_few",
        "n_beams - 1 extensions come back.",
        "How many entries does x[:n] have?",
        (BEST, BEST.replace("[:n_beams]", "[: n_beams - 1]")),
    ),
    extend(
        "too_few_extensions_crash",
        "When there are fewer extensions than n_beams an error is raised; all of them should come back.",
        "One beam, a vocabulary of two, n_beams 3: what does topk do?",
        (BEST, "extended.topk(n_beams)\n    " + BEST),
    ),
    # extend_beams: what they are
    extend(
        "beam_and_token_exchanged",
        "The beam and the token of an extension are exchanged.",
        "Sums, beams, tokens: in which order do they come back?",
        (EXTENSIONS, EXTENSIONS.replace("best // d_vocab, best % d_vocab", "best % d_vocab, best // d_vocab")),
    ),
    extend(
        "divided_by_the_number_of_beams",
        "Places are divided by the number of beams; a row of the table is d_vocab long.",
        "Three beams, a vocabulary of 10: to which beam belongs place 17?",
        (EXTENSIONS, EXTENSIONS.replace("d_vocab", "len(sums)")),
    ),
    extend(
        "beam_by_the_number_of_beams",
        "Places are divided by the number of beams to find the beam; a row of the table is d_vocab long.",
        "Three beams, a vocabulary of 10: to which beam belongs place 17?",
        (EXTENSIONS, EXTENSIONS.replace("best // d_vocab", "best // len(sums)")),
    ),
    extend(
        "place_for_token",
        "The place in the flat table comes back as the token.",
        "A vocabulary of 10: which token does place 17 stand for?",
        (EXTENSIONS, EXTENSIONS.replace("best % d_vocab", "best")),
    ),
    extend(
        "new_beams_for_old",
        "The new beams' own numbers come back; asked for is the number of the beam that each extends.",
        "How does the caller find the tokens that come before the new one?",
        (EXTENSIONS, EXTENSIONS.replace("best // d_vocab", "torch.arange(len(best)) % len(sums)")),
    ),
    extend(
        "n_beams_0_let_through",
        "An n_beams below 1 is let through; ValueError is asked for.",
        "What does a search among no beams find?",
        (CHECK_KEEP, CHECK_KEEP.replace("if n_beams < 1:", "if False:")),
    ),
    # banned_tokens: which n-grams
    ban(
        "last_ngram_missed",
        "The last n-gram of the sequence is not looked at.",
        "The sequence is [3, 3] and the size 2: what would a third 3 repeat?",
        (STARTS, "starts = range(len(sequence) - ngram_size)"),
    ),
    ban(
        "first_ngram_missed",
        "The first n-gram of the sequence is not looked at.",
        "At which place does the first n-gram begin?",
        (STARTS, "starts = range(1, len(sequence) - ngram_size + 1)"),
    ),
    ban(
        "ngrams_do_not_overlap",
        "The sequence is cut into n-grams end to end; those that begin in between are missed.",
        "How many 2-grams has [1, 2, 3]?",
        (STARTS, "starts = range(0, len(sequence) - ngram_size + 1, ngram_size)"),
    ),
    ban(
        "ngrams_one_longer",
        "N-grams of one token more are banned: n tokens are compared, and the one after them is banned.",
        "How many tokens of a 3-gram stand before its last?",
        (STARTS, "ngram_size += 1\n    " + STARTS),
    ),
    ban(
        "ngrams_one_shorter",
        "N-grams of one token less are banned.",
        "How many tokens of a 3-gram stand before its last?",
        (STARTS, "ngram_size = max(ngram_size - 1, 1)\n    " + STARTS),
    ),
    ban(
        "order_within_ngrams_ignored",
        "The tokens before the last are compared as a set: [1, 2] is taken for [2, 1].",
        "Is `you are` what `are you` is?",
        (BANNED, BANNED.replace("first == ending", "sorted(first) == sorted(ending)")),
    ),
    ban(
        "every_token_banned",
        "Every token of the sequence is banned, whatever the size.",
        "The sequence is [1, 2, 3] and the size 2: which 2-gram would a 1 repeat?",
        (BANNED, "return set(sequence)"),
    ),
    ban(
        "whole_ngram_banned",
        "All tokens of the n-gram are banned; its last alone would complete it.",
        "Which token completes [1, 2, 3] after 1, 2?",
        (BANNED, "return {token for first, last in ngrams if first == ending for token in [*first, last]}"),
    ),
    ban(
        "adjacent_repetition_only",
        "Only the n-gram right before is looked at: a repetition from further back is let through.",
        "How far back may the first occurrence lie?",
        (STARTS, "starts = range(max(len(sequence) - 2 * ngram_size + 1, 0), len(sequence) - ngram_size + 1)"),
    ),
    # banned_tokens: sizes
    ban(
        "size_1_bans_nothing",
        "At size 1 nothing is banned: sequence[-0:] is the whole sequence, not the empty one.",
        "What is x[-(n - 1):] when n is 1?",
        (ENDING, "ending = sequence[-(ngram_size - 1) :]"),
    ),
    ban(
        "size_0_bans_like_1",
        "Size 0 bans every token of the sequence; it means no ban.",
        "How does a caller say that repetitions are welcome?",
        (SIZE_0, "    ngram_size = max(ngram_size, 1)\n"),
    ),
    ban(
        "size_0_refused",
        "Size 0 is refused; it means no ban.",
        "How does a caller say that repetitions are welcome?",
        (CHECK_SIZE, "if ngram_size <= 0:"),
    ),
    ban(
        "negative_size_bans_nothing",
        "A negative size is taken for 0; ValueError is asked for.",
        "What are -1 tokens in a row?",
        (CHECK_SIZE, "if False:"),
        (SIZE_0, SIZE_0.replace("== 0", "<= 0")),
    ),
    # beam_search: log-probabilities
    search(
        "raw_logits_summed",
        "Logits are added up; only log-probabilities can be compared between beams.",
        "Add 5 to all logits after one beam: should it win more often?",
        (LOG_PROBS, "log_probs = logits.clone()"),
    ),
    search(
        "probabilities_summed",
        "Probabilities are added up, not their logarithms.",
        "What is the probability of two tokens in a row?",
        (LOG_PROBS, "log_probs = logits.softmax(dim=-1)"),
    ),
    search(
        "logarithm_of_a_rounded_probability",
        "The logarithm is taken of the softmax: a small probability is rounded to 0, and its logarithm is -inf.",
        "What is exp(-800) to a computer, and what is the logarithm of that?",
        (LOG_PROBS, "log_probs = logits.softmax(dim=-1).log()"),
    ),
    search(
        "softmax_over_the_beams",
        "The softmax runs over the beams, not over the tokens.",
        "The probabilities of which tokens add up to one?",
        (LOG_PROBS, LOG_PROBS.replace("dim=-1", "dim=0")),
    ),
    search(
        "all_beams_start_alike",
        "The search starts from n_beams copies of the prompt, which find the same texts again and again.",
        "How many different beginnings are there before the first step?",
        (BEGIN, "beams, sums, finished = prompt.repeat(n_beams, 1), torch.zeros(n_beams), []"),
    ),
    search(
        "sums_normalised_on_the_way",
        "The sums of live beams are divided by their length in each step and carried on like that.",
        "What should the next step add to, the sum or the score?",
        (EXTEND, EXTEND + "\n        sums = sums / n_new**length_penalty"),
    ),
    # beam_search: what the model sees
    search(
        "beams_not_cropped",
        "The model is given whole beams, though it has only n_ctx positions.",
        "What does a model of n_ctx positions do with one token more?",
        (CALL, CALL.replace("beams[:, -model.cfg.n_ctx :]", "beams")),
    ),
    search(
        "first_n_ctx_of_a_beam",
        "The model is given the first n_ctx tokens; it should see the last.",
        "Which end of a long text matters for what comes next?",
        (CALL, CALL.replace("-model.cfg.n_ctx :", ": model.cfg.n_ctx")),
    ),
    search(
        "last_token_of_a_beam",
        "The model is given the last token alone.",
        "Where would the model remember the earlier tokens?",
        (CALL, CALL.replace("-model.cfg.n_ctx :", "-1:")),
    ),
    search(
        "logits_after_the_first_token",
        "The logits after the first token are used; those after the last are needed.",
        "Which position's logits are about the next token?",
        (CALL, CALL.replace("[:, -1]", "[:, 0]")),
    ),
    search(
        "logits_of_the_best_beam",
        "The best beam's logits are used for all beams.",
        "Is the axis of beams still there after your indexing?",
        (CALL, CALL.replace("[:, -1]", "[:1, -1].expand(len(beams), -1)")),
    ),
    search(
        "search_records_gradients",
        "Gradients are recorded: each step keeps what a backward pass would need.",
        "Who will call backward on a search?",
        (NO_GRAD, "with torch.enable_grad():"),
    ),
    search(
        "search_leaves_eval_mode",
        "The model is put into eval mode and left there; its mode is the caller's.",
        "Someone searches in the middle of training: in which mode does training go on?",
        (STEPS, "model.eval()\n    " + STEPS),
    ),
    search(
        "search_leaves_train_mode",
        "The model is put into training mode at the end, whatever mode it was in; its mode is the caller's.",
        "The model was in eval mode before the call: in which mode is it afterwards?",
        (STEPS, "model.eval()\n    " + STEPS),
        (RESULT, "model.train()\n    " + RESULT),
    ),
    # beam_search: n-grams
    search(
        "ban_left_out",
        "no_repeat_ngram_size is ignored.",
        "Which of the arguments did you not use?",
        (BAN, ""),
    ),
    search(
        "ban_leaks_across_beams",
        "What one beam may not repeat is banned in all beams.",
        "Whose text may a beam not repeat?",
        (
            BAN,
            BAN.replace("row[list(", "log_probs[:, list("),
        ),
    ),
    search(
        "ban_of_the_best_beam",
        "What the best beam may not repeat is banned in all beams, and nothing else.",
        "Whose text may a beam not repeat?",
        (BAN, BAN.replace("(beam,", "(beams[0].tolist(),")),
    ),
    search(
        "ban_without_the_prompt",
        "N-grams of the prompt may be repeated; the prompt belongs to the sequence.",
        "Is a sentence of the prompt, written again, a repetition?",
        (BAN, BAN.replace("(beam,", "(beam[len(prompt) :],")),
    ),
    search(
        "ban_of_the_context_only",
        "N-grams that have left the context may be repeated; the ban is for the whole text, not its last n_ctx tokens.",
        "Does an n-gram that the model sees no more still stand in the text?",
        (BAN, BAN.replace("(beam,", "(beam[-model.cfg.n_ctx :],")),
    ),
    search(
        "renormalised_after_the_ban",
        "The softmax is taken after the ban, so that log_prob is no longer that of the model.",
        "One token of two is banned: what is the log-probability of the other?",
        (LOG_PROBS, "log_probs = logits.clone()"),
        (BAN, BAN + "        log_probs = log_probs.log_softmax(dim=-1).nan_to_num(float('-inf'))\n"),
    ),
    search(
        "ban_is_only_a_penalty",
        "Banned tokens get a very low log-probability instead of -inf: with no other way on, they are written.",
        "Every token is banned: what should come back?",
        (BAN, BAN.replace('float("-inf")', "-1e4")),
    ),
    search(
        "impossible_texts_kept",
        "Texts of probability 0, or with a banned n-gram, are kept when there is nothing better.",
        "What is log_prob of a text that the model rules out?",
        (IMPOSSIBLE, "if False:"),
    ),
    # beam_search: from one step to the next
    search(
        "beams_not_reordered",
        "The new tokens are put after the beams as they stood, not after those that they extend.",
        "An extension of beam 2 is now the best: which tokens stand before its last?",
        (FOLLOW, FOLLOW.replace("beams[parents]", "beams[torch.arange(len(tokens)) % len(beams)]")),
    ),
    search(
        "ended_beams_take_places",
        "Only n_beams extensions are looked at, so that each one that ends leaves a live beam less.",
        "All n_beams best extensions end: which beams go on?",
        (EXTEND, EXTEND.replace("2 * n_beams", "n_beams")),
    ),
    search(
        "finished_take_places",
        "Finished texts take up places of live beams; n_beams live beams are kept beside them.",
        "Two texts are finished and n_beams is 3: how many beams live?",
        (KEEP, KEEP.replace("live[:n_beams]", "live[: n_beams - len(finished)]")),
    ),
    search(
        "twice_as_many_beams",
        "2 * n_beams beams live on.",
        "For what did you look at more than n_beams extensions?",
        (KEEP, KEEP.replace("live[:n_beams]", "live")),
    ),
    search(
        "ended_beams_extended",
        "A beam that has ended is finished, and extended all the same.",
        "What should stand behind the end token?",
        (FINISH, FINISH + "\n                live.append(place)"),
    ),
    search(
        "end_ignored",
        "The end token is ignored: every beam goes on to max_new_tokens.",
        "What does eos_id mean in a beam?",
        (GOES_ON, "if True:"),
    ),
    search(
        "end_token_0_ignored",
        "An end token of id 0 is taken for None: `if eos_id` is false for both.",
        "Is 0 true, or false?",
        (GOES_ON, "if not eos_id or token != eos_id:"),
    ),
    search(
        "every_ended_beam_finished",
        "A beam that ends is finished however bad it is; only the n_beams best extensions of a step can be.",
        "The end token is the last choice of every beam: which texts would be found?",
        (GOOD_ENOUGH, "else:"),
    ),
    search(
        "prompt_may_be_ended",
        "A prompt whose last token is the end token counts as finished before anything is written.",
        "GPT-2 begins every text with its end token: what would it find?",
        (STEPS, "if prompt[-1] == eos_id:\n        return [hypothesis(prompt.tolist(), 0.0)]\n    " + STEPS),
    ),
    # beam_search: scores
    search(
        "no_length_penalty",
        "The score is the log-probability, whatever length_penalty is.",
        "Which of the arguments did you not use?",
        (SCORED, "return Hypothesis(tokens, log_prob, log_prob)"),
    ),
    search(
        "always_the_mean",
        "The score is the mean per token, whatever length_penalty is.",
        "What is n ** 0?",
        (SCORED, SCORED.replace(" ** length_penalty", "")),
    ),
    search(
        "multiplied_by_the_length",
        "The log-probability is multiplied by n_new ** length_penalty; it should be divided.",
        "log_prob is negative: should a long text come closer to 0, or go further from it?",
        (SCORED, SCORED.replace("log_prob / max", "log_prob * max")),
    ),
    search(
        "google_s_length_penalty",
        "The divisor is ((5 + n_new) / 6) ** length_penalty, that of Wu et al.; here it is n_new ** length_penalty.",
        "By what is the log-probability of a text of one new token divided?",
        (SCORED, SCORED.replace("max(n_new, 1)", "((5 + n_new) / 6)")),
    ),
    search(
        "prompt_counts_as_length",
        "The prompt counts as length; n_new counts what was added.",
        "Which tokens does log_prob belong to?",
        (N_NEW, "n_new = len(tokens)"),
    ),
    search(
        "end_token_has_no_length",
        "The end token does not count as length.",
        "Is the end token's log-probability in the sum?",
        (N_NEW, N_NEW + " - (tokens[-1] == eos_id)"),
    ),
    search(
        "log_prob_is_the_score",
        "log_prob holds the score; it should hold the sum of log-probabilities.",
        "What does log_prob say about a text of two tokens when length_penalty is 1?",
        (SCORED, SCORED.replace("(tokens, log_prob, ", "(tokens, log_prob / max(n_new, 1) ** length_penalty, ")),
    ),
    # beam_search: when it stops
    search(
        "stops_at_the_first_finished",
        "The search stops as soon as one text is finished.",
        "May a live beam still beat the first text that ended?",
        (NONE_CAN_WIN, "if finished:"),
    ),
    search(
        "stops_at_n_beams_finished",
        "The search stops as soon as n_beams texts are finished, though a live beam could still beat one of them.",
        "What is the best score that a live beam can reach?",
        (NONE_CAN_WIN, "if len(finished) == n_beams:"),
    ),
    search(
        "stops_when_the_best_extensions_end",
        "The search stops when the n_beams best extensions all end, though a live beam may still beat one of them.",
        "length_penalty is 1, and the best live beam comes right behind n_beams that end: can it never win?",
        (LONGEST, "if all(place >= n_beams for place in live):\n            return finished\n        " + LONGEST),
    ),
    search(
        "bound_at_the_present_length",
        "Whether a live beam can win is decided by its score at its present length, though it rises as the text grows.",
        "length_penalty is 1 and the sum is -4: what is its score at length 2, and at best at length 8?",
        (LONGEST, "longest = n_new"),
    ),
    search(
        "bound_at_full_length_for_any_penalty",
        "What a live beam can reach is taken at max_new_tokens for any penalty; below 0 a score falls with the length.",
        "length_penalty is -1 and the sum is -2: what is its score at length 2, and at length 8?",
        (LONGEST, "longest = max_new_tokens"),
    ),
    search(
        "bound_against_the_best",
        "The search stops when no live beam can beat the best of the finished; the worst kept is the one to beat.",
        "How many texts are to be returned?",
        (NONE_CAN_WIN, NONE_CAN_WIN.replace("finished[-1]", "finished[0]")),
    ),
    search(
        "bound_of_the_worst_beam",
        "The search stops when the worst live beam cannot win any more; it is the best that decides.",
        "Which live beam has the best chance?",
        (NONE_CAN_WIN, NONE_CAN_WIN.replace("sums[0]", "sums[-1]")),
    ),
    search(
        "search_never_stops_early",
        "The search goes on to max_new_tokens when no live beam can win any more.",
        "A sum only falls: what is left to find when the best sum is below the worst score?",
        (NONE_CAN_WIN, "if False:"),
    ),
    search(
        "search_one_step_too_few",
        "One token too few is added.",
        "How often does your loop run when max_new_tokens is 1?",
        (STEPS, "for n_new in range(1, max_new_tokens):"),
    ),
    search(
        "search_one_step_too_many",
        "One token too many is added.",
        "How often does your loop run when max_new_tokens is 1?",
        (STEPS, "for n_new in range(1, max_new_tokens + 2):"),
    ),
    search(
        "prompt_counts_as_new",
        "max_new_tokens is taken for the length of the whole text; it counts the new tokens.",
        "Is a token of the prompt new?",
        (STEPS, "for n_new in range(1, max_new_tokens - len(prompt) + 1):"),
    ),
    # beam_search: what comes back
    search(
        "live_beams_dropped",
        "Beams that are alive at max_new_tokens are dropped; they count as they are.",
        "What should come back when nothing has ended?",
        (RESULT, "return best(finished)"),
    ),
    search(
        "live_beams_only_if_nothing_finished",
        "Beams that are alive at the end count only when no text was finished; they compete with those.",
        "A live beam's score is better than that of the only finished text: which comes first?",
        (RESULT, "if finished:\n        return best(finished)\n    " + RESULT),
    ),
    search(
        "result_unsorted",
        "What comes back is not sorted: live beams stand behind the finished, whatever their scores.",
        "Which text should stand at place 0?",
        (RESULT, RESULT.replace("best(", "(", 1) + "[:n_beams]"),
    ),
    search(
        "worst_texts_kept",
        "The texts with the worst scores are kept, worst first.",
        "Scores are negative: is a good one large or small?",
        (SORTED, SORTED.replace("reverse=True", "reverse=False")),
    ),
    search(
        "sorted_by_log_prob",
        "Texts are compared by log_prob, not by score.",
        "What is the score for?",
        (SORTED, SORTED.replace("h.score", "h.log_prob")),
    ),
    search(
        "later_text_of_a_tie",
        "Where scores tie, the text that was found later goes first; the earlier should.",
        "Which of two equal scores does a sort put first, and in which order were the texts found?",
        (SORTED, SORTED.replace("hypotheses,", "hypotheses[::-1],")),
    ),
    search(
        "more_than_n_beams",
        "More than n_beams texts come back.",
        "Texts end in many steps: how many are kept?",
        (SORTED, SORTED.removesuffix("[:n_beams]")),
    ),
    search(
        "prompt_left_out",
        "The tokens that come back are the new ones alone; the prompt should stand before them.",
        "What are the tokens of a text to which nothing was added?",
        (SCORED, SCORED.replace("(tokens, ", "(tokens[len(prompt) :], ")),
    ),
    search(
        "end_token_left_out",
        "The end token is cut off the text that it ended.",
        "Is the end token part of the text?",
        (SCORED, "if n_new and tokens[-1] == eos_id:\n            tokens = tokens[:-1]\n        " + SCORED),
    ),
    # beam_search: bad input
    search(
        "prompt_s_shape_not_checked",
        "A prompt that is empty, or a batch, is not refused with ValueError.",
        "After which token are the first logits?",
        (CHECK_PROMPT, "if False:"),
    ),
    search(
        "prompt_s_ids_not_checked",
        "Ids outside the vocabulary are not refused with ValueError: -1 reads the table's last row.",
        "Which token is -1?",
        (CHECK_IDS, ""),
    ),
    search(
        "negative_ngrams_let_through",
        "A negative no_repeat_ngram_size is not refused with ValueError when there is no new token to look at.",
        "What are -1 tokens in a row, even if nothing is to be written?",
        (CHECK_NGRAMS, "if False:"),
    ),
    search(
        "logits_not_checked",
        "Logits that are all -inf are not refused with ValueError.",
        "What is the softmax of a row of -inf?",
        (CHECK_LOGITS, ""),
    ),
    search(
        "one_silent_beam_let_through",
        "Logits of -inf are refused only where those of all beams are; one such beam is enough.",
        "What is the softmax of a row of -inf, whatever stands in the other rows?",
        (CHECK_LOGITS, "        check_logits(logits.flatten())\n"),
    ),
)

# Mutations of the reference that no law can tell from it, and why
BANS = "for beam, row in zip(beams.tolist(), log_probs, strict=True):"
PLACES = "for place, (total, token) in enumerate(zip(sums.tolist(), tokens.tolist(), strict=True)):"
EQUIVALENT: dict[str, str] = {
    f"beam_search: {LOG_PROBS}  ->  {LOG_PROBS.replace('-1', '1')}": "logits have two axes: the last is axis 1",
    f"beam_search: {BANS}  ->  {BANS.replace('True', 'False')}": "both have one entry a beam",
    f"beam_search: {PLACES}  ->  {PLACES.replace('True', 'False')}": "both have one entry an extension",
    f"beam_search: {EXTEND}  ->  {EXTEND.replace('2 *', '3 *')}": "twice as many are enough, more do no harm",
    f"beam_search: {LONGEST}  ->  {LONGEST.replace('> 0', '>= 0')}": "n ** 0 is 1, whatever n is",
}
