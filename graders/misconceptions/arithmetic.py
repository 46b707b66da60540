"""Known mistakes in arithmetic: each a patch on `reference/arithmetic.py` that makes it."""

from graders.engine.misconception import Misconception

REVERSED = "    if reverse_answer:\n        digits = digits[::-1]\n"
TEXT = "text = f\"{a:0{N_DIGITS}}{operator}{b:0{N_DIGITS}}{'<' if reverse_answer else '='}{plus}{digits}.\""
TOO_LONG = "    if len(text) > N_TOKENS:\n"
IDS = "for character in text.ljust(N_TOKENS)])"
START = "start = next((place for place, token in enumerate(ids) if token in (FORWARDS, BACKWARDS)), None)"
NO_END = "if start is None or END not in ids[start:]:"
END_AT = "end = ids.index(END, start)"
KNOWN = (
    "    if not all(0 <= token < len(CHARACTERS) for token in ids[start:end]):\n"
    "        return None\n"
    '    text = "".join(CHARACTERS[token] for token in ids[start + 1 : end])\n'
)
PLUS = "plus, digits = text[:1], text[1:]"
TURNED = "    if ids[start] == BACKWARDS:\n        digits = digits[::-1]\n"
NUMBER = 'number = int(plus + digits) if plus in ("+", "-") and digits.isdecimal() else 0'
WRITTEN_SO = 'return number if f"{number:+}" == plus + digits else None'
BEFORE = "signs_before = is_sign.cumsum(dim=1) - is_sign.int()"
IS_END = "is_end = (tokens == END) & (signs_before > 0)"
ENDS = "ends_before = is_end.cumsum(dim=1) - is_end.int()"
MARKED = "return (signs_before > 0) & (ends_before == 0) & (tokens != PAD)"
SCORED = "is_scored = mask[:, 1:]"
PAIRS = "predictions, targets = logits[:, :-1][is_scored], tokens[:, 1:][is_scored]"
MEAN = "return nn.functional.cross_entropy(predictions, targets)"
NO_MARKS = (
    '    if not mask.any():\n        raise ValueError("the mask marks no token; expected at least one to learn from")\n'
)
LENGTH = "length = lengths.pop()"
EVAL = "    model.eval()\n"
OPTIONS = "options = SamplingOptions(temperature=0.0, eos_id=END)"
WRITTEN = "written = generate(model, problems[:, :length], problems.shape[1] - length, options, None)"
RIGHT = "decode_answer(text) == answer for text, answer in zip(written, answers, strict=True)"
SHARE = " / len(answers)\n"
BACK = "        model.train(was_training)\n    # 6."

MISCONCEPTIONS = (
    # encode_problem
    Misconception(
        "answer_not_reversed",
        "encode_problem",
        ((REVERSED, ""),),
        "The sign says that the answer is backwards, and its digits are forwards all the same.",
        "Which digit of 42 comes first when the last one is to be written first?",
    ),
    Misconception(
        "zeros_lost_in_turning",
        "encode_problem",
        ((REVERSED, "    if reverse_answer:\n        digits = str(int(digits[::-1]))\n"),),
        "The reversed digits were made a number again, which loses the zeros before them: 100 becomes 1.",
        "What is int('001'), and how many digits should the answer 100 have?",
    ),
    Misconception(
        "plus_reversed_too",
        "encode_problem",
        (("{plus}{digits}.", "{digits if reverse_answer else plus}{plus if reverse_answer else digits}."),),
        "The whole answer is turned round, its plus or minus included, which then comes last.",
        "What is reversed: the characters of the answer, or its digits?",
    ),
    Misconception(
        "problem_reversed_too",
        "encode_problem",
        (
            (
                TEXT,
                'p, q = f"{a:0{N_DIGITS}}", f"{b:0{N_DIGITS}}"\n'
                "    p, q = (p[::-1], q[::-1]) if reverse_answer else (p, q)\n"
                "    text = f\"{p}{operator}{q}{'<' if reverse_answer else '='}{plus}{digits}.\"",
            ),
        ),
        "The numbers of the problem are reversed as well, not only the answer.",
        "What does `reverse_answer` say about the two numbers before the sign?",
    ),
    Misconception(
        "one_sign_for_both_orders",
        "encode_problem",
        (("{'<' if reverse_answer else '='}", "="),),
        "A reversed answer has = before it, so that nobody can tell in which order it is to be read.",
        'Is "=+42." the answer 42, or the answer 24, written backwards?',
    ),
    Misconception(
        "shorter_number_not_filled",
        "encode_problem",
        (("{a:0{N_DIGITS}}", "{a}"), ("{b:0{N_DIGITS}}", "{b}")),
        "The numbers have no zeros before them, so that their digits are at other places in each problem.",
        "In 12+3, below which digit of the 12 does the 3 stand when you add on paper?",
    ),
    Misconception(
        "zeros_behind_the_number",
        "encode_problem",
        (("{b:0{N_DIGITS}}", "{str(b).ljust(N_DIGITS, '0')}"), ("{a:0{N_DIGITS}}", "{str(a).ljust(N_DIGITS, '0')}")),
        "The zeros that fill a number stand behind it, which makes it another number.",
        "Is 3 the same number as 0003 or as 3000?",
    ),
    Misconception(
        "no_end",
        "encode_problem",
        (("{plus}{digits}.", "{plus}{digits}"),),
        "The answer has no end: a model that learns from it never knows when to stop.",
        "After 42, how does a model say that there is not a third digit?",
    ),
    Misconception(
        "minus_lost",
        "encode_problem",
        (('plus, digits = "-" if answer < 0 else "+", str(abs(answer))', 'plus, digits = "+", str(abs(answer))'),),
        "An answer below 0 gets a plus: its minus is lost.",
        "What is 12 - 30, and how many characters is that?",
    ),
    Misconception(
        "no_plus",
        "encode_problem",
        (('else "+", str(abs(answer))', 'else "", str(abs(answer))'),),
        "An answer that is not below 0 has no plus, so that its digits stand one place further left.",
        "At which place is the first digit of -18, and at which should that of 18 be?",
    ),
    Misconception(
        "padded_on_the_left",
        "encode_problem",
        ((IDS, "for character in text.rjust(N_TOKENS)])"),),
        "The padding stands before the problem, so that its first digit is at another place in each row.",
        "At which place of the row should every problem begin?",
    ),
    Misconception(
        "padded_with_ends",
        "encode_problem",
        ((IDS, 'for character in text.ljust(N_TOKENS, ".")])'),),
        "The row is filled up with ends, not with spaces.",
        "How many ends does an answer have?",
    ),
    Misconception(
        "end_does_not_count",
        "encode_problem",
        ((TOO_LONG, "    if len(text) > N_TOKENS + 1:\n"),),
        "A text is let through that has one character more than a row.",
        "How long is the longest text that fits, its end included?",
    ),
    # decode_answer
    Misconception(
        "backwards_read_forwards",
        "decode_answer",
        ((TURNED, ""),),
        "An answer that is written backwards is read forwards.",
        'Which number is "<+24."?',
    ),
    Misconception(
        "forwards_read_backwards",
        "decode_answer",
        ((TURNED, "    digits = digits[::-1]\n"),),
        "Every answer is read backwards, also one that is written forwards.",
        'Which number is "=+24."?',
    ),
    Misconception(
        "cut_off_answer_counts",
        "decode_answer",
        (
            (NO_END, "if start is None:"),
            (END_AT, "end = ids.index(END, start) if END in ids[start:] else len(ids)"),
        ),
        "An answer without an end counts: what is there so far is read as a number.",
        'The model was stopped at "=+4". Did it mean 4, or 42?',
    ),
    Misconception(
        "zeros_before_the_answer",
        "decode_answer",
        ((WRITTEN_SO, 'return number if digits.isdecimal() and plus in ("+", "-") else None'),),
        "Numbers with zeros too many, and a 0 with a minus, count as answers.",
        'Would `encode_problem` ever write "=+042."?',
    ),
    Misconception(
        "later_sign_counts",
        "decode_answer",
        (
            (
                START,
                "start = max((place for place, token in enumerate(ids) if token in (FORWARDS, BACKWARDS)), "
                "default=None)",
            ),
        ),
        "The answer is looked for after a later = or <; it begins after the first one, whichever that is.",
        "How many = and < are in this text, and which of them comes first?",
    ),
    Misconception(
        "plus_read_last",
        "decode_answer",
        ((PLUS, f"text = text[::-1] if ids[start] == BACKWARDS else text\n    {PLUS}"), (TURNED, "")),
        "A backwards answer is turned round with its plus or minus, which is then looked for at the other end.",
        'In "<-81.", where does the minus stand, and where would it stand if it were turned round too?',
    ),
    Misconception(
        "plus_not_needed",
        "decode_answer",
        ((PLUS, 'plus, digits = (text[:1], text[1:]) if text[:1] in ("+", "-") else ("+", text)'),),
        "A number without a plus or minus counts as an answer.",
        'Would `encode_problem` ever write "=42."?',
    ),
    Misconception(
        "digits_picked_out",
        "decode_answer",
        ((KNOWN, KNOWN + '    text = text[:1] + "".join(c for c in text[1:] if c.isdecimal())\n'),),
        "What is no digit is passed over, so that something that is no answer becomes a number.",
        'Which number is "=+4+2."?',
    ),
    Misconception(
        "garbage_raises",
        "decode_answer",
        ((NUMBER, "number = int(plus + digits)"),),
        "What is no number raises an exception, and one bad answer ends the whole run.",
        "What should be said of a model that answers with an operator: that it is wrong, or nothing at all?",
    ),
    Misconception(
        "unknown_ids_raise",
        "decode_answer",
        ((KNOWN, KNOWN.splitlines(keepends=True)[-1]),),
        "Ids that stand for no character raise an exception, or, below 0, are read from the other end.",
        "Which character does the id -10 pick out of a Python string?",
    ),
    Misconception(
        "end_before_the_sign_counts",
        "decode_answer",
        ((END_AT, "end = ids.index(END)"),),
        "The end is looked for in the whole row, so that one before the sign is taken.",
        'Where does the answer in "1.5=+7." end?',
    ),
    # answer_mask
    Misconception(
        "sign_marked_too",
        "answer_mask",
        ((BEFORE, "signs_before = is_sign.cumsum(dim=1)"),),
        "The sign is marked too, as if it were the first character of the answer.",
        "Who writes the sign: whoever asks, or whoever answers?",
    ),
    Misconception(
        "end_not_marked",
        "answer_mask",
        ((ENDS, "ends_before = is_end.cumsum(dim=1)"),),
        "The end is not marked, so that nothing is learnt about when to stop.",
        "What must the model write after the last digit?",
    ),
    Misconception(
        "first_character_not_marked",
        "answer_mask",
        ((MARKED, "return (signs_before.roll(1, dims=1) * signs_before > 0) & (ends_before == 0) & (tokens != PAD)"),),
        "The first character of the answer is not marked: the marks begin one too late.",
        "Which is the first character that the model has to find by itself?",
    ),
    Misconception(
        "padding_marked",
        "answer_mask",
        ((MARKED, "return (signs_before > 0) & (ends_before - is_end.int() <= 0 | (tokens == PAD))"),),
        "Padding after the answer is marked as well.",
        "Is there anything to learn from a space after the end?",
    ),
    Misconception(
        "problem_marked_too",
        "answer_mask",
        ((MARKED, "return (ends_before == 0) & (tokens != PAD)"),),
        "The problem is marked too, though its digits cannot be known beforehand.",
        "Could anybody predict which numbers will be asked?",
    ),
    Misconception(
        "stopped_at_padding",
        "answer_mask",
        (
            (
                MARKED,
                "after_padding = ((tokens == PAD) & (signs_before > 0)).cumsum(dim=1) > 0\n    "
                "return (signs_before > 0) & (ends_before == 0) & ~after_padding",
            ),
        ),
        "The marks stop at the first space; an answer goes on to its end, whatever a model has put in it.",
        'In "=+4 2.", which characters stand between the sign and the end, and which of them are padding?',
    ),
    Misconception(
        "run_on_marked",
        "answer_mask",
        ((MARKED, "return (signs_before > 0) & (tokens != PAD)"),),
        "What comes after the end is marked as long as it is no padding.",
        "A model has written an end, and then more of them. Which of them belongs to the answer?",
    ),
    # answer_loss
    Misconception(
        "no_shift",
        "answer_loss",
        ((SCORED, "is_scored = mask"), (PAIRS, "predictions, targets = logits[is_scored], tokens[is_scored]")),
        "Nothing is shifted: the logits at a marked token are scored on that token, which the model has read.",
        "At which position does the model say what the first character of the answer is?",
    ),
    Misconception(
        "mask_not_shifted",
        "answer_loss",
        ((SCORED, "is_scored = mask[:, :-1]"),),
        "Logits and tokens are shifted against each other, and the mask is not: the marks belong to the tokens.",
        "The mask marks tokens that are to be predicted. Which end must it lose when the tokens lose their first?",
    ),
    Misconception(
        "mean_over_everything",
        "answer_loss",
        ((MEAN, 'return nn.functional.cross_entropy(predictions, targets, reduction="sum") / tokens[:, 1:].numel()'),),
        "The sum is divided by the number of all positions, not by that of the marked ones.",
        "When half of a row is padding, should its loss be half as large?",
    ),
    Misconception(
        "mean_of_row_means",
        "answer_loss",
        (
            (
                MEAN,
                'surprise = nn.functional.cross_entropy(predictions, targets, reduction="none")\n'
                "    per_row = torch.zeros_like(is_scored, dtype=surprise.dtype).masked_scatter(is_scored, surprise)\n"
                "    counts = is_scored.sum(dim=1)\n"
                "    return (per_row.sum(dim=1)[counts > 0] / counts[counts > 0]).mean()",
            ),
        ),
        "Each row's mean is taken first and then theirs, so that a character of a short answer weighs more.",
        "Two answers, of one character and of five: how many characters are averaged?",
    ),
    Misconception(
        "summed",
        "answer_loss",
        ((MEAN, 'return nn.functional.cross_entropy(predictions, targets, reduction="sum")'),),
        "The surprises are added up, not averaged.",
        "Would the loss of a batch twice as large be the same?",
    ),
    Misconception(
        "mask_ignored",
        "answer_loss",
        ((PAIRS, "predictions, targets = logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten()"),),
        "The mask is ignored: the model is scored on the problem and on padding too.",
        "Where does the mask come in?",
    ),
    Misconception(
        "nothing_marked_is_nan",
        "answer_loss",
        ((NO_MARKS, ""),),
        "A mask that marks nothing gives NaN, which would ruin a model, and is not refused.",
        "What is the mean of no numbers?",
    ),
    # exact_match
    Misconception(
        "shown_the_answer",
        "exact_match",
        (
            (
                WRITTEN,
                "with torch.no_grad():\n"
                "            guesses = model(problems)[:, :-1].argmax(dim=-1)\n"
                "        written = torch.cat([problems[:, :length], guesses[:, length - 1 :]], dim=1)",
            ),
        ),
        "The model reads the right answer and is asked for each character after it; it never has to rely on its own.",
        "When its first digit is wrong, which digit does the model see before it writes the second?",
    ),
    Misconception(
        "sign_left_out_of_the_prompt",
        "exact_match",
        ((LENGTH, "length = lengths.pop() - 1"),),
        "The prompt ends before its sign, which the model has to write itself.",
        "At which character, in training, did the model predict the first digit of the answer?",
    ),
    Misconception(
        "answer_begun_in_the_prompt",
        "exact_match",
        ((LENGTH, "length = lengths.pop() + 1"),),
        "The first character of the answer is in the prompt, so that nobody has to find it.",
        "Which is the last character of a problem that the model may read?",
    ),
    Misconception(
        "all_end_with_the_first",
        "exact_match",
        (
            (
                WRITTEN,
                "written = problems[:, :length]\n"
                "        while written.shape[1] < problems.shape[1] and not (written[:, length:] == END).any():\n"
                "            with torch.no_grad():\n"
                "                new = model(written)[:, -1].argmax(dim=-1, keepdim=True)\n"
                "            written = torch.cat([written, new], dim=1)",
            ),
        ),
        "As soon as one row has ended, all are stopped: longer answers are cut off.",
        "One model answers +7. and +72. at the same time. When may it stop?",
    ),
    Misconception(
        "drawn_not_greedy",
        "exact_match",
        ((OPTIONS, "options = SamplingOptions(eos_id=END)"),),
        "The answer is drawn, so that a model which knows it is wrong now and then.",
        "Asked twice, should the model answer twice the same?",
    ),
    Misconception(
        "stays_in_training_mode",
        "exact_match",
        ((EVAL, ""),),
        "The model answers in the mode that it is in: in training, with dropout.",
        "What does dropout do to a model that is being examined?",
    ),
    Misconception(
        "left_in_evaluation_mode",
        "exact_match",
        ((BACK, "        pass\n    # 6."),),
        "The model stays in evaluation mode: training goes on without dropout.",
        "Who calls model.train() after your examination?",
    ),
    Misconception(
        "end_is_enough",
        "exact_match",
        ((RIGHT, "decode_answer(text) is not None for text in written"),),
        "Every answer that is a number counts as right, whichever number it is.",
        "What is the answer compared with?",
    ),
    Misconception(
        "counted_not_shared",
        "exact_match",
        ((SHARE, " * 1.0\n"),),
        "The right answers are counted, and not divided by how many were asked.",
        "What is the result when all of 500 answers are right?",
    ),
)

NOT_WRITTEN = "What is no number is written neither as +0 nor as +1 or -1, so whichever stands for it is no answer."
NUMBER_OR = "number = int(plus + digits) if plus in ('+', '-') and digits.isdecimal() else "
EQUIVALENT = {
    "decode_answer: if not all((0 <= token < len(CHARACTERS) for token in ids[start:end])):  ->  "
    "if not all((-1 <= token < len(CHARACTERS) for token in ids[start:end])):": (
        "The character of -1 is the last one, a space, which no answer has."
    ),
    "exact_match: options = SamplingOptions(temperature=0.0, eos_id=END)  ->  "
    "options = SamplingOptions(temperature=-0.0, eos_id=END)": "0 has no sign.",
    f"decode_answer: {NUMBER_OR}0  ->  {NUMBER_OR}1": NOT_WRITTEN,
    f"decode_answer: {NUMBER_OR}0  ->  {NUMBER_OR}-1": NOT_WRITTEN,
}
