"""The pictures of the report that docs/cohort.md shows, of generated people only: `python tests/cohort_screens.py`."""

import shutil
import tempfile
from pathlib import Path

from chromium import Chromium, chromium
from reported import NOW, written

from benchmarks.cohort_year import make_year
from graders.cohort.dashboard.public import write_public
from graders.engine.course import ROOT

SCREENS = ROOT / "docs" / "screens"
WIDTH, HEIGHT = 1000, 720
SECRET = b"the secret of nobody"


def draw_screens(browser: Chromium, folder: Path) -> None:
    """Write a PNG of each kind of page into a folder, and one in dark on a phone."""
    with tempfile.TemporaryDirectory() as made:
        lead, public = Path(made) / "lead", Path(made) / "public"
        report, _ = written(make_year(Path(made) / "history.sqlite3", 48, NOW, n_days=64), lead)
        public.mkdir()
        write_public(report.standings, public, SECRET, 5, NOW)
        stuck = next(one for one in report.standings if any(cell.same >= 3 for cell in one.cells.values()))
        shown = {
            "today": (lead / "index.html", WIDTH, False),
            "everyone": (lead / "grid.html", WIDTH, False),
            "mistakes": (lead / "mistakes.html", WIDTH, False),
            "pace": (lead / "pace.html", WIDTH, False),
            "learner": (lead / "learners" / f"{stuck.account.page}.html", WIDTH, False),
            "phone": (lead / "index.html", 360, True),
            "public": (public / "index.html", WIDTH, False),
        }
        browser.do("Emulation.setScrollbarsHidden", hidden=True)
        for name, (page, width, dark) in shown.items():
            browser.open(page, width, dark, HEIGHT)
            (folder / f"cohort-{name}.png").write_bytes(browser.screen())


if __name__ == "__main__":
    shutil.rmtree(SCREENS, ignore_errors=True)
    SCREENS.mkdir()
    with chromium() as opened:
        draw_screens(opened, SCREENS)
