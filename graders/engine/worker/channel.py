"""Messages between a judge and a worker, over a socket: a length, then as many bytes, each waited for so long only."""

import socket
import time

LENGTH = 8  # bytes that say how long a message is


class TooLarge(ValueError):
    """A message says that it is longer than the limit."""


class Channel:
    """One end of a connection."""

    def __init__(self, end: socket.socket):
        self.end = end

    def send(self, message: bytes, seconds: float | None = None) -> None:
        """Raises `ConnectionError` when nobody is there, `TimeoutError` when nobody takes it for so long."""
        self.end.settimeout(seconds)
        self.end.sendall(len(message).to_bytes(LENGTH, "big") + message)

    def receive(self, limit: int | None = None, until: float | None = None) -> bytearray:
        """The next message, whole by the time `until` of `time.monotonic`.

        Raises `EOFError` when nobody is there any more, `TimeoutError`, and `TooLarge` above the limit of bytes.
        """
        length = int.from_bytes(self._exactly(LENGTH, until), "big")
        if limit is not None and length > limit:
            raise TooLarge(f"{length} bytes")
        return self._exactly(length, until)

    def has_begun(self, until: float) -> bool:
        """Whether something of the next message is there, waited for until `until` of `time.monotonic`."""
        self.end.settimeout(max(0.0, until - time.monotonic()))
        try:
            self.end.recv(1, socket.MSG_PEEK)
        except (TimeoutError, BlockingIOError):
            return False
        return True

    def close(self) -> None:
        self.end.close()

    def _exactly(self, n_bytes: int, until: float | None) -> bytearray:
        message = bytearray(n_bytes)
        rest = memoryview(message)
        while rest:
            self.end.settimeout(None if until is None else max(0.0, until - time.monotonic()))
            try:
                n_read = self.end.recv_into(rest)
            except BlockingIOError:  # the time is over, and what had come until then is taken
                raise TimeoutError from None
            if n_read == 0:
                raise EOFError
            rest = rest[n_read:]
        return message


def pair() -> tuple[Channel, Channel]:
    """Two ends of one connection."""
    here, there = socket.socketpair()
    return Channel(here), Channel(there)
