"""What byte-pair encoding costs: the reference over `tokenizers`, whose trainer and encoder are written in Rust.

    python benchmarks/bpe.py [--runs 3]

`train_bpe` learns 5,000 ids from 500 kB of the manual that comes with Python, `encode` reads 1 MB of it with them. The
manual is shorter than either, about 465 kB, and comes over again: most words of what is read were met before, and are
kept by both sides. Both in turn, in one process, one thread each; the goal is at most 30 times. Merges and ids have to
be the same: the exit code is 1 when they are not.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pydoc_data.topics import topics
from typing import Any, TypeVar

os.environ["TOKENIZERS_PARALLELISM"] = "false"  # before its first use: one thread, as the reference has

import tokenizers
from tokenizers.pre_tokenizers import ByteLevel

from graders.cases.tokenizer_words import merges_of
from reference.tokenizer import Tokenizer, train_bpe

GOAL = 30
TO_LEARN, TO_READ, VOCAB_SIZE = 500_000, 1_000_000, 5_000
SAID = {True: "the same", False: "OTHER"}
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
    learning, reading, is_equal = [], [], True
    for _ in range(options.runs):
        seconds, merges = timed(train_bpe, to_learn, VOCAB_SIZE)
        of_rust, theirs = timed(learnt_by_rust, to_learn)
        learning.append(seconds / of_rust)
        same = merges == merges_of(theirs)
        print(f"learn  {seconds:6.2f} s  {of_rust:6.2f} s  {learning[-1]:5.1f}  {SAID[same]} merges", flush=True)
        is_equal &= same
        seconds, ids = timed(Tokenizer(merges).encode, to_read)  # one that knows no words yet
        of_rust, expected = timed(theirs.encode, to_read)
        reading.append(seconds / of_rust)
        same = ids == expected.ids
        print(f"read   {seconds:6.2f} s  {of_rust:6.2f} s  {reading[-1]:5.1f}  {SAID[same]} ids", flush=True)
        is_equal &= same
    for what, ratios in (("train_bpe", learning), ("encode", reading)):
        print(f"{what}: {statistics.median(ratios):.1f} times as long as tokenizers (goal: {GOAL})")
    if not is_equal:
        sys.exit("merges or ids differ from those of tokenizers; expected the same in every run")


if __name__ == "__main__":
    main()
