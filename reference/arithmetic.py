"""Arithmetic: problems as texts, so that a transformer can be trained to write the answers.

"0012+0030=+42." is a text, and a model that predicts next characters can be asked to go on after the "=". It learns
from the answer only, it is right only if every character of the answer is, and it finds sums easier when the last
digit is written first, since that is the order in which carries are known.

Sources: Nogueira et al., "Investigating the Limitations of Transformers with Simple Arithmetic Tasks", 2021, for how
numbers are written; Lee et al., "Teaching Arithmetic to Small Transformers", 2023, section 3, for answers that are
written in reverse.
"""

from typing import Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from reference.sampling import LanguageModel, SamplingOptions, generate

CHARACTERS = "0123456789+-x=<. "  # a character's id is its place in here
FORWARDS, BACKWARDS = CHARACTERS.index("="), CHARACTERS.index("<")  # what comes before an answer, and says its order
END, PAD = CHARACTERS.index("."), CHARACTERS.index(" ")
N_DIGITS = 4  # of each number of a problem, zeros before a shorter one
N_TOKENS = 18  # in a row: a problem, its answer, the end, and padding
OPERATORS = ("+", "-", "x")


class TrainedModel(LanguageModel, Protocol):
    """A language model that has a mode: `GPT`, for one."""

    training: bool

    def train(self, mode: bool = True) -> object: ...

    def eval(self) -> object: ...


def check_problem(a: int, operator: str, b: int) -> None:
    """Refuse, with a `ValueError`, an operator that is none of ours, and numbers below 0 or of too many digits."""
    if operator not in OPERATORS:
        raise ValueError(f"the operator is {operator!r}; expected one of {', '.join(OPERATORS)}")
    if min(a, b) < 0 or max(a, b) >= 10**N_DIGITS:
        raise ValueError(f"the problem is {a} {operator} {b}; expected numbers from 0 to {10**N_DIGITS - 1}")


def check_rows(tokens: Int[Tensor, "batch seq"]) -> None:
    """Refuse, with a `ValueError`, what is no batch, no rows, and a row without the sign before its answer."""
    if tokens.ndim != 2 or len(tokens) == 0:
        raise ValueError(f"the problems have shape {tuple(tokens.shape)}; expected (batch, seq), with at least one row")
    signs = (tokens == FORWARDS) | (tokens == BACKWARDS)
    for row, has_sign in enumerate(signs.any(dim=1).tolist()):
        if not has_sign:
            raise ValueError(f"row {row} has neither a = nor a <; expected the sign after which its answer stands")


def encode_problem(a: int, operator: str, b: int, reverse_answer: bool) -> Int[Tensor, "n_tokens"]:
    """A problem and its answer as one row of `N_TOKENS` ids, padded on the right.

    It is the text "0012+0030=+42.": the two numbers with `N_DIGITS` digits each, zeros before them, the operator (one
    of `+`, `-`, `x`) between them, `=`, the answer, the end `.`, and then as many spaces as fit. The answer is `-` if
    it is below 0 and else `+`, and its digits without zeros before them; so digits that belong together have fixed
    places. With `reverse_answer`, `<` stands in the place of `=`, and the answer's digits are written from the last to
    the first; its `+` or `-` still comes first: "0012-0030<-81.".

    Raises `ValueError`, as `check_problem` does, and when the text with its end has more than `N_TOKENS` characters.
    Source: Lee et al. 2023, section 3.
    """
    # 1. Refuse what is no problem
    check_problem(a, operator, b)
    # 2. The answer: a number
    answer = {"+": a + b, "-": a - b, "x": a * b}[operator]
    # 3. Its plus or minus, and its digits in the order in which they are written
    plus, digits = "-" if answer < 0 else "+", str(abs(answer))
    if reverse_answer:
        digits = digits[::-1]
    # 4. The whole text with its end; refuse one that is longer than a row
    text = f"{a:0{N_DIGITS}}{operator}{b:0{N_DIGITS}}{'<' if reverse_answer else '='}{plus}{digits}."
    if len(text) > N_TOKENS:
        raise ValueError(f"{text} has {len(text)} characters; expected at most {N_TOKENS}")
    # 5. The id of each character, and padding after them: n_tokens
    return torch.tensor([CHARACTERS.index(character) for character in text.ljust(N_TOKENS)])


def decode_answer(tokens: Int[Tensor, "seq"]) -> int | None:
    """The number that a row gives as its answer; None when what stands there is no answer.

    The answer is what stands between the first `=` or `<` and the first end after it; that sign says in which order
    the digits are. It counts only when it is written as `encode_problem` writes a number: `+` or `-`, digits with no
    zero too many, and nothing else. So "=42.", "=+042.", "=-0.", "=+4+2.", "=+." are no answers, nor is one whose end
    is missing, nor any in a row without `=` and `<`, nor one with an id that stands for no character. What comes
    before the sign or after the end does not matter. Whatever a model has written, nothing is raised.
    """
    ids = tokens.tolist()
    # 1. Where the sign stands: the place of the first; without one there is no answer
    start = next((place for place, token in enumerate(ids) if token in (FORWARDS, BACKWARDS)), None)
    # 2. Where the end stands that comes after it; without one the answer is cut off
    if start is None or END not in ids[start:]:
        return None
    end = ids.index(END, start)
    # 3. The characters in between; one that there is not ends it
    if not all(0 <= token < len(CHARACTERS) for token in ids[start:end]):
        return None
    text = "".join(CHARACTERS[token] for token in ids[start + 1 : end])
    # 4. Its plus or minus, and its digits from the first to the last
    plus, digits = text[:1], text[1:]
    if ids[start] == BACKWARDS:
        digits = digits[::-1]
    # 5. The number, if this is how it is written
    number = int(plus + digits) if plus in ("+", "-") and digits.isdecimal() else 0
    return number if f"{number:+}" == plus + digits else None


def answer_mask(tokens: Int[Tensor, "batch seq"]) -> Bool[Tensor, "batch seq"]:
    """True at every token of each row's answer, its end included, and False at all others.

    The answer begins after the row's first `=` or `<`, which does not belong to it, and ends with the first end after
    that. Padding never belongs to it, nor does what comes after the end. `tokens` is not changed. Raises `ValueError`,
    as `check_rows` does, without any row and for a row that has neither sign.
    """
    # 1. Refuse what has no answers
    check_rows(tokens)
    # 2. How many signs stand before each token, itself left out: batch seq
    is_sign = (tokens == FORWARDS) | (tokens == BACKWARDS)
    signs_before = is_sign.cumsum(dim=1) - is_sign.int()
    # 3. How many ends of the answer stand before it: batch seq
    is_end = (tokens == END) & (signs_before > 0)
    ends_before = is_end.cumsum(dim=1) - is_end.int()
    # 4. After the sign, not after the end, and no padding: batch seq
    return (signs_before > 0) & (ends_before == 0) & (tokens != PAD)


def answer_loss(
    logits: Float[Tensor, "batch seq d_vocab"], tokens: Int[Tensor, "batch seq"], mask: Bool[Tensor, "batch seq"]
) -> Float[Tensor, ""]:
    """The mean surprise, in nats, at the tokens that `mask` marks, each predicted one position earlier.

    The logits at position i are about the token at position i + 1, so the first character of an answer is predicted at
    the sign before it. Every marked token of the batch weighs the same, in a long answer or a short one. Gradients
    flow through it, and are zero at every position that predicts nothing marked. Nothing is changed.

    Raises `ValueError` when shapes do not fit, when nothing is marked, and when the first token of a row is marked,
    which nothing predicts.
    """
    # 1. Refuse what cannot be scored
    if logits.ndim != 3 or tokens.shape != logits.shape[:2] or mask.shape != tokens.shape:
        shapes = f"logits have shape {tuple(logits.shape)}, tokens {tuple(tokens.shape)}, mask {tuple(mask.shape)}"
        raise ValueError(f"{shapes}; expected (batch, seq, d_vocab), (batch, seq) and (batch, seq)")
    if not mask.any():
        raise ValueError("the mask marks no token; expected at least one to learn from")
    if mask[:, 0].any():
        raise ValueError("the mask marks the first token of a row; expected tokens with one before them")
    # 2. What is predicted, and where: the marks one position earlier: batch seq-1
    is_scored = mask[:, 1:]
    # 3. The logits of these positions, and the tokens that come after them: marked d_vocab, and marked
    predictions, targets = logits[:, :-1][is_scored], tokens[:, 1:][is_scored]
    # 4. The mean surprise: a single number
    return nn.functional.cross_entropy(predictions, targets)


def exact_match(model: TrainedModel, problems: Int[Tensor, "n seq"]) -> float:
    """The share of problems that a model answers right: a plain float from 0 to 1.

    Each row of `problems` has a problem and its answer, as `encode_problem` writes them. The model reads it up to its
    `=` or `<`, without the answer, and continues greedily (temperature 0) until it writes the end, or until the row's
    `seq` tokens are full. It is right when `decode_answer` reads the same number there as in the row itself; an answer
    that is cut off or is none is wrong.

    The model answers in evaluation mode, without gradients, and is left in the mode it was in, also when something is
    raised. `problems` is not changed. Raises `ValueError`, as `check_rows` does, without any row and for a row that
    has neither sign, when the answer of a row is none, and when the signs of two rows stand at different places.
    """
    # 1. Refuse what cannot be asked: no rows, rows without a sign, and rows that do not say what is right
    check_rows(problems)
    answers = [decode_answer(row) for row in problems]
    if None in answers:
        raise ValueError(f"row {answers.index(None)} has no answer to compare with; expected what encode_problem made")
    # 2. How long the prompts are, their signs included; refuse several lengths: one number
    lengths = set((((problems == FORWARDS) | (problems == BACKWARDS)).int().argmax(dim=1) + 1).tolist())
    if len(lengths) > 1:
        raise ValueError(f"the prompts have {sorted(lengths)} tokens; expected the same number in every row")
    length = lengths.pop()
    # 3. Into evaluation mode; remember which it was
    was_training = model.training
    model.eval()
    try:
        # 4. All prompts, continued until they end or are as long as the rows: n seq, or fewer
        options = SamplingOptions(temperature=0.0, eos_id=END)
        written = generate(model, problems[:, :length], problems.shape[1] - length, options, None)
    # 5. Back into that mode, whatever happened
    finally:
        model.train(was_training)
    # 6. The share of rows with the right number
    return sum(decode_answer(text) == answer for text, answer in zip(written, answers, strict=True)) / len(answers)
