"""Right answers to loss, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "logsumexp_minus_the_logit",
        """
def next_token_loss(logits, tokens):
    check_predictions(logits, tokens)
    logits = logits[:, :-1] - logits[:, :-1].amax(-1, keepdim=True)
    of_targets = torch.take_along_dim(logits, tokens[:, 1:, None], dim=-1)[..., 0]
    return (logits.logsumexp(-1) - of_targets).mean()


def next_token_accuracy(logits, tokens):
    check_predictions(logits, tokens)
    return torch.eq(logits.argmax(-1)[:, :-1], tokens[:, 1:]).sum().item() / tokens[:, 1:].numel()


def unigram_loss(tokens, d_vocab):
    check_tokens(tokens, d_vocab)
    probabilities = torch.bincount(tokens.reshape(-1)) / tokens.numel()
    return torch.special.entr(probabilities.double()).sum().item()
""",
    ),
    Variant(
        "one_hot_targets",
        """
def next_token_loss(logits, tokens):
    check_predictions(logits, tokens)
    targets = torch.eye(logits.shape[-1], dtype=torch.bool)[tokens[:, 1:]]
    return -logits[:, :-1].log_softmax(-1)[targets].mean()


def next_token_accuracy(logits, tokens):
    check_predictions(logits, tokens)
    seq = tokens.shape[1]
    largest = logits[:, : seq - 1].max(dim=-1, keepdim=True).values
    ids = torch.arange(logits.shape[-1]).expand(logits[:, 1:].shape)
    guesses = ids.masked_fill(logits[:, :-1] < largest, logits.shape[-1]).amin(-1)
    return (guesses == tokens[:, 1:]).to(torch.float64).mean().item()


def uniform_loss(d_vocab):
    if not d_vocab >= 1:
        raise ValueError("a vocabulary needs a token")
    return -math.log(1 / d_vocab)
""",
    ),
    Variant(
        "loops",
        """
def next_token_loss(logits, tokens):
    check_predictions(logits, tokens)
    surprises = []
    for row, ids in zip(logits, tokens.tolist()):
        for position, following in enumerate(ids[1:]):
            shifted = row[position] - row[position].max()
            surprises.append(shifted.exp().sum().log() - shifted[following])
    return torch.stack(surprises).mean()


def next_token_accuracy(logits, tokens):
    check_predictions(logits, tokens)
    right = []
    for row, ids in zip(logits.tolist(), tokens.tolist()):
        for position, following in enumerate(ids[1:]):
            right.append(row[position].index(max(row[position])) == following)
    return sum(right) / len(right)


def unigram_loss(tokens, d_vocab):
    check_tokens(tokens, d_vocab)
    ids = tokens.flatten().tolist()
    return math.fsum(math.log(len(ids) / ids.count(token)) for token in ids) / len(ids)
""",
    ),
    Variant(
        "advanced_indexing_of_flat_rows",
        """
def next_token_loss(logits, tokens):
    check_predictions(logits, tokens)
    rows = logits[:, :-1].reshape(-1, logits.shape[-1])
    targets = tokens[:, 1:].reshape(-1)
    return torch.nn.functional.log_softmax(rows, dim=1)[torch.arange(len(rows)), targets].mean().neg()


def uniform_loss(d_vocab):
    check_vocabulary(d_vocab)
    return unigram_loss(torch.arange(d_vocab), d_vocab)


def unigram_loss(tokens, d_vocab):
    check_tokens(tokens, d_vocab)
    _, counts = tokens.unique(return_counts=True)
    n = tokens.numel()
    return math.log(n) - (counts * counts.double().log()).sum().item() / n
""",
    ),
    Variant(
        "a_mean_over_rows_of_means_and_own_checks",
        """
def next_token_loss(logits, tokens):
    batch, seq = tokens.shape if tokens.dim() == 2 else (0, 0)
    if seq <= 1 or batch == 0 or list(logits.shape[:-1]) != [batch, seq]:
        raise ValueError("nothing to score here")
    if not ((tokens >= 0) & (tokens < logits.size(-1))).all():
        raise ValueError("unknown token")
    log_probs = torch.log_softmax(logits, dim=-1).narrow(1, 0, seq - 1)
    rows = [-log_probs[i, range(seq - 1), tokens[i, 1:]].mean() for i in range(batch)]
    return sum(rows) / batch


def unigram_loss(tokens, d_vocab):
    if d_vocab < 1 or tokens.nelement() == 0 or int(tokens.min()) < 0 or int(tokens.max()) >= d_vocab:
        raise ValueError("no such tokens")
    counts = torch.zeros(d_vocab, dtype=torch.float64).index_add(0, tokens.reshape(-1), torch.ones(
        tokens.numel(), dtype=torch.float64))
    shares = counts / counts.sum()
    return -torch.xlogy(shares, shares).sum().item()
""",
    ),
)
