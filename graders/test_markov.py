"""The specification of markov, as laws that hold for every input. Read it beside `exercises/markov.py`.

The sentences of Rohrer's "Transformers from Scratch", 2021, are worked by hand; Python's own manual is the real text.
"""

import torch

from graders.cases.markov_sentences import (
    an_earlier_word_twice,
    battery_and_program,
    beginnings,
    counted,
    long_texts,
    manual,
    many,
    many_texts,
    masked_voters,
    show_me,
    texts,
    unfit_beginnings,
    unknown_words,
    voters,
    whether_it_ran,
    windows,
)
from graders.engine.law import expect_equal, expect_refusals, law

ON_THE_PAGE = "worked out by hand on the page"

# first_order


@law("first_order", texts)
def test_shares_of_what_follows_a_word(subject, reference, case):
    """Entry [a, b] is the share of b among all the words that come right after a."""
    expect_equal(subject.first_order(case.sequences, case.n), reference.first_order(case.sequences, case.n))


@law("first_order", show_me)
def test_what_follows_my(subject, reference, case):
    """After *my*, directories, files and photos come .2, .3 and .5 of the time. Every other word has one follower, and
    nothing follows *please*.
    """
    expect_equal(subject.first_order(case.sequences, case.n), case.expected, note=ON_THE_PAGE)


@law("first_order", texts)
def test_rows_add_up_to_one(subject, reference, case):
    """The row of a word that is followed, anywhere, adds up to one; every other row is zeros."""
    followed = {word for text in case.sequences for word in text[:-1]}
    expected = torch.tensor([1.0 if a in followed else 0.0 for a in range(case.n)], dtype=torch.float64)
    expect_equal(subject.first_order(case.sequences, case.n).sum(dim=1), expected, what="sums of the rows")


@law("first_order", texts)
def test_neighbours_are_all_that_counts(subject, reference, case):
    """Texts that are cut into pairs of neighbours, in whichever order, have the same table as before."""
    both = subject.tell(
        lambda do: [do.first_order(texts, case.n) for texts in (case.sequences, windows(case, 2)[::-1])]
    )
    expect_equal(both[1], both[0], what="the texts in pieces:", note="before they were cut")


@law("first_order", manual)
def test_the_manual_counted(subject, reference, case):
    """On the commonest words of Python's own manual, the shares are what counting all pairs of neighbours gives."""
    expect_equal(subject.first_order(case.sequences, case.n), counted(case, 2), note="counted pair by pair")


@law("first_order", many_texts)
def test_first_order_of_many_texts(subject, reference, case):
    """Many texts, the same text more than once, a word said three hundred times: every time counts."""
    expect_equal(subject.first_order(case.sequences, case.n), counted(case, 2), note="counted pair by pair")


@law("first_order", unknown_words)
def test_first_order_refuses_unknown_words(subject, reference, case):
    """A word that is not from 0 to n - 1 raises ValueError, wherever it stands."""
    expect_refusals(subject, "first_order", {what: (sequences, case.n) for what, sequences in case.wrong.items()})


# second_order


@law("second_order", texts)
def test_shares_of_what_follows_two_words(subject, reference, case):
    """Row a * n + b has the shares of all the words that come right after a b, in this order."""
    expect_equal(subject.second_order(case.sequences, case.n), reference.second_order(case.sequences, case.n))


@law("second_order", battery_and_program)
def test_what_follows_whether_the(subject, reference, case):
    """After *whether the* comes battery .4 and program .6 of the time: of N * N rows the only one with fractions."""
    expect_equal(subject.second_order(case.sequences, case.n), case.expected, note=ON_THE_PAGE)


@law("second_order", texts)
def test_three_in_a_row_are_all_that_counts(subject, reference, case):
    """Texts that are cut into runs of three neighbours, in whichever order, have the same table as before."""
    both = subject.tell(
        lambda do: [do.second_order(texts, case.n) for texts in (case.sequences, windows(case, 3)[::-1])]
    )
    expect_equal(both[1], both[0], what="the texts in pieces:", note="before they were cut")


@law("second_order", manual)
def test_the_manual_counted_by_threes(subject, reference, case):
    """On the commonest words of Python's own manual, the shares are what counting all runs of three gives."""
    expect_equal(subject.second_order(case.sequences, case.n), counted(case, 3), note="counted three by three")


@law("second_order", many_texts)
def test_second_order_of_many_texts(subject, reference, case):
    """Many texts, the same text more than once, a word said three hundred times: every time counts."""
    expect_equal(subject.second_order(case.sequences, case.n), counted(case, 3), note="counted three by three")


@law("second_order", unknown_words)
def test_second_order_refuses_unknown_words(subject, reference, case):
    """A word that is not from 0 to n - 1 raises ValueError, wherever it stands."""
    expect_refusals(subject, "second_order", {what: (sequences, case.n) for what, sequences in case.wrong.items()})


# pair_votes


@law("pair_votes", texts)
def test_shares_of_what_follows_b_with_a_before(subject, reference, case):
    """Entry [a, b, c] is the share of c among what follows b at all places with a anywhere before."""
    expect_equal(subject.pair_votes(case.sequences, case.n), reference.pair_votes(case.sequences, case.n))


@law("pair_votes", whether_it_ran)
def test_what_follows_ran(subject, reference, case):
    """After *ran*, battery is sure of down and program of please; every other word before it a half to each."""
    yours = subject.pair_votes(case.sequences, case.n)
    expect_equal(yours[:, case.ran], case.after_ran, what="the rows [a, ran]", note=ON_THE_PAGE)


@law("pair_votes", an_earlier_word_twice)
def test_a_place_counts_once(subject, reference, case):
    """A place counts once, however often a stands before it: in the page's example the shares are equal."""
    expected = torch.tensor([0, 0, 0.5, 0.5], dtype=torch.float64)
    yours = subject.pair_votes(case.sequences, case.n)
    expect_equal(yours[0, 1], expected, what="the row [0, 1]", note=ON_THE_PAGE)


@law("pair_votes", texts)
def test_a_word_that_begins_all_texts_says_what_first_order_says(subject, reference, case):
    """A new word put before all texts stands before everything, so that its votes are the table of first order."""
    begun = [[case.n, *text] for text in case.sequences]
    votes = subject.pair_votes(begun, case.n + 1)[case.n, : case.n, : case.n]
    expect_equal(votes, counted(case, 2), what="the new word's votes", note="the table of first order")


@law("pair_votes", many_texts)
def test_pair_votes_of_many_texts(subject, reference, case):
    """Many texts, the same text more than once, a word said three hundred times: every time counts."""
    expect_equal(subject.pair_votes(case.sequences, case.n), reference.pair_votes(case.sequences, case.n))


@law("pair_votes", unknown_words)
def test_pair_votes_refuses_unknown_words(subject, reference, case):
    """A word that is not from 0 to n - 1 raises ValueError, wherever it stands."""
    expect_refusals(subject, "pair_votes", {what: (sequences, case.n) for what, sequences in case.wrong.items()})


# skip_votes


@law("skip_votes", voters)
def test_all_earlier_words_vote(subject, reference, case):
    """The rows [a, last] are added up, one for each place before the last word, a being the word that stands there."""
    expect_equal(subject.skip_votes(case.sequence, case.votes), reference.skip_votes(case.sequence, case.votes))


@law("skip_votes", whether_it_ran)
def test_five_votes_against_four(subject, reference, case):
    """With all pairs voting, nothing but down and please has votes: 4 and 5 in one sentence, 5 and 4 in the other."""
    for text, down, please in ((case.about_the_program, 4, 5), (case.about_the_battery, 5, 4)):
        expected = torch.zeros(13, dtype=torch.float64)
        expected[case.down], expected[case.please] = down, please
        expect_equal(subject.skip_votes(text, case.votes), expected, note=ON_THE_PAGE)


@law("skip_votes", voters)
def test_the_order_of_earlier_words_does_not_matter(subject, reference, case):
    """Earlier words in reverse give the same votes, all of them once more give twice the votes, none give zeros."""
    *earlier, last = case.sequence
    orders: tuple[list, ...] = (earlier, earlier[::-1], earlier * 2, [])
    told = subject.tell(lambda do: [do.skip_votes([*words, last], case.votes) for words in orders])
    expect_equal(told[1], told[0], what="in reverse:")
    expect_equal(told[2], 2 * told[0], what="once more:")
    expect_equal(told[3], 0 * told[0], what="the last word alone:")


@law("skip_votes", many(voters))
def test_skip_votes_of_a_long_text_in_float32(subject, reference, case):
    """Long texts in float32, from a vocabulary of thirteen words; also where nobody votes, the votes are float32."""
    expect_equal(subject.skip_votes(case.sequence, case.votes), reference.skip_votes(case.sequence, case.votes))


@law("skip_votes", unfit_beginnings)
def test_skip_votes_refuses_unfit_texts(subject, reference, case):
    """An empty text and a word that is not from 0 to n - 1 raise ValueError."""
    expect_refusals(subject, "skip_votes", {what: (text, case.votes) for what, text in case.wrong.items()})


# masked_votes


@law("masked_votes", masked_voters)
def test_only_words_of_the_mask_vote(subject, reference, case):
    """The rows [a, last] are added up for each place before the last word where a word a with mask[a] stands."""
    arguments = (case.sequence, case.votes, case.mask)
    expect_equal(subject.masked_votes(*arguments), reference.masked_votes(*arguments))


@law("masked_votes", whether_it_ran)
def test_one_vote_against_none(subject, reference, case):
    """With battery and program alone allowed to vote, 4 against 5 becomes 0 against 1, and 5 against 4 1 against 0."""
    for text, follows in ((case.about_the_program, case.please), (case.about_the_battery, case.down)):
        expected = torch.zeros(13, dtype=torch.float64)
        expected[follows] = 1
        expect_equal(subject.masked_votes(text, case.votes, case.mask), expected, note=ON_THE_PAGE)


@law("masked_votes", masked_voters)
def test_a_mask_and_its_opposite_share_the_votes(subject, reference, case):
    """The votes that a mask lets through and those that it silences are all votes; False alone lets none through."""
    masks = (case.mask, ~case.mask, torch.zeros_like(case.mask))
    heard, silenced, none = subject.tell(
        lambda do: [do.masked_votes(case.sequence, case.votes, mask) for mask in masks]
    )
    all_votes = reference.skip_votes(case.sequence, case.votes)
    expect_equal(heard + silenced, all_votes, what="both together", note="the votes without a mask")
    expect_equal(none, 0 * all_votes, what="a mask of False alone:")


@law("masked_votes", many(masked_voters))
def test_masked_votes_of_a_long_text_in_float32(subject, reference, case):
    """Long texts in float32, from a vocabulary of thirteen words; also where nobody votes, the votes are float32."""
    arguments = (case.sequence, case.votes, case.mask)
    expect_equal(subject.masked_votes(*arguments), reference.masked_votes(*arguments))


@law("masked_votes", unfit_beginnings)
def test_masked_votes_refuses_unfit_texts(subject, reference, case):
    """An empty text and a word that is not from 0 to n - 1 raise ValueError, whether the mask silences it or not."""
    for mask in (torch.zeros(3), torch.ones(3)):
        calls = {what: (text, case.votes, mask.bool()) for what, text in case.wrong.items()}
        expect_refusals(subject, "masked_votes", calls)


# complete


@law("complete", beginnings)
def test_the_likeliest_word_is_appended(subject, reference, case):
    """Each new word is the likeliest after the one before, the lower id of equals; a row of zeros ends the text."""
    arguments = (case.prompt, case.transition, case.max_new_tokens)
    expect_equal(subject.complete(*arguments), reference.complete(*arguments))


@law("complete", show_me)
def test_show_me_my_photos_please(subject, reference, case):
    """*Show me my* is completed with photos and please, after which nothing ever came."""
    show, me, my, _directories, please, _files, photos = range(7)
    for new, expected in ((0, []), (1, [photos]), (2, [photos, please]), (5, [photos, please])):
        yours = subject.complete([show, me, my], case.expected, new)
        expect_equal(yours, [show, me, my, *expected], what=f"max_new_tokens {new}:", note=ON_THE_PAGE)


@law("complete", beginnings)
def test_a_text_may_be_written_in_two_goes(subject, reference, case):
    """A text is the same whether its words are asked for at once or some now and the others after those."""
    now = case.max_new_tokens // 2

    def story(do):
        first = do.complete(case.prompt, case.transition, now)
        both = do.complete(first, case.transition, case.max_new_tokens - now)
        return {"in two goes": both, "at once": do.complete(case.prompt, case.transition, case.max_new_tokens)}

    texts = subject.tell(story)
    expect_equal(texts["in two goes"], texts["at once"], what="in two goes:", note="at once")


@law("complete", long_texts)
def test_long_texts(subject, reference, case):
    """Two hundred words at most, after thirty, from a vocabulary of sixty; a share larger by a hair is the largest."""
    arguments = (case.prompt, case.transition, case.max_new_tokens)
    expect_equal(subject.complete(*arguments), reference.complete(*arguments))


@law("complete", unfit_beginnings)
def test_complete_refuses_unfit_prompts(subject, reference, case):
    """An empty prompt and a word that is not from 0 to n - 1 raise ValueError."""
    expect_refusals(subject, "complete", {what: (text, case.transition, 3) for what, text in case.wrong.items()})
