"""A reply comes from a process that is not to be trusted: what is not one is refused."""

import pytest
import torch

from graders.engine.transport import _answer_to
from graders.engine.worker.codec import CodecError
from graders.engine.worker.failure import Failure
from graders.engine.worker.messages import Reply, reply_from, to_data

X = torch.tensor([1.0, 2.0], dtype=torch.float64)


@pytest.mark.parametrize(
    "data",
    [{"changed": 5}, {"changed": [5]}, {"gradients": {"0": 1}}, {"printed": None}, {"failure": {"stage": 1}},
     {"failure": {"stage": "call", "lines": [["a", "b", "c", "d"]]}}, {"failure": {}},
     {"failure": {"stage": "call", "lines": [("a", 1, "c", "d")]}}, {"steady": 1}, {"steady": None},
     {"unknown": 1}, {"failure": X},
     {"failure": {"stage": "passed"}}, {"failure": {"stage": "call", "bases": [1]}}],
    ids=str,
)  # fmt: skip
def test_a_reply_with_parts_of_another_type_is_refused(data):
    with pytest.raises(TypeError):
        reply_from(to_data(Reply()) | data)


def test_texts_of_a_reply_are_cut_whoever_wrote_them():
    reply = reply_from(to_data(Reply(failure=Failure("call", message="x" * 10_000), printed="x" * 10_000)))
    assert (len(reply.failure.message), len(reply.printed)) == (600, 2000)


def test_a_reply_crosses_whole():
    failure = Failure("call", "E", "m", [["a.py", 1, "f", ""]])
    reply = Reply(1, failure, ["0"], {"0": X}, {}, ["add"], True, ["note"], "text")
    assert reply_from(to_data(reply)) == reply


@pytest.mark.parametrize("number", [None, 8, 7.0, True, "7", torch.tensor([7, 7]), X])
def test_an_answer_without_the_number_that_was_asked_for_is_refused(number):
    with pytest.raises(CodecError, match="not the answer"):
        _answer_to(7, {"number": number, "reply": {}})


def test_what_a_reply_leaves_out_is_as_in_a_call_that_returned_nothing():
    assert _answer_to(7, {"number": 7, "reply": {}}) == Reply(None)
