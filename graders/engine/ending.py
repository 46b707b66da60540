"""Ends a run's process at once: to take torch apart, object by object, keeps a learner waiting for a fifth of a second.

All that is to be done at its end is done before, as its callbacks come first: ours is registered before theirs.
"""

import atexit
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

_last: list[pytest.Session] = []  # the run that the process was begun for, when it is over


def end_with(session: pytest.Session) -> None:
    """Have the process end with this run's exit status, if it was begun for this run alone."""
    if was_begun_for(session.config.invocation_params.args, sys.orig_argv[1:]):
        _last.append(session)


def was_begun_for(arguments: Sequence[str], command: Sequence[str]) -> bool:
    """Whether a command line, without its Python, is `pytest` or `-m pytest` with these arguments."""
    program = list(command[: len(command) - len(arguments)])
    is_pytest = program == ["-m", "pytest"] or [Path(part).stem for part in program] == ["pytest"]
    return is_pytest and list(command) == [*program, *arguments]


def _end() -> None:
    if _last:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # nobody reads it any more
                stream.flush()
        os._exit(_last[-1].exitstatus)


atexit.register(_end)
