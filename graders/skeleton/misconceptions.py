"""Known mistakes in NAME: each a patch on `reference/NAME.py` that makes it."""

from graders.engine.misconception import Misconception

TOTAL = "x.sum(dim=1, keepdim=True)"

MISCONCEPTIONS = (
    Misconception(
        "over_the_batch",
        "normalise",
        ((TOTAL, "x.sum(dim=0, keepdim=True)"),),
        "The sums run down the columns: it is these that add up to one, and not the rows.",
        "Which numbers of the smallest example add up to one in your result: those of a row, or those of a column?",
    ),
    Misconception(
        "over_everything",
        "normalise",
        ((TOTAL, "x.sum()"),),
        "All numbers are divided by the sum of the whole table, so that the rows share a single one.",
        "How many sums does a table of two rows need?",
    ),
    Misconception(
        "axis_lost",
        "normalise",
        ((TOTAL, "x.sum(dim=1)"),),
        "The sums have lost their axis, so that they line up with the columns, or with nothing.",
        "What is the shape of your sums, and with which axis of x does it line up?",
    ),
    Misconception(
        "length_one",
        "normalise",
        ((TOTAL, "x.norm(dim=1, keepdim=True)"),),
        "Each row is divided by its length, the root of the sum of its squares: its length is one, and not its sum.",
        "What do 1 and 3 have to be divided by, for the results to add up to one?",
    ),
    Misconception(
        "total_detached",
        "normalise",
        ((TOTAL, "x.detach().sum(dim=1, keepdim=True)"),),
        "The sums are cut off from the gradient (.detach(), .data, .item() or no_grad), as if they were constants.",
        "If one number of a row grows, what happens to the shares of the others?",
    ),
)

# Mutations of the reference that no law can tell from it, and why
EQUIVALENT: dict[str, str] = {}
