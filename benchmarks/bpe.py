"""What byte-pair encoding costs: the reference over `tokenizers`, whose trainer and encoder are written in Rust.

    python benchmarks/bpe.py [--runs 3]

`train_bpe` learns 5,000 ids from 500 kB of the manual that comes with Python, `encode` reads 1 MB of it with them.
Both sides in turn, in one process, one thread each; the goal is at most 30 times. It also says what is equal.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pydoc_data.topics import topics
from typing import Any, TypeVar

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # before its first use: one thread, as the reference has

import tokenizers
from tokenizers.pre_tokenizers import ByteLevel

from reference.tokenizer import Tokenizer, train_bpe

GOAL = 30
TO_LEARN, TO_READ, VOCAB_SIZE = 500_000, 1_000_000, 5_000
Result = TypeVar("Result")


def manual(n_bytes: int) -> str:
    """The beginning of the manual, over again where it is too short."""
    text = "\n".join(topics.values()).encode()
    return (text * (1 + n_bytes // len(text)))[:n_bytes].decode(errors="ignore")


def timed(call: Callable[..., Result], *args: Any) -> tuple[float, Result]:
    """The seconds that a call takes, and what it returns."""
    began = time.perf_counter()
    result = call(*args)
    return time.perf_counter() - began, result


def learnt_by_rust(text: str) -> tokenizers.Tokenizer:
    """A tokenizer of that library, trained on a text."""
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE())
    theirs.pre_tokenizer = ByteLevel(add_prefix_space=False)
    alphabet = ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=VOCAB_SIZE, initial_alphabet=alphabet, show_progress=False)
    theirs.train_from_iterator([text], trainer)
    return theirs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="pairs of runs; the median ratio counts")
    options = parser.parse_args()
    to_learn, to_read = manual(TO_LEARN), manual(TO_READ)
    learning, reading = [], []
    for _ in range(options.runs):
        seconds, merges = timed(train_bpe, to_learn, VOCAB_SIZE)
        of_rust, theirs = timed(learnt_by_rust, to_learn)
        learning.append(seconds / of_rust)
        print(f"learn  {seconds:6.2f} s  {of_rust:6.2f} s  {learning[-1]:5.1f}", flush=True)
        seconds, ids = timed(Tokenizer(merges).encode, to_read)  # one that knows no words yet
        of_rust, expected = timed(theirs.encode, to_read)
        reading.append(seconds / of_rust)
        same = "the same ids" if ids == expected.ids else "OTHER IDS"
        print(f"read   {seconds:6.2f} s  {of_rust:6.2f} s  {reading[-1]:5.1f}  {same}", flush=True)
    for what, ratios in (("train_bpe", learning), ("encode", reading)):
        print(f"{what}: {statistics.median(ratios):.1f} times as long as tokenizers (goal: {GOAL})")


if __name__ == "__main__":
    main()
