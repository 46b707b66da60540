"""Groups that may be published: none smaller than a minimum, and none that a subtraction gives away.

What may not be shown is joined with something else, never left out: what is left out is the total less what is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass

OTHERS = ""  # in place of a key: all that has none of its own


@dataclass(frozen=True)
class Parts:
    """A cohort in parts that do not overlap, each empty or at least of the minimum. Together they are everybody."""

    passed: int
    begun: Mapping[str, int]  # by what goes wrong; under `OTHERS` whatever is too rare to be told apart
    untouched: int
    joined: tuple[str, ...] = ()  # which of passed, begun, untouched are one number: it stands with the first of them


def parts(passed: int, begun: Mapping[str, int], untouched: int, minimum: int) -> Parts:
    """The finest such parts of these: rare mistakes are joined first, and only then whole columns."""
    known = separable({key: n for key, n in begun.items() if key != OTHERS}, begun.get(OTHERS, 0), minimum)
    columns = {"passed": passed, "begun": sum(known.values()), "untouched": untouched}
    small = [name for name, n in columns.items() if 0 < n < minimum]
    if not small:
        return Parts(passed, known, untouched)
    # The small ones together, and where that is still too few, the smallest of the others with them
    joined = [name for name in columns if name in small]
    rest = sorted((name for name in columns if name not in small and columns[name]), key=lambda name: columns[name])
    while sum(columns[name] for name in joined) < minimum and rest:
        joined.append(rest.pop(0))
    joined = [name for name in columns if name in joined]
    total = sum(columns[name] for name in joined)
    shown = {name: 0 if name in joined else n for name, n in columns.items()}
    shown[joined[0]] = total
    return Parts(
        shown["passed"],
        {OTHERS: shown["begun"]} if "begun" in joined else known,
        shown["untouched"],
        tuple(joined),
    )


def separable(groups: Mapping[str, int], others: int, minimum: int) -> dict[str, int]:
    """Groups of at least the minimum, most first, and last under `OTHERS` the rest: empty, or as large as that.

    Where the rest is too small, the smallest group that could be shown goes into it.
    """
    large = {key: n for key, n in sorted(groups.items(), key=lambda group: (-group[1], group[0])) if n >= minimum}
    others += sum(n for key, n in groups.items() if key not in large)
    while 0 < others < minimum and large:
        others += large.popitem()[1]
    return large | ({OTHERS: others} if others else {})


def crossed(sizes: Mapping[str, int], passed: Mapping[str, int], minimum: int) -> dict[str, int]:
    """How many passed in each group in which that may be told, and under `OTHERS` in all the rest; maybe of none.

    A group's number is told when those who passed and those who did not are each nobody or at least the minimum.
    """

    def is_told(groups: list[str]) -> bool:
        n_passed = sum(passed.get(group, 0) for group in groups)
        n_open = sum(sizes[group] for group in groups) - n_passed
        return not (0 < n_passed < minimum or 0 < n_open < minimum)

    alone = [group for group in sizes if group != OTHERS and is_told([group])]
    rest = [group for group in sizes if group not in alone]
    while alone and not is_told(rest):
        rest.append(alone.pop())
    told = {group: passed.get(group, 0) for group in alone}
    return told | ({OTHERS: sum(passed.get(group, 0) for group in rest)} if told and rest else {})
