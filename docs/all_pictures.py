"""Every picture of the site; `headstart site` draws them into `docs/pictures/`."""

from docs import application_pictures as application
from docs import checkpoint_pictures as checkpoint
from docs import exercise_pictures as exercise
from docs import formula_pictures as formula
from docs import model_pictures as model
from docs import toy_pictures as toy

# Of "From counting to attention", in its order; some are on the pages of exercises too
ROAD = (
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

# Of the pages of exercises alone, in the order of the course
EXERCISES = (
    checkpoint.scores_to_pattern,
    exercise.gelu_gate,
    checkpoint.block_additions,
    checkpoint.nucleus,
    exercise.beam_tree,
    exercise.cache_growth,
    checkpoint.surprise_by_token,
    exercise.schedule,
    checkpoint.loss_curve,
)

# Of the applications, in the order of the course
APPLICATIONS = (application.marked_rows, application.arithmetic_learning)

DRAWN = (*ROAD, *EXERCISES, *APPLICATIONS)
