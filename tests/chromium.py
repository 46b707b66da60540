"""A headless Chromium, driven through its DevTools protocol over two pipes: no library and no driver is needed."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

INSTALL = "apt-get install -y chromium"
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # the sandbox does not run as root, as CI does; the pages are our own
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no page finds anybody outside this machine
    "--remote-debugging-pipe",  # descriptor 3 to it, 4 from it; messages end in a zero byte
)


class Chromium:
    """One page of a browser. `heard` is every event that it has told of, in order."""

    def __init__(self, process: subprocess.Popen, to: int, answers: int):
        self.process, self.to, self.answers = process, to, os.fdopen(answers, "rb")
        self.number, self.session, self.heard = 0, "", list[dict[str, Any]]()
        self.unread = b""
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **params: Any) -> dict[str, Any]:
        """What a method of the protocol answers. Raises `RuntimeError` when it refuses."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.heard.append(answer)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.unread:
            part = self.answers.read1(2**16)
            if not part:
                raise RuntimeError("the browser has ended")
            self.unread += part
        message, _, self.unread = self.unread.partition(b"\0")
        return json.loads(message)

    def open(self, page: Path | str, width: int, dark: bool, height: int = 900) -> None:
        """Load a page, a file or an address, at a width in pixels, and wait until it is drawn."""
        self.show(width, dark, height)
        self.heard.clear()
        answer = self.do("Page.navigate", url=page if isinstance(page, str) else page.resolve().as_uri())
        if "errorText" in answer:
            raise RuntimeError(f"{page} was not opened: {answer['errorText']}")
        self._wait()

    def show(self, width: int, dark: bool, height: int = 900, on_paper: bool = False) -> None:
        """Make the window this wide and the system's colours dark or light; the page that is open stays."""
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.do("Emulation.setEmulatedMedia", media="print" if on_paper else "", features=[scheme])

    def follow(self, link: str) -> None:
        """Click on the link that a script finds, and wait until the page it leads to is drawn."""
        self.heard.clear()
        self.value(f"{link}.click()")
        self._wait()

    def _wait(self) -> None:
        while not any(event.get("method") == "Page.loadEventFired" for event in self.heard):
            self.heard.append(self._next())

    def value(self, script: str) -> Any:
        """What a script comes to in the page. Raises `RuntimeError` with what it throws."""
        answer = self.do("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"].get("description", "it threw something"))
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key, such as `Tab`."""
        codes = {"Tab": 9, "Enter": 13, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **text)

    def complaints(self) -> list[str]:
        """What the page has thrown, and logged as an error or a warning, since it was opened."""
        self.value("1")  # so that all that was said before has been heard
        told = []
        for event in self.heard:
            params = event.get("params", {})
            if event["method"] == "Runtime.exceptionThrown":
                told.append(params["exceptionDetails"].get("exception", {}).get("description", "it threw something"))
            elif event["method"] == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
                told.append(str(params["args"]))
            elif event["method"] == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
                told.append(params["entry"]["text"])
        return told

    def requests(self) -> list[str]:
        """The addresses of all that the page asked for since it was opened, itself included."""
        self.value("1")
        return [e["params"]["request"]["url"] for e in self.heard if e["method"] == "Network.requestWillBeSent"]

    def picture(self) -> bytes:
        """The whole page as a PNG."""
        return base64.b64decode(self.do("Page.captureScreenshot", captureBeyondViewport=True)["data"])

    def screen(self) -> bytes:
        """What a person sees of the page before scrolling, as a PNG."""
        return base64.b64decode(self.do("Page.captureScreenshot")["data"])


def _pipe() -> list[int]:
    """A pipe whose ends, to read and to write, are neither 3 nor 4."""
    ends = os.pipe()
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return moved


@contextmanager
def chromium() -> Iterator[Chromium]:
    """A browser of its own, without history. Raises `FileNotFoundError`, with the line that installs it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        raise FileNotFoundError(f"no chromium was found, in which the pages are opened; install it: {INSTALL}")
    from_us, to = _pipe()
    from_it, answers = _pipe()

    plugged = (
        f'exec "$@" 3<&{from_us} 4>&{answers}'  # by a shell, since Python passes a descriptor under its own number
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            ["bash", "-c", plugged, "chromium", path, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(from_us, answers),
            stderr=subprocess.DEVNULL,
        )
        os.close(from_us)
        os.close(answers)
        try:
            yield Chromium(process, to, from_it)
        finally:
            process.kill()
            process.wait()
            os.close(to)
