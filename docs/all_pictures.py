"""The pictures of "From counting to attention", in its order; `headstart site` draws them into `docs/pictures/`."""

from docs import model_pictures as model
from docs import toy_pictures as toy

DRAWN = (
    toy.one_hot_rows,
    toy.dot_product,
    toy.lookup,
    toy.transitions,
    toy.completion,
    toy.pairs,
    toy.votes,
    toy.sharp_votes,
    toy.masks,
    toy.pair_features,
    toy.one_weight,
    toy.soft_choice,
    model.near_words,
    toy.positions,
    model.patterns,
    model.stream_size,
    model.refinement,
    toy.two_stacks,
    toy.merges,
)
