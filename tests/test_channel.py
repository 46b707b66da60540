"""Messages over a socket: whole, in time, and not larger than they may be."""

import contextlib
import threading
import time

import pytest

from graders.engine.worker.channel import TooLarge, pair


@pytest.fixture
def ends():
    here, there = pair()
    yield here, there
    here.close()
    there.close()


@pytest.mark.parametrize("message", [b"", b"an answer", bytes(10**6)])
def test_a_message_comes_whole(ends, message):
    here, there = ends
    sending = threading.Thread(target=there.send, args=(message,))  # a large one waits for its reader
    sending.start()
    assert here.receive() == message
    sending.join()


def test_a_message_above_the_limit_is_not_read(ends):
    here, there = ends
    there.send(bytes(101))
    with pytest.raises(TooLarge, match="101 bytes"):
        here.receive(limit=100)


@pytest.mark.parametrize("begun", [b"", (9).to_bytes(8, "big") + b"an ans"])
def test_whoever_is_gone_sends_no_more(ends, begun):
    here, there = ends
    there.end.sendall(begun)
    there.close()
    with pytest.raises(EOFError):
        here.receive()


def test_an_answer_that_drips_is_late(ends):
    here, there = ends
    until = time.monotonic() + 0.2

    def drip() -> None:
        with contextlib.suppress(OSError):
            for byte in (100).to_bytes(8, "big") + bytes(100):
                there.end.sendall(bytes([byte]))
                time.sleep(0.01)

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        with pytest.raises(TimeoutError):
            here.receive(until=until)
    finally:
        here.close()
        dripping.join()


def test_what_is_there_when_the_time_is_over_is_taken(ends):
    here, there = ends
    there.send(b"an answer")
    assert here.receive(until=time.monotonic() - 1) == b"an answer"
    with pytest.raises(TimeoutError):
        here.receive(until=time.monotonic() - 1)
