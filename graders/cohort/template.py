"""What a lead hands out, and what a lead keeps: two repositories, made from the course's own.

A learner's has the stubs, the pages, and the graders as a wheel, in which the solved files travel: they are not the
first thing that a learner opens. Everything that the two share with the course is copied or generated from it; what is
theirs alone lies in `handout/`.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from graders.engine.course import IS_REPOSITORY, ROOT, WHEEL, load_course
from graders.engine.stubs import stub_files

HANDOUT = Path(__file__).with_name("handout")
COPIED = (".editorconfig", "LICENSE", ".vscode/extensions.json", ".vscode/launch.json", ".vscode/settings.json")
PAGES = ("commands", "editors", "from-counting-to-attention", "notebooks", "records", "see", "watch")
SHIM = '''"""The laws of {name}, which came with headstart; `headstart show {name}` tells them."""

from graders.test_{name} import *
'''
SOLUTION = re.compile(r"\[[^]]*\]\(\.\./solutions/[^)]*\), or ")  # on a page; `headstart solution` asks first
ON_THE_SITE = re.compile(r"\n[^\n]*\]\(\.\./explorer\.md[^\n]*\n")  # a line that leads to the page Explorer
TO_VERDICTS = re.compile(r"\[([^]]*)\]\(verdicts\.md[^)]*\)")  # a page for leads and authors
OF_THE_PROJECT = re.compile(r',\n    \{\n      "label": "The project\'s own tests",.*?\n    \}', re.DOTALL)
INSTALL = f"pip install {WHEEL}"
MINUTES = 10  # that Classroom gives an exercise


class TemplateError(Exception):
    """A repository was not made; the text says why, and what to do."""


@dataclass(frozen=True)
class Wheel:
    """The graders, to be handed out."""

    name: str
    content: bytes
    version: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def make_template(out: Path, is_lead: bool = False) -> Wheel:
    """Write a learner's repository, or a lead's, into a folder that has nothing in it; return its wheel.

    Raises `TemplateError`; then nothing was written, unless the disk ended it midway.
    """
    if out.exists() and (not out.is_dir() or any(path.name != ".git" for path in out.iterdir())):
        raise TemplateError(f"{out} has something in it, and was left alone; name a new folder, or an empty one")
    wheel = build_wheel()
    own = _own_files("lead" if is_lead else "learner", wheel)
    files = {**own, f"wheels/{wheel.name}": wheel.content, **({} if is_lead else _shared_files())}
    try:
        for name, content in files.items():
            path = out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise TemplateError(
            f"{out} could not be written whole ({error.strerror}); see to it, remove what is there, and try again"
        ) from error
    return wheel


def build_wheel() -> Wheel:
    """Build the graders as they are in the course's folder. Raises `TemplateError`; needs no network."""
    if not IS_REPOSITORY:
        raise TemplateError(
            "headstart is installed from a wheel here; a repository is made from the course's own: clone it, "
            "`pip install -e '.[cohort]'` in it, and try again"
        )
    with tempfile.TemporaryDirectory(prefix="headstart-") as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            told = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
            raise TemplateError(f"the wheel could not be built ({told}); in {ROOT}: pip install -e '.[cohort]'")
        built = Wheel(wheels[0].name, wheels[0].read_bytes(), wheels[0].name.split("-")[1])
    if built.version != version("headstart"):
        raise TemplateError(
            f"headstart {version('headstart')} is installed, and this folder is {built.version}; in {ROOT}: "
            "pip install -e '.[cohort]'"
        )
    return built


def _own_files(whose: str, wheel: Wheel) -> dict[str, bytes]:
    """What lies in `handout/` for them, by path, with the wheel's name in its place."""
    places = {b"@WHEEL@": wheel.name, b"@SHA256@": wheel.sha256, b"@VERSION@": wheel.version}
    files = {}
    for path in sorted(path for path in (HANDOUT / whose).rglob("*") if path.is_file()):
        content = path.read_bytes()
        for place, text in places.items():
            content = content.replace(place, text.encode())
        files[path.relative_to(HANDOUT / whose).as_posix()] = content
    return files


def _shared_files() -> dict[str, bytes]:
    """What a learner's repository has of the course, by path."""
    from graders.commands.site import pictures

    names = [exercise.name for exercise in load_course().exercises]
    docs = ROOT / "docs"
    pages = [*(docs / f"{page}.md" for page in PAGES), *docs.glob("exercises/*.md"), *docs.glob("tracks/*.md")]
    texts = {f"exercises/{name}.py": text for name, text in stub_files().items()}
    texts |= {f"graders/test_{name}.py": SHIM.format(name=name) for name in names}
    texts |= {path.relative_to(ROOT).as_posix(): _handed_out(path.read_text(encoding="utf-8")) for path in pages}
    texts |= {name: (ROOT / name).read_text(encoding="utf-8") for name in COPIED}
    texts[".vscode/tasks.json"] = _changed(".vscode/tasks.json", OF_THE_PROJECT, "")
    container = ".devcontainer/devcontainer.json"
    texts[container] = _changed(container, re.compile(r"pip install -e '\.\[notebooks\]'"), INSTALL)
    texts[".github/classroom/autograding.json"] = json.dumps(_autograding(), indent=2) + "\n"
    drawn = {path.relative_to(ROOT).as_posix(): content for path, content in pictures().items()}
    return {name: text.encode() for name, text in texts.items()} | drawn


def _handed_out(page: str) -> str:
    """A page without what leads to what is not handed out."""
    return ON_THE_SITE.sub("", TO_VERDICTS.sub(r"\1", SOLUTION.sub("", page)))


def _changed(name: str, pattern: re.Pattern[str], text: str) -> str:
    """A file of the course with one place changed."""
    changed, n_places = pattern.subn(text, (ROOT / name).read_text(encoding="utf-8"))
    if n_places != 1:
        raise TemplateError(f"{name} has {n_places} places for {pattern.pattern!r}, expected one: mend template.py")
    return changed


def _autograding() -> Mapping[str, object]:
    """What GitHub Classroom runs: a test an exercise, worth a point a task."""
    return {
        "tests": [
            {
                "name": exercise.name,
                "setup": INSTALL,
                "run": f"pytest graders/test_{exercise.name}.py",
                "input": "",
                "output": "",
                "comparison": "included",
                "timeout": MINUTES,
                "points": len(exercise.tasks),
            }
            for exercise in load_course().exercises
        ]
    }
