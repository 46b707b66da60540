"""The frame of each page, built once by MkDocs with the course site's theme; what is in it never was Markdown.

MkDocs takes minutes for 5,000 pages. Here it makes one frame for each kind of page, into which we put the content.
"""

import base64
import hashlib
import html
import json
import logging
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
CONTENT, TITLE = "HEADSTARTCONTENT", "HEADSTARTTITLE"  # what stands in a frame for what comes into it
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
# Pages are opened from a folder as well, where no address is the page's own
OWN = "'self' file:"
# The theme keeps the palette of a first visit for good, unless that is the one that goes with the system
PALETTE = [
    {"media": media, "toggle": {"icon": f"material/{icon}", "name": f"Use {other} colours"}} | scheme
    for media, scheme, icon, other in (
        ("(prefers-color-scheme)", {}, "brightness-auto", "light"),
        ("(prefers-color-scheme: light)", {"scheme": "default"}, "weather-sunny", "dark"),
        ("(prefers-color-scheme: dark)", {"scheme": "slate"}, "weather-night", "the system's"),
    )
]


@dataclass(frozen=True)
class Frame:
    """A page without its content: what stands before, between and after the places of its title and its content."""

    text: str

    def filled(self, title: str, content: str) -> str:
        """The page. `content` is HTML that is safe already; `title` is anybody's text."""
        # In one pass: a title may say HEADSTARTCONTENT
        parts = {TITLE: html.escape(title), f"<p>{CONTENT}</p>": content}
        return re.sub("|".join(parts), lambda found: parts[found[0]], self.text)


def frames(out: Path, site_name: str, pages: Sequence[tuple[str, str]], hidden: Sequence[str] = ()) -> dict[str, Frame]:
    """The frames by page; what all pages share is written to `out`.

    `pages`: the path without suffix and the title of each page that stands in the navigation; `hidden`: the paths of
    those that do not. Raises `ModuleNotFoundError` where MkDocs or its theme is not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        return _build(Path(folder), out, site_name, pages, hidden)


def _build(
    folder: Path, out: Path, site_name: str, pages: Sequence[tuple[str, str]], hidden: Sequence[str]
) -> dict[str, Frame]:
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    docs, site = folder / "docs", folder / "site"
    for path, title in [*pages, *((path, TITLE) for path in hidden)]:
        page = docs / f"{path}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f"---\ntitle: {json.dumps(title)}\n---\n{CONTENT}\n", encoding="utf-8")
    shutil.copyfile(HERE / "report.css", docs / "report.css")
    config = {
        "site_name": site_name,
        "docs_dir": str(docs),
        "site_dir": str(site),
        "use_directory_urls": False,
        "plugins": [],
        "theme": {"name": "material", "font": False, "palette": PALETTE, "custom_dir": str(HERE / "theme")},
        "extra_css": ["report.css"],
        "nav": [{title: f"{path}.md"} for path, title in pages],
    }
    file = folder / "mkdocs.yml"
    file.write_text(json.dumps(config), encoding="utf-8")  # JSON is YAML, and needs no escaping of ours
    logging.getLogger("mkdocs").setLevel(logging.ERROR)  # it tells of pages that are not in the navigation
    build(load_config(str(file)))
    made = {}
    for path in [*(path for path, _ in pages), *hidden]:
        page = site / f"{path}.html"
        made[path] = Frame(_with_policy(page.read_text(encoding="utf-8")))
        page.unlink()
    for unused in ("404.html", "sitemap.xml", "sitemap.xml.gz"):
        (site / unused).unlink(missing_ok=True)
    shutil.copytree(site, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.map", "lunr", "workers"))
    return made


def _with_policy(page: str) -> str:
    """The page with a policy that a browser holds it to: it fetches nothing, and runs no script but the theme's."""
    scripts = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in INLINE.findall(page)
    )
    policy = (
        f"default-src 'none'; script-src {OWN} {scripts}; style-src {OWN} 'unsafe-inline'; img-src {OWN} data:; "
        "base-uri 'none'; form-action 'none'"
    )
    return page.replace("<head>", f'<head>\n<meta http-equiv="Content-Security-Policy" content="{policy}">', 1)
