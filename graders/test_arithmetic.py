"""The specification of arithmetic, as laws that hold for every input. Read it beside `exercises/arithmetic.py`.

The models that answer are toys of two tables: they write what a law has put there.
"""

import math

import torch
from torch.nn import functional as F

from graders.cases.arithmetic_rows import (
    AXES,
    CHARACTERS,
    N_TOKENS,
    SURE,
    answers_and_none,
    asked,
    ids,
    number_in,
    problem_case,
    problems,
    rows,
    scored,
    speaker,
    spelled,
    text_of,
    unknown_ids,
    written,
)
from graders.engine.law import expect_equal, expect_figure, expect_refusals, law
from graders.engine.script import probe
from graders.engine.space import fixed, given_case
from graders.engine.worker.perform import cotangent

# encode_problem


@fixed
def problems_by_hand(where):
    """Problems, and the texts that their rows spell."""
    said = {
        "0012+0030=+42.": (12, "+", 30, False),
        "0012-0030<-81.": (12, "-", 30, True),
        "0012-0030=-18.": (12, "-", 30, False),
        "0507+0005<+215.": (507, "+", 5, True),
        "0000-0000<+0.": (0, "-", 0, True),
        "0000x0077=+0.": (0, "x", 77, False),
        "0025x0004<+001.": (25, "x", 4, True),
        "0999-1000=-1.": (999, "-", 1000, False),
        "9999+9999<+89991.": (9999, "+", 9999, True),
    }
    return [problem_case(text, *problem) for text, problem in said.items()]


@law("encode_problem", problems_by_hand)
def test_a_row_spells_the_problem_its_answer_and_the_end(subject, reference, case):
    """12 + 30 is the row of "0012+0030=+42.", 12 - 30 reversed that of "0012-0030<-81."; spaces fill 18 tokens."""
    yours = subject.encode_problem(case.a, case.operator, case.b, case.reverse_answer)
    expect_equal(yours, ids(case.expected, seq=N_TOKENS)[0], note=f'the ids of "{case.expected}" and of spaces')


@law("encode_problem", problems)
def test_rows_are_python_s_answers_written_out(subject, reference, case):
    """The row of a problem spells Python's answer; reversed, with "<" before it and its digits from the last on."""
    text = text_of(*case.problem)
    expect_equal(subject.encode_problem(*case.problem), ids(text, seq=N_TOKENS)[0], note=f'the ids of "{text}"')


@law("encode_problem", problems)
def test_the_order_of_the_answer_changes_the_answer_alone(subject, reference, case):
    """Forwards and backwards the problem is the same, as are plus or minus, the end and how often each digit stands."""
    forwards, backwards = (subject.encode_problem(*case.problem[:3], order) for order in (False, True))
    start = text_of(*case.problem).index("<" if case.reverse_answer else "=")
    expect_equal(backwards[:start], forwards[:start], what="up to the sign, backwards,", note="forwards")
    yours, expected = (torch.bincount(row[start + 1 :].clamp(0, 16), minlength=17) for row in (backwards, forwards))
    expect_equal(yours, expected, what="how often each id stands after it, backwards,", note="forwards")


@fixed
def what_just_fits(where):
    """Problems of exactly 18 characters with their answer and its end."""
    said = ((1000, "x", 999), (999, "x", 999), (1111, "x", 111))
    cases = [(*problem, order) for problem in said for order in (False, True)]
    return [problem_case(text_of(*problem), *problem) for problem in cases]


@law("encode_problem", what_just_fits)
def test_a_text_of_eighteen_characters_fits(subject, reference, case):
    """A problem whose answer and end are just 18 characters long is a row without padding."""
    yours = subject.encode_problem(case.a, case.operator, case.b, case.reverse_answer)
    expect_equal(yours, ids(case.expected)[0], note=f'the ids of "{case.expected}"')


@fixed
def no_problems(where):
    """Operators and numbers that are none of ours, and problems that are too long."""
    return [given_case()]


@law("encode_problem", no_problems)
def test_what_is_no_problem_is_refused(subject, reference, case):
    """Another operator, numbers below 0 or above 9999, and a text of more than 18 characters raise ValueError."""
    calls = {f"the operator is {op!r}": (1, op, 2, False) for op in ("*", "", "/", "+-", "=")}
    calls |= {"a is -1": (-1, "+", 2, False), "b is -2": (1, "-", -2, True), "a is -3": (-3, "x", 0, True)}
    calls |= {"a is 10000": (10000, "-", 1, False), "b is 10000": (0, "x", 10000, True)}
    calls |= {
        f'"{text_of(*problem)}" has {len(text_of(*problem))} characters': problem
        for problem in ((9999, "x", 9999, False), (5000, "x", 2000, True), (1000, "x", 1000, False))
    }
    expect_refusals(subject, "encode_problem", calls)


# decode_answer


@law("decode_answer", answers_and_none)
def test_answers_are_read_as_they_are_written(subject, reference, case):
    """ "=+42." and "<+24." are 42, "<-81." is -18; "=42.", "=+042.", "=-0.", "=+4+2." and "=+42" without end, None."""
    expect_equal(subject.decode_answer(case.tokens), case.expected, note=f'the answer in "{case.text}"')


@law("decode_answer", problems)
def test_the_answer_of_a_row_is_the_answer_to_its_problem(subject, reference, case):
    """From the row of a problem, in either order, its answer is read again."""
    tokens = ids(text_of(*case.problem), seq=N_TOKENS)[0]
    expected = {"+": case.a + case.b, "-": case.a - case.b, "x": case.a * case.b}[case.operator]
    expect_equal(subject.decode_answer(tokens), expected, note="Python's answer")


@law("decode_answer", written)
def test_whatever_is_written_is_a_number_or_none(subject, reference, case):
    """Of any text, the answer is what stands from its first sign to the end, or None; nothing is raised."""
    expect_equal(subject.decode_answer(case.tokens), number_in(case.text), note=f'the answer in "{case.text}"')


@law("decode_answer", unknown_ids)
def test_ids_without_a_character_spoil_the_answer_they_stand_in(subject, reference, case):
    """An id below 0 or above 16 makes None of an answer that it stands in, and changes no other; nothing is raised."""
    expect_equal(subject.decode_answer(case.tokens), case.expected)


@law("decode_answer", problems)
def test_an_answer_that_is_cut_off_is_none(subject, reference, case):
    """A row that is cut off anywhere before the end of its answer has none, however much of it is there."""
    text = text_of(*case.problem)
    tokens = ids(text)[0]

    def story(do):
        return [do.decode_answer(tokens[:length]) for length in range(len(text))]

    expect_equal(subject.tell(story), [None] * len(text), note=f'"{text}", cut off before this character')


# answer_mask


@fixed
def marked_by_hand(where):
    """Two rows, and the marks of their answers."""
    expected = torch.tensor([[0, 0, 0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 0, 1, 1, 1, 0, 0, 0]]).bool()
    return [given_case(expected, AXES, texts=["12+30=+42.", "1+6<+7."], tokens=ids("12+30=+42.", "1+6<+7."))]


@law("answer_mask", marked_by_hand)
def test_the_answer_and_its_end_are_marked(subject, reference, case):
    """In "12+30=+42." the marks are on "+42.", in "1+6<+7." on "+7.", and on no padding."""
    expect_equal(subject.answer_mask(case.tokens), case.expected, note="marked by hand")


@law("answer_mask", rows)
def test_marks_begin_after_the_sign_and_end_with_the_end(subject, reference, case):
    """Read from left to right, what comes after a row's first sign is marked, up to the end and with it; no padding."""
    expect_equal(subject.answer_mask(case.tokens), case.marks)


@law("answer_mask", rows)
def test_every_row_is_marked_by_itself(subject, reference, case):
    """The marks of a row do not depend on the rows beside it, nor on how much padding follows it."""
    longer = F.pad(case.tokens, (0, 3), value=CHARACTERS.index(" "))
    alone = [subject.answer_mask(row.unsqueeze(0)) for row in longer]
    expect_equal(torch.cat(alone)[:, :-3], subject.answer_mask(case.tokens), note="all rows together")
    expect_equal(torch.cat(alone)[:, -3:].any(), torch.tensor(False), what="whether padding is marked")


@law("answer_mask", marked_by_hand)
def test_rows_without_an_answer_are_refused(subject, reference, case):
    """No rows, a row alone, and a row that has neither sign raise ValueError."""
    calls = {
        "no rows": (case.tokens[:0],),
        "a row without a batch": (case.tokens[0],),
        "a row without a sign": (ids("12+30=+42.", "12+30 +42."),),
        "a row of padding": (ids("         ", "1+6<+7."),),
    }
    expect_refusals(subject, "answer_mask", calls)


# answer_loss


@fixed
def surprises_by_hand(where):
    """One row, "=1.", with a vocabulary of three: the sign is 0, the answer 1, the end 2."""
    logits = torch.tensor([[[0.0, 2.0, 1.0], [1.0, 0.0, 0.0], [9.0, 9.0, 9.0]]], dtype=torch.float64)
    mask = torch.tensor([[False, True, True]])
    expected = (math.log(1 + math.exp(2) + math.e) - 2 + math.log(math.e + 2)) / 2
    return [given_case(expected, AXES, logits=logits, tokens=torch.tensor([[0, 1, 2]]), mask=mask)]


def of_marked(case):
    """PyTorch's mean cross-entropy of the marked tokens, all others ignored."""
    targets = case.tokens.masked_fill(~case.mask, -100)[:, 1:]
    return F.cross_entropy(case.logits[:, :-1].flatten(0, 1), targets.flatten(), ignore_index=-100)


@law("answer_loss", scored)
def test_loss_is_the_mean_surprise_at_marked_tokens(subject, reference, case):
    """The loss is the mean, over all marked tokens of all rows, of the surprise at each, predicted one place before."""
    expect_equal(subject.answer_loss(case.logits, case.tokens, case.mask), of_marked(case), note="computed by PyTorch")


@law("answer_loss", surprises_by_hand)
def test_loss_agrees_with_the_example_on_the_page(subject, reference, case):
    """In the page's example the answer costs 0.407606 nats, its end 1.551445, and the mean is 0.979525."""
    loss = subject.answer_loss(case.logits, case.tokens, case.mask)
    expect_equal(loss, torch.full_like(loss, case.expected), note="worked out by hand on the page")


@law("answer_loss", scored)
def test_what_predicts_nothing_marked_does_not_count(subject, reference, case):
    """Other tokens where nothing is marked, and other logits where nothing marked comes next, change nothing."""
    next_is_marked = case.mask.roll(-1, dims=1)
    next_is_marked[:, -1] = False
    logits = torch.where(next_is_marked.unsqueeze(-1), case.logits, case.logits.flip(-1) + 1)
    tokens = torch.where(case.mask, case.tokens, (case.tokens + 1) % case.logits.shape[-1])
    before = subject.answer_loss(case.logits, case.tokens, case.mask)
    expect_equal(subject.answer_loss(logits, case.tokens, case.mask), before, what="other logits:", note="before")
    expect_equal(subject.answer_loss(case.logits, tokens, case.mask), before, what="other tokens:", note="before")


@law("answer_loss", scored)
def test_every_marked_token_weighs_the_same(subject, reference, case):
    """The loss of a batch is the mean of its rows' losses, each weighted by how many tokens are marked in it."""
    counts = case.mask.sum(dim=1)
    rows = [
        subject.answer_loss(case.logits[i : i + 1], case.tokens[i : i + 1], case.mask[i : i + 1]) * counts[i]
        for i in range(len(counts))
        if counts[i]
    ]
    together = subject.answer_loss(case.logits.flip(0), case.tokens.flip(0), case.mask.flip(0))
    expect_equal(together, torch.stack(rows).sum() / counts.sum(), note="from the rows one by one")


@law("answer_loss", scored)
def test_loss_is_right_for_huge_logits(subject, reference, case):
    """Logits of ten thousand and minus ten thousand give the right loss, however large it is."""
    case.logits = case.logits / case.logits.abs().max().clamp(min=1) * 1e4
    expect_equal(subject.answer_loss(case.logits, case.tokens, case.mask), of_marked(case), note="computed by PyTorch")


@law("answer_loss", scored)
def test_gradient_is_what_was_predicted_minus_what_came(subject, reference, case):
    """The gradient of a logit before a marked token is its share, minus 1 if it came, over their number; else 0."""
    yours = subject.gradients("answer_loss", case.logits, case.tokens, case.mask)["logits"]
    expected = torch.zeros_like(case.logits)
    came = F.one_hot(case.tokens[:, 1:], case.logits.shape[-1])
    expected[:, :-1] = (case.logits[:, :-1].softmax(-1) - came) * case.mask[:, 1:, None] / case.mask.sum()
    expected *= cotangent(torch.zeros((), dtype=torch.float64))  # by which the loss was multiplied
    expect_equal(yours, expected, what="gradient of the logits")


many_in_float32 = fixed(lambda where: [scored.in_float32().case(2, batch=3, seq=6, d_vocab=5, share=2)])


@law("answer_loss", many_in_float32)
def test_loss_in_float32(subject, reference, case):
    """In float32 the loss is the one that PyTorch computes, in float32."""
    expect_equal(subject.answer_loss(case.logits, case.tokens, case.mask), of_marked(case), note="computed by PyTorch")


@law("answer_loss", surprises_by_hand)
def test_what_cannot_be_scored_is_refused(subject, reference, case):
    """Shapes that do not fit, a mask without marks, and a mark on a row's first token raise ValueError."""
    logits, tokens, mask = (value.repeat(2, *[1] * (value.ndim - 1)) for value in (case.logits, case.tokens, case.mask))
    first = mask.clone()
    first[1, 0] = True
    calls = {
        "nothing is marked": (logits, tokens, mask & False),
        "the first token of row 1 is marked": (logits, tokens, first),
        "tokens of another batch": (logits, tokens[:1], mask),
        "a mask of another batch": (logits, tokens, mask[:1]),
        "a mask that is shorter": (logits, tokens, mask[:, :2]),
        "tokens and mask that are shorter": (logits, tokens[:, :2], mask[:, :2]),
        "logits without a batch": (logits[0], tokens, mask),
        "no rows": (logits[:0], tokens[:0], mask[:0]),
    }
    expect_refusals(subject, "answer_loss", calls)


# exact_match


@fixed
def marks_by_hand(where):
    """Problems, a model that always writes the answer in the first row, and its marks."""
    said = (
        (1.0, "0012+0030=+42."),
        (0.5, "0012+0030=+42.", "0012+0031=+43."),
        (0.75, "0012+0030<+24.", "0050-0008<+24.", "0012+0012<+42.", "0006x0007<+24."),
        (0.25, "0012+0030=+42.", "0012-0054=-42.", "0400+0020=+420.", "0002x0002=+4."),
        (0.6, "0001-0008<-7.", "0002-0009=-7.", "0009-0002<+7.", "0003-0010<-7.", "0070-0140<-07."),
        (2 / 3, "0012+0030=+42.", "0012+0031=+43.", "0012+0030=+42."),
        (2 / 3, "0012+0030=+42.", "0012+0012<+42.", "0006x0007<+24."),
    )
    cases = [given_case(share, AXES, texts=[*texts], problems=ids(*texts, seq=16)) for share, *texts in said]
    for case in cases:
        case.model = speaker(case.texts[0])
    return cases


@law("exact_match", marks_by_hand)
def test_marks_are_those_given_by_hand(subject, reference, case):
    """A model that always writes "+42." is right where a row has "=+42." or "<+42.", which is 24, and nowhere else."""
    expect_figure(subject.exact_match(case.model, case.problems), case.expected, note="marked by hand")


@law("exact_match", asked)
def test_the_share_of_right_answers(subject, reference, case):
    """Whatever a model writes, the share of rows in which it writes the row's own number is its mark."""
    expect_figure(subject.exact_match(case.model, case.problems), reference.exact_match(case.model, case.problems))


@law("exact_match", asked)
def test_the_mark_is_the_mean_of_the_rows_in_any_order(subject, reference, case):
    """Each problem is answered as it is alone: neither its place nor the rows beside it matter."""
    alone = [subject.exact_match(case.model, row.unsqueeze(0)) for row in case.problems]
    together = subject.exact_match(case.model, case.problems.flip(0))
    expect_figure(together, sum(alone) / len(alone), note="the mean of the rows one by one")


@law("exact_match", asked)
def test_the_model_reads_prompts_and_what_it_wrote(subject, reference, case):
    """The model first reads a prompt up to its sign, and then nothing but what it has written itself."""

    def story(do):
        model = do.make(case.model)
        share = do.exact_match(model, case.problems[:1])
        return {"share": share, "lengths": model.lengths, "gradients": model.grads}

    told = subject.tell(story)
    prompt = 1 + next(place for place, character in enumerate(case.texts[0]) if character in "=<")
    lengths = told["lengths"]
    expect_equal(lengths[:1], [prompt], what="how many tokens the model reads in its first call")
    # Fewer when an end is written sooner
    most = list(range(prompt, case.problems.shape[1]))
    expect_equal(lengths, most[: len(lengths)], what="how many tokens the model reads, call by call")
    expect_equal(any(told["gradients"]), False, what="whether gradients are recorded in a call of the model")


@fixed
def answers_of_two_lengths(where):
    """A model that writes +72 where it reads an x, and else +7: rows that end sooner and later, asked together."""
    table = torch.zeros(17, 17, dtype=torch.float64)
    table[CHARACTERS.index("x"), CHARACTERS.index("2")] = 10 * SURE
    places = SURE * 10 * spelled("0001+0006=+7.", 16)
    places[11, CHARACTERS.index(".")] = SURE / 2  # less than what an x says there
    places[12:, CHARACTERS.index(".")] = 10 * SURE
    short, long, other = "0001+0006=+7.", "0008x0009=+72.", "0002+0006=+8."
    said = ((1.0, short, long), (1.0, long, short), (1.0, long), (0.75, short, long, other, long))
    cases = [given_case(share, AXES, texts=[*texts], problems=ids(*texts, seq=16)) for share, *texts in said]
    for case in cases:
        case.model = probe("toy", table=table, places=places)
    return cases


@law("exact_match", answers_of_two_lengths)
def test_a_row_that_has_ended_ends_no_other(subject, reference, case):
    """Asked together, a problem whose answer is +7. and one whose answer is +72. are each answered to their end."""
    expect_figure(subject.exact_match(case.model, case.problems), case.expected, note="marked by hand")


@fixed
def cut_off(where):
    """A model that writes +5555 for ever, and problems whose answers begin so."""
    fives = torch.zeros(N_TOKENS, 17, dtype=torch.float64)
    fives[:, 5] = 9.0
    fives[9] = torch.eye(17, dtype=torch.float64)[CHARACTERS.index("+")]
    texts = (("0001+0004=+5.", 13), ("0050+0005<+55.", 18))
    cases = [given_case(text, AXES, problems=ids(text, seq=seq)) for text, seq in texts]
    for case in cases:
        case.model = probe("toy", table=torch.zeros(17, 17, dtype=torch.float64), places=fives)
    return cases


@law("exact_match", cut_off)
def test_an_answer_without_an_end_is_wrong(subject, reference, case):
    """A model that writes +5555 until the row is full is wrong where the answer is +5 and an end; nothing is raised."""

    def story(do):
        model = do.make(case.model)
        return {"share": do.exact_match(model, case.problems), "lengths": model.lengths}

    told = subject.tell(story)
    expect_equal(told["share"], 0.0, note="the answer has no end")
    lengths = list(range(max(map(case.expected.find, "=<")) + 1, case.problems.shape[1]))
    expect_equal(told["lengths"], lengths, what="how many tokens the model reads, call by call")


@fixed
def unsure(where):
    """A model that holds the right character for only a little likelier than each of the others."""
    text = "0001+0006=+7."
    case = given_case(1.0, AXES, texts=[text], problems=ids(text, seq=14).repeat(9, 1))
    places = speaker(text)["probe"]["places"]
    case.model = probe("toy", table=torch.zeros(17, 17, dtype=torch.float64), places=places / places.max() * 0.01)
    return [case]


@law("exact_match", unsure)
def test_the_likeliest_character_is_written_by_however_little(subject, reference, case):
    """Where the right characters are the likeliest, if only just, every answer is right: nothing is drawn."""
    expect_equal(subject.exact_match(case.model, case.problems), 1.0, note="the right characters are the likeliest")


@law("exact_match", asked)
def test_the_model_answers_in_evaluation_mode_and_is_left_as_it_was(subject, reference, case):
    """The model is in evaluation mode in every call, and afterwards in the mode it was in, also when it fails."""
    was_training = case.seed % 3 > 0
    failing = {**case.model, "probe": {**case.model["probe"], "nan_from": 1}}

    def story(do):
        model, fails = do.make(case.model), do.make(failing)
        model.train(was_training)
        fails.train(was_training)
        do.exact_match(model, case.problems)
        do.caught(do.exact_match, fails, case.problems)
        return {"modes": model.modes, "training": model.training, "after a failure": fails.training}

    told = subject.tell(story)
    expect_equal(any(told["modes"]), False, what="whether the model is in training mode in a call")
    expect_equal(told["training"], was_training, what="whether it is in training mode afterwards")
    expect_equal(told["after a failure"], was_training, what="whether it is in training mode after NaN was refused")


@law("exact_match", marks_by_hand)
def test_what_cannot_be_asked_is_refused(subject, reference, case):
    """No problems, a row without a sign or an answer, and signs at different places raise ValueError."""
    calls = {
        "no problems": (case.model, case.problems[:0]),
        "a row without a batch": (case.model, case.problems[0]),
        "a row without a sign": (case.model, ids("1+6=+7.", "1+6 +7.", seq=12)),
        "a row without an end": (case.model, ids("1+6=+7.", "1+6=+7", seq=12)),
        "a row with an answer of +07": (case.model, ids("1+6=+07.", "1+6=+7.", seq=12)),
        "signs at different places": (case.model, ids("12+30=+42.", "1+6=+7.", seq=12)),
    }
    expect_refusals(subject, "exact_match", calls)
