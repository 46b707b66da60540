"""Right answers to arithmetic, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "regular_expressions",
        """
import re


def encode_problem(a, operator, b, reverse_answer):
    check_problem(a, operator, b)
    answer = int.__add__(a, b) if operator == "+" else a - b if operator == "-" else a * b
    digits = str(abs(answer))
    text = str(a).zfill(N_DIGITS) + operator + str(b).zfill(N_DIGITS)
    text += ("<" + "+-"[answer < 0] + digits[::-1]) if reverse_answer else "=" + format(answer, "+d")
    text += "."
    if len(text) > N_TOKENS:
        raise ValueError("too long: " + text)
    table = {character: i for i, character in enumerate(CHARACTERS)}
    row = torch.full((N_TOKENS,), PAD)
    row[: len(text)] = torch.tensor([table[character] for character in text])
    return row


def decode_answer(tokens):
    text = "".join(CHARACTERS[i] if 0 <= i < len(CHARACTERS) else "?" for i in tokens.tolist())
    found = re.match(r"[^=<]*(?:=([+-])(0|[1-9]\\d*)|<([+-])(0|\\d*[1-9]))\\.", text)
    if found is None:
        return None
    plus, digits = (found[1], found[2]) if found[2] is not None else (found[3], found[4][::-1])
    return None if plus + digits == "-0" else int(plus + digits)
""",
    ),
    Variant(
        "loops",
        """
def answer_mask(tokens):
    check_rows(tokens)
    mask = torch.zeros_like(tokens, dtype=torch.bool)
    for row, ids in enumerate(tokens.tolist()):
        place = next(i for i, token in enumerate(ids) if token in (FORWARDS, BACKWARDS)) + 1
        while place < len(ids):
            mask[row, place] = ids[place] != PAD
            if ids[place] == END:
                break
            place += 1
    return mask


def answer_loss(logits, tokens, mask):
    if logits.ndim != 3 or tokens.shape != logits.shape[:2] or mask.shape != tokens.shape:
        raise ValueError("shapes")
    if mask[:, 0].any() or not mask.any():
        raise ValueError("marks")
    surprises = []
    for row, place in mask.nonzero().tolist():
        log_probs = logits[row, place - 1].log_softmax(dim=-1)
        surprises.append(-log_probs[tokens[row, place]])
    return torch.stack(surprises).mean()


def exact_match(model, problems):
    check_rows(problems)
    right = []
    was_training = model.training
    options = SamplingOptions(temperature=0.0)
    if any(decode_answer(row) is None for row in problems):
        raise ValueError("no answer")
    if len({max(map(row.tolist().index, {FORWARDS, BACKWARDS} & set(row.tolist()))) for row in problems}) > 1:
        raise ValueError("signs at different places")
    try:
        model.eval()
        for row in problems:
            signs = (row == FORWARDS) | (row == BACKWARDS)
            prompt = row[: signs.tolist().index(True) + 1]
            text = generate(model, prompt[None], len(row) - len(prompt), options, None)[0]
            right.append(decode_answer(text) == decode_answer(row))
    finally:
        model.train(was_training)
    return sum(right) / len(right)
""",
    ),
    Variant(
        "multiplied_by_the_mask",
        """
def answer_mask(tokens):
    check_rows(tokens)
    places = torch.arange(tokens.shape[1])
    is_sign = (tokens == FORWARDS) | (tokens == BACKWARDS)
    start = is_sign.int().argmax(dim=1, keepdim=True)
    is_end = (tokens == END) & (places > start)
    last = torch.where(is_end.any(dim=1, keepdim=True), is_end.int().argmax(dim=1, keepdim=True), tokens.shape[1])
    return (places > start) & (places <= last) & (tokens != PAD)


def answer_loss(logits, tokens, mask):
    if logits.ndim != 3 or tokens.shape != logits.shape[:2] or mask.shape != tokens.shape:
        raise ValueError("shapes")
    if mask[:, 0].any() or mask.sum() == 0:
        raise ValueError("marks")
    log_probs = logits[:, :-1].log_softmax(dim=-1)
    surprise = -log_probs.gather(-1, tokens[:, 1:, None])[..., 0]
    weight = mask[:, 1:].to(logits.dtype)
    return (surprise * weight).sum() / weight.sum()


def exact_match(model, problems):
    check_rows(problems)
    is_answer = answer_mask(problems)
    if any(decode_answer(row) is None for row in problems) or is_answer.int().argmax(dim=1).unique().numel() > 1:
        raise ValueError("no answer, or at different places")
    was_training = model.training
    model.eval()
    n_right = 0.0
    try:
        for row, mask in zip(problems, is_answer):
            prompt = row[: mask.int().argmax()].unsqueeze(0)
            written = prompt
            while written.shape[1] < len(row) and (written.shape == prompt.shape or written[0, -1] != END):
                with torch.no_grad():
                    new = model(written)[:, -1].argmax(dim=-1, keepdim=True)
                written = torch.cat([written, new], dim=1)
            answer = row[mask]
            n_right += torch.equal(written[0, prompt.shape[1] :], answer)
    finally:
        model.train(was_training)
    return n_right / len(problems)
""",
    ),
)
