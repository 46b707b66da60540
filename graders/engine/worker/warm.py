"""Inside a sandbox: imports the libraries once, and begins a process that is shut off for each learner.

It runs no learner's code itself. It speaks with the judge alone: over a socket come a learner's files and three
descriptors, the process's end of its channel, a file for its stack, and where to tell how it fares.
"""

import gc
import importlib
import os
import socket
import sys
from typing import Any

from .isolation import EXERCISES, become_nobody, begin
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
        asked: dict[str, Any] = decode(control.receive())
        channel, stack, status = descriptors
        source = Source(folder=EXERCISES, stubs=asked["stubs"])

        def serves(channel: int = channel, stack: int = stack, source: Source = source) -> None:
            serve(Channel(socket.socket(fileno=channel)), True, source, stack)

        tells = socket.socket(fileno=status)
        begin(tells, asked["files"], serves, kept=(channel, stack, descriptor))
        tells.close()
        os.close(channel)
        os.close(stack)
