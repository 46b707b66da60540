"""What `headstart watch` shows: the lines of one screen, and how they come onto a terminal.

Pure functions from what is known to lines; `Terminal` alone writes.
"""

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.cells import cell_len, chop_cells

from graders.engine.record import BROKEN, DONE, UNTOUCHED

BOLD, RED, GREEN, DIM, PLAIN = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[2m", "\x1b[0m"
COLOURS = {DONE: GREEN, BROKEN: RED, UNTOUCHED: DIM}
UNSHOWN = dict.fromkeys((*range(32), *range(127, 160)), "?")  # control characters, which a learner's code may print
MIN_HEIGHT, MIN_WIDTH = 6, 20


@dataclass(frozen=True)
class View:
    """All that is on the screen."""

    exercise: str
    n_done: int
    n_tasks: int
    saved: str = ""  # how long ago
    activity: str = ""
    screens: Sequence[Sequence[str]] = ()  # of what is not right, what is mended first first
    summary: Sequence[str] = ()
    notes: Sequence[str] = ()
    panel: Sequence[str] = ()  # a hint or a list, before the screens
    keys: str = ""


def header(view: View) -> str:
    """The exercise, how far it is, when it was saved, what goes on."""
    done = f"{view.n_done} of {view.n_tasks} tasks done"
    return " · ".join(part for part in (view.exercise, done, view.saved, view.activity) if part)


def frame(view: View, width: int, height: int) -> list[tuple[str, str]]:
    """The lines of a terminal of that size, each with its style; never more than `height`, none wider than `width`.

    What leads on comes first: the first screen, then as many more as there is room for, then the tasks. Of the list
    of tasks only what is next stays where there is no room for both.
    """
    width, height = max(width, MIN_WIDTH), max(height, MIN_HEIGHT)
    top = [*styled([header(view)], width, BOLD), ("", "")]
    bottom = [("", ""), *styled(view.notes, width), *styled([view.keys], width, DIM)]
    room = height - len(top) - len(bottom)
    tasks = styled(view.summary, width)
    parts = [_screen(screen, width) for screen in view.screens]
    if view.panel:
        parts = [styled(view.panel, width), *parts]
    if parts and len(parts[0]) + 1 + len(tasks) > room:  # the state of each task is on the list, under `l`
        tasks = styled(next_step(view.summary), width)
    shown, hidden = _fitting(parts, room - len(tasks) - (1 if tasks else 0))
    body = [*shown, *([("", "")] if shown and tasks else []), *tasks]
    if hidden:
        first = "" if view.panel else "; mend this one first"
        body = [*shown, (f"({hidden} more below{first})"[:width], DIM), *body[len(shown) :]]
    return [*top, *_cut(body, room, width), *bottom][:height]


def text(view: View) -> list[str]:
    """Everything, for an output that is no terminal: no screen is left out."""
    parts = [[header(view)], view.panel, *view.screens, view.summary, view.notes]
    return [clean(line) for part in parts if part for line in [*part, ""]]


def next_step(summary: Sequence[str]) -> list[str]:
    """The summary without its list of tasks."""
    return list(summary[list(summary).index("") + 1 :]) if "" in summary else list(summary)


def styled(lines: Sequence[str], width: int, style: str = "") -> list[tuple[str, str]]:
    """Lines, each cut into as many as a width needs; those that say how a task stands in its colour."""
    return [(part, style or _colour(line)) for line in lines for part in _wrapped(clean(line), width)]


def clean(line: str) -> str:
    """A line without what moves the cursor."""
    return line.translate(UNSHOWN)


def _screen(lines: Sequence[str], width: int) -> list[tuple[str, str]]:
    return styled(lines[:1], width, BOLD + RED) + styled(lines[1:], width)


def _colour(line: str) -> str:
    if line.startswith("  ") and " · " in line:
        return (
            GREEN if line.endswith(DONE) else RED if line.endswith(BROKEN) else DIM if line.endswith(UNTOUCHED) else ""
        )
    return ""


def _wrapped(line: str, width: int) -> list[str]:
    if cell_len(line) <= width:
        return [line]
    if cell_len(line) > len(line):  # wide characters stand in no sentences that could be cut between words
        return chop_cells(line, width)
    indent = " " * min(len(line) - len(line.lstrip()) + 2, width // 2)
    return textwrap.wrap(line, width, subsequent_indent=indent)


def _fitting(parts: Sequence[list], room: int) -> tuple[list[tuple[str, str]], int]:
    """As many parts as fit, a line between them, the first in any case; and how many are left out."""
    shown: list[tuple[str, str]] = list(parts[0]) if parts else []
    for i, part in enumerate(parts[1:], start=1):
        left_after = len(parts) - i - 1
        if len(shown) + 1 + len(part) + (1 if left_after else 0) > room:
            return shown, len(parts) - i
        shown += [("", ""), *part]
    return shown, 0


def _cut(body: list[tuple[str, str]], room: int, width: int) -> list[tuple[str, str]]:
    """A body that is not higher than the room for it."""
    if len(body) <= room:
        return body
    missing = f"({len(body) - room + 1} lines do not fit: make the terminal higher)"[:width]
    return [*body[: max(room - 1, 0)], *([(missing, DIM)] if room > 0 else [])]


class Terminal:
    """An output that is drawn over in place, where it can be; else written line by line."""

    def __init__(self, takes_keys: bool, out: TextIO | None = None):
        self.out = out or sys.stdout
        # What a program reads, which sends no keys, is not drawn over
        self.is_drawn = takes_keys and self.out.isatty() and os.environ.get("TERM") != "dumb"
        self.takes_keys = self.is_drawn and sys.stdin.isatty()
        self.has_colour = self.is_drawn and not os.environ.get("NO_COLOR")
        self.last: tuple[list, int, int] | None = None
        if self.is_drawn and sys.platform == "win32":
            os.system("")  # has its console understand the codes below

    def draw(self, view: View) -> None:
        """Put a view in place of the one before; nothing is written when nothing changed."""
        width, height = shutil.get_terminal_size()
        lines = frame(view, width - 1, height)
        if (lines, width, height) == self.last:
            return
        anew = self.last is None or self.last[1:] != (width, height)
        self.last = (lines, width, height)
        rows = "\x1b[K\n".join(self._row(*line) for line in lines)
        self.out.write(("\x1b[2J" if anew else "") + "\x1b[H" + rows + "\x1b[K\x1b[J")
        self.out.flush()

    def forget(self) -> None:
        """Draw everything anew next time: somebody else wrote to the terminal."""
        self.last = None

    def write(self, lines: Sequence[str]) -> None:
        """Write lines below what is there."""
        self.out.write("".join(line + "\n" for line in lines))
        self.out.flush()

    def _row(self, line: str, style: str) -> str:
        return f"{style}{line}{PLAIN}" if style and self.has_colour else line
