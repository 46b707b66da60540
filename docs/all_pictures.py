"""The pictures of "From counting to attention", in its order; `headstart site` draws them into `docs/pictures/`."""

from docs import formula_pictures as formula
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
    formula.soft_choice,
    formula.merges,
    formula.one_weight,
    model.near_words,
    formula.positions,
    model.stream_size,
    model.patterns,
    model.refinement,
    formula.two_stacks,
)
