"""Right answers to sampling, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    # The filters
    Variant(
        "ranks_by_comparing_all_pairs",
        """
def places(logits):
    # how many tokens come before each one: those with a larger logit, and those of equal logit and lower id
    ids = torch.arange(logits.shape[-1])
    larger = logits.unsqueeze(1) > logits.unsqueeze(2)
    tie = (logits.unsqueeze(1) == logits.unsqueeze(2)) & (ids.unsqueeze(0) < ids.unsqueeze(1))
    return larger | tie


def greedy(logits):
    check_logits(logits)
    return (places(logits).sum(-1) == 0).long().argmax(-1)


def top_k_filter(logits, k):
    if k <= 0:
        raise ValueError(f"k must be positive, not {k}")
    return torch.where(places(logits).sum(-1) < k, logits, -torch.inf)


def top_p_filter(logits, p, min_tokens_to_keep=1):
    if not (p >= 0 and p <= 1) or min_tokens_to_keep <= 0:
        raise ValueError(f"p must be from 0 to 1 and min_tokens_to_keep positive, not {p} and {min_tokens_to_keep}")
    check_logits(logits)
    before = places(logits)
    mass_before = (before * logits.softmax(-1).unsqueeze(1)).sum(-1)
    keep = (mass_before < p) | (before.sum(-1) < min_tokens_to_keep) | (p == 1)
    return torch.where(keep, logits, -torch.inf)
""",
    ),
    Variant(
        "lists_and_sorted",
        """
import math


def filtered(logits, n_kept):
    rows = []
    for row in logits.tolist():
        ids = sorted(range(len(row)), key=lambda i: (-row[i], i))
        kept = set(ids[: n_kept([row[i] for i in ids])])
        rows.append([value if i in kept else -math.inf for i, value in enumerate(row)])
    return torch.tensor(rows, dtype=logits.dtype).reshape(logits.shape)


def top_k_filter(logits, k):
    if k < 1:
        raise ValueError(f"expected k >= 1, got {k}")
    return filtered(logits, lambda ordered: k)


def top_p_filter(logits, p, min_tokens_to_keep=1):
    if math.isnan(p) or p < 0 or p > 1:
        raise ValueError(f"expected 0 <= p <= 1, got {p}")
    if min_tokens_to_keep < 1:
        raise ValueError(f"expected min_tokens_to_keep >= 1, got {min_tokens_to_keep}")

    def n_kept(ordered):
        if ordered[0] == -math.inf:
            raise ValueError("expected a finite logit in every row")
        powers = [math.exp(value - ordered[0]) for value in ordered]
        total, n = 0.0, 0
        while n < len(powers) and (total < p or n < min_tokens_to_keep or p == 1):
            total += powers[n] / sum(powers)
            n += 1
        return n

    return filtered(logits, n_kept)


def greedy(logits):
    check_logits(logits)
    return torch.tensor([row.index(max(row)) for row in logits.tolist()], dtype=torch.long)


def apply_frequency_penalty(logits, tokens, penalty):
    out = logits.clone()
    for row, ids in enumerate(tokens.tolist()):
        for token in ids:
            if token not in range(logits.shape[1]):
                raise ValueError(f"{token} is not in the vocabulary")
            out[row, token] = out[row, token] - penalty
    return out
""",
    ),
    Variant(
        "largest_taken_one_by_one",
        """
def greedy(logits):
    check_logits(logits)
    return logits.max(dim=1).indices


def top_k_filter(logits, k):
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    left, kept = logits.clone(), torch.full_like(logits, float("-inf"))
    for _ in range(min(k, logits.shape[1])):
        best = left.argmax(dim=1, keepdim=True)
        kept.scatter_(1, best, logits.gather(1, best))
        left.scatter_(1, best, float("-inf"))
    return kept


def top_p_filter(logits, p, min_tokens_to_keep=1):
    check_logits(logits)
    if not 0 <= p <= 1:
        raise ValueError(f"p must be a probability, got {p}")
    if min_tokens_to_keep < 1:
        raise ValueError(f"min_tokens_to_keep must be at least 1, got {min_tokens_to_keep}")
    if p == 1:
        return logits + 0
    left, probabilities = logits.clone(), logits.softmax(dim=1)
    kept, mass = torch.full_like(logits, float("-inf")), torch.zeros(len(logits), 1, dtype=logits.dtype)
    for n in range(logits.shape[1]):
        best = left.argmax(dim=1, keepdim=True)
        joins = (mass < p) | (n < min_tokens_to_keep)
        kept = torch.where(joins, kept.scatter(1, best, logits.gather(1, best)), kept)
        left = left.scatter(1, best, float("-inf"))
        mass = mass + probabilities.gather(1, best)
    return kept
""",
    ),
    Variant(
        "sorted_mask_scattered_back",
        """
from torch.nn import functional as F


def apply_temperature(logits, temperature):
    if not (temperature > 0 and temperature != torch.inf):
        raise ValueError(f"temperature must be positive, got {temperature}")
    return logits * (1 / temperature)


def apply_frequency_penalty(logits, tokens, penalty):
    d_vocab = logits.size(-1)
    if ((tokens < 0) | (tokens >= d_vocab)).any():
        raise ValueError(f"token ids must lie in [0, {d_vocab})")
    return logits - penalty * F.one_hot(tokens, d_vocab).sum(dim=1).to(logits.dtype)


def top_k_filter(logits, k):
    if k < 1:
        raise ValueError("k must be at least 1")
    values, ids = torch.sort(logits, descending=True, stable=True)
    empty = torch.full(logits.shape, float("-inf"), dtype=logits.dtype)
    return empty.scatter(-1, ids[:, :k], values[:, :k])


def top_p_filter(logits, p, min_tokens_to_keep=1):
    if not 0.0 <= p <= 1.0 or min_tokens_to_keep < 1:
        raise ValueError("p must be in [0, 1] and min_tokens_to_keep at least 1")
    check_logits(logits)
    values, ids = torch.sort(logits, descending=True, stable=True)
    probabilities = F.softmax(values, dim=-1)
    cut = probabilities.cumsum(dim=-1) - probabilities >= p
    cut[:, :min_tokens_to_keep] = False
    if p == 1.0:
        cut[:] = False
    return logits.masked_fill(torch.zeros_like(cut).scatter(-1, ids, cut), float("-inf"))
""",
    ),
    Variant(
        "ascending_sort_turned_round",
        """
def top_p_filter(logits, p, min_tokens_to_keep=1):
    if not 0 <= p <= 1:
        raise ValueError("p is not a probability")
    if min_tokens_to_keep < 1:
        raise ValueError("min_tokens_to_keep is not positive")
    check_logits(logits)
    out = logits.clone()
    for row in out if p < 1 else []:
        ids = row.flip(0).sort(stable=True).indices  # places in the reversed row
        ids = (len(row) - 1 - ids).flip(0)
        mass = row.softmax(0)[ids].cumsum(0)
        enough = max(int(torch.searchsorted(mass, torch.tensor(p, dtype=mass.dtype))) + 1, min_tokens_to_keep)
        row[ids[enough:]] = -torch.inf
    return out
""",
    ),
    # The draw
    Variant(
        "inverse_of_the_distribution",
        """
def sample(logits, generator):
    check_logits(logits)
    cumulative = logits.softmax(dim=-1).cumsum(dim=-1)
    chance = torch.rand(len(logits), 1, generator=generator, dtype=logits.dtype) * cumulative[:, -1:]
    return torch.searchsorted(cumulative, chance, right=True).clamp(max=logits.shape[1] - 1).squeeze(1)
""",
    ),
    Variant(
        "gumbel_noise",
        """
def sample(logits, generator):
    check_logits(logits)
    race = torch.empty_like(logits).exponential_(generator=generator)
    return (logits - race.log()).argmax(dim=-1)
""",
    ),
    Variant(
        "softmax_by_hand",
        """
def sample(logits, generator):
    if (logits == -torch.inf).all(dim=1).any():
        raise ValueError("nothing to draw from")
    weights = (logits - logits.max(dim=1, keepdim=True).values).exp()
    return torch.multinomial(weights / weights.sum(1, keepdim=True), 1, generator=generator)[:, 0]
""",
    ),
    # The next token, and texts
    Variant(
        "filters_in_a_list",
        """
import functools


def next_token(logits, tokens, options, generator):
    if options.temperature == 0:
        return greedy(apply_frequency_penalty(logits, tokens, options.frequency_penalty))
    steps = [lambda x: apply_frequency_penalty(x, tokens, options.frequency_penalty)]
    steps += [lambda x: apply_temperature(x, options.temperature)]
    steps += [lambda x: top_k_filter(x, options.top_k)] if options.top_k is not None else []
    steps += [lambda x: top_p_filter(x, options.top_p)] if options.top_p is not None else []
    return sample(functools.reduce(lambda x, step: step(x), steps, logits), generator)
""",
    ),
    Variant(
        "no_step_without_need",
        """
def next_token(logits, tokens, options, generator):
    scaled = logits
    if options.frequency_penalty != 0:
        scaled = apply_frequency_penalty(scaled, tokens, options.frequency_penalty)
    if options.temperature == 0:
        return greedy(scaled)
    if options.temperature != 1:
        scaled = apply_temperature(scaled, options.temperature)
    scaled = scaled if options.top_k is None else top_k_filter(scaled, options.top_k)
    scaled = scaled if options.top_p is None else top_p_filter(scaled, options.top_p)
    return sample(scaled, generator)
""",
    ),
    Variant(
        "buffer_filled_in",
        """
@torch.inference_mode()
def generate(model, prompt, max_new_tokens, options, generator):
    batch, seq = prompt.shape
    if seq == 0:
        raise ValueError("expected a prompt of at least one token")
    check_tokens(prompt, model.cfg.d_vocab)
    end = -1 if options.eos_id is None else options.eos_id
    text = torch.cat([prompt, torch.full((batch, max_new_tokens), end)], dim=1)
    n = seq
    while n < seq + max_new_tokens:
        logits = model(text[:, max(0, n - model.cfg.n_ctx) : n])[:, -1, :]
        ended = (text[:, seq:n] == end).any(dim=1)
        text[:, n] = torch.where(ended, end, next_token(logits, text[:, :n], options, generator))
        n += 1
        if (text[:, seq:n] == end).any(dim=1).all():
            break
    return text[:, :n].clone()
""",
    ),
    Variant(
        "one_token_then_the_rest",
        """
def generate(model, prompt, max_new_tokens, options, generator):
    if not prompt.shape[1]:
        raise ValueError("the prompt has no token")
    check_tokens(prompt, model.cfg.d_vocab)
    return longer(model, prompt, max_new_tokens, options, generator, [False] * len(prompt))


def longer(model, text, steps, options, generator, ended):
    if steps == 0 or (ended and all(ended)):
        return text.clone()
    with torch.no_grad():
        logits = model(text[:, -min(model.cfg.n_ctx, text.shape[1]):])
    new = next_token(logits[:, -1].clone(), text, options, generator).tolist()
    if options.eos_id is not None:
        new = [options.eos_id if over else token for token, over in zip(new, ended)]
        ended = [token == options.eos_id for token in new]
    text = torch.cat([text, torch.tensor(new, dtype=text.dtype).reshape(-1, 1)], dim=1)
    return longer(model, text, steps - 1, options, generator, ended)
""",
    ),
)
