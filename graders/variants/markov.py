"""Right answers to markov, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "one_hot_rows_multiplied",
        """
def one_hot_rows(words, n):
    if any(not 0 <= word < n for word in words):
        raise ValueError("unknown word")
    return torch.eye(n)[list(words)].reshape(-1, n)


def normalised(counts):
    totals = counts.sum(-1, keepdim=True)
    return torch.where(totals > 0, counts / totals, torch.zeros(()))


def first_order(sequences, n):
    counts = torch.zeros(n, n)
    for text in sequences:
        rows = one_hot_rows(text, n)
        counts += rows[:-1].T @ rows[1:]
    return normalised(counts)


def second_order(sequences, n):
    counts = torch.zeros(n, n, n)
    for text in sequences:
        rows = one_hot_rows(text, n)
        counts += torch.einsum("ia,ib,ic->abc", rows[:-2], rows[1:-1], rows[2:])
    return normalised(counts).flatten(0, 1)


def pair_votes(sequences, n):
    counts = torch.zeros(n, n, n)
    for text in sequences:
        rows = one_hot_rows(text, n)
        stood = ((rows.cumsum(0) - rows) > 0).to(rows)
        counts += torch.einsum("ia,ib,ic->abc", stood[:-1], rows[:-1], rows[1:])
    return normalised(counts)


def masked_votes(sequence, votes, mask):
    if len(sequence) == 0:
        raise ValueError("nothing to follow")
    rows = one_hot_rows(sequence, len(mask)).to(votes)
    how_often = rows[:-1].sum(0) * mask
    return torch.einsum("a,b,abc->c", how_often, rows[-1], votes)


def skip_votes(sequence, votes):
    return masked_votes(sequence, votes, torch.ones(votes.shape[0], dtype=torch.bool))


def complete(prompt, transition, max_new_tokens):
    if len(prompt) == 0:
        raise ValueError("nothing to follow")
    state, text = one_hot_rows(prompt, len(transition))[-1].to(transition), [*prompt]
    for _ in range(max_new_tokens):
        shares = state @ transition
        if shares.sum() == 0:
            return text
        text += [shares.argmax().item()]
        state = torch.zeros_like(state)
        state[text[-1]] = 1
    return text
""",
    ),
    Variant(
        "plain_python",
        """
from collections import Counter, defaultdict


def refuse(sequences, n):
    for text in sequences:
        for word in text:
            if word < 0 or word >= n:
                raise ValueError(f"{word} is not in a vocabulary of {n}")


def as_table(following, keys, n):
    rows = []
    for key in keys:
        total = sum(following[key].values())
        rows.append([following[key][c] / total if total else 0.0 for c in range(n)])
    return torch.tensor(rows, dtype=torch.get_default_dtype())


def first_order(sequences, n):
    refuse(sequences, n)
    following = defaultdict(Counter)
    for text in sequences:
        for i in range(1, len(text)):
            following[text[i - 1]][text[i]] += 1
    return as_table(following, range(n), n)


def second_order(sequences, n):
    refuse(sequences, n)
    following = defaultdict(Counter)
    for text in sequences:
        for a, b, c in zip(text, text[1:], text[2:]):
            following[a, b][c] += 1
    return as_table(following, [(a, b) for a in range(n) for b in range(n)], n)


def pair_votes(sequences, n):
    refuse(sequences, n)
    following = defaultdict(Counter)
    for text in sequences:
        seen = set()
        for b, c in zip(text, text[1:]):
            for a in seen:
                following[a, b][c] += 1
            seen.add(b)
    return as_table(following, [(a, b) for a in range(n) for b in range(n)], n).reshape(n, n, n)


def skip_votes(sequence, votes):
    total = torch.zeros_like(votes[0, 0])
    if not sequence:
        raise ValueError("an empty text")
    refuse([sequence], len(votes))
    for word in sequence[:-1]:
        total = total + votes[word][sequence[-1]]
    return total


def masked_votes(sequence, votes, mask):
    if not sequence:
        raise ValueError("an empty text")
    refuse([sequence], len(votes))
    total = [0.0] * len(votes)
    for word in sequence[:-1]:
        if mask[word].item():
            total = [a + b for a, b in zip(total, votes[word, sequence[-1]].tolist())]
    return torch.tensor(total, dtype=votes.dtype)


def complete(prompt, transition, max_new_tokens):
    text, rows = list(prompt), transition.tolist()
    if not text:
        raise ValueError("an empty prompt")
    refuse([text], len(rows))
    while len(text) < len(prompt) + max_new_tokens and max(rows[text[-1]]) > 0:
        row = rows[text[-1]]
        text.append(row.index(max(row)))
    return text
""",
    ),
    Variant(
        "one_index_for_each_run",
        """
def checked(words, n):
    words = torch.tensor([*words], dtype=torch.long)
    if ((words < 0) | (words >= n)).any():
        raise ValueError("unknown word")
    return words


def shares_of(flat, *shape):
    counts = torch.bincount(torch.cat([torch.empty(0, dtype=torch.long), *flat]), minlength=math.prod(shape))
    counts = counts.reshape(shape).to(torch.get_default_dtype())
    return (counts / counts.sum(dim=-1, keepdim=True)).nan_to_num(0.0)


import math


def first_order(sequences, n):
    texts = [checked(text, n) for text in sequences]
    return shares_of([text[:-1] * n + text[1:] for text in texts], n, n)


def second_order(sequences, n):
    texts = [checked(text, n) for text in sequences]
    return shares_of([(text[:-2] * n + text[1:-1]) * n + text[2:] for text in texts], n * n, n)


def pair_votes(sequences, n):
    flat = []
    for text in [checked(text, n) for text in sequences]:
        for i in range(len(text) - 1):
            flat.append((text[:i].unique() * n + text[i]) * n + text[i + 1])
    return shares_of(flat, n, n, n)


def skip_votes(sequence, votes):
    if len(sequence) < 1:
        raise ValueError("no word")
    words = checked(sequence, votes.size(0))
    return votes[:, words[-1]].index_select(0, words[:-1]).sum(0)


def masked_votes(sequence, votes, mask):
    if len(sequence) < 1:
        raise ValueError("no word")
    words = checked(sequence, votes.size(0))
    return torch.where(mask[words[:-1], None], votes[words[:-1], words[-1]], 0.0).sum(0)


def complete(prompt, transition, max_new_tokens):
    if max_new_tokens == 0:
        check_last_word(prompt, len(transition))
        return list(prompt)
    text = complete(prompt, transition, max_new_tokens - 1)
    share, word = transition[text[-1]].max(dim=0)
    # A text that has ended is not written on, however often it is asked
    return text + [int(word)] if share > 0 else text
""",
    ),
    Variant(
        "index_put_and_a_mask_of_the_table",
        """
def first_order(sequences, n):
    counts = torch.zeros(n, n)
    for text in map(list, sequences):
        check_words(text, n)
        if len(text) > 1:
            at = torch.tensor(text[:-1]), torch.tensor(text[1:])
            counts.index_put_(at, torch.ones(len(text) - 1), accumulate=True)
    return counts / (counts.sum(1, keepdim=True) + (counts.sum(1, keepdim=True) == 0))


def second_order(sequences, n):
    table = torch.zeros(n * n, n)
    for text in sequences:
        check_words(text, n)
        for i, c in enumerate(text):
            if i >= 2:
                table[text[i - 2] * n + text[i - 1]][c] += 1
    for row in table:
        if row.sum():
            row /= row.sum().clone()
    return table


def pair_votes(sequences, n):
    counts = torch.zeros(n, n, n)
    for text in sequences:
        check_words(text, n)
        for a in range(n):
            if a in text:
                first = text.index(a)
                for i in range(first + 1, len(text) - 1):
                    counts[a, text[i], text[i + 1]] += 1
    return torch.nn.functional.normalize(counts, p=1, dim=-1)


def skip_votes(sequence, votes):
    check_last_word(sequence, votes.shape[0])
    how_often = torch.bincount(torch.tensor(sequence[:-1], dtype=torch.long), minlength=votes.shape[0])
    return how_often.to(votes.dtype) @ votes[:, sequence[-1], :]


def masked_votes(sequence, votes, mask):
    return skip_votes(sequence, votes * mask[:, None, None])


def complete(prompt, transition, max_new_tokens):
    check_last_word(prompt, transition.shape[0])
    likeliest = transition.argmax(dim=1).tolist()
    is_end = (transition == 0).all(dim=1).tolist()
    text = [*prompt]
    while max_new_tokens > 0 and not is_end[text[-1]]:
        text.append(likeliest[text[-1]])
        max_new_tokens -= 1
    return text
""",
    ),
)
