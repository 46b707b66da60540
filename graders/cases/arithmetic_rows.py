"""Problems as rows of ids, texts that are answers or none, and models whose answers are known: cases for arithmetic."""

import re

import torch
from torch import Tensor

from graders.engine.script import probe
from graders.engine.space import Case, fixed, given_case, space

CHARACTERS = "0123456789+-x=<. "
N_DIGITS, N_TOKENS = 4, 18
SURE = 40.0  # a logit that no sum of tenths comes near
AXES = {"tokens": "batch seq", "mask": "batch seq", "logits": "batch seq d_vocab", "problems": "n seq"}
# How an answer is written, after the last row's sign: forwards and backwards
ANSWERS = {"=": re.compile(r"([+-])(0|[1-9][0-9]*)\."), "<": re.compile(r"([+-])(0|[0-9]*[1-9])\.")}


def ids(*texts: str, seq: int = 0) -> Tensor:
    """Texts as rows of ids, padded to `seq` tokens or to the longest: batch seq."""
    width = max(seq, *map(len, texts))
    return torch.tensor([[CHARACTERS.index(c) for c in text.ljust(width)] for text in texts])


def text_of(a: int, operator: str, b: int, reverse_answer: bool = False) -> str:
    """A problem with its answer as it should be written, by Python's own arithmetic."""
    answer = {"+": int.__add__, "-": int.__sub__, "x": int.__mul__}[operator](a, b)
    problem = str(a).rjust(N_DIGITS, "0") + operator + str(b).rjust(N_DIGITS, "0")
    if not reverse_answer:
        return f"{problem}={answer:+}."
    return f"{problem}<{'+-'[answer < 0]}{''.join(reversed(str(abs(answer))))}."


def problem_case(expected: str, a: int, operator: str, b: int, reverse_answer: bool) -> Case:
    """A problem that is not drawn, and the text that its row spells."""
    return given_case(expected, a=a, operator=operator, b=b, reverse_answer=reverse_answer)


def number_in(text: str) -> int | None:
    """The answer in a text by a regular expression; None where there is none."""
    sign = re.search("[=<]", text)
    found = ANSWERS[sign[0]].match(text, sign.end()) if sign else None
    if not sign or not found or found[0] == "-0.":
        return None
    return int(found[1] + (found[2] if sign[0] == "=" else found[2][::-1]))


def number_drawn(case: Case, digits: int) -> int:
    """A number of at most so many digits; every third one a round one, or 0."""
    number = int(case.draw_integers(10**digits))
    return number // 10 * 10 if number % 3 == 0 else number


@space(a_digits=(1, 4, 1), b_digits=(1, 4, 1), operator=(0, 2, 0), order=(0, 1, 0))
def problems(case, a_digits, b_digits, operator, order):
    """Problems whose answers fit: sums, differences on either side of 0, products."""
    case.show("a", number_drawn(case, a_digits))
    case.show("operator", "+-x"[operator])
    case.show("b", number_drawn(case, min(b_digits, 2) if operator == 2 else b_digits))
    case.show("reverse_answer", bool(order))
    case.problem = (case.a, case.operator, case.b, case.reverse_answer)


@space(answer=(0, 7, 2), after=(0, 3, 0), order=(0, 1, 0))
def written(case, answer, after, order):
    """What a model may have written: a problem, then characters of which most are digits, then anything."""
    kind = case.draw_integers(8, answer).tolist()
    places = case.draw_integers(17, 2, max(answer, after)).tolist()
    body = "".join(CHARACTERS[place if k == 0 else place % 10] for place, k in zip(places[0], kind, strict=False))
    plus, end = ("-", "+", "+", "")[case.seed % 4], "." * (case.seed % 5 != 0)
    rest = "".join(CHARACTERS[place] for place in places[1][:after])
    case.show("text", f"{'8-9' * (case.seed % 2)}{'=<'[order]}{plus}{body}{end}{rest}")
    case.show("tokens", ids(case.text)[0], seq=len(case.text))


@fixed
def answers_and_none(where):
    """Texts whose answers are plain to see, and texts that have none, each for a reason of its own."""
    said = {
        42: ("12+30=+42.", "12+30=+42.....", "12+30<+24. 7=+1.", "12+30=+42. 7<+1."),
        -18: ("12-30=-18.", "12-30<-81."),
        0: ("5-5=+0.", "5-5<+0."),
        10: ("8+2<+01.", "8+2=+10."),
        7: ("1.5=+7.", "=+7.", ".<+7.=+8."),
        100: ("=+100.", "<+001."),
        None: (
            *("12+30=+42", "12+30=", "12+30=.", "42.", "=-.", "<-.", "=+.", "=042.", "=42.", "<24.", "=+042."),
            *("<+240.", "=-0.", "<-0.", "=+00.", "=4+2.", "=+4+2.", "=+4 2.", "= +42.", "=+42 .", "=--4.", "=++4."),
            *("=4-.", "<81-.", "=+4=+2.", "<+4=.", "=+4x.", "=x.", "=x4.", "=4.2.", "<42+."),
        ),
    }
    texts = [(text, number) for number, texts in said.items() for text in texts]
    return [given_case(number, AXES, text=text, tokens=ids(text)[0]) for text, number in texts]


@fixed
def unknown_ids(where):
    """Ids that stand for no character: in the answer they spoil it, before its sign and after its end they do not."""
    seven = ids("1+6=+7.")[0]
    return [
        given_case(number, AXES, tokens=torch.cat([seven[:place], torch.tensor([token]), seven[place:]]))
        for place, number in ((6, None), (5, None), (4, None), (0, 7), (2, 7), (7, 7))
        for token in (-1, -10, 17, 99)
    ]


@space(batch=(1, 4), a_digits=(1, 4, 1), b_digits=(1, 3, 1), spoilt=(0, 3, 0))
def rows(case, batch, a_digits, b_digits, spoilt):
    """Rows with answers of different lengths, in either order; some as a model leaves them."""
    texts = []
    for row in range(batch):
        turn = case.seed + row
        text = text_of(number_drawn(case, a_digits), "+-x"[turn % 3], number_drawn(case, b_digits), turn % 2 == 0)
        if spoilt == 1 and turn % 3 == 0:
            text = text[:-1]  # no end
        elif spoilt == 2:
            text = text.ljust(N_TOKENS, ".") if turn % 2 else f".{text}4.=+2"
        elif spoilt == 3:
            drawn = case.draw_integers(17, 2, 4).tolist()  # spaces and either sign among them
            body, rest = ("".join(CHARACTERS[token] for token in tokens) for tokens in drawn)
            sign, other = "=<" if turn % 2 else "<="
            text = f"1+6{sign}{body}{' ' * (turn % 3 == 0)}7{other * (turn % 3 == 1)}.{rest}"
        texts.append(text)
    case.show("texts", texts)
    case.show("tokens", ids(*texts), batch=batch, seq=max(map(len, texts)))
    case.marks = torch.tensor([marks(text.ljust(case.tokens.shape[1])) for text in texts])


def marks(text: str) -> list[bool]:
    """For each character of a text, whether it belongs to the answer: read from left to right."""
    found, state = [], "before"
    for character in text:
        found.append(state == "within" and character != " ")
        if state == "before" and character in "=<":
            state = "within"
        elif state == "within" and character == ".":
            state = "after"
    return found


@space(batch=(1, 3), seq=(2, 6), d_vocab=(2, 5), share=(1, 3))
def scored(case, batch, seq, d_vocab, share):
    """Logits, tokens, and a mask that marks at least one token and no row's first; some rows may have no mark."""
    case.tensor("logits", batch=batch, seq=seq, d_vocab=d_vocab)
    case.integers("tokens", below=d_vocab, batch=batch, seq=seq)
    mask = case.draw_integers(4, batch, seq) < share
    mask[:, 0] = False
    mask[case.seed % batch, 1 + case.seed % (seq - 1)] = True
    case.show("mask", mask, batch=batch, seq=seq)


@space(n=(1, 5), a_digits=(1, 2, 1), b_digits=(1, 2, 1), wavering=(0, 2, 0))
def asked(case, n, a_digits, b_digits, wavering):
    """Problems, some with the same answer, and a model that writes the answer to one of them.

    What it writes depends on the place alone, or, where it wavers, also on what it has read.
    """
    a, b = (number_drawn(case, digits) for digits in (a_digits, b_digits))
    same = [(a, "+", b), (b, "+", a), (a + b, "x", 1), (a + b + 1, "-", 1), (a, "-", b)]
    chosen = [(*same[turn % 5], turn % 3 > 0) for turn in range(case.seed, case.seed + n)]
    texts = [text_of(*problem) for problem in chosen]
    width = max(map(len, texts)) + case.seed % 3
    case.show("texts", texts)
    case.show("problems", ids(*texts, seq=width), n=n, seq=width)
    case.table = case.draw(17, 17).clamp(-2, 2) * wavering
    case.places = SURE / 4 * spelled(texts[case.seed % n], width) + 0.0137 * torch.arange(17, dtype=torch.float64)
    case.model = probe("toy", table=case.table, places=case.places)


def spelled(text: str, n_ctx: int) -> Tensor:
    """A table of places that writes the answer of this text: n_ctx 17."""
    places = torch.zeros(n_ctx, 17, dtype=torch.float64)
    start = max(map(text.find, "=<"))
    for place, token in enumerate(ids(text)[0].tolist()[start + 1 :], start):
        places[place, token] = 1
    return places


def speaker(text: str, n_ctx: int = N_TOKENS) -> dict:
    """A model that writes the answer of this text, whatever it reads."""
    return probe("toy", table=torch.zeros(17, 17, dtype=torch.float64), places=SURE * spelled(text, n_ctx))
