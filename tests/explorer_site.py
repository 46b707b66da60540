"""The page Explorer alone, built as in the course site, on a server below a sub-path, and what stands on it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from tokenizers import Tokenizer

from graders.engine.course import ROOT
from graders.weights.checkpoint import EMBEDDED

SUB_PATH = "somebody/headstart"  # as on GitHub Pages
# Until the page has read the newest text and grown its beams; its panels are busy before
STILL = """new Promise((done, failed) => {
  const began = Date.now();
  const look = () => {
    const panels = [...document.querySelectorAll("#explorer-text, #explorer-beams")];
    const told = document.getElementById("explorer-status").textContent;
    if (panels.every((panel) => panel.ariaBusy === "false")) done(told);
    else if (/stopped|could not|no model|web server/.test(told)) done(told);
    else if (Date.now() - began > 600000) failed(new Error(`still busy: ${told}`));
    else setTimeout(look, 20);
  };
  look();
})"""


def mini_docs(folder: Path) -> Path:
    """Docs with the Explorer and its model alone; returns the mkdocs.yml beside them, with the course's settings."""
    docs = folder / "docs"
    shutil.copytree(ROOT / "docs" / "explorer", docs / "explorer", ignore=shutil.ignore_patterns("model"))
    shutil.copyfile(ROOT / "docs" / "explorer.md", docs / "explorer.md")
    for path in [*(ROOT / "docs").glob("*.css"), *(ROOT / "docs").glob("*.js")]:  # what every page has
        shutil.copy(path, docs)
    (docs / "index.md").write_text("# A lesson\n", encoding="utf-8")
    out = docs / "explorer" / "model"
    command = [sys.executable, "-m", "graders.cli", "export-web", str(EMBEDDED), "--out", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    settings = {
        "INHERIT": str(ROOT / "mkdocs.yml"),
        "docs_dir": str(docs),
        "site_url": f"http://localhost/{SUB_PATH}/",
        "strict": False,  # its links lead to lessons
        "nav": ["index.md", "explorer.md"],
    }
    path = folder / "mkdocs.yml"
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def build(settings: Path, site: Path) -> None:
    """Build a site by MkDocs. Raises `CalledProcessError`."""
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--config-file", settings, "--site-dir", site]
    subprocess.run(command, check=True, capture_output=True)


def open_explorer(browser, page: Path | str, width: int = 1440, dark: bool = False) -> str:
    """Load the page Explorer, wait until all is drawn; what its status line says then."""
    browser.open(page, width, dark)
    return browser.value(STILL)


def type_text(browser, text: str) -> None:
    """Put a text into the box, and wait until all is drawn."""
    browser.value(f"""(() => {{
      const area = document.getElementById("explorer-area");
      area.value = {json.dumps(text)};
      area.dispatchEvent(new Event("input"));
    }})()""")
    browser.value(STILL)


def slide(browser, panel: str, name: str, value: float) -> None:
    """Move the slider of a panel, by what stands before it, and wait until all is drawn."""
    browser.value(f"""(() => {{
      const labels = [...document.querySelectorAll("#explorer-{panel} label.slider")];
      const input = labels.find((label) => label.firstChild.textContent === {json.dumps(name)}).querySelector("input");
      input.value = {value};
      input.dispatchEvent(new Event("input"));
    }})()""")
    browser.value(STILL)


def texts(browser, selector: str) -> list[str]:
    """The texts of all that a selector finds."""
    return browser.value(f"[...document.querySelectorAll({json.dumps(selector)})].map((node) => node.textContent)")


def press(browser, panel: str, name: str) -> None:
    """Press a button of a panel, by its text."""
    browser.value(f"""[...document.querySelectorAll("#explorer-{panel} button")]
      .find((button) => button.textContent === {json.dumps(name)}).click()""")


def set_seed(browser, seed: str, kind: str = "input") -> str:
    """Write into the field of the seed, and let the page hear of it by an event; what stands in the field then."""
    return browser.value(f"""(() => {{
      const seed = document.querySelector("#explorer-next input[type=number]");
      seed.value = {json.dumps(seed)};
      seed.dispatchEvent(new Event("{kind}"));
      return seed.value;
    }})()""")


def inert(browser) -> list[str]:
    """The names of the panels that are switched off."""
    return browser.value("[...document.querySelectorAll('div.explorer[inert]')].map((panel) => panel.id.split('-')[1])")


# What the page shows, as the reference would have it

TOKENIZER = Tokenizer.from_file(str(EMBEDDED / "tokenizer.json"))


def ids(text: str) -> list[int]:
    """The ids of a text, without special tokens that are not in it."""
    return TOKENIZER.encode(text, add_special_tokens=False).ids


def seen(text: str) -> str:
    """A text as the page shows it."""
    return text.replace(" ", "␣").replace("\n", "⏎")


def drawn(page) -> str:
    """The token that the seed draws, as the page says it."""
    (token,) = texts(page, "#explorer-next > output .token")
    return token
