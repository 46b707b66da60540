"""The course site as it was built: what its files load, where their links lead, and a server for it."""

import functools
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml

from graders.engine.course import ROOT

# What a browser fetches without being asked; of a `link`, by its `rel`
LOADS = {
    *(("img", "src"), ("script", "src"), ("source", "src"), ("iframe", "src"), ("embed", "src"), ("video", "src")),
    *(("audio", "src"), ("track", "src"), ("input", "src"), ("object", "data"), ("video", "poster"), ("base", "href")),
    *(("use", "href"), ("use", "xlink:href"), ("image", "href"), ("image", "xlink:href"), ("body", "background")),
}
LINK_LOADS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "preconnect", "dns-prefetch", "manifest"}
IN_CSS = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")
IN_JS = re.compile(
    r"""(?:\bimport|\bfetch|importScripts|\.src\s*=|Worker|WebSocket)\s*\(?\s*["'`]((?:\w+:)?//[^"'`]+)"""
)


def python(*command: str | Path, cwd: Path = ROOT) -> str:
    """What a command of Python's prints. Raises `AssertionError`, with all of it, when the command fails."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pages_in_nav() -> list[str]:
    """The pages that the site's menu leads to, in order."""

    def within(entries) -> list[str]:
        targets = [target for entry in entries for target in entry.values()]
        return [page for target in targets for page in ([target] if isinstance(target, str) else within(target))]

    return within(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])


@dataclass
class Told(HTMLParser):
    """What a file of HTML or SVG says: its `ids`, its `links`, what it `loads`; the folds' and headings' texts."""

    text: str
    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    folds: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.within = ""  # the tag whose text is listened to
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        self.ids += [has[name] for name in ("id", *(["name"] if tag == "a" else [])) if name in has]
        self.loads += [value for name, value in has.items() if (tag, name) in LOADS]
        self.loads += [part.split()[0] for part in has.get("srcset", "").split(",") if part.strip()]
        self.loads += in_css(has.get("style", ""))
        if tag == "link" and LINK_LOADS & set(has.get("rel", "").split()):
            self.loads.append(has["href"])
        elif "href" in has and (tag, "href") not in LOADS:
            self.links.append(has["href"])
        self.folds += [""] if tag == "summary" else []
        self.within = tag if tag in ("style", "script", "summary") else self.within

    def handle_endtag(self, tag: str) -> None:
        self.within = "" if tag == self.within else self.within

    def handle_data(self, data: str) -> None:
        if self.within == "style":
            self.loads += in_css(data)
        elif self.within == "script":
            self.loads += IN_JS.findall(data)
        elif self.within == "summary":
            self.folds[-1] += data


def in_css(text: str) -> list[str]:
    """The addresses that a stylesheet loads."""
    return [one or other for one, other in IN_CSS.findall(text)]


@functools.cache
def told(path: Path) -> Told:
    """What a file of a built site says."""
    return Told(path.read_text(encoding="utf-8"))


def html_of(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def loads_of(path: Path) -> list[str]:
    """The addresses that a file of a site loads, as they stand there."""
    if path.suffix in (".html", ".svg"):
        return told(path).loads
    text = path.read_text(encoding="utf-8")
    return in_css(text) if path.suffix == ".css" else IN_JS.findall(text)


def strangers(site: Path) -> list[str]:
    """Each address of another host that a page, a picture, a stylesheet or a script loads, and where it stands."""
    files = [path for path in site.rglob("*") if path.suffix in (".html", ".svg", ".css", ".js", ".mjs")]
    return [
        f"{path.relative_to(site).as_posix()}: {address}"
        for path in sorted(files)
        for address in loads_of(path)
        if urlsplit(address).netloc
    ]


def leads_nowhere(site: Path, page: Path, address: str) -> str:
    """What is wrong with an address on a page of the site; nothing when it is there, or on another host."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return ""
    path = unquote(parts.path)
    target = site / path.lstrip("/") if path.startswith("/") else page.parent / path if path else page
    target = target / "index.html" if target.is_dir() else target
    if not target.is_file():
        return "is not there"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in told(target).ids:
        return "is no place on that page"
    return ""


def dead_ends(site: Path) -> list[str]:
    """Every link, picture, stylesheet and script of the pages that is not in the site, and anchors on no page."""
    return [
        f"{page.relative_to(site).as_posix()}: {address} {wrong}"
        for page in html_of(site)
        for address in dict.fromkeys(told(page).links + told(page).loads)
        if (wrong := leads_nowhere(site, page, address))
    ]


class Silent(SimpleHTTPRequestHandler):
    """A server that does not say what it is asked for."""

    def log_message(self, *_args) -> None:
        pass


@contextmanager
def served_by_mkdocs(*options: str | Path, cwd: Path = ROOT) -> Iterator[str]:
    """The address at which `mkdocs serve` with these options has its pages, on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "mkdocs", "serve", *options, "--dev-addr", host]
    server = subprocess.Popen(command, cwd=cwd, stderr=subprocess.PIPE, text=True)
    try:
        assert server.stderr is not None
        assert any("Serving on" in told for told in server.stderr), "the server has ended"
        yield f"http://{host}/"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of a folder, served on a free port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
