"""A debugger's side of the Debug Adapter Protocol, as far as stopping at one breakpoint needs it."""

import json
import socket
from pathlib import Path
from typing import Any


class Debugger:
    """Talks to a debugpy that waits for it. Raises `TimeoutError` when there is no answer for a minute."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.file = self.socket.makefile("rwb")
        self.n_sent = 0

    def stop_at(self, path: Path, line: int, just_my_code: bool) -> dict[str, Any]:
        """Let the program run with one breakpoint; the frame in which it first stops."""
        self.send("initialize", adapterID="debugpy", pathFormat="path", linesStartAt1=True)
        self.send("attach", justMyCode=just_my_code)
        self.wait_for("initialized")
        self.send("setBreakpoints", source={"path": str(path)}, breakpoints=[{"line": line}])
        self.send("configurationDone")
        thread = self.wait_for("stopped")["threadId"]
        self.send("stackTrace", threadId=thread, levels=1)
        return self.wait_for("stackTrace")["stackFrames"][0]

    def send(self, command: str, **arguments: Any) -> None:
        self.n_sent += 1
        body = json.dumps({"seq": self.n_sent, "type": "request", "command": command, "arguments": arguments}).encode()
        self.file.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.file.flush()

    def wait_for(self, name: str) -> dict[str, Any]:
        """The body of the next event, or of the next answer, of this name. Raises `EOFError` when the program ends."""
        while True:
            length = 0
            while (header := self.file.readline()) not in (b"\r\n", b""):
                if header.lower().startswith(b"content-length:"):
                    length = int(header.partition(b":")[2])
            if not length:
                raise EOFError(f"the debugged program ended before {name!r}")
            message = json.loads(self.file.read(length))
            if name in (message.get("event"), message.get("command")):
                return message.get("body") or {}
            if message.get("event") == "terminated":
                raise EOFError(f"the debugged program ended before {name!r}")

    def close(self) -> None:
        self.file.close()
        self.socket.close()
