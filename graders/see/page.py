"""One page, whole in itself: its style, its script and its numbers are inside, and nothing is fetched from anywhere."""

import html
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# Said to the browser, too: it would refuse whatever a page tried to fetch
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


@dataclass(frozen=True)
class Picture:
    """What one page shows."""

    script: str  # the file beside this one whose `draw` makes the picture
    title: str
    lead: str  # one sentence: what to look for
    verdict: str
    is_equal: bool
    numbers: dict[str, Any]  # plain data
    told: list[tuple[str, str]] = field(default_factory=list)  # what it was made from: a name and a value each
    missing: str = ""  # why a part of it is left out, in one line


def page(picture: Picture) -> str:
    """The page's text."""
    style, shared, script = (_read(name) for name in ("page.css", "page.js", picture.script))
    mark, kind = ("✓", "equal") if picture.is_equal else ("✗", "differs")
    told = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>" for name, value in picture.told)
    missing = f'<p class="missing">{html.escape(picture.missing)}</p>' if picture.missing else ""
    verdict = f'<p class="verdict {kind}"><span aria-hidden="true">{mark}</span> {html.escape(picture.verdict)}</p>'
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{html.escape(picture.title)} · headstart</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{html.escape(picture.title)}</h1>
<p class="lead">{html.escape(picture.lead)}</p>
{verdict if picture.verdict else ""}
{missing}
</header>
<main id="main"><noscript>The picture is drawn by a script of this page; allow scripts to see it.</noscript></main>
<footer><dl>{told}</dl></footer>
<script type="application/json" id="numbers">{_json(picture.numbers)}</script>
<script>
{shared}
{script}
draw(document.getElementById("main"), JSON.parse(document.getElementById("numbers").textContent));
</script>
</body>
</html>
"""


def _read(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _json(numbers: dict[str, Any]) -> str:
    """JSON that no text in it can end: `<` is written as an escape, so there is no `</script>` and no `<!--`."""
    return json.dumps(numbers, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
