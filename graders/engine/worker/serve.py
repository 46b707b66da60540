"""A worker process: reads requests from a channel, performs them, writes replies, until it is closed."""

import contextlib
import ctypes
import faulthandler
import itertools
import os
import signal
import sys
import tempfile
from typing import Any

import torch

from .channel import Channel
from .codec import decode, encode
from .loading import Source
from .messages import MAX_PRINTED, request_from, to_data
from .perform import Performer

PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>
NUMBER = "number"  # of a request, by which its answer is known
JUDGE_ONLY = ("reference", "graders")


def serve(channel: Channel, is_fork: bool, source: Source, stack_file: str | int) -> None:
    """Answer until the judge's end of the channel closes.

    A fork has copies of all that the judge has open: of that end too, which would keep it alive, and of whatever
    a verdict is written to. They are closed before any code of the learner's runs.
    `stack_file`, a path or a descriptor, receives the stack of a call that crashes, or that is late when the judge
    sends SIGUSR1.
    """
    torch.set_num_threads(1)  # a pool of threads does not survive a fork; and one thread gives one result
    for name in [name for name in sys.modules if name.partition(".")[0] in JUDGE_ONLY]:
        if not name.startswith(__package__):
            del sys.modules[name]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    end_with_the_judge()
    if is_fork:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _close_all_but(channel.end.fileno(), *([stack_file] if isinstance(stack_file, int) else []))
    performer = Performer(source)
    with tempfile.TemporaryFile("w+b") as printed, open(stack_file, "w") as stack:
        _redirect_output(printed.fileno())
        faulthandler.enable(stack, all_threads=False)
        if hasattr(faulthandler, "register"):  # not on Windows; not a timer, whose lock would not survive a fork
            faulthandler.register(signal.SIGUSR1, stack, all_threads=False)
        channel.send(b"ready")
        while True:
            try:
                message = channel.receive()
            except EOFError:
                return
            asked = decode(message)
            printed.seek(0)
            printed.truncate()
            stack.seek(0)
            stack.truncate()
            reply = to_data(performer.perform(request_from(asked["request"])))
            channel.send(encode({NUMBER: asked[NUMBER], "reply": reply | {"printed": _read(printed)}}))


def end_with_the_judge() -> None:
    """Have the system end this process when the one that started it ends, whatever a learner's code is at."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _close_all_but(*kept: int) -> None:
    """Close every descriptor but the standard three and these."""
    edges = [2, *sorted(kept), os.sysconf("SC_OPEN_MAX")]
    for below, above in itertools.pairwise(edges):
        os.closerange(below + 1, above)


def _redirect_output(descriptor: int) -> None:
    """Send what the learner's code prints, in Python or below it, to a file that only we read."""
    with contextlib.suppress(OSError):
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
    sys.stdout = sys.stderr = open(1, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False)
    sys.stdin = open(os.devnull)


def _read(printed: Any) -> str:
    sys.stdout.flush()
    printed.seek(0)
    return printed.read(MAX_PRINTED).decode("utf-8", "replace")
