"""Replies that no worker of ours would send, put before the judge: as bytes, and as what they would become."""

import json
import random
from pathlib import Path

import pytest
import torch

from graders.engine.calls import calls_between
from graders.engine.judge import Judge
from graders.engine.law import laws_for
from graders.engine.record import Record
from graders.engine.stubs import stub_files
from graders.engine.subject import reference_transport
from graders.engine.transport import MAX_HEADER
from graders.engine.trial import Policy
from graders.engine.worker.codec import CodecError, Opaque, decode, encode
from graders.engine.worker.failure import STAGES, Failure
from graders.engine.worker.loading import Source
from graders.engine.worker.messages import Reply, Request, reply_from, to_data

HEADERS = [
    '{"$tensor":["float64",[NaN]]}',
    '{"$tensor":["float64",[Infinity,2]]}',
    '{"$tensor":["float64",[1e308]]}',
    '{"$tensor":["float64",[-1,-1]]}',
    '{"$tensor":["float64",[true]]}',
    '{"$tensor":["float64",[0,' + "9" * 4000 + "]]}",
    '{"$tensor":["float64",[' + "1," * 400_000 + "0]]}",
    '{"$tensor":["float64",[' + "0," * 100 + "1]]}",
    '{"$tensor":["float64",[1000000000]]}',
    '{"$tensor":["object",[0]]}',
    '{"$tensor":["float64",[0],"more"]}',
    '{"$tensor":[["float64"],[0]]}',
    '{"$float":"1e999"}',
    '{"$set":[[1],[2]]}',
    '{"$set":[' + ",".join(str(k * (2**61 - 1)) for k in range(50_000)) + "]}",
    '{"$dict":[["a",1],["a"]]}',
    '{"$dict":[[1,1]]}',
    '{"$opaque":[1,2]}',
    '{"$pickle":"gASVCg=="}',
    "{}",
    "9" * 5000,
    "[" * 100_000,
    "[" * 60 + "]" * 60,
    "[" + "[]," * 1_000_000 + "[]]",
    '"' + "x" * MAX_HEADER + '"',
]
UNPARSABLE = ["-" * 200_000 + "1", "not " * 60_000 + "1", "lambda:" * 30_000 + "1", "2**" * 80_000 + "2", "\0", "("]
TENSORS = [torch.zeros(n) for n in ((), (0,), (2,), (1, 1), (2, 3, 4), (0, 2**40))]
TENSORS += [t.to(dtype) for t in TENSORS[:3] for dtype in (torch.bool, torch.int8, torch.complex64, torch.bfloat16)]
VALUES = [
    None,
    True,
    -1,
    2**4000,
    0.5,
    float("nan"),
    "\ud800\x1b[2J",
    [],
    [[]],
    (),
    {},
    {"$step": 0},
    {"type": "Cache"},
]
VALUES += [set(), {1, "a"}, Opaque("torch.Tensor", "x"), [1] * 1000, {"": {"": [None]}}, *TENSORS]


def forged_reply(chance: random.Random, asked: Request) -> dict:
    """Any reply at all, as data: most parts of it are plausible, and some are not."""

    def value():
        depth = chance.random()
        if depth < 0.2:
            return [value() for _ in range(chance.randint(0, 3))]
        if depth < 0.4:
            return {chance.choice(["loss", "0", "", *asked.describe]): value() for _ in range(chance.randint(0, 3))}
        return chance.choice(VALUES)

    def texts():
        return [chance.choice(["0", "99", "²", "x", "-1", "\x1b[2J"]) for _ in range(chance.randint(0, 2))]

    file, number = chance.choice(["softmax.py", "config.py", ".."]), chance.choice([0, -1, 2**64])
    lines = [[file, number, "softmax", "raise NotImplementedError"]]
    failure = Failure(chance.choice(sorted(STAGES)), "Error", "\x1b[2J" * 1000, chance.choice([[], lines]), texts())
    return {
        "value": value(),
        "failure": vars(failure) if chance.random() < 0.3 else None,
        "changed": texts() if chance.random() < 0.3 else [],
        "gradients": {text: chance.choice(TENSORS) for text in texts()},
        "recorded": {text: chance.choice(TENSORS) for text in ["", *texts()]},
        "operations": texts(),
        "steady": chance.random() < 0.9,
        "notes": texts(),
        "printed": "\x1b[2J" * 1000,
    }


class Forger:
    """A transport whose replies are forged: some of them, `truth` is how many, in one part alone."""

    isolation = "sandbox"

    def __init__(self, seed: int, truth: float):
        self.source, self.chance, self.truth = Source(texts=stub_files()), random.Random(seed), truth

    def start(self) -> None: ...

    def close(self) -> None: ...

    def replace(self, name: str, text: str) -> None: ...

    def computed(self) -> float:
        return 0.0

    def ask(self, request: Request, meanwhile=None) -> Reply:
        forged = forged_reply(self.chance, request)
        if request.describe or self.chance.random() < self.truth:  # all but one part of it is right
            part = self.chance.choice(["nothing" if request.describe else "value", *forged])
            answer = {**to_data(reference_transport().ask(request)), "printed": ""}
            forged = answer | {part: forged[part]} if part in forged else answer
        try:
            return reply_from(decode(encode(forged), MAX_HEADER))
        except (CodecError, TypeError, KeyError):
            return Reply(failure=Failure("crash", message="its answer could not be read"))


def graded_by_forgery(exercise: str, seed: int, truth: float = 0.0) -> list[Record]:
    """What comes of all laws of an exercise when its replies are forged."""
    judge = Judge(Forger(seed, truth), Policy(examples=5, seed=seed, skips=False, diagnoses=seed % 5 == 0))
    return [judge.grade(law).record for law in laws_for(exercise)]


def forge_all_replies(_folder: Path) -> None:
    """With forged replies alone no law holds but those of what the worker alone sees; none stops the grader."""
    for exercise in ("softmax", "attention", "tokenizer"):
        for seed in range(3):
            for record in graded_by_forgery(exercise, seed):
                assert record.status in ("failed", "not_started", "skipped") or "from_scratch" in record.law, record
    for exercise in ("softmax", "caching"):
        for seed in range(3):
            records = graded_by_forgery(exercise, seed, truth=0.6)
            assert "error" not in {record.status for record in records}, records


def parse_what_cannot_be_parsed(_folder: Path) -> None:
    """Texts that the parser cannot take are read by the judge as well, which goes on."""
    for text in UNPARSABLE:
        assert calls_between(["softmax"], Source(texts={"softmax": text}), "softmax") == {}


def refuse_forged_headers(_folder: Path) -> None:
    """Each forged header is refused, or becomes a value that is small; none ends the judge."""
    whole = json.dumps({"$dict": [["number", 1], ["reply", "HERE"]]}, separators=(",", ":"))
    for forged in HEADERS:
        header = whole.replace('"HERE"', forged).encode()
        with pytest.raises(CodecError):
            decode(len(header).to_bytes(8, "little") + header, MAX_HEADER)


def refuse_forged_parts(_folder: Path) -> None:
    """A reply whose parts have other types than they should is refused, whichever part it is."""
    honest = to_data(Reply())
    for name in honest:
        for value in VALUES:
            forged = honest | {name: value}
            try:
                reply = reply_from(forged)
            except (TypeError, KeyError):
                continue
            assert name == "value" or type(getattr(reply, name)) is type(getattr(Reply(), name))
    for missing in honest:
        if missing == "failure":
            with pytest.raises(KeyError):
                reply_from({key: part for key, part in honest.items() if key != missing})
    with pytest.raises(TypeError):
        reply_from(honest | {"status": "passed", "points": 1})
