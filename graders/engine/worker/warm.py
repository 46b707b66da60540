"""Inside a sandbox: imports the libraries once, and begins a process that is shut off for each learner.

It runs no learner's code itself, and reads none: what it has in memory, every learner's process has a copy of. Over a
socket come three descriptors for each: its end of a channel, on which its files come first; a file for its stack; and
where to tell how it fares.
"""

import gc
import importlib
import os
import socket
import sys
from typing import Any

from .isolation import EXERCISES, Prepared, become_nobody, begin
from .loading import LIBRARIES, Source

N_DESCRIPTORS = 3
READY = b"ready"


def main(descriptor: int) -> None:
    """Begin processes until the judge is gone."""
    become_nobody()
    for name in sorted(LIBRARIES - sys.stdlib_module_names):
        importlib.import_module(name)
    import torch

    from .channel import Channel
    from .codec import decode
    from .serve import serve

    control = Channel(socket.socket(fileno=descriptor))
    torch.ones(2) + 1  # the first operation looks at the processor, in /proc
    gc.collect()
    gc.freeze()  # what every process shares is not to be copied for being looked at
    control.send(READY)
    while True:
        _byte, descriptors, _flags, _address = socket.recv_fds(control.end, 1, N_DESCRIPTORS)
        if len(descriptors) != N_DESCRIPTORS:
            return
        channel, stack, status = descriptors

        def prepare(channel: int = channel, stack: int = stack) -> Prepared:
            judge = Channel(socket.socket(fileno=channel))
            asked: dict[str, Any] = decode(judge.receive())
            source = Source(folder=EXERCISES, stubs=asked["stubs"])
            return asked["files"], lambda: serve(judge, True, source, stack)

        tells = socket.socket(fileno=status)
        begin(tells, prepare, kept=(channel, stack, descriptor))
        tells.close()
        os.close(channel)
        os.close(stack)
