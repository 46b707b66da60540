"""The site is built without a warning, and its pictures are drawn by the reference."""

import re
import subprocess
import sys

from docs.pictures import PICTURES
from graders.engine.course import ROOT


def test_every_picture_that_a_page_shows_is_drawn_and_every_one_drawn_is_shown():
    pages = [page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md")]
    shown = {name for page in pages for name in re.findall(r"pictures/(\w+)\.svg\)", page)}
    assert shown == PICTURES.keys()


def test_the_site_is_built_with_its_pictures(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert {path.stem for path in (tmp_path / "pictures").glob("*.svg")} == PICTURES.keys()
    assert (tmp_path / "from-counting-to-attention" / "index.html").exists()
