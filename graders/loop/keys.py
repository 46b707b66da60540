"""Keys of the keyboard, one at a time, without Enter; the terminal is as it was afterwards."""

import contextlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

if sys.platform == "win32":
    import msvcrt
else:
    import termios
    import tty

ESCAPE = b"\x1b"
MAX_BYTES = 64  # of what is read at once: an arrow key is three


@contextlib.contextmanager
def keys_into(events: queue.SimpleQueue) -> Iterator[None]:
    """Put every key into a queue, as `("key", character)`, until the block ends."""
    if sys.platform == "win32":
        threading.Thread(target=_listen_on_windows, args=(events,), daemon=True).start()
        yield
        return
    before = termios.tcgetattr(0)

    def take(_signal: int = 0, _frame: FrameType | None = None) -> None:  # again after Ctrl-Z and `fg`
        tty.setcbreak(0)
        events.put(("key", ""))

    continued = signal.signal(signal.SIGCONT, take)
    take()
    try:
        threading.Thread(target=_listen, args=(events,), daemon=True).start()
        yield
    finally:
        signal.signal(signal.SIGCONT, continued)
        termios.tcsetattr(0, termios.TCSADRAIN, before)


def _listen(events: queue.SimpleQueue) -> None:
    try:
        while typed := os.read(0, MAX_BYTES):
            if typed == ESCAPE or not typed.startswith(ESCAPE):  # arrows and their like begin so, and go on
                for character in typed.decode("utf-8", "replace"):
                    events.put(("key", character))
    except OSError:  # the terminal is gone
        pass
    events.put(("key", "q"))


def _listen_on_windows(events: queue.SimpleQueue) -> None:
    if sys.platform == "win32":  # said again for mypy
        while True:
            character = msvcrt.getwch()
            if character in ("\x00", "\xe0"):  # an arrow or its like: a second code follows
                msvcrt.getwch()
            else:
                events.put(("key", character))
