"""What keeps somebody from reading the page that a browser shows: axe-core's rules, errors, strangers, its width."""

import importlib.util
from pathlib import Path

AXE = (Path(importlib.util.find_spec("axe_core_python").origin).parent / "axe.min.js").read_text(encoding="utf-8")
VIOLATIONS = """axe.run(document, {resultTypes: ["violations"]}).then((found) => found.violations.map(
  (one) => `${one.impact} ${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html).join(" ")}`))"""


def violations(browser) -> list[str]:
    """The rules of axe-core that the page breaks as it is shown, each with its impact, its name and where."""
    if not browser.value("'axe' in window"):
        browser.value(f"{AXE};1")
    return browser.value(VIOLATIONS)


def troubles(browser, width: int, own: str) -> list[str]:
    """Errors, requests for what does not begin with the address `own`, and a page wider than the window."""
    found = browser.complaints()
    found += [f"asked for {url}" for url in browser.requests() if not url.startswith((own, "data:", "blob:"))]
    # The page itself never scrolls sideways; a wide table does, in its own box
    wide = browser.value("document.scrollingElement.scrollWidth")
    return found + ([f"is {wide} pixels wide"] if wide > width else [])
