"""Right answers to image_gpt, written differently: the graders must accept every one of them."""

from graders.engine.misconception import Variant

VARIANTS = (
    Variant(
        "reshape_and_one_way_to_draw",
        """
def images_to_tokens(images, labels):
    check_images(images, labels)
    return torch.cat((labels.reshape(-1, 1) + N_LEVELS, images.reshape(len(images), -1)), 1)


def tokens_to_images(tokens):
    check_tokens(tokens)
    side = side_of(tokens.shape[1] - 1)
    return tokens[:, 1:].reshape(-1, side, side)


def bits_per_pixel(logits, tokens):
    check_predictions(logits, tokens)
    return torch.nn.functional.cross_entropy(logits.transpose(1, 2), tokens[:, 1:]).item() / math.log(2)


def sample_images(model, labels, options, generator):
    check_labels(labels)
    side = side_of(model.cfg.n_ctx)
    return complete_images(model, labels.new_zeros(len(labels), 0, side), labels, options, generator)
""",
    ),
    Variant(
        "loops_over_pixels",
        """
def images_to_tokens(images, labels):
    check_images(images, labels)
    texts = []
    for image, label in zip(images.tolist(), labels.tolist()):
        texts.append([N_LEVELS + label, *(level for row in image for level in row)])
    return torch.tensor(texts)


def tokens_to_images(tokens):
    check_tokens(tokens)
    side = side_of(tokens.shape[1] - 1)
    return torch.stack([tokens[:, 1 + row * side : 1 + (row + 1) * side] for row in range(side)], dim=1)


def bits_per_pixel(logits, tokens):
    check_predictions(logits, tokens)
    bits = []
    for rows, text in zip(logits.double(), tokens.tolist()):
        for row, level in zip(rows, text[1:]):
            row = row - row.max()
            bits.append((row.exp().sum().log() - row[level]).item() / math.log(2))
    return sum(bits) / len(bits)
""",
    ),
    Variant(
        "a_loop_of_next_tokens",
        """
from reference.sampling import next_token


def drawn(model, tokens, options, generator):
    while tokens.shape[1] < 1 + model.cfg.n_ctx:
        with torch.no_grad():
            logits = model(tokens)[:, -1].clone()
        logits[:, N_LEVELS:] = -torch.inf
        tokens = torch.cat([tokens, next_token(logits, tokens, options, generator)[:, None]], dim=1)
    return tokens_to_images(tokens)


def sample_images(model, labels, options, generator):
    check_labels(labels)
    side_of(model.cfg.n_ctx)
    return drawn(model, N_LEVELS + labels[:, None], options, generator)


def complete_images(model, top_halves, labels, options, generator):
    check_rows(top_halves, labels, side_of(model.cfg.n_ctx))
    begun = torch.cat([N_LEVELS + labels[:, None], top_halves.reshape(len(labels), -1)], dim=1)
    return drawn(model, begun, options, generator)
""",
    ),
    Variant(
        "filled_in_and_put_together",
        """
def images_to_tokens(images, labels):
    check_images(images, labels)
    tokens = torch.empty(len(images), 1 + images[0].numel(), dtype=torch.long)
    tokens[:, 0] = labels + N_LEVELS
    tokens[:, 1:] = images.reshape(len(images), -1)
    return tokens


def bits_per_pixel(logits, tokens):
    check_predictions(logits, tokens)
    pixels = tokens[:, 1:]
    chosen = torch.take_along_dim(logits, pixels.unsqueeze(-1), dim=-1).squeeze(-1)
    return float((logits.logsumexp(-1) - chosen).mean()) / math.log(2)


def complete_images(model, top_halves, labels, options, generator):
    side = side_of(model.cfg.n_ctx)
    check_rows(top_halves, labels, side)
    begun = torch.hstack([labels.view(-1, 1) + N_LEVELS, top_halves.flatten(1)])
    tokens = generate(GreyLevels(model), begun, (side - top_halves.shape[1]) * side, options, generator)
    below = tokens[:, begun.shape[1] :].reshape(len(labels), -1, side)
    return torch.cat([top_halves, below], dim=1)
""",
    ),
    Variant(
        "own_checks",
        """
def tokens_to_images(tokens):
    if tokens.dim() != 2 or tokens.dtype != torch.int64 or tokens.shape[0] == 0 or tokens.shape[1] < 2:
        raise ValueError("not texts of images")
    first, pixels = tokens[:, 0], tokens[:, 1:]
    if (first < N_LEVELS).any() or (first >= D_VOCAB).any() or (pixels < 0).any() or (pixels >= N_LEVELS).any():
        raise ValueError("a class comes first, and then levels")
    side = round(pixels.shape[1] ** 0.5)
    if side * side != pixels.shape[1]:
        raise ValueError("not square")
    return torch.stack(pixels.split(side, dim=1), dim=1)


def sample_images(model, labels, options, generator):
    check_labels(labels)
    side = side_of(model.cfg.n_ctx)
    tokens = generate(GreyLevels(model), (labels + N_LEVELS).view(-1, 1), side * side, options, generator)
    return tokens_to_images(tokens)
""",
    ),
)
