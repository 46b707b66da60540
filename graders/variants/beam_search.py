"""Right answers to beam search, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    # extend_beams
    Variant(
        "triples_sorted",
        """
def extend_beams(sums, log_probs, n_beams):
    if n_beams <= 0:
        raise ValueError(f"cannot keep {n_beams} beams")
    table = sums[:, None] + log_probs
    triples = [(-x, b, t) for b, row in enumerate(table.tolist()) for t, x in enumerate(row)]
    kept = sorted(triples)[:n_beams]
    beams = torch.tensor([b for _, b, _ in kept], dtype=torch.long)
    tokens = torch.tensor([t for _, _, t in kept], dtype=torch.long)
    return table[beams, tokens], beams, tokens
""",
    ),
    Variant(
        "best_taken_one_by_one",
        """
def extend_beams(sums, log_probs, n_beams):
    if n_beams < 1:
        raise ValueError("n_beams must be at least 1")
    flat = (log_probs + sums.view(-1, 1)).reshape(-1)
    taken = []
    for _ in range(min(n_beams, flat.numel())):
        left = [i for i in range(flat.numel()) if i not in taken]
        taken.append(max(left, key=lambda i: (flat[i].item(), -i)))
    taken = torch.tensor(taken, dtype=torch.long)
    return flat[taken], taken.div(log_probs.size(1), rounding_mode="floor"), taken.remainder(log_probs.size(1))
""",
    ),
    Variant(
        "each_beam_s_best_first",
        """
def extend_beams(sums, log_probs, n_beams):
    # no beam can give more than n_beams of the best, so that the rest of its row need not be compared
    if n_beams < 1:
        raise ValueError("n_beams must be at least 1")
    ordered, tokens = (sums[:, None] + log_probs).sort(dim=1, descending=True, stable=True)
    ordered, tokens = ordered[:, :n_beams], tokens[:, :n_beams]
    beams = torch.arange(len(sums))[:, None].expand_as(tokens)
    places = ordered.flatten().neg().sort(stable=True).indices[:n_beams]
    return tuple(part.flatten()[places] for part in (ordered, beams, tokens))
""",
    ),
    # banned_tokens
    Variant(
        "dictionary_of_continuations",
        """
def banned_tokens(sequence, ngram_size):
    if ngram_size < 0:
        raise ValueError("ngram_size must not be negative")
    if not ngram_size or len(sequence) < ngram_size:
        return set()
    continuations = {}
    for ngram in zip(*(sequence[i:] for i in range(ngram_size))):
        continuations.setdefault(ngram[:-1], set()).add(ngram[-1])
    ending = tuple(sequence[len(sequence) - (ngram_size - 1) :])
    return continuations.get(ending, set())
""",
    ),
    Variant(
        "every_candidate_tried",
        """
def banned_tokens(sequence, ngram_size):
    if ngram_size < 0:
        raise ValueError("ngram_size must not be negative")
    if ngram_size == 0:
        return set()
    known = {tuple(sequence[end - ngram_size : end]) for end in range(ngram_size, len(sequence) + 1)}
    return {token for token in sequence if tuple([*sequence, token][-ngram_size:]) in known}
""",
    ),
    # beam_search
    Variant(
        "end_token_taken_out_first",
        """
def beam_search(
    model, prompt, n_beams, max_new_tokens, eos_id=None, length_penalty=0.0, no_repeat_ngram_size=0
):
    if prompt.dim() != 1 or prompt.numel() == 0 or n_beams < 1:
        raise ValueError("expected a prompt of one dimension, not empty, and at least one beam")
    if no_repeat_ngram_size < 0:
        raise ValueError("no_repeat_ngram_size must not be negative")
    check_tokens(prompt, model.cfg.d_vocab)
    done, texts, sums = [], prompt[None], torch.zeros(1)
    for n_new in range(1, max_new_tokens + 1):
        with torch.no_grad():
            logits = model(texts[:, -model.cfg.n_ctx :])[:, -1]
        check_logits(logits)
        log_probs = torch.log_softmax(logits, dim=-1)
        if no_repeat_ngram_size:
            banned = torch.zeros_like(log_probs, dtype=torch.bool)
            for i, text in enumerate(texts.tolist()):
                for token in banned_tokens(text, no_repeat_ngram_size):
                    banned[i, token] = True
            log_probs = torch.where(banned, -torch.inf, log_probs)
        if eos_id is not None:
            best = extend_beams(sums, log_probs, n_beams)
            for total, beam, token in zip(*(part.tolist() for part in best)):
                if token == eos_id and total > -torch.inf:
                    done.append(Hypothesis(texts[beam].tolist() + [token], total, total / n_new**length_penalty))
            log_probs = log_probs.clone()
            log_probs[:, eos_id] = -torch.inf
        done = sorted(done, key=lambda h: -h.score)[:n_beams]
        sums, beams, tokens = extend_beams(sums, log_probs, n_beams)
        possible = sums > -torch.inf
        sums, beams, tokens = sums[possible], beams[possible], tokens[possible]
        texts = torch.hstack([texts[beams], tokens[:, None]])
        if not len(sums):
            return done
        reach = max(sums[0].item() / n**length_penalty for n in range(n_new, max_new_tokens + 1))
        if len(done) == n_beams and reach <= done[-1].score:
            return done
    n_new = texts.shape[1] - len(prompt)
    scale = n_new**length_penalty if n_new else 1
    done += [Hypothesis(text, total, total / scale) for text, total in zip(texts.tolist(), sums.tolist())]
    return sorted(done, key=lambda h: -h.score)[:n_beams]
""",
    ),
    Variant(
        "n_beams_rows_from_the_start",
        """
def beam_search(
    model, prompt, n_beams, max_new_tokens, eos_id=None, length_penalty=0.0, no_repeat_ngram_size=0
):
    if prompt.ndim != 1:
        raise ValueError("the prompt must have one dimension")
    if len(prompt) < 1:
        raise ValueError("the prompt must not be empty")
    if n_beams < 1:
        raise ValueError("n_beams must be at least 1")
    if no_repeat_ngram_size < 0:
        raise ValueError("no_repeat_ngram_size must not be negative")
    check_tokens(prompt, model.cfg.d_vocab)
    minus_inf, n = float("-inf"), len(prompt)
    rows = prompt.repeat(n_beams, 1)
    sums = torch.full((n_beams,), minus_inf)
    sums[0] = 0.0  # the copies of the prompt can win nothing, so that the first step extends one beam only
    finished = []
    for step in range(max_new_tokens):
        with torch.no_grad():
            logits = model(rows[:, -model.cfg.n_ctx :])[:, -1, :].clone()
        check_logits(logits)
        log_probs = logits - logits.logsumexp(-1, keepdim=True)
        for i in range(len(rows)):
            for token in banned_tokens(rows[i].tolist(), no_repeat_ngram_size):
                log_probs[i, token] = minus_inf
        totals, parents, tokens = extend_beams(sums, log_probs, 2 * n_beams)
        rows = torch.cat((rows[parents], tokens.unsqueeze(-1)), dim=-1)
        ends = tokens == (-1 if eos_id is None else eos_id)
        possible = totals > minus_inf
        for i in range(min(n_beams, len(rows))):
            if ends[i] and possible[i]:
                total = float(totals[i])
                finished.append(Hypothesis(rows[i].tolist(), total, total * (step + 1) ** -length_penalty))
        finished.sort(key=lambda h: h.score, reverse=True)
        del finished[n_beams:]
        goes_on = (~ends & possible).nonzero().flatten()[:n_beams]
        rows, sums = rows[goes_on], totals[goes_on]
        if len(goes_on) == 0:
            break
        if len(finished) == n_beams:
            length = max_new_tokens if length_penalty > 0 else step + 1
            if float(sums[0]) * length**-length_penalty <= finished[-1].score:
                break
    for row, total in zip(rows.tolist(), sums.tolist()):
        if total > minus_inf:
            n_new = len(row) - n
            finished.append(Hypothesis(row, total, total * n_new**-length_penalty if n_new else 0.0))
    return sorted(finished, key=lambda h: h.score, reverse=True)[:n_beams]
""",
    ),
    Variant(
        "dictionaries_and_lists",
        """
def beam_search(
    model, prompt, n_beams, max_new_tokens, eos_id=None, length_penalty=0.0, no_repeat_ngram_size=0
):
    if prompt.ndim != 1 or prompt.shape[0] == 0:
        raise ValueError("the prompt must be one row of tokens")
    if n_beams < 1 or no_repeat_ngram_size < 0:
        raise ValueError("n_beams must be at least 1, and no_repeat_ngram_size at least 0")
    check_tokens(prompt, model.cfg.d_vocab)
    live, finished = {tuple(prompt.tolist()): 0.0}, {}

    def score(text):
        n_new = len(text) - len(prompt)
        return {**live, **finished}[text] / (n_new**length_penalty if n_new else 1)

    n_new = 0
    while live and n_new < max_new_tokens:
        n_new += 1
        texts = list(live)
        with torch.no_grad():
            logits = model(torch.tensor(texts)[:, -model.cfg.n_ctx :])[:, -1]
        check_logits(logits)
        candidates = {}
        for text, row in zip(texts, logits.log_softmax(dim=-1).tolist()):
            for token in set(range(len(row))) - banned_tokens(list(text), no_repeat_ngram_size):
                if row[token] > -torch.inf:
                    candidates[*text, token] = live[text] + row[token]
        # as dictionaries keep their order, earlier beams come first where sums tie
        places = {text: i for i, text in enumerate(texts)}
        ranked = sorted(candidates, key=lambda text: (-candidates[text], places[text[:-1]], text[-1]))
        finished |= {text: candidates[text] for text in ranked[:n_beams] if text[-1] == eos_id}
        finished = {text: finished[text] for text in sorted(finished, key=score, reverse=True)[:n_beams]}
        live = {text: candidates[text] for text in [t for t in ranked if t[-1] != eos_id][:n_beams]}
        if live and len(finished) == n_beams:
            best, worst = max(live.values()), score(list(finished)[-1])
            if max(best / n_new**length_penalty, best / max_new_tokens**length_penalty) <= worst:
                break
    everything = {**finished, **live}
    kept = sorted(everything, key=score, reverse=True)[:n_beams]
    return [Hypothesis(list(text), everything[text], score(text)) for text in kept]
""",
    ),
)
