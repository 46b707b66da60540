"""A hostile learner's file: a body that tries something in a fresh process of the sandbox, and what it saw."""

from graders.cohort.sandbox import Sandboxed
from graders.engine.worker.loading import Source
from graders.engine.worker.messages import Reply, Request

PRELUDE = """
import ctypes, os, resource, signal, socket, sys, tempfile, threading, time
from pathlib import Path
import torch
def fine(x): return x + 1
def tries(call, *args):
    try:
        return call(*args)
    except OSError as error:
        return type(error).__name__
"""


def asks(code: str, *args, seconds: float = 20.0, before: str = "") -> Reply:
    """The reply to one call of `f`, whose body is `code`, in a fresh process."""
    body = "\n    ".join(code.strip("\n").split("\n"))
    learner = Sandboxed(Source(texts={"one": f"{PRELUDE}{before}\ndef f(*args):\n    {body}\n"}))
    try:
        return learner.ask(Request("one", "f", args, seconds=seconds))
    finally:
        learner.close()


def sees(code: str, *args, **options):
    """What one call returns."""
    reply = asks(code, *args, **options)
    assert reply.failure is None, reply.failure
    return reply.value
