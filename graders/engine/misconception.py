"""Known mistakes and other right answers, both written as changes to the reference. Imports no torch."""

import importlib
from collections.abc import Iterable
from dataclasses import dataclass

from graders.engine.course import Exercise

Patch = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Misconception:
    """One mistake: a patch on the reference that makes it, a sentence that names it, a question that leads to it."""

    id: str
    task: str
    patch: Patch  # pairs of old text, which must occur exactly once, and new text
    names: str
    asks: str

    def apply(self, text: str) -> str:
        """The text with this mistake in it. Raises `ValueError` when the patch does not fit."""
        return apply_patch(self.patch, text, self.id)


@dataclass(frozen=True)
class Variant:
    """One right answer written differently: code that stands after the reference and replaces parts of it."""

    id: str
    code: str

    def apply(self, text: str) -> str:
        """The text of the reference with this variant's definitions in force."""
        return text + "\n\n" + self.code.strip("\n") + "\n"


def apply_patch(patch: Patch, text: str, owner: str) -> str:
    """Replace each old text by its new text. Raises `ValueError` unless the old one occurs exactly once."""
    for old, new in patch:
        found = text.count(old)
        if found != 1:
            raise ValueError(f"{owner}: the text to replace occurs {found} times in the reference, not once: {old!r}")
        text = text.replace(old, new)
    return text


def misconceptions_of(exercise: str) -> tuple[Misconception, ...]:
    """All known mistakes of an exercise."""
    return tuple(importlib.import_module(f"graders.misconceptions.{exercise}").MISCONCEPTIONS)


def variants_of(exercise: str) -> tuple[Variant, ...]:
    """All right answers of an exercise that are written differently."""
    return tuple(importlib.import_module(f"graders.variants.{exercise}").VARIANTS)


def tasks_within(exercise: Exercise, task: str) -> Iterable[str]:
    """A task and those that it needs: a mistake in any of them shows in it."""
    return (task, *exercise.all_needs(task))
