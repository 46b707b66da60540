"""How a screen is laid out: a label, then a text beside it, broken between words. Imports no torch."""

import unicodedata

WIDTH = 110
LABEL = 23  # columns before a value
UNSEEN = ("Cc", "Cf", "Cs")  # control characters, directions of writing among them, and halves of characters
KEPT = "\n\t\u200c\u200d"  # the last two are part of how some languages are written
UNKNOWN = "\N{REPLACEMENT CHARACTER}"


def labelled(label: str, text: str) -> str:
    """A label and a text of one line, cut to what fits beside it."""
    text = text if len(text) <= WIDTH - LABEL else text[: WIDTH - LABEL - 4] + " ..."
    return f"  {label}".ljust(LABEL) + f"  {text}"


def block(label: str, text: str) -> list[str]:
    """A label and a text of any length."""
    first, *rest = wrapped(text, WIDTH - LABEL) or [""]
    return [labelled(label, first), *(labelled("", line) for line in rest)]


def wrapped(text: str, width: int = WIDTH) -> list[str]:
    """Lines no longer than `width`, broken between words."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines


def visible(text: str) -> str:
    """A text without the characters that a terminal obeys, or that cannot be written into a file.

    Whatever a learner's code prints, raises and returns may hold them.
    """
    return "".join(sign if sign in KEPT or unicodedata.category(sign) not in UNSEEN else UNKNOWN for sign in text)
