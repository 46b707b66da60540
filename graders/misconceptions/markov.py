"""Known mistakes in markov: each a patch on `reference/markov.py` that makes it."""

from graders.engine.misconception import Misconception

FIRST_TEXTS = "counts = torch.zeros(n, n)\n    for sequence in sequences:"
FIRST_CHECK = "        check_words(sequence, n)\n        # 2. Count each word with the one after it, within a text"
FIRST_PAIRS = "for a, b in pairwise(sequence):"
FIRST_COUNT = "counts[a, b] += 1"
FIRST_SHARES = "n n\n    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)\n\n\ndef second_order"
FIRST_SUM, FIRST_CLAMP = (
    "zero: n n\n    return counts / counts.sum(dim=1, keepdim=True)",
    ".clamp(min=1)\n\n\ndef second_order",
)

SECOND_TEXTS = "counts = torch.zeros(n * n, n)\n    for sequence in sequences:"
SECOND_CHECK = "        check_words(sequence, n)\n        # 2. Count each pair with the word after it"
SECOND_RUNS = "for i in range(len(sequence) - 2):"
SECOND_COUNT = "counts[a * n + b, c] += 1"
SECOND_SHARES = "n*n n\n    return counts / counts.sum(dim=1, keepdim=True).clamp(min=1)"
SECOND_SUM, SECOND_CLAMP = (
    "n*n n\n    return counts / counts.sum(dim=1, keepdim=True)",
    ".clamp(min=1)\n\n\ndef pair_votes",
)

PAIR_TEXTS = "counts = torch.zeros(n, n, n)\n    for sequence in sequences:"
PAIR_CHECK = "        check_words(sequence, n)\n        # 2. Count each word with the one after it, once"
EARLIER = "for a in set(sequence[:i]):"
PAIR_COUNT = "counts[a, b, c] += 1"
PAIR_SHARES = "return counts / counts.sum(dim=2, keepdim=True).clamp(min=1)"
PAIR_SUM, PAIR_CLAMP = "counts / counts.sum(dim=2, keepdim=True)", ".clamp(min=1)\n\n\ndef skip_votes"

SKIP_CHECK = (
    "    check_last_word(sequence, len(votes))\n    *earlier, last = sequence\n    # 2. One row for each earlier word"
)
SKIP_SUM = "return votes[earlier, last].sum(dim=0)"

MASK_CHECK = (
    "    check_last_word(sequence, len(votes))\n    *earlier, last = sequence\n    # 2. The earlier words that may"
)
HEARD = "heard = [a for a in earlier if mask[a]]"
MASK_SUM = "return votes[heard, last].sum(dim=0)"

PROMPT_CHECK = "check_last_word(prompt, len(transition))"
TEXT = "text = list(prompt)"
STEPS = "for _ in range(max_new_tokens):"
SHARES = "shares = transition[text[-1]]"
ENDS = "        if not shares.any():\n            break\n"
LIKELIEST = "text.append(int((shares == shares.max()).nonzero()[0]))"
WRITTEN = "    return text\n"


def minus_one(id: str, task: str, check: str, given: str, refused: str) -> Misconception:
    """Of the unknown words, a task refuses those alone that are too large; `given` is the call that refuses all."""
    return Misconception(
        id,
        task,
        ((check, check.replace(given, f"if {refused}: raise ValueError('unknown')")),),
        "A word that is too large is refused, but -1 is not: as an index it means the last word.",
        "Is -1 one of the words from 0 to n - 1?",
    )


MISCONCEPTIONS = (
    # first_order
    Misconception(
        "rows_are_what_comes_after",
        "first_order",
        ((FIRST_COUNT, "counts[b, a] += 1"),),
        "The pair is counted turned round: row b says what came before b.",
        "In entry [a, b], which of the two words came first?",
    ),
    Misconception(
        "counts_left_as_counts",
        "first_order",
        ((FIRST_SHARES, "n n\n    return counts\n\n\ndef second_order"),),
        "The counts are returned as they are: rows do not add up to one.",
        "If every text came twice, should anything in the table change?",
    ),
    Misconception(
        "columns_add_up_to_one",
        "first_order",
        ((FIRST_SUM, FIRST_SUM.replace("dim=1", "dim=0")),),
        "The columns add up to one, not the rows: this says which word came before, when b came.",
        "One word was read, and you ask for the next. Which entries are the choices: those of a row or of a column?",
    ),
    Misconception(
        "sums_of_rows_lie_on_their_side",
        "first_order",
        ((FIRST_SUM, FIRST_SUM.replace(", keepdim=True", "")),),
        "The sums of the rows have lost their axis and lie along the columns: column b is divided by the sum of row b.",
        "What shape has counts.sum(dim=1), and with which axis of counts does it line up?",
    ),
    Misconception(
        "shares_of_all_pairs",
        "first_order",
        ((FIRST_SUM, FIRST_SUM.replace("dim=1, keepdim=True", "")),),
        "Each count is divided by the number of all pairs: the whole table adds up to one, not each row.",
        "If a rare word is always followed by the same word, what should its share be?",
    ),
    Misconception(
        "divided_by_how_often_the_word_comes",
        "first_order",
        (
            (
                FIRST_SHARES,
                "n n\n    times = torch.tensor([[sum(text.count(a) for text in sequences)] for a in range(n)])\n"
                "    return counts / times.clamp(min=1)\n\n\ndef second_order",
            ),
        ),
        "Each count is divided by how often the word comes, although at the end of a text nothing follows it.",
        "A word comes twice, once as the last of its text. How many words followed it, with which share?",
    ),
    Misconception(
        "nothing_over_nothing",
        "first_order",
        ((FIRST_CLAMP, FIRST_CLAMP.replace(".clamp(min=1)", "")),),
        "The row of a word that nothing follows is 0 / 0, which is NaN.",
        "What is the sum of a row without counts, and what do you divide by it?",
    ),
    Misconception(
        "never_followed_is_followed_by_all",
        "first_order",
        (
            (
                FIRST_SHARES,
                "n n\n    return (counts / counts.sum(dim=1, keepdim=True)).nan_to_num(1 / n)\n\n\ndef second_order",
            ),
        ),
        "The row of a word that nothing follows has the same share for every word: it should be zeros.",
        "How can a completion see that nothing ever came after a word?",
    ),
    Misconception(
        "counting_from_one",
        "first_order",
        ((FIRST_TEXTS, FIRST_TEXTS.replace("zeros", "ones")),),
        "Every pair has one count before anything is read (add-one smoothing): what never came gets a share.",
        "After *show* always came *me*. What is the share of *me*?",
    ),
    Misconception(
        "from_one_text_to_the_next",
        "first_order",
        ((FIRST_TEXTS, FIRST_TEXTS.replace("in sequences", "in [[word for text in sequences for word in text]]")),),
        "All texts are read as one: the last word of a text is followed by the first of the next.",
        "Two texts, [0, 1] and [2, 3]. How many pairs of neighbours are there?",
    ),
    Misconception(
        "only_the_first_text",
        "first_order",
        ((FIRST_TEXTS, FIRST_TEXTS.replace("in sequences", "in sequences[:1]")),),
        "Only the first text is counted.",
        "Where does your function return: after the loop over texts, or in it?",
    ),
    Misconception(
        "a_pair_counts_once",
        "first_order",
        ((FIRST_COUNT, "counts[a, b] = 1"),),
        "A pair counts once, however often it comes: its count is set, not raised.",
        "What does `counts[i, j] = 1` do the second time, and what `counts[rows, columns] += 1` to an "
        "index that is there twice?",
    ),
    Misconception(
        "a_pair_counts_once_a_text",
        "first_order",
        ((FIRST_PAIRS, "for a, b in set(pairwise(sequence)):"),),
        "A pair counts once in each text, however often it comes there.",
        "In the text [0, 1, 0, 1, 0, 2], how many of the words after 0 are 1?",
    ),
    Misconception(
        "last_pair_missing",
        "first_order",
        ((FIRST_PAIRS, "for a, b in pairwise(sequence[:-1]):"),),
        "The last pair of each text is not counted.",
        "How many pairs of neighbours are there in a text of three words?",
    ),
    Misconception(
        "end_followed_by_beginning",
        "first_order",
        ((FIRST_PAIRS, "for a, b in pairwise([*sequence, *sequence[:1]]):"),),
        "The last word of a text is followed by its first: the text was rolled round.",
        "How many pairs of neighbours are there in a text of one word?",
    ),
    Misconception(
        "unknown_words_counted",
        "first_order",
        ((FIRST_CHECK, FIRST_CHECK.replace("check_words(sequence, n)", "pass")),),
        "Unknown words are not refused: n or more stops with another error, and -1 is counted as the last word.",
        "What does `counts[-1]` give you, and which given function would have said no?",
    ),
    minus_one(
        "minus_one_counted",
        "first_order",
        FIRST_CHECK,
        "check_words(sequence, n)",
        "sequence and max(sequence) >= n",
    ),
    # second_order
    Misconception(
        "rows_by_the_later_word",
        "second_order",
        ((SECOND_COUNT, "counts[b * n + a, c] += 1"),),
        "The rows are in the wrong order: row a * n + b belongs to the pair a b, of which a comes first.",
        "With n = 10, which row belongs to word 3 and then word 7: 37 or 73?",
    ),
    Misconception(
        "triples_left_as_counts",
        "second_order",
        ((SECOND_SHARES, "n*n n\n    return counts"),),
        "The counts are returned as they are: rows do not add up to one.",
        "If every text came twice, should anything in the table change?",
    ),
    Misconception(
        "sums_of_runs_lie_on_their_side",
        "second_order",
        ((SECOND_SUM, SECOND_SUM.replace(", keepdim=True", "")),),
        "The n * n sums of the rows have lost their axis and would lie along the columns, of which there are n.",
        "What shape has counts.sum(dim=1), and with which axis of counts does it line up?",
    ),
    Misconception(
        "columns_of_runs_add_up_to_one",
        "second_order",
        ((SECOND_SUM, SECOND_SUM.replace("dim=1", "dim=0")),),
        "The columns add up to one, not the rows: this says which pair came before, when c came.",
        "Two words were read, and you ask for the next. Which entries are the choices: those of a row or of a column?",
    ),
    Misconception(
        "shares_given_the_first_word_alone",
        "second_order",
        (
            (
                SECOND_SHARES,
                "n*n n\n    totals = counts.view(n, n * n).sum(dim=1).repeat_interleave(n).unsqueeze(1)\n"
                "    return counts / totals.clamp(min=1)",
            ),
        ),
        "Each count is divided by that of all runs of three that begin with a: the n rows of a add up to one together.",
        "You have read a and b. What must the shares of the words that may follow add up to?",
    ),
    Misconception(
        "divided_by_how_often_the_pair_comes",
        "second_order",
        (
            (
                SECOND_SHARES,
                "n*n n\n    times = torch.zeros(n * n, 1)\n    for sequence in sequences:\n"
                "        for a, b in pairwise(sequence):\n            times[a * n + b] += 1\n"
                "    return counts / times.clamp(min=1)",
            ),
        ),
        "Each count is divided by how often the pair comes, although at the end of a text nothing follows it.",
        "The text is [0, 1, 2, 0, 1]. How many words followed the pair 0 1, and what is the share of 2?",
    ),
    Misconception(
        "nothing_over_nothing_for_pairs",
        "second_order",
        ((SECOND_CLAMP, SECOND_CLAMP.replace(".clamp(min=1)", "")),),
        "The row of a pair that nothing follows is 0 / 0, which is NaN.",
        "Of the n * n pairs most never come. What do you divide their rows by?",
    ),
    Misconception(
        "pairs_from_one_text_to_the_next",
        "second_order",
        ((SECOND_TEXTS, SECOND_TEXTS.replace("in sequences", "in [[word for text in sequences for word in text]]")),),
        "All texts are read as one: pairs at the end of a text are followed by the beginning of the next.",
        "Two texts, [0, 1] and [2, 3]. How many runs of three neighbours are there?",
    ),
    Misconception(
        "first_run_missing",
        "second_order",
        ((SECOND_RUNS, "for i in range(1, len(sequence) - 2):"),),
        "The first run of three of each text is not counted.",
        "Where does the first run of three neighbours in a text begin: at place 0 or 1?",
    ),
    Misconception(
        "last_run_missing",
        "second_order",
        ((SECOND_RUNS, "for i in range(len(sequence) - 3):"),),
        "The last run of three of each text is not counted.",
        "How many runs of three neighbours are there in a text of three words?",
    ),
    Misconception(
        "runs_do_not_overlap",
        "second_order",
        ((SECOND_RUNS, "for i in range(0, len(sequence) - 2, 3):"),),
        "The text is cut into threes that do not overlap: most words are never looked at as what follows.",
        "How many words of a text of six have two words before them?",
    ),
    Misconception(
        "texts_padded_with_word_0",
        "second_order",
        ((SECOND_CHECK, SECOND_CHECK.replace("n)\n", "n)\n        sequence = [0, 0, *sequence]\n", 1)),),
        "Two words 0 are put before each text, so that its first words have a pair before them: they have none.",
        "Is 0 a sign for nothing here, or a word like the others?",
    ),
    Misconception(
        "unknown_words_counted_by_threes",
        "second_order",
        ((SECOND_CHECK, SECOND_CHECK.replace("check_words(sequence, n)", "pass")),),
        "Unknown words are not refused: row a * n + n is that of the next pair, and -1 is counted as the last word.",
        "With n = 3, to which pair does row 0 * 3 + 3 belong?",
    ),
    minus_one(
        "minus_one_counted_by_threes",
        "second_order",
        SECOND_CHECK,
        "check_words(sequence, n)",
        "sequence and max(sequence) >= n",
    ),
    # pair_votes
    Misconception(
        "a_place_counts_for_every_earlier_time",
        "pair_votes",
        ((EARLIER, "for a in sequence[:i]:"),),
        "A place counts as often as a stands before it: it should count once.",
        "In [0, 0, 1, 2], at how many places does a word follow 1 with a 0 somewhere before?",
    ),
    Misconception(
        "b_stands_before_itself",
        "pair_votes",
        ((EARLIER, "for a in set(sequence[: i + 1]):"),),
        "The word b itself counts as an earlier one at its own place.",
        "Does anything stand before the first word of a text?",
    ),
    Misconception(
        "only_the_word_right_before",
        "pair_votes",
        ((EARLIER, "for a in sequence[max(i - 1, 0) : i]:"),),
        "Only the word right before b is looked at: that is the second order once more.",
        "How far before b may a stand?",
    ),
    Misconception(
        "not_the_word_right_before",
        "pair_votes",
        ((EARLIER, "for a in set(sequence[: max(i - 1, 0)]):"),),
        "The word right before b is left out: anywhere before means there too.",
        "Is the place right before b a place before b?",
    ),
    Misconception(
        "anywhere_in_the_text",
        "pair_votes",
        ((EARLIER, "for a in set(sequence):"),),
        "All words of the text count as earlier ones, those that come later too.",
        "When the next word is to be guessed, which words have been read?",
    ),
    Misconception(
        "before_the_first_b",
        "pair_votes",
        ((EARLIER, "for a in set(sequence[: sequence.index(b)]):"),),
        "The place of b was looked up, which finds its first: later places see only what stands before that one.",
        "What does `sequence.index(b)` give when b comes twice?",
    ),
    Misconception(
        "b_never_before_itself",
        "pair_votes",
        ((EARLIER, "for a in set(sequence[:i]) - {b}:"),),
        "A b that stands earlier is left out: a may be the same word as b.",
        "In [1, 0, 1, 2], does a 1 stand before the second 1?",
    ),
    Misconception(
        "earlier_texts_too",
        "pair_votes",
        (
            (PAIR_TEXTS, PAIR_TEXTS.replace("    for", "    seen = []\n    for")),
            (
                EARLIER,
                "for a in {*seen, *sequence[:i]}:",
            ),
            (PAIR_COUNT, PAIR_COUNT + "\n        seen += sequence"),
        ),
        "Words of earlier texts count as well: a text begins with nothing before it.",
        "What stands before the first word of the second text?",
    ),
    Misconception(
        "a_and_b_swapped",
        "pair_votes",
        ((PAIR_COUNT, "counts[b, a, c] += 1"),),
        "The first two axes are swapped: the earlier word comes first, then the one that is followed.",
        "In entry [a, b, c], in which order do the three words stand in the text?",
    ),
    Misconception(
        "pair_counts_left_as_counts",
        "pair_votes",
        ((PAIR_SHARES, "return counts"),),
        "The counts are returned as they are: rows do not add up to one.",
        "If every text came twice, should anything in the table change?",
    ),
    Misconception(
        "votes_add_up_to_one_over_voters",
        "pair_votes",
        ((PAIR_SUM, PAIR_SUM.replace("dim=2", "dim=0")),),
        "The shares add up to one over the words a: each word a has one vote to give, over the words c.",
        "a and b have been read. Over which of the three axes lie the choices?",
    ),
    Misconception(
        "sums_of_votes_lie_on_their_side",
        "pair_votes",
        ((PAIR_SUM, PAIR_SUM.replace(", keepdim=True", "")),),
        "The sums over c have lost their axis, so that entry [a, b, c] is divided by the sum of the row [b, c].",
        "What shape has counts.sum(dim=2), and with which axes of counts does it line up?",
    ),
    Misconception(
        "all_places_of_b",
        "pair_votes",
        (
            (PAIR_TEXTS, PAIR_TEXTS.replace("    for", "    places = torch.zeros(n, 1)\n    for")),
            (EARLIER, "places[b] += 1\n            " + EARLIER),
            (PAIR_SHARES, "return counts / places.clamp(min=1)"),
        ),
        "The count is divided by all places at which b is followed, those without an a before them too.",
        "Out of which places is entry [a, b, c] a share: all those of b?",
    ),
    Misconception(
        "nothing_over_nothing_for_votes",
        "pair_votes",
        ((PAIR_CLAMP, PAIR_CLAMP.replace(".clamp(min=1)", "")),),
        "The row of a pair that never comes is 0 / 0, which is NaN.",
        "What is the sum of a row without counts, and what do you divide by it?",
    ),
    Misconception(
        "unknown_words_vote",
        "pair_votes",
        ((PAIR_CHECK, PAIR_CHECK.replace("check_words(sequence, n)", "pass")),),
        "Unknown words are not refused: n or more stops with another error, and -1 is counted as the last word.",
        "What does `counts[-1]` give you, and which given function would have said no?",
    ),
    minus_one(
        "minus_one_counts_as_a_vote",
        "pair_votes",
        PAIR_CHECK,
        "check_words(sequence, n)",
        "sequence and max(sequence) >= n",
    ),
    # skip_votes
    Misconception(
        "last_word_votes",
        "skip_votes",
        ((SKIP_SUM, "return votes[[*sequence], last].sum(dim=0)"),),
        "The last word votes as well: only the words before it do.",
        "How many votes are there in a text of one word?",
    ),
    Misconception(
        "each_voter_once",
        "skip_votes",
        ((SKIP_SUM, "return votes[[*set(earlier)], last].sum(dim=0)"),),
        "A word that stands there twice votes once: it is the places that vote.",
        "In the text [0, 0, 1], how many votes are there?",
    ),
    Misconception(
        "votes_averaged",
        "skip_votes",
        ((SKIP_SUM, "return votes[earlier, last].sum(dim=0) / max(len(earlier), 1)"),),
        "The votes are averaged: they should be added up.",
        "The page's nine voters give 4 and 5 votes. What do yours add up to?",
    ),
    Misconception(
        "voter_and_last_word_swapped",
        "skip_votes",
        ((SKIP_SUM, "return votes[last, earlier].sum(dim=0)"),),
        "The two are swapped: the rows are those of the last word standing before each earlier one.",
        "In `votes[a, b]`, which of the two words stands first in the text?",
    ),
    Misconception(
        "right_before_only",
        "skip_votes",
        ((SKIP_SUM, "return votes[earlier[-1:], last].sum(dim=0)"),),
        "Only the word right before the last one votes.",
        "The word after *ran* depends on a word eight before it. Did that one vote?",
    ),
    Misconception(
        "each_word_with_its_neighbour",
        "skip_votes",
        ((SKIP_SUM, "return votes[earlier, [*sequence[1:]]].sum(dim=0)"),),
        "Each word votes together with the word after it: all should vote together with the last word.",
        "What do you want to know: what follows each word, or what follows the last one?",
    ),
    Misconception(
        "own_kind_does_not_vote",
        "skip_votes",
        ((SKIP_SUM, "return votes[[a for a in earlier if a != last], last].sum(dim=0)"),),
        "Where the last word stands earlier as well, it does not vote: it is an earlier word like the others.",
        "In the text [1, 0, 1], who votes?",
    ),
    Misconception(
        "unfit_texts_vote",
        "skip_votes",
        ((SKIP_CHECK, SKIP_CHECK.replace("check_last_word(sequence, len(votes))", "pass")),),
        "Unknown words are not refused: n or more stops with another error, and -1 votes as the last word would.",
        "What does `votes[-1]` give you, and which given function would have said no?",
    ),
    minus_one(
        "minus_one_votes",
        "skip_votes",
        SKIP_CHECK,
        "check_last_word(sequence, len(votes))",
        "not sequence or max(sequence) >= len(votes)",
    ),
    # masked_votes
    Misconception(
        "mask_turned_round",
        "masked_votes",
        ((HEARD, "heard = [a for a in earlier if not mask[a]]"),),
        "The mask is turned round: True means that a word may vote.",
        "With True everywhere, who votes?",
    ),
    Misconception(
        "mask_forgotten",
        "masked_votes",
        ((HEARD, "heard = [a for a in earlier]"),),
        "The mask changes nothing: all earlier words vote.",
        "With False everywhere, who votes?",
    ),
    Misconception(
        "mask_by_place",
        "masked_votes",
        ((HEARD, "heard = [a for i, a in enumerate(earlier) if mask[i]]"),),
        "The mask is read by places in the text: it has an entry for each word of the vocabulary.",
        "How long is the mask, when the vocabulary has 13 words and the text has 10?",
    ),
    Misconception(
        "mask_on_what_follows",
        "masked_votes",
        ((MASK_SUM, "return votes[earlier, last].sum(dim=0) * mask"),),
        "The mask silences the words that may follow: it should silence those that vote.",
        "Which axis of `votes` does the mask belong to?",
    ),
    Misconception(
        "mask_on_the_last_word",
        "masked_votes",
        ((HEARD, "heard = [a for a in earlier if mask[a] and mask[last]]"),),
        "A mask that leaves out the last word silences all: it is about the words that vote.",
        "Is the last word of the text a voter?",
    ),
    Misconception(
        "last_word_votes_if_it_may",
        "masked_votes",
        ((HEARD, "heard = [a for a in sequence if mask[a]]"),),
        "The last word votes as well, if the mask lets it: only the words before it do.",
        "How many votes are there in a text of one word?",
    ),
    Misconception(
        "each_word_heard_once",
        "masked_votes",
        ((HEARD, "heard = [a for a in set(earlier) if mask[a]]"),),
        "A word that stands there twice votes once: it is the places that vote.",
        "In the text [0, 0, 1], how many votes are there, when all may vote?",
    ),
    Misconception(
        "heard_votes_averaged",
        "masked_votes",
        ((MASK_SUM, "return votes[heard, last].sum(dim=0) / max(len(heard), 1)"),),
        "The votes are averaged over those that may vote: they should be added up.",
        "Two masks divide the words between them. What should their votes add up to?",
    ),
    Misconception(
        "unfit_texts_masked",
        "masked_votes",
        ((MASK_CHECK, MASK_CHECK.replace("check_last_word(sequence, len(votes))", "pass")),),
        "Unknown words are not refused: n or more stops with another error, and -1 is taken for the last word.",
        "What does `mask[-1]` give you, and which given function would have said no?",
    ),
    minus_one(
        "minus_one_masked",
        "masked_votes",
        MASK_CHECK,
        "check_last_word(sequence, len(votes))",
        "not sequence or max(sequence) >= len(votes)",
    ),
    # complete
    Misconception(
        "only_what_was_appended",
        "complete",
        ((WRITTEN, "    return text[len(prompt) :]\n"),),
        "Only the new words are returned: the prompt belongs to the text.",
        "With nothing to append, what comes back?",
    ),
    Misconception(
        "prompt_written_on",
        "complete",
        ((TEXT, "text = prompt"),),
        "The new words are appended to the prompt that was passed in, which is then no longer what it was.",
        "Does `text = prompt` make a second list?",
    ),
    Misconception(
        "higher_id_of_equals",
        "complete",
        ((LIKELIEST, LIKELIEST.replace("[0]", "[-1]")),),
        "Of equally likely words the higher id is taken.",
        "Which of two equals does your search for the largest keep: the first it meets or the last?",
    ),
    Misconception(
        "least_likely",
        "complete",
        ((LIKELIEST, LIKELIEST.replace("max()", "min()")),),
        "The least likely word is appended.",
        "After *my*, which of .2, .3 and .5 should it be?",
    ),
    Misconception(
        "goes_on_from_nothing",
        "complete",
        ((ENDS, ""),),
        "The text does not end at a row of zeros: where all shares are equal, word 0 is appended.",
        "Which word is the likeliest after one that nothing ever followed?",
    ),
    Misconception(
        "reads_a_column",
        "complete",
        ((SHARES, "shares = transition[:, text[-1]]"),),
        "A column of the table is read: it says after which words this one comes.",
        "Do the words that may follow word a lie in row a or in column a?",
    ),
    Misconception(
        "always_after_the_prompt",
        "complete",
        ((SHARES, "shares = transition[prompt[-1]]"),),
        "Each new word is chosen by the last word of the prompt, not by the one just appended.",
        "After the first new word, what is the last word of the text?",
    ),
    Misconception(
        "one_word_too_many",
        "complete",
        ((STEPS, "for _ in range(max_new_tokens + 1):"),),
        "One word more is appended than was asked for.",
        "With max_new_tokens 0, what comes back?",
    ),
    Misconception(
        "prompt_counted_as_new",
        "complete",
        ((STEPS, "for _ in range(max_new_tokens - len(prompt)):"),),
        "`max_new_tokens` is taken for the length of the whole text: the prompt does not count.",
        "A prompt of three words, and max_new_tokens 2. How long may the text be?",
    ),
    Misconception(
        "unfit_prompts_completed",
        "complete",
        ((PROMPT_CHECK, "pass"),),
        "Unfit prompts are not refused: unknown words before the last go unseen, and -1 is taken for the last word.",
        "Which words of the prompt does your loop look at, and which given function looks at all?",
    ),
    minus_one(
        "minus_one_completed",
        "complete",
        PROMPT_CHECK,
        "check_last_word(prompt, len(transition))",
        "not prompt or max(prompt) >= len(transition)",
    ),
)

# Mutations of the reference that nothing can tell from it, with the reason.
EQUIVALENT: dict[str, str] = {
    f"{task}: {count} += 1  ->  {count} += 2": "twice all counts are the same shares"
    for task, count in (
        ("first_order", "counts[a, b]"),
        ("second_order", "counts[a * n + b, c]"),
        ("pair_votes", "counts[a, b, c]"),
    )
}
